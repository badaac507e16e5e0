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


/* Every effect of the table has one driver, and what its class asks for. */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "finalizerd/finalizerd.h"
#include "proto/effects.h"

static const struct effect_driver *
driver_of(const char *name)
{
	const struct effect_driver *ed = NULL;
	size_t i;

	for (i = 0; i < effect_ndrivers; i++)
		if (strcmp(effect_drivers[i]->ed_name, name) == 0) {
			ck_assert_ptr_null(ed);
			ed = effect_drivers[i];
		}
	return (ed);
}

START_TEST(every_effect_has_one_driver_of_its_class)
{
	const struct orch_effect_kind *ek = &orch_effect_kinds[_i];
	const struct effect_driver *ed = driver_of(ek->ek_name);

	ck_assert_msg(ed != NULL, "%s has no driver", ek->ek_name);
	ck_assert_int_eq(ed->ed_class, ek->ek_class);
	ck_assert(ed->ed_probe != NULL && ed->ed_apply != NULL);
	ck_assert_int_ne(ek->ek_quiesce[0], '\0');
}
END_TEST

START_TEST(a_driver_without_quiesce_is_compared_or_keyed)
{
	const struct effect_driver *ed = effect_drivers[_i];

	ck_assert_ptr_nonnull(orch_effect_find(ed->ed_name));
	if (ed->ed_quiesce == NULL)
		ck_assert(ed->ed_class == CLASS_CAS ||
		    ed->ed_class == CLASS_KEYED);
}
END_TEST

/* R-15 names them; the numbers of the classes are on the wire and on disk. */
START_TEST(the_classes_are_those_of_the_specification)
{
	static const struct {
		const char	*name;
		int		 class;
	} t[] = {
		{ "push", 1 }, { "merge", 1 }, { "branch-delete", 1 },
		{ "records", 1 }, { "pr-open", 2 }, { "pr-close", 2 },
		{ "image-build", 3 }, { "deploy-start", 3 }, { "rollback", 3 }
	};
	size_t i, n = sizeof(t) / sizeof(t[0]);

	ck_assert_uint_eq(orch_effect_nkinds, n);
	ck_assert_uint_eq(effect_ndrivers, n);
	for (i = 0; i < n; i++)
		ck_assert_int_eq((int)orch_effect_find(t[i].name)->ek_class,
		    t[i].class);
	ck_assert_ptr_null(orch_effect_find("telegram"));
	ck_assert_ptr_null(orch_effect_find(""));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("finalizerd drivers");
	TCase *tc = tcase_create("drivers");
	SRunner *sr;
	int failed;

	tcase_add_loop_test(tc, every_effect_has_one_driver_of_its_class, 0,
	    (int)orch_effect_nkinds);
	tcase_add_loop_test(tc, a_driver_without_quiesce_is_compared_or_keyed,
	    0, (int)effect_ndrivers);
	tcase_add_test(tc, the_classes_are_those_of_the_specification);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed == 0 ? 0 : 1);
}
