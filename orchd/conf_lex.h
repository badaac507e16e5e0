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

#ifndef ORCHD_CONF_LEX_H
#define ORCHD_CONF_LEX_H

#include "conf.h"

/*
 * The words of a configuration: includes, macros, comments, quoting.  It knows
 * no keyword; parse.y gives the words their meaning.
 */

enum lex_kind {
	LEX_END,
	LEX_NEWLINE,	/* end of line, or a semicolon */
	LEX_WORD,	/* bare */
	LEX_QSTRING,	/* in quotes, or from a macro */
	LEX_MACRO,	/* a bare word that an equals sign follows */
	LEX_OPEN,
	LEX_CLOSE,
	LEX_EQUALS
};

struct lex_token {
	enum lex_kind	 lt_kind;
	char		*lt_text;	/* WORD, QSTRING, MACRO: caller frees */
	struct conf_loc	 lt_loc;
};

struct lexer;

/* Called for each fault the lexer finds; the text is valid during the call. */
typedef void (*lex_fault_fn)(void *, const struct conf_loc *, const char *);

/* A lexer without input.  The strlist takes the names of the files read. */
struct lexer	*lex_new(struct strlist *, lex_fault_fn, void *);

/* Free a lexer with its macros and what it has not read. */
void		 lex_free(struct lexer *);

/*
 * Read a file, or an open descriptor from its start, next; at its end the
 * lexer goes on where it was.  The file must be regular, at most 1 MiB and
 * without NUL bytes; with `secure` nobody else may be able to write it.  On
 * failure -1 and a clause for the person in err.
 */
int		 lex_push_file(struct lexer *, const char *, int secure, char *,
		    size_t);
int		 lex_push_fd(struct lexer *, int, const char *, int secure,
		    char *, size_t);

/* The next token; LEX_END for ever after the end. */
void		 lex_next(struct lexer *, struct lex_token *);

/* Define a macro; a second definition replaces the first. */
void		 lex_macro_set(struct lexer *, const char *, const char *);

#endif
