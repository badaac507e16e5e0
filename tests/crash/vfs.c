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

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "vfs.h"

#define SECTOR	512
#define FILES	8

/* A write or truncation that no sync has made durable yet. */
struct op {
	struct op	*o_prev;	/* the one before it on this file */
	struct op	*o_next;
	int64_t		 o_off;
	int64_t		 o_size;	/* of the file before it */
	int		 o_len;		/* new bytes; -1: a truncation */
	int		 o_had;		/* old bytes that it covered */
	uint8_t		*o_new;
	uint8_t		*o_old;
	uint64_t	 o_id;		/* no other of this process has it */
};

struct disk {
	char		 d_path[256];
	struct op	*d_first, *d_last;
	uint64_t	 d_changes;	/* what was written, counted */
	uint64_t	 d_syncs;	/* what became durable, counted */
};

struct shim_file {
	sqlite3_file	 f_base;
	struct disk	*f_disk;	/* NULL: a temporary file */
	sqlite3_file	*f_real;
};

static struct disk	 disks[FILES];
static struct shim_plan	 plan;
static int64_t		 points, allocs;
static sqlite3_vfs	*real_vfs;
static sqlite3_mem_methods real_mem;
static void		(*tour)(int64_t);
static uint64_t		 ops;

int64_t
shim_points(void)
{
	return (points);
}

int64_t
shim_allocs(void)
{
	return (allocs);
}

void
shim_tour(void (*fn)(int64_t))
{
	tour = fn;
}

void
shim_heal(void)
{
	plan.p_mode = SHIM_COUNT;
}

/* splitmix64: the same seed leaves the same disk. */
static uint64_t
draw(void)
{
	uint64_t z = plan.p_seed += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (z ^ z >> 31);
}

/* What a file holds. */
struct held {
	uint8_t		*h_data;
	int64_t		 h_len, h_room;
};

static void *
need(size_t n)
{
	void *p = malloc(n + 1);

	if (p == NULL)
		_exit(1);
	return (p);
}

/* Longer ones are filled up with zeros. */
static void
held_size(struct held *h, int64_t len)
{
	if (len > h->h_room) {
		h->h_room = 2 * len;
		if ((h->h_data = realloc(h->h_data, (size_t)h->h_room)) ==
		    NULL)
			_exit(1);
	}
	if (len > h->h_len)
		memset(h->h_data + h->h_len, 0, (size_t)(len - h->h_len));
	h->h_len = len;
}

static void
held_write(struct held *h, const uint8_t *p, int64_t len, int64_t off)
{
	if (len <= 0)
		return;
	if (off + len > h->h_len)
		held_size(h, off + len);
	memcpy(h->h_data + off, p, (size_t)len);
}

/* -1: there is no such file. */
static int
held_read(struct held *h, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat sb;

	if (fd == -1)
		return (-1);
	if (fstat(fd, &sb) == -1)
		_exit(1);
	held_size(h, sb.st_size);
	if (pread(fd, h->h_data, (size_t)sb.st_size, 0) != sb.st_size)
		_exit(1);
	close(fd);
	return (0);
}

static void
held_save(const struct held *h, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd == -1 || write(fd, h->h_data, (size_t)h->h_len) != h->h_len)
		_exit(1);
	close(fd);
}

/* An order of numbers as one; another order is another, or nearly so. */
static void
mix(uint64_t *key, uint64_t n)
{
	uint64_t z = *key ^ (n + 0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	*key = z ^ z >> 31;
}

/* Some sectors of a write reach the disk, or all of them. */
static void
replay(struct held *h, const struct op *o, int torn, uint64_t *key)
{
	int at, n;

	if (o->o_len == -1) {
		mix(key, o->o_id);
		if (h != NULL)
			held_size(h, o->o_off);
		return;
	}
	for (at = 0; at < o->o_len; at += n) {
		n = SECTOR - (int)((o->o_off + at) % SECTOR);
		if (n > o->o_len - at)
			n = o->o_len - at;
		if (torn && draw() % 2 != 0)
			continue;
		mix(key, o->o_id << 16 | (uint64_t)(at / SECTOR));
		if (h != NULL)
			held_write(h, o->o_new + at, n, o->o_off + at);
	}
}

/*
 * Back to what was synced; then, by seed: nothing more, a prefix with a torn
 * end, or any of the writes, some of them torn.  Without h only the key.
 */
static void
lose_file(const struct disk *d, struct held *h, uint64_t *key)
{
	uint64_t way = draw() % 3, keep = 0, i = 0;
	const struct op *o;

	if (d->d_last == NULL)
		return;
	for (o = d->d_last; o != NULL; o = o->o_prev, keep++) {
		if (h == NULL)
			continue;
		held_write(h, o->o_old, o->o_had, o->o_off);
		held_size(h, o->o_size);
	}
	keep = draw() % (keep + 1);
	for (o = d->d_first; o != NULL && way != 0; o = o->o_next, i++) {
		if (way == 1 && i <= keep)
			replay(h, o, i == keep, key);
		else if (way == 2 && draw() % 2 == 0)
			replay(h, o, draw() % 4 == 0, key);
	}
}

/* What the disk would hold after that end, as a key; `stem' keeps it. */
static uint64_t
imagine(enum shim_mode mode, uint64_t seed, const char *stem)
{
	static struct held h;
	uint64_t key = mode, was = plan.p_seed;
	const struct disk *d;
	char path[300];
	size_t i;

	plan.p_seed = seed;
	for (i = 0; i < FILES && disks[i].d_path[0] != '\0'; i++) {
		d = &disks[i];
		mix(&key, mode == SHIM_POWER ? d->d_syncs : d->d_changes);
		if (stem != NULL && held_read(&h, d->d_path) == -1)
			continue;
		if (mode == SHIM_POWER)
			lose_file(d, stem == NULL ? NULL : &h, &key);
		if (stem == NULL)
			continue;
		if ((size_t)snprintf(path, sizeof(path), "%s%s", stem,
		    strrchr(d->d_path, '/') + sizeof("orchd.db")) >=
		    sizeof(path))
			_exit(1);
		held_save(&h, path);
	}
	plan.p_seed = was;
	return (key);
}

uint64_t
shim_imagine(enum shim_mode mode, uint64_t seed)
{
	return (imagine(mode, seed, NULL));
}

void
shim_keep(enum shim_mode mode, uint64_t seed, const char *stem)
{
	(void)imagine(mode, seed, stem);
}

static void
die(void)
{
	struct held h = { NULL, 0, 0 };
	uint64_t key = 0;
	size_t i;

	for (i = 0; plan.p_mode == SHIM_POWER && i < FILES; i++) {
		if (disks[i].d_path[0] == '\0' ||
		    held_read(&h, disks[i].d_path) == -1)
			continue;
		lose_file(&disks[i], &h, &key);
		held_save(&h, disks[i].d_path);
	}
	_exit(SHIM_DEAD);
}

/* A point goes by; nonzero: the call shall fail with that code. */
static int
point(int is_write, int code)
{
	int here = ++points == plan.p_at;

	if (tour != NULL)
		tour(points);
	switch (plan.p_mode) {
	case SHIM_KILL:
	case SHIM_POWER:
		if (here)
			die();
		return (0);
	case SHIM_IOERR:
		return (here ? code : 0);
	case SHIM_IOERR_STAYS:
		return (points >= plan.p_at ? code : 0);
	case SHIM_FULL:
		return (here && is_write ? SQLITE_FULL : 0);
	case SHIM_FULL_STAYS:
		return (points >= plan.p_at && is_write ? SQLITE_FULL : 0);
	case SHIM_COUNT:
	case SHIM_NOMEM:
	case SHIM__MAX:
		break;
	}
	return (0);
}

/* Remember what is about to change on disk. */
static void
remember(struct shim_file *f, const void *data, int len, int64_t off)
{
	struct disk *d = f->f_disk;
	struct op *o = need(sizeof(*o));
	sqlite3_int64 size = 0, had;

	(void)f->f_real->pMethods->xFileSize(f->f_real, &size);
	had = size - off;
	if (had < 0)
		had = 0;
	if (len >= 0 && had > len)
		had = len;
	o->o_id = ++ops;
	o->o_prev = d->d_last;
	o->o_next = NULL;
	o->o_off = off;
	o->o_size = size;
	o->o_len = len;
	o->o_had = (int)had;
	o->o_old = need((size_t)had);
	o->o_new = need(len > 0 ? (size_t)len : 0);
	if (len > 0)
		memcpy(o->o_new, data, (size_t)len);
	if (had > 0)
		(void)f->f_real->pMethods->xRead(f->f_real, o->o_old,
		    (int)had, off);
	*(d->d_last == NULL ? &d->d_first : &d->d_last->o_next) = o;
	d->d_last = o;
}

static void
forget(struct disk *d)
{
	struct op *o, *next;

	d->d_syncs++;
	for (o = d->d_first; o != NULL; o = next) {
		next = o->o_next;
		free(o->o_old);
		free(o->o_new);
		free(o);
	}
	d->d_first = d->d_last = NULL;
}

#define SHIM(file)	((struct shim_file *)(void *)(file))
#define REAL(file)	(SHIM(file)->f_real)
#define CALL(file, m)	REAL(file)->pMethods->m

static int
shim_close(sqlite3_file *f)
{
	return (CALL(f, xClose)(REAL(f)));
}

static int
shim_read(sqlite3_file *f, void *p, int n, sqlite3_int64 off)
{
	return (CALL(f, xRead)(REAL(f), p, n, off));
}

static int
shim_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 off)
{
	int rc;

	if (SHIM(f)->f_disk != NULL) {
		remember(SHIM(f), p, n, off);
		if ((rc = point(1, SQLITE_IOERR_WRITE)) != 0)
			return (rc);
		SHIM(f)->f_disk->d_changes++;
	}
	return (CALL(f, xWrite)(REAL(f), p, n, off));
}

static int
shim_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	int rc;

	if (SHIM(f)->f_disk != NULL) {
		remember(SHIM(f), NULL, -1, size);
		if ((rc = point(0, SQLITE_IOERR_TRUNCATE)) != 0)
			return (rc);
		SHIM(f)->f_disk->d_changes++;
	}
	return (CALL(f, xTruncate)(REAL(f), size));
}

static int
shim_sync(sqlite3_file *f, int flags)
{
	int rc;

	if (SHIM(f)->f_disk != NULL) {
		if ((rc = point(0, SQLITE_IOERR_FSYNC)) != 0)
			return (rc);
		forget(SHIM(f)->f_disk);
		/* Durable, and nobody has been told so yet. */
		if ((rc = point(0, SQLITE_IOERR_FSYNC)) != 0)
			return (rc);
	}
	return (SQLITE_OK);
}

static int
shim_size(sqlite3_file *f, sqlite3_int64 *size)
{
	return (CALL(f, xFileSize)(REAL(f), size));
}

static int
shim_lock(sqlite3_file *f, int how)
{
	return (CALL(f, xLock)(REAL(f), how));
}

static int
shim_unlock(sqlite3_file *f, int how)
{
	return (CALL(f, xUnlock)(REAL(f), how));
}

static int
shim_reserved(sqlite3_file *f, int *out)
{
	return (CALL(f, xCheckReservedLock)(REAL(f), out));
}

static int
shim_control(sqlite3_file *f, int op, void *arg)
{
	return (CALL(f, xFileControl)(REAL(f), op, arg));
}

static int
shim_sector(sqlite3_file *f)
{
	return (CALL(f, xSectorSize)(REAL(f)));
}

static int
shim_traits(sqlite3_file *f)
{
	return (CALL(f, xDeviceCharacteristics)(REAL(f)));
}

/* Version 1: no shared memory, no mapped pages; the engine needs neither. */
static const sqlite3_io_methods shim_io = { 1, shim_close, shim_read,
	shim_write, shim_truncate, shim_sync, shim_size, shim_lock,
	shim_unlock, shim_reserved, shim_control, shim_sector, shim_traits,
	NULL, NULL, NULL, NULL, NULL, NULL };

static struct disk *
disk_of(const char *path)
{
	size_t i;

	for (i = 0; i < FILES; i++)
		if (strcmp(disks[i].d_path, path) == 0)
			return (&disks[i]);
	for (i = 0; i < FILES; i++)
		if (disks[i].d_path[0] == '\0') {
			if (strlen(path) >= sizeof(disks[i].d_path))
				_exit(1);
			memcpy(disks[i].d_path, path, strlen(path) + 1);
			return (&disks[i]);
		}
	_exit(1);
}

static int
shim_open(sqlite3_vfs *v, const char *path, sqlite3_file *file, int flags,
    int *out)
{
	struct shim_file *f = SHIM(file);
	int rc;

	f->f_real = (sqlite3_file *)(f + 1);
	f->f_disk = path == NULL ? NULL : disk_of(path);
	f->f_base.pMethods = NULL;
	rc = real_vfs->xOpen(real_vfs, path, f->f_real, flags, out);
	if (f->f_real->pMethods != NULL)
		f->f_base.pMethods = &shim_io;
	return (rc);
}

static int
shim_delete(sqlite3_vfs *v, const char *path, int sync)
{
	struct disk *d;
	int rc;

	if ((rc = point(0, SQLITE_IOERR_DELETE)) != 0)
		return (rc);
	d = disk_of(path);
	d->d_changes++;
	forget(d);
	return (real_vfs->xDelete(real_vfs, path, sync));
}

static int
mem_fails(void)
{
	return (++allocs == plan.p_at && plan.p_mode == SHIM_NOMEM);
}

static void *
shim_malloc(int n)
{
	return (mem_fails() ? NULL : real_mem.xMalloc(n));
}

static void *
shim_realloc(void *p, int n)
{
	return (mem_fails() ? NULL : real_mem.xRealloc(p, n));
}

int
shim_install(const struct shim_plan *p)
{
	static sqlite3_vfs vfs;
	static sqlite3_mem_methods mem;

	plan = *p;
	if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real_mem) != SQLITE_OK)
		return (-1);
	mem = real_mem;
	mem.xMalloc = shim_malloc;
	mem.xRealloc = shim_realloc;
	if (sqlite3_config(SQLITE_CONFIG_MALLOC, &mem) != SQLITE_OK ||
	    sqlite3_initialize() != SQLITE_OK ||
	    (real_vfs = sqlite3_vfs_find(NULL)) == NULL)
		return (-1);
	vfs = *real_vfs;
	vfs.pNext = NULL;
	vfs.zName = "shim";
	vfs.szOsFile = (int)sizeof(struct shim_file) + real_vfs->szOsFile;
	vfs.xOpen = shim_open;
	vfs.xDelete = shim_delete;
	return (sqlite3_vfs_register(&vfs, 1) == SQLITE_OK ? 0 : -1);
}
