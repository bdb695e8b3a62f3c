/*
 * proofread: which templates are looked at, with which names, and what is said of them; and that nothing is wrong with ours.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/mem.h"
#include "console/proofread.h"

#define LAYOUT "<html lang=\"en\"><head><meta name=\"viewport\" content=\"x\"></head><body>{{ content }}{% render \"foot\", to: unsubscribe_url %}" \
	"<p>{{ sender.postal_address }}</p></body></html>\n"
#define WORDS "<p>Choosing a vendor is easier with a list of what hurts every week. Here is ours.</p>\n"
#define MAIL "---\nsubject: A mail\npreheader: x\nlayout: letter\n---\n" WORDS

static const struct {
	const char *name, *text;
} files[] = {
	{ "conf/nurtured.yaml",
		"sender: {from: \"Ana <ana@example.com>\", company: Example, postal_address: 1 High Street, bounce_domain: b.example.com, reply_domain: "
		"r.example.com}\nlisten: {public_url: https://mail.example.com}\nrelays: [{name: main, url: \"smtp://localhost:25\", tls: none}]\n"
		"templates: ../templates\nmailboxes: [{name: m, url: maildir:/tmp/m}]\n" },
	{ "conf/nurture.yaml", "fields:\n  first_name: {type: text}\n  role: {type: text, default: you}\nstages: [{name: awareness}]\n"
		"lists: [{name: all, at_most: 1 per day}]\nquiet: {default_timezone: UTC}\n" },
	{ "templates/emails/letter.liquid", LAYOUT },
	{ "templates/emails/foot.liquid", "<a href=\"{{ to }}\">Stop</a>\n" },
	{ "templates/emails/foot.de.liquid", "\n<a href=\"{{ to }}\"><img></a>\n" },
	{ "templates/emails/good.liquid", MAIL "{{ role }}" },
	{ "templates/emails/good.de.liquid", MAIL },
	{ "templates/emails/empty.liquid", MAIL "{{ first_name }}" },
	{ "templates/emails/alone.liquid", "<a href=\"#\">{{ whatever }}</a>" },
	{ "templates/emails/text.liquid", "---\nsubject: A mail\npreheader: x\nlayout: letter\n---\n<p>x</p>" },
	{ "templates/emails/text.txt.liquid", "{{ nobody }} <a href=\"#\">" },
	{ "templates/pages/page.liquid", "<html><head></head>{{ content }}</html>" },
	{ "templates/pages/thanks.liquid", "---\nlayout: page\n---\n{{ message }}<form></form>" },
};

#define FILES (sizeof(files) / sizeof(files[0]))

static int set_up(void **state)
{
	static const char *const folders[] = { "conf", "templates", "templates/emails", "templates/pages" };
	char *folder = xstrdup("/tmp/proofread.XXXXXX"), *path;

	assert_non_null(mkdtemp(folder));
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		path = xasprintf("%s/%s", folder, folders[i]);
		assert_int_equal(mkdir(path, 0700), 0);
		free(path);
	}
	for (size_t i = 0; i < FILES; i++) {
		FILE *f;

		path = xasprintf("%s/%s", folder, files[i].name);
		f = fopen(path, "w");
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
	char *command = xasprintf("rm -rf %s", (const char *)*state);
	int rc = system(command);

	free(command);
	free(*state);
	return rc;
}

/* "templates/emails/x.liquid:1 rule", a line each, or what stands in the way. */
static char *found(const char *folder, const char *file, bool all, bool config)
{
	char *path = file ? xasprintf("%s/%s", folder, file) : NULL, *conf = xasprintf("%s/conf/nurtured.yaml", folder);
	const char *const paths[] = { path };
	struct proofread wish = { .files = paths, .count = path ? 1 : 0, .all = all, .config = config ? conf : "/nowhere/nurtured.yaml", .config_given = config };
	struct buf errors = BUF_INIT, out = BUF_INIT;
	json_t *json = proofread_run(&wish, &errors), *f;
	size_t i;

	if (!json)
		buf_str(&out, buf_cstr(&errors));
	json_array_foreach(json_object_get(json, "findings"), i, f) {
		const char *where = json_string_value(json_object_get(f, "file"));
		const char *templates = strstr(where, "templates/");

		buf_printf(&out, "%s:%d %s\n", templates ? templates + 10 : where, (int)json_integer_value(json_object_get(f, "line")),
			json_string_value(json_object_get(f, "rule")));
	}
	json_decref(json);
	buf_clear(&errors);
	free(path);
	free(conf);
	return buf_take(&out);
}

static void check_found(const char *folder, const char *file, bool all, bool config, const char *wanted)
{
	char *got = found(folder, file, all, config);

	if (strcmp(got, wanted) != 0)
		fail_msg("%s:\n%s\nnot\n%s", file ? file : "all", got, wanted);
	free(got);
}

#define OF_LETTER "emails/letter.liquid:1 dark-meta\nemails/letter.liquid:1 dark-style\n"

static void one_file_is_looked_at_with_its_parts(void **state)
{
	check_found(*state, "templates/emails/good.liquid", false, true, OF_LETTER);
	/* a part of the language; the first line of the mail that has it is not its own */
	check_found(*state, "templates/emails/good.de.liquid", false, true,
		"emails/foot.de.liquid:2 link-text\nemails/foot.de.liquid:2 image-alt\nemails/foot.de.liquid:2 image-width\n" OF_LETTER);
	check_found(*state, "templates/emails/empty.liquid", false, true, "emails/empty.liquid:7 empty-field\n" OF_LETTER);
	/* a text part by hand */
	check_found(*state, "templates/emails/text.liquid", false, true, OF_LETTER);
	check_found(*state, "templates/emails/text.txt.liquid", false, true, "emails/text.txt.liquid:1 liquid\n");
	check_found(*state, "templates/emails/letter.liquid", false, true, "");
	check_found(*state, "templates/pages/thanks.liquid", false, true, "pages/page.liquid:1 lang\npages/page.liquid:1 viewport\n");
}

static void without_a_config_names_are_not_checked(void **state)
{
	check_found(*state, "templates/emails/empty.liquid", false, false, OF_LETTER);
	check_found(*state, "templates/emails/alone.liquid", false, false, "emails/alone.liquid:1 link-target\n");
}

static void all_of_them_are_looked_at_once(void **state)
{
	check_found(*state, NULL, true, true,
		"emails/alone.liquid:1 link-target\nemails/empty.liquid:7 empty-field\n"
		"emails/foot.de.liquid:2 link-text\nemails/foot.de.liquid:2 image-alt\nemails/foot.de.liquid:2 image-width\n" OF_LETTER
		"emails/text.txt.liquid:1 liquid\npages/page.liquid:1 lang\npages/page.liquid:1 viewport\n");
}

static void what_cannot_be_read_is_said(void **state)
{
	char *got = found(*state, "templates/emails/nothing.liquid", false, true);

	assert_non_null(strstr(got, "nothing.liquid: No such file"));
	free(got);
	got = found(*state, NULL, true, false);
	assert_non_null(strstr(got, "/nowhere/nurtured.yaml"));
	free(got);
}

static void it_is_printed_a_line_each(void **state)
{
	char *path = xasprintf("%s/templates/emails/alone.liquid", (const char *)*state);
	const char *const paths[] = { path };
	struct proofread wish = { .files = paths, .count = 1, .config = "/nowhere/nurtured.yaml" };
	struct buf errors = BUF_INIT, out = BUF_INIT;
	json_t *json = proofread_run(&wish, &errors);
	const char *text;

	assert_non_null(json);
	assert_false(json_is_true(json_object_get(json, "good")));
	proofread_print(&out, json);
	text = buf_cstr(&out);
	assert_int_equal(strncmp(text, path, strlen(path)), 0);
	assert_non_null(strstr(text, ":1:1: error: this link goes nowhere; give its href a URL [link-target]\n"));
	assert_non_null(strstr(text, "\n1 template, 1 error, 0 warnings; names are not checked"));
	json_decref(json);
	buf_clear(&errors);
	buf_clear(&out);
	free(path);
}

/* What a marketer copies first. */
static void nothing_is_wrong_with_ours(void **state)
{
	struct proofread wish = { .all = true, .config = "conf/nurtured.yaml", .config_given = true };
	struct buf errors = BUF_INIT, out = BUF_INIT;
	json_t *json = proofread_run(&wish, &errors);

	if (!json)
		fail_msg("%s", buf_cstr(&errors));
	proofread_print(&out, json);
	if (json_array_size(json_object_get(json, "findings")) > 0)
		fail_msg("%s", buf_cstr(&out));
	assert_true(json_integer_value(json_object_get(json, "templates")) > 40);
	json_decref(json);
	buf_clear(&errors);
	buf_clear(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_file_is_looked_at_with_its_parts),
		cmocka_unit_test(without_a_config_names_are_not_checked),
		cmocka_unit_test(all_of_them_are_looked_at_once),
		cmocka_unit_test(what_cannot_be_read_is_said),
		cmocka_unit_test(it_is_printed_a_line_each),
		cmocka_unit_test(nothing_is_wrong_with_ours),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
