/*
 * metrics: registered ones are found, grouped under one HELP and TYPE, and lines are escaped as the text
 * format 0.0.4 says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/metrics.h"

METRIC(b_two, COUNTER, "test_b_total", "result=\"two\"", "Second.");
METRIC(a, GAUGE, "test_a", "", "First.");
METRIC(b_one, COUNTER, "test_b_total", "result=\"one\"", "Second.");

static void names_are_grouped_with_one_head_each(void **state)
{
	static const char want[] =
		"# HELP test_a First.\n"
		"# TYPE test_a gauge\n"
		"test_a -3\n"
		"# HELP test_b_total Second.\n"
		"# TYPE test_b_total counter\n"
		"test_b_total{result=\"one\"} 5\n"
		"test_b_total{result=\"two\"} 9007199254740\n";
	struct buf out = BUF_INIT;

	metric_set(&metric_a, -3);
	metric_add(&metric_b_one, 2);
	metric_add(&metric_b_one, 3);
	metric_add(&metric_b_two, INT64_C(9007199254740));
	metrics_print(&out);
	assert_string_equal(strstr(buf_cstr(&out), "# HELP test_a "), want);
	buf_clear(&out);
}

HISTOGRAM(took, "test_took_seconds", "How long.");

static void a_histogram_counts_in_each_bucket_what_is_below(void **state)
{
	static const struct { int64_t us; const char *rises; } rows[] = {
		{ 0, "0.0005" }, { 500, "0.0005" }, { 501, "0.001" }, { 10000, "0.01" }, { 1000000, "1" }, { 1000001, "+Inf" },
	};
	struct buf out = BUF_INIT, line = BUF_INIT;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		histogram_add(&histogram_took, rows[i].us);
		buf_reset(&out);
		metrics_print(&out);
		buf_reset(&line);
		buf_printf(&line, "test_took_seconds_bucket{le=\"%s\"} %zu\n", rows[i].rises, i + 1);
		assert_non_null(strstr(buf_cstr(&out), buf_cstr(&line)));
	}
	assert_non_null(strstr(buf_cstr(&out), "# TYPE test_took_seconds histogram\n"));
	assert_non_null(strstr(buf_cstr(&out), "test_took_seconds_bucket{le=\"0.02\"} 4\n"));
	assert_non_null(strstr(buf_cstr(&out), "test_took_seconds_sum 2.011002\ntest_took_seconds_count 6\n"));
	buf_clear(&out);
	buf_clear(&line);
}

static void lines_are_escaped_and_numbers_exact(void **state)
{
	static const struct {
		const char *help, *labels;
		double value;
		const char *want;
	} rows[] = {
		{ NULL, "", 0, "m 0\n" },
		{ NULL, "", 1.5, "m 1.5\n" },
		{ NULL, "", 1e15, "m 1e+15\n" },
		{ NULL, "", 123456789012345, "m 123456789012345\n" },
		{ NULL, "x=\"1\",y=\"2\"", 7, "m{x=\"1\",y=\"2\"} 7\n" },
		{ "a\\b\nc", "", 1, "# HELP m a\\\\b\\nc\n# TYPE m gauge\nm 1\n" },
		{ NULL, "", 1.0 / 0.0, "m +Inf\n" },
		{ NULL, "", -1.0 / 0.0, "m -Inf\n" },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf out = BUF_INIT;

		metrics_line(&out, rows[i].help != NULL, "m", "gauge", rows[i].help, rows[i].labels, rows[i].value);
		assert_string_equal(buf_cstr(&out), rows[i].want);
		buf_clear(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_grouped_with_one_head_each),
		cmocka_unit_test(a_histogram_counts_in_each_bucket_what_is_below),
		cmocka_unit_test(lines_are_escaped_and_numbers_exact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
