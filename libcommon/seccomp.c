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
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN	1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN	1
#endif
#endif

#include "libcommon/seccomp.h"

#define WORKERS	(FROM_FINALIZERD | FROM_WORKER)
#define FACING	(FROM_WEBHOOK | FROM_PAGE)
#define DAEMONS	(FACING | FROM_ENGINE | FROM_RECONCILED | FROM_REAPERD)
#define ALL	(DAEMONS | WORKERS)
#define AGENT	(1U << ROLE__MAX)	/* code inside a box */
#define EVERY	(ALL | AGENT)

/* A call that is refused to these roles, whatever its arguments are. */
struct rule {
	const char	*r_call;
	unsigned	 r_roles;	/* FROM_ bits */
	int		 r_errno;
};

static const struct rule rules[] = {
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
	/* Answers only: what faces the internet opens and starts nothing. */
	{ "open",		FACING,	EACCES },
	{ "openat",		FACING,	EACCES },
	{ "openat2",		FACING,	EACCES },
	{ "creat",		FACING,	EACCES },
	{ "unlink",		FACING,	EACCES },
	{ "unlinkat",		FACING,	EACCES },
	{ "rename",		FACING,	EACCES },
	{ "renameat",		FACING,	EACCES },
	{ "renameat2",		FACING,	EACCES },
	{ "mkdir",		FACING,	EACCES },
	{ "mkdirat",		FACING,	EACCES },
	{ "symlink",		FACING,	EACCES },
	{ "symlinkat",		FACING,	EACCES },
	{ "link",		FACING,	EACCES },
	{ "linkat",		FACING,	EACCES },
	{ "chmod",		FACING,	EACCES },
	{ "fchmodat",		FACING,	EACCES },
	{ "chown",		FACING,	EACCES },
	{ "fchownat",		FACING,	EACCES },
	{ "truncate",		FACING,	EACCES },
	{ "socket",		FACING,	EPERM },
	{ "connect",		FACING,	EPERM },
	{ "bind",		FACING,	EPERM },
	{ "fork",		FACING,	EPERM },
	{ "vfork",		FACING,	EPERM },
	{ "pidfd_open",		FACING,	EPERM },
	/* reaperd asks for a kill, it does not kill. */
	{ "kill",		FACING | FROM_REAPERD, EPERM },
	{ "tkill",		FACING | FROM_REAPERD, EPERM },
	{ "tgkill",		FACING | FROM_REAPERD, EPERM },
	{ "pidfd_send_signal",	FACING | FROM_REAPERD, EPERM },
	{ "rt_sigqueueinfo",	FACING | FROM_REAPERD, EPERM },
	{ "rt_tgsigqueueinfo",	FACING | FROM_REAPERD, EPERM },
	/* Who connects out does not wait for callers. */
	{ "listen", FROM_RECONCILED | WORKERS | FROM_REAPERD, EPERM }
};
#define NRULES	(sizeof(rules) / sizeof(rules[0]))

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
add_rules(scmp_filter_ctx ctx, unsigned roles)
{
	size_t	 i;
	int	 nr, r;

	for (i = 0; i < NRULES; i++) {
		if ((rules[i].r_roles & roles) == 0)
			continue;
		nr = seccomp_syscall_resolve_name(rules[i].r_call);
		if (nr == __NR_SCMP_ERROR)
			continue;
		r = seccomp_rule_add(ctx,
		    SCMP_ACT_ERRNO((unsigned)rules[i].r_errno), nr, 0);
		if (r < 0)
			return (r);
	}
	return (0);
}

/* No new process: threads only.  clone3 hides its flags behind a pointer. */
static int
add_no_process(scmp_filter_ctx ctx)
{
	int	 r;

	r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3),
	    0);
	if (r < 0)
		return (r);
	return (seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone),
	    1, SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0)));
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

int
sandbox_enter(enum orch_role role, char *err, size_t errlen)
{
	const uint64_t	 af_unix = 1ULL << AF_UNIX;
	const unsigned	 bit = 1U << role;
	scmp_filter_ctx	 ctx;
	int		 r;

	if ((bit & ALL) == 0) {
		(void)snprintf(err, errlen, "role %d has no filter",
		    (int)role);
		return (-1);
	}
	if (give_up(err, errlen) == -1)
		return (-1);
	if ((ctx = seccomp_init(SCMP_ACT_ALLOW)) == NULL) {
		(void)snprintf(err, errlen, "cannot make a system call filter:"
		    " %s", strerror(ENOMEM));
		return (-1);
	}
	r = add_rules(ctx, bit);
	if (r >= 0 && (bit & FACING) != 0)
		r = add_no_process(ctx);
	if (r >= 0 && (bit & (FROM_ENGINE | FROM_REAPERD)) != 0)
		r = add_families(ctx, af_unix);
	if (r >= 0 && (bit & (FROM_RECONCILED | WORKERS)) != 0)
		r = add_families(ctx, af_unix | 1ULL << AF_INET |
		    1ULL << AF_INET6 | 1ULL << AF_NETLINK);
	if (r >= 0)
		r = add_no_tty_input(ctx);
#ifdef WITH_ASAN
	entered = 1;
#endif
	return (finish(ctx, r, err, errlen));
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
	r = add_rules(ctx, AGENT);
	if (r >= 0)
		r = add_no_namespace(ctx);
	if (r >= 0)
		r = add_families(ctx, families);
	if (r >= 0)
		r = add_no_tty_input(ctx);
	return (finish(ctx, r, err, errlen));
}
