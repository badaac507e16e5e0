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

#ifndef ORCHD_OPTIONS_H
#define ORCHD_OPTIONS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* The options of options.def; OPT_MAX sizes tables. */
enum option {
#define ORCH_OPTION(id, name, type, min, max, dflt, scope, reload, help) \
	OPT_##id,
#include "options.def"
#undef ORCH_OPTION
	OPT_MAX
};

enum option_type {
	OPTION_BOOL,
	OPTION_INT,
	OPTION_RATIO,
	OPTION_STRING,
	OPTION_LIST
};

enum option_scope {
	OPTION_G,	/* global only */
	OPTION_P	/* global and project */
};

/* One line of options.def.  Bounds are inclusive; no bound for texts. */
struct option_def {
	const char		*od_name;	/* keyword */
	const char		*od_env;	/* ORCH_... */
	enum option_type	 od_type;
	int64_t			 od_min;
	int64_t			 od_max;
	const char		*od_default;	/* as it would be written */
	enum option_scope	 od_scope;
	int			 od_reload;	/* SIGHUP is enough */
	const char		*od_help;
};

/* A list of strings; sl_v is always NULL-terminated once it has an entry. */
struct strlist {
	char	**sl_v;
	size_t	  sl_n;
};

/* A value; the member that counts follows from the option's type. */
struct option_value {
	int		 ov_set;
	int64_t		 ov_int;	/* OPTION_INT, OPTION_BOOL (0, 1) */
	double		 ov_ratio;
	char		*ov_str;	/* owned */
	struct strlist	 ov_list;	/* owned */
	const char	*ov_file;	/* where it was set; NULL: nowhere */
	unsigned int	 ov_line;
};

enum option_form {
	OPTION_FORM_CONF,	/* lines of etc/orchd.conf.example */
	OPTION_FORM_ENV,	/* lines of etc/orchd.env.example */
	OPTION_FORM_MDOC	/* the table of orchd.conf(5) */
};

/* The definition of an option; never NULL for a valid id. */
const struct option_def	*option_def(enum option);

/* The option with this keyword, OPT_MAX when there is none. */
enum option	 option_lookup(const char *);

/*
 * Set a value from n texts (one, except for lists, where 0 and more are
 * allowed).  Bools are yes, no, on, off, true, false, 1, 0.  On failure -1 and
 * a clause such as `"x" is not a number (1 to 60)` in err; the value is then
 * unchanged.
 */
int	 option_set(enum option, struct option_value *, char *const *, size_t,
	    char *, size_t);

/*
 * Set a value from one environment text: as above, but a list is split at
 * blanks and commas.
 */
int	 option_set_env(enum option, struct option_value *, const char *,
	    char *, size_t);

/* Set the default of options.def.  Aborts when the table is wrong. */
void	 option_set_default(enum option, struct option_value *);

/* Free what a value owns and make it unset. */
void	 option_clear(struct option_value *);

/* Write a value as it stands in a configuration file, without the keyword. */
void	 option_print_value(enum option, const struct option_value *, FILE *);

/* Write all options with their defaults in one of three forms. */
void	 option_print_table(enum option_form, FILE *);

/* Append a copy of a string; ends the process when there is no memory. */
void	 strlist_add(struct strlist *, const char *);

/* Whether a string is in the list. */
int	 strlist_has(const struct strlist *, const char *);

/* Free all strings; the list is empty afterwards. */
void	 strlist_free(struct strlist *);

/* Write a string in double quotes, with \" and \\ escaped. */
void	 option_print_quoted(const char *, FILE *);

#endif
