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

#include <bsd/string.h>

#include "libcommon/gitea.h"
#include "libcommon/log.h"

#include "forge.h"

/*
 * Reviews of a pull request.  Changes that somebody asks for are told with
 * what stands at the lines of the code, which a further request reads.
 */

#define WORDS_MAX	65536U
#define IDS_MAX		500U	/* approvals that one message holds */
#define REVIEW_KEY	(GITEA_NAME + 40)

/* A review that waits for its words. */
struct words {
	struct project	*wo_project;
	struct orch_review_seen wo_m;
	char		 wo_key[REVIEW_KEY];
	char		*wo_branch;
	char		 wo_author[GITEA_LOGIN];
	char		 wo_commit[41];
	char		*wo_text;	/* WORDS_MAX bytes */
};

static void
words_free(struct words *wo)
{
	free(wo->wo_branch);
	free(wo->wo_text);
	free(wo);
}

static struct words *
words_new(struct reading *rd, const struct orch_review_seen *m,
    const char *key)
{
	struct words *wo;

	if ((wo = calloc(1, sizeof(*wo))) == NULL)
		return (NULL);
	if ((wo->wo_branch = strdup(m->branch)) == NULL ||
	    (wo->wo_text = malloc(WORDS_MAX)) == NULL) {
		words_free(wo);
		return (NULL);
	}
	wo->wo_project = rd->rd_project;
	wo->wo_m = *m;
	(void)strlcpy(wo->wo_key, key, sizeof(wo->wo_key));
	(void)strlcpy(wo->wo_author, m->author, sizeof(wo->wo_author));
	(void)strlcpy(wo->wo_commit, m->commit, sizeof(wo->wo_commit));
	(void)strlcpy(wo->wo_text, m->text, WORDS_MAX);
	wo->wo_m.branch = wo->wo_branch;
	wo->wo_m.author = wo->wo_author;
	wo->wo_m.commit = wo->wo_commit;
	wo->wo_m.text = wo->wo_text;
	return (wo);
}

static void
words_cb(const struct remote_answer *ra, void *arg)
{
	struct words *wo = arg;
	struct project *p = wo->wo_project;
	struct forge *fg = p->p_forge;

	if (p->p_gone)
		goto done;
	wo->wo_m.project = p->p_name;
	if (ra->ra_end == REMOTE_DOWN) {
		/* The next round tells it. */
		fact_forget(fg, wo->wo_key);
		forge_not_read(fg, ra, "the comments of a review");
	} else {
		if (ra->ra_end == REMOTE_OK)
			gitea_review_words(ra->ra_body, ra->ra_len,
			    wo->wo_text, WORDS_MAX);
		(void)tell(ORCH_review_seen, &wo->wo_m);
	}
	forge_asked(fg);
done:
	words_free(wo);
	project_unref(p);
}

/* 0 when it will be told with its words. */
static int
words_ask(struct forge *fg, struct reading *rd,
    const struct orch_review_seen *m, const char *key)
{
	struct words *wo;
	char tail[100];

	(void)snprintf(tail, sizeof(tail), "/pulls/%llu/reviews/%llu/comments",
	    (unsigned long long)rd->rd_pull, (unsigned long long)m->review);
	if ((wo = words_new(rd, m, key)) == NULL)
		return (-1);
	if (forge_ask(fg, words_cb, wo, tail) == -1) {
		words_free(wo);
		return (-1);
	}
	return (0);
}

/* One more that is there. */
static void
approval_add(struct reading *rd, uint64_t id)
{
	char (*ids)[24];

	if ((ids = reallocarray(rd->rd_ids, rd->rd_nids + 1,
	    sizeof(*ids))) == NULL)
		fatal("reviews");
	rd->rd_ids = ids;
	(void)snprintf(ids[rd->rd_nids++], sizeof(*ids), "%llu",
	    (unsigned long long)id);
}

/*
 * All pages were read: which approvals there are.  What the engine has and is
 * not among them was deleted, which no single review can say.
 */
static void
approvals_tell(struct forge *fg, const struct reading *rd)
{
	const char *ids[IDS_MAX + 1];
	struct orch_reviews_there m = { .project = fg->fg_project->p_name,
	    .branch = rd->rd_branch, .ids.l_argv = ids };
	char key[REVIEW_KEY], *value = NULL;
	size_t i, len = 0;
	FILE *fp;

	(void)snprintf(key, sizeof(key), "review %s ", rd->rd_branch);
	facts_gone(fg, key);
	if (rd->rd_nids > IDS_MAX || (fp = open_memstream(&value, &len)) ==
	    NULL) {
		log_warnx("project %s: %s: too many approvals to compare",
		    fg->fg_project->p_name, rd->rd_branch);
		return;
	}
	for (i = 0; i < rd->rd_nids; i++)
		fprintf(fp, "%s ", ids[i] = rd->rd_ids[i]);
	ids[i] = NULL;
	(void)snprintf(key, sizeof(key), "approvals %s", rd->rd_branch);
	if (fclose(fp) == 0 && fact_is_new(fg, key, value))
		(void)tell(ORCH_reviews_there, &m);
	free(value);
}

static void
review_tell(const struct gitea_review *gr, void *arg)
{
	struct reading *rd = arg;
	struct forge *fg = rd->rd_project->p_forge;
	struct orch_review_seen m = { .project = fg->fg_project->p_name,
	    .branch = rd->rd_branch, .review = gr->gr_id,
	    .author = gr->gr_author,
	    .commit = strlen(gr->gr_commit) <= 40 ? gr->gr_commit : "",
	    .at_ms = (uint64_t)gr->gr_at_ms };
	char key[REVIEW_KEY], value[16], *text;

	m.approved = gr->gr_dismissed ? REVIEW_DISMISSED : gr->gr_approved ?
	    REVIEW_APPROVED : REVIEW_CHANGES;
	/* Whoever opened it is orchd, also with another token. */
	m.own = strcmp(gr->gr_author, fg->fg_me) == 0 ||
	    strcmp(gr->gr_author, rd->rd_author) == 0;
	if (m.approved == REVIEW_APPROVED)
		approval_add(rd, gr->gr_id);
	(void)snprintf(key, sizeof(key), "review %s %llu", rd->rd_branch,
	    (unsigned long long)gr->gr_id);
	(void)snprintf(value, sizeof(value), "%u", m.approved);
	if ((text = text_cut(gr->gr_text, WORDS_MAX)) == NULL)
		return;
	m.text = text;
	if (fact_is_new(fg, key, value) && (m.approved != REVIEW_CHANGES ||
	    m.own || gr->gr_comments == 0 || words_ask(fg, rd, &m, key) ==
	    -1))
		(void)tell(ORCH_review_seen, &m);
	free(text);
}

static int
reviews_take(struct forge *fg, struct reading *rd,
    const struct remote_answer *ra)
{
	char err[160];
	size_t rows;

	if (ra->ra_end != REMOTE_OK) {
		forge_not_read(fg, ra, "reviews");
		return (0);
	}
	if (gitea_reviews_each(ra->ra_body, ra->ra_len, &rows, review_tell,
	    rd, err, sizeof(err)) == -1) {
		forge_not_understood(fg, "reviews", err);
		return (0);
	}
	if (more_pages(&rd->rd_rows, rows, GITEA_PAGE, ra->ra_total))
		return (++rd->rd_page < PAGES_MOST);
	/* A page that was empty before its time says nothing of the rest. */
	if (ra->ra_total < 0 || rd->rd_rows >= ra->ra_total)
		approvals_tell(fg, rd);
	else
		fg->fg_failed = 1;
	return (0);
}

static void
reviews_ask(struct forge *fg, struct reading *rd)
{
	char tail[100];

	(void)snprintf(tail, sizeof(tail), "/pulls/%llu/reviews?limit=%d"
	    "&page=%u", (unsigned long long)rd->rd_pull, GITEA_PAGE,
	    rd->rd_page);
	if (forge_ask(fg, reading_cb, rd, tail) == -1)
		reading_free(rd);
}

void
reviews_read(struct forge *fg, const char *branch,
    const struct gitea_pull *gp)
{
	struct reading *rd;

	if ((rd = reading_new(fg, branch)) == NULL)
		return;
	rd->rd_pull = gp->gp_number;
	(void)strlcpy(rd->rd_author, gp->gp_author, sizeof(rd->rd_author));
	rd->rd_take = reviews_take;
	rd->rd_ask = reviews_ask;
	reviews_ask(fg, rd);
}
