/*
 * fuzz_lint.c: any bytes as a mail, a page, a partial or a text part; the first picks which. What is found is bounded, stands
 * in order, and has a place and words; what compiles has no findings of `liquid`.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "language/lint.h"

#define EVIL "a\"'<zq>&\n javascript:x"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct symbol symbols[] = {
	{ .name = "n", .type = VALUE_TEXT },
	{ .name = "m", .type = VALUE_TEXT, .may_be_empty = true },
	{ .name = "unsubscribe_url", .type = VALUE_TEXT },
};

static struct value sample(void *ctx, int symbol)
{
	return symbol == 1 ? value_nil : value_text(EVIL);
}

static const char *load(void *ctx, const char *name)
{
	return strcmp(name, "p") == 0 ? "<i style=\"color:#999\">{{ p }}<img></i>{% render 'p' %}"
	       : strcmp(name, "lay") == 0 ? "---\nlint_ignore: lang image-alt\n---\n<html>{{ content }}</html>"
				      : NULL;
}

static void check_finding(const struct lint_finding *f, const struct lint_finding *before, enum lint_kind kind)
{
	if (!(f->rule->kinds & kind) || f->line < 1 || f->column < 1 || !*f->text || !*f->file)
		abort();
	if (before && (strcmp(before->file, f->file) > 0 || (strcmp(before->file, f->file) == 0 && before->line > f->line)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum lint_kind kinds[] = { LINT_MAIL, LINT_PAGE, LINT_PART, LINT_TEXT };
	static struct vocabulary *v;
	struct template_options compile = { .load = load };
	struct template_env env = { .name = sample };
	struct lint_options options = { .compile = &compile };
	struct template_error error;
	struct lint_finding *found;
	struct template *t;
	size_t count, errors;
	char *text;

	if (size < 1)
		return 0;
	if (!v) {
		v = vocabulary_new();
		for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++)
			vocabulary_add(v, &symbols[i]);
	}
	options.kind = kinds[data[0] & 3];
	options.has_text = data[0] & 8;
	compile.escape = options.kind == LINT_TEXT ? TEMPLATE_PLAIN : TEMPLATE_HTML;
	compile.vocabulary = data[0] & 4 ? v : NULL;
	env.arena = arena_new(0);
	options.sample = data[0] & 4 ? &env : NULL;
	text = xstrndup((const char *)data + 1, size - 1);
	found = lint_template("fuzz", text, &options, &count);
	if (count > 1000)
		abort();
	for (size_t i = 0; i < count; i++)
		check_finding(&found[i], i ? &found[i - 1] : NULL, options.kind);
	t = template_compile("fuzz", text, &compile, &error, 1, &errors);
	for (size_t i = 0; t && i < count; i++)
		if (strcmp(found[i].rule->name, "liquid") == 0 || strcmp(found[i].rule->name, "empty-field") == 0)
			abort();
	template_free(&t);
	free(found);
	free(text);
	arena_free(&env.arena);
	return 0;
}
