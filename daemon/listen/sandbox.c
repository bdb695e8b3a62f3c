/*
 * sandbox.c: rlimits, a seccomp filter of our own (a list of numbers: no library is needed for that), and Landlock by its system calls, for which
 * glibc has no functions.
 *
 * Two kinds of filter. A parser and who moves files in a Maildir have a list of what they may do, since they do so little. What talks to a server
 * runs the resolver, whose modules differ from host to host (files, DNS, systemd's, LDAP's, each with its own system calls; with files and DNS it was
 * 28 of them over all that the tests do by IMAP and POP3): where a list of those ended it, no mail would come. So it has a list of what it may not do,
 * which is all that would lead out of Landlock's reach.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox.h"

#define MEMORY_BYTES (1024ul * 1024 * 1024)
#define FETCHER_FDS 64

static void limit(int what, rlim_t most)
{
	struct rlimit l = { most, most };

	setrlimit((__rlimit_resource_t)what, &l);
}

void sandbox_limits(void)
{
	limit(RLIMIT_CORE, 0);		/* what it holds is other people's mail */
#ifndef SANITIZED
	limit(RLIMIT_AS, MEMORY_BYTES);
	limit(RLIMIT_FSIZE, 0);
#endif
	signal(SIGXFSZ, SIG_IGN);
	prctl(PR_SET_PDEATHSIG, SIGKILL);	/* nobody listens any more */
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

#ifdef SANITIZED

void sandbox_parser(void)
{
}

void sandbox_remote(int port, const char *cainfo)
{
	(void)port;
	(void)cainfo;
}

void sandbox_maildir(const char *path)
{
	(void)path;
}

#else

/* --- seccomp ------------------------------------------------------------------------------------------------------------ */

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCH AUDIT_ARCH_RISCV64
#endif

#define FILTER_MOST 200
#define X32_BIT 0x40000000u

struct filter {
	struct sock_filter code[FILTER_MOST];
	unsigned short count;
};

static void add(struct filter *f, uint16_t code, uint32_t k, uint8_t yes, uint8_t no)
{
	f->code[f->count++] = (struct sock_filter){ code, yes, no, k };
}

static void add_return(struct filter *f, uint32_t what)
{
	add(f, BPF_RET | BPF_K, what, 0, 0);
}

static void add_load(struct filter *f, size_t offset)
{
	add(f, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

/* The number of the call is loaded; one of another architecture is not ours to judge by numbers. */
static void begin(struct filter *f)
{
	f->count = 0;
#ifdef ARCH
	add_load(f, offsetof(struct seccomp_data, arch));
	add(f, BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
	add_return(f, SECCOMP_RET_KILL_PROCESS);
#endif
	add_load(f, offsetof(struct seccomp_data, nr));
	add(f, BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1);
	add_return(f, SECCOMP_RET_KILL_PROCESS);
}

static void each(struct filter *f, const int *calls, size_t count, uint32_t what)
{
	for (size_t i = 0; i < count; i++) {
		add(f, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)calls[i], 0, 1);
		add_return(f, what);
	}
}

/* Allowed if the low half of its first argument is that; else the number is loaded again. */
static void where_first_is(struct filter *f, int call, uint32_t value)
{
	add(f, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 4);
	add_load(f, offsetof(struct seccomp_data, args));
	add(f, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
	add_return(f, SECCOMP_RET_ALLOW);
	add_return(f, SECCOMP_RET_KILL_PROCESS);
}

static void apply(struct filter *f)
{
#ifdef ARCH
	struct sock_fprog program = { f->count, f->code };

	prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);	/* a kernel built without it: the limits have to do */
#else
	(void)f;
#endif
}

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* Memory, its own descriptors, time, and its end. JIT needs memory that is executable: mmap() is not looked into. */
static const int parser_calls[] = {
	SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_close, SYS_lseek, SYS_fstat, SYS_ppoll, SYS_recvfrom, SYS_recvmsg, SYS_sendto, SYS_sendmsg,
	SYS_brk, SYS_mmap, SYS_munmap, SYS_mremap, SYS_mprotect, SYS_madvise, SYS_futex, SYS_getrandom, SYS_sched_yield,
	SYS_clock_gettime, SYS_gettimeofday, SYS_sysinfo, SYS_uname, SYS_getpid, SYS_gettid, SYS_getrusage, SYS_shutdown,
	SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_restart_syscall, SYS_exit, SYS_exit_group,
#ifdef SYS_poll
	SYS_poll,
#endif
#ifdef SYS_time
	SYS_time,
#endif
#ifdef SYS_getrlimit
	SYS_getrlimit, SYS_setrlimit,
#endif
};

/* What libraries try, and cope when they may not: iconv's converters, time zones, error messages in files. */
static const int refused_calls[] = {
	SYS_openat, SYS_newfstatat, SYS_faccessat, SYS_readlinkat, SYS_statx, SYS_ioctl, SYS_fcntl,
#ifdef SYS_open
	SYS_open, SYS_stat, SYS_lstat, SYS_access, SYS_readlink,
#endif
};

/* And what it takes to find files and to move them; which of them, Landlock says. */
static const int maildir_calls[] = {
	SYS_openat, SYS_newfstatat, SYS_statx, SYS_getdents64, SYS_fcntl, SYS_renameat2, SYS_inotify_init1, SYS_inotify_add_watch, SYS_inotify_rm_watch,
	SYS_wait4, SYS_waitid,
#ifdef SYS_renameat
	SYS_renameat,
#endif
#ifdef SYS_open
	SYS_open, SYS_stat, SYS_lstat, SYS_rename,
#endif
};

static void filter_allowed(const int *more, size_t count)
{
	struct filter f;

	begin(&f);
	each(&f, parser_calls, COUNT(parser_calls), SECCOMP_RET_ALLOW);
	each(&f, more, count, SECCOMP_RET_ALLOW);
	each(&f, refused_calls, COUNT(refused_calls), SECCOMP_RET_ERRNO | EACCES);
	where_first_is(&f, SYS_tgkill, (uint32_t)getpid());	/* abort() */
	where_first_is(&f, SYS_prlimit64, 0);			/* its own limits */
	add_return(&f, SECCOMP_RET_KILL_PROCESS);
	apply(&f);
}

/* Programs, processes, other processes, and the parts of the kernel that a mail reader has no business with. */
static const int remote_forbidden[] = {
	SYS_execve, SYS_execveat, SYS_clone, SYS_clone3, SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_pidfd_getfd, SYS_pidfd_send_signal,
	SYS_kill, SYS_tkill, SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_unshare, SYS_setns, SYS_open_tree, SYS_move_mount, SYS_fsopen,
	SYS_bpf, SYS_perf_event_open, SYS_userfaultfd, SYS_io_uring_setup, SYS_io_uring_enter, SYS_keyctl, SYS_add_key, SYS_request_key,
	SYS_init_module, SYS_finit_module, SYS_delete_module, SYS_kexec_load, SYS_reboot, SYS_swapon, SYS_swapoff, SYS_acct, SYS_quotactl,
	SYS_setuid, SYS_setgid, SYS_setresuid, SYS_setresgid, SYS_setgroups, SYS_capset, SYS_mknodat, SYS_listen, SYS_accept, SYS_accept4,
#ifdef SYS_fork
	SYS_fork, SYS_vfork,
#endif
};

static void filter_remote(void)
{
	struct filter f;

	begin(&f);
	each(&f, remote_forbidden, COUNT(remote_forbidden), SECCOMP_RET_KILL_PROCESS);
	add_return(&f, SECCOMP_RET_ALLOW);
	apply(&f);
}

/* --- Landlock ----------------------------------------------------------------------------------------------------------- */

#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif

#define NET_BIND (1ULL << 0)
#define NET_CONNECT (1ULL << 1)
#define RULE_NET_PORT 2
#define SCOPE_ABSTRACT_UNIX_SOCKET (1ULL << 0)
#define SCOPE_SIGNAL (1ULL << 1)
#define ABI_REFER 2
#define ABI_TRUNCATE 3
#define ABI_NET 4
#define ABI_SCOPE 6

/* As <linux/landlock.h> has them since 6.12; Debian 12's are older than the kernels that it meets. */
struct landlock_rules {
	uint64_t fs, net, scoped;
};

struct landlock_port {
	uint64_t access, port;
};

#define FS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define FS_MOVE (FS_READ | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REFER)
#define FS_ALL_OF_ABI_1 ((1ULL << 13) - 1)

static int landlock_abi(void)
{
	return (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

/* Nothing is allowed but what is added. -1: this kernel has none, or too old a one. */
static int landlock_begin(bool network, int abi_needed)
{
	int abi = landlock_abi();
	struct landlock_rules rules = { .fs = FS_ALL_OF_ABI_1 };

	if (abi < abi_needed)
		return -1;
	if (abi >= ABI_REFER)
		rules.fs |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= ABI_TRUNCATE)
		rules.fs |= LANDLOCK_ACCESS_FS_TRUNCATE;
	if (abi >= ABI_NET && network)
		rules.net = NET_BIND | NET_CONNECT;
	if (abi >= ABI_SCOPE)
		rules.scoped = SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL;
	return (int)syscall(SYS_landlock_create_ruleset, &rules,
		abi >= ABI_SCOPE ? sizeof(rules) : abi >= ABI_NET ? offsetof(struct landlock_rules, scoped) : offsetof(struct landlock_rules, net), 0);
}

static void landlock_path(int ruleset, const char *path, uint64_t access)
{
	struct landlock_path_beneath_attr rule = { .allowed_access = access, .parent_fd = open(path, O_PATH | O_CLOEXEC) };

	if (rule.parent_fd < 0)
		return;
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0) {
		rule.allowed_access &= ~(uint64_t)LANDLOCK_ACCESS_FS_READ_DIR;	/* of a file */
		(void)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	}
	close(rule.parent_fd);
}

static void landlock_port(int ruleset, int port)
{
	struct landlock_port rule = { .access = NET_CONNECT, .port = (uint64_t)port };

	(void)syscall(SYS_landlock_add_rule, ruleset, RULE_NET_PORT, &rule, 0);
}

static void landlock_apply(int ruleset)
{
	if (ruleset < 0)
		return;
	(void)syscall(SYS_landlock_restrict_self, ruleset, 0);
	close(ruleset);
}

/* --- for whom ----------------------------------------------------------------------------------------------------------- */

/* Descriptors keep their rights: one more than it has cannot be made. */
static rlim_t first_free_fd(void)
{
	int fd = dup(STDIN_FILENO);

	if (fd < 0)
		return 4;
	close(fd);
	return fd > 4 ? (rlim_t)fd : 4;
}

void sandbox_parser(void)
{
	landlock_apply(landlock_begin(true, 1));
	limit(RLIMIT_NPROC, 0);
	limit(RLIMIT_NOFILE, first_free_fd());
	filter_allowed(NULL, 0);
}

void sandbox_remote(int port, const char *cainfo)
{
	static const char *const readable[] = { "/etc", "/lib", "/lib64", "/usr", "/dev/urandom", "/dev/null", "/run/systemd/resolve", "/run/resolvconf",
						"/run/NetworkManager", "/proc/sys/crypto" };
	int ruleset = landlock_begin(true, 1);

	for (size_t i = 0; ruleset >= 0 && i < COUNT(readable); i++)
		landlock_path(ruleset, readable[i], FS_READ);
	if (ruleset >= 0) {
		landlock_path(ruleset, cainfo, FS_READ);
		landlock_port(ruleset, port);
		landlock_port(ruleset, 53);
	}
	landlock_apply(ruleset);
	limit(RLIMIT_NPROC, 0);
	limit(RLIMIT_NOFILE, FETCHER_FDS);
	filter_remote();
}

/* Files go from new/ to cur/, which the first Landlock could not allow. */
void sandbox_maildir(const char *path)
{
	int ruleset = landlock_begin(true, ABI_REFER);

	if (ruleset >= 0)
		landlock_path(ruleset, path, FS_MOVE);
	landlock_apply(ruleset);
	limit(RLIMIT_NPROC, 0);
	limit(RLIMIT_NOFILE, FETCHER_FDS);
	filter_allowed(maildir_calls, COUNT(maildir_calls));
}

#endif
