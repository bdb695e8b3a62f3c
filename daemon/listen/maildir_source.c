/*
 * maildir_source.c: the directory itself is the memory: what lies in new/ is to be read. Names that were
 * given out are kept until they are done, so that a file is not given twice while the daemon commits.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "maildir_source.h"

#define MAX_LISTED 10000	/* of one look; the rest comes with the next */

struct maildir_source {
	int fd_new, fd_cur, fd_notify;
	char **names;		/* found and not given out, sorted */
	size_t count, cap, next;
	char **out;		/* given out, not done */
	size_t out_count, out_cap;
};

int maildir_open(const char *path, struct maildir_source **out, struct err *err)
{
	struct maildir_source *s = xcalloc(1, sizeof(*s));
	char *fresh = xasprintf("%s/new", path), *cur = xasprintf("%s/cur", path);
	int rc = 0;

	s->fd_new = open(fresh, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	s->fd_cur = open(cur, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	s->fd_notify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (s->fd_new < 0 || s->fd_cur < 0) {
		rc = err_set(err, "%s: %s", s->fd_new < 0 ? fresh : cur, strerror(errno));
		maildir_close(&s);
	} else if (s->fd_notify >= 0 &&
		   inotify_add_watch(s->fd_notify, fresh, IN_MOVED_TO | IN_CREATE | IN_CLOSE_WRITE) < 0) {
		close(s->fd_notify);	/* no watches left: the poll interval has to do */
		s->fd_notify = -1;
	}
	free(fresh);
	free(cur);
	if (rc == 0)
		*out = s;
	return rc;
}

static void forget_names(struct maildir_source *s)
{
	for (size_t i = s->next; i < s->count; i++)
		free(s->names[i]);
	s->count = s->next = 0;
}

void maildir_close(struct maildir_source **source)
{
	struct maildir_source *s = *source;

	if (!s)
		return;
	forget_names(s);
	for (size_t i = 0; i < s->out_count; i++)
		free(s->out[i]);
	if (s->fd_new >= 0)
		close(s->fd_new);
	if (s->fd_cur >= 0)
		close(s->fd_cur);
	if (s->fd_notify >= 0)
		close(s->fd_notify);
	free(s->names);
	free(s->out);
	free(s);
	*source = NULL;
}

int maildir_fd(const struct maildir_source *source)
{
	return source->fd_notify;
}

static size_t given_out(const struct maildir_source *s, const char *name)
{
	for (size_t i = 0; i < s->out_count; i++)
		if (!strcmp(s->out[i], name))
			return i;
	return SIZE_MAX;
}

static int by_name(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

static void drain(int fd)
{
	char events[4096];

	while (fd >= 0 && read(fd, events, sizeof(events)) > 0)
		;
}

int maildir_refresh(struct maildir_source *s, struct err *err)
{
	int fd = openat(s->fd_new, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return err_set(err, "cannot list new/: %s", strerror(errno));
	}
	drain(s->fd_notify);
	forget_names(s);
	while (s->count < MAX_LISTED && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || given_out(s, entry->d_name) != SIZE_MAX)
			continue;
		s->names = xgrow(s->names, &s->cap, s->count + 1, sizeof(*s->names));
		s->names[s->count++] = xstrdup(entry->d_name);
	}
	closedir(dir);
	if (s->count)
		qsort(s->names, s->count, sizeof(*s->names), by_name);
	return 0;
}

const char *maildir_peek(const struct maildir_source *source)
{
	return source->next < source->count ? source->names[source->next] : NULL;
}

static int read_file(struct maildir_source *s, const char *name, struct incoming *out, struct err *err)
{
	int fd = openat(s->fd_new, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return err_set(err, "%s: %s", name, strerror(errno));
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return err_set(err, "%s is no file", name);
	}
	out->size = (int64_t)st.st_size;
	out->received = (int64_t)st.st_mtime * US_SECOND;
	do {
		buf_reserve(&out->raw, 65536);
		n = read(fd, out->raw.data + out->raw.len, 65536);
		if (n > 0)
			out->raw.len += (size_t)n;
	} while (n > 0 && out->raw.len < INCOMING_MAX_RAW);
	close(fd);
	if (n < 0)
		return err_set(err, "%s: %s", name, strerror(errno));
	if (out->raw.len > INCOMING_MAX_RAW)
		buf_cut(&out->raw, INCOMING_MAX_RAW);
	return 0;
}

int maildir_next(struct maildir_source *s, struct incoming *out, struct err *err)
{
	char *name;

	memset(out, 0, sizeof(*out));
	name = s->names[s->next++];
	if (read_file(s, name, out, err) < 0) {
		incoming_clear(out);
		free(name);
		return -1;
	}
	out->key = xstrdup(name);
	s->out = xgrow(s->out, &s->out_cap, s->out_count + 1, sizeof(*s->out));
	s->out[s->out_count++] = name;
	return 1;
}

int maildir_done(struct maildir_source *s, const char *key, struct err *err)
{
	size_t at = given_out(s, key);
	char *seen;
	int rc;

	if (at == SIZE_MAX)
		return 0;	/* not ours; also keeps paths out */
	seen = strstr(key, ":2,") ? xstrdup(key) : xasprintf("%s:2,S", key);
	rc = renameat(s->fd_new, key, s->fd_cur, seen);
	free(seen);
	if (rc < 0 && errno != ENOENT)
		return err_set(err, "cannot move %s to cur/: %s", key,
			strerror(errno)); /* stays given out: not read again */
	free(s->out[at]);
	s->out[at] = s->out[--s->out_count];
	return 0;
}
