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

#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include <jansson.h>

#include "answer.h"
#include "checkup.h"
#include "git_remote.h"
#include "gitea.h"

/*
 * The rights at Gitea and Forgejo.  Reading is tried by reading.  Writing is
 * tried by requests that lack what the server wants: its order is token,
 * scope, right, then content (routers/api/v1/api.go: bind() stands behind the
 * checks of a route), so 422 says that the right is there and 403 that it is
 * not.  The right to push is tried by the first request of a push, which asks
 * for refs.
 */

#define OWN_BRANCH	"orchd/X-1"	/* as those of tasks are called */
#define HOOK_PATH	"/webhook/gitea"
#define LEAST_GITEA	1022
#define LEAST_FORGEJO	9000
#define SCOPE_READ	"make the token anew with the scopes " \
	"read:repository and read:user"
#define SCOPE_WRITE	"make the token anew with the scopes " \
	"write:repository, write:issue and read:user"

/* --- requests ------------------------------------------------------------- */

static enum checkup_next
with_token(const struct checkup *ck, struct checkup_request *cr, int bad)
{
	/* What does not fit makes no request. */
	if (bad || gitea_auth(cr->cr_header, sizeof(cr->cr_header),
	    ck->ck_token) == -1)
		cr->cr_url[0] = '\0';
	return (CHECKUP_ON);
}

static enum checkup_next
make_version(struct checkup *ck, struct checkup_request *cr)
{
	return (with_token(ck, cr, gitea_version_url(cr->cr_url,
	    sizeof(cr->cr_url), ck->ck_url) == -1));
}

static enum checkup_next
make_user(struct checkup *ck, struct checkup_request *cr)
{
	return (with_token(ck, cr, gitea_me_url(cr->cr_url,
	    sizeof(cr->cr_url), ck->ck_url) == -1));
}

/* Below the repository. */
static enum checkup_next
make_repo(const struct checkup *ck, struct checkup_request *cr,
    const char *tail)
{
	return (with_token(ck, cr, gitea_url(cr->cr_url, sizeof(cr->cr_url),
	    ck->ck_url, ck->ck_place, "%s", tail) == -1));
}

static enum checkup_next
make_repository(struct checkup *ck, struct checkup_request *cr)
{
	return (make_repo(ck, cr, ""));
}

/* A path with the target branch in it; a slash may stay as it is or not. */
static enum checkup_next
make_target(const struct checkup *ck, struct checkup_request *cr,
    const char *before, const char *behind)
{
	char name[800], tail[1000];

	if (http_escape(ck->ck_part, name, sizeof(name)) == -1)
		name[0] = '\0';
	(void)snprintf(tail, sizeof(tail), "%s%s%s", before, name, behind);
	return (make_repo(ck, cr, tail));
}

static enum checkup_next
make_ci(struct checkup *ck, struct checkup_request *cr)
{
	return (make_target(ck, cr, "/commits/", "/status?limit=1"));
}

static enum checkup_next
make_pulls(struct checkup *ck, struct checkup_request *cr)
{
	return (make_repo(ck, cr, "/pulls?state=open&limit=1"));
}

static enum checkup_next
make_hooks(struct checkup *ck, struct checkup_request *cr)
{
	return (make_repo(ck, cr, "/hooks?limit=50"));
}

static enum checkup_next
make_branch(struct checkup *ck, struct checkup_request *cr)
{
	return (make_target(ck, cr, "/branches/", ""));
}

/* What git asks first when it pushes. */
static enum checkup_next
make_push(struct checkup *ck, struct checkup_request *cr)
{
	size_t slash = strlen(ck->ck_url);
	int n;

	while (slash > 0 && ck->ck_url[slash - 1] == '/')
		slash--;
	n = snprintf(cr->cr_url, sizeof(cr->cr_url), "%.*s/%s.git/info/refs"
	    "?service=git-receive-pack", (int)slash, ck->ck_url,
	    ck->ck_place);
	if (n < 0 || (size_t)n >= sizeof(cr->cr_url) || git_remote_header(
	    ck->ck_token, cr->cr_header, sizeof(cr->cr_header)) == -1)
		cr->cr_url[0] = '\0';
	return (CHECKUP_ON);
}

/* A pull request without branches, title and all. */
static enum checkup_next
make_open(struct checkup *ck, struct checkup_request *cr)
{
	cr->cr_method = "POST";
	cr->cr_body = "{}";
	return (make_repo(ck, cr, "/pulls"));
}

/* A comment without a text on a pull request that cannot be. */
static enum checkup_next
make_comment(struct checkup *ck, struct checkup_request *cr)
{
	cr->cr_method = "POST";
	cr->cr_body = "{}";
	return (make_repo(ck, cr, "/issues/0/comments"));
}

/* Only an administrator of the repository sees the rules. */
static enum checkup_next
make_rules(struct checkup *ck, struct checkup_request *cr)
{
	if (!ck->ck_admin)
		return (CHECKUP_SKIP);
	return (make_repo(ck, cr, "/branch_protections"));
}

/* --- answers -------------------------------------------------------------- */

/* The answer as JSON; NULL with its row when it is none. */
static json_t *
object_of(const struct checkup *ck, const char *what,
    const struct http_reply *hp)
{
	char err[160];
	json_t *j = NULL;

	if (hp->hp_len > 0)
		j = answer_read(hp->hp_body, hp->hp_len, err, sizeof(err));
	if (j == NULL)
		checkup_say(ck, FOUND_FAIL, what, "HTTP %ld, but no JSON: is "
		    "%s the address of Gitea itself, and not of a proxy that "
		    "wants a login?", hp->hp_status, ck->ck_url);
	return (j);
}

static int
is_true(const json_t *j, const char *name)
{
	return (json_is_true(json_object_get(j, name)));
}

/* Switched off, where the server says so; older ones do not. */
static int
is_false(const json_t *j, const char *name)
{
	return (json_is_false(json_object_get(j, name)));
}

static enum checkup_next
bad_token(const struct checkup *ck, const char *what,
    const struct http_reply *hp)
{
	return (checkup_odd(ck, what, hp, "the server does not know this "
	    "token: make one as the bot user (Settings, Applications) and "
	    "put it into the file that orchd.conf names"));
}

/* "1.26.1" is 1026, "12.0.1+gitea-1.22.0" is 12000 and Forgejo. */
static void
version_read(struct checkup *ck, const char *text)
{
	unsigned int major = 0, minor = 0;

	if (sscanf(text, "%3u.%3u", &major, &minor) < 1)
		major = 0;
	ck->ck_forgejo = strstr(text, "+gitea-") != NULL;
	ck->ck_version = major * 1000 + minor;
}

static enum checkup_next
judge_version(struct checkup *ck, const struct http_reply *hp)
{
	const char *text, *name;
	json_t *j;

	if (hp->hp_status == 401)
		return (bad_token(ck, "token", hp));
	if (hp->hp_status != 200)
		return (checkup_odd(ck, "server", hp, "is this the address "
		    "of Gitea or Forgejo, without /api/v1?"));
	if ((j = object_of(ck, "server", hp)) == NULL)
		return (CHECKUP_END);
	text = json_string_value(json_object_get(j, "version"));
	version_read(ck, text == NULL ? "" : text);
	name = ck->ck_forgejo ? "Forgejo" : "Gitea";
	if (text == NULL || ck->ck_version == 0)
		checkup_say(ck, FOUND_WARN, "server", "it does not say which "
		    "version of Gitea or Forgejo it is");
	else if (ck->ck_version < (ck->ck_forgejo ? LEAST_FORGEJO :
	    LEAST_GITEA))
		checkup_say(ck, FOUND_WARN, "server", "%s %.40s is older than "
		    "what orchd was made for (Gitea 1.22, Forgejo 9)", name,
		    text);
	else if (strncmp(ck->ck_url, "http://", 7) == 0 &&
	    strncmp(ck->ck_url, "http://127.", 11) != 0 &&
	    strncmp(ck->ck_url, "http://localhost", 16) != 0)
		checkup_say(ck, FOUND_WARN, "server", "%s %.40s answers, but "
		    "by http: the token can be read on the way; use https",
		    name, text);
	else
		checkup_say(ck, FOUND_OK, "server", "%s %.40s", name, text);
	json_decref(j);
	return (CHECKUP_ON);
}

static enum checkup_next
judge_user(struct checkup *ck, const struct http_reply *hp)
{
	char err[160];

	if (hp->hp_status == 401)
		return (bad_token(ck, "token", hp));
	if (hp->hp_status != 200) {
		(void)checkup_odd(ck, "token", hp, SCOPE_READ ": orchd must "
		    "know its own reviews from those of people");
		return (CHECKUP_ON);
	}
	if (gitea_me_read(hp->hp_body, hp->hp_len, ck->ck_me, err,
	    sizeof(err)) == -1)
		checkup_say(ck, FOUND_FAIL, "token", "the user it belongs to "
		    "cannot be read: %s", err);
	else
		checkup_say(ck, FOUND_OK, "token", "it is of the user %s",
		    ck->ck_me);
	return (CHECKUP_ON);
}

/* Where it cannot be seen nothing else can.  NULL: its row was sent. */
static json_t *
repository_of(struct checkup *ck, const struct http_reply *hp,
    const char *scopes)
{
	if (hp->hp_status == 401) {
		(void)bad_token(ck, "token", hp);
		return (NULL);
	}
	if (hp->hp_status == 404) {
		checkup_say(ck, FOUND_FAIL, "repository", "%s is not there or "
		    "may not be seen: see its name in orchd.conf, and add the "
		    "bot user to it (Settings, Collaborators)", ck->ck_place);
		return (NULL);
	}
	if (hp->hp_status != 200) {
		(void)checkup_odd(ck, "repository", hp, scopes);
		return (NULL);
	}
	return (object_of(ck, "repository", hp));
}

static enum checkup_next
judge_seen(struct checkup *ck, const struct http_reply *hp)
{
	json_t *j;

	if ((j = repository_of(ck, hp, SCOPE_READ)) == NULL)
		return (CHECKUP_END);
	ck->ck_admin = is_true(json_object_get(j, "permissions"), "admin");
	checkup_say(ck, FOUND_OK, "repository", "%s can be read",
	    ck->ck_place);
	json_decref(j);
	return (CHECKUP_ON);
}

/* By which the project lands; one that is not configured is the default. */
static void
judge_style(struct checkup *ck, json_t *repo)
{
	static const struct {
		const char	*name;
		const char	*key;
		const char	*shown;
	} styles[] = {
		{ "fast-forward-only", "allow_fast_forward_only_merge",
		    "Fast-forward only" },
		{ "merge", "allow_merge_commits", "Create merge commit" },
		{ "squash", "allow_squash_merge", "Create squash commit" },
		{ "rebase", "allow_rebase", "Rebase then fast-forward" },
	};
	size_t i = 3;

	while (i > 0 && strcmp(ck->ck_method, styles[i].name) != 0)
		i--;
	if (is_false(repo, styles[i].key))
		checkup_say(ck, FOUND_FAIL, "merge style", "%s is switched "
		    "off, by which orchd lands what was tested: Settings, "
		    "Repository, Pull Requests, %s", styles[i].name,
		    styles[i].shown);
	else
		checkup_say(ck, FOUND_OK, "merge style", "%s is allowed",
		    styles[i].name);
}

static enum checkup_next
judge_writable(struct checkup *ck, const struct http_reply *hp)
{
	json_t *j, *may;

	if ((j = repository_of(ck, hp, SCOPE_WRITE)) == NULL)
		return (CHECKUP_END);
	may = json_object_get(j, "permissions");
	ck->ck_admin = is_true(may, "admin");
	if (is_true(j, "archived"))
		checkup_say(ck, FOUND_FAIL, "repository", "%s is archived: "
		    "nothing can be written to it", ck->ck_place);
	else if (is_true(j, "empty"))
		checkup_say(ck, FOUND_FAIL, "repository", "%s is empty: push "
		    "a first commit to %s", ck->ck_place, ck->ck_part);
	else if (is_false(j, "has_pull_requests"))
		checkup_say(ck, FOUND_FAIL, "repository", "pull requests are "
		    "switched off: Settings, Repository, Enable Pull "
		    "Requests");
	else if (!is_true(may, "push"))
		checkup_say(ck, FOUND_FAIL, "repository", "the bot user may "
		    "only read %s: give it write access (Settings, "
		    "Collaborators)", ck->ck_place);
	else
		checkup_say(ck, FOUND_OK, "repository", "the bot user has "
		    "write access to %s", ck->ck_place);
	judge_style(ck, j);
	json_decref(j);
	return (CHECKUP_ON);
}

static enum checkup_next
judge_pulls(struct checkup *ck, const struct http_reply *hp)
{
	if (hp->hp_status == 200)
		checkup_say(ck, FOUND_OK, "pull requests", "they can be read");
	else
		(void)checkup_odd(ck, "pull requests", hp, SCOPE_READ);
	return (CHECKUP_ON);
}

static enum checkup_next
judge_ci(struct checkup *ck, const struct http_reply *hp)
{
	if (hp->hp_status == 200)
		checkup_say(ck, FOUND_OK, "ci", "statuses of commits can be "
		    "read");
	else if (hp->hp_status == 404)
		checkup_say(ck, FOUND_FAIL, "ci", "there is no branch %s: see "
		    "\"target\" in orchd.conf", ck->ck_part);
	else
		(void)checkup_odd(ck, "ci", hp, SCOPE_READ);
	return (CHECKUP_ON);
}

/* --- hooks ---------------------------------------------------------------- */

static int
path_ends(const char *url, const char *path)
{
	size_t n = strcspn(url, "?#"), m = strlen(path);

	while (n > 0 && url[n - 1] == '/')
		n--;
	return (n > m && strncmp(url + n - m, path, m) == 0);
}

static int
has_event(json_t *hook, const char *name)
{
	json_t *ev;
	size_t i;

	json_array_foreach(json_object_get(hook, "events"), i, ev)
		if (json_is_string(ev) && (strcmp(json_string_value(ev),
		    name) == 0 || strcmp(json_string_value(ev), "*") == 0))
			return (1);
	return (0);
}

/* The events that it should have and has not, as "a, b". */
static void
lacking(const struct checkup *ck, json_t *hook, char *buf, size_t len)
{
	static const char *const names[] = { "push", "pull_request",
	    "pull_request_review_approved", "pull_request_review_rejected",
	    "status" };
	size_t i;

	buf[0] = '\0';
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		/* No version of Forgejo sends it, nor did Gitea 1.22. */
		if (strcmp(names[i], "status") == 0 && (ck->ck_forgejo ||
		    ck->ck_version < 1023))
			continue;
		if (has_event(hook, names[i]) || (strncmp(names[i],
		    "pull_request_review", 19) == 0 && has_event(hook,
		    "pull_request_review")))
			continue;
		if (buf[0] != '\0')
			(void)strlcat(buf, ", ", len);
		(void)strlcat(buf, names[i], len);
	}
}

static void
hook_judge(const struct checkup *ck, json_t *hook, const char *url)
{
	char missing[160];

	lacking(ck, hook, missing, sizeof(missing));
	if (!is_true(hook, "active"))
		checkup_say(ck, FOUND_WARN, "hook", "the one to %.300s is "
		    "switched off: tick \"Active\"; until then changes are "
		    "seen by polling only", url);
	else if (missing[0] != '\0')
		checkup_say(ck, FOUND_WARN, "hook", "the one to %.300s does "
		    "not send %s: those are seen by polling only", url,
		    missing);
	else
		checkup_say(ck, FOUND_OK, "hook", "%.300s", url);
}

static enum checkup_next
judge_hooks(struct checkup *ck, const struct http_reply *hp)
{
	const char *url;
	json_t *j, *hook;
	size_t i;

	if (hp->hp_status == 401 || hp->hp_status == 403 ||
	    hp->hp_status == 404) {
		checkup_say(ck, FOUND_WARN, "hook", "only an administrator "
		    "of the repository can see its webhooks, and orchd need "
		    "not be one: look yourself (Settings, Webhooks), and at "
		    "the lines of deliveries");
		return (CHECKUP_ON);
	}
	if (hp->hp_status != 200) {
		(void)checkup_odd(ck, "hook", hp, SCOPE_READ);
		return (CHECKUP_ON);
	}
	if ((j = object_of(ck, "hook", hp)) == NULL)
		return (CHECKUP_ON);
	json_array_foreach(j, i, hook) {
		url = json_string_value(json_object_get(json_object_get(hook,
		    "config"), "url"));
		if (url != NULL && path_ends(url, HOOK_PATH)) {
			hook_judge(ck, hook, url);
			break;
		}
	}
	if (i == json_array_size(j))
		checkup_say(ck, FOUND_WARN, "hook", "none leads to "
		    "http(s)://.../webhook/gitea: changes are seen by "
		    "polling only; add one (orchd-remote(7))");
	json_decref(j);
	return (CHECKUP_ON);
}

/* --- what is written ------------------------------------------------------ */

static enum checkup_next
judge_branch(struct checkup *ck, const struct http_reply *hp)
{
	json_int_t approvals;
	json_t *j;

	if (hp->hp_status == 404) {
		checkup_say(ck, FOUND_FAIL, "target", "there is no branch %s: "
		    "see \"target\" in orchd.conf", ck->ck_part);
		return (CHECKUP_ON);
	}
	if (hp->hp_status != 200) {
		(void)checkup_odd(ck, "target", hp, SCOPE_WRITE);
		return (CHECKUP_ON);
	}
	if ((j = object_of(ck, "target", hp)) == NULL)
		return (CHECKUP_ON);
	approvals = json_integer_value(json_object_get(j,
	    "required_approvals"));
	if (is_false(j, "user_can_merge"))
		checkup_say(ck, FOUND_FAIL, "target", "the protection of %s "
		    "does not let the bot user merge: Settings, Branches, "
		    "the rule of %s, add it to the merge allowlist; without "
		    "write access to the repository it may not either",
		    ck->ck_part, ck->ck_part);
	else if (approvals > 0)
		checkup_say(ck, FOUND_WARN, "target", "the protection of %s "
		    "wants %lld approval(s) of people at the forge for each "
		    "pull request; until they are there a task waits in its "
		    "last stage", ck->ck_part, (long long)approvals);
	else
		checkup_say(ck, FOUND_OK, "target", "the bot user may merge "
		    "into %s%s", ck->ck_part, is_true(j, "enable_status_check")
		    ? ", where CI must be green" : "");
	json_decref(j);
	return (CHECKUP_ON);
}

static enum checkup_next
judge_push(struct checkup *ck, const struct http_reply *hp)
{
	if (hp->hp_status == 200)
		checkup_say(ck, FOUND_OK, "push", "the token may push "
		    "branches by git");
	else if (hp->hp_status == 401 || hp->hp_status == 403)
		checkup_say(ck, FOUND_FAIL, "push", "HTTP %ld to git's first "
		    "request of a push; " SCOPE_WRITE ", of a user with write "
		    "access to the repository", hp->hp_status);
	else
		(void)checkup_odd(ck, "push", hp, "is git over HTTP switched "
		    "off (DISABLE_HTTP_GIT)?");
	return (CHECKUP_ON);
}

/* Refused for its content: the right was there. */
static enum checkup_next
judge_write(struct checkup *ck, const struct http_reply *hp)
{
	const char *what = ck->ck_step->cs_what;

	if (hp->hp_status == 422)
		checkup_say(ck, FOUND_OK, what, "the token may write them");
	else if (hp->hp_status == 401 || hp->hp_status == 403)
		(void)checkup_odd(ck, what, hp, SCOPE_WRITE);
	else
		(void)checkup_odd(ck, what, hp, "422 would say that the token "
		    "may; are pull requests and issues switched on?");
	return (CHECKUP_ON);
}

/* Does a rule for other branches hold orchd's? */
static int
rule_meets(const char *glob)
{
	return (fnmatch(glob, OWN_BRANCH, strstr(glob, "**") != NULL ? 0 :
	    FNM_PATHNAME) == 0);
}

static enum checkup_next
judge_rules(struct checkup *ck, const struct http_reply *hp)
{
	const char *name = NULL;
	json_t *j, *rule;
	size_t i;

	if (hp->hp_status != 200 || (j = object_of(ck, "own branches", hp)) ==
	    NULL)
		return (CHECKUP_ON);
	json_array_foreach(j, i, rule) {
		name = json_string_value(json_object_get(rule, "rule_name"));
		if (name != NULL && rule_meets(name))
			break;
	}
	if (i < json_array_size(j))
		checkup_say(ck, FOUND_FAIL, "own branches", "the protection "
		    "rule \"%.100s\" holds for orchd/... too, which orchd must "
		    "be able to push and to delete: make it narrower",
		    name);
	else
		checkup_say(ck, FOUND_OK, "own branches", "no protection "
		    "rule holds for orchd/...");
	json_decref(j);
	return (CHECKUP_ON);
}

const struct checkup_step checkup_forge_read[] = {
	{ "server", make_version, judge_version },
	{ "token", make_user, judge_user },
	{ "repository", make_repository, judge_seen },
	{ "pull requests", make_pulls, judge_pulls },
	{ "ci", make_ci, judge_ci },
	{ "hook", make_hooks, judge_hooks },
	{ NULL, NULL, NULL }
};

const struct checkup_step checkup_forge_write[] = {
	{ "repository", make_repository, judge_writable },
	{ "target", make_branch, judge_branch },
	{ "push", make_push, judge_push },
	{ "pull requests", make_open, judge_write },
	{ "comments", make_comment, judge_write },
	{ "own branches", make_rules, judge_rules },
	{ NULL, NULL, NULL }
};
