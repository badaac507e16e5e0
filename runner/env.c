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

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "libcommon/fsutil.h"
#include "libcommon/log.h"
#include "libcommon/redact.h"
#include "libcommon/sandbox.h"
#include "runner.h"

#define ENV_PATH	"/usr/local/bin:/usr/bin:/bin"
#define SECRET_MIN	6	/* what redact() takes */

static size_t
env_find(const struct env *e, const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < e->e_n; i++)
		if (strncmp(e->e_v[i], name, len) == 0 &&
		    e->e_v[i][len] == '=')
			break;
	return (i);
}

int
env_put(struct env *e, const char *pair)
{
	const char *eq = strchr(pair, '=');
	char **v, *copy;
	size_t i;

	if (eq == NULL || eq == pair) {
		errno = EINVAL;
		return (-1);
	}
	if ((copy = strdup(pair)) == NULL)
		return (-1);
	i = env_find(e, pair, (size_t)(eq - pair));
	if (i < e->e_n) {
		free(e->e_v[i]);
		e->e_v[i] = copy;
		return (0);
	}
	if ((v = reallocarray(e->e_v, e->e_n + 2, sizeof(*v))) == NULL) {
		free(copy);
		return (-1);
	}
	v[e->e_n++] = copy;
	v[e->e_n] = NULL;
	e->e_v = v;
	return (0);
}

int
env_set(struct env *e, const char *name, const char *value)
{
	char *pair;
	int rc;

	if (asprintf(&pair, "%s=%s", name, value) == -1)
		return (-1);
	rc = env_put(e, pair);
	free(pair);
	return (rc);
}

const char *
env_get(const struct env *e, const char *name)
{
	size_t i, len = strlen(name);

	if ((i = env_find(e, name, len)) == e->e_n)
		return (NULL);
	return (e->e_v[i] + len + 1);
}

void
env_free(struct env *e)
{
	size_t i, len;

	for (i = 0; i < e->e_n; i++) {
		len = strlen(e->e_v[i]);
		explicit_bzero(e->e_v[i], len);
		free(e->e_v[i]);
	}
	free(e->e_v);
	e->e_v = NULL;
	e->e_n = 0;
}

int
env_base(struct env *e)
{
	const struct passwd *pw = getpwuid(getuid());

	if (env_set(e, "PATH", ENV_PATH) == -1 ||
	    env_set(e, "LANG", "C.UTF-8") == -1 ||
	    env_set(e, "TMPDIR", "/tmp") == -1 ||
	    env_set(e, "HOME", pw == NULL ? "/" : pw->pw_dir) == -1 ||
	    env_set(e, "USER", pw == NULL ? "orchd" : pw->pw_name) == -1)
		return (-1);
	return (0);
}

static int
env_list(struct env *e, const struct orch_strs *list)
{
	const char *s = NULL;

	while ((s = orch_strs_next(list, s)) != NULL)
		if (env_put(e, s) == -1)
			return (-1);
	return (0);
}

int
env_spec(struct env *e, const struct run *r)
{
	if (env_list(e, &r->r_go.env) == -1)
		return (-1);
	return (env_list(e, &r->r_spec->env));
}

static int
env_num(struct env *e, const char *name, unsigned long long n)
{
	char buf[24];

	(void)snprintf(buf, sizeof(buf), "%llu", n);
	return (env_set(e, name, buf));
}

int
env_orch(struct env *e, const struct run *r)
{
	const struct orch_run_go *go = &r->r_go;
	const struct {
		const char *name, *value;
	} v[] = {
		{ "ORCH_WORK_ITEM", go->task }, { "ORCH_ROLE", go->role },
		{ "ORCH_STAGE", go->stage }, { "ORCH_HEAD", go->head },
		{ "ORCH_BASE", go->base }, { "ORCH_BRANCH", go->branch },
		{ "ORCH_TARGET", go->target }, { "ORCH_GATE", go->gate },
		{ "ORCH_PROJECT", r->r_spec->project }
	};
	size_t i;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		if (GIVEN(v[i].value) &&
		    env_set(e, v[i].name, v[i].value) == -1)
			return (-1);
	if (env_num(e, "ORCH_ROUND", go->round) == -1 ||
	    env_num(e, "ORCH_RUN_ID", r->r_spec->run) == -1)
		return (-1);
	/* Under Landlock /etc/gitconfig is not absent but denied: git dies. */
	if (r->r_spec->sandbox == SANDBOX_LANDLOCK &&
	    env_set(e, "GIT_CONFIG_NOSYSTEM", "1") == -1)
		return (-1);
	if (go->port_base != 0)
		return (env_num(e, "ORCH_PORT_BASE", go->port_base));
	return (0);
}

/* 'value' with each ' as '\'' */
static void
env_quote(struct text *t, const char *s)
{
	text_add(t, "'", 1);
	for (; *s != '\0'; s++)
		if (*s == '\'')
			text_add(t, "'\\''", 4);
		else
			text_add(t, s, 1);
	text_add(t, "'\n", 2);
}

int
env_write(const struct env *e, const char *path)
{
	struct text t = { 0 };
	const char *eq;
	size_t i;
	int rc;

	for (i = 0; i < e->e_n; i++) {
		if (strncmp(e->e_v[i], "ORCH_", 5) != 0)
			continue;
		eq = strchr(e->e_v[i], '=');
		text_add(&t, e->e_v[i], (size_t)(eq - e->e_v[i]) + 1);
		env_quote(&t, eq + 1);
	}
	if (t.tx_bad) {
		free(t.tx_buf);
		errno = ENOMEM;
		return (-1);
	}
	rc = fs_write_atomic(AT_FDCWD, path, t.tx_buf == NULL ? "" : t.tx_buf,
	    t.tx_len, 0600);
	free(t.tx_buf);
	return (rc);
}

/*
 * The list does not say which values came from secret files.  A path, a URL
 * or what orchd itself sets is none, and hiding it would spoil the log.
 */
static int
env_secret(const char *name, size_t len, const char *value)
{
	static const char *const words[] = {
		"KEY", "TOKEN", "SECRET", "PASS", "CREDENTIAL", "AUTH"
	};
	static const char *const plain[] = {
		"ORCH_", "PATH=", "LANG=", "LC_", "TERM="
	};
	char upper[128];
	size_t i;

	if (strlen(value) < SECRET_MIN)
		return (0);
	for (i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		if (strncmp(name, plain[i], strlen(plain[i])) == 0)
			return (0);
	if (len >= sizeof(upper))
		return (1);
	memcpy(upper, name, len);
	upper[len] = '\0';
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcasestr(upper, words[i]) != NULL)
			return (1);
	return (value[0] != '/' && strncmp(value, "http", 4) != 0);
}

void
env_redact(const struct orch_run_spec *spec)
{
	const char *s = NULL, *eq;

	while ((s = orch_strs_next(&spec->env, s)) != NULL) {
		if ((eq = strchr(s, '=')) == NULL ||
		    !env_secret(s, (size_t)(eq - s), eq + 1))
			continue;
		if (log_redact_add(eq + 1) == -1)
			log_warn("a secret cannot be kept out of the log");
	}
}
