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
#include <sys/mman.h>

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include "redact.h"

#define SECRET_MIN	6		/* bytes of a value */
#define FORM_MIN	8		/* bytes of an encoded form */
#define PART_MIN	3		/* of a value that was cut */
#define ARENA_SIZE	(512 * 1024)
#define FORMS_MAX	2048

/* A byte string that must never be shown; it lives in the arena. */
struct form {
	const char	*f_text;
	size_t		 f_len;
	struct form	*f_next;	/* with the same first byte */
};

static struct form	 forms[FORMS_MAX];
static size_t		 nforms;
static char		*arena;
static size_t		 arena_used;
static struct form	*first[256];	/* by first byte */

/* Shapes of well-known tokens: a beginning and what must follow it. */
static const struct shape {
	const char	*s_head;
	size_t		 s_min;		/* bytes that follow, at least */
	const char	*s_extra;	/* besides letters and digits */
} shapes[] = {
	{ "sk-ant-",		16,	"_-" },
	{ "sk-",		20,	"_-" },
	{ "ghp_",		20,	"" },
	{ "gho_",		20,	"" },
	{ "ghu_",		20,	"" },
	{ "ghs_",		20,	"" },
	{ "ghr_",		20,	"" },
	{ "github_pat_",	20,	"_" },
	{ "glpat-",		16,	"_-" },
	{ "plane_api_",		16,	"" },
	{ "plane_wh_",		16,	"" },
	{ "AKIA",		16,	"" },
	{ "AIza",		30,	"_-" },
	{ "xoxb-",		16,	"-" },
	{ "xoxp-",		16,	"-" }
};
#define NSHAPES	(sizeof(shapes) / sizeof(shapes[0]))

/* A piece of the arena, or NULL when it is full. */
static char *
arena_get(size_t len)
{
	char	*p;

	if (arena == NULL) {
		p = mmap(NULL, ARENA_SIZE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED)
			return (NULL);
		/* Best effort: a small memlock limit must not stop us. */
		(void)mlock(p, ARENA_SIZE);
		(void)madvise(p, ARENA_SIZE, MADV_DONTDUMP);
		arena = p;
	}
	if (len > ARENA_SIZE - arena_used)
		return (NULL);
	p = arena + arena_used;
	arena_used += len;
	return (p);
}

static int
form_add(const char *text, size_t len, size_t min)
{
	char	*p;
	size_t	 i;

	if (len < min)
		return (0);
	for (i = 0; i < nforms; i++)
		if (forms[i].f_len == len &&
		    memcmp(forms[i].f_text, text, len) == 0)
			return (0);
	if (nforms == FORMS_MAX || (p = arena_get(len)) == NULL) {
		errno = ENOMEM;
		return (-1);
	}
	memcpy(p, text, len);
	forms[nforms].f_text = p;
	forms[nforms].f_len = len;
	forms[nforms].f_next = first[(unsigned char)p[0]];
	first[(unsigned char)p[0]] = &forms[nforms++];
	return (0);
}

static int
form_add_hex(char *tmp, const unsigned char *s, size_t len, const char *digits)
{
	size_t	 i;

	for (i = 0; i < len; i++) {
		tmp[i * 2] = digits[s[i] >> 4];
		tmp[i * 2 + 1] = digits[s[i] & 15];
	}
	return (form_add(tmp, len * 2, FORM_MIN));
}

static int
form_add_url(char *tmp, const unsigned char *s, size_t len, const char *digits)
{
	size_t	 i, o = 0;

	for (i = 0; i < len; i++) {
		if (isalnum(s[i]) || strchr("-._~", s[i]) != NULL) {
			tmp[o++] = (char)s[i];
			continue;
		}
		tmp[o++] = '%';
		tmp[o++] = digits[s[i] >> 4];
		tmp[o++] = digits[s[i] & 15];
	}
	return (form_add(tmp, o, FORM_MIN));
}

/*
 * The base64 characters that depend on the value alone when it begins `skip`
 * bits into a character: those in which all six bits are its own.
 */
static int
form_add_base64(char *tmp, const unsigned char *s, size_t len, size_t skip,
    const char *alphabet)
{
	size_t	 bit, o = 0;
	unsigned v;

	for (bit = skip; bit + 6 <= len * 8; bit += 6) {
		v = (unsigned)s[bit / 8] << 8;
		if (bit / 8 + 1 < len)
			v |= s[bit / 8 + 1];
		tmp[o++] = alphabet[v >> (10 - bit % 8) & 63];
	}
	return (form_add(tmp, o, FORM_MIN));
}

static int
add_line(const char *line, size_t len)
{
	static const char	 std[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	static const char	 url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789-_";
	const unsigned char	*s = (const unsigned char *)line;
	char			*tmp;
	size_t			 skip;
	int			 r = -1;

	if ((tmp = malloc(len * 3 + 1)) == NULL)
		return (-1);
	if (form_add(line, len, SECRET_MIN) == -1 ||
	    form_add_hex(tmp, s, len, "0123456789abcdef") == -1 ||
	    form_add_hex(tmp, s, len, "0123456789ABCDEF") == -1 ||
	    form_add_url(tmp, s, len, "0123456789abcdef") == -1 ||
	    form_add_url(tmp, s, len, "0123456789ABCDEF") == -1)
		goto done;
	/* Offsets 0, 1, 2 of the value in a group of three bytes. */
	for (skip = 0; skip <= 4; skip += 2)
		if (form_add_base64(tmp, s, len, skip, std) == -1 ||
		    form_add_base64(tmp, s, len, skip, url) == -1)
			goto done;
	r = 0;
done:
	explicit_bzero(tmp, len * 3 + 1);
	free(tmp);
	return (r);
}

int
log_redact_add(const char *secret)
{
	size_t	 n, added = 0;

	for (; *secret != '\0'; secret += n) {
		if ((n = strcspn(secret, "\r\n")) == 0) {
			n = 1;
			continue;
		}
		if (n < SECRET_MIN)
			continue;
		if (add_line(secret, n) == -1)
			return (-1);
		added++;
	}
	if (added == 0) {
		errno = EINVAL;
		return (-1);
	}
	return (0);
}

void
log_redact_clear(void)
{
	if (arena != NULL)
		explicit_bzero(arena, ARENA_SIZE);
	arena_used = 0;
	nforms = 0;
	memset(first, 0, sizeof(first));
}

/* Length of the longest known form at s, or 0. */
static size_t
match_known(const char *s, size_t len)
{
	const struct form	*f;
	size_t			 best = 0;

	for (f = first[(unsigned char)*s]; f != NULL; f = f->f_next)
		if (f->f_len <= len && f->f_len > best &&
		    memcmp(f->f_text, s, f->f_len) == 0)
			best = f->f_len;
	return (best);
}

static size_t
run_of(const char *s, size_t len, const char *extra)
{
	size_t	 n;

	for (n = 0; n < len; n++)
		if (!isalnum((unsigned char)s[n]) &&
		    (s[n] == '\0' || strchr(extra, s[n]) == NULL))
			break;
	return (n);
}

static size_t
match_shape(const char *s, size_t len)
{
	size_t	 i, h, n;

	for (i = 0; i < NSHAPES; i++) {
		h = strlen(shapes[i].s_head);
		if (len < h + shapes[i].s_min ||
		    memcmp(s, shapes[i].s_head, h) != 0)
			continue;
		n = run_of(s + h, len - h, shapes[i].s_extra);
		if (n >= shapes[i].s_min)
			return (h + n);
	}
	return (0);
}

/* Telegram: bot<digits>:<secret>, also without the word in front. */
static size_t
match_bot(const char *s, size_t len)
{
	size_t	 i = 0, d = 0, n;

	if (len > 3 && memcmp(s, "bot", 3) == 0)
		i = 3;
	while (i + d < len && isdigit((unsigned char)s[i + d]))
		d++;
	if (d < 6 || i + d >= len || s[i + d] != ':')
		return (0);
	n = run_of(s + i + d + 1, len - i - d - 1, "_-");
	return (n >= 30 ? i + d + 1 + n : 0);
}

/* The value of an Authorization header, when s is just behind its name. */
static size_t
match_header(const char *buf, size_t at, size_t len)
{
	static const char	 name[] = "authorization:";
	const size_t		 nl = sizeof(name) - 1;
	size_t			 n;

	if (at < nl || strncasecmp(buf + at - nl, name, nl) != 0)
		return (0);
	for (n = 0; at + n < len; n++)
		if (strchr("\r\n\"'", buf[at + n]) != NULL)
			break;
	return (n);
}

/* User and password of a URL, when s is just behind "://". */
static size_t
match_userinfo(const char *buf, size_t at, size_t len)
{
	size_t	 n;

	if (at < 3 || memcmp(buf + at - 3, "://", 3) != 0)
		return (0);
	for (n = 0; at + n < len && n < 512; n++) {
		if (buf[at + n] == '@')
			return (n);
		if (strchr("/?# \t\r\n\"'<>", buf[at + n]) != NULL)
			return (0);
	}
	return (0);
}

static size_t
match_at(const char *buf, size_t at, size_t len)
{
	const char	*s = buf + at;
	size_t		 left = len - at, best, n;
	int		 begins;

	best = match_known(s, left);
	begins = at == 0 || !isalnum((unsigned char)s[-1]);
	if (begins && *s != '\0' && strchr("sgpAx", *s) != NULL &&
	    (n = match_shape(s, left)) > best)
		best = n;
	if (begins && (*s == 'b' || isdigit((unsigned char)*s)) &&
	    (n = match_bot(s, left)) > best)
		best = n;
	if (at > 0 && s[-1] == '/' &&
	    (n = match_userinfo(buf, at, len)) > best)
		best = n;
	if (at > 0 && s[-1] == ':' && (n = match_header(buf, at, len)) > best)
		best = n;
	return (best);
}

static size_t
put_mark(char *dst, size_t matched)
{
	static const char	 mark[] = "[redacted]";

	if (matched >= sizeof(mark) - 1) {
		memcpy(dst, mark, sizeof(mark) - 1);
		return (sizeof(mark) - 1);
	}
	memset(dst, '*', matched);
	return (matched);
}

/*
 * Two passes: what a match covers is found on the untouched text, since the
 * text before a match (a header's name) decides too.
 */
size_t
redact(char *buf, size_t len)
{
	char	*copy = NULL;
	size_t	 i, o = 0, n;

	for (i = 0; i < len; i++)
		if ((n = match_at(buf, i, len)) > 0)
			break;
	if (i == len)
		return (len);
	if ((copy = malloc(len)) == NULL) {
		memset(buf + i, '*', len - i);	/* rather lost than shown */
		return (len);
	}
	memcpy(copy, buf, len);
	for (i = 0; i < len; i += n) {
		if ((n = match_at(copy, i, len)) > 0)
			o += put_mark(buf + o, n);
		else {
			buf[o++] = copy[i];
			n = 1;
		}
	}
	explicit_bzero(copy, len);
	free(copy);
	return (o);
}

size_t
redact_cut(char *buf, size_t len)
{
	size_t	 i, k, part = 0;

	len = redact(buf, len);
	for (i = 0; i < nforms; i++) {
		k = forms[i].f_len - 1;
		if (k > len)
			k = len;
		for (; k >= PART_MIN && k > part; k--)
			if (memcmp(buf + len - k, forms[i].f_text, k) == 0)
				part = k;
	}
	if (part > 0)
		len = len - part + put_mark(buf + len - part, part);
	return (len);
}

char *
redact_dup(const char *s)
{
	char	*p;

	if ((p = strdup(s)) != NULL)
		p[redact(p, strlen(p))] = '\0';
	return (p);
}
