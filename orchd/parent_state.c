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

#include <sys/mman.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bsd/stdlib.h>
#include <bsd/string.h>

#include "libcommon/log.h"

#include "parent.h"

/*
 * A restart in place: same process, new program.  What must survive is told
 * by a memfd whose number stands in the environment: one line a fact, the
 * words separated by blanks, a value from the shell last and whole.
 */

#define STATE_ENV	"ORCHD_STATE_FD"

static int
keep_open(int fd)
{
	return (fcntl(fd, F_SETFD, 0));
}

static int
take_back(int fd)
{
	if (fd < 0 || fcntl(fd, F_GETFD) == -1)
		return (-1);
	return (fcntl(fd, F_SETFD, FD_CLOEXEC) == -1 ? -1 : fd);
}

static int
save_lines(FILE *fp)
{
	const struct listener	*l;
	const struct run_proc	*rp;
	size_t			 i;

	fprintf(fp, "fds %d %d %d %d\n", par.p_lock, par.p_runtime_lock,
	    par.p_engine_sock, par.p_control_sock);
	if (keep_open(par.p_lock) == -1 ||
	    keep_open(par.p_runtime_lock) == -1 ||
	    keep_open(par.p_engine_sock) == -1 ||
	    keep_open(par.p_control_sock) == -1)
		return (-1);
	for (i = 0; i < par.p_nlisten; i++) {
		l = &par.p_listen[i];
		fprintf(fp, "listen %d %d %u %d %s\n", l->l_fd,
		    (int)l->l_role, (unsigned int)l->l_port, l->l_loopback,
		    l->l_addr);
		if (keep_open(l->l_fd) == -1)
			return (-1);
	}
	for (i = 0; i < par.p_npassed; i++) {
		fprintf(fp, "passed %d %s\n", par.p_passed[i].pa_fd,
		    par.p_passed[i].pa_name);
		if (keep_open(par.p_passed[i].pa_fd) == -1)
			return (-1);
	}
	for (rp = par.p_runs; rp != NULL; rp = rp->rp_next)
		fprintf(fp, "run %d %llu\n", (int)rp->rp_pid,
		    (unsigned long long)rp->rp_run);
	fprintf(fp, "generation %u %u\n", par.p_next_generation,
	    par.p_conf_generation);
	for (i = 0; i < par.p_env.sl_n; i++)
		if (strchr(par.p_env.sl_v[i], '\n') == NULL)
			fprintf(fp, "env %s\n", par.p_env.sl_v[i]);
		else
			log_warnx("a variable with a line end is lost in a "
			    "restart: %.*s", (int)strcspn(par.p_env.sl_v[i],
			    "="), par.p_env.sl_v[i]);
	return (fflush(fp) == EOF ? -1 : 0);
}

int
state_save(void)
{
	char	 num[16];
	FILE	*fp;
	int	 fd;

	if ((fd = memfd_create("orchd.state", 0)) == -1)
		return (-1);
	/* The stream gets a copy: the descriptor itself has to stay open. */
	if ((fp = fdopen(dup(fd), "w")) == NULL || save_lines(fp) == -1) {
		if (fp != NULL)
			fclose(fp);
		close(fd);
		return (-1);
	}
	fclose(fp);
	snprintf(num, sizeof(num), "%d", fd);
	return (setenv(STATE_ENV, num, 1));
}

static int
restore_listen(const char *line)
{
	struct listener	 l, *v;
	unsigned int	 port;
	int		 role;

	memset(&l, 0, sizeof(l));
	if (sscanf(line, "listen %d %d %u %d %63s", &l.l_fd, &role, &port,
	    &l.l_loopback, l.l_addr) != 5 || role < 0 ||
	    role >= CONF_LISTEN_MAX || take_back(l.l_fd) == -1)
		return (-1);
	l.l_role = (enum conf_listen_role)role;
	l.l_port = (uint16_t)port;
	v = reallocarray(par.p_listen, par.p_nlisten + 1, sizeof(*v));
	if (v == NULL)
		return (-1);
	v[par.p_nlisten++] = l;
	par.p_listen = v;
	return (0);
}

static int
restore_passed(const char *line)
{
	char	 err[256];
	int	 fd, at = 0;

	if (sscanf(line, "passed %d %n", &fd, &at) != 1 || at == 0 ||
	    take_back(fd) == -1)
		return (-1);
	if (passed_add(fd, line + at, err, sizeof(err)) == 0)
		return (0);
	log_warnx("restart: %s", err);
	return (-1);
}

static int
restore_line(const char *line)
{
	unsigned long long	 run;
	int			 a, b, c, d;

	if (strncmp(line, "env ", 4) == 0)
		strlist_add(&par.p_env, line + 4);
	else if (strncmp(line, "listen ", 7) == 0)
		return (restore_listen(line));
	else if (strncmp(line, "passed ", 7) == 0)
		return (restore_passed(line));
	else if (sscanf(line, "run %d %llu", &a, &run) == 2)
		run_remember(a, run);
	else if (sscanf(line, "fds %d %d %d %d", &a, &b, &c, &d) == 4) {
		par.p_lock = take_back(a);
		par.p_runtime_lock = take_back(b);
		par.p_engine_sock = take_back(c);
		par.p_control_sock = take_back(d);
	} else if (sscanf(line, "generation %u %u", &par.p_next_generation,
	    &par.p_conf_generation) != 2) {
		if (strncmp(line, "run ", 4) == 0 ||
		    strncmp(line, "fds ", 4) == 0 ||
		    strncmp(line, "generation ", 11) == 0)
			return (-1);
		log_warnx("restart: what another version left is not "
		    "understood: %.*s", (int)strcspn(line, " "), line);
	}
	return (0);
}

int
state_restore(void)
{
	const char	*num = getenv(STATE_ENV), *errstr;
	char		*line = NULL;
	size_t		 size = 0;
	ssize_t		 n;
	FILE		*fp;
	int		 fd, rv = 1;

	if (num == NULL)
		return (0);
	fd = (int)strtonum(num, 3, 1 << 20, &errstr);
	unsetenv(STATE_ENV);
	if (errstr != NULL || lseek(fd, 0, SEEK_SET) != 0 ||
	    (fp = fdopen(fd, "r")) == NULL)
		return (-1);
	while ((n = getline(&line, &size, fp)) != -1) {
		line[strcspn(line, "\n")] = '\0';
		if (restore_line(line) == -1) {
			rv = -1;
			break;
		}
	}
	if (line != NULL)
		explicit_bzero(line, size);
	free(line);
	fclose(fp);
	if (par.p_lock == -1 || par.p_runtime_lock == -1 ||
	    par.p_engine_sock == -1 || par.p_control_sock == -1)
		rv = -1;
	return (rv);
}
