/*
 * machine.c: the clock, the disk, and who may read what on this machine.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>

#include "base/mem.h"

#include "inside.h"

#define MIB (1024 * 1024)
#define FREE_ERROR (64ull * MIB)	/* the ballast, and some */
#define FREE_WARN (1024ull * MIB)
#define WAL_WARN (512ll * MIB)

static void look_clock(struct doctor *d)
{
	struct findings *f = &d->findings;
	struct timex t = { .modes = 0 };
	int rc = adjtimex(&t);

	if (rc < 0) {
		findings_add(f, DOCTOR_NOTE, "clock", "this machine", "whether it is set by a time server cannot be told: %s", strerror(errno));
	} else if (rc == TIME_ERROR || (t.status & STA_UNSYNC)) {
		findings_add(f, DOCTOR_WARNING, "clock", "this machine", "no time server sets it: mails are dated wrong when it drifts, and steps come early or late");
		findings_next(f, "timedatectl set-ntp true; in a container its host does it");
	} else {
		findings_add(f, DOCTOR_OK, "clock", "this machine", "a time server sets it");
	}
}

static void look_space(struct doctor *d, const char *state)
{
	struct findings *f = &d->findings;
	struct statvfs s;
	unsigned long long left;

	if (statvfs(state, &s) < 0)
		return;
	left = (unsigned long long)s.f_bavail * s.f_frsize;
	findings_add(f, left < FREE_ERROR ? DOCTOR_ERROR : left < FREE_WARN ? DOCTOR_WARNING : DOCTOR_OK, "disk", state, "%llu MiB are free", left / MIB);
	if (left < FREE_WARN)
		findings_next(f, "make room: when the disk is full, sign-ups are refused and no mail goes out");
}

static void look_state(struct doctor *d)
{
	struct findings *f = &d->findings;
	const char *state = d->operator->state;
	char *wal = xasprintf("%s/nurtured.db-wal", state);
	struct stat st;

	if (stat(state, &st) < 0) {
		findings_add(f, DOCTOR_ERROR, "state", state, "%s", strerror(errno));
		findings_next(f, "the service makes it at its start; by hand: install -d -m 750 -o nurtured -g nurtured %s", state);
	} else if (!S_ISDIR(st.st_mode)) {
		findings_add(f, DOCTOR_ERROR, "state", state, "it is no folder");
		findings_next(f, "move it away");
	} else if (st.st_mode & 007) {
		findings_add(f, DOCTOR_ERROR, "state", state, "everybody on this machine may look into it (mode %03o), and it holds personal data and keys", (unsigned)st.st_mode & 0777);
		findings_next(f, "chmod 750 %s", state);
	} else {
		findings_add(f, DOCTOR_OK, "state", state, "closed to others (mode %03o)", (unsigned)st.st_mode & 0777);
	}
	look_space(d, state);
	if (stat(wal, &st) == 0 && st.st_size > WAL_WARN) {
		findings_add(f, DOCTOR_WARNING, "wal", wal, "it has grown to %lld MiB: something keeps a read open", (long long)st.st_size / MIB);
		findings_next(f, "no other program may have the database open; a restart of the daemon makes it small");
	}
	free(wal);
}

/* secrets/ beside the operator's file, as the example has it. Those that the config names as file: were checked when it was loaded. */
static void look_secrets(struct doctor *d)
{
	struct findings *f = &d->findings;
	const char *slash = strrchr(d->wish.config, '/');
	char *folder = xasprintf("%.*ssecrets", slash ? (int)(slash - d->wish.config + 1) : 0, d->wish.config);
	DIR *dir = opendir(folder);
	const struct dirent *entry;
	size_t open = 0, count = 0;

	while (dir && (entry = readdir(dir))) {
		char *path = xasprintf("%s/%s", folder, entry->d_name);
		struct stat st;

		if (stat(path, &st) == 0 && S_ISREG(st.st_mode)) {
			count++;
			if (st.st_mode & 077) {
				open++;
				findings_add(f, DOCTOR_ERROR, "secrets", path, "others may read it (mode %03o)", (unsigned)st.st_mode & 0777);
				findings_next(f, "chmod 600 %s", path);
			}
		}
		free(path);
	}
	if (dir)
		closedir(dir);
	if (count && !open)
		findings_add(f, DOCTOR_OK, "secrets", folder, "%zu files, closed to others", count);
	free(folder);
}

static void look_config(struct doctor *d)
{
	struct findings *f = &d->findings;
	struct stat st;

	if (stat(d->wish.config, &st) == 0 && (st.st_mode & 002)) {
		findings_add(f, DOCTOR_ERROR, "config", d->wish.config, "everybody on this machine may change it (mode %03o)", (unsigned)st.st_mode & 0777);
		findings_next(f, "chmod o-w %s", d->wish.config);
	} else {
		findings_add(f, DOCTOR_OK, "config", d->wish.config, "good");
	}
}

void machine_look(struct doctor *d)
{
	look_clock(d);
	look_state(d);
	look_secrets(d);
	look_config(d);
	findings_add(&d->findings, DOCTOR_NOTE, "backup", d->operator->state, "when it was last copied is known to nobody here");
	findings_next(&d->findings, "docs/operations.md, Backup: and try the way back once");
}
