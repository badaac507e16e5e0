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

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include "libcommon/log.h"

#include "parent.h"

int
parent_same_folders(const struct conf *cf, char *text, size_t len)
{
	const struct conf	*old = par.p_conf;

	if (strcmp(cf->cf_state, old->cf_state) == 0 &&
	    strcmp(cf->cf_runtime, old->cf_runtime) == 0)
		return (0);
	snprintf(text, len, "%s: state and runtime cannot change while "
	    "orchd runs; stop it and start it again", cf->cf_path);
	return (-1);
}

static int
readable(const char *path, char *text, size_t len)
{
	char	*value;

	if (path == NULL)
		return (1);
	if ((value = secret_read(path, text, len)) == NULL)
		return (0);
	secret_free(value);
	return (1);
}

/* Every secret has to be readable before anything is replaced. */
static int
secrets_readable(const struct conf *cf, char *text, size_t len)
{
	const struct conf_project	*cp;
	size_t				 i, j;

	for (i = 0; i < CONF_SOURCE_MAX; i++)
		for (j = 0; j < cf->cf_secret[i].sl_n; j++)
			if (!readable(cf->cf_secret[i].sl_v[j], text, len))
				return (-1);
	for (i = 0; i < cf->cf_nprojects; i++) {
		cp = &cf->cf_projects[i];
		if (!readable(cp->cp_forge_read, text, len) ||
		    !readable(cp->cp_forge_write, text, len) ||
		    !readable(cp->cp_tracker_token, text, len))
			return (-1);
	}
	for (i = 0; i < cf->cf_nnotify; i++)
		if (!readable(cf->cf_notify[i].cn_file, text, len))
			return (-1);
	if (!readable(cf->cf_admin_token, text, len) ||
	    !readable(cf->cf_read_token, text, len))
		return (-1);
	return (0);
}

void
parent_faults(char *text, size_t len, const char *said)
{
	if (strlcpy(text, said, len) >= len)
		strlcpy(text + len - 4, "...", 4);
	/* The end of the last line belongs to whoever prints it. */
	if (text[0] != '\0' && text[strlen(text) - 1] == '\n')
		text[strlen(text) - 1] = '\0';
}

static struct conf *
read_conf(char *text, size_t len)
{
	struct conf	*cf = NULL;
	char		*said = NULL;
	size_t		 size = 0;
	FILE		*fp;

	if ((fp = open_memstream(&said, &size)) == NULL)
		fatal("reload");
	if (conf_parse_file(par.p_conf_path, CONF_ENVIRON | CONF_FILES |
	    CONF_QUIET, &cf, fp) == -1)
		cf = NULL;
	fclose(fp);
	if (cf == NULL)
		parent_faults(text, len, said);
	free(said);
	return (cf);
}

int
parent_reload(char *text, size_t len)
{
	struct conf	*cf;
	struct listener	*l;
	size_t		 n;

	if ((cf = read_conf(text, len)) == NULL)
		return (-1);
	if (parent_same_folders(cf, text, len) == -1 ||
	    secrets_readable(cf, text, len) == -1 ||
	    listen_open(cf, &l, &n, text, len) == -1) {
		conf_free(cf);
		return (-1);
	}
	/* Nothing below this line can fail. */
	listen_replace(l, n);
	listen_mirrors(cf);
	conf_free(par.p_conf);
	par.p_conf = cf;
	par.p_conf_generation++;
	if (engine_send_conf() == -1)
		log_warn("reload: the engine keeps the old configuration");
	children_renew();
	log_info("configuration %s is in force (generation %u)",
	    par.p_conf_path, par.p_conf_generation);
	text[0] = '\0';
	return (0);
}
