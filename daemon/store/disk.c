/*
 * disk.c: room on the disk: how much there is, and a ballast of 16 MiB beside the database.
 *
 * On a full disk SQLite cannot even delete or checkpoint. The ballast is given up then, so that what is
 * under way can be cleaned up, and is laid in again when there is plenty.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/log.h"

#include "inside.h"

#define BALLAST (INT64_C(16) << 20)
#define FULL (INT64_C(1) << 20)		/* less than that: not even the index of the log may fit */

struct disk {
	char *state;		/* folder */
	char *ballast;		/* file */
	int64_t min_free;
	bool has_ballast;
	_Atomic int64_t left;
};

struct disk *disk_new(const char *state, int64_t min_free)
{
	struct disk *d = xcalloc(1, sizeof(*d));

	d->state = xstrdup(state);
	d->ballast = xasprintf("%s/ballast", state);
	d->min_free = min_free;
	d->has_ballast = access(d->ballast, F_OK) == 0;
	return d;
}

void disk_free(struct disk **disk)
{
	if (!*disk)
		return;
	free((*disk)->state);
	free((*disk)->ballast);
	free(*disk);
	*disk = NULL;
}

static void lay_ballast(struct disk *d)
{
	int fd = open(d->ballast, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return;
	/* returns its error; EINTR and ENOSPC alike are tried again at the next look */
	if (posix_fallocate(fd, 0, BALLAST) == 0)
		d->has_ballast = true;
	else
		unlink(d->ballast);
	close(fd);
}

void disk_look(struct disk *disk)
{
	struct statvfs fs;

	if (statvfs(disk->state, &fs) < 0) {
		log_error("store.disk", L_STR("state", disk->state), L_INT("errno", errno));
		return;
	}
	atomic_store(&disk->left, (int64_t)(fs.f_bavail * fs.f_frsize));
	if (!disk->has_ballast && disk_left(disk) >= disk->min_free + 2 * BALLAST) {
		lay_ballast(disk);
		atomic_fetch_sub(&disk->left, disk->has_ballast ? BALLAST : 0);
	}
}

void disk_release(struct disk *disk)
{
	if (disk->has_ballast && unlink(disk->ballast) == 0)
		log_warn("store.ballast.released", L_STR("state", disk->state));
	disk->has_ballast = false;
}

int64_t disk_left(struct disk *disk)
{
	return atomic_load(&disk->left);
}

bool disk_is_full(struct disk *disk)
{
	return disk_left(disk) < FULL;
}

bool disk_has_room(struct disk *disk)
{
	return disk_left(disk) >= disk->min_free;
}
