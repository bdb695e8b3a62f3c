/* test_sandbox.c: what each sandbox leaves, tried in a process of its own. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"

#include "../../daemon/listen/charset.h"
#include "../../daemon/listen/sandbox.h"

static char folder[] = "/tmp/test_sandbox.XXXXXX";
static int port, other_port;	/* of listeners on 127.0.0.1 */

/* The wait status of a child that gave up its rights and tried that; it exits with what it got: 0, or an errno. */
static int tried(void (*give_up)(void), int (*attempt)(void))
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		sandbox_limits();
		give_up();
		errno = 0;
		_exit(attempt());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static int outcome(int rc)
{
	return rc < 0 ? errno : 0;
}

static void as_parser(void)
{
	charset_load();
	sandbox_parser();
}

static void as_remote(void)
{
	sandbox_remote(port, "/etc/ssl/certs/ca-certificates.crt");
}

static void as_maildir(void)
{
	sandbox_maildir(folder);
}

static int open_passwd(void)
{
	return outcome(open("/etc/passwd", O_RDONLY));
}

static int open_new_file(void)
{
	return outcome(open("/tmp/test_sandbox.made", O_CREAT | O_WRONLY, 0600));
}

static int open_own_file(void)
{
	char path[100];

	snprintf(path, sizeof(path), "%s/new/a", folder);
	return outcome(open(path, O_RDONLY));
}

static int move_own_file(void)
{
	char from[100], to[100];

	snprintf(from, sizeof(from), "%s/new/a", folder);
	snprintf(to, sizeof(to), "%s/cur/a:2,S", folder);
	return outcome(rename(from, to)) || outcome(rename(to, from));
}

static int make_socket(void)
{
	return outcome(socket(AF_INET, SOCK_STREAM, 0));
}

static int connect_to(int there)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)there), .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return fd < 0 ? errno : outcome(connect(fd, (const struct sockaddr *)&a, sizeof(a)));
}

static int connect_to_server(void)
{
	return connect_to(port);
}

static int connect_elsewhere(void)
{
	return connect_to(other_port);
}

static int run_program(void)
{
	return outcome(execl("/bin/true", "true", (char *)NULL));
}

static int make_process(void)
{
	return outcome(fork());
}

static int kill_parent(void)
{
	return outcome(kill(getppid(), 0));
}

static int trace_parent(void)
{
	return outcome((int)ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
}

static int remove_file(void)
{
	return outcome(unlink("/tmp/test_sandbox.not-there"));
}

static int duplicate(void)
{
	return outcome(dup(0));
}

/* One that was loaded, an alias of one, and one that nobody uses: that cannot be loaded any more. */
static int convert_text(void)
{
	struct arena *arena = arena_new(4096);
	char *euc = charset_to_utf8(arena, "\xa4\xa2", 2, "euc-jp"), *cyrillic = charset_to_utf8(arena, "\xf0", 1, "cp1251"),
	     *unknown = charset_to_utf8(arena, "plain", 5, "EBCDIC-AT-DE");

	return strcmp(euc, "\u3042") || strcmp(cyrillic, "\u0440") || strcmp(unknown, "plain");
}

static int take_memory(void)
{
	char *p = malloc(100 << 20);

	if (!p)
		return ENOMEM;
	memset(p, 1, 100 << 20);
	free(p);
	return 0;
}

static int take_all_memory(void)
{
	return outcome(malloc(2u << 30) ? 0 : -1);
}

static const struct attempt {
	const char *what;
	void (*give_up)(void);
	int (*attempt)(void);
	int wants;		/* errno, or KILLED */
} attempts[] = {
#define KILLED -1
	{ "a parser opens no file", as_parser, open_passwd, EACCES },
	{ "a parser makes no file", as_parser, open_new_file, EACCES },
	{ "a parser removes no file", as_parser, remove_file, KILLED },
	{ "a parser has no socket", as_parser, make_socket, KILLED },
	{ "a parser starts no program", as_parser, run_program, KILLED },
	{ "a parser has no children", as_parser, make_process, KILLED },
	{ "a parser kills nobody", as_parser, kill_parent, KILLED },
	{ "a parser looks into nobody", as_parser, trace_parent, KILLED },
	{ "a parser has no descriptor more", as_parser, duplicate, KILLED },
	{ "a parser converts", as_parser, convert_text, 0 },
	{ "a parser has memory", as_parser, take_memory, 0 },
	{ "but not all of it", as_parser, take_all_memory, ENOMEM },
	{ "the server is reached", as_remote, connect_to_server, 0 },
	{ "nobody else", as_remote, connect_elsewhere, EACCES },
	{ "certificates are read", as_remote, open_passwd, 0 },
	{ "the mails of others are not", as_remote, open_own_file, EACCES },
	{ "a fetcher makes no file", as_remote, open_new_file, EACCES },
	{ "a fetcher starts no program", as_remote, run_program, KILLED },
	{ "a fetcher has no children", as_remote, make_process, KILLED },
	{ "a fetcher looks into nobody", as_remote, trace_parent, KILLED },
	{ "a Maildir is read", as_maildir, open_own_file, 0 },
	{ "its mails move", as_maildir, move_own_file, 0 },
	{ "no other file is read", as_maildir, open_passwd, EACCES },
	{ "no other file is made", as_maildir, open_new_file, EACCES },
	{ "a Maildir has no socket", as_maildir, make_socket, KILLED },
	{ "a Maildir removes no file", as_maildir, remove_file, KILLED },
	{ "a Maildir has no children", as_maildir, make_process, KILLED },
	{ "a Maildir kills nobody", as_maildir, kill_parent, KILLED },
	{ "a Maildir starts no program", as_maildir, run_program, KILLED },
};

static void what_is_left(void **state)
{
	int wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
		const struct attempt *a = &attempts[i];
		int status = tried(a->give_up, a->attempt), got = WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS ? KILLED : WEXITSTATUS(status);

		if (got == a->wants && (got == KILLED || WIFEXITED(status)))
			continue;
		print_error("%s: %s\n", a->what, WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : strerror(WEXITSTATUS(status)));
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

static int listener(int *port_out)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t size = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (const struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 10), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &size), 0);
	*port_out = ntohs(a.sin_port);
	return fd;
}

static int set_up(void **state)
{
	char path[100];
	int fd;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/cur", folder);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/new", folder);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/new/a", folder);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
	listener(&port);
	listener(&other_port);
	return 0;
}

static int tear_down(void **state)
{
	static const char *const names[] = { "/new/a", "/new", "/cur", "" };
	char path[100];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", folder, names[i]);
		(void)remove(path);
	}
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(what_is_left) };

#ifdef SANITIZED
	puts("| nothing is tried: a build for a sanitizer has no sandbox, since the sanitizer opens files and starts programs");
	return 0;
#endif
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
