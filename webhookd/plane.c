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

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/plane.h"

#include "json.h"
#include "plane.h"

#define UNKNOWN	"unknown"

static const char *
text(json_t *obj, const char *key)
{
	return (json_string_value(json_object_get(obj, key)));
}

/* A UUID of an object; NULL when it is none. */
static const char *
uuid(json_t *obj, const char *key)
{
	const char *s = text(obj, key);

	return (s != NULL && plane_id_valid(s) ? s : NULL);
}

/* v1: the data is the object itself, its project a UUID in it. */
static const char *
read_v1(json_t *root, struct delivery *dl)
{
	json_t *data = json_object_get(root, "data");
	const char *event = text(root, "event"), *item, *project;

	if (event == NULL || text(root, "action") == NULL ||
	    !json_is_object(data))
		return (NULL);
	project = uuid(data, "project");
	if (strcmp(event, "project") == 0) {
		project = uuid(data, "id");
		item = NULL;
	} else if (strcmp(event, "issue") == 0)
		item = uuid(data, "id");
	else if (strcmp(event, "issue_comment") == 0)
		item = uuid(data, "issue");
	else
		return (UNKNOWN);
	if (strcmp(event, "project") != 0 && item == NULL)
		return (NULL);
	if (delivery_text(dl->dl_project, project) == -1 ||
	    delivery_text(dl->dl_object, item) == -1)
		return (NULL);
	return (strcmp(event, "issue_comment") == 0 ? "comment" :
	    strcmp(event, "issue") == 0 ? "issue" : "project");
}

/* v2: what it is about stands at the top, and "event" may be anything. */
static const char *
read_v2(json_t *root, struct delivery *dl)
{
	json_t *data = json_object_get(root, "data");
	const char *type = text(root, "entity_type");

	if (type == NULL || text(root, "event") == NULL ||
	    !json_is_object(data))
		return (NULL);
	if (strcmp(type, "issue") != 0 && strcmp(type, "workitem") != 0)
		return (UNKNOWN);
	if (uuid(root, "entity_id") == NULL ||
	    delivery_text(dl->dl_project, uuid(data, "project_id")) == -1 ||
	    delivery_text(dl->dl_object, uuid(root, "entity_id")) == -1)
		return (NULL);
	return (json_is_object(json_object_get(data, "comment")) ?
	    "comment" : "issue");
}

/* An event header of another event than the signed body has is refused. */
static int
header_agrees(const struct http_head *head, json_t *root)
{
	const struct http_header *hh;
	const char *event = text(root, "event");

	hh = http_header_find(head, "X-Plane-Event");
	return (hh == NULL || hh->hh_value.sl_n == 0 || (event != NULL &&
	    http_slice_is(hh->hh_value, event)));
}

static const char *
plane_kind(json_t *root, const struct http_head *head, struct delivery *dl,
    const char **why)
{
	const char *version = text(root, "version"), *kind;

	kind = version != NULL && strcmp(version, "v2") == 0 ?
	    read_v2(root, dl) : read_v1(root, dl);
	if (kind == NULL)
		*why = "body lacks the fields of its kind";
	else if (!header_agrees(head, root)) {
		*why = "event header and body disagree";
		kind = NULL;
	}
	return (kind);
}

int
plane_judge(const struct delivery_conf *conf, const struct http_head *head,
    const uint8_t *body, size_t len, struct delivery *dl, const char **why)
{
	json_t *root = NULL;
	int status = 500;

	memset(dl, 0, sizeof(*dl));
	*why = "content type not served";
	if (delivery_type(head) != BODY_JSON)
		return (415);
	*why = "out of memory";
	if ((dl->dl_body = malloc(len + 1)) == NULL)
		return (500);
	memcpy(dl->dl_body, body, len);
	dl->dl_body[len] = '\0';
	dl->dl_len = len;

	status = 401;
	*why = "bad signature";
	if (!delivery_signed(conf, head, "X-Plane-Signature", dl->dl_body,
	    len))
		goto done;

	status = 400;
	if ((root = json_body_parse(dl->dl_body, len, JSON_BODY_REALS,
	    why)) == NULL ||
	    (dl->dl_kind = plane_kind(root, head, dl, why)) == NULL)
		goto done;
	*why = "bad delivery id";
	if (delivery_name(head, "X-Plane-Delivery", dl) == -1)
		goto done;
	status = 0;
	*why = NULL;
done:
	if (root != NULL)
		json_decref(root);
	if (status != 0)
		delivery_free(dl);
	return (status);
}
