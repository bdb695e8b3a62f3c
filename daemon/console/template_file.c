/*
 * template_file.c: see template_file.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "config/attachment.h"
#include "config/languages.h"

#include "template_file.h"

#define FILE_MAX (4 * 1024 * 1024)
#define SUFFIX ".liquid"
#define TEXT ".txt"

int template_file_read(const char *path, struct arena *arena, const char **out, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc = -1;
	struct stat st;
	size_t have = 0;
	ssize_t n = 0;
	char *text;

	if (fd < 0)
		return err_set(err, "%s: %s", path, strerror(errno));
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > FILE_MAX) {
		err_set(err, "%s: not a file of at most 4 MiB", path);
		goto out;
	}
	text = arena_alloc(arena, (size_t)st.st_size + 1);
	while (have < (size_t)st.st_size && (n = read(fd, text + have, (size_t)st.st_size - have)) > 0)
		have += (size_t)n;
	text[have] = '\0';
	if (n < 0) {
		err_set(err, "%s: %s", path, strerror(errno));
	} else if (!text_utf8_valid(text, have)) {
		err_set(err, "%s: not UTF-8 text", path);
	} else {
		*out = text;
		rc = 0;
	}
out:
	close(fd);
	return rc;
}

static void cut_suffix(char *name, const char *suffix)
{
	if (text_ends_with(name, suffix) && strlen(name) > strlen(suffix))
		name[strlen(name) - strlen(suffix)] = '\0';
}

int template_file_open(struct template_file *f, struct arena *arena, const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	char *name = arena_strdup(arena, slash ? slash + 1 : path), *stem;

	f->arena = arena;
	f->path = path;
	f->folder = slash ? arena_strndup(arena, path, (size_t)(slash - path)) : ".";
	cut_suffix(name, SUFFIX);
	stem = arena_strdup(arena, name);
	cut_suffix(stem, TEXT);
	f->name = name;
	f->text = strcmp(stem, name) != 0;
	f->language = languages_in(stem) ? stem + languages_in(stem) : "";
	return template_file_read(path, arena, &f->source, err);
}

/* NULL if there is none with that ending; of the file's language first. */
static const char *find_ending(struct template_file *f, const char *name, const char *ending)
{
	char *path;

	for (size_t len = strlen(f->language); len; len = languages_wider(f->language, len)) {
		path = arena_printf(f->arena, "%s/%s.%.*s%s", f->folder, name, (int)len, f->language, ending);
		if (!access(path, F_OK))
			return path;
	}
	path = arena_printf(f->arena, "%s/%s%s", f->folder, name, ending);
	return access(path, F_OK) ? NULL : path;
}

const char *template_file_part(struct template_file *f, const char *name)
{
	const char *path = NULL;

	if (strcmp(name, f->name) == 0)
		return f->path;
	if (f->text)
		path = find_ending(f, name, TEXT SUFFIX);
	if (!path)
		path = find_ending(f, name, SUFFIX);
	return path ? path : arena_printf(f->arena, "%s/%s" SUFFIX, f->folder, name);
}

const char *template_file_load(void *ctx, const char *name)
{
	struct template_file *f = ctx;
	const char *path, *text;

	/* a name stays inside its folder */
	if (!*name || *name == '.' || strchr(name, '/'))
		return NULL;
	path = template_file_part(f, name);
	if (template_file_read(path, f->arena, &text, NULL) < 0)
		return NULL;
	if (f->loaded)
		f->loaded(f->ctx, path);
	return text;
}

const char *template_file_picture(void *ctx, const char *name, struct err *err)
{
	struct template_file *f = ctx;
	struct attachment picture;

	return attachment_picture(f->folder, name, f->arena, &picture, err) < 0 ? NULL : arena_printf(f->arena, "cid:%s@" PICTURE_HOST, name);
}

/* RFC 2397; browsers pass over the line breaks. */
const char *template_file_picture_shown(void *ctx, const char *name, struct err *err)
{
	struct template_file *f = ctx;
	struct attachment picture;

	return attachment_picture(f->folder, name, f->arena, &picture, err) < 0 ? NULL
		: arena_printf(f->arena, "data:%s;base64,%s", picture.type, picture.body.data);
}
