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

#include <ctype.h>

#include "engine_fixture.h"
#include "engine_play.h"
#include "orchd/metrics.h"
#include "orchd/notice.h"

#define LINES_MAX	4000

static char *text;

static void
setup(void)
{
	fx_open("", "");
}

static void
teardown(void)
{
	free(text);
	text = NULL;
	fx_close();
}

static const char *
take(void)
{
	json_t *doc;

	fx_pump();
	ck_assert_int_eq(pass_enter(), 0);
	doc = metrics_document();
	ck_assert_int_eq(pass_leave(1), 0);
	ck_assert_ptr_nonnull(doc);
	free(text);
	text = strdup(json_string_value(json_object_get(doc, "text")));
	json_decref(doc);
	ck_assert_ptr_nonnull(text);
	return (text);
}

/* The value of a sample, by all that stands before it on its line; -1. */
static double
sample(const char *what)
{
	char key[256];
	const char *p;

	(void)snprintf(key, sizeof(key), "\n%s ", what);
	return ((p = strstr(text, key)) == NULL ? -1 :
	    strtod(p + strlen(key), NULL));
}

static size_t
name_len(const char *s)
{
	size_t n = 0;

	while (isalnum((unsigned char)s[n]) || s[n] == '_' || s[n] == ':')
		n++;
	return (isdigit((unsigned char)s[0]) ? 0 : n);
}

/* Past the labels of a sample; NULL when they are not as the format has it. */
static const char *
past_labels(const char *p)
{
	size_t n;

	if (*p != '{')
		return (p);
	do {
		if ((n = name_len(++p)) == 0 || p[n] != '=' || p[n + 1] != '"')
			return (NULL);
		for (p += n + 2; *p != '"'; p++)
			if (*p == '\0' || (*p == '\\' &&
			    strchr("\\\"n", *++p) == NULL))
				return (NULL);
	} while (*++p == ',');
	return (*p == '}' ? p + 1 : NULL);
}

/* One family at a time: HELP, TYPE, its samples, each with other labels. */
static void
check_format(void)
{
	static char *seen[LINES_MAX];
	char *copy = strdup(text), *line, *save = NULL, name[128] = "";
	const char *end;
	size_t n = 0, i, helps = 0;
	char *rest;

	ck_assert(text[0] != '\0' && text[strlen(text) - 1] == '\n');
	ck_assert_ptr_null(strstr(text, "\n\n"));
	for (line = strtok_r(copy, "\n", &save); line != NULL;
	    line = strtok_r(NULL, "\n", &save)) {
		if (strncmp(line, "# HELP ", 7) == 0) {
			(void)snprintf(name, sizeof(name), "%.*s",
			    (int)name_len(line + 7), line + 7);
			(void)snprintf(name + strlen(name), 2, " ");
			for (i = 0; i < helps; i++)
				ck_assert_str_ne(seen[LINES_MAX - 1 - i], name);
			seen[LINES_MAX - 1 - helps++] = strdup(name);
			name[strlen(name) - 1] = '\0';
			continue;
		}
		if (strncmp(line, "# TYPE ", 7) == 0) {
			ck_assert_int_eq(strncmp(line + 7, name,
			    strlen(name)), 0);
			end = line + 7 + strlen(name);
			ck_assert_str_eq(end, strlen(name) > 6 &&
			    strcmp(name + strlen(name) - 6, "_total") == 0 ?
			    " counter" : " gauge");
			continue;
		}
		ck_assert_msg(strncmp(line, "orchd_", 6) == 0 &&
		    name_len(line) == strlen(name) && strncmp(line, name,
		    strlen(name)) == 0, "%s: %s", name, line);
		end = past_labels(line + strlen(name));
		ck_assert_msg(end != NULL && *end == ' ', "%s", line);
		(void)strtod(end + 1, &rest);
		ck_assert_msg(rest != end + 1 && *rest == '\0', "%s", line);
		for (i = 0; i < n; i++)
			ck_assert_str_ne(seen[i], line);
		ck_assert_uint_lt(n + helps, LINES_MAX - 2);
		seen[n] = strdup(line);
		/* The same labels with another value are the same sample. */
		seen[n++][end - line] = '\0';
	}
	for (i = 0; i < n; i++)
		free(seen[i]);
	for (i = 0; i < helps; i++)
		free(seen[LINES_MAX - 1 - i]);
	free(copy);
}

START_TEST(an_empty_database_has_metrics_too)
{
	take();
	check_format();
	ck_assert_double_eq(sample("orchd_reaper_reaped_total"), 0);
	ck_assert_double_eq(sample("orchd_max_concurrency"), 1);
	ck_assert_double_gt(sample("orchd_database_size_bytes"), 4096);
	ck_assert_double_eq(sample("orchd_daemon_up{daemon=\"page\"}"), 0);
	ck_assert_double_eq(sample("orchd_start_time_seconds"),
	    (double)eng.e_started_at / 1000);
}
END_TEST

START_TEST(a_task_is_counted_where_it_is)
{
	int page = fx_connect(ROLE_PAGE);

	ck_assert_int_eq(fx_submit("tally", NULL), RES_OK);
	fx_sql("UPDATE run SET tokens_in = 7, tokens_out = 5, "
	    "cost_micros = 2500000");
	take();
	check_format();
	ck_assert_double_eq(sample("orchd_tasks{project=\"tally\","
	    "stage=\"analysis\"}"), 1);
	ck_assert_double_eq(sample("orchd_tasks{project=\"tally\","
	    "stage=\"done\"}"), 0);
	ck_assert_double_eq(sample("orchd_transitions_total{project=\"tally\","
	    "from=\"created\",to=\"analysis\"}"), 1);
	ck_assert_double_eq(sample("orchd_jobs{kind=\"agent\","
	    "status=\"running\"}"), 1);
	ck_assert_double_eq(sample("orchd_agent_tokens_total{project=\"tally\","
	    "role=\"analyst\",direction=\"in\"}"), 7);
	ck_assert_double_eq(sample("orchd_agent_tokens_total{project=\"tally\","
	    "role=\"analyst\",direction=\"out\"}"), 5);
	ck_assert_double_eq(sample("orchd_agent_cost_dollars_total{"
	    "project=\"tally\",role=\"analyst\"}"), 2.5);
	ck_assert_double_eq(sample("orchd_daemon_up{daemon=\"page\"}"), 1);
	close(page);
}
END_TEST

START_TEST(labels_are_escaped)
{
	ck_assert_int_eq(pass_enter(), 0);
	ck_assert_int_eq(alert_raise("a\"b\\c\nd", "x", "y"), STORE_OK);
	ck_assert_int_eq(alert_raise("\xff", "x", "y"), STORE_OK);
	ck_assert_int_eq(pass_leave(1), 0);
	take();
	check_format();
	ck_assert_double_eq(sample("orchd_alerts{alert=\"a\\\"b\\\\c\\nd\"}"),
	    1);
	ck_assert_double_eq(sample("orchd_alerts{alert=\"?\"}"), 1);
}
END_TEST

START_TEST(counters_survive_a_restart)
{
	struct orch_peer m = { ROLE_PAGE, 7, 1 };
	int sv[2];

	ck_assert_int_eq(fx_submit("tally", NULL), RES_OK);
	fx_sql("INSERT INTO counter VALUES ('reaped', 41)");
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	ck_assert_int_eq(chan_write_one(fx.parent, ORCH_peer, 0, &m, sv[0],
	    FX_WAIT), 0);
	fx_pump();
	take();
	ck_assert_double_eq(sample("orchd_daemon_connections_total{"
	    "daemon=\"page\"}"), 1);
	fx_reopen();
	take();
	check_format();
	ck_assert_double_eq(sample("orchd_reaper_reaped_total"), 41);
	ck_assert_double_eq(sample("orchd_daemon_connections_total{"
	    "daemon=\"page\"}"), 1);
	ck_assert_double_eq(sample("orchd_transitions_total{project=\"tally\","
	    "from=\"created\",to=\"analysis\"}"), 1);
}
END_TEST

/* Rows of a table in groups, and the totals that are kept beside it. */
static void
same(const char *name, const char *group)
{
	ck_assert_int_gt(fx_int("SELECT count(*) FROM (%s)", group), 0);
	ck_assert_msg(fx_int("SELECT count(*) FROM (%s EXCEPT SELECT a, b, c, "
	    "value FROM total WHERE name = '%s')", group, name) == 0,
	    "%s lacks some", name);
	ck_assert_msg(fx_int("SELECT count(*) FROM (SELECT a, b, c, value "
	    "FROM total WHERE name = '%s' AND value > 0 EXCEPT "
	    "SELECT * FROM (%s))", name, group) == 0, "%s has more", name);
}

START_TEST(totals_are_those_of_their_tables)
{
	fx_task_in("done");
	fx_sql("UPDATE run SET tokens_in = tokens_in + id, tokens_out = "
	    "tokens_out + 2 * id, cost_micros = cost_micros + 3 * id "
	    "WHERE kind = 'agent'");
	fx_sql("UPDATE job SET transient = transient + 2 WHERE id = 1");
	same("transition", "SELECT t.project, r.from_stage, r.to_stage, "
	    "count(*) FROM transition r JOIN task t ON t.id = r.task "
	    "GROUP BY 1, 2, 3");
	same("gate", "SELECT t.project, g.gate, g.verdict, count(*) "
	    "FROM gate_result g JOIN task t ON t.id = g.task "
	    "GROUP BY 1, 2, 3");
	same("job", "SELECT kind, status, '', count(*) FROM job "
	    "WHERE status NOT IN ('queued', 'running') GROUP BY 1, 2");
	same("run", "SELECT kind, role, status, count(*) FROM run "
	    "WHERE ended_at IS NOT NULL GROUP BY 1, 2, 3");
	same("tokens", "SELECT t.project, r.role, 'in', sum(r.tokens_in) "
	    "FROM run r JOIN task t ON t.id = r.task WHERE kind = 'agent' "
	    "GROUP BY 1, 2 UNION ALL SELECT t.project, r.role, 'out', "
	    "sum(r.tokens_out) FROM run r JOIN task t ON t.id = r.task "
	    "WHERE kind = 'agent' GROUP BY 1, 2");
	same("cost", "SELECT t.project, r.role, '', sum(r.cost_micros) "
	    "FROM run r JOIN task t ON t.id = r.task WHERE kind = 'agent' "
	    "GROUP BY 1, 2");
	fx_sql("UPDATE outbox SET state = 'done' WHERE id %% 2 = 0");
	same("delivered", "SELECT dest, '', '', count(*) FROM outbox "
	    "WHERE state = 'done' GROUP BY 1");
	ck_assert_int_eq(fx_int("SELECT value FROM total "
	    "WHERE name = 'transient'"), fx_int("SELECT sum(transient) "
	    "FROM job"));
	take();
	check_format();
}
END_TEST

/* Time passes for who waits, once, and stands still for who does not. */
START_TEST(waiting_time_is_split_by_its_reason)
{
	const char *person = "orchd_task_waited_seconds_total{"
	    "project=\"tally\",waits=\"person\"}";
	const char *slot = "orchd_task_waited_seconds_total{"
	    "project=\"tally\",waits=\"capacity\"}";
	double before;

	ck_assert_int_eq(fx_submit("tally", NULL), RES_OK);
	while (fx_task("DEMO-1", "asked_gate")[0] == '\0')
		ck_assert_int_eq(fx_step(), 1);
	take();
	before = sample(slot);
	ck_assert_double_eq(sample(person), 0);
	fx_tick(60000);
	take();
	ck_assert_double_eq(sample(person), 60);
	ck_assert_int_eq(fx_act("approve", "DEMO-1", ""), RES_OK);
	fx_tick(30000);
	take();
	check_format();
	ck_assert_double_eq(sample(person), 60);
	ck_assert_double_eq(sample(slot), before);
}
END_TEST

START_TEST(a_job_waits_for_its_slot)
{
	struct fx_spawn s, none;

	ck_assert_int_eq(fx_submit("tally", NULL), RES_OK);
	/* The other project finds the only slot of an agent taken. */
	ck_assert_int_eq(fx_submit("other", NULL), RES_OK);
	ck_assert_int_eq(fx_spawned(&s), 1);
	ck_assert_int_eq(fx_spawned(&none), 0);
	fx_sql("UPDATE job SET available_at = available_at - 20000 "
	    "WHERE status = 'queued'");
	take();
	ck_assert_double_eq(sample("orchd_jobs{kind=\"agent\","
	    "status=\"queued\"}"), 1);
	fx_play_spawn(&s);
	while (fx_task("OTH-1", "asked_gate")[0] == '\0')
		ck_assert_int_eq(fx_step(), 1);
	take();
	check_format();
	ck_assert_double_ge(sample("orchd_task_waited_seconds_total{"
	    "project=\"other\",waits=\"capacity\"}"), 20);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("orchd_metrics");
	TCase *tc = tcase_create("metrics");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, an_empty_database_has_metrics_too);
	tcase_add_test(tc, a_task_is_counted_where_it_is);
	tcase_add_test(tc, labels_are_escaped);
	tcase_add_test(tc, counters_survive_a_restart);
	tcase_add_test(tc, totals_are_those_of_their_tables);
	tcase_add_test(tc, waiting_time_is_split_by_its_reason);
	tcase_add_test(tc, a_job_waits_for_its_slot);
	suite_add_tcase(s, tc);
	fx_main_exit(s);
}
