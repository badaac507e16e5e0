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
#include <time.h>

#include "artifact.h"

/* A double-quoted YAML scalar, whatever the text holds. */
static void
put_quoted(FILE *f, const char *s)
{
	fputc('"', f);
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			fprintf(f, "\\%c", *s);
		else if ((unsigned char)*s < 0x20 || *s == 0x7f)
			fprintf(f, "\\x%02x", (unsigned int)*s);
		else
			fputc(*s, f);
	}
	fputc('"', f);
}

static void
put_text(FILE *f, const char *key, const char *value)
{
	fprintf(f, "%s: ", key);
	put_quoted(f, value);
	fputc('\n', f);
}

static void
put_time(FILE *f, const char *key, int64_t when)
{
	char text[32] = "";
	struct tm tm;
	time_t t = (time_t)when;

	if (gmtime_r(&t, &tm) != NULL)
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	put_text(f, key, text);
}

static void
put_body(FILE *f, const char *body)
{
	fputs("---\n", f);
	if (body == NULL || body[0] == '\0')
		return;
	fprintf(f, "\n%s%s", body,
	    body[strlen(body) - 1] == '\n' ? "" : "\n");
}

/* The finished text, or NULL when memory ran out on the way. */
static char *
finish(FILE *f, char **text)
{
	int bad = ferror(f);

	if (fclose(f) != 0 || bad) {
		free(*text);
		return (NULL);
	}
	return (*text);
}

char *
artifact_format_deploy_log(const struct artifact_deploy *ad)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f;

	if ((f = open_memstream(&text, &len)) == NULL)
		return (NULL);
	fputs("---\n", f);
	fprintf(f, "deploy_status: %s\n",
	    ad->ad_success ? "SUCCESS" : "FAILED");
	put_text(f, "work_item", ad->ad_item);
	fprintf(f, "hook_exit_code: %d\n", ad->ad_hook_exit);
	put_text(f, "deployed_by", ad->ad_deployed_by);
	put_text(f, "commit", ad->ad_commit);
	put_body(f, ad->ad_body);
	return (finish(f, &text));
}

char *
artifact_format_staging_log(const struct artifact_staging *as)
{
	char *text = NULL;
	size_t i, len = 0;
	FILE *f;

	if ((f = open_memstream(&text, &len)) == NULL)
		return (NULL);
	fputs("---\n", f);
	fprintf(f, "staging_status: %s\n",
	    as->as_success ? "SUCCESS" : "FAILED");
	put_text(f, "work_item", as->as_item);
	put_time(f, "timestamp", as->as_when);
	put_text(f, "base_url", as->as_base_url);
	put_text(f, "commit", as->as_commit);
	if (as->as_waived != NULL && as->as_waived[0] != NULL) {
		fputs("waived:\n", f);
		for (i = 0; as->as_waived[i] != NULL; i++) {
			fputs("  - ", f);
			put_quoted(f, as->as_waived[i]);
			fputc('\n', f);
		}
	}
	put_body(f, as->as_body);
	return (finish(f, &text));
}

static int
is_one_of(const char *word, const char *a, const char *b, const char *c)
{
	return (strcmp(word, a) == 0 || strcmp(word, b) == 0 ||
	    strcmp(word, c) == 0);
}

char *
artifact_format_post_deploy_log(const struct artifact_monitor *am)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f;

	if (!is_one_of(am->am_status, "HEALTHY", "DEGRADED",
	    "INCONCLUSIVE") ||
	    !is_one_of(am->am_action, "NONE", "ALERT_ONLY", "ROLLBACK"))
		return (NULL);
	if ((f = open_memstream(&text, &len)) == NULL)
		return (NULL);
	fputs("---\n", f);
	fprintf(f, "post_deploy_status: %s\n", am->am_status);
	put_text(f, "work_item", am->am_item);
	fprintf(f, "action_taken: %s\n", am->am_action);
	fprintf(f, "window_s: %" PRIu32 "\n", am->am_window_s);
	fprintf(f, "checks_total: %" PRIu32 "\n", am->am_checks_total);
	fprintf(f, "checks_failed: %" PRIu32 "\n", am->am_checks_failed);
	put_text(f, "commit", am->am_commit);
	put_body(f, am->am_body);
	return (finish(f, &text));
}
