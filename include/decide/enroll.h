/*
 * enroll.h: people are put into a sequence by hand: those for whom a condition holds and who may enter. First one looks who they are (reader
 * thread, in slices), then they enter, a few hundred a transaction, each looked at once more there.
 */
#ifndef DECIDE_ENROLL_H
#define DECIDE_ENROLL_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "language/expression.h"

struct db;
struct decide;
struct enroll_scan;
struct json_t;
struct plan;

/* --- looking ------------------------------------------------------------------------------------------------------ */

/*
 * Over everybody, in the order of their buckets and ids. Takes a reference to the plan; `where` is a condition of it. NULL: it is wrong, *error
 * says where. The plan must have the sequence.
 */
struct enroll_scan *enroll_scan_new(struct plan *plan, const char *sequence, const char *where, struct expression_error *error);
void enroll_scan_free(struct enroll_scan **scan);
/* Reader thread: goes on for about so long, or until `max` who would enter wait to be taken (0: however many). 1 there is more, 0 complete, -1. */
int enroll_scan_go_on(struct enroll_scan *scan, struct db *db, int64_t us, size_t max, struct err *err) MUSTCHECK;
/* Those who would enter and were not yet taken: theirs until the next call. Only with a `max`. */
size_t enroll_scan_take(struct enroll_scan *scan, const int64_t **people);
/* How many, who are the first, and why others would not enter. */
struct json_t *enroll_scan_json(const struct enroll_scan *scan);
int64_t enroll_scan_looked_at(const struct enroll_scan *scan);
int64_t enroll_scan_all(const struct enroll_scan *scan);	/* people there are */

/* --- entering ----------------------------------------------------------------------------------------------------- */

struct enrollment {
	const char *sequence, *where;
	const int64_t *people;
	size_t count;
	const char *by;			/* for the journal */
	int64_t at;
};

struct enrollment_result {
	size_t entered;
	size_t left_out;		/* for whom it does not hold any more, or who may not */
};

/* Those of them for whom `where` holds and who may enter, do. Again with the same people it changes nothing, but for a sequence with `again`. */
int on_enroll_some(struct decide *d, struct db *db, const struct enrollment *fact, struct enrollment_result *out, struct err *err) MUSTCHECK;

#endif
