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

/* Contexts for TLS, from what the folder of configurations has of it. */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libcommon/fsutil.h"
#include "libcommon/tls.h"

#define DIR	"tests/conf/"

static char why[256];

static SSL_CTX *
context(const char *cert, const char *key)
{
	char path[256], *c, *k;
	size_t clen, klen;
	SSL_CTX *ctx;

	(void)snprintf(path, sizeof(path), DIR "%s", cert);
	ck_assert_int_eq(fs_read_file(path, TLS_CERT_MAX, &c, &clen), 0);
	(void)snprintf(path, sizeof(path), DIR "%s", key);
	ck_assert_int_eq(fs_read_file(path, TLS_KEY_MAX, &k, &klen), 0);
	why[0] = '\0';
	ctx = tls_server(c, clen, k, klen, why, sizeof(why));
	ck_assert((ctx == NULL) == (why[0] != '\0'));
	free(c);
	free(k);
	return (ctx);
}

static void
refused(const char *cert, const char *key, const char *text)
{
	ck_assert_ptr_null(context(cert, key));
	ck_assert_msg(strstr(why, text) != NULL, "%s", why);
}

START_TEST(a_pair_is_taken_and_says_how_long_it_lasts)
{
	SSL_CTX *ctx = context("tls.crt", "tls.key");

	ck_assert_ptr_nonnull(ctx);
	ck_assert_int_gt(tls_days_left(ctx), 30000);
	ck_assert_int_eq(tls_end(ctx), 4948982418);
	ck_assert_int_eq(SSL_CTX_get_min_proto_version(ctx), TLS1_2_VERSION);
	ck_assert((SSL_CTX_get_options(ctx) & SSL_OP_NO_RENEGOTIATION) != 0);
	SSL_CTX_free(ctx);
}
END_TEST

/* Whoever is refused by it hears why from its sender; here it is a warning. */
START_TEST(one_that_is_over_is_told_and_taken)
{
	SSL_CTX *ctx = context("tls-over.crt", "tls.key");

	ck_assert_ptr_nonnull(ctx);
	ck_assert_int_lt(tls_days_left(ctx), -365);
	SSL_CTX_free(ctx);
}
END_TEST

START_TEST(what_does_not_fit_is_refused_in_words)
{
	refused("tls.crt", "tls-other.key", "not that of the first");
	refused("token", "tls.key", "no certificate in PEM");
	refused("tls.key", "tls.key", "no certificate in PEM");
	refused("tls-cut.crt", "tls.key", "bad end line");
	refused("tls.crt", "token", "no private key in PEM");
	refused("tls.crt", "tls.crt", "no private key in PEM");
	refused("tls-weak.crt", "tls-weak.key", "too small");
}
END_TEST

/* OpenSSL would ask on the terminal, and a daemon would wait for ever. */
START_TEST(nobody_is_asked_for_a_passphrase)
{
	refused("tls.crt", "tls-locked.key", "passphrase");
}
END_TEST

START_TEST(a_chain_may_follow_and_has_an_end)
{
	char one[4096], *all, *key;
	size_t len, klen, n, i;
	SSL_CTX *ctx;
	FILE *fp;

	ck_assert_ptr_nonnull(fp = fopen(DIR "tls.crt", "r"));
	len = fread(one, 1, sizeof(one), fp);
	fclose(fp);
	ck_assert_int_eq(fs_read_file(DIR "tls.key", TLS_KEY_MAX, &key,
	    &klen), 0);
	ck_assert_ptr_nonnull(all = malloc(20 * len));
	for (n = 1; n < 20; n++) {
		memcpy(all + (n - 1) * len, one, len);
		ctx = tls_server(all, n * len, key, klen, why, sizeof(why));
		ck_assert_msg((ctx != NULL) == (n <= 17), "%zu: %s", n, why);
		SSL_CTX_free(ctx);
	}
	/* Cut in the second one, at every length, it is no chain. */
	for (i = len + 1; i < 2 * len - 1; i += 7) {
		ctx = tls_server(all, i, key, klen, why, sizeof(why));
		ck_assert_msg(ctx == NULL || i < len + 28, "%zu", i);
		SSL_CTX_free(ctx);
	}
	free(all);
	free(key);
}
END_TEST

/* Nothing of a pair that is changed or cut may do more than be refused. */
START_TEST(changed_bytes_do_no_harm)
{
	char *cert, *key;
	size_t len, klen, i;
	SSL_CTX *ctx;

	ck_assert_int_eq(fs_read_file(DIR "tls.crt", TLS_CERT_MAX, &cert,
	    &len), 0);
	ck_assert_int_eq(fs_read_file(DIR "tls.key", TLS_KEY_MAX, &key,
	    &klen), 0);
	for (i = 0; i < len; i += 3) {
		cert[i] ^= 4;
		ctx = tls_server(cert, len, key, klen, why, sizeof(why));
		SSL_CTX_free(ctx);
		cert[i] ^= 4;
		ck_assert_ptr_null(tls_server(cert, len, key, i % klen / 2,
		    why, sizeof(why)));
	}
	ck_assert_ptr_null(tls_server("", 0, "", 0, why, sizeof(why)));
	free(cert);
	free(key);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("common_tls");
	TCase *tc = tcase_create("tls");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, a_pair_is_taken_and_says_how_long_it_lasts);
	tcase_add_test(tc, one_that_is_over_is_told_and_taken);
	tcase_add_test(tc, what_does_not_fit_is_refused_in_words);
	tcase_add_test(tc, nobody_is_asked_for_a_passphrase);
	tcase_add_test(tc, a_chain_may_follow_and_has_an_end);
	tcase_add_test(tc, changed_bytes_do_no_harm);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed != 0);
}
