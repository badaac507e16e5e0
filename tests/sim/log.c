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

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/log.h"
#include "libcommon/redact.h"
#include "sim.h"
#include "lane.h"

/*
 * The trace of a seed, and the log of every program in it.  Nothing is
 * formatted unless somebody reads it: a failing seed is run again for that.
 */

#define KEEP	60
#define WIDTH	240

int trace_on;
static int live;
static char lines[KEEP][WIDTH];
static unsigned int nlines;
static uint64_t hash;

void
trace_reset(int to_stdout)
{
	live = to_stdout;
	nlines = 0;
	hash = 0xcbf29ce484222325;
}

uint64_t
trace_hash(void)
{
	return (hash);
}

void
trace_mix(uint64_t a, uint64_t b)
{
	hash = (hash ^ a) * 0x100000001b3;
	hash = (hash ^ hash >> 29 ^ b) * 0xbf58476d1ce4e5b9;
}

static void __attribute__((format(printf, 2, 0)))
add(const char *who, const char *fmt, va_list ap)
{
	char *line = lines[nlines++ % KEEP];
	int k;

	k = snprintf(line, WIDTH, "%6u %9.3f %s", w.step,
	    (double)(w.now - 1700000000000) / 1000, who);
	if (k > 0 && k < WIDTH)
		(void)vsnprintf(line + k, (size_t)(WIDTH - k), fmt, ap);
	if (live)
		puts(line);
}

void
trace_line(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add("", fmt, ap);
	va_end(ap);
}

void
trace_tail(FILE *fp)
{
	unsigned int i = nlines > KEEP ? nlines - KEEP : 0;

	for (; i < nlines; i++)
		fprintf(fp, "    %s\n", lines[i % KEEP]);
}

void
broken(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(lane.why, sizeof(lane.why), fmt, ap);
	va_end(ap);
	TRACE("BROKEN: %s", lane.why);
	longjmp(lane.failed, 1);
}

/* libcommon/log.h */

static const char *
speaker(void)
{
	static char buf[32];
	static const char *const names[] = { "engine: ", "reaperd: ",
	    "reconciled: ", "finalizerd: " };

	if (w.cur == NULL)
		return (names[owner]);
	(void)snprintf(buf, sizeof(buf), "run %llu [%d]: ",
	    (unsigned long long)w.cur->p_run, (int)w.cur->p_pid);
	return (buf);
}

#define LOG(name)							\
void									\
name(const char *fmt, ...)						\
{									\
	va_list ap;							\
									\
	if (!trace_on)							\
		return;							\
	va_start(ap, fmt);						\
	add(speaker(), fmt, ap);					\
	va_end(ap);							\
}
LOG(log_warn)
LOG(log_warnx)
LOG(log_info)
LOG(log_debug)

void
log_init(const char *name, int debug)
{
}

void
log_setprocname(const char *name)
{
}

/* A program that gives up on its own: none of this world's troubles may. */
#define FATAL(name)							\
void									\
name(const char *fmt, ...)						\
{									\
	va_list ap;							\
	char text[512];							\
									\
	va_start(ap, fmt);						\
	(void)vsnprintf(text, sizeof(text), fmt, ap);			\
	va_end(ap);							\
	broken("fatal: %s", text);					\
}
FATAL(fatal)
FATAL(fatalx)
