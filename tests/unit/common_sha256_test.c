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

#include "git_fixture.h"
#include "libcommon/sha256.h"
#include "libcommon/verdict.h"

START_TEST(sha256_matches_fips_180_example)
{
	char out[SHA256_HEX_SIZE];

	ck_assert_int_eq(sha256_hex("abc", 3, out), 0);
	ck_assert_str_eq(out, "ba7816bf8f01cfea414140de5dae2223b00361a396177a"
	    "9cb410ff61f20015ad");
	ck_assert_int_eq(sha256_hex("", 0, out), 0);
	ck_assert_str_eq(out, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b93"
	    "4ca495991b7852b855");
}
END_TEST

START_TEST(hmac_matches_rfc_4231_case_2)
{
	char out[SHA256_HEX_SIZE];

	ck_assert_int_eq(hmac_sha256_hex("Jefe", 4,
	    "what do ya want for nothing?", 28, out), 0);
	ck_assert_str_eq(out, "5bdcc146bf60754e6a042426089575c75a003f089d2739"
	    "839dec58b964ec3843");
}
END_TEST

START_TEST(hmac_refuses_a_missing_key)
{
	char out[SHA256_HEX_SIZE];

	ck_assert_int_eq(hmac_sha256_hex(NULL, 0, "x", 1, out), -1);
	ck_assert_str_eq(out, "");
}
END_TEST

START_TEST(ct_equal_sees_the_first_and_the_last_byte)
{
	ck_assert_int_eq(ct_equal("abcd", "abcd", 4), 1);
	ck_assert_int_eq(ct_equal("abcd", "abcx", 4), 0);
	ck_assert_int_eq(ct_equal("abcd", "xbcd", 4), 0);
}
END_TEST

START_TEST(hex_decode_refuses_other_lengths_and_digits)
{
	unsigned char b[2];

	ck_assert_int_eq(hex_decode("0aFf", b, 2), 0);
	ck_assert_uint_eq(b[0], 0x0a);
	ck_assert_uint_eq(b[1], 0xff);
	ck_assert_int_eq(hex_decode("0aF", b, 2), -1);
	ck_assert_int_eq(hex_decode("0aFf0", b, 2), -1);
	ck_assert_int_eq(hex_decode("0aFg", b, 2), -1);
}
END_TEST

START_TEST(random_bytes_differ)
{
	unsigned char a[32], b[32];

	ck_assert_int_eq(random_bytes(a, sizeof(a)), 0);
	ck_assert_int_eq(random_bytes(b, sizeof(b)), 0);
	ck_assert_int_ne(memcmp(a, b, sizeof(a)), 0);
}
END_TEST

START_TEST(verdict_names_go_both_ways_and_no_other_parses)
{
	enum gate_verdict v;
	unsigned int i;

	for (i = 0; i < GATE_VERDICT_MAX; i++) {
		ck_assert_int_eq(gate_verdict_parse(gate_verdict_name(
		    (enum gate_verdict)i), &v), 0);
		ck_assert_uint_eq(v, i);
	}
	ck_assert_int_eq(gate_verdict_parse("passed", &v), -1);
	ck_assert_str_eq(gate_verdict_name(GATE_VERDICT_MAX), "?");
}
END_TEST

FX_MAIN("sha256",
    sha256_matches_fips_180_example,
    hmac_matches_rfc_4231_case_2,
    hmac_refuses_a_missing_key,
    ct_equal_sees_the_first_and_the_last_byte,
    hex_decode_refuses_other_lengths_and_digits,
    random_bytes_differ,
    verdict_names_go_both_ways_and_no_other_parses)
