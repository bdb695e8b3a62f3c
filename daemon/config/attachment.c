/*
 * attachment.c: see attachment.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/media.h"
#include "base/text.h"
#include "config/attachment.h"

#define NAME_MAX_BYTES 200

static int check_name(const char *name, struct err *err)
{
	size_t n = strlen(name);

	if (!n || *name == '.' || strpbrk(name, "/\\\"") || n > NAME_MAX_BYTES || !text_utf8_valid(name, n) || text_has_control(name, n) ||
		strpbrk(name, "\t\r\n"))
		return err_set(err, "`%s` is no file name; it is one of at most %d bytes without a path", name, NAME_MAX_BYTES);
	return 0;
}

/* No link out of the folder, no device, nothing that blocks. */
static int open_in(const char *folder, const char *name, struct stat *st, struct err *err)
{
	int dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC), fd = -1;

	if (dir >= 0) {
		fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		close(dir);
	}
	if (fd >= 0 && !fstat(fd, st) && S_ISREG(st->st_mode))
		return fd;
	if (fd >= 0)
		close(fd);
	return err_set(err, "there is no file %s/%s; put it there", folder, name);
}

static int read_all(int fd, char *out, size_t n)
{
	size_t have = 0;
	ssize_t got = 1;

	while (have < n && got > 0) {
		got = read(fd, out + have, n - have);
		have += got > 0 ? (size_t)got : 0;
	}
	return have == n ? 0 : -1;
}

static void encode(const char *bytes, struct arena *arena, struct attachment *out)
{
	struct buf lines = BUF_INIT;

	text_base64_lines(&lines, bytes, out->size);
	out->body = (struct slice){ arena_strndup(arena, buf_cstr(&lines), lines.len), lines.len };
	buf_clear(&lines);
	digest_sha256(bytes, out->size, out->digest);
}

int attachment_read(const char *folder, const char *name, size_t max, struct arena *arena, struct attachment *out, struct err *err)
{
	struct stat st;
	char *bytes;
	int fd, rc;

	if (check_name(name, err))
		return -1;
	fd = open_in(folder, name, &st, err);
	if (fd < 0)
		return -1;
	if (st.st_size == 0 || (size_t)st.st_size > max) {
		close(fd);
		return err_set(err, "%s has %lld bytes; a file in a mail has at most %zu, and is not empty", name, (long long)st.st_size, max);
	}
	*out = (struct attachment){ .name = arena_strdup(arena, name), .type = media_type(name), .size = (size_t)st.st_size };
	bytes = xmalloc(out->size);
	rc = read_all(fd, bytes, out->size);
	close(fd);
	if (!rc)
		encode(bytes, arena, out);
	free(bytes);
	return rc ? err_set(err, "%s/%s cannot be read", folder, name) : 0;
}

int attachment_picture(const char *folder, const char *name, struct arena *arena, struct attachment *out, struct err *err)
{
	if (name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")])
		return err_set(err, "`%.100s` is no URL, and no name of a picture beside the template; those are letters, digits, '.', '-' and '_'", name);
	if (!text_starts_with(media_type(name), "image/"))
		return err_set(err, "mail programs do not show `%.100s`; take a .png, .jpg or .gif", name);
	return attachment_read(folder, name, PICTURE_MAX, arena, out, err);
}
