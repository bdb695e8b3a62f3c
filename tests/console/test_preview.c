/*
 * preview: templates rendered from files: layouts, data, text parts, front matter, and errors with their
 * places.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "console/preview.h"

static const struct {
	const char *name, *text;
} files[] = {
	{ "mail.liquid", "---\nsubject: \"Hi {{ name | default: 'there' }}\"\nlayout: lay\n---\n"
		"<p>Hello {{ name | default: 'you' }}, {{ n }} <a href=\"https://x.example/{{ n }}\">more</a> {{ sharp }}</p>\n" },
	{ "lay.liquid", "<html><body>{{ content }}</body></html>\n" },
	{ "part.liquid", "a{% render 'piece', x: 'y' %}b" },
	{ "piece.liquid", "[{{ x }}]" },
	{ "part.de-AT.liquid", "a{% render 'piece', x: 'y' %}b" },
	{ "piece.de.liquid", "({{ x }})" },
	{ "part.txt.liquid", "a{% render 'piece', x: 'y' %}b" },
	{ "part.de.txt.liquid", "a{% render 'piece', x: 'y' %}b" },
	{ "part.fr.liquid", "a{% render 'piece', x: 'y' %}{% render 'only', x: 1 %}b" },
	{ "piece.txt.liquid", "-{{ x }}-" },
	{ "only.fr.liquid", "{% bogus %}" },
	{ "uses-wrong", "{% render 'wrong' %}" },
	{ "wrong.liquid", "one\n  {% bogus %}" },
	{ "open.liquid", "{{ nobody }}[{{ a.b }}]{{ \"<\" }}" },
	{ "no-partial.liquid", "{% render '../piece' %}" },
	{ "abort.liquid", "{% abort 'not for them' %}" },
	{ "latin1.liquid", "gr\xfc\xdf" },
	{ "data.json", "{\"name\": null, \"n\": 4, \"sharp\": \"<&\"}" },
	{ "list.json", "[1]" },
	{ "broken.json", "{\"a\":\n  nope}" },
};

#define FILES (sizeof(files) / sizeof(files[0]))

static int set_up(void **state)
{
	char *folder = xstrdup("/tmp/preview.XXXXXX");
	size_t i;

	assert_non_null(mkdtemp(folder));
	for (i = 0; i < FILES; i++) {
		char *path = xasprintf("%s/%s", folder, files[i].name);
		FILE *f = fopen(path, "w");

		assert_non_null(f);
		fputs(files[i].text, f);
		assert_int_equal(fclose(f), 0);
		free(path);
	}
	*state = folder;
	return 0;
}

static int tear_down(void **state)
{
	char *folder = *state;
	size_t i;

	for (i = 0; i < FILES; i++) {
		char *path = xasprintf("%s/%s", folder, files[i].name);

		unlink(path);
		free(path);
	}
	rmdir(folder);
	free(folder);
	return 0;
}

/* What is printed, or the first error with "DIR" for the folder. */
static char *render(const char *folder, const char *file, const char *data, const char *how)
{
	char *path = xasprintf("%s/%s", folder, file),
	     *data_path = data ? xasprintf("%s/%s", folder, data) : NULL, *at;
	struct preview wish = {
		.file = path,
		.data = data_path,
		.plain = strchr(how, 'p') != NULL,
		.text = strchr(how, 't') != NULL,
		.headers = strchr(how, 'h') != NULL,
	};
	struct buf out = BUF_INIT, errors = BUF_INIT, shown = BUF_INIT;
	const char *p;

	if (preview_render(&wish, &out, &errors) == 0) {
		buf_str(&shown, buf_cstr(&out));
	} else {
		for (p = buf_cstr(&errors); (at = strstr(p, folder)); p = at + strlen(folder)) {
			buf_add(&shown, p, (size_t)(at - p));
			buf_str(&shown, "DIR");
		}
		buf_str(&shown, p);
	}
	buf_clear(&out);
	buf_clear(&errors);
	free(path);
	free(data_path);
	return buf_take(&shown);
}

static void templates_are_rendered_or_refused_with_a_place(void **state)
{
	static const struct {
		const char *file, *data, *how;	/* p plain, t text, h headers */
		const char *want;
	} rows[] = {
		{ "mail.liquid", "data.json", "", "<html><body><p>Hello you, 4 <a href=\"https://x.example/4\">more</a> &lt;&amp;</p>\n</body></html>\n" },
		{ "mail.liquid", "data.json", "p", "<html><body><p>Hello you, 4 <a href=\"https://x.example/4\">more</a> <&</p>\n</body></html>\n" },
		{ "mail.liquid", "data.json", "th", "subject: Hi there\n\nHello you, 4 more (https://x.example/4) <&\n" },
		{ "mail.liquid", NULL, "p", "<html><body><p>Hello you,  <a href=\"https://x.example/\">more</a> </p>\n</body></html>\n" },
		{ "part.liquid", NULL, "", "a[y]b" },
		{ "part.de-AT.liquid", NULL, "", "a(y)b" },
		{ "part.txt.liquid", NULL, "p", "a-y-b" },
		{ "part.de.txt.liquid", NULL, "p", "a-y-b" },
		{ "part.fr.liquid", NULL, "", "DIR/only.fr.liquid:1:" },
		{ "open.liquid", NULL, "p", "[]<" },
		{ "open.liquid", "data.json", "", "DIR/open.liquid:1:4: unknown name \"nobody\"" },
		{ "uses-wrong", NULL, "p", "DIR/wrong.liquid:2:" },
		{ "no-partial.liquid", NULL, "p", "DIR/no-partial.liquid:1:" },
		{ "abort.liquid", NULL, "p", "DIR/abort.liquid: aborted: not for them" },
		{ "latin1.liquid", NULL, "p", "DIR/latin1.liquid: not UTF-8 text" },
		{ "nothing.liquid", NULL, "p", "DIR/nothing.liquid: No such file or directory" },
		{ "open.liquid", "nothing.json", "p", "DIR/nothing.json: No such file or directory" },
		{ "open.liquid", "list.json", "p", "DIR/list.json:1:1: the data must be a JSON object" },
		{ "open.liquid", "broken.json", "p", "DIR/broken.json:2:" },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *got = render(*state, rows[i].file, rows[i].data, rows[i].how);
		/* of an error the place is enough */
		size_t n = strncmp(got, "DIR", 3) == 0 ? strlen(rows[i].want) : strlen(got) + 1;

		if (strncmp(got, rows[i].want, n) != 0)
			fail_msg("%s %s:\n%s", rows[i].file, rows[i].how, got);
		free(got);
	}
}

static void templates_are_printed_or_refused(void **state)
{
	static const struct {
		const char *file, *want;
	} rows[] = {
		{ "mail.liquid", "---\nsubject: Hi {{ name | default: \"there\" }}\nlayout: lay\n---\n"
			"<p>Hello {{ name | default: \"you\" }}, {{ n }} <a href=\"https://x.example/{{ n }}\">more</a> {{ sharp }}</p>\n" },
		{ "part.liquid", "a{% render \"piece\", x: \"y\" %}b" },
		{ "uses-wrong", "/wrong.liquid:2:" },
		{ "nothing.liquid", "/nothing.liquid: No such file" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *path = xasprintf("%s/%s", (const char *)*state, rows[i].file);
		struct buf out = BUF_INIT, errors = BUF_INIT;

		if (preview_print(path, &out, &errors) == 0)
			assert_string_equal(buf_cstr(&out), rows[i].want);
		else if (!strstr(buf_cstr(&errors), rows[i].want))
			fail_msg("%s: %s", path, buf_cstr(&errors));
		assert_true((out.len > 0) == (errors.len == 0));
		buf_clear(&out);
		buf_clear(&errors);
		free(path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(templates_are_rendered_or_refused_with_a_place,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(templates_are_printed_or_refused, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
