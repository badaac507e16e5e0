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

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/stdlib.h>

#include "libcommon/artifact.h"
#include "libcommon/log.h"
#include "libcommon/monotime.h"

#include "finalizerd.h"

#define PROBE_TIMEOUT_MS	5000
#define SLICE_MS		100
#define SAMPLES_MIN		3	/* fewer prove nothing */
#define WRITE_TRIES		10

struct monitor {
	uint32_t	 mo_interval_s;
	uint32_t	 mo_window_s;
	double		 mo_ratio;
	uint32_t	 mo_planned;
	uint32_t	 mo_made;	/* with an answer, or none in time */
	uint32_t	 mo_failed;	/* of these */
	uint32_t	 mo_not_made;	/* our own side could not ask */
	char		 mo_last[200];	/* what the last bad one said */
};

/*
 * DEGRADED: more than fail_ratio of the probes made were bad.  INCONCLUSIVE:
 * too few could be made (fewer than three, or half of those planned).
 */
enum gate_verdict
monitor_judge(uint32_t planned, uint32_t made, uint32_t failed,
    double fail_ratio)
{
	uint32_t least = planned < SAMPLES_MIN ? planned : SAMPLES_MIN;

	if (made == 0 || made < least || made < planned - planned / 2)
		return (GATE_WAIT);
	if ((double)failed > fail_ratio * (double)made)
		return (GATE_FAIL);
	return (GATE_PASS);
}

static const char *
monitor_word(enum gate_verdict v)
{
	switch (v) {
	case GATE_PASS:
		return ("HEALTHY");
	case GATE_FAIL:
		return ("DEGRADED");
	case GATE_WAIT:
	case GATE_ERROR:
	case GATE_VERDICT_MAX:
		break;
	}
	return ("INCONCLUSIVE");
}

/* Wait until t, or return -1 when the engine asks for the end. */
static int
monitor_wait(struct worker *w, struct monotime t)
{
	while (monotime_cmp(monotime_now(), t) < 0) {
		if (link_stopped(w->w_link))
			return (-1);
		worker_pause(SLICE_MS);
	}
	return (0);
}

static void
monitor_probe(struct worker *w, struct monitor *mo)
{
	char why[200];
	long ms = PROBE_TIMEOUT_MS;

	if (mo->mo_interval_s * 1000L < ms)
		ms = mo->mo_interval_s * 1000L;
	switch (http_probe(w->w_spec->probe_url, ms, why, sizeof(why))) {
	case HTTP_GOOD:
		mo->mo_made++;
		return;
	case HTTP_BAD:
		mo->mo_made++;
		mo->mo_failed++;
		break;
	case HTTP_NOT_MADE:
		mo->mo_not_made++;
		break;
	}
	(void)snprintf(mo->mo_last, sizeof(mo->mo_last), "%s", why);
	log_info("task %s: probe: %s", w->w_go->task, why);
}

/* Probe for the window.  -1 when stopped. */
static int
monitor_watch(struct worker *w, struct monitor *mo)
{
	struct monotime next = monotime_now();
	uint32_t i;

	for (i = 0; i < mo->mo_planned; i++) {
		if (monitor_wait(w, next) == -1)
			return (-1);
		monitor_probe(w, mo);
		next = monotime_add_ms(next, mo->mo_interval_s * 1000LL);
	}
	return (0);
}

static void
monitor_reason(const struct monitor *mo, char *buf, size_t len)
{
	if (mo->mo_failed == 0 && mo->mo_not_made == 0)
		(void)snprintf(buf, len, "%" PRIu32 " of %" PRIu32
		    " probes ok", mo->mo_made, mo->mo_planned);
	else
		(void)snprintf(buf, len, "%" PRIu32 " of %" PRIu32
		    " probes ok, %" PRIu32 " bad, %" PRIu32
		    " could not be made; last: %s",
		    mo->mo_made - mo->mo_failed, mo->mo_planned,
		    mo->mo_failed, mo->mo_not_made, mo->mo_last);
}

/*
 * Commit 16.  The task is terminal and nobody holds its lease: the commit is
 * idempotent by its content and compares the branch.
 */
static void
monitor_write(struct worker *w, const char *text)
{
	char commit[GIT_OID_SIZE], err[256] = "";
	int i, r = 1;

	for (i = 0; i < WRITE_TRIES && r == 1; i++) {
		if (i > 0)
			worker_pause(SLICE_MS);
		r = records_write(w, "16-post-deploy-log.md", text, commit,
		    err, sizeof(err));
	}
	if (r != 0)
		log_warnx("task %s: 16-post-deploy-log.md was not committed: "
		    "%s", w->w_go->task, err);
}

static char *
monitor_text(struct worker *w, const struct monitor *mo,
    enum gate_verdict v, const char *reason)
{
	struct artifact_monitor am;
	char body[400];

	(void)snprintf(body, sizeof(body), "\n%s, every %" PRIu32 " s.\n",
	    reason, mo->mo_interval_s);
	memset(&am, 0, sizeof(am));
	am.am_item = w->w_go->task;
	am.am_commit = w->w_go->commit;
	am.am_status = monitor_word(v);
	am.am_action = v == GATE_PASS ? "NONE" : "ALERT_ONLY";
	am.am_window_s = mo->mo_window_s;
	am.am_checks_total = mo->mo_made;
	am.am_checks_failed = mo->mo_failed;
	am.am_body = body;
	return (artifact_format_post_deploy_log(&am));
}

static void
monitor_options(struct worker *w, struct monitor *mo)
{
	const char *ratio;
	char *end;

	memset(mo, 0, sizeof(*mo));
	mo->mo_interval_s = (uint32_t)worker_option_num(w, "interval_s", 1,
	    86400, 30);
	mo->mo_window_s = (uint32_t)worker_option_num(w, "window_s", 1,
	    604800, 900);
	mo->mo_planned = mo->mo_window_s / mo->mo_interval_s;
	if (mo->mo_planned == 0)
		mo->mo_planned = 1;
	ratio = worker_option(w, "fail_ratio", "0.2");
	mo->mo_ratio = strtod(ratio, &end);
	if (end == ratio || *end != '\0' || !(mo->mo_ratio >= 0 &&
	    mo->mo_ratio <= 1)) {
		log_warnx("fail_ratio \"%s\" is not in 0 to 1: 0.2 is used",
		    ratio);
		mo->mo_ratio = 0.2;
	}
}

/* probe what was deployed; PASS healthy, FAIL degraded, WAIT neither. */
enum step
monitor_run(struct worker *w)
{
	struct monitor mo;
	enum gate_verdict v;
	char reason[300];
	enum step r;

	monitor_options(w, &mo);
	if (w->w_spec->probe_url[0] == '\0')
		return (worker_end(w, GATE_WAIT, CAUSE_NONE, "",
		    "INCONCLUSIVE: post_deploy_base_url is empty, so nothing "
		    "was probed"));
	if (monitor_watch(w, &mo) == -1)
		return (worker_end(w, GATE_ERROR, CAUSE_STOPPED, "",
		    "stopped: %s", link_reason(w->w_link)));
	v = monitor_judge(mo.mo_planned, mo.mo_made, mo.mo_failed,
	    mo.mo_ratio);
	monitor_reason(&mo, reason, sizeof(reason));
	r = worker_end(w, v, v == GATE_FAIL ? CAUSE_RED : CAUSE_NONE, "",
	    "%s: %s", monitor_word(v), reason);
	if ((w->w_out.o_text = monitor_text(w, &mo, v, reason)) != NULL)
		monitor_write(w, w->w_out.o_text);
	return (r);
}
