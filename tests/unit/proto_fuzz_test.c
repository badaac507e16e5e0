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

/* The seed corpus of tests/fuzz/frame.c, and each seed with bytes changed. */

#include <dirent.h>

#include "proto_fill.h"

#define FUZZER
#include "tests/fuzz/frame.c"

#define CORPUS	"tests/fuzz/frame.corpus"

/* xorshift: the same bytes in each run. */
static uint32_t
next_random(uint32_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 17;
	*x ^= *x << 5;
	return (*x);
}

static void
run(const uint8_t *data, size_t size)
{
	/* Of exactly that size, so that a sanitizer sees one byte too far. */
	uint8_t *copy = malloc(size == 0 ? 1 : size);

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, data, size);
	(void)LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

/* A few bytes changed, and the end cut off. */
static void
run_mutated(const uint8_t *data, size_t size, uint32_t *x, unsigned int times)
{
	uint8_t copy[4096];
	size_t len;
	unsigned int i, k;

	ck_assert_uint_le(size, sizeof(copy));
	for (i = 0; i < times; i++) {
		memcpy(copy, data, size);
		for (k = next_random(x) % 4; k > 0; k--)
			copy[6 + next_random(x) % (size - 6)] =
			    (uint8_t)next_random(x);
		len = next_random(x) % 4 == 0 ? next_random(x) % size : size;
		run(copy, len);
	}
}

START_TEST(seed_corpus_keeps_the_oracle)
{
	uint8_t data[4096];
	char path[512];
	struct dirent *e;
	uint32_t x = 2463534242;
	unsigned int n = 0;
	size_t size;
	DIR *dir;
	FILE *fp;

	ck_assert_ptr_nonnull(dir = opendir(CORPUS));
	while ((e = readdir(dir)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		ck_assert_int_lt(snprintf(path, sizeof(path), "%s/%s", CORPUS,
		    e->d_name), (int)sizeof(path));
		ck_assert_ptr_nonnull(fp = fopen(path, "rb"));
		size = fread(data, 1, sizeof(data), fp);
		fclose(fp);
		ck_assert_uint_gt(size, ORCH_HEADER_SIZE);
		run(data, size);
		run_mutated(data, size, &x, 2000);
		n++;
	}
	closedir(dir);
	ck_assert_uint_ge(n, 10);
}
END_TEST

START_TEST(changed_messages_keep_the_oracle)
{
	struct raw raw = { NULL, 0, 0 };
	uint32_t x = 88675123;
	unsigned int t;

	for (t = 1; t < ORCH_TYPE_MAX; t++) {
		if (orch_msg(t) == NULL)
			continue;
		raw_message(&raw, t, 299, FILL_SMALL);
		if (raw.r_len <= 4096)
			run_mutated(raw.r_p, raw.r_len, &x, 1000);
	}
	free(raw.r_p);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("proto fuzz");
	TCase *tc = tcase_create("fuzz");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, seed_corpus_keeps_the_oracle);
	tcase_add_test(tc, changed_messages_keep_the_oracle);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed == 0 ? 0 : 1);
}
