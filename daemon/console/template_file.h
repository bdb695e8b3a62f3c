/*
 * template_file.h: a template as a file: its name, folder and language, and its layouts and partials, which are looked for
 * as the daemon does. Reads files.
 */
#ifndef CONSOLE_TEMPLATE_FILE_H
#define CONSOLE_TEMPLATE_FILE_H

#include "base/err.h"
#include "base/mem.h"
#include "language/template.h"

struct template_file {
	struct arena *arena;	/* of all texts here; the caller's */
	const char *path;
	const char *folder, *name;	/* "emails", "ebook.de" */
	const char *language;	/* "de", or "" */
	bool text;		/* NAME.txt.liquid */
	const char *source;
	void (*loaded)(void *ctx, const char *path);	/* hears of each layout and partial; may be NULL */
	void *ctx;
};

/* Regular files of UTF-8 up to 4 MiB. The text lives in the arena. */
int template_file_read(const char *path, struct arena *arena, const char **out, struct err *err) MUSTCHECK;
int template_file_open(struct template_file *f, struct arena *arena, const char *path, struct err *err) MUSTCHECK;
/* The path of a layout or partial by its name, whether there is one or not; of the file itself by its own. */
const char *template_file_part(struct template_file *f, const char *name);
/* For template_options.picture: the context is the struct template_file. As the daemon has it, and so that a browser shows it. */
const char *template_file_picture(void *ctx, const char *name, struct err *err);
const char *template_file_picture_shown(void *ctx, const char *name, struct err *err);
/* For template_options.load: the context is the struct template_file. */
const char *template_file_load(void *ctx, const char *name);

#endif
