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
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bsd/string.h>

#include "esc.h"
#include "log.h"
#include "redact.h"

#define RECORD_MAX	4096	/* of the message, before escapes */

/* Priorities of syslog(3), which a journal reads from "<N>". */
enum log_level {
	LEVEL_FATAL	= 2,
	LEVEL_WARN	= 4,
	LEVEL_INFO	= 6,
	LEVEL_DEBUG	= 7
};

static char	log_name[32] = "orchd";
static int	log_verbose;

void
log_setprocname(const char *procname)
{
	(void)strlcpy(log_name, procname, sizeof(log_name));
}

void
log_init(const char *procname, int debug)
{
	log_setprocname(procname);
	log_verbose = debug;
}

/* The record's head; a journal knows time, name and pid by itself. */
static size_t
log_head(char *buf, size_t len, enum log_level level)
{
	struct timespec	 ts;
	struct tm	 tm;
	char		 when[32] = "";
	int		 n;

	if (getenv("JOURNAL_STREAM") != NULL)
		n = snprintf(buf, len, "<%d>", (int)level);
	else {
		(void)clock_gettime(CLOCK_REALTIME, &ts);
		if (gmtime_r(&ts.tv_sec, &tm) != NULL)
			(void)strftime(when, sizeof(when),
			    "%Y-%m-%dT%H:%M:%S", &tm);
		n = snprintf(buf, len, "%s.%03ldZ %s[%ld]: ", when,
		    ts.tv_nsec / 1000000, log_name, (long)getpid());
	}
	if (n < 0 || (size_t)n >= len)
		return (0);
	return ((size_t)n);
}

static void
log_write(const char *buf, size_t len)
{
	ssize_t	 n;

	while (len > 0) {
		n = write(STDERR_FILENO, buf, len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return;		/* nowhere left to say it */
		buf += n;
		len -= (size_t)n;
	}
}

static void __attribute__((format(printf, 3, 0)))
log_record(enum log_level level, int code, const char *fmt, va_list ap)
{
	char	 msg[RECORD_MAX], rec[RECORD_MAX * 2];
	size_t	 head, len, outlen;
	int	 n;

	len = strlcpy(msg, level == LEVEL_FATAL ? "fatal: " : "", sizeof(msg));
	n = vsnprintf(msg + len, sizeof(msg) - len, fmt, ap);
	if (n < 0)
		(void)strlcpy(msg, "(a log record could not be formatted)",
		    sizeof(msg));
	len = strlen(msg);
	if (code != 0) {
		(void)strlcat(msg, ": ", sizeof(msg));
		(void)strlcat(msg, strerror(code), sizeof(msg));
		len = strlen(msg);
	}
	if (len == sizeof(msg) - 1)
		len = redact_cut(msg, len);
	else
		len = redact(msg, len);
	head = log_head(rec, sizeof(rec), level);
	(void)esc_mem(rec + head, sizeof(rec) - head - 1, msg, len,
	    ESC_KEEP_TAB, &outlen);
	rec[head + outlen] = '\n';
	log_write(rec, head + outlen + 1);
}

void
log_warn(const char *fmt, ...)
{
	va_list	 ap;
	int	 saved = errno;

	va_start(ap, fmt);
	log_record(LEVEL_WARN, saved, fmt, ap);
	va_end(ap);
	errno = saved;
}

void
log_warnx(const char *fmt, ...)
{
	va_list	 ap;
	int	 saved = errno;

	va_start(ap, fmt);
	log_record(LEVEL_WARN, 0, fmt, ap);
	va_end(ap);
	errno = saved;
}

void
log_info(const char *fmt, ...)
{
	va_list	 ap;
	int	 saved = errno;

	va_start(ap, fmt);
	log_record(LEVEL_INFO, 0, fmt, ap);
	va_end(ap);
	errno = saved;
}

void
log_debug(const char *fmt, ...)
{
	va_list	 ap;
	int	 saved = errno;

	if (!log_verbose)
		return;
	va_start(ap, fmt);
	log_record(LEVEL_DEBUG, 0, fmt, ap);
	va_end(ap);
	errno = saved;
}

void
fatal(const char *fmt, ...)
{
	va_list	 ap;
	int	 saved = errno;

	va_start(ap, fmt);
	log_record(LEVEL_FATAL, saved, fmt, ap);
	va_end(ap);
	exit(1);
}

void
fatalx(const char *fmt, ...)
{
	va_list	 ap;

	va_start(ap, fmt);
	log_record(LEVEL_FATAL, 0, fmt, ap);
	va_end(ap);
	exit(1);
}
