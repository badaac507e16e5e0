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
#include <err.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/stdlib.h>

#include "options.h"

#define G	OPTION_G
#define P	OPTION_P
static const struct option_def options[OPT_MAX] = {
#define ORCH_OPTION(id, name, type, min, max, dflt, scope, reload, help) \
	[OPT_##id] = { #name, "ORCH_" #id, OPTION_##type, min, max, dflt, \
	    scope, reload, help },
#include "options.def"
#undef ORCH_OPTION
};
#undef G
#undef P

static const struct {
	const char	*word;
	int		 value;
} bools[] = {
	{ "yes", 1 }, { "no", 0 }, { "on", 1 }, { "off", 0 },
	{ "true", 1 }, { "false", 0 }, { "1", 1 }, { "0", 0 },
};

const struct option_def *
option_def(enum option o)
{
	if ((unsigned int)o >= OPT_MAX)
		errx(1, "option %d does not exist", (int)o);
	return (&options[o]);
}

enum option
option_lookup(const char *name)
{
	size_t	 i;

	for (i = 0; i < OPT_MAX; i++)
		if (strcmp(options[i].od_name, name) == 0)
			return ((enum option)i);
	return (OPT_MAX);
}

static int
parse_bool(const char *s, int64_t *out)
{
	size_t	 i;

	for (i = 0; i < sizeof(bools) / sizeof(bools[0]); i++)
		if (strcmp(bools[i].word, s) == 0) {
			*out = bools[i].value;
			return (0);
		}
	return (-1);
}

static int
parse_int(const struct option_def *d, const char *s, int64_t *out)
{
	const char	*errstr;

	/* strtonum takes blanks and signs; a configuration does not. */
	if (s[0] == '\0' || s[strspn(s, "0123456789")] != '\0')
		return (-1);
	*out = strtonum(s, d->od_min, d->od_max, &errstr);
	return (errstr == NULL ? 0 : -1);
}

static int
parse_ratio(const struct option_def *d, const char *s, double *out)
{
	char	*end;
	double	 v;

	if (!isdigit((unsigned char)s[0]) ||
	    s[strspn(s, "0123456789.")] != '\0')
		return (-1);
	v = strtod(s, &end);
	if (*end != '\0' || v < (double)d->od_min || v > (double)d->od_max)
		return (-1);
	*out = v;
	return (0);
}

static int
set_one(const struct option_def *d, struct option_value *v, const char *s,
    char *err, size_t errlen)
{
	switch (d->od_type) {
	case OPTION_BOOL:
		if (parse_bool(s, &v->ov_int) == 0)
			return (0);
		snprintf(err, errlen, "\"%.80s\" is not yes or no", s);
		return (-1);
	case OPTION_INT:
		if (parse_int(d, s, &v->ov_int) == 0)
			return (0);
		snprintf(err, errlen, "\"%.80s\" is not a whole number from "
		    "%" PRId64 " to %" PRId64, s, d->od_min, d->od_max);
		return (-1);
	case OPTION_RATIO:
		if (parse_ratio(d, s, &v->ov_ratio) == 0)
			return (0);
		snprintf(err, errlen, "\"%.80s\" is not a number from "
		    "%" PRId64 " to %" PRId64 " such as 0.2", s, d->od_min,
		    d->od_max);
		return (-1);
	case OPTION_STRING:
		free(v->ov_str);
		if ((v->ov_str = strdup(s)) == NULL)
			errx(1, "out of memory");
		return (0);
	case OPTION_LIST:
		break;
	}
	return (-1);
}

int
option_set(enum option o, struct option_value *v, char *const *texts,
    size_t n, char *err, size_t errlen)
{
	const struct option_def	*d = option_def(o);
	size_t			 i;

	if (d->od_type == OPTION_LIST) {
		strlist_free(&v->ov_list);
		for (i = 0; i < n; i++)
			strlist_add(&v->ov_list, texts[i]);
		v->ov_set = 1;
		return (0);
	}
	if (n != 1) {
		snprintf(err, errlen, "one value is expected, not %zu", n);
		return (-1);
	}
	if (set_one(d, v, texts[0], err, errlen) == -1)
		return (-1);
	v->ov_set = 1;
	return (0);
}

int
option_set_env(enum option o, struct option_value *v, const char *text,
    char *err, size_t errlen)
{
	const struct option_def	*d = option_def(o);
	struct strlist		 words = { NULL, 0 };
	char			*copy, *p, *word, *one[1];
	int			 rv;

	if ((copy = strdup(text)) == NULL)
		errx(1, "out of memory");
	if (d->od_type == OPTION_LIST) {
		p = copy;
		while ((word = strsep(&p, " \t,")) != NULL)
			if (*word != '\0')
				strlist_add(&words, word);
		rv = option_set(o, v, words.sl_v, words.sl_n, err, errlen);
		strlist_free(&words);
	} else {
		one[0] = copy;
		rv = option_set(o, v, one, 1, err, errlen);
	}
	free(copy);
	return (rv);
}

void
option_set_default(enum option o, struct option_value *v)
{
	const struct option_def	*d = option_def(o);
	char			 why[160];

	/* A default is written as in the environment: lists with blanks. */
	if (option_set_env(o, v, d->od_default, why, sizeof(why)) == -1)
		errx(1, "options.def: %s: default: %s", d->od_name, why);
	v->ov_set = 0;
}

void
option_clear(struct option_value *v)
{
	free(v->ov_str);
	strlist_free(&v->ov_list);
	memset(v, 0, sizeof(*v));
}

void
option_print_quoted(const char *s, FILE *fp)
{
	fputc('"', fp);
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			fputc('\\', fp);
		if (*s == '\n')
			fputs("\\n", fp);
		else
			fputc(*s, fp);
	}
	fputc('"', fp);
}

void
option_print_value(enum option o, const struct option_value *v, FILE *fp)
{
	size_t	 i;

	switch (option_def(o)->od_type) {
	case OPTION_BOOL:
		fputs(v->ov_int ? "yes" : "no", fp);
		break;
	case OPTION_INT:
		fprintf(fp, "%" PRId64, v->ov_int);
		break;
	case OPTION_RATIO:
		fprintf(fp, "%.15g", v->ov_ratio);
		break;
	case OPTION_STRING:
		option_print_quoted(v->ov_str != NULL ? v->ov_str : "", fp);
		break;
	case OPTION_LIST:
		fputs("{", fp);
		for (i = 0; i < v->ov_list.sl_n; i++) {
			fputc(' ', fp);
			option_print_quoted(v->ov_list.sl_v[i], fp);
		}
		fputs(" }", fp);
		break;
	}
}

static void
print_conf_line(enum option o, const struct option_value *v, FILE *fp)
{
	const struct option_def	*d = option_def(o);

	fprintf(fp, "# %s%s\n# %s ", d->od_help,
	    d->od_scope == OPTION_P ? " (also in a project)" : "", d->od_name);
	option_print_value(o, v, fp);
	fputc('\n', fp);
}

static void
print_mdoc_line(enum option o, const struct option_value *v, FILE *fp)
{
	static const char *const types[] = {
		[OPTION_BOOL] = "yes or no", [OPTION_INT] = "number",
		[OPTION_RATIO] = "ratio", [OPTION_STRING] = "text",
		[OPTION_LIST] = "list",
	};
	const struct option_def	*d = option_def(o);

	fprintf(fp, ".It Ic %s Pq %s", d->od_name, types[d->od_type]);
	if (d->od_type == OPTION_INT || d->od_type == OPTION_RATIO)
		fprintf(fp, " , %" PRId64 " to %" PRId64, d->od_min,
		    d->od_max);
	fprintf(fp, "\n%c%s.\nDefault ", toupper((unsigned char)d->od_help[0]),
	    d->od_help + 1);
	option_print_value(o, v, fp);
	fprintf(fp, "; %s%s.\n", d->od_scope == OPTION_P ?
	    "global and project" : "global",
	    d->od_reload ? "" : "; needs a restart");
}

void
option_print_table(enum option_form form, FILE *fp)
{
	struct option_value	 v;
	const struct option_def	*d;
	size_t			 i;

	for (i = 0; i < OPT_MAX; i++) {
		d = option_def((enum option)i);
		memset(&v, 0, sizeof(v));
		option_set_default((enum option)i, &v);
		switch (form) {
		case OPTION_FORM_CONF:
			print_conf_line((enum option)i, &v, fp);
			break;
		case OPTION_FORM_ENV:
			fprintf(fp, "# %s\n# %s=%s\n", d->od_help, d->od_env,
			    d->od_default);
			break;
		case OPTION_FORM_MDOC:
			print_mdoc_line((enum option)i, &v, fp);
			break;
		}
		option_clear(&v);
	}
}

void
strlist_add(struct strlist *l, const char *s)
{
	char	**v;

	if ((v = reallocarray(l->sl_v, l->sl_n + 2, sizeof(*v))) == NULL)
		errx(1, "out of memory");
	l->sl_v = v;
	if ((v[l->sl_n] = strdup(s)) == NULL)
		errx(1, "out of memory");
	v[++l->sl_n] = NULL;
}

int
strlist_has(const struct strlist *l, const char *s)
{
	size_t	 i;

	for (i = 0; i < l->sl_n; i++)
		if (strcmp(l->sl_v[i], s) == 0)
			return (1);
	return (0);
}

void
strlist_free(struct strlist *l)
{
	size_t	 i;

	for (i = 0; i < l->sl_n; i++)
		free(l->sl_v[i]);
	free(l->sl_v);
	l->sl_v = NULL;
	l->sl_n = 0;
}
