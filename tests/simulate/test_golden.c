/*
 * test_golden.c: a text and the file in which it was kept: the same, or how they differ; the diff makes the one of the other.
 */
#include "with_plan.h"

#include "base/random.h"
#include "simulate/timeline.h"

static char folder[] = "/tmp/test_golden.XXXXXX";
static char file[64];

static int setup(void **state)
{
	if (!mkdtemp(folder))
		return -1;
	snprintf(file, sizeof(file), "%s/golden.txt", folder);
	return 0;
}

static int teardown(void **state)
{
	unlink(file);
	return rmdir(folder);
}

static void keep(const char *text)
{
	struct err err = { "" };

	if (golden_write(file, slice_of(text), &err))
		fail_msg("%s", err.text);
}

static int differs(const char *kept, const char *text, struct buf *diff)
{
	struct err err = { "" };
	int rc;

	buf_reset(diff);
	keep(kept);
	rc = golden_compare(file, slice_of(text), diff, &err);
	if (rc < 0)
		fail_msg("%s", err.text);
	return !rc;
}

static void test_diffs(void **state)
{
	static const struct {
		const char *kept, *text, *diff;
	} rows[] = {
		{ "", "", NULL },
		{ "a\nb\n", "a\nb\n", NULL },
		{ "a\nb\nc\n", "a\nx\nc\n", "@@ -1,3 +1,3 @@\n a\n-b\n+x\n c\n" },
		{ "", "a\n", "@@ -0,0 +1,1 @@\n+a\n" },
		{ "a\n", "", "@@ -1,1 +0,0 @@\n-a\n" },
		{ "a\nb", "a\nb\n", "@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+b\n" },
		{ "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nx\n6\n7\n8\n9\n", "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+x\n 6\n 7\n 8\n" },
		{ "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n", "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n",
			"@@ -1,3 +1,4 @@\n+0\n 1\n 2\n 3\n@@ -8,4 +9,3 @@\n 8\n 9\n 10\n-11\n" },
	};
	struct buf diff = BUF_INIT;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_int_equal(differs(rows[i].kept, rows[i].text, &diff), rows[i].diff != NULL);
		if (!rows[i].diff)
			continue;
		assert_non_null(strstr(diff.data, "+++ now\n"));
		assert_string_equal(strchr(strstr(diff.data, "+++"), '\n') + 1, rows[i].diff);
	}
	buf_clear(&diff);
}

/* As patch(1) would: kept lines up to each hunk, then the hunk. */
static void patch(const char *kept, const char *diff, struct buf *out)
{
	const char *line = strstr(diff, "@@");
	size_t at = 1, begin;

	buf_reset(out);
	while (line && *line) {
		if (*line == '@') {
			begin = (size_t)atoi(line + 4);
			if (strstr(line, ",0 +") && strstr(line, ",0 +") < strchr(line + 3, '+'))
				begin++;
			for (; at < begin; at++) {
				size_t n = strcspn(kept, "\n") + 1;

				buf_add(out, kept, n);
				kept += n;
			}
		} else {
			if (*line != '-')
				buf_add(out, line + 1, strcspn(line, "\n"));
			if (*line != '+') {
				kept += strcspn(kept, "\n") + 1;
				at++;
			}
		}
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	buf_str(out, kept);
}

static void scribble(struct buf *out)
{
	size_t lines = random_u64() % 40;

	buf_reset(out);
	buf_str(out, "");
	for (size_t i = 0; i < lines; i++)
		buf_printf(out, "line %d\n", (int)(random_u64() % 8));
}

static void test_a_diff_makes_the_one_of_the_other(void **state)
{
	struct buf kept = BUF_INIT, text = BUF_INIT, diff = BUF_INIT, made = BUF_INIT;

	random_seed(11);
	for (int i = 0; i < 500; i++) {
		scribble(&kept);
		scribble(&text);
		if (!differs(buf_cstr(&kept), buf_cstr(&text), &diff))
			continue;
		patch(buf_cstr(&kept), diff.data, &made);
		assert_string_equal(buf_cstr(&made), buf_cstr(&text));
	}
	buf_clear(&kept);
	buf_clear(&text);
	buf_clear(&diff);
	buf_clear(&made);
}

static void test_long_ones(void **state)
{
	struct buf kept = BUF_INIT, text = BUF_INIT, diff = BUF_INIT;

	for (int i = 0; i < 20000; i++) {
		buf_printf(&kept, "line %d\n", i);
		buf_printf(&text, "line %d\n", i * 7);
	}
	assert_true(differs(kept.data, text.data, &diff));
	assert_true(diff.len < 20000 && strstr(diff.data, "... and more\n"));
	buf_clear(&kept);
	buf_clear(&text);
	buf_clear(&diff);
}

static void test_no_file(void **state)
{
	struct buf diff = BUF_INIT;
	struct err err = { "" };

	assert_int_equal(golden_compare("/nowhere/golden.txt", slice_of("x"), &diff, &err), -1);
	assert_string_equal(err.text, "/nowhere/golden.txt: No such file or directory; --update writes it");
	assert_int_equal(golden_compare("/tmp", slice_of("x"), &diff, &err), -1);
	assert_int_equal(golden_write("/nowhere/golden.txt", slice_of("x"), &err), -1);
	assert_string_equal(err.text, "/nowhere/golden.txt: No such file or directory");
	buf_clear(&diff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_diffs),
		cmocka_unit_test(test_a_diff_makes_the_one_of_the_other),
		cmocka_unit_test(test_long_ones),
		cmocka_unit_test(test_no_file),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
