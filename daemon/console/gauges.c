/*
 * gauges.c: what /metrics computes when it is asked: what lies in the database and in the store. The
 * names are documented in nurtured(8); no address and no id of a person is in a label.
 */
#include "base/clock.h"
#include "base/metrics.h"
#include "store/rows.h"
#include "store/store.h"

#include "view.h"

#define GAUGE_LINE(name, help, value) metrics_line(out, true, name, "gauge", help, "", (double)(value))
#define COUNTER_LINE(name, help, value) metrics_line(out, true, name, "counter", help, "", (double)(value))

/* of what rows_estimate() counts */
#define ESTIMATE "; of tens of thousands, an estimate, some 0.5 % off."

static const struct {
	const char *due, *waiting, *lag, *what;
} names[] = {
	[LANE_TIME] = { "nurtured_schedule_due", "nurtured_schedule_pending", "nurtured_schedule_lag_seconds",
		"timed decisions" },
	[LANE_SEND] = { "nurtured_delivery_due", "nurtured_delivery_pending", "nurtured_delivery_lag_seconds",
		"mails" },
	[LANE_ALERT] = { "nurtured_webhook_due", "nurtured_webhook_pending", "nurtured_webhook_lag_seconds",
		"alerts" },
	[LANE_SEND_FIRST] = { "nurtured_first_due", "nurtured_first_pending", "nurtured_first_lag_seconds",
		"mails that somebody waits for" },
};

static int lane_lines(const struct view_at *at, struct db *db, enum lane lane, struct buf *out,
		struct err *err)
{
	int64_t next = queue_next_due(at->store, lane);
	struct estimate due, all;
	struct buf help = BUF_INIT;

	if (queue_depth(db, lane, at->now, &due, &all, err) < 0)
		return -1;
	buf_printf(&help, "Of %s: how many are due now%s", names[lane].what, ESTIMATE);
	GAUGE_LINE(names[lane].due, buf_cstr(&help), due.count);
	buf_reset(&help);
	buf_printf(&help, "Of %s: how many wait, due or not%s", names[lane].what, ESTIMATE);
	GAUGE_LINE(names[lane].waiting, buf_cstr(&help), all.count);
	buf_reset(&help);
	buf_printf(&help, "Of %s: how late the oldest due one is.", names[lane].what);
	GAUGE_LINE(names[lane].lag, buf_cstr(&help),
		due.count && next < at->now ? (double)(at->now - next) / 1e6 : 0);
	buf_clear(&help);
	return 0;
}

static void store_lines(struct store *store, struct buf *out)
{
	struct store_counts c;

	store_counts(store, &c);
	GAUGE_LINE("nurtured_ready", "1 when a commit can be made now.", store_ready(store, NULL));
	COUNTER_LINE("nurtured_store_commits_total", "Transactions committed.", c.commits);
	COUNTER_LINE("nurtured_store_commit_seconds_total", "Time spent in COMMIT.",
		(double)c.commit_us / 1e6);
	GAUGE_LINE("nurtured_store_commit_seconds_max", "The longest COMMIT since the start.",
		(double)c.commit_us_max / 1e6);
	COUNTER_LINE("nurtured_store_syncs_total", "Syncs of the log; each makes all transactions before it durable.", c.syncs);
	COUNTER_LINE("nurtured_store_sync_seconds_total", "Time spent in syncing the log.", (double)c.sync_us / 1e6);
	GAUGE_LINE("nurtured_store_sync_seconds_max", "The longest sync since the start.", (double)c.sync_us_max / 1e6);
	COUNTER_LINE("nurtured_store_jobs_total", "Jobs run.", c.jobs);
	metrics_line(out, true, "nurtured_store_errors_total", "counter", "Jobs not done, by class.",
		"class=\"refused\"", (double)c.refused);
	metrics_line(out, false, "nurtured_store_errors_total", "counter", NULL, "class=\"failed\"",
		(double)c.failed);
	GAUGE_LINE("nurtured_store_queue", "Jobs that wait for the store thread.", c.waiting);
	COUNTER_LINE("nurtured_store_statements_total", "Statements executed.", c.statements);
	GAUGE_LINE("nurtured_db_size_bytes", "Size of the database file.", c.db_bytes);
	GAUGE_LINE("nurtured_wal_size_bytes", "Size of the write-ahead log.", c.wal_bytes);
	GAUGE_LINE("nurtured_disk_free_bytes", "Free space on the disk of the database.", c.disk_free);
}

int view_metrics(const struct view_at *at, struct db *db, struct buf *out, struct err *err)
{
	struct estimate prospects;
	int64_t unknown, dead, damaged;
	enum lane lane;

	if (prospects_estimate(db, &prospects, err) < 0 ||
		view_count_deliveries(db, DELIVERY_UNKNOWN, &unknown, err) < 0 ||
		view_count_alerts(db, ALERT_DEAD, &dead, err) < 0 || packs_damaged(db, &damaged, err) < 0)
		return -1;
	metrics_print(out);
	buf_str(out, at->part_metrics);
	metrics_line(out, true, "nurtured_build_info", "gauge", "Always 1; the version is a label.",
		"version=\"" VERSION "\"", 1);
	GAUGE_LINE("nurtured_start_time_seconds", "When the daemon started, in seconds since 1970.",
		at->started / US_SECOND);
	GAUGE_LINE("nurtured_prospects", "People in the database" ESTIMATE, prospects.count);
	GAUGE_LINE("nurtured_delivery_unknown",
		"Mails of which nobody knows whether they went out, up to 1000.", unknown);
	GAUGE_LINE("nurtured_webhook_dead", "Alerts that were given up and can be replayed, up to 1000.",
		dead);
	GAUGE_LINE("nurtured_hits_damaged", "Opens and clicks that are recorded, cannot be read, and have no effect.", damaged);
	for (lane = 0; lane < LANES; lane++)
		if (lane_lines(at, db, lane, out, err) < 0)
			return -1;
	store_lines(at->store, out);
	return 1;
}
