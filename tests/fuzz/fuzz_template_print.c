/*
 * fuzz_template_print.c: any bytes as a template; the first picks how it is compiled. What compiles prints as the same
 * program, and that prints as itself.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "language/template.h"

#include "../language/same.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *load(void *ctx, const char *name)
{
	return strcmp(name, "p") == 0 ? "<i>{{ p | upcase }}</i>{% for i in a %}{{ i }}{% endfor %}"
	       : strcmp(name, "lay") == 0 ? "<html>{{ content }}</html>"
				      : NULL;
}

static struct template *compiled(const char *text, const struct template_options *options)
{
	struct template_error errors[1];
	size_t count;

	return template_compile("fuzz", text, options, errors, 1, &count);
}

static void print_back(const char *text, const struct template *t, const struct template_options *options)
{
	struct buf first = BUF_INIT, second = BUF_INIT;
	struct template_error error;
	struct template *again;

	if (template_print("fuzz", text, &first, &error) < 0)
		abort();
	again = compiled(buf_cstr(&first), options);
	if (!again || !same_template(t, again))
		abort();
	if (template_print("fuzz", buf_cstr(&first), &second, &error) < 0 || strcmp(buf_cstr(&first), buf_cstr(&second)) != 0)
		abort();
	template_free(&again);
	buf_clear(&first);
	buf_clear(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct template_options options = { .load = load };
	struct template_error error;
	struct buf out = BUF_INIT;
	struct template *t;
	char *text;

	if (size < 1)
		return 0;
	options.escape = (enum template_escape)(data[0] & 3);
	options.track_links = data[0] & 8;
	text = xstrndup((const char *)data + 1, size - 1);
	t = compiled(text, &options);
	if (t)
		print_back(text, t, &options);
	else if (template_print("fuzz", text, &out, &error) < 0 && out.len)
		abort();
	buf_clear(&out);
	template_free(&t);
	free(text);
	return 0;
}
