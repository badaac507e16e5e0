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

#ifndef TESTS_ENGINE_OWNER_H
#define TESTS_ENGINE_OWNER_H

/* More players of engine_play.h: owners of leases, and who comes in between. */

#include "orchd/lease.h"

#include "engine_play.h"

/*
 * A second transition run of the task, as after an operator's mistake or a
 * fault: the index on jobs allows none, so it is put there by hand.
 */
static inline void
fx_second_worker(struct fx_spawn *s, int *sock, struct fx_msg *go)
{
	struct job j;
	struct task t;

	fx_sql("DROP INDEX job_one_transition");
	fx_sql("INSERT INTO job (task, project, kind, work, status, "
	    "available_at, created_at, stage_seq) SELECT id, project, "
	    "'transition', 'publish', 'running', 1, 1, stage_seq FROM task");
	ck_assert_int_eq(pass_enter(), 0);
	ck_assert_int_eq(job_get(fx_int("SELECT max(id) FROM job"), &j),
	    STORE_OK);
	ck_assert_int_eq(task_get(1, &t), STORE_OK);
	ck_assert_int_eq(run_start(&j, &t), 0);
	(void)pass_leave(1);
	pass_commit();
	ck_assert_int_eq(fx_spawned(s), 1);
	*sock = fx_connect_run(s, go);
}

/* The owner becomes virtual process 1, in this state of life. */
static inline void
fx_owner_is(uint64_t run, enum fx_life life)
{
	char ident[IDENT_TEXT_MAX];

	fx.life[1] = FX_ALIVE;
	fx_ident(1, ident);
	fx.life[1] = life;
	fx_sql("UPDATE run SET ident = '%s' WHERE id = %llu", ident,
	    (unsigned long long)run);
}

/* What the reaper says of a run; the engine's answer, its text in fx_said. */
static inline enum orch_result
fx_reaper_says(int reaper, uint64_t run, unsigned int tier)
{
	struct orch_dead d = { .run = run, .verdict = IDENT_ALIVE,
	    .tier = (uint8_t)tier, .evidence = "test" };
	enum orch_result res;
	struct fx_msg m;

	d.ident = fx_str("SELECT ident FROM run WHERE id = %llu",
	    (unsigned long long)run);
	fx_ask(reaper, ORCH_dead, &d, -1, &m);
	res = m.any.ack.result;
	strlcpy(fx_said, m.any.ack.text, sizeof(fx_said));
	fx_free(&m);
	return (res);
}

/* The next message of the engine to this one is a request to end. */
static inline int
fx_told_to_stop(int sock)
{
	struct fx_msg m;
	int stop;

	if (!fx_read(sock, &m))
		return (0);
	stop = m.h.h_type == ORCH_run_stop;
	fx_free(&m);
	ck_assert(stop);
	return (1);
}

/* The parent is asked to kill this run's process; nothing else is asked. */
static inline int
fx_told_to_kill(uint64_t run)
{
	struct fx_msg m;

	if (!fx_read(fx.parent, &m))
		return (0);
	ck_assert_uint_eq(m.h.h_type, ORCH_kill);
	ck_assert_uint_eq(m.any.kill.run, run);
	ck_assert_int_eq(m.any.kill.sig, 9);
	ck_assert_str_eq(m.any.kill.ident, fx_str("SELECT ident FROM run "
	    "WHERE id = %llu", (unsigned long long)run));
	fx_free(&m);
	return (1);
}

/* Its process has ended, and the engine sees the connection end. */
static inline void
fx_dies(uint64_t run, int sock)
{
	fx_owner_is(run, FX_GONE);
	fx_leave(sock);
	fx_tick(0);
}

#endif
