/*
 * test_yaml.c: trees from YAML, what is refused and where, and places inside scalars by rows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../daemon/config/yaml.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void dump(const struct yaml_node *n, struct buf *out)
{
	static const char *const quotes[] = {
		[YAML_BARE] = "", [YAML_SINGLE] = "'", [YAML_DOUBLE] = "\"", [YAML_BLOCK] = "|"
	};

	if (n->kind == YAML_TEXT) {
		buf_printf(out, "%s%s%s", quotes[n->quoting], n->text, quotes[n->quoting]);
		return;
	}
	buf_char(out, n->kind == YAML_LIST ? '[' : '{');
	for (size_t i = 0; i < n->count; i++) {
		buf_str(out, i ? ", " : "");
		if (n->kind == YAML_MAP)
			buf_printf(out, "%d:%d %s: ", n->keys[i]->line, n->keys[i]->column, n->keys[i]->text);
		dump(n->items[i], out);
	}
	buf_char(out, n->kind == YAML_LIST ? ']' : '}');
}

/* The tree, or what was complained about. */
static char *parsed(const char *text, size_t len)
{
	struct arena *arena = arena_new(0);
	struct complaints c;
	struct buf out = BUF_INIT;
	struct yaml_node *root;

	complaints_init(&c, arena);
	root = yaml_parse(&c, source_of(&c, "f", text, len));
	if (c.count)
		complaints_print(&c, &out);
	else
		dump(root, &out);
	assert_true(root || c.count);
	complaints_clear(&c);
	arena_free(&arena);
	return buf_take(&out);
}

static void test_trees(void **state)
{
	static const struct {
		const char *text, *tree;
	} rows[] = {
		{ "a: 1\nb: [x, 'y', \"z\"]\n", "{1:1 a: 1, 2:1 b: [x, 'y', \"z\"]}" },
		{ "# a comment\na:\n  b: c\n  d:\n", "{2:1 a: {3:3 b: c, 4:3 d: }}" },
		{ "- {a: 1, b: 2}\n- c\n", "[{1:4 a: 1, 1:10 b: 2}, c]" },
		{ "no: no\nn: 0123\nt: 09:30\nnull: null\n",
			"{1:1 no: no, 2:1 n: 0123, 3:1 t: 09:30, 4:1 null: null}" },
		{ "a: >\n  one\n  two\n", "{1:1 a: |one two\n|}" },
		{ "a: |\n  one\n  two\n", "{1:1 a: |one\ntwo\n|}" },
		{ "\xef\xbb\xbf"
		  "a: 1\n",
			"{1:1 a: 1}" },
		{ "\xc3\xa4: \xc3\xb6\nb: 1", "{1:1 \xc3\xa4: \xc3\xb6, 2:1 b: 1}" },
		{ "a: [1, 2, 3, 4, 5, 6, 7, 8, 9]", "{1:1 a: [1, 2, 3, 4, 5, 6, 7, 8, 9]}" },
		{ "a: 1\r\nb: 2\r\n", "{1:1 a: 1, 2:1 b: 2}" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		char *got = parsed(rows[i].text, strlen(rows[i].text));

		assert_string_equal(got, rows[i].tree);
		free(got);
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *complaint;
	} rows[] = {
		{ "", "f:1:1: the file is empty\n" },
		{ "# only this\n", "f:2:1: the file is empty\n" },
		{ "a: 1\nb: 2\na: 3\n", "f:3:1: `a` is here twice; the first is in line 1\n" },
		{ "a: &x 1\n", "f:1:4: anchors are not read; write the value out\n" },
		{ "a: &x [1]\n", "f:1:4: anchors are not read; write the value out\n" },
		{ "a: *x\n", "f:1:4: aliases are not read; write the value out\n" },
		{ "a: !!int 1\n",
			"f:1:4: tags are not read; each key knows its type, leave the `!` away or put it in "
			"quotes\n" },
		{ "a: !x {b: 1}\n",
			"f:1:4: tags are not read; each key knows its type, leave the `!` away or put it in "
			"quotes\n" },
		{ "%TAG ! tag:x,2020:\n---\na: 1\n", "f:1:1: %TAG is not read; leave it away\n" },
		{ "a: 1\n---\nb: 2\n", "f:2:1: a second document begins; one file holds one\n" },
		{ "[a]: 1\n", "f:1:1: a key must be a plain name\n" },
		{ "? {a: 1}\n: 2\n", "f:1:3: a key must be a plain name\n" },
		{ "a: \"x\\0y\"\n", "f:1:4: a text cannot contain NUL; leave the \"\\0\" away\n" },
		{ "a: 1\nb: \xff\n", "f:2:1: this line is not UTF-8; save the file as UTF-8\n" },
		{ "a: \x01\n", "f:1:4: control characters are not allowed\n" },
		{ "a: [[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]\n",
			"f:1:19: nested more than 16 levels deep; nothing here needs that\n" },
		{ "a: 1\n  b: 2\n", "f:2:4: mapping values are not allowed in this context\n" },
		{ "{a: x in [\"b\"]}\n",
			"f:1:10: did not find expected ',' or '}' while parsing a flow mapping; inside { } "
			"YAML ends a "
			"bare expression at a comma or a bracket: write it on a line of its own, or in "
			"quotes\n" },
		{ "a:\n\tb: 1\n",
			"f:2:1: found character that cannot start any token while scanning for the next token; "
			"YAML indents with spaces, not with tabs\n" },
		{ "a: 'x\n", "f:2:1: found unexpected end of stream while scanning a quoted scalar\n" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		char *got = parsed(rows[i].text, strlen(rows[i].text));

		assert_string_equal(got, rows[i].complaint);
		free(got);
	}
}

static void test_too_large(void **state)
{
	size_t n = SOURCE_MAX + 1;
	char *text = malloc(n), *got;

	memset(text, 'a', n);
	got = parsed(text, n);
	assert_string_equal(got, "f:1:1: the file has 1048577 bytes; at most 1048576 are read\n");
	free(got);
	free(text);
}

/* Depth is refused before libyaml, whose time grows with its square, has seen all of it. */
static void test_hostile_depth(void **state)
{
	size_t n = 500000;
	char *text = malloc(n), *got;

	memset(text, '[', n);
	got = parsed(text, n);
	assert_string_equal(got, "f:1:17: nested more than 16 levels deep; nothing here needs that\n");
	free(got);
	free(text);
}

/* `find` is looked for in the text of `a`, and must be found to stand at line:column of the file. */
static void test_places(void **state)
{
	static const struct {
		const char *text, *find;
		int line, column;
	} rows[] = {
		{ "a: one two three", "two", 1, 8 },
		{ "a:   one", "one", 1, 6 },
		{ "a: one\n  two\n   three", "three", 3, 4 },
		{ "a: 'one two'", "two", 1, 9 },
		{ "a: 'it''s two'", "two", 1, 11 },
		{ "a: ''' two'", "'", 1, 5 },
		{ "a: \"one two\"", "two", 1, 9 },
		{ "a: \"o\\\"ne two\"", "two", 1, 11 },
		{ "a: \"\\u00e9 two\"", "two", 1, 12 },
		{ "a: \"\\x41\\n two\"", "two", 1, 12 },
		{ "a: \"one \\\n   two\"", "two", 2, 4 },
		{ "a: \"one\n\n   two\"", "two", 3, 4 },
		{ "a: >\n  one\n  two", "two", 3, 3 },
		{ "a: >  # why\n  one\n  two", "two", 3, 3 },
		{ "a: >-\n\n  one\n\n    two\n", "two", 5, 5 },
		{ "a: |2\n    one\n  two\n", "two", 3, 3 },
		{ "a: |\n  one\n  two", "ne", 2, 4 },
		{ "\xc3\xa4: 1\na: \xe2\x82\xac\xe2\x82\xac two", "two", 2, 7 },
		{ "\xef\xbb\xbf"
		  "a: one two",
			"two", 1, 8 },
		{ "x: {a: one two}", "two", 1, 12 },
		{ "a: >\r\n  one\r\n  two\r\n", "two", 3, 3 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct arena *arena = arena_new(0);
		struct complaints c;
		const struct yaml_node *root, *node;
		int line, column;

		complaints_init(&c, arena);
		root = yaml_parse(&c, source_of(&c, "f", rows[i].text, strlen(rows[i].text)));
		if (!root)
			goto next;
		node = yaml_get(root, "a");
		if (!node)
			node = yaml_get(yaml_get(root, "x"), "a");
		assert_non_null(node);
		assert_non_null(strstr(node->text, rows[i].find));
		yaml_place(node, (size_t)(strstr(node->text, rows[i].find) - node->text), &line, &column);
		assert_int_equal(line, rows[i].line);
		assert_int_equal(column, rows[i].column);
	next:
		assert_int_equal(c.count, 0);
		complaints_clear(&c);
		arena_free(&arena);
	}
}

static void test_place_behind_the_end(void **state)
{
	static const char text[] = "a: one \nb: 'two'\n";
	struct arena *arena = arena_new(0);
	struct complaints c;
	const struct yaml_node *root;
	int line, column;

	complaints_init(&c, arena);
	root = yaml_parse(&c, source_of(&c, "f", text, strlen(text)));
	yaml_place(yaml_get(root, "a"), 3, &line, &column);
	assert_int_equal(line, 1);
	assert_int_equal(column, 7);
	yaml_place(yaml_get(root, "b"), 3, &line, &column);
	assert_int_equal(line, 2);
	assert_int_equal(column, 8);
	complaints_clear(&c);
	arena_free(&arena);
}

static void test_cut(void **state)
{
	static const struct {
		const char *text;
		bool cut;
	} rows[] = {
		{ "{a: did(\"x\", 3 days)}", true },
		{ "{a: 'did(\"x\", 3 days)'}", false },
		{ "{a: did(\"x\")}", false },
		{ "{a: x == \"one}", true },
		{ "a: did(\"x\", 3 days", false },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct arena *arena = arena_new(0);
		struct complaints c;
		const struct yaml_node *root;

		complaints_init(&c, arena);
		root = yaml_parse(&c, source_of(&c, "f", rows[i].text, strlen(rows[i].text)));
		assert_non_null(root);
		assert_int_equal(yaml_cut(yaml_get(root, "a")), rows[i].cut);
		complaints_clear(&c);
		arena_free(&arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trees),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_hostile_depth),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_place_behind_the_end),
		cmocka_unit_test(test_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
