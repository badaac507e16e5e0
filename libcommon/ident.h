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

#ifndef COMMON_IDENT_H
#define COMMON_IDENT_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

/* Room for ident_format()'s line, NUL included. */
#define IDENT_TEXT_MAX	192

/*
 * Who a process is, for as long as anybody may ask.  The kernel's part
 * is everything but the incarnation, which the process draws for itself.
 */
struct ident {
	char		id_boot_id[37];		/* of this boot */
	uint64_t	id_pidns;		/* inode of the pid namespace */
	int32_t		id_pid;
	uint64_t	id_start_time;		/* /proc/PID/stat field 22 */
	uint64_t	id_pidfd_ino;		/* 0: this kernel has none */
	uint8_t		id_incarnation[16];	/* all 0: not known */
};

enum ident_verdict {
	IDENT_DEAD,
	IDENT_ALIVE,
	IDENT_UNKNOWN		/* counts as alive, and is worth an alert */
};

/*
 * The world that ident_check() asks, as functions, so that a simulator can
 * have its own.  Each returns 0 or what is said, or -1 with errno.
 */
struct ident_world {
	void	*iw_arg;			/* first argument of each */
	int	(*iw_boot_id)(void *, char [37]);
	int	(*iw_pidns)(void *, uint64_t *);
	int	(*iw_pidfd_open)(void *, int32_t);	/* descriptor */
	int	(*iw_pidfd_ino)(void *, int, uint64_t *); /* 0: no identity */
	int	(*iw_start_time)(void *, int32_t, uint64_t *);
	int	(*iw_pidfd_ended)(void *, int);	/* 1 ended, 0 not */
	void	(*iw_close)(void *, int);
	/*
	 * Whether nothing is left of the session that this process led: 1 or
	 * 0.  NULL: drained() of orchd/drain.h asks /proc.
	 */
	int	(*iw_drained)(void *, const struct ident *);
};

/*
 * This machine.  Where built with IDENT_NO_PIDFD_INODE, or started with
 * ORCHD_NO_PIDFD_INODE in the environment, it behaves as a Linux before 6.5:
 * no SO_PEERPIDFD and no pidfd inodes.
 */
extern const struct ident_world ident_world_real;

/* "dead", "alive" or "unknown". */
const char	*ident_verdict_name(enum ident_verdict);

/*
 * The calling process, with a new random incarnation on the first call in
 * this process and the same afterwards.  Returns 0, or -1 with errno.
 */
int		 ident_self(struct ident *);

/*
 * The process that has this pid now, incarnation not known.  Returns 0, or
 * -1 with errno (ESRCH: there is none, or it ended meanwhile).
 */
int		 ident_of_pid(pid_t, struct ident *);

/*
 * The process that called connect(2) on the other side of a Unix socket (for
 * a socketpair: that made it), incarnation not known.  Uses SO_PEERPIDFD
 * (Linux 6.5), else SO_PEERCRED and pidfd_open with the start time read
 * before and after.  If pidfd is not NULL it receives a CLOEXEC descriptor
 * that the caller closes.  Returns 0, or -1 with errno (ESRCH: it ended).
 */
int		 ident_of_peer(int sock, struct ident *, int *pidfd);

/*
 * Whether the process that id names lives.  Zombie and reused pid: dead.
 * Stopped: alive.  Another boot: dead.  Another pid namespace, the right
 * inode with another start time (another time namespace), or anything
 * that hides the answer (EPERM, EMFILE, ENOMEM, unreadable /proc): unknown.
 * why (may be NULL) receives the reason in words, for a log line.
 */
enum ident_verdict ident_check(const struct ident *id,
		    const struct ident_world *, char *why, size_t whylen);

/*
 * Whether a and b name one process: boot, namespace, pid, start time, the
 * inode where both know it, and the incarnation where both know it.
 */
int		 ident_same(const struct ident *a, const struct ident *b);

/*
 * Whether the process that is known says who it is again: ident_same(), and
 * it knows its own incarnation where that is known.
 */
int		 ident_again(const struct ident *known,
		    const struct ident *said);

/*
 * Sends sig to exactly that process, through a pidfd whose identity was
 * checked.  Returns 0, or -1 with errno: ESRCH it is dead, EAGAIN its
 * identity cannot be proven now (nothing was sent), else pidfd_send_signal's.
 */
int		 ident_kill(const struct ident *, int sig);

/*
 * One line of ASCII without line end, to be stored.  Returns 0, or -1 with
 * ENOSPC if buf is too small (IDENT_TEXT_MAX is enough).
 */
int		 ident_format(const struct ident *, char *buf, size_t len);

/* Reads exactly what ident_format wrote.  Returns 0, or -1 with EINVAL. */
int		 ident_parse(const char *, struct ident *);

#endif
