/*
 * Copyright (c) 2026 The orchd authors
 *
 * Permission to use, copy, modify, and distribute this software for any
 * purpose with or without fee is hereby granted, provided that the above
 * copyright notice and this permission notice appear in all copies.
 *
 * THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES
 * WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF
 * MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR
 * ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES
 * WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN
 * ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF
 * OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.
 */

#include <sys/types.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "esc.h"
#include "proclog.h"
#include "redact.h"

#define OUT_MAX		(16 * 1024)
#define NOTE_MAX	128	/* kept free for the line about dropped bytes */

/* The unfinished line of one stream. */
struct line {
	char		*l_buf;		/* line_max + 1 bytes */
	size_t		 l_len;
	uint64_t	 l_over;	/* bytes beyond line_max */
};

struct proclog {
	int			 pl_fd;
	uint64_t		 pl_max;
	size_t			 pl_line_max;
	proctree_line_cb	 pl_cb;
	void			*pl_arg;
	struct line		 pl_line[2];
	char			 pl_out[OUT_MAX];
	size_t			 pl_outlen;
	uint64_t		 pl_taken;	/* written, or in pl_out */
	uint64_t		 pl_written;
	uint64_t		 pl_limited;	/* dropped: limit reached */
	uint64_t		 pl_failed;	/* dropped: write failed */
	int			 pl_errno;	/* of the last failed write */
	char			 pl_tail[2 * PROCTREE_TAIL_MAX];
	size_t			 pl_taillen;
};

struct proclog *
proclog_new(const struct proctree_opts *o)
{
	struct proclog	*pl;
	int		 i;

	if ((pl = calloc(1, sizeof(*pl))) == NULL)
		return (NULL);
	pl->pl_fd = o->log_fd;
	pl->pl_max = o->log_max;
	pl->pl_line_max = o->line_max != 0 ? o->line_max : PROCTREE_LINE_MAX;
	pl->pl_cb = o->line_cb;
	pl->pl_arg = o->line_arg;
	for (i = 0; i < 2; i++)
		if ((pl->pl_line[i].l_buf = malloc(pl->pl_line_max + 1)) ==
		    NULL) {
			proclog_free(pl);
			return (NULL);
		}
	return (pl);
}

void
proclog_free(struct proclog *pl)
{
	if (pl == NULL)
		return;
	free(pl->pl_line[0].l_buf);
	free(pl->pl_line[1].l_buf);
	free(pl);
}

/* A full disk loses lines and never the run: the next flush tries again. */
static void
flush_out(struct proclog *pl)
{
	const char	*p = pl->pl_out;
	ssize_t		 n;

	while (pl->pl_outlen > 0) {
		n = write(pl->pl_fd, p, pl->pl_outlen);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0) {
			pl->pl_errno = n == -1 ? errno : EIO;
			pl->pl_failed += pl->pl_outlen;
			pl->pl_outlen = 0;
			return;
		}
		p += n;
		pl->pl_outlen -= (size_t)n;
		pl->pl_written += (uint64_t)n;
	}
}

static void
put_log(struct proclog *pl, const char *s, size_t len)
{
	if (pl->pl_fd == -1)
		return;
	if (pl->pl_limited > 0 || (pl->pl_max != 0 &&
	    pl->pl_taken + len + NOTE_MAX > pl->pl_max)) {
		pl->pl_limited += len;
		return;
	}
	if (len > OUT_MAX - pl->pl_outlen)
		flush_out(pl);
	memcpy(pl->pl_out + pl->pl_outlen, s, len);
	pl->pl_outlen += len;
	pl->pl_taken += len;
}

static void
put_tail(struct proclog *pl, const char *s, size_t len)
{
	size_t	 keep = PROCTREE_TAIL_MAX;

	if (len > sizeof(pl->pl_tail) - pl->pl_taillen) {
		if (keep > pl->pl_taillen)
			keep = pl->pl_taillen;
		memmove(pl->pl_tail, pl->pl_tail + pl->pl_taillen - keep,
		    keep);
		pl->pl_taillen = keep;
	}
	memcpy(pl->pl_tail + pl->pl_taillen, s, len);
	pl->pl_taillen += len;
}

/* Pieces of at most half a tail, so that one always fits. */
static void
put(struct proclog *pl, const char *s, size_t len)
{
	char	 buf[PROCTREE_TAIL_MAX / 2];
	size_t	 n, used;

	for (; len > 0; s += used, len -= used) {
		used = esc_mem(buf, sizeof(buf), s, len, ESC_KEEP_TAB, &n);
		put_log(pl, buf, n);
		put_tail(pl, buf, n);
	}
}

static void
put_newline(struct proclog *pl)
{
	put_log(pl, "\n", 1);
	put_tail(pl, "\n", 1);
}

static void
end_line(struct proclog *pl, int stream)
{
	struct line	*l = &pl->pl_line[stream - 1];
	char		 note[64];
	size_t		 len = l->l_len;

	if (l->l_over > 0)
		len = redact_cut(l->l_buf, len);
	else {
		if (len > 0 && l->l_buf[len - 1] == '\r')
			len--;
		len = redact(l->l_buf, len);
	}
	l->l_buf[len] = '\0';
	if (pl->pl_cb != NULL)
		pl->pl_cb(pl->pl_arg, stream, l->l_buf, len);
	put(pl, l->l_buf, len);
	if (l->l_over > 0 && snprintf(note, sizeof(note),
	    " [line cut, %" PRIu64 " bytes dropped]", l->l_over) > 0)
		put(pl, note, strlen(note));
	put_newline(pl);
	l->l_len = 0;
	l->l_over = 0;
}

static void
add_bytes(struct proclog *pl, struct line *l, const char *s, size_t len)
{
	size_t	 room = pl->pl_line_max - l->l_len;

	if (len > room) {
		l->l_over += len - room;
		len = room;
	}
	memcpy(l->l_buf + l->l_len, s, len);
	l->l_len += len;
}

void
proclog_feed(struct proclog *pl, int stream, const char *s, size_t len)
{
	struct line	*l = &pl->pl_line[stream - 1];
	const char	*nl;
	size_t		 n;

	while (len > 0) {
		nl = memchr(s, '\n', len);
		n = nl != NULL ? (size_t)(nl - s) : len;
		add_bytes(pl, l, s, n);
		if (nl == NULL)
			break;
		end_line(pl, stream);
		s += n + 1;
		len -= n + 1;
	}
	flush_out(pl);
}

/* What was dropped is said in the log itself, in the room kept for it. */
static void
put_note(struct proclog *pl)
{
	int	 n = 0;

	if (pl->pl_limited > 0)
		n = snprintf(pl->pl_out, sizeof(pl->pl_out),
		    "\n[log limit reached, %" PRIu64 " bytes dropped]\n",
		    pl->pl_limited);
	else if (pl->pl_failed > 0)
		n = snprintf(pl->pl_out, sizeof(pl->pl_out),
		    "\n[log could not be written: %s, %" PRIu64
		    " bytes dropped]\n", strerror(pl->pl_errno),
		    pl->pl_failed);
	if (n > 0)
		pl->pl_outlen = (size_t)n;
	flush_out(pl);
}

void
proclog_finish(struct proclog *pl, struct proctree_result *res)
{
	const char	*t = pl->pl_tail, *nl;
	size_t		 len = pl->pl_taillen;
	int		 i;

	for (i = 1; i <= 2; i++)
		if (pl->pl_line[i - 1].l_len > 0 ||
		    pl->pl_line[i - 1].l_over > 0)
			end_line(pl, i);
	len = pl->pl_taillen;
	flush_out(pl);
	put_note(pl);
	res->log_bytes = pl->pl_written;
	res->log_dropped = pl->pl_limited + pl->pl_failed;
	if (len > sizeof(res->tail) - 1) {
		t += len - (sizeof(res->tail) - 1);
		len = sizeof(res->tail) - 1;
		if ((nl = memchr(t, '\n', len - 1)) != NULL) {
			len -= (size_t)(nl + 1 - t);
			t = nl + 1;
		}
	}
	memcpy(res->tail, t, len);
	res->tail[len] = '\0';
}
