/*
 * metrics.c: see metrics.h. Each METRIC() leaves a pointer in the section "metrics"; the linker gives its
 * two ends.
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

void metrics_line(struct buf *out, bool first, const char *name, const char *type, const char *help,
		const char *labels, double value)
{
	if (first) {
		buf_printf(out, "# HELP %s ", name);
		print_help(out, help);
		buf_printf(out, "\n# TYPE %s %s\n", name, type);
	}
	buf_str(out, name);
	if (*labels)
		buf_printf(out, "{%s}", labels);
	buf_char(out, ' ');
	print_value(out, value);
	buf_char(out, '\n');
}

void metrics_print(struct buf *out)
{
	size_t n = (size_t)(__stop_metrics - __start_metrics), i;
	struct metric **all;

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
