/*
 * metrics.h: counters, gauges and histograms that /metrics shows (Prometheus text format 0.0.4). Any thread; adding is one atomic, or two.
 *
 *	METRIC(signups_accepted, COUNTER, "nurtured_signups_total", "result=\"accepted\"", "Sign-ups by result.");
 *	metric_add(&metric_signups_accepted, 1);
 *
 * In a job of the store db_count() adds, with the commit: jobs are run again and rolled back.
 * Rows of one name must have the same help. No address or prospect id in a label.
 */
#ifndef BASE_METRICS_H
#define BASE_METRICS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum metric_type { COUNTER, GAUGE };

struct metric {
	const char *name, *labels, *help;	/* labels "" if none */
	enum metric_type type;
	_Atomic int64_t value;
};

#define METRIC(id, type_, name_, labels_, help_) \
	static struct metric metric_##id = { .name = name_, .labels = labels_, .help = help_, .type = type_ }; \
	static struct metric *const metric_##id##_entry __attribute__((section("metrics"), used)) = &metric_##id

static inline void metric_add(struct metric *m, int64_t n)
{
	atomic_fetch_add_explicit(&m->value, n, memory_order_relaxed);
}

static inline void metric_set(struct metric *m, int64_t n)
{
	atomic_store_explicit(&m->value, n, memory_order_relaxed);
}

/* How long something took, in seconds: HISTOGRAM(late, "nurtured_x_seconds", "Help."); histogram_add(&histogram_late, us); */
#define HISTOGRAM_BOUNDS 16

struct histogram {
	const char *name, *help;
	_Atomic int64_t counts[HISTOGRAM_BOUNDS + 1];	/* each bound's own, then what is above all */
	_Atomic int64_t sum_us;
};

#define HISTOGRAM(id, name_, help_) \
	static struct histogram histogram_##id = { .name = name_, .help = help_ }; \
	static struct histogram *const histogram_##id##_entry __attribute__((section("histograms"), used)) = &histogram_##id

void histogram_add(struct histogram *h, int64_t us);

/* All registered ones, grouped by name with HELP and TYPE. */
void metrics_print(struct buf *out);
/* One line of a metric that is computed on demand; help and type only when `first`. */
void metrics_line(struct buf *out, bool first, const char *name, const char *type, const char *help, const char *labels, double value);

#endif
