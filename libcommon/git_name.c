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

#include <string.h>

#include "git.h"

#define BRANCH_MAX	200
#define PATH_MAX_OURS	1024
#define ITEM_MAX	64

/* Not isalnum(): no locale decides what a name may be. */
static int
is_alnum(char c)
{
	return ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9'));
}

static int
is_hex(const char *s, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!((s[i] >= '0' && s[i] <= '9') ||
		    (s[i] >= 'a' && s[i] <= 'f')))
			return (0);
	return (1);
}

int
git_oid_valid(const char *s)
{
	return (strlen(s) == GIT_OID_SIZE - 1 &&
	    is_hex(s, GIT_OID_SIZE - 1));
}

int
item_id_valid(const char *s)
{
	size_t i;

	if (!is_alnum(s[0]))
		return (0);
	for (i = 1; s[i] != '\0'; i++)
		if (i >= ITEM_MAX ||
		    (!is_alnum(s[i]) && s[i] != '_' && s[i] != '-'))
			return (0);
	return (1);
}

/* One part between slashes. */
static int
part_valid(const char *s, size_t n)
{
	if (n == 0 || s[0] == '.' || s[n - 1] == '.')
		return (0);
	return (n < 5 || memcmp(s + n - 5, ".lock", 5) != 0);
}

static int
parts_valid(const char *s, int (*valid)(const char *, size_t))
{
	const char *slash;

	for (; (slash = strchr(s, '/')) != NULL; s = slash + 1)
		if (!valid(s, (size_t)(slash - s)))
			return (0);
	return (valid(s, strlen(s)));
}

int
git_branch_valid(const char *s)
{
	size_t i, n = strlen(s);

	if (n == 0 || n > BRANCH_MAX || s[0] == '-')
		return (0);
	for (i = 0; i < n; i++)
		if (!is_alnum(s[i]) && strchr("._/-", s[i]) == NULL)
			return (0);
	if (strstr(s, "..") != NULL || strcmp(s, "HEAD") == 0 ||
	    strncmp(s, "refs/", 5) == 0)
		return (0);
	/* Git would take such a name for an abbreviated object id. */
	if (n >= 7 && n <= 40 && is_hex(s, n))
		return (0);
	return (parts_valid(s, part_valid));
}

int
git_ref_valid(const char *s)
{
	size_t i;

	if (strncmp(s, "refs/heads/", 11) == 0)
		return (git_branch_valid(s + 11));
	if (strncmp(s, "refs/orchd/", 11) != 0)
		return (0);
	/* A run's name, unlike a branch's, may look like an object id. */
	s += 11;
	if (strlen(s) > BRANCH_MAX || s[0] == '-' || strstr(s, "..") != NULL)
		return (0);
	for (i = 0; s[i] != '\0'; i++)
		if (!is_alnum(s[i]) && strchr("._/-", s[i]) == NULL)
			return (0);
	return (parts_valid(s, part_valid));
}

static int
path_part_valid(const char *s, size_t n)
{
	return (!(n == 0 || (n == 1 && s[0] == '.') ||
	    (n == 2 && s[0] == '.' && s[1] == '.')));
}

int
git_path_valid(const char *s)
{
	size_t n = strlen(s);

	return (n > 0 && n <= PATH_MAX_OURS &&
	    parts_valid(s, path_part_valid));
}
