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

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <bsd/string.h>

#include "libcommon/artifact.h"
#include "libcommon/sha256.h"

#include "finalizerd.h"

#define RECORD_MAX	65536

struct records_effect {
	const char	*rx_name;
	const char	*rx_text;
};

static const char *
records_branch(const struct worker *w)
{
	return (w->w_spec->records[0] != '\0' ? w->w_spec->records :
	    "orchd/records");
}

/* Does the records branch hold this text?  1, 0, or -1 with err. */
static int
records_hold(struct worker *w, const char *head, const char *path,
    const char *text, char *err, size_t errlen)
{
	char *buf;
	size_t len;
	int same;

	switch (git_show_file(&w->w_repo, head, path, RECORD_MAX, &buf, &len,
	    err, errlen)) {
	case GIT_OK:
		same = len == strlen(text) && memcmp(buf, text, len) == 0;
		free(buf);
		return (same);
	case GIT_NOTFOUND:
	case GIT_REFUSED:	/* longer, or not a file: it is replaced */
		return (0);
	case GIT_STALE:
	case GIT_CONFLICT:
	case GIT_ERR:
		break;
	}
	return (-1);
}

/* The branch's head, "" when there is none yet; -1 with err. */
static int
records_head(struct worker *w, char head[GIT_OID_SIZE], char *err,
    size_t errlen)
{
	switch (w->w_forge->f_head(w, records_branch(w), head, err, errlen)) {
	case FORGE_OK:
		return (0);
	case FORGE_NOTFOUND:
		head[0] = '\0';
		return (0);
	case FORGE_STALE:
	case FORGE_RED:
	case FORGE_CONFLICT:
	case FORGE_BLOCKED:
	case FORGE_STOPPED:
	case FORGE_UNKNOWN:
		break;
	}
	return (-1);
}

int
records_write(struct worker *w, const char *name, const char *text,
    char commit[GIT_OID_SIZE], char *err, size_t errlen)
{
	struct git_who who = { "orchd", "orchd@localhost", time(NULL) };
	struct git_file file = { .gf_data = text, .gf_len = strlen(text) };
	char path[1024], msg[256], head[GIT_OID_SIZE];

	if (artifact_path(path, sizeof(path), w->w_go->task, name) == -1) {
		(void)snprintf(err, errlen, "no path for %s", name);
		return (-1);
	}
	if (strcmp(records_branch(w), w->w_go->target) == 0) {
		(void)snprintf(err, errlen, "records-branch is the target: "
		    "records never go there");
		return (-1);
	}
	if (records_head(w, head, err, errlen) == -1)
		return (-1);
	(void)strlcpy(commit, head, GIT_OID_SIZE);
	if (head[0] != '\0') {
		switch (records_hold(w, head, path, text, err, errlen)) {
		case 1:
			return (0);
		case -1:
			return (-1);
		}
	}
	file.gf_path = path;
	(void)snprintf(msg, sizeof(msg), "%s: record %s\n", w->w_go->task,
	    name);
	if (git_write_files_commit(&w->w_repo, head[0] == '\0' ? NULL : head,
	    &file, 1, msg, &who, commit, err, errlen) != GIT_OK)
		return (-1);
	switch (w->w_forge->f_push(w, records_branch(w), commit, head, err,
	    errlen)) {
	case FORGE_OK:
		return (0);
	case FORGE_STALE:
		return (1);
	case FORGE_NOTFOUND:
	case FORGE_RED:
	case FORGE_CONFLICT:
	case FORGE_BLOCKED:
	case FORGE_STOPPED:
	case FORGE_UNKNOWN:
		break;
	}
	return (-1);
}

static enum probe
records_probe(struct worker *w, void *arg, char *ev, size_t evlen)
{
	const struct records_effect *rx = arg;
	char path[1024], head[GIT_OID_SIZE];

	if (artifact_path(path, sizeof(path), w->w_go->task, rx->rx_name) ==
	    -1 || records_head(w, head, ev, evlen) == -1)
		return (PROBE_UNKNOWN);
	if (head[0] == '\0')
		return (PROBE_TODO);
	switch (records_hold(w, head, path, rx->rx_text, ev, evlen)) {
	case 0:
		return (PROBE_TODO);
	case 1:
		(void)snprintf(ev, evlen, "%s at %.40s has %s",
		    records_branch(w), head, path);
		return (PROBE_DONE);
	default:
		return (PROBE_UNKNOWN);
	}
}

/* A branch that moved is tried again by effect_do. */
static int
records_apply(struct worker *w, void *arg, char *ev, size_t evlen)
{
	const struct records_effect *rx = arg;
	char commit[GIT_OID_SIZE];

	(void)records_write(w, rx->rx_name, rx->rx_text, commit, ev, evlen);
	return (0);
}

const struct effect_driver effect_records = {
	"records", CLASS_CAS, records_probe, records_apply, NULL
};

enum step
records_effect(struct worker *w, const char *name, const char *number,
    const char *text)
{
	struct records_effect rx = { name, text };
	char key[256], hash[SHA256_HEX_SIZE];
	enum step r;

	if ((r = wire_record(w, name, text)) != STEP_NEXT)
		return (r);
	/* What was measured again is another text, and another effect. */
	if (sha256_hex(text, strlen(text), hash) == -1)
		return (worker_end(w, GATE_ERROR, CAUSE_INFRA, "",
		    "no hash of %s", name));
	(void)snprintf(key, sizeof(key), "records:%s:%s:r%u:%.16s",
	    w->w_go->task, number, w->w_go->round, hash);
	return (effect_do(w, &effect_records, key, &rx));
}
