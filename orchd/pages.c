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
#include <stdio.h>
#include <string.h>

#include <bsd/string.h>

#include "engine.h"
#include "query.h"

#define PLANE_API	"https://api.plane.so"
#define PLANE_APP	"https://app.plane.so"	/* its pages are elsewhere */

/*
 * Is it a page of that server?  A forge says where its pages are, and what it
 * says is shown to people: nothing but its own pages.
 */
static int
is_page_of(const char *url, const char *server)
{
	size_t n = server == NULL ? 0 : strlen(server);
	const unsigned char *p;

	if (strncmp(url, "https://", 8) != 0 && strncmp(url, "http://", 7) != 0)
		return (0);
	while (n > 0 && server[n - 1] == '/')
		n--;
	if (n == 0 || strncmp(url, server, n) != 0 || url[n] != '/')
		return (0);
	for (p = (const unsigned char *)url; *p != '\0'; p++)
		if (!isgraph(*p) || strchr("\"'<>\\^`{|}", *p) != NULL)
			return (0);
	return (1);
}

static void
item_page(const struct conf_project *cp, const char *item, char *buf,
    size_t len)
{
	const char *server = cp->cp_tracker_url;
	size_t n;
	int r;

	buf[0] = '\0';
	if (cp->cp_tracker != CONF_TRACKER_PLANE || item[0] == '\0')
		return;
	if (strncmp(server, PLANE_API, strlen(PLANE_API)) == 0)
		server = PLANE_APP;
	for (n = strlen(server); n > 0 && server[n - 1] == '/'; n--)
		continue;
	r = snprintf(buf, len, "%.*s/%s/projects/%s/issues/%s/", (int)n,
	    server, cp->cp_tracker_workspace, cp->cp_tracker_project, item);
	if (r < 0 || (size_t)r >= len || !is_page_of(buf, server))
		buf[0] = '\0';
}

void
task_pages(const struct task *t, char *pull, size_t plen, char *item,
    size_t ilen)
{
	const struct conf_project *cp = eng_project(t->t_project);
	sqlite3_stmt *q;

	pull[0] = item[0] = '\0';
	q = store_bind(eng.e_store, Q_TASK_PAGES, "i", t->t_id);
	if (store_step(eng.e_store, q) == STORE_OK && cp != NULL) {
		item_page(cp, col_text(q, 0), item, ilen);
		if (cp->cp_forge != CONF_FORGE_GITEA ||
		    !is_page_of(col_text(q, 1), cp->cp_forge_url) ||
		    strlcpy(pull, col_text(q, 1), plen) >= plen)
			pull[0] = '\0';
	}
	sqlite3_reset(q);
}
