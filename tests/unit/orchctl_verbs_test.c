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

#include "tests/unit/orchctl_fake.h"

#define FULL(w)	ck_assert_int_eq(verb_find(w, &v), LOOKUP_FULL)

START_TEST(verb_is_found_by_a_prefix_that_is_unique)
{
	const struct verb *v;

	ck_assert_int_eq(verb_find("stat", &v), LOOKUP_OK);
	ck_assert_str_eq(v->v_name, "status");
	ck_assert_int_eq(verb_find("h", &v), LOOKUP_OK);
	ck_assert_str_eq(v->v_name, "history");
	ck_assert_int_eq(verb_find("s", &v), LOOKUP_AMBIGUOUS);
	ck_assert_int_eq(verb_find("re", &v), LOOKUP_AMBIGUOUS);
	ck_assert_int_eq(verb_find("", &v), LOOKUP_UNKNOWN);
	ck_assert_int_eq(verb_find("statusx", &v), LOOKUP_UNKNOWN);
	ck_assert_int_eq(verb_find("giteaa", &v), LOOKUP_UNKNOWN);
}
END_TEST

START_TEST(verb_that_cannot_be_taken_back_needs_its_full_name)
{
	const struct verb *v;

	FULL("can");
	FULL("shut");
	FULL("shutdow");
	FULL("resta");
	FULL("rej");
	FULL("con");
	FULL("approv");
	ck_assert_int_eq(verb_find("cancel", &v), LOOKUP_OK);
}
END_TEST

static char *
slurp(const char *name)
{
	char path[512], *text;
	const char *top = getenv("SRCTOP");
	FILE *fp;
	size_t n;

	snprintf(path, sizeof(path), "%s/%s", top == NULL ? "." : top, name);
	fp = fopen(path, "r");
	ck_assert_msg(fp != NULL, "%s: run this at the top of the tree", path);
	ck_assert_ptr_nonnull(text = calloc(1, 65536));
	n = fread(text, 1, 65535, fp);
	ck_assert_uint_lt(n, 65535);
	fclose(fp);
	return (text);
}

/* A line of mdoc as plain text: "Oo Fl c Ar x Oc" is "[-c x]". */
static void
plain(char *line, char *out, size_t len)
{
	char *word;
	int flag = 0, close = 0, glue = 1;

	out[0] = '\0';
	while ((word = strsep(&line, " ")) != NULL) {
		if (strcmp(word, ".It") == 0 || strcmp(word, "Ic") == 0 ||
		    strcmp(word, "Ar") == 0 || strcmp(word, ".Ar") == 0)
			continue;
		if (strcmp(word, "Fl") == 0) {
			flag = 1;
			continue;
		}
		if (strcmp(word, "Oc") == 0) {
			strlcat(out, "]", len);
			continue;
		}
		if (!glue)
			strlcat(out, " ", len);
		glue = 0;
		if (strcmp(word, "Oo") == 0 || strcmp(word, "Op") == 0 ||
		    strcmp(word, ".Op") == 0) {
			close += word[strlen(word) - 1] == 'p';
			strlcat(out, "[", len);
			glue = 1;
			continue;
		}
		if (flag)
			strlcat(out, "-", len);
		flag = 0;
		strlcat(out, word, len);
	}
	while (close-- > 0)
		strlcat(out, "]", len);
}

START_TEST(manual_and_usage_name_the_same_verbs_and_arguments)
{
	char *man = slurp("man/orchctl.8"), *p, *end, got[512], want[512];
	const struct verb *v = verbs;

	p = strstr(man, "\n.Sh VERBS");
	ck_assert_ptr_nonnull(p);
	*strstr(p, "\n.Sh ENV") = '\0';
	while ((p = strstr(p, "\n.It Ic ")) != NULL) {
		end = strchr(++p, '\n');
		*end = '\0';
		plain(p, got, sizeof(got));
		snprintf(want, sizeof(want), "%s%s%s", v->v_name,
		    *v->v_args == '\0' ? "" : " ", v->v_args);
		ck_assert_str_eq(got, want);
		*end = '\n';
		p = end;
		v++;
	}
	ck_assert_msg(v->v_name == NULL, "orchctl(8) lacks %s", v->v_name);
	free(man);
}
END_TEST

START_TEST(manual_synopsis_is_the_usage_line)
{
	char *man = slurp("man/orchctl.8"), *p, *end, line[256];
	char want[512] = "usage: orchctl", *text = NULL;
	size_t len = 0;
	FILE *fp = open_memstream(&text, &len);

	usage_all(fp);
	fclose(fp);
	*strchr(text, '\n') = '\0';
	p = strstr(man, "\n.Sh SYNOPSIS\n.Nm\n");
	ck_assert_ptr_nonnull(p);
	p += strlen("\n.Sh SYNOPSIS\n.Nm\n");
	*strstr(p, ".Sh DESC") = '\0';
	for (; *p != '\0'; p = end + 1) {
		end = strchr(p, '\n');
		*end = '\0';
		plain(p, line, sizeof(line));
		strlcat(want, " ", sizeof(want));
		strlcat(want, line, sizeof(want));
	}
	ck_assert_str_eq(text, want);
	free(text);
	free(man);
}
END_TEST

START_TEST(completions_know_every_verb)
{
	char *bash = slurp("etc/completions/orchctl.bash");
	char *zsh = slurp("etc/completions/_orchctl"), all[512] = "verbs='";
	char line[256];
	const struct verb *v;

	for (v = verbs; v->v_name != NULL; v++) {
		strlcat(all, v->v_name, sizeof(all));
		strlcat(all, v[1].v_name == NULL ? "'\n" : " ", sizeof(all));
		snprintf(line, sizeof(line), "'%s:%s'\n", v->v_name,
		    v->v_help);
		ck_assert_msg(strstr(zsh, line) != NULL, "no %s", line);
	}
	ck_assert_msg(strstr(bash, all) != NULL, "no %s", all);
	free(bash);
	free(zsh);
}
END_TEST

static void
fill(TCase *t)
{
	tcase_add_test(t, verb_is_found_by_a_prefix_that_is_unique);
	tcase_add_test(t,
	    verb_that_cannot_be_taken_back_needs_its_full_name);
	tcase_add_test(t,
	    manual_and_usage_name_the_same_verbs_and_arguments);
	tcase_add_test(t, manual_synopsis_is_the_usage_line);
	tcase_add_test(t, completions_know_every_verb);
}

int
main(void)
{
	return (run_suite("orchctl_verbs", fill));
}
