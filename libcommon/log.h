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

#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include <stdarg.h>
#include <stddef.h>

/*
 * Records go to stderr, one write(2) a record, one line a record.  Text from
 * outside cannot forge a line or reach a terminal: every record is redacted
 * and escaped.  Without a journal (JOURNAL_STREAM unset) a record starts with
 * an RFC 3339 time in UTC; under one it starts with the priority "<N>".
 */

/*
 * Names the process in its records and, with debug not 0, turns log_debug on.
 * The name is copied.  Works without a call too (name "orchd", no debug).
 */
void	log_init(const char *procname, int debug);

/* Changes the name only, e.g. to "runner 12"; it is copied, 31 bytes count. */
void	log_setprocname(const char *procname);

/* A warning, ": " and strerror(errno) appended.  Keeps errno. */
void	log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A warning as it is.  Keeps errno. */
void	log_warnx(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Something worth knowing.  Keeps errno. */
void	log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Shown only after log_init(name, 1).  Keeps errno. */
void	log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* "fatal: ...: strerror(errno)", then exit(1).  Not for bytes from outside. */
void	fatal(const char *fmt, ...)
	    __attribute__((noreturn, format(printf, 1, 2)));

/* "fatal: ...", then exit(1).  Not for bytes from outside. */
void	fatalx(const char *fmt, ...)
	    __attribute__((noreturn, format(printf, 1, 2)));

#endif
