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

#include <sys/wait.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "tour.h"

uint64_t
tour_database(sqlite3 *db)
{
	sqlite3_int64 len = 0, i;
	uint64_t key = 0, word;
	unsigned char *p = sqlite3_serialize(db, "main", &len, 0);

	for (i = 0; p != NULL && i + 8 <= len; i += 8) {
		memcpy(&word, p + i, sizeof(word));
		key = (key ^ word) * 0x9e3779b97f4a7c15;
		key ^= key >> 32;
	}
	sqlite3_free(p);
	return (key);
}

int
tour_known(uint64_t table[KNOWN], uint64_t key)
{
	size_t i, n;

	key += key == 0;
	for (n = 0, i = key % KNOWN; n < KNOWN; n++, i = (i + 1) % KNOWN) {
		if (table[i] == key)
			return (1);
		if (table[i] == 0) {
			table[i] = key;
			return (0);
		}
	}
	_exit(WORLD_FAULT);
}

static void
leave(struct tour *t, const char *dir, const struct shim_plan *im)
{
	char stem[128];

	t->t_cases[im->p_mode]++;
	if (tour_known(t->t_bytes, shim_imagine(im->p_mode, im->p_seed)))
		return;
	if (t->t_n == IMAGES)
		_exit(WORLD_FAULT);
	snprintf(stem, sizeof(stem), "%s/image%u", dir, t->t_n);
	shim_keep(im->p_mode, im->p_seed, stem);
	t->t_images[t->t_n++] = *im;
}

void
tour_point(struct tour *t, const char *dir, int64_t at)
{
	struct shim_plan im = { SHIM_KILL, at, 0 };
	int64_t n;

	if ((uint64_t)at % (uint64_t)t->t_every !=
	    t->t_seed % (uint64_t)t->t_every)
		return;
	leave(t, dir, &im);
	im.p_mode = SHIM_POWER;
	for (n = 0; n < t->t_seeds; n++) {
		im.p_seed = (t->t_seed << 20) + (uint64_t)(at * 64 + n);
		leave(t, dir, &im);
	}
}

/* Small files of one folder are the files of another. */
static void
copy_folder(const char *from, const char *to)
{
	char path[600], buf[1024];
	struct dirent *de;
	DIR *d = opendir(from);
	ssize_t n;
	int fd;

	while (d != NULL && (de = readdir(d)) != NULL) {
		if (de->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", from, de->d_name);
		if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1 ||
		    (n = read(fd, buf, sizeof(buf))) == -1)
			_exit(WORLD_FAULT);
		close(fd);
		snprintf(path, sizeof(path), "%s/%s", to, de->d_name);
		if ((fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC,
		    0600)) == -1 || write(fd, buf, (size_t)n) != n)
			_exit(WORLD_FAULT);
		close(fd);
	}
	if (d != NULL)
		closedir(d);
}

/* The folder of the next world: that disk, and what hooks have left. */
static void
lay_out(const struct scene *c, const char *dir, unsigned int n)
{
	static const char *const ends[] = { "", "-wal", "-journal" };
	char from[160], to[160];
	size_t i;

	snprintf(to, sizeof(to), "%s/result", dir);
	clear_folder(to);
	clear_folder(dir);
	snprintf(from, sizeof(from), "%s/result", c->c_dir);
	copy_folder(from, to);
	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		snprintf(from, sizeof(from), "%s/image%u%s", c->c_dir, n,
		    ends[i]);
		snprintf(to, sizeof(to), "%s/orchd.db%s", dir, ends[i]);
		(void)rename(from, to);
	}
}

/*
 * What the recovery of a disk finds, without a change of it: a write-ahead log
 * is only read.  0: it cannot be told so; let the engine see.
 */
static uint64_t
recovered(const char *dir)
{
	sqlite3 *db = NULL;
	uint64_t key = 0;
	char path[160];

	snprintf(path, sizeof(path), "%s/orchd.db-journal", dir);
	if (access(path, F_OK) == 0)
		return (0);
	snprintf(path, sizeof(path), "%s/orchd.db", dir);
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) ==
	    SQLITE_OK && sqlite3_db_config(db,
	    SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL) == SQLITE_OK &&
	    sqlite3_exec(db, "PRAGMA locking_mode=EXCLUSIVE", NULL, NULL,
	    NULL) == SQLITE_OK)
		key = tour_database(db);
	(void)sqlite3_close(db);
	/* The engine's process configures SQLite before its first use. */
	(void)sqlite3_shutdown();
	return (key);
}

static void
forget(struct tour *t)
{
	if (t == NULL || t->t_n == 0)
		return;
	t->t_n = 0;
	memset(t->t_bytes, 0, sizeof(t->t_bytes));
	memset(t->t_databases, 0, sizeof(t->t_databases));
}

/* The tour of a world that goes on, if it is one's turn. */
static struct tour *
next_tour(const struct scene *c)
{
	const struct tour *t = c->c_tour;

	if (c->c_depth + 1 == CRASHES || t->t_next == 0 ||
	    t->t_played % t->t_next != 0)
		return (NULL);
	return (c->c_tours[c->c_depth + 1]);
}

static void
go_on(struct scene *c, const struct outside *before, unsigned int n)
{
	struct tour *t = c->c_tour, *next = next_tour(c);
	struct outside *o = c->c_outs[c->c_depth + 1];
	char dir[sizeof(c->c_dir)];
	uint64_t key = 0;
	int status;
	pid_t pid;

	if ((size_t)snprintf(dir, sizeof(dir), "%s/x", c->c_dir) >=
	    sizeof(dir))
		_exit(WORLD_FAULT);
	lay_out(c, dir, n);
	t->t_opened++;
	if (!t->t_engine && (key = recovered(dir)) != 0 &&
	    tour_known(t->t_databases, key ^ t->t_images[n].p_mode))
		return;
	forget(next);
	*o = *before;
	o->o_plan[c->c_depth] = t->t_images[n];
	o->o_engines = o->o_crashes = (unsigned int)c->c_depth + 1;
	if ((pid = fork()) == -1)
		_exit(WORLD_FAULT);
	if (pid == 0) {
		c->c_depth++;
		c->c_out = o;
		c->c_tour = next;
		memcpy(c->c_dir, dir, sizeof(dir));
		world_again(c, key == 0 ? t->t_databases : NULL,
		    t->t_images[n].p_mode);
	}
	if (waitpid(pid, &status, 0) == -1 || !WIFEXITED(status))
		_exit(WORLD_FAULT);
	if (WEXITSTATUS(status) == WORLD_SAME)
		return;
	t->t_played++;
	c->c_told(c, o, WEXITSTATUS(status));
}

void
tour_go_on(struct scene *c, const struct outside *before)
{
	unsigned int n;

	for (n = 0; n < c->c_tour->t_n; n++)
		go_on(c, before, n);
	forget(c->c_tour);
}
