/*
 * wild.c: nurtured-intake whose reader does what an attacker would have it do, when a mail says so: linked from the same objects, with reading_make()
 * wrapped. For tests/flow/sandbox.py.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "listen/reading.h"

void __real_reading_make(struct mail_reading *out, const char *raw, size_t n, int64_t received, const struct reading_setting *setting);
void __wrap_reading_make(struct mail_reading *out, const char *raw, size_t n, int64_t received, const struct reading_setting *setting);

static void try_exec(void)
{
	(void)execl("/bin/true", "true", (char *)NULL);
}

static void try_socket(void)
{
	(void)!socket(AF_INET, SOCK_STREAM, 0);
}

static void try_fork(void)
{
	(void)!fork();
}

static void try_kill(void)
{
	(void)kill(getppid(), SIGKILL);
}

static void try_unlink(void)
{
	(void)unlink("/tmp/wild-not-there");
}

static void try_open(void)
{
	if (open("/etc/passwd", O_RDONLY) >= 0 || open("/tmp", O_RDONLY) >= 0 || open("/tmp/wild", O_CREAT | O_WRONLY, 0600) >= 0)
		abort();
}

static void try_spin(void)
{
	for (;;)
		;
}

static const struct {
	const char *word;
	void (*act)(void);
} acts[] = {
	{ "wild: exec", try_exec }, { "wild: socket", try_socket }, { "wild: fork", try_fork }, { "wild: kill", try_kill }, { "wild: unlink", try_unlink },
	{ "wild: open", try_open }, { "wild: spin", try_spin },
};

void __wrap_reading_make(struct mail_reading *out, const char *raw, size_t n, int64_t received, const struct reading_setting *setting)
{
	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++)
		if (memmem(raw, n, acts[i].word, strlen(acts[i].word)))
			acts[i].act();
	__real_reading_make(out, raw, n, received, setting);
}
