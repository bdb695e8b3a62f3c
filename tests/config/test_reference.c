/*
 * test_reference.c: docs/config.md says of every key what the tables say, and the example in conf/ shows every key.
 * `REFERENCE=write build/tests/config/test_reference` writes the page anew.
 */
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../daemon/config/keys.h"
#include "../../daemon/config/scalar.h"
#include "../../daemon/config/sequences.h"
#include "../../daemon/config/step_verbs.h"
#include "conf.h"

#define PAGE "docs/config.md"
#define MARK "<!-- The rest is made from the tables in daemon/config. -->\n"

/* A bar would end the cell. */
static void print_cell(const char *s, struct buf *out)
{
	for (; *s; s++) {
		if (*s == '|')
			buf_char(out, '\\');
		buf_char(out, *s);
	}
}

static void print_type(const struct key *key, struct buf *out)
{
	if (key->type == KEY_CHOICE || (key->type == KEY_NODE && key->choices)) {
		for (size_t i = 0; key->choices[i]; i++)
			buf_printf(out, "%s`%s`", i ? ", " : "", key->choices[i]);
		return;
	}
	buf_str(out, key_type_name(key->type));
	if (key->type == KEY_TEXTS && key->choices) {
		buf_str(out, ": ");
		for (size_t i = 0; key->choices[i]; i++)
			buf_printf(out, "%s`%s`", i ? ", " : "", key->choices[i]);
	}
	if (key->least || key->most) {
		buf_str(out, ", ");
		scalar_print(key->type, key->least, out);
		buf_str(out, " to ");
		scalar_print(key->type, key->most, out);
	}
}

static void print_table(const char *path, const struct key_table *table, struct buf *out);

static void print_key(const struct key *key, struct buf *out)
{
	buf_printf(out, "| `%s` | ", key->name);
	print_type(key, out);
	buf_str(out, " | ");
	if (key->required)
		buf_str(out, "must be there");
	else if (key->fallback)
		buf_printf(out, "`%s`", key->fallback);
	else if (key->fallback_help)
		buf_str(out, key->fallback_help);
	else
		buf_str(out, key->type == KEY_MAP ? "as below" : "none");
	buf_str(out, " | ");
	print_cell(key->help, out);
	buf_str(out, " |\n");
}

static void print_keys(const char *path, const struct key_table *table, struct buf *out)
{
	buf_str(out, "| key | what it holds | without it | |\n|---|---|---|---|\n");
	for (const struct key *key = table->keys; key->name; key++)
		print_key(key, out);
	buf_char(out, '\n');
	for (const struct key *key = table->keys; key->name; key++) {
		char *below;

		if (!key->table)
			continue;
		below = xasprintf("%s%s%s%s", path, *path ? "." : "", key->name,
			key->type == KEY_LIST		  ? "[]"
				: key->type == KEY_OTHERS ? ".NAME"
							  : "");
		print_table(below, key->table, out);
		free(below);
	}
}

static void print_table(const char *path, const struct key_table *table, struct buf *out)
{
	buf_printf(out, "### `%s`\n\n%s\n\n", path, table->help);
	print_keys(path, table, out);
}

static void print_all(struct buf *out)
{
	for (const struct key_file *file = key_files; file->file; file++) {
		buf_printf(out, "\n## %s\n\n%s\n\n", file->file, file->table->help);
		print_keys("", file->table, out);
		if (file->table != &sequence_table)
			continue;
		for (const struct verb *verb = step_verbs; verb->name; verb++) {
			char *path = xasprintf("steps[].%s", verb->name);

			print_table(path, verb->table, out);
			free(path);
		}
	}
}

static void test_page_says_what_the_tables_say(void **state)
{
	char *page = conf_read(PAGE), *mark = page ? strstr(page, MARK) : NULL;
	struct buf wanted = BUF_INIT;
	const char *write = getenv("REFERENCE");

	assert_non_null(mark);
	buf_add(&wanted, page, (size_t)(mark - page));
	buf_str(&wanted, MARK);
	print_all(&wanted);
	while (wanted.len > 1 && wanted.data[wanted.len - 2] == '\n')
		buf_cut(&wanted, wanted.len - 1);
	if (write && !strcmp(write, "write"))
		conf_write_path(PAGE, buf_cstr(&wanted), 0644);
	else if (strcmp(page, buf_cstr(&wanted)) != 0)
		fail_msg("%s is not what the tables say; run REFERENCE=write "
			 "build/tests/config/test_reference",
			PAGE);
	buf_clear(&wanted);
	free(page);
}

/* `key:` somewhere in the file, in a comment if need be. */
static bool shows(const char *text, const char *key)
{
	for (const char *at = text; (at = strstr(at, key)); at++) {
		if (at[strlen(key)] == ':' && (at == text || strchr(" {#\n", at[-1])))
			return true;
	}
	return false;
}

static int missing_keys(const char *file, const char *text, const struct key_table *table)
{
	int missing = 0;

	for (const struct key *key = table->keys; key->name; key++) {
		if (!shows(text, key->name)) {
			fprintf(stderr, "%s does not show `%s` of %s\n", file, key->name, table->name);
			missing++;
		}
		if (key->table)
			missing += missing_keys(file, text, key->table);
	}
	return missing;
}

/* All files of one kind. */
static char *read_all(const char *pattern)
{
	struct buf all = BUF_INIT;
	glob_t found;
	char *text;

	assert_int_equal(glob(pattern, 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		text = conf_read(found.gl_pathv[i]);
		assert_non_null(text);
		buf_str(&all, text);
		buf_char(&all, '\n');
		free(text);
	}
	globfree(&found);
	text = xstrdup(buf_cstr(&all));
	buf_clear(&all);
	return text;
}

static void test_example_shows_every_key(void **state)
{
	static const char *const examples[] = {
		"conf/nurtured.yaml",
		"conf/nurture.yaml",
		"conf/sales.yaml",
		"conf/replies.yaml",
		"conf/forms/*.yaml",
		"conf/sequences/*.yaml",
		"conf/personas/*.yaml",
	};
	int missing = 0;

	for (size_t i = 0; key_files[i].file; i++) {
		char *text = read_all(examples[i]);

		missing += missing_keys(examples[i], text, key_files[i].table);
		for (const struct verb *verb = step_verbs;
			verb->name && key_files[i].table == &sequence_table; verb++)
			missing += missing_keys(examples[i], text, verb->table);
		free(text);
	}
	assert_int_equal(missing, 0);
}

/* Help is a line that follows "it is ..." in a complaint, so it does not end like a sentence. */
static int bad_rows(const struct key_table *table)
{
	int bad = 0;

	for (const struct key *key = table->keys; key->name; key++) {
		size_t n = key->help ? strlen(key->help) : 0;
		bool told = key->required || key->fallback || key->fallback_help || key->type == KEY_MAP ||
			key->type == KEY_LIST || key->type == KEY_TEXTS || key->type == KEY_OTHERS ||
			key->type == KEY_EXPRESSION || key->type == KEY_SECRET || key->type == KEY_TEXT;

		if (!n || key->help[n - 1] == '.' || key->help[0] == ' ' || !told) {
			fprintf(stderr, "row `%s` of %s\n", key->name, table->name);
			bad++;
		}
		if (key->table)
			bad += bad_rows(key->table);
	}
	return bad;
}

static void test_rows_are_whole(void **state)
{
	int bad = 0;

	for (const struct key_file *file = key_files; file->file; file++)
		bad += bad_rows(file->table);
	for (const struct verb *verb = step_verbs; verb->name; verb++)
		bad += bad_rows(verb->table);
	assert_int_equal(bad, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_page_says_what_the_tables_say),
		cmocka_unit_test(test_example_shows_every_key),
		cmocka_unit_test(test_rows_are_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
