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
#include <unistd.h>

#include "proto/proto.h"

#include "orchctl.h"

enum ctl_exit
ask_connect(struct ctx *c)
{
	enum ctl_exit res;

	if (c->c_client.cl_fd != -1)
		return (CTL_OK);
	if ((res = client_open(&c->c_client, c->c_socket)) != CTL_OK)
		complain("%s", c->c_client.cl_err);
	return (res);
}

json_t *
ask_parse(const struct answer *a, const char *verb)
{
	json_error_t err;
	json_t *doc;

	doc = json_loadb(a->a_json == NULL ? "" : a->a_json, a->a_jsonlen,
	    JSON_REJECT_DUPLICATES, &err);
	if (doc == NULL)
		complain("orchd's answer to %s is no JSON: %s (byte %d of %zu)",
		    verb, err.text, err.position, a->a_jsonlen);
	return (doc);
}

/* Print an answer as the one document that -j promises. */
static void
answer_json(struct ctx *c, const struct answer *a)
{
	json_t *doc;
	char *s = NULL;

	if (a->a_jsonlen > 0) {
		json_write(c->c_out.o_fp, a->a_json, a->a_jsonlen);
		return;
	}
	doc = json_pack("{s:s, s:s}", "result", orch_result_name(a->a_result),
	    "text", a->a_text);
	if (doc != NULL)
		s = json_dumps(doc, JSON_COMPACT | JSON_ENSURE_ASCII);
	if (s != NULL)
		json_write(c->c_out.o_fp, s, strlen(s));
	free(s);
	json_decref(doc);
}

static enum ctl_exit
refused(struct ctx *c, const struct answer *a)
{
	if (c->c_json)
		answer_json(c, a);
	if (*a->a_text != '\0')
		complain("%s", a->a_text);
	else
		complain("orchd refused %s (%s)", c->c_verb->v_name,
		    orch_result_name(a->a_result));
	return (CTL_REFUSED);
}

enum ctl_exit
ask_json(struct ctx *c, const char *verb, const char *object,
    const char *const *args, json_t **doc, struct answer *keep)
{
	struct answer a;
	enum ctl_exit res;

	*doc = NULL;
	if ((res = ask_connect(c)) != CTL_OK)
		return (res);
	res = client_query(&c->c_client, verb, object, args, &a);
	if (res != CTL_OK) {
		complain("%s", c->c_client.cl_err);
		return (res);
	}
	if (a.a_result != RES_OK)
		res = refused(c, &a);
	else if ((*doc = ask_parse(&a, verb)) == NULL)
		res = CTL_REFUSED;
	if (res == CTL_OK && keep != NULL)
		*keep = a;
	else
		answer_free(&a);
	return (res);
}

/*
 * Silence is success, unless on a terminal; -j prints a document always.  That
 * nothing was left to be done is said in any case.
 */
static void
action_report(struct ctx *c, const struct answer *a)
{
	if (c->c_json) {
		answer_json(c, a);
		return;
	}
	if (c->c_quiet || *a->a_text == '\0' ||
	    (!c->c_out.o_tty && a->a_result != RES_DUPLICATE))
		return;
	out_wrap(&c->c_out, SHADE_NONE, 0, a->a_text);
}

enum ctl_exit
ask_action(struct ctx *c, const struct orch_action *act, json_t **doc)
{
	struct answer a;
	enum ctl_exit res;

	if (doc != NULL)
		*doc = NULL;
	if ((res = ask_connect(c)) != CTL_OK)
		return (res);
	if ((res = client_action(&c->c_client, act, &a)) != CTL_OK) {
		complain("%s%s", c->c_client.cl_err, res == CTL_UNREACHED ?
		    ". Whether it was done is not known: look with orchctl "
		    "status" : "");
		return (res);
	}
	/* Done already is done. */
	if (a.a_result != RES_OK && a.a_result != RES_DUPLICATE)
		res = refused(c, &a);
	else {
		action_report(c, &a);
		if (doc != NULL && a.a_jsonlen > 0)
			*doc = json_loadb(a.a_json, a.a_jsonlen, 0, NULL);
	}
	answer_free(&a);
	return (res);
}
