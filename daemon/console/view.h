/*
 * view.h: what the console reads. Reader thread. Each function appends JSON text; 1 found, 0 there is no
 * such thing, -1.
 */
#ifndef CONSOLE_VIEW_H
#define CONSOLE_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct db;
struct expression;
struct plan;
struct store;

/* All that a view may know of its surroundings. */
struct view_at {
	struct store *store;
	const struct plan *plan;
	const char *argument;		/* id, address, or the name of a queue; "" if none */
	const struct expression *expression;	/* of eval, of this plan; NULL */
	bool explain;
	int64_t now;
	int64_t started;		/* when the daemon did */
	const char *relays;		/* JSON list: how each does */
	const char *mailboxes;		/* likewise */
	const char *part_metrics;	/* of both, as lines */
};

int view_status(const struct view_at *at, struct db *db, struct buf *out, struct err *err) MUSTCHECK;
int view_queue(const struct view_at *at, struct db *db, struct buf *out, struct err *err) MUSTCHECK;
int view_leads(const struct view_at *at, struct db *db, struct buf *out, struct err *err) MUSTCHECK;
int view_suppression(const struct view_at *at, struct db *db, struct buf *out, struct err *err) MUSTCHECK;
int view_consents(const struct view_at *at, struct db *db, struct buf *out, struct err *err) MUSTCHECK;	/* -1 also says which consent breaks which chain */
int view_person(const struct view_at *at, struct db *db, struct buf *out, struct err *err) MUSTCHECK;
int view_mails(const struct view_at *at, struct db *db, struct buf *out, struct err *err) MUSTCHECK;	/* that came in */
int view_mail(const struct view_at *at, struct db *db, struct buf *out, struct err *err) MUSTCHECK;	/* one, by its id */
int view_mail_raw(const struct view_at *at, struct db *db, struct buf *out, struct err *err) MUSTCHECK;	/* as it came: no JSON; 0 too if it is not kept any more */
int view_sequences(const struct view_at *at, struct db *db, struct buf *out, struct err *err) MUSTCHECK;
int view_export(const struct view_at *at, struct db *db, struct buf *out, struct err *err) MUSTCHECK;	/* all rows about a person */
int view_score(const struct view_at *at, struct db *db, struct buf *out, struct err *err) MUSTCHECK;
int view_eval(const struct view_at *at, struct db *db, struct buf *out, struct err *err) MUSTCHECK;
int view_hits(const struct view_at *at, struct db *db, struct buf *out, struct err *err) MUSTCHECK;
int view_reasons(const struct view_at *at, struct db *db, struct buf *out, struct err *err) MUSTCHECK;
/* Not JSON but Prometheus text: the registered metrics, and what is computed on demand. In gauges.c. */
int view_metrics(const struct view_at *at, struct db *db, struct buf *out, struct err *err) MUSTCHECK;

/* How many, but no more than VIEW_MAX: they are there to be dealt with, not to be counted. */
#define VIEW_MAX 1000
int view_count_deliveries(struct db *db, int state, int64_t *out, struct err *err) MUSTCHECK;
int view_count_alerts(struct db *db, int state, int64_t *out, struct err *err) MUSTCHECK;

/* Names of lanes as people see them, by enum lane. */
extern const char *const view_lanes[];

#endif
