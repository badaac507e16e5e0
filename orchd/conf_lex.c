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

#include <sys/stat.h>

#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf_lex.h"

#define FILE_MAX	(1024 * 1024)
#define DEPTH_MAX	8
#define FILES_MAX	64
#define TEXT_MAX	8192

struct source {
	char		*so_data;
	size_t		 so_len;
	size_t		 so_pos;
	unsigned int	 so_line;
	const char	*so_name;
	dev_t		 so_dev;
	ino_t		 so_ino;
};

struct macro {
	char		*ma_name;
	char		*ma_value;
	struct macro	*ma_next;
};

struct lexer {
	struct source	 lx_src[DEPTH_MAX];
	size_t		 lx_depth;
	struct macro	*lx_macros;
	struct strlist	*lx_files;
	lex_fault_fn	 lx_fault;
	void		*lx_arg;
	struct conf_loc	 lx_last;	/* for what comes after the end */
};

struct lexer *
lex_new(struct strlist *files, lex_fault_fn fn, void *arg)
{
	struct lexer	*lx;

	if ((lx = calloc(1, sizeof(*lx))) == NULL)
		errx(1, "out of memory");
	lx->lx_files = files;
	lx->lx_fault = fn;
	lx->lx_arg = arg;
	return (lx);
}

void
lex_free(struct lexer *lx)
{
	struct macro	*m;

	if (lx == NULL)
		return;
	while (lx->lx_depth > 0)
		free(lx->lx_src[--lx->lx_depth].so_data);
	while ((m = lx->lx_macros) != NULL) {
		lx->lx_macros = m->ma_next;
		free(m->ma_name);
		free(m->ma_value);
		free(m);
	}
	free(lx);
}

static void fault(struct lexer *, const char *, ...)
    __attribute__((format(printf, 2, 3)));

static void
fault(struct lexer *lx, const char *fmt, ...)
{
	char	 buf[512];
	va_list	 ap;

	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	lx->lx_fault(lx->lx_arg, &lx->lx_last, buf);
}

/* What is wrong with a file as a configuration; 0 when nothing is. */
static int
check_kind(const struct stat *sb, int secure, char *err, size_t errlen)
{
	/* A person's umask may let the person's own group write. */
	mode_t	 bad = geteuid() == 0 ? S_IWGRP | S_IWOTH : S_IWOTH;

	if (S_ISDIR(sb->st_mode))
		snprintf(err, errlen, "is a directory");
	else if (!S_ISREG(sb->st_mode))
		snprintf(err, errlen, "is not a regular file");
	else if (sb->st_size > FILE_MAX)
		snprintf(err, errlen, "is larger than 1 MiB");
	else if (secure && (sb->st_mode & bad) != 0)
		snprintf(err, errlen, "can be written by others "
		    "(mode %04o): chmod go-w", sb->st_mode & 07777);
	else if (secure && sb->st_uid != 0 && sb->st_uid != geteuid())
		snprintf(err, errlen, "belongs to somebody else (user %u)",
		    (unsigned int)sb->st_uid);
	else
		return (0);
	return (-1);
}

static int
read_all(int fd, char *buf, size_t size, size_t *len)
{
	ssize_t	 n;

	*len = 0;
	while (*len < size) {
		n = pread(fd, buf + *len, size - *len, (off_t)*len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return (-1);
		if (n == 0)
			break;
		*len += (size_t)n;
	}
	return (0);
}

/* Read the bytes of a checked file into a new source. */
static int
load(int fd, struct source *so, char *err, size_t errlen)
{
	if ((so->so_data = malloc(FILE_MAX + 1)) == NULL)
		errx(1, "out of memory");
	if (read_all(fd, so->so_data, FILE_MAX + 1, &so->so_len) == -1) {
		snprintf(err, errlen, "%s", strerror(errno));
		goto bad;
	}
	if (so->so_len > FILE_MAX) {
		snprintf(err, errlen, "is larger than 1 MiB");
		goto bad;
	}
	if (memchr(so->so_data, '\0', so->so_len) != NULL) {
		snprintf(err, errlen, "has a NUL byte, it is not text");
		goto bad;
	}
	return (0);
bad:
	free(so->so_data);
	so->so_data = NULL;
	return (-1);
}

static int
is_open_already(const struct lexer *lx, const struct stat *sb)
{
	size_t	 i;

	for (i = 0; i < lx->lx_depth; i++)
		if (lx->lx_src[i].so_dev == sb->st_dev &&
		    lx->lx_src[i].so_ino == sb->st_ino)
			return (1);
	return (0);
}

int
lex_push_fd(struct lexer *lx, int fd, const char *name, int secure, char *err,
    size_t errlen)
{
	struct source	*so = &lx->lx_src[lx->lx_depth];
	struct stat	 sb;

	if (lx->lx_depth == DEPTH_MAX || lx->lx_files->sl_n >= FILES_MAX) {
		snprintf(err, errlen, "is one include too many (%d deep, %d "
		    "in all)", DEPTH_MAX, FILES_MAX);
		return (-1);
	}
	if (fstat(fd, &sb) == -1) {
		snprintf(err, errlen, "%s", strerror(errno));
		return (-1);
	}
	if (check_kind(&sb, secure, err, errlen) == -1)
		return (-1);
	if (is_open_already(lx, &sb)) {
		snprintf(err, errlen, "includes itself");
		return (-1);
	}
	memset(so, 0, sizeof(*so));
	if (load(fd, so, err, errlen) == -1)
		return (-1);
	strlist_add(lx->lx_files, name);
	so->so_name = lx->lx_files->sl_v[lx->lx_files->sl_n - 1];
	so->so_line = 1;
	so->so_dev = sb.st_dev;
	so->so_ino = sb.st_ino;
	lx->lx_depth++;
	return (0);
}

int
lex_push_file(struct lexer *lx, const char *path, int secure, char *err,
    size_t errlen)
{
	int	 fd, rv;

	/* Not blocking: a fifo must not hold us up. */
	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) == -1) {
		snprintf(err, errlen, "%s", strerror(errno));
		return (-1);
	}
	rv = lex_push_fd(lx, fd, path, secure, err, errlen);
	close(fd);
	return (rv);
}

void
lex_macro_set(struct lexer *lx, const char *name, const char *value)
{
	struct macro	*m;

	for (m = lx->lx_macros; m != NULL; m = m->ma_next)
		if (strcmp(m->ma_name, name) == 0)
			break;
	if (m == NULL) {
		if ((m = calloc(1, sizeof(*m))) == NULL ||
		    (m->ma_name = strdup(name)) == NULL)
			errx(1, "out of memory");
		m->ma_next = lx->lx_macros;
		lx->lx_macros = m;
	}
	free(m->ma_value);
	if ((m->ma_value = strdup(value)) == NULL)
		errx(1, "out of memory");
}

static int
peek(const struct source *so)
{
	if (so->so_pos >= so->so_len)
		return (EOF);
	return ((unsigned char)so->so_data[so->so_pos]);
}

static int
is_word(int c)
{
	return (c != EOF && c != '\0' && (isalnum(c) || c >= 0x80 ||
	    strchr("-_./:@%+*~,[]?&!^", c) != NULL));
}

/* Skip blanks, comments and continued lines. */
static void
skip_blank(struct source *so)
{
	int	 c;

	for (;;) {
		c = peek(so);
		if (c == '\\' && so->so_pos + 1 < so->so_len &&
		    so->so_data[so->so_pos + 1] == '\n') {
			so->so_pos += 2;
			so->so_line++;
		} else if (c == ' ' || c == '\t' || c == '\r')
			so->so_pos++;
		else if (c == '#') {
			while ((c = peek(so)) != EOF && c != '\n')
				so->so_pos++;
		} else
			return;
	}
}

static char *
copy_text(const char *s, size_t len)
{
	char	*p;

	if ((p = strndup(s, len)) == NULL)
		errx(1, "out of memory");
	return (p);
}

static char *
read_word(struct lexer *lx, struct source *so)
{
	size_t	 start = so->so_pos;

	while (is_word(peek(so)))
		so->so_pos++;
	if (so->so_pos - start > TEXT_MAX) {
		fault(lx, "a word is longer than %d bytes", TEXT_MAX);
		return (copy_text("", 0));
	}
	return (copy_text(so->so_data + start, so->so_pos - start));
}

/* One character of a quoted string, or EOF at its end. */
static int
quoted_char(struct lexer *lx, struct source *so)
{
	int	 c, next;

	c = peek(so);
	if (c == EOF || c == '\n') {
		fault(lx, "a string is not closed on its line");
		return (EOF);
	}
	so->so_pos++;
	if (c == '"')
		return (EOF);
	if (c == '\\') {
		next = peek(so);
		if (next == '"' || next == '\\' || next == 'n') {
			so->so_pos++;
			return (next == 'n' ? '\n' : next);
		}
	}
	if ((c < 0x20 && c != '\t') || c == 0x7f)
		fault(lx, "a string holds the control character 0x%02x", c);
	return (c);
}

static char *
read_quoted(struct lexer *lx, struct source *so)
{
	char	 buf[TEXT_MAX];
	size_t	 n = 0;
	int	 c;

	so->so_pos++;
	while ((c = quoted_char(lx, so)) != EOF) {
		if (n == sizeof(buf)) {
			fault(lx, "a string is longer than %d bytes",
			    TEXT_MAX);
			n = 0;
		}
		buf[n++] = (char)c;
	}
	return (copy_text(buf, n));
}

static char *
read_macro(struct lexer *lx, struct source *so)
{
	struct macro	*m;
	char		*name, *value = NULL;
	size_t		 start;

	start = ++so->so_pos;
	while (isalnum(peek(so)) || peek(so) == '_')
		so->so_pos++;
	name = copy_text(so->so_data + start, so->so_pos - start);
	for (m = lx->lx_macros; m != NULL; m = m->ma_next)
		if (strcmp(m->ma_name, name) == 0)
			value = copy_text(m->ma_value, strlen(m->ma_value));
	if (value == NULL) {
		fault(lx, "macro $%s is not defined above", name);
		value = copy_text("", 0);
	}
	free(name);
	return (value);
}

static int
equals_follows(const struct source *so)
{
	size_t	 i = so->so_pos;

	while (i < so->so_len && (so->so_data[i] == ' ' ||
	    so->so_data[i] == '\t'))
		i++;
	return (i < so->so_len && so->so_data[i] == '=');
}

static enum lex_kind
single(struct source *so, int c)
{
	so->so_pos++;
	switch (c) {
	case '\n':
		so->so_line++;
		return (LEX_NEWLINE);
	case ';':
		return (LEX_NEWLINE);
	case '{':
		return (LEX_OPEN);
	case '}':
		return (LEX_CLOSE);
	case '=':
		return (LEX_EQUALS);
	}
	return (LEX_END);
}

static int
lex_token(struct lexer *lx, struct source *so, struct lex_token *t)
{
	int	 c = peek(so);

	if (is_word(c)) {
		t->lt_text = read_word(lx, so);
		t->lt_kind = equals_follows(so) ? LEX_MACRO : LEX_WORD;
	} else if (c == '"') {
		t->lt_kind = LEX_QSTRING;
		t->lt_text = read_quoted(lx, so);
	} else if (c == '$') {
		t->lt_kind = LEX_QSTRING;
		t->lt_text = read_macro(lx, so);
	} else if (strchr("\n;{}=", c) != NULL)
		t->lt_kind = single(so, c);
	else {
		if (isprint(c))
			fault(lx, "character '%c' is not expected here", c);
		else
			fault(lx, "byte 0x%02x is not expected here", c);
		so->so_pos++;
		return (0);
	}
	return (1);
}

void
lex_next(struct lexer *lx, struct lex_token *t)
{
	struct source	*so;

	t->lt_text = NULL;
	while (lx->lx_depth > 0) {
		so = &lx->lx_src[lx->lx_depth - 1];
		skip_blank(so);
		lx->lx_last.cl_file = so->so_name;
		lx->lx_last.cl_line = so->so_line;
		t->lt_loc = lx->lx_last;
		if (peek(so) == EOF) {
			/* The last line may lack its end. */
			free(so->so_data);
			lx->lx_depth--;
			t->lt_kind = LEX_NEWLINE;
			return;
		}
		if (lex_token(lx, so, t))
			return;
	}
	t->lt_kind = LEX_END;
	t->lt_loc = lx->lx_last;
}
