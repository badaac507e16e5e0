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

#ifndef ORCHD_FRONTMATTER_H
#define ORCHD_FRONTMATTER_H

#include <stddef.h>

#define FM_SIZE_MAX	(256U << 10)	/* bytes of YAML text */
#define FM_NODES_MAX	10000U
#define FM_DEPTH_MAX	8U

enum fm_kind {
	FM_SCALAR,
	FM_LIST,
	FM_MAP
};

/* One value.  All scalars are text: no YAML typing is applied. */
struct fm_node {
	enum fm_kind	 fn_kind;
	unsigned int	 fn_line;	/* line in the file, from 1 */
	char		*fn_text;	/* scalars: never NULL */
	char		**fn_key;	/* maps: fn_n keys, each once */
	struct fm_node	*fn_item;	/* maps and lists: fn_n values */
	size_t		 fn_n;
};

struct fm {
	struct fm_node	 fm_root;
	size_t		 fm_body;	/* offset of the text behind it */
	unsigned int	 fm_body_line;	/* and its first line */
};

struct fm_error {
	unsigned int	 fe_line;	/* line in the file, from 1 */
	char		 fe_text[256];	/* a sentence, escaped */
};

/*
 * Read the YAML front matter of a text: its first line (after an optional
 * byte order mark) is exactly `---', it ends at the next line `---' or
 * `...', it is a mapping.  CR LF is tolerated.  Refused, with the line:
 * no or unended front matter, malformed YAML, a key twice, an anchor,
 * alias or explicit tag, more than the limits above.
 * 0, and the caller calls fm_free(); or -1 with `fe' filled.
 */
int fm_parse(const char *buf, size_t len, struct fm *, struct fm_error *fe);

/* The same for a file that is YAML as a whole; any kind of root. */
int fm_parse_yaml(const char *buf, size_t len, struct fm *,
    struct fm_error *fe);

/* The value of a key of a mapping, or NULL. */
const struct fm_node *fm_map_get(const struct fm_node *, const char *key);

/* The value of a key at the top, or NULL. */
const struct fm_node *fm_get(const struct fm *, const char *key);

/*
 * The text of a key at the top, or NULL when there is none or it is not a
 * scalar.  `line' (may be NULL) is set when the key is there.
 */
const char *fm_text(const struct fm *, const char *key, unsigned int *line);

/* Free what parsing made; may be called twice. */
void fm_free(struct fm *);

#endif
