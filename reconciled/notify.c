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

#include <bsd/stdlib.h>
#include <bsd/string.h>

#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "libcommon/carry.h"
#include "libcommon/esc.h"
#include "libcommon/log.h"

#include "reconciled.h"

/*
 * Messages to people: a Telegram chat, or an address that takes webhooks as
 * standardwebhooks.com describes them.  Delivered at least once: Telegram has
 * no key by which a second delivery could be known.
 */

#define TELEGRAM	"https://api.telegram.org"
#define TELEGRAM_UNITS	4096U		/* of UTF-16, of a message */
#define SECRET_MAX	256U		/* bytes of a decoded secret */

static int64_t	 telegram_wait(const char *, size_t);
static void	 telegram_said(long, const char *, size_t, char *, size_t);

/* A group takes 20 a minute. */
static const struct remote_kind telegram = { .rk_per_minute = 20,
    .rk_burst = 5, .rk_most = 1, .rk_said = telegram_said,
    .rk_wait = telegram_wait };
static const struct remote_kind webhook = { .rk_per_minute = 120,
    .rk_burst = 20, .rk_most = 4 };

const struct remote_kind *
notify_kind(const char *kind)
{
	return (strcmp(kind, "telegram") == 0 ? &telegram :
	    strcmp(kind, "webhook") == 0 ? &webhook : NULL);
}

/* Its "token" may be the address of an own Bot API server with the token. */
static int
own_server(const struct messenger *me)
{
	return (strncmp(me->me_secret, "http://", 7) == 0 ||
	    strncmp(me->me_secret, "https://", 8) == 0);
}

const char *
notify_server(const struct messenger *me)
{
	if (strcmp(me->me_kind, "telegram") != 0)
		return (me->me_to);
	return (own_server(me) ? me->me_secret : TELEGRAM);
}

/* --- Telegram ------------------------------------------------------------- */

static json_t *
load(const char *body, size_t len)
{
	json_error_t je;

	return (len == 0 ? NULL : json_loadb(body, len, 0, &je));
}

static int64_t
telegram_wait(const char *body, size_t len)
{
	json_t *j = load(body, len);
	json_t *after = json_object_get(json_object_get(j, "parameters"),
	    "retry_after");
	int64_t s = json_is_integer(after) ? json_integer_value(after) : -1;

	json_decref(j);
	return (s);
}

static void
telegram_said(long status, const char *body, size_t len, char *buf,
    size_t buflen)
{
	json_t *j = load(body, len);
	const char *text = json_string_value(json_object_get(j,
	    "description"));
	json_t *moved = json_object_get(json_object_get(j, "parameters"),
	    "migrate_to_chat_id");
	char shown[160] = "";

	if (text != NULL)
		(void)esc(shown, sizeof(shown), text);
	if (json_is_integer(moved))
		(void)snprintf(buf, buflen, "HTTP %ld: %s: the chat is %lld "
		    "now", status, shown, (long long)json_integer_value(
		    moved));
	else
		(void)snprintf(buf, buflen, "HTTP %ld%s%s", status,
		    shown[0] != '\0' ? ": " : "", shown);
	json_decref(j);
}

/* A chat is a number of 64 bits or a channel's name. */
static char *
telegram_body(const char *chat, const char *text)
{
	const char *err;
	long long id = strtonum(chat, INT64_MIN, INT64_MAX, &err);
	json_t *j;
	char *body;

	j = json_pack("{soss}", "chat_id", err == NULL ? json_integer(id) :
	    json_string(chat), "text", text);
	body = j == NULL ? NULL : json_dumps(j, JSON_COMPACT);
	json_decref(j);
	return (body);
}

/* --- webhooks ------------------------------------------------------------- */

/* The key of the signature: "whsec_" and base64, or the text itself. */
static int
secret_bytes(const char *secret, unsigned char buf[SECRET_MAX])
{
	size_t n = strlen(secret), pad = 0;
	int len;

	if (strncmp(secret, "whsec_", 6) != 0) {
		if (n == 0 || n > SECRET_MAX)
			return (-1);
		memcpy(buf, secret, n);
		return ((int)n);
	}
	secret += 6;
	n -= 6;
	while (pad < 2 && n > pad && secret[n - 1 - pad] == '=')
		pad++;
	if (n == 0 || n % 4 != 0 || n / 4 * 3 > SECRET_MAX ||
	    (len = EVP_DecodeBlock(buf, (const unsigned char *)secret,
	    (int)n)) == -1)
		return (-1);
	return (len - (int)pad);
}

/* "v1," and the base64 of HMAC-SHA256 over id.timestamp.body */
static int
sign(const char *secret, const char *id, const char *when, const char *body,
    char *buf, size_t len)
{
	unsigned char key[SECRET_MAX], md[EVP_MAX_MD_SIZE], b64[96];
	unsigned int mdlen = 0;
	char *text = NULL;
	int keylen, n, ok;

	if ((keylen = secret_bytes(secret, key)) == -1 ||
	    (n = asprintf(&text, "%s.%s.%s", id, when, body)) == -1)
		return (-1);
	ok = HMAC(EVP_sha256(), key, keylen, (unsigned char *)text,
	    (size_t)n, md, &mdlen) != NULL;
	free(text);
	explicit_bzero(key, sizeof(key));
	if (!ok)
		return (-1);
	(void)EVP_EncodeBlock(b64, md, (int)mdlen);
	n = snprintf(buf, len, "webhook-signature: v1,%s", b64);
	return (n < 0 || (size_t)n >= len ? -1 : 0);
}

static char *
webhook_body(const char *kind, const char *task, const char *text, time_t now)
{
	char when[32], type[64];
	struct tm tm;
	json_t *j;
	char *body;

	if (gmtime_r(&now, &tm) == NULL || strftime(when, sizeof(when),
	    "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		return (NULL);
	(void)snprintf(type, sizeof(type), "orchd.%s", kind);
	j = json_pack("{sssss{ssss}}", "type", type, "timestamp", when,
	    "data", "task", task, "text", text);
	body = j == NULL ? NULL : json_dumps(j, JSON_COMPACT);
	json_decref(j);
	return (body);
}

/* --- both ----------------------------------------------------------------- */

/* A message on its way; its messenger is looked for again at the end. */
struct sending {
	uint64_t	 sd_row;
	char		*sd_dest;
};

/* One who refuses what he is sent is told of before a week has passed. */
static void
note_end(struct messenger *me, int ok, const char *why)
{
	if (!ok && !me->me_refused)
		tell_notice("remote_refused", me->me_dest, 1, "%s refuses "
		    "what orchd sends: %s; look at its line in orchd.conf. "
		    "Messages to it are tried again", me->me_dest, why);
	/* An alert may be left of a process before this one. */
	else if (ok && (me->me_refused || !me->me_worked))
		tell_notice("remote_refused", me->me_dest, 0, "%s takes what "
		    "orchd sends", me->me_dest);
	me->me_refused = !ok;
	me->me_worked |= ok;
}

/* A group that became a supergroup has another number: go on there. */
static void
chat_moved(struct messenger *me, const struct remote_answer *ra)
{
	json_t *j = load(ra->ra_body, ra->ra_len);
	json_t *to = json_object_get(json_object_get(j, "parameters"),
	    "migrate_to_chat_id");
	char *chat;

	if (json_is_integer(to) && asprintf(&chat, "%lld",
	    (long long)json_integer_value(to)) != -1) {
		log_warnx("%s: the chat %s is %s now, which is written to "
		    "until orchd starts again: put it in orchd.conf",
		    me->me_dest, me->me_to, chat);
		free(me->me_to);
		me->me_to = chat;
	}
	json_decref(j);
}

/* Did Telegram take it?  Something in between may answer 200 as well. */
static int
telegram_took(const struct remote_answer *ra)
{
	json_t *j = load(ra->ra_body, ra->ra_len);
	const int took = json_is_true(json_object_get(j, "ok"));

	json_decref(j);
	return (took);
}

/*
 * Is it what the message says that is refused?  With 400 Telegram also says
 * that a chat is not there, has moved, or that the bot may not write to it.
 */
static int
is_content(const struct remote_answer *ra, int chat)
{
	static const char *const of_chat[] = { "chat", "group", "channel",
	    "peer", "user", "rights", "thread", "topic" };
	size_t i;

	if (ra->ra_end != REMOTE_REFUSED ||
	    carry_judge(ra->ra_status, 0) != CARRY_REFUSED)
		return (0);
	for (i = 0; chat && i < sizeof(of_chat) / sizeof(of_chat[0]); i++)
		if (strcasestr(ra->ra_why, of_chat[i]) != NULL)
			return (0);
	return (1);
}

static void
sent_cb(const struct remote_answer *ra, void *arg)
{
	struct sending *sd = arg;
	struct messenger *me = messenger_find(sd->sd_dest);
	const int chat = me != NULL && strcmp(me->me_kind, "telegram") == 0;
	const int content = is_content(ra, chat);
	const char *why = ra->ra_why;
	int ok = ra->ra_end == REMOTE_OK;

	if (ok && chat && !telegram_took(ra)) {
		why = "an answer that is none of Telegram's";
		ok = 0;
	}
	if (me != NULL && !content && (ok || ra->ra_end == REMOTE_REFUSED))
		note_end(me, ok, why);
	if (chat && ra->ra_status == 400)
		chat_moved(me, ra);
	if (content)
		outbox_refuse(sd->sd_row, OUTBOX_REFUSED, why);
	else if (ra->ra_asked)
		outbox_settle(sd->sd_row, ok, why);
	else
		outbox_later(sd->sd_row);
	free(sd->sd_dest);
	free(sd);
}

static int
send_row(struct messenger *me, uint64_t row, const struct remote_ask *want)
{
	struct sending *sd;

	if ((sd = calloc(1, sizeof(*sd))) == NULL)
		return (-1);
	sd->sd_row = row;
	if ((sd->sd_dest = strdup(me->me_dest)) != NULL &&
	    remote_ask(me->me_remote, want, sent_cb, sd) == 0)
		return (0);
	free(sd->sd_dest);
	free(sd);
	return (-1);
}

int
notify_address(const struct messenger *me, char *buf, size_t len)
{
	int n = snprintf(buf, len, "%s%s", own_server(me) ? "" : TELEGRAM
	    "/bot", me->me_secret);

	return (n < 0 || (size_t)n >= len ? -1 : 0);
}

static int
telegram_send(struct messenger *me, uint64_t row, char *text)
{
	struct remote_ask want = { .ask_prio = REMOTE_NOW,
	    .ask_method = "POST" };
	char url[4400], *body;
	int r = -1;

	text_cut_utf16(text, TELEGRAM_UNITS);
	if (notify_address(me, url, sizeof(url)) == -1 ||
	    strlcat(url, "/sendMessage", sizeof(url)) >= sizeof(url) ||
	    (body = telegram_body(me->me_to, text)) == NULL)
		return (-1);
	want.ask_url = url;
	want.ask_body = body;
	r = send_row(me, row, &want);
	explicit_bzero(url, sizeof(url));
	free(body);
	return (r);
}

static int
webhook_send(struct messenger *me, uint64_t row, const char *kind,
    const char *task, const char *key, const char *text)
{
	char id[160], when[64], stamp[32], signature[160], *body;
	struct remote_ask want = { .ask_prio = REMOTE_NOW,
	    .ask_method = "POST", .ask_url = me->me_to,
	    .ask_headers = { id, when, signature } };
	time_t now = time(NULL);
	int r = -1;

	(void)snprintf(id, sizeof(id), "webhook-id: %s", key);
	(void)snprintf(stamp, sizeof(stamp), "%lld", (long long)now);
	(void)snprintf(when, sizeof(when), "webhook-timestamp: %s", stamp);
	if ((body = webhook_body(kind, task, text, now)) == NULL)
		return (-1);
	want.ask_body = body;
	if (sign(me->me_secret, key, stamp, body, signature,
	    sizeof(signature)) == 0)
		r = send_row(me, row, &want);
	else
		log_warnx("%s: its secret is no key: whsec_ and base64, or "
		    "a text of at most %u bytes", me->me_dest, SECRET_MAX);
	free(body);
	return (r);
}

void
notify_deliver(struct messenger *me, uint64_t row, const char *kind,
    const char *task, const char *key, const char *text)
{
	char *clean = text_clean(text[0] != '\0' ? text : kind);
	int r;

	if (clean == NULL)
		r = -1;
	else if (strcmp(me->me_kind, "telegram") == 0)
		r = telegram_send(me, row, clean);
	else
		r = webhook_send(me, row, kind, task, key, clean);
	free(clean);
	if (r == -1)
		outbox_settle(row, 0, "it cannot be sent");
}
