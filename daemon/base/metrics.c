/*
 * metrics.c: see metrics.h. Each METRIC() leaves a pointer in the section "metrics", each HISTOGRAM() one in "histograms"; the linker gives
 * their two ends.
 */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/metrics.h"

/* weak: a program without any METRIC() has no such section */
extern struct metric *const __start_metrics[] __attribute__((weak));
extern struct metric *const __stop_metrics[] __attribute__((weak));
extern struct histogram *const __start_histograms[] __attribute__((weak));
extern struct histogram *const __stop_histograms[] __attribute__((weak));

static const int64_t bounds_us[HISTOGRAM_BOUNDS] = {
	500, 1000, 2000, 3000, 4000, 5000, 7500, 10000, 15000, 20000, 30000, 50000, 100000, 200000, 500000, 1000000
};

/* The format wants the lines of one name together; by labels too, so that two scrapes compare. */
static int compare(const void *a, const void *b)
{
	const struct metric *const *x = a, *const *y = b;
	int order = strcmp((*x)->name, (*y)->name);

	return order ? order : strcmp((*x)->labels, (*y)->labels);
}

/* HELP text: backslash and line feed are escaped. */
static void print_help(struct buf *out, const char *s)
{
	for (; *s; s++) {
		if (*s == '\\')
			buf_str(out, "\\\\");
		else if (*s == '\n')
			buf_str(out, "\\n");
		else
			buf_char(out, *s);
	}
}

static void print_value(struct buf *out, double value)
{
	if (isnan(value))
		buf_str(out, "NaN");
	else if (isinf(value))
		buf_str(out, value > 0 ? "+Inf" : "-Inf");
	else
		buf_printf(out, "%.15g", value);
}

static void print_head(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_printf(out, "# HELP %s ", name);
	print_help(out, help);
	buf_printf(out, "\n# TYPE %s %s\n", name, type);
}

void metrics_line(struct buf *out, bool first, const char *name, const char *type, const char *help,
		const char *labels, double value)
{
	if (first)
		print_head(out, name, type, help);
	buf_str(out, name);
	if (*labels)
		buf_printf(out, "{%s}", labels);
	buf_char(out, ' ');
	print_value(out, value);
	buf_char(out, '\n');
}

void histogram_add(struct histogram *h, int64_t us)
{
	size_t i = 0;

	while (i < HISTOGRAM_BOUNDS && us > bounds_us[i])
		i++;
	atomic_fetch_add_explicit(&h->counts[i], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&h->sum_us, us, memory_order_relaxed);
}

/* The format counts in each bucket what is in those below it, too. */
static void print_histogram(struct buf *out, struct histogram *h)
{
	int64_t count = 0;
	size_t i;

	print_head(out, h->name, "histogram", h->help);
	for (i = 0; i <= HISTOGRAM_BOUNDS; i++) {
		count += atomic_load_explicit(&h->counts[i], memory_order_relaxed);
		buf_printf(out, "%s_bucket{le=\"", h->name);
		print_value(out, i < HISTOGRAM_BOUNDS ? (double)bounds_us[i] / 1e6 : INFINITY);
		buf_printf(out, "\"} %lld\n", (long long)count);
	}
	buf_printf(out, "%s_sum ", h->name);
	print_value(out, (double)atomic_load_explicit(&h->sum_us, memory_order_relaxed) / 1e6);
	buf_printf(out, "\n%s_count %lld\n", h->name, (long long)count);
}

static void print_histograms(struct buf *out)
{
	struct histogram *const *h;

	for (h = __start_histograms; h < __stop_histograms; h++)
		print_histogram(out, *h);
}

void metrics_print(struct buf *out)
{
	size_t n = (size_t)(__stop_metrics - __start_metrics), i;
	struct metric **all;

	print_histograms(out);
	if (!n)
		return;
	all = xcalloc(n, sizeof(*all));
	memcpy(all, __start_metrics, n * sizeof(*all));
	qsort(all, n, sizeof(*all), compare);
	for (i = 0; i < n; i++)
		metrics_line(out, i == 0 || strcmp(all[i]->name, all[i - 1]->name) != 0, all[i]->name,
			all[i]->type == COUNTER ? "counter" : "gauge", all[i]->help, all[i]->labels,
			(double)atomic_load_explicit(&all[i]->value, memory_order_relaxed));
	free(all);
}
