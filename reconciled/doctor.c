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

#include <bsd/stdlib.h>

#include <jansson.h>

#include "libcommon/answer.h"
#include "libcommon/checkup.h"
#include "libcommon/log.h"

#include "reconciled.h"

/*
 * What orchctl doctor asks of reconciled: forges by the token that reads,
 * trackers, and messengers.  No message is sent to a person.
 */

/* --- Telegram ------------------------------------------------------------- */

/* The chat of an address is a number or a channel's "@name". */
static enum checkup_next
telegram_url(struct checkup *ck, struct checkup_request *cr,
    const char *method, const char *user)
{
	char chat[300];
	int n;

	if (http_escape(ck->ck_place, chat, sizeof(chat)) == -1)
		return (CHECKUP_ON);
	n = snprintf(cr->cr_url, sizeof(cr->cr_url), "%s/%s?chat_id=%s%s%s",
	    ck->ck_url, method, chat, user == NULL ? "" : "&user_id=",
	    user == NULL ? "" : user);
	if (n < 0 || (size_t)n >= sizeof(cr->cr_url))
		cr->cr_url[0] = '\0';
	return (CHECKUP_ON);
}

static enum checkup_next
make_get_me(struct checkup *ck, struct checkup_request *cr)
{
	int n = snprintf(cr->cr_url, sizeof(cr->cr_url), "%s/getMe",
	    ck->ck_url);

	if (n < 0 || (size_t)n >= sizeof(cr->cr_url))
		cr->cr_url[0] = '\0';
	return (CHECKUP_ON);
}

static enum checkup_next
make_get_chat(struct checkup *ck, struct checkup_request *cr)
{
	return (telegram_url(ck, cr, "getChat", NULL));
}

/* In a chat with one person there is nothing to be a member of. */
static enum checkup_next
make_get_member(struct checkup *ck, struct checkup_request *cr)
{
	if (ck->ck_admin == 0)
		return (CHECKUP_SKIP);
	return (telegram_url(ck, cr, "getChatMember", ck->ck_me));
}

/* The "result" of an answer, borrowed from *j; NULL: it is none. */
static json_t *
result_of(const struct http_reply *hp, json_t **j)
{
	char err[160];

	*j = hp->hp_len == 0 ? NULL : answer_read(hp->hp_body, hp->hp_len,
	    err, sizeof(err));
	return (json_object_get(*j, "result"));
}

static enum checkup_next
judge_get_me(struct checkup *ck, const struct http_reply *hp)
{
	json_t *j, *me = result_of(hp, &j), *id = json_object_get(me, "id");
	const char *name = json_string_value(json_object_get(me,
	    "username"));

	if (hp->hp_status != 200 || !json_is_integer(id)) {
		json_decref(j);
		return (checkup_odd(ck, "token", hp, "the bot's token is "
		    "wrong: ask @BotFather for it (/token) and put it into "
		    "the file that orchd.conf names"));
	}
	(void)snprintf(ck->ck_me, sizeof(ck->ck_me), "%lld",
	    (long long)json_integer_value(id));
	checkup_say(ck, FOUND_OK, "token", "it is of the bot @%.100s",
	    name == NULL ? "?" : name);
	json_decref(j);
	return (CHECKUP_ON);
}

static enum checkup_next
judge_get_chat(struct checkup *ck, const struct http_reply *hp)
{
	json_t *j, *chat = result_of(hp, &j);
	const char *type = json_string_value(json_object_get(chat, "type"));

	if (hp->hp_status != 200 || type == NULL) {
		json_decref(j);
		return (checkup_odd(ck, "chat", hp, "write /start to the bot, "
		    "or add it to the group or channel, and see the chat's "
		    "number in orchd.conf"));
	}
	ck->ck_admin = strcmp(type, "private") != 0;
	checkup_say(ck, FOUND_OK, "chat", "%s is there (%.20s)", ck->ck_place,
	    type);
	json_decref(j);
	return (CHECKUP_ON);
}

static enum checkup_next
judge_get_member(struct checkup *ck, const struct http_reply *hp)
{
	json_t *j, *member = result_of(hp, &j);
	const char *status = json_string_value(json_object_get(member,
	    "status"));

	if (hp->hp_status != 200 || status == NULL)
		(void)checkup_odd(ck, "member", hp, "add the bot to the group "
		    "or channel");
	else if (strcmp(status, "left") == 0 || strcmp(status, "kicked") == 0)
		checkup_say(ck, FOUND_FAIL, "member", "the bot is not in the "
		    "chat (%s): add it", status);
	else if (json_is_false(json_object_get(member, "can_post_messages")) ||
	    json_is_false(json_object_get(member, "can_send_messages")))
		checkup_say(ck, FOUND_FAIL, "member", "the bot may not write "
		    "in the chat: give it the right to post messages");
	else
		checkup_say(ck, FOUND_OK, "member", "the bot is in the chat "
		    "(%.20s)", status);
	json_decref(j);
	return (CHECKUP_ON);
}

static const struct checkup_step telegram_steps[] = {
	{ "token", make_get_me, judge_get_me },
	{ "chat", make_get_chat, judge_get_chat },
	{ "member", make_get_member, judge_get_member },
	{ NULL, NULL, NULL }
};

/* --- webhooks to people --------------------------------------------------- */

/* A request would be a message: connect, and shake hands where it is TLS. */
static enum checkup_next
make_connect(struct checkup *ck, struct checkup_request *cr)
{
	int n = snprintf(cr->cr_url, sizeof(cr->cr_url), "%s", ck->ck_url);

	if (n < 0 || (size_t)n >= sizeof(cr->cr_url))
		cr->cr_url[0] = '\0';
	cr->cr_connect = 1;
	return (CHECKUP_ON);
}

static enum checkup_next
judge_connect(struct checkup *ck, const struct http_reply *hp)
{
	if (strncmp(ck->ck_url, "https://", 8) == 0)
		checkup_say(ck, FOUND_OK, "server", "it takes connections, "
		    "and its certificate is good; what it does with a "
		    "message was not tried");
	else
		checkup_say(ck, FOUND_OK, "server", "it takes connections; "
		    "what it does with a message was not tried");
	return (CHECKUP_ON);
}

static const struct checkup_step webhook_steps[] = {
	{ "server", make_connect, judge_connect },
	{ NULL, NULL, NULL }
};

/* --- all ------------------------------------------------------------------ */

static int
messenger_add(struct checkup_ask *ca, const struct messenger *me)
{
	char url[4400];
	struct checkup_of co = { .co_project = "", .co_subject = me->me_dest,
	    .co_url = me->me_to };
	int n, r;

	if (strcmp(me->me_kind, "telegram") != 0)
		return (checkup_add(ca, &co, webhook_steps));
	n = notify_address(me, url, sizeof(url));
	co.co_url = url;
	co.co_place = me->me_to;
	r = n == -1 ? -1 : checkup_add(ca, &co, telegram_steps);
	explicit_bzero(url, sizeof(url));
	return (r);
}

static int
project_add(struct checkup_ask *ca, const struct project *p)
{
	struct checkup_of forge = { .co_project = p->p_name,
	    .co_subject = "forge, to read", .co_url = p->p_forge_url,
	    .co_token = p->p_token, .co_place = p->p_repo,
	    .co_part = p->p_target };
	struct checkup_of tracker = { .co_project = p->p_name,
	    .co_subject = "tracker", .co_url = p->p_tracker_url,
	    .co_token = p->p_key, .co_place = p->p_workspace,
	    .co_part = p->p_tracker_id, .co_renamed = p->p_renamed };
	int r = 0;

	if (p->p_forge_url[0] != '\0')
		r = checkup_add(ca, &forge, checkup_forge_read);
	if (r == 0 && p->p_tracker_url[0] != '\0')
		r = checkup_add(ca, &tracker, checkup_tracker);
	return (r);
}

void
doctor_remotes(uint32_t id, const struct orch_doctor_ask *m)
{
	struct checkup_ask *ca = checkup_begin(id, m->within_ms);
	const struct messenger *me;
	const struct project *p;
	int r = 0;

	if (ca == NULL) {
		/* The engine says that there was no answer. */
		log_warnx("doctor: no memory");
		return;
	}
	TAILQ_FOREACH(p, &projects, p_entry)
		if (m->project[0] == '\0' || strcmp(m->project, p->p_name) ==
		    0)
			r |= project_add(ca, p);
	if (m->project[0] == '\0')
		TAILQ_FOREACH(me, &messengers, me_entry)
			r |= messenger_add(ca, me);
	if (r != 0)
		log_warnx("doctor: no memory: something is not tried");
	checkup_go(ca);
}
