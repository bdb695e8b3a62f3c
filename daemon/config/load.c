/*
 * load.c: what the parts of the loader share: reading files, complaining at a node, compiling expressions where they stand.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/text.h"

#include "load.h"

void complain(struct load *l, const struct yaml_node *node, const char *fmt, ...)
{
	struct buf text = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	complain_at(&l->complaints, node->source, node->line, node->column, "%s", buf_cstr(&text));
	buf_clear(&text);
}

void complain_inside(struct load *l, const struct yaml_node *node, size_t offset, const char *fmt, ...)
{
	struct buf text = BUF_INIT;
	int line, column;
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	yaml_place(node, offset, &line, &column);
	complain_at(&l->complaints, node->source, line, column, "%s", buf_cstr(&text));
	buf_clear(&text);
}

/* --- files ------------------------------------------------------------------------------------------------------ */

static void add_version(struct load *l, const struct source *source)
{
	uint8_t digest[SHA256_SIZE];

	buf_add(&l->versions, source->path, strlen(source->path) + 1);
	digest_sha256(source->text, source->len, digest);
	buf_add(&l->versions, digest, sizeof(digest));
}

const struct yaml_node *load_file(struct load *l, const char *name, bool optional)
{
	char *path = arena_printf(l->scratch, "%s/%s", l->folder, name);
	struct source *source;
	struct err err;
	int rc = source_read(&l->complaints, path, &source, &err);

	if (rc == 0 && optional)
		return NULL;
	if (rc == 0)
		complain_at(&l->complaints, source, 1, 1, "there is no such file%s",
			l->operator_known ? "; it belongs beside the operator's file" : "");
	else if (rc < 0)
		complain_at(&l->complaints, source, 1, 1, "%s", err.text);
	if (rc <= 0)
		return NULL;
	add_version(l, source);
	return yaml_parse(&l->complaints, source);
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char *const *load_names(struct load *l, const char *folder, const char *suffix)
{
	DIR *dir = opendir(folder);
	char **names = NULL;
	size_t count = 0, cap = 0;
	const char **out;

	while (dir) {
		struct dirent *entry = readdir(dir);

		if (!entry)
			break;
		if (entry->d_name[0] == '.')
			continue;
		if (!strcmp(suffix, ".yaml") && text_ends_with(entry->d_name, ".yml"))
			complain_at(&l->complaints,
				source_of(&l->complaints, arena_printf(l->scratch, "%s/%s", folder, entry->d_name), "", 0), 1,
				1, "this file is not read; let its name end with .yaml");
		if (!text_ends_with(entry->d_name, suffix))
			continue;
		names = xgrow(names, &cap, count + 1, sizeof(*names));
		names[count++] = arena_strdup(l->scratch, entry->d_name);
	}
	if (dir)
		closedir(dir);
	if (count > 1)
		qsort(names, count, sizeof(*names), by_bytes);
	out = arena_calloc(l->scratch, count + 1, sizeof(*out));
	for (size_t i = 0; i < count; i++)
		out[i] = names[i];
	free(names);
	return out;
}

/* --- expressions ------------------------------------------------------------------------------------------------ */

static void add_pending(struct load *l, struct pending pending)
{
	if (!pending.node)
		return;
	l->pending = xgrow(l->pending, &l->pending_cap, l->pending_count + 1, sizeof(*l->pending));
	l->pending[l->pending_count++] = pending;
}

void load_expression(struct load *l, const struct yaml_node *node, unsigned flags, struct expression **out)
{
	add_pending(l, (struct pending){ .node = node, .flags = flags, .out = out });
}

void load_decision(struct load *l, const struct yaml_node *node, enum decides decides, struct expression **out)
{
	/* points for interest are given when an event comes */
	add_pending(l, (struct pending){ .node = node, .flags = decides == DECIDES_INTEREST ? EXPRESSION_EVENT : 0,
		.decides = decides, .out = out });
}

static void compile(struct load *l, const struct pending *p)
{
	struct plan_body *b = l->body;
	struct expression_error error = { 0 };
	struct expression *e =
		expression_compile(l->plan->vocabulary, p->node->text, VALUE_BOOL, p->flags, &error);

	if (!e) {
		complain_inside(l, p->node, error.offset, "%s%s", error.text,
			yaml_cut(p->node) ? "; inside { } YAML ends a bare expression at a comma or a "
					    "bracket: write it on a line of its own, or in quotes"
					  : "");
		return;
	}
	b->expressions =
		xgrow(b->expressions, &b->expression_cap, b->expression_count + 1, sizeof(*b->expressions));
	b->expressions[b->expression_count++] = e;
	*p->out = e;
}

void load_expressions(struct load *l)
{
	for (size_t i = 0; i < l->pending_count; i++)
		compile(l, &l->pending[i]);
}
