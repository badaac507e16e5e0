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

#include <sys/types.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN	1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN	1
#endif
#endif

#include "libcommon/seccomp.h"

#define WORKERS	(FROM_FINALIZERD | FROM_WORKER)
#define FACING	(FROM_WEBHOOK | FROM_PAGE)	/* they have an allow list */
#define DAEMONS	(FROM_ENGINE | FROM_RECONCILED | FROM_REAPERD)
#define ALL	(DAEMONS | WORKERS)
#define AGENT	(1U << ROLE__MAX)	/* code inside a box */
#define EVERY	(ALL | AGENT)

/* A call that is refused to these roles, whatever its arguments are. */
struct refusal {
	const char	*r_call;
	unsigned	 r_roles;	/* FROM_ bits */
	int		 r_errno;
};

static const struct refusal refusals[] = {
	/* Administration of the machine: nobody. */
	{ "mount",		EVERY,	EPERM },
	{ "umount2",		EVERY,	EPERM },
	{ "pivot_root",		EVERY,	EPERM },
	{ "open_tree",		EVERY,	EPERM },
	{ "move_mount",		EVERY,	EPERM },
	{ "fsopen",		EVERY,	EPERM },
	{ "fsconfig",		EVERY,	EPERM },
	{ "fsmount",		EVERY,	EPERM },
	{ "fspick",		EVERY,	EPERM },
	{ "mount_setattr",	EVERY,	EPERM },
	{ "init_module",	EVERY,	EPERM },
	{ "finit_module",	EVERY,	EPERM },
	{ "delete_module",	EVERY,	EPERM },
	{ "kexec_load",		EVERY,	EPERM },
	{ "kexec_file_load",	EVERY,	EPERM },
	{ "reboot",		EVERY,	EPERM },
	{ "swapon",		EVERY,	EPERM },
	{ "swapoff",		EVERY,	EPERM },
	{ "settimeofday",	EVERY,	EPERM },
	{ "clock_settime",	EVERY,	EPERM },
	{ "clock_adjtime",	EVERY,	EPERM },
	{ "adjtimex",		EVERY,	EPERM },
	{ "acct",		EVERY,	EPERM },
	{ "quotactl",		EVERY,	EPERM },
	{ "quotactl_fd",	EVERY,	EPERM },
	{ "sethostname",	EVERY,	EPERM },
	{ "setdomainname",	EVERY,	EPERM },
	{ "syslog",		EVERY,	EPERM },
	{ "iopl",		EVERY,	EPERM },
	{ "ioperm",		EVERY,	EPERM },
	{ "setns",		EVERY,	EPERM },
	{ "unshare",		EVERY,	EPERM },
	{ "fanotify_init",	EVERY,	EPERM },
	{ "lookup_dcookie",	EVERY,	EPERM },
	{ "vhangup",		EVERY,	EPERM },
	{ "nfsservctl",		EVERY,	EPERM },
	{ "open_by_handle_at",	EVERY,	EPERM },
	/* Parts of the kernel with a history. */
	{ "bpf",		EVERY,	EPERM },
	{ "perf_event_open",	EVERY,	EPERM },
	{ "userfaultfd",	EVERY,	EPERM },
	{ "keyctl",		EVERY,	EPERM },
	{ "add_key",		EVERY,	EPERM },
	{ "request_key",	EVERY,	EPERM },
	/* It makes sockets past the rules below; libuv takes ENOSYS well. */
	{ "io_uring_setup",	EVERY,	ENOSYS },
	{ "io_uring_enter",	EVERY,	ENOSYS },
	{ "io_uring_register",	EVERY,	ENOSYS },
	/* Other processes' memory.  A box has debuggers, and only itself. */
#ifndef WITH_ASAN		/* the leak check is a tracer */
	{ "ptrace",		ALL,	EPERM },
#endif
	{ "process_vm_readv",	ALL,	EPERM },
	{ "process_vm_writev",	ALL,	EPERM },
	{ "pidfd_getfd",	ALL,	EPERM },
	{ "kcmp",		ALL,	EPERM },
	{ "process_madvise",	ALL,	EPERM },
	/* Running programs: finalizerd's workers run git. */
	{ "execve",		DAEMONS, EPERM },
	{ "execveat",		DAEMONS, EPERM },
	{ "personality",	DAEMONS, EPERM },
	{ "chroot",		ALL,	EPERM },
	{ "mknod",		ALL,	EPERM },
	{ "mknodat",		ALL,	EPERM },
	/* reaperd asks for a kill, it does not kill. */
	{ "kill",		FROM_REAPERD, EPERM },
	{ "tkill",		FROM_REAPERD, EPERM },
	{ "tgkill",		FROM_REAPERD, EPERM },
	{ "pidfd_send_signal",	FROM_REAPERD, EPERM },
	{ "rt_sigqueueinfo",	FROM_REAPERD, EPERM },
	{ "rt_tgsigqueueinfo",	FROM_REAPERD, EPERM },
	/* Who connects out does not wait for callers. */
	{ "listen", FROM_RECONCILED | WORKERS | FROM_REAPERD, EPERM }
};
#define NREFUSALS (sizeof(refusals) / sizeof(refusals[0]))

/* Of argument n, from 0: it is v, it has the bits v, or it has none of them. */
#define IS(n, v)	{ (n), SCMP_CMP_MASKED_EQ, UINT32_MAX, (v) }
#define WITH(n, v)	{ (n), SCMP_CMP_MASKED_EQ, (v), (v) }
#define WITHOUT(n, v)	{ (n), SCMP_CMP_MASKED_EQ, (v), 0 }
#define ANY		{ { 0 } }
#define CONDITIONS	2

/* A call that webhookd may make, when all the conditions hold. */
struct pass {
	const char		*p_call;
	struct scmp_arg_cmp	 p_if[CONDITIONS];
};

/*
 * All that webhookd may do in both of its roles; beside these, abort(3) may
 * end it.  What is called, by it and by its libraries, was traced under the
 * integration tests and read where they do not come by.  Lines of one call
 * stand together: sandbox_calls() counts them as one.
 */
static const struct pass passes[] = {
	/* Connections that it has been given, and those that it accepts. */
	{ "accept4",		ANY },
	{ "accept",		ANY },	/* libevent, after EINVAL */
	{ "read",		ANY },
	{ "readv",		ANY },
	{ "write",		ANY },
	{ "writev",		ANY },
	{ "shutdown",		ANY },
	{ "close",		ANY },
	{ "ioctl",		{ IS(1, FIONREAD) } },
	/* Not F_SETOWN, by which signals are sent. */
	{ "fcntl",		{ IS(1, F_GETFD) } },
	{ "fcntl",		{ IS(1, F_SETFD) } },
	{ "fcntl",		{ IS(1, F_GETFL) } },
	{ "fcntl",		{ IS(1, F_SETFL) } },
	{ "fcntl",		{ IS(1, F_DUPFD_CLOEXEC) } },
	/* chan.c.  MSG_FASTOPEN would be connect(2) by another name. */
	{ "sendmsg",		{ IS(2, MSG_NOSIGNAL) } },
	{ "recvmsg",		{ IS(2, MSG_CMSG_CLOEXEC) } },
	/* The event loop, of this libevent and of later ones. */
	{ "epoll_ctl",		ANY },
	{ "epoll_wait",		ANY },
	{ "epoll_pwait",	ANY },
	{ "epoll_pwait2",	ANY },
	/* malloc(3): memory, never code, and of nobody's file. */
	{ "brk",		ANY },
	{ "mmap",		{ WITHOUT(2, PROT_EXEC),
				    WITH(3, MAP_ANONYMOUS) } },
	{ "munmap",		ANY },
	{ "mremap",		ANY },
	{ "madvise",		ANY },
	/* The time where the kernel has it in no page of the process. */
	{ "clock_gettime",	ANY },
	{ "gettimeofday",	ANY },
	{ "time",		ANY },
	/* Locks and pthread_once(3), without the rest of futex(2). */
	{ "futex",		{ IS(1, FUTEX_WAIT) } },
	{ "futex",		{ IS(1, FUTEX_WAIT_PRIVATE) } },
	{ "futex",		{ IS(1, FUTEX_WAKE) } },
	{ "futex",		{ IS(1, FUTEX_WAKE_PRIVATE) } },
	/* TLS takes fresh seed after an hour. */
	{ "getrandom",		ANY },
	/* The log; abort(3); OpenSSL asks whether it was forked. */
	{ "getpid",		ANY },
	{ "gettid",		ANY },
	{ "rt_sigaction",	ANY },
	{ "rt_sigprocmask",	ANY },
	{ "rt_sigreturn",	ANY },
	{ "restart_syscall",	ANY },
#ifdef WITH_ASAN
	/* What the runtime of the sanitizers does, above all to report. */
	{ "mprotect",		{ WITHOUT(2, PROT_EXEC) } },
	{ "sigaltstack",	ANY },
	{ "sched_yield",	ANY },
	{ "prctl",		ANY },
	{ "prlimit64",		ANY },
	{ "getrlimit",		ANY },
	{ "pipe",		ANY },
	{ "pipe2",		ANY },
	{ "ioctl",		{ IS(1, TCGETS) } },
#endif
	{ "exit_group",		ANY }
};
#define NPASSES	(sizeof(passes) / sizeof(passes[0]))

/*
 * Refused to webhookd, but no reason to kill it: libraries try these in good
 * faith and do without.  The C library looks for a time zone or a message
 * catalogue, and syslog(3), nscd or OpenSSL's engines for a socket; qsort(3)
 * asks how much memory there is; OpenSSL offers its keys to the kernel where
 * the machine's configuration says KTLS (setsockopt).
 */
static const char *const tried[] = {
	"open", "openat", "stat", "lstat", "newfstatat", "fstat", "statx",
	"access", "faccessat", "faccessat2", "readlink", "readlinkat",
	"socket", "getsockopt", "setsockopt", "sysinfo"
};
#define NTRIED	(sizeof(tried) / sizeof(tried[0]))

#ifdef WITH_ASAN
#include <sanitizer/lsan_interface.h>

static int	entered;

/* A leak check at exit opens and traces, which a role may not. */
int
__lsan_is_turned_off(void)
{
	return (entered);
}
#endif

/* A call this libseccomp does not know, the kernel's ABI may not have. */
static int
add_refusals(scmp_filter_ctx ctx, unsigned roles)
{
	size_t	 i;
	int	 nr, r;

	for (i = 0; i < NREFUSALS; i++) {
		if ((refusals[i].r_roles & roles) == 0)
			continue;
		nr = seccomp_syscall_resolve_name(refusals[i].r_call);
		if (nr == __NR_SCMP_ERROR)
			continue;
		r = seccomp_rule_add(ctx,
		    SCMP_ACT_ERRNO((unsigned)refusals[i].r_errno), nr, 0);
		if (r < 0)
			return (r);
	}
	return (0);
}

/* How many conditions the line has. */
static unsigned
conditions(const struct pass *p)
{
	unsigned	 n = 0;

	while (n < CONDITIONS && p->p_if[n].op == SCMP_CMP_MASKED_EQ)
		n++;
	return (n);
}

/* All others kill: who makes them is no longer webhookd. */
static int
add_passes(scmp_filter_ctx ctx)
{
	const struct scmp_arg_cmp	 own[] = {
	    IS(0, (scmp_datum_t)getpid()), IS(2, SIGABRT) };
	size_t				 i;
	int				 nr, r;

	r = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH,
	    SCMP_ACT_KILL_PROCESS);
	if (r >= 0)
		r = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW,
		    SCMP_SYS(tgkill), 2, own);
	for (i = 0; r >= 0 && i < NPASSES; i++) {
		nr = seccomp_syscall_resolve_name(passes[i].p_call);
		if (nr != __NR_SCMP_ERROR)
			r = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, nr,
			    conditions(&passes[i]), passes[i].p_if);
	}
	for (i = 0; r >= 0 && i < NTRIED; i++) {
		nr = seccomp_syscall_resolve_name(tried[i]);
		if (nr != __NR_SCMP_ERROR)
			r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EACCES), nr,
			    0);
	}
	return (r);
}

/* No new namespaces, by any of the ways to ask for one. */
static int
add_no_namespace(scmp_filter_ctx ctx)
{
	static const uint64_t	 flags[] = { CLONE_NEWUSER, CLONE_NEWNS,
	    CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWIPC, CLONE_NEWUTS,
	    CLONE_NEWCGROUP };
	size_t			 i;
	int			 r;

	r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3),
	    0);
	for (i = 0; r >= 0 && i < sizeof(flags) / sizeof(flags[0]); i++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM),
		    SCMP_SYS(clone), 1, SCMP_A0(SCMP_CMP_MASKED_EQ, flags[i],
		    flags[i]));
	return (r);
}

/*
 * Sockets by family, AF_UNIX to AF_VSOCK and what comes later: all above the
 * highest that is wanted, and each below it that is not.
 */
static int
add_families(scmp_filter_ctx ctx, uint64_t allowed)
{
	unsigned	 af;
	int		 r = 0;

	for (af = 0; r >= 0 && af < 64; af++)
		if ((allowed & 1ULL << af) == 0)
			r = seccomp_rule_add(ctx,
			    SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket),
			    1, SCMP_A0_32(SCMP_CMP_EQ, af, 0));
	if (r >= 0)
		r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EAFNOSUPPORT),
		    SCMP_SYS(socket), 1, SCMP_A0_32(SCMP_CMP_GE, 64, 0));
	return (r);
}

/* Typing into, or reading out of, somebody's terminal. */
static int
add_no_tty_input(scmp_filter_ctx ctx)
{
	int	 r;

	r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1,
	    SCMP_A1_32(SCMP_CMP_EQ, TIOCSTI, 0));
	if (r < 0)
		return (r);
	return (seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl),
	    1, SCMP_A1_32(SCMP_CMP_EQ, TIOCLINUX, 0)));
}

static int
finish(scmp_filter_ctx ctx, int r, char *err, size_t errlen)
{
	if (r >= 0)
		r = seccomp_load(ctx);
	seccomp_release(ctx);
	if (r >= 0)
		return (0);
	(void)snprintf(err, errlen, "cannot load the system call filter: %s "
	    "(is CONFIG_SECCOMP_FILTER in this kernel?)", strerror(-r));
	return (-1);
}

static int
give_up(char *err, size_t errlen)
{
	struct rlimit	 none = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &none) == -1 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1) {
		(void)snprintf(err, errlen, "cannot give up privileges: %s",
		    strerror(errno));
		return (-1);
	}
	return (0);
}

/* What these roles may not do; all else they may. */
static int
add_denials(scmp_filter_ctx ctx, unsigned bit)
{
	const uint64_t	 af_unix = 1ULL << AF_UNIX;
	int		 r;

	r = add_refusals(ctx, bit);
	if (r >= 0 && (bit & (FROM_ENGINE | FROM_REAPERD)) != 0)
		r = add_families(ctx, af_unix);
	if (r >= 0 && (bit & (FROM_RECONCILED | WORKERS)) != 0)
		r = add_families(ctx, af_unix | 1ULL << AF_INET |
		    1ULL << AF_INET6 | 1ULL << AF_NETLINK);
	if (r >= 0)
		r = add_no_tty_input(ctx);
	return (r);
}

int
sandbox_enter(enum orch_role role, char *err, size_t errlen)
{
	const unsigned	 bit = 1U << role;
	const int	 facing = (bit & FACING) != 0;
	scmp_filter_ctx	 ctx;

	if ((bit & (ALL | FACING)) == 0) {
		(void)snprintf(err, errlen, "role %d has no filter",
		    (int)role);
		return (-1);
	}
	if (give_up(err, errlen) == -1)
		return (-1);
	if ((ctx = seccomp_init(facing ? SCMP_ACT_KILL_PROCESS :
	    SCMP_ACT_ALLOW)) == NULL) {
		(void)snprintf(err, errlen, "cannot make a system call filter "
		    "(out of memory, or a kernel before Linux 4.14)");
		return (-1);
	}
#ifdef WITH_ASAN
	entered = 1;
#endif
	return (finish(ctx, facing ? add_passes(ctx) : add_denials(ctx, bit),
	    err, errlen));
}

size_t
sandbox_calls(enum orch_role role)
{
	size_t	 i, n = 1;	/* tgkill */

	if ((1U << role & FACING) == 0)
		return (0);
	for (i = 0; i < NPASSES; i++)
		if (i == 0 ||
		    strcmp(passes[i].p_call, passes[i - 1].p_call) != 0)
			n++;
	return (n);
}

int
seccomp_agent(int flags, char *err, size_t errlen)
{
	uint64_t	 families = 1ULL << AF_NETLINK;
	scmp_filter_ctx	 ctx;
	int		 r;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    (ctx = seccomp_init(SCMP_ACT_ALLOW)) == NULL) {
		(void)snprintf(err, errlen, "cannot make a system call filter:"
		    " %s", strerror(errno));
		return (-1);
	}
	if ((flags & SECCOMP_AGENT_NO_UNIX) == 0)
		families |= 1ULL << AF_UNIX;
	if ((flags & SECCOMP_AGENT_NO_INET) == 0)
		families |= 1ULL << AF_INET | 1ULL << AF_INET6;
	r = add_refusals(ctx, AGENT);
	if (r >= 0)
		r = add_no_namespace(ctx);
	if (r >= 0)
		r = add_families(ctx, families);
	if (r >= 0)
		r = add_no_tty_input(ctx);
	return (finish(ctx, r, err, errlen));
}
