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

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "conf_parse.h"

/*
 * What is written well and would still not work, or not be safe, between
 * orchd and a forge or a tracker elsewhere: a webhook that nobody hears, that
 * everybody can read or sign, and a forge that is asked at the wrong place.
 */

#define SECRET_MIN	16	/* bytes, of which each may be guessed */

/*
 * The bytes of the secret in a file, without the end of its line; 0 when
 * there is none to be read.
 */
static size_t
secret_bytes(const char *path)
{
	char	 buf[SECRET_MIN + 2];
	ssize_t	 n;
	int	 fd;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd == -1)
		return (0);
	n = read(fd, buf, sizeof(buf));
	close(fd);
	if (n > 0 && buf[n - 1] == '\n')
		n--;
	if (n > 0 && buf[n - 1] == '\r')
		n--;
	explicit_bzero(buf, sizeof(buf));
	return (n > 0 ? (size_t)n : 0);
}

/* Whoever has one delivery can try secrets on it, as fast as he likes. */
static void
check_secret(struct parser *ps, const struct conf_loc *loc, const char *path)
{
	size_t	 n;

	if (!(ps->ps_flags & CONF_FILES) || (n = secret_bytes(path)) == 0 ||
	    n >= SECRET_MIN)
		return;
	conf_warning(ps, loc, "secret file \"%s\" has %zu bytes: who sees "
	    "one delivery can find it by trying; take at least %d (openssl "
	    "rand -hex 32), the same at the sender", path, n, SECRET_MIN);
}

/* A receiver that others can reach and that speaks no TLS. */
static void
check_plain(struct parser *ps, const struct conf_listen *li)
{
	if (li->li_role != CONF_LISTEN_WEBHOOK || li->li_loopback ||
	    li->li_cert != NULL)
		return;
	conf_warning(ps, &li->li_loc, "webhooks come to %s port %u in plain "
	    "text, which everybody on the way can read: add tls certificate "
	    "file \"...\" key file \"...\", or listen on 127.0.0.1 behind a "
	    "proxy that speaks it", li->li_addr, (unsigned int)li->li_port);
}

void
conf_check_hooks(struct parser *ps)
{
	static const char *const	 sources[CONF_SOURCE_MAX] = {
		[CONF_SOURCE_GITEA] = "gitea",
		[CONF_SOURCE_PLANE] = "plane",
	};
	const struct conf		*cf = ps->ps_cf;
	size_t				 i, j;
	int				 heard = 0;

	for (i = 0; i < cf->cf_nlisten; i++) {
		heard |= cf->cf_listen[i].li_role == CONF_LISTEN_WEBHOOK;
		check_plain(ps, &cf->cf_listen[i]);
	}
	for (i = 0; i < CONF_SOURCE_MAX; i++) {
		for (j = 0; j < cf->cf_secret[i].sl_n; j++)
			check_secret(ps, &cf->cf_secret_loc[i],
			    cf->cf_secret[i].sl_v[j]);
		if (cf->cf_secret[i].sl_n > 0 && !heard)
			conf_warning(ps, &cf->cf_secret_loc[i], "webhook %s "
			    "has a secret and nothing listens: its deliveries "
			    "do not come in, and orchd only polls; add "
			    "\"listen webhook on ADDRESS port NUMBER\"",
			    sources[i]);
	}
}

/* Does the path of an address end in this, perhaps with a slash after it? */
static int
path_ends(const char *path, size_t len, const char *end)
{
	size_t	 n = strlen(end);

	while (len > 0 && path[len - 1] == '/')
		len--;
	return (len > n && path[len - n - 1] == '/' &&
	    strncasecmp(path + len - n, end, n) == 0);
}

/*
 * The address is the server's: repositories are at URL/OWNER/NAME.git, the
 * API is at URL/api/v1.  With the repository or the API in it every request
 * gets 404.  A server may live below a path, rarely below two.
 */
void
conf_check_base(struct parser *ps, const struct conf_project *cp)
{
	const char	*path = strstr(cp->cp_forge_url, "://"), *p;
	char		 clone[300];
	size_t		 len, parts = 0;

	if (path == NULL || (path = strchr(path + 3, '/')) == NULL)
		return;
	len = strlen(path);
	for (p = path; *p != '\0'; p++)
		parts += *p == '/' && p[1] != '/' && p[1] != '\0';
	(void)snprintf(clone, sizeof(clone), "%s.git", cp->cp_forge_repo);
	if (path_ends(path, len, cp->cp_forge_repo) ||
	    path_ends(path, len, clone) || path_ends(path, len, "api/v1"))
		conf_fault(ps, &cp->cp_loc, "forge gitea \"%s\" is more than "
		    "the server: give its address without the repository or "
		    "/api/v1; the repository goes after repo",
		    cp->cp_forge_url);
	else if (parts > 1)
		conf_warning(ps, &cp->cp_loc, "forge gitea \"%s\": the "
		    "repository is looked for at %s%s%s; give the server's "
		    "address alone if it is not there", cp->cp_forge_url,
		    cp->cp_forge_url, path[len - 1] == '/' ? "" : "/", clone);
}

/*
 * What a person means who sets this status; 0 where orchd alone sets it.
 * Blocked and Needs Input are the same word of a person.
 */
static int
meaning(enum conf_status st)
{
	switch (st) {
	case CONF_STATUS_IN_REVIEW:
	case CONF_STATUS_DONE:
	case CONF_STATUS_CANCELLED:
	case CONF_STATUS_MAX:
		return (0);
	case CONF_STATUS_NEEDS_INPUT:
	case CONF_STATUS_BLOCKED:
		return (CONF_STATUS_BLOCKED + 1);
	default:
		return ((int)st + 1);
	}
}

/*
 * May two statuses have one name?  Where one is an answer of a person, its name
 * is its own: under orchd's In Review nobody could give it, under Done it would
 * be given by who means the end.  To stop, and what orchd calls stopped, may
 * be one.
 */
static int
same_is_well(enum conf_status a, enum conf_status b)
{
	if (b == CONF_STATUS_STOP && (a == CONF_STATUS_CANCELLED ||
	    a == CONF_STATUS_DONE))
		return (1);
	if (b >= CONF_STATUS_TO_ANALYSE)
		return (0);
	return (meaning(a) == meaning(b) || meaning(a) == 0 ||
	    meaning(b) == 0);
}

void
conf_check_statuses(struct parser *ps, const struct conf_project *cp)
{
	enum conf_status	 a, b;

	for (b = 1; b < CONF_STATUS_MAX; b++)
		for (a = 0; a < b; a++)
			if (!same_is_well(a, b) && strcmp(conf_status_name(cp,
			    a), conf_status_name(cp, b)) == 0)
				conf_fault(ps, &cp->cp_loc, "status: \"%s\" "
				    "and \"%s\" are both called \"%s\", so "
				    "that nobody can say the one without the "
				    "other: give each a name of its own",
				    conf_status_name(NULL, a),
				    conf_status_name(NULL, b),
				    conf_status_name(cp, b));
}
