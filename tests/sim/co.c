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

#include <sys/mman.h>

#include <stdlib.h>
#include <ucontext.h>

#include "sim.h"

/*
 * Coroutines: a program runs on a stack of its own until it waits.  One that
 * is freed never runs again, as if it was killed.  Stacks are used again.
 */

#ifdef __SANITIZE_ADDRESS__
#define STACK	(1024 * 1024)
#else
#define STACK	(256 * 1024)
#endif

struct co {
	struct co	*co_next;	/* of the unused */
	ucontext_t	 co_ctx;
	void		*co_stack;
	void		(*co_fn)(void *);
	void		*co_arg;
	int		 co_ended;
};

static struct co *unused, *running;
static ucontext_t back;

static void
co_main(void)
{
	running->co_fn(running->co_arg);
	running->co_ended = 1;
	(void)swapcontext(&running->co_ctx, &back);
}

static struct co *
co_get(void)
{
	struct co *co = unused;

	if (co != NULL)
		unused = co->co_next;
	else if ((co = calloc(1, sizeof(*co))) == NULL ||
	    (co->co_stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)) ==
	    MAP_FAILED)
		abort();
	return (co);
}

/* getcontext counts as a function that returns twice: no locals beside it. */
static void
co_context(struct co *co)
{
	if (getcontext(&co->co_ctx) == -1)
		abort();
	co->co_ctx.uc_stack.ss_sp = co->co_stack;
	co->co_ctx.uc_stack.ss_size = STACK;
	co->co_ctx.uc_link = NULL;
	makecontext(&co->co_ctx, co_main, 0);
}

struct co *
co_new(void (*fn)(void *), void *arg)
{
	struct co *co = co_get();

	co->co_fn = fn;
	co->co_arg = arg;
	co->co_ended = 0;
	co_context(co);
	return (co);
}

int
co_run(struct co *co)
{
	running = co;
	if (swapcontext(&back, &co->co_ctx) == -1)
		abort();
	running = NULL;
	return (co->co_ended);
}

void
co_yield(void)
{
	struct co *co = running;

	if (swapcontext(&co->co_ctx, &back) == -1)
		abort();
}

void
co_free(struct co *co)
{
	co->co_next = unused;
	unused = co;
}
