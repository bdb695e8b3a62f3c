/*
 * fuzz_template.c: any bytes as a template; the first picks how it is compiled. It ends within its limits,
 * its text part is there, and in HTML no markup that stands in the data comes out as markup unless the
 * template says `raw`.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "language/template.h"

#define EVIL "a\"'<zq>&\n javascript:x"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct symbol symbols[] = {
	{ .name = "n", .type = VALUE_TEXT },
	{ .name = "m", .type = VALUE_TEXT, .may_be_empty = true },
	{ .name = "l", .type = VALUE_LIST },
	{ .name = "o", .type = VALUE_OBJECT },
};

static const struct value items[] = {
	{ .type = VALUE_TEXT, .text = { EVIL, sizeof(EVIL) - 1 } },
	{ .type = VALUE_INT, .integer = 3 },
	{ .type = VALUE_NIL },
};
static const struct value_list list = { 3, items };
static const struct value_pair pairs[] = { { { "k", 1 },
	{ .type = VALUE_TEXT, .text = { EVIL, sizeof(EVIL) - 1 } } } };
static const struct value_object object = { 1, pairs, NULL };

static struct value by_symbol(void *ctx, int symbol)
{
	switch (symbol) {
	case 0:
		return value_text(EVIL);
	case 2:
		return (struct value){ .type = VALUE_LIST, .list = &list };
	case 3:
		return (struct value){ .type = VALUE_OBJECT, .object = &object };
	default:
		return value_nil;
	}
}

static struct value by_name(void *ctx, struct slice name)
{
	return name.len == 1 && strchr("nmlo", name.data[0])
		       ? by_symbol(ctx, (int)(strchr("nmlo", name.data[0]) - "nmlo"))
		       : value_nil;
}

static const char *load(void *ctx, const char *name)
{
	if (strcmp(name, "p") == 0)
		return "<i>{{ x | default: 'y' }}</i>{% for a in p %}{{ a }}{% endfor %}";
	return strcmp(name, "w") == 0 ? "<body>{{ content }}</body>" : NULL;
}

static void render(const struct template *t, bool escaped)
{
	struct template_env env = {
		.now = 0, .name = by_symbol, .free_name = by_name, .arena = arena_new(0)
	};
	struct buf out = BUF_INIT;
	struct err err;

	if (template_render(t, &env, &out, &err) != TEMPLATE_DONE && out.len)
		abort();
	if (escaped && strstr(buf_cstr(&out), "<zq>"))
		abort();
	buf_clear(&out);
	arena_free(&env.arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct vocabulary *v;
	struct template_options options = { .load = load };
	struct template_error errors[4];
	struct template *t;
	size_t count;
	char *text;

	if (size < 1)
		return 0;
	if (!v) {
		v = vocabulary_new();
		for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++)
			vocabulary_add(v, &symbols[i]);
	}
	options.escape = (enum template_escape)(data[0] & 3);
	options.vocabulary = data[0] & 4 ? v : NULL;
	options.track_links = data[0] & 8;
	text = xstrndup((const char *)data + 1, size - 1);
	t = template_compile("fuzz", text, &options, errors, 4, &count);
	if (!t != (count > 0))
		abort();
	if (t) {
		render(t, options.escape == TEMPLATE_HTML && !strstr(text, "raw") && !strstr(text, "zq"));
		if (options.escape == TEMPLATE_HTML)
			render(template_text_part(t), false);
	}
	template_free(&t);
	free(text);
	return 0;
}
