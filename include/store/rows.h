/*
 * rows.h: the tables, as structs, and everything that is done to them. The only SQL of the program lies behind these functions
 * (daemon/store/<table>.c). Store thread, or the reader thread where it says "read".
 *
 * All return 0 or -1 with err; finders 1 found, 0 none, -1 failed. Texts in rows that are filled by the store are allocated in the
 * arena given. Times: microseconds UTC; 0 where there is none. Every write to a person's row carries `AND EXISTS (lease of the
 * bucket with our owner and epoch)` or stands behind db_epoch() in the same transaction, so that a daemon that lost its lease changes nothing.
 */
#ifndef STORE_ROWS_H
#define STORE_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "store/db.h"

struct store;

/* A number of rows: the true one, or, of many rows, one that is reckoned from those of some buckets; it costs some milliseconds at most. */
struct estimate {
	int64_t count;
	bool estimated;
};

/* --- prospect, address ------------------------------------------------------------------------------------------ */

enum consent_state { CONSENT_NONE, CONSENT_PENDING, CONSENT_GIVEN, CONSENT_WITHDRAWN };

struct prospect {
	int64_t id;
	const char *address;		/* as struct address.text */
	const char *key;		/* as struct address.key */
	const char *fields;		/* JSON object: declared fields by name */
	const char *stage, *list;	/* names; "" until first decided */
	const char *form;		/* name of the last sign-up's form, "" if none */
	const char *language, *timezone;/* "" if not known */
	enum consent_state consent;
	double fit;
	double interest;		/* as of interest_at; decays from there */
	int64_t interest_at;
	const char *intent;		/* of the latest human reply; "" if none */
	int64_t intent_at;
	bool hot;			/* the rule held when last evaluated */
	int64_t hot_at;			/* last time that a lead was made of it */
	int64_t recheck;		/* due time of its row in the time lane; 0 if it has none */
	int recheck_rule;		/* rule that asked for it */
	int64_t recheck_id;		/* id of that queue row */
	const char *tags;		/* names in byte order, a space between them; "" if none */
	const char *moved_list;		/* where a step moved them, "" if none does */
	int64_t moved_until;		/* 0: until the stage changes */
	int64_t consent_at;		/* when the consent that holds was given, or confirmed; 0 */
	int64_t consent_until;		/* until when it holds, if it is implied; 0: for ever */
	const char *topics;		/* what they get: "" everything; "-" nothing; else names, a space between them */
	int64_t paused_until;		/* they want no mail before that; 0 */
	struct { int64_t count, within; } own_limit;	/* mails in a rolling window, by their own wish; within 0: none */
	int64_t created, changed;
};

/* New row and its address row. The id's bucket is the address's. -1 also when the address exists. */
int prospects_insert(struct db *db, const struct prospect *p, struct err *err) MUSTCHECK;
int prospects_find(struct db *db, int64_t id, struct arena *arena, struct prospect *out, struct err *err) MUSTCHECK;		/* read */
int prospects_find_address(struct db *db, const char *key, struct arena *arena, struct prospect *out, struct err *err) MUSTCHECK;	/* read */
/* Writes everything but id, address, key and created. */
int prospects_update(struct db *db, const struct prospect *p, struct err *err) MUSTCHECK;
/* Ids of one bucket behind `after` (0: from the first), in their order. */
int prospects_page(struct db *db, uint16_t bucket, int64_t after, size_t max, struct arena *arena, int64_t **out, size_t *count_out, struct err *err) MUSTCHECK;	/* read */
int prospects_count(struct db *db, int64_t *out, struct err *err) MUSTCHECK;	/* read; seconds, when there are millions */
int prospects_estimate(struct db *db, struct estimate *out, struct err *err) MUSTCHECK;	/* read */

/* --- event: what took effect; append-only ----------------------------------------------------------------------- */

struct event_row {
	int64_t id;
	int64_t prospect;
	int64_t at;
	const char *name;
	const char *subject;	/* path of a page, template of a mail, form of a sign-up; "" if none */
	const char *data;	/* JSON object: properties, the words of a reply, ...; "{}" if none */
	double points;		/* interest granted, all rules together */
};

int events_insert(struct db *db, const struct event_row *e, struct err *err) MUSTCHECK;
/*
 * Count, newest and oldest of the prospect's events of that name since `from` (inclusive); subject NULL: any; glob: subject is one. Stops at
 * `limit` (0: none). Reads what lies in the window; with from 0 the counts by subject, in place of all events, and no oldest.
 */
int events_tally(struct db *db, int64_t prospect, const char *name, const char *subject, bool glob, int64_t from, int64_t limit,
		int64_t *count_out, int64_t *newest_out, int64_t *oldest_out, struct err *err) MUSTCHECK;	/* read */
/* The newest `max` (of the names given, ended by NULL; NULL: all), newest first. */
int events_latest(struct db *db, int64_t prospect, const char *const *names, size_t max, struct arena *arena,
		struct event_row **out, size_t *count_out, struct err *err) MUSTCHECK;	/* read */
/* All in the order in which they took effect (at, id), for recomputing. */
int events_all(struct db *db, int64_t prospect, struct arena *arena, struct event_row **out, size_t *count_out, struct err *err) MUSTCHECK;
/* Each of that name in the same order, its texts borrowed for the call; fn's -1 ends it. Read. */
int events_each(struct db *db, int64_t prospect, const char *name, int (*fn)(void *arg, const struct event_row *event, struct err *err), void *arg, struct err *err) MUSTCHECK;

/* Takes one back, and uncounts it; all five name it. */
int events_remove(struct db *db, const struct event_row *e, struct err *err) MUSTCHECK;
int events_set_points(struct db *db, const struct event_row *e, struct err *err) MUSTCHECK;

/* Forgets what is older, of everybody in the bucket. */
int events_prune(struct db *db, uint16_t bucket, int64_t before, struct err *err) MUSTCHECK;

/* --- score_term: what each rule granted; append-only ------------------------------------------------------------- */

struct score_term {
	int64_t prospect;
	const char *rule;
	int64_t at;
	int64_t event;
	double points;
};

int terms_insert(struct db *db, const struct score_term *t, struct err *err) MUSTCHECK;
int terms_sum(struct db *db, int64_t prospect, const char *rule, int64_t from, double *out, struct err *err) MUSTCHECK;
/* By rule: sum, with each term decayed from its time to `now` by half_life, what was given without that, and count; largest magnitude first. */
struct term_sum { const char *rule; double points, given; int64_t count; };
int terms_by_rule(struct db *db, int64_t prospect, int64_t now, int64_t half_life, struct arena *arena,
		struct term_sum **out, size_t *count_out, struct err *err) MUSTCHECK;	/* read */

/* 1/0/-1 */
int terms_find(struct db *db, int64_t prospect, const char *rule, int64_t at, int64_t event, double *points_out, struct err *err) MUSTCHECK;
/* Takes all back that a rule has granted; *points_out: what they were worth at `now`. */
int terms_remove(struct db *db, int64_t prospect, const char *rule, int64_t now, int64_t half_life, double *points_out, struct err *err) MUSTCHECK;
int terms_remove_one(struct db *db, int64_t prospect, const char *rule, int64_t at, int64_t event, int64_t now, int64_t half_life, double *points_out,
		struct err *err) MUSTCHECK;

int terms_prune(struct db *db, uint16_t bucket, int64_t before, struct err *err) MUSTCHECK;	/* as events_prune() */

/* --- hit: opens and clicks, what was seen of them and who is thought to have made them ---------------------------- */

enum verdict { VERDICT_UNKNOWN, VERDICT_HUMAN, VERDICT_MACHINE, VERDICTS };

/* What was seen of a hit, as bits: kept, so that the verdict can be found again under other rules. */
enum hit_trait {
	HIT_HEAD = 1,			/* a HEAD request */
	HIT_ACCEPT = 2,			/* it had an Accept header */
	HIT_LANGUAGE = 4,		/* ... and an Accept-Language */
	HIT_CAME_BACK = 8,		/* later: an event on the website from this click, a form, a reply */
	HIT_CROWD = 16,			/* its address clicked for many people within minutes */
};

#define HIT_HONEYPOT 255		/* link number of the one that nobody sees */

struct hit {
	int64_t id;
	int64_t prospect, delivery;
	char kind;			/* 'o' open, 'c' click, 'u' GET of the page to unsubscribe: of no effect, but it says something of the others */
	int link;
	int64_t at;
	unsigned traits;		/* enum hit_trait */
	int64_t times;			/* so many that were the same in all but the moment; at is the first's */
	const char *agent, *ip;		/* agent cut at 300 bytes */
	enum verdict verdict;
	unsigned reasons;		/* enum verdict_reason of decide, as bits */
	int64_t settled;		/* when it took effect; 0: it is held back */
	int64_t event;			/* what became of it; 0: nothing */
};

int hits_insert(struct db *db, const struct hit *h, struct err *err) MUSTCHECK;
/* All of a mail since `from`, in their order. */
int hits_of_delivery(struct db *db, int64_t delivery, int64_t from, struct arena *arena, struct hit **out, size_t *count_out, struct err *err) MUSTCHECK;	/* read */
/* Writes traits, verdict, reasons, times, settled and event. */
int hits_update(struct db *db, const struct hit *h, struct err *err) MUSTCHECK;
/* How many rows a mail has. */
int hits_count(struct db *db, int64_t delivery, int64_t *out, struct err *err) MUSTCHECK;
/* Mails of a bucket behind `after` (0: the first) that have hits since `from`, in their order. */
int hits_deliveries(struct db *db, uint16_t bucket, int64_t after, int64_t from, size_t max, struct arena *arena, int64_t **out, size_t *count_out, struct err *err) MUSTCHECK;

int hits_prune(struct db *db, uint16_t bucket, int64_t before, struct err *err) MUSTCHECK;	/* as events_prune() */
/* Kind, verdict, at and times of all opens and clicks of all mails since then: for a simulation, which has them in memory. */
int hits_each(struct db *db, int64_t from, void (*fn)(void *ctx, const struct hit *h), void *ctx, struct err *err) MUSTCHECK;

/*
 * Before that: hits that came in, packed, many a row, until what follows from them is worked out. Of each, delivery, kind, link, at, traits, times, agent
 * and ip are kept. In the order in which they came.
 */
int packs_add(struct db *db, const struct hit *hits, size_t count, struct err *err) MUSTCHECK;	/* as one row, or one a bucket; hints HINT_HITS */
/* The oldest, at most `max` (of a row that is longer, a part), leave. */
int packs_take(struct db *db, size_t max, struct arena *arena, struct hit **out, size_t *count_out, struct err *err) MUSTCHECK;
/* Those of these mails, and of that kind ('\0': any), leave, wherever they stand. */
int packs_take_of(struct db *db, const int64_t *mails, size_t mail_count, char kind, struct arena *arena, struct hit **out, size_t *count_out,
		struct err *err) MUSTCHECK;
int packs_look_of(struct db *db, const int64_t *mails, size_t mail_count, struct arena *arena, struct hit **out, size_t *count_out, struct err *err) MUSTCHECK;	/* read */
/*
 * A row that cannot be read is set aside when it is met: it is kept, has no effect, and an alarm tells of it. How many hits such rows have; those set
 * aside before then go.
 */
int packs_damaged(struct db *db, int64_t *out, struct err *err) MUSTCHECK;	/* read */
int packs_drop_damaged(struct db *db, uint16_t bucket, int64_t before, struct err *err) MUSTCHECK;
/* Costs little, and says yes in doubt. */
bool packs_may_have(struct db *db, int64_t delivery);
/* Any thread: how many hits wait in them, as of the last commit. */
int64_t packs_waiting(struct store *store);

/*
 * Mails by the best verdict that one of their hits has (human before unknown before machine), summed by the day on which they were sent; in a few
 * shards, as arm_day.
 */
struct hit_sum {
	const char *sequence, *step, *template;	/* template: base name */
	char kind;
	enum verdict verdict;
	int64_t day;				/* of 1970, UTC */
	int64_t delivery;			/* one of those that are added, for its shard; 0 in what is read */
	int64_t mails;
};

int hit_days_add(struct db *db, const struct hit_sum *sum, struct err *err) MUSTCHECK;
/* By step, template, kind and verdict; sequence NULL: of all. `day` is 0. */
int hit_days_of(struct db *db, const char *sequence, struct arena *arena, struct hit_sum **out, size_t *count_out, struct err *err) MUSTCHECK;	/* read */
/* Of all mails planned on that day or later: how many were opened and clicked, by whom. The two are zero before. */
int hit_days_since(struct db *db, int64_t day, int64_t opened[VERDICTS], int64_t clicked[VERDICTS], struct err *err) MUSTCHECK;	/* read */

/* --- enrolment --------------------------------------------------------------------------------------------------- */

enum enrolment_state {
	ENROLMENT_ACTIVE, ENROLMENT_PAUSED, ENROLMENT_ENDED,
	ENROLMENT_WATCHED,		/* gets nothing (any more), and is looked at for its goal: held out, or compared with those who are */
};

struct enrolment {
	int64_t id;
	int64_t prospect;
	const char *sequence;
	const char *step;		/* name of the step it stands at */
	enum enrolment_state state;
	int64_t entered, ended;
	const char *why;		/* how it ended, or why it is paused or held back: "goal", "exit", "replied", "done", "quiet hours", ... */
	int64_t due;			/* of its queue row; 0: none */
	int64_t queue_id;		/* id of that row */
	int lane;			/* of that row */
	const char *version;		/* of the sequence, that it goes through */
	int64_t allowed;		/* when the gate first allowed the step at hand; 0: not yet, or the step does not ask */
	bool heldout;			/* was or is WATCHED */
};

/* Nothing more will be sent in it. */
static inline bool enrolment_is_over(const struct enrolment *e)
{
	return e->state == ENROLMENT_ENDED || e->state == ENROLMENT_WATCHED;
}

int enrolments_insert(struct db *db, const struct enrolment *e, struct err *err) MUSTCHECK;
int enrolments_find(struct db *db, int64_t prospect, int64_t id, struct arena *arena, struct enrolment *out, struct err *err) MUSTCHECK;
int enrolments_update(struct db *db, const struct enrolment *e, struct err *err) MUSTCHECK;	/* all but prospect, id, sequence, entered */
/* Not ended ones. */
int enrolments_open(struct db *db, int64_t prospect, struct arena *arena, struct enrolment **out, size_t *count_out, struct err *err) MUSTCHECK;
/* The latest of that sequence, ended or not. */
int enrolments_last(struct db *db, int64_t prospect, const char *sequence, struct arena *arena, struct enrolment *out, struct err *err) MUSTCHECK;
int enrolments_all(struct db *db, int64_t prospect, struct arena *arena, struct enrolment **out, size_t *count_out, struct err *err) MUSTCHECK;	/* read */

/* How many of a bucket stand at each step of each version, in each state but the ended one; texts are borrowed for the call. */
int enrolments_at_steps(struct db *db, uint16_t bucket, void (*fn)(void *ctx, const struct enrolment *like, int64_t count), void *ctx, struct err *err) MUSTCHECK;	/* read */
/* Each way through that sequence in a bucket, ended or not, without ids, due and lane; texts are borrowed for the call. */
int enrolments_each(struct db *db, uint16_t bucket, const char *sequence, void (*fn)(void *ctx, const struct enrolment *e), void *ctx, struct err *err) MUSTCHECK;	/* read */
/* How many of each sequence are in each state but the ended ones. A report. */
int enrolments_census(struct db *db, void (*fn)(void *ctx, const char *sequence, enum enrolment_state state, int64_t count), void *ctx, struct err *err) MUSTCHECK;	/* read */

/* --- queue: what is due, by lane --------------------------------------------------------------------------------- */

enum lane {
	LANE_TIME, LANE_SEND, LANE_ALERT,
	LANE_SEND_FIRST,	/* mails that somebody waits for: claimed before any of LANE_SEND, and hinted as that lane is */
	LANES
};

enum queue_kind {
	QUEUE_STEP,		/* ref: enrolment, step: index of the step in its sequence (checked against `name`) */
	QUEUE_MAIL,		/* ref: delivery that is planned or deferred */
	QUEUE_SETTLE,		/* ref: delivery, a hit of which takes effect */
	QUEUE_RECHECK,		/* ref: prospect */
	QUEUE_ALERT,		/* ref: alert */
};

struct queue_row {
	int64_t id;		/* names the bucket */
	enum lane lane;
	int64_t due;
	enum queue_kind kind;
	int64_t prospect;
	int64_t ref;
	const char *name;	/* step's name for QUEUE_STEP, else "" */
};

int queue_add(struct db *db, const struct queue_row *row, struct err *err) MUSTCHECK;	/* hints its lane if due by now */
/* 1 removed, 0 was not there. */
int queue_remove(struct db *db, enum lane lane, int64_t due, int64_t id, struct err *err) MUSTCHECK;
/*
 * Takes up to `max` due rows out of a lane with one range delete a bucket, from the buckets whose next due time has come, going round
 * so that no bucket starves. An idle bucket costs no statement: next due times are kept in memory (1,024 seeks a lane at start).
 */
int queue_take(struct db *db, enum lane lane, int64_t now, size_t max, struct arena *arena, struct queue_row **out, size_t *count_out, struct err *err) MUSTCHECK;
/* The earliest due time in a lane from memory, TIME_NEVER if empty. Loop thread too (atomic): never later than the truth. */
int64_t queue_next_due(struct store *store, enum lane lane);
int64_t queue_next_mail(struct store *store);	/* of both lanes of mails */
/* How many rows are due by `now`, and how many wait at all. */
int queue_depth(struct db *db, enum lane lane, int64_t now, struct estimate *due_out, struct estimate *all_out, struct err *err) MUSTCHECK;	/* read */

/* --- delivery, sending ------------------------------------------------------------------------------------------- */

enum delivery_kind {
	DELIVERY_STEP, DELIVERY_CONFIRM, DELIVERY_FORWARD,
	DELIVERY_TEST,			/* of nobody's: by hand, to see what it looks like; counts for nothing */
	DELIVERY_AGAIN,			/* a STEP that was in doubt, until it has ended: its sequence went on, and does not follow it */
};

enum delivery_state { DELIVERY_PLANNED, DELIVERY_SENDING, DELIVERY_DOT, DELIVERY_SENT, DELIVERY_DEFERRED, DELIVERY_FAILED, DELIVERY_UNKNOWN, DELIVERY_SUPPRESSED };
extern const char *const delivery_state_names[];

struct delivery {
	int64_t id;
	int64_t prospect;
	enum delivery_kind kind;
	enum delivery_state state;
	int64_t enrolment;		/* 0 unless STEP */
	const char *sequence, *step;	/* "" unless STEP */
	const char *template;		/* name of the mail template (of a language: "three-mistakes.de"), "forward" for a forward */
	const char *arm;		/* of a test; "" if it is none; of a DELIVERY_TEST the owner as whom it goes */
	const char *address;		/* where it goes (the owner's for a forward) */
	const char *download;		/* file it offers, "" if none */
	int64_t ref;			/* CONFIRM: consent; FORWARD: event of the reply; TEST: the prospect whose mail it would be, or 0 */
	int attempt;			/* attempts that counted */
	int64_t planned;		/* first time that it was planned */
	int64_t done;			/* when it reached its last state */
	int code;			/* last SMTP reply code, 0 */
	const char *reply;		/* last SMTP reply or reason, cut at 500 bytes */
	const char *relay_id;		/* the relay's queue id, "" */
	int64_t claimed;		/* of a claim: when it was made; else 0 */
};

/*
 * Claims are in memory, and in the table `sending` as the crash record; a delivery row is written when it is planned ahead (confirm, forward, deferred)
 * or ends. deliveries_put() writes the row, new or not.
 */
int deliveries_put(struct db *db, const struct delivery *d, struct err *err) MUSTCHECK;
/* As it stands now: its claim if there is one, else its row in `delivery`. */
int deliveries_find(struct db *db, int64_t id, struct arena *arena, struct delivery *out, struct err *err) MUSTCHECK;	/* read */
int deliveries_of(struct db *db, int64_t prospect, size_t max, struct arena *arena, struct delivery **out, size_t *count_out, struct err *err) MUSTCHECK;	/* read, newest first */
/* The ids of all of theirs. */
int deliveries_ids(struct db *db, int64_t prospect, struct arena *arena, int64_t **out, size_t *count_out, struct err *err) MUSTCHECK;	/* read */
int deliveries_in_state(struct db *db, enum delivery_state state, size_t max, struct arena *arena, struct delivery **out, size_t *count_out, struct err *err) MUSTCHECK;	/* read */

/* What a test mail says in place of what is known of a person, as JSON; until it has ended. */
int mail_data_put(struct db *db, int64_t delivery, const char *data, struct err *err) MUSTCHECK;
int mail_data_find(struct db *db, int64_t delivery, struct arena *arena, const char **out, struct err *err) MUSTCHECK;
int mail_data_remove(struct db *db, int64_t delivery, struct err *err) MUSTCHECK;

/* Its row in `delivery`, if there is one, is planned or deferred. */
int sending_insert(struct db *db, const struct delivery *d, struct err *err) MUSTCHECK;
/* Compare-and-set sending -> dot: 1 done, 0 it is not claimed, not by us or has its dot. */
int sending_dot(struct db *db, int64_t id, struct err *err) MUSTCHECK;
int sending_find(struct db *db, int64_t id, struct arena *arena, struct delivery *out, struct err *err) MUSTCHECK;
/* It is claimed no more: 1, 0 it was not. What became of it is put into `delivery` in the same transaction, behind this. */
int sending_end(struct db *db, int64_t id, struct err *err) MUSTCHECK;
/* The same: 1 and what it was, 0 it was not claimed. */
int sending_take(struct db *db, int64_t id, struct arena *arena, struct delivery *out, struct err *err) MUSTCHECK;
/* How many of that kind are claimed for a person. Not in a reader, which has them in tables alone. */
int64_t sending_count(struct db *db, int64_t prospect, enum delivery_kind kind);
int sending_of(struct db *db, int64_t prospect, struct arena *arena, struct delivery **out, size_t *count_out, struct err *err) MUSTCHECK;
/* What earlier processes (epochs) left behind and was claimed before that time (TIME_NEVER: all of it), oldest first; until it is dealt with. Not in a reader. */
int sending_left(struct db *db, int64_t before, size_t max, struct arena *arena, struct delivery **out, size_t *count_out, struct err *err) MUSTCHECK;

/*
 * Destinations of tracked links, by version (digest) of the template, kept for ever: a link in an old mail goes on working. links_put() opens a new
 * version as of now, and does nothing when the newest one has that digest; links_find() looks in the version that was in force at sent_at.
 */
int links_put(struct db *db, const char *template, const uint8_t digest[32], const char *const *urls, size_t count, struct err *err) MUSTCHECK;
int links_find(struct db *db, const char *template, int link, int64_t sent_at, struct arena *arena, const char **url_out, struct err *err) MUSTCHECK;

/* --- tests of mails ---------------------------------------------------------------------------------------------- */

struct trial {
	int64_t prospect, enrolment;
	const char *step, *test, *arm;
	const char *template;		/* base name of the mail */
	const char *event;		/* what decides */
	int64_t at, until;		/* sent; the end of its window */
	bool won;
};

int trials_insert(struct db *db, const struct trial *t, struct err *err) MUSTCHECK;
/* Of a person: those not won whose window is open at `now`, oldest first. */
int trials_open(struct db *db, int64_t prospect, int64_t now, struct arena *arena, struct trial **out, size_t *count_out, struct err *err) MUSTCHECK;
int trials_of(struct db *db, int64_t prospect, struct arena *arena, struct trial **out, size_t *count_out, struct err *err) MUSTCHECK;	/* read */
int trials_prune(struct db *db, uint16_t bucket, int64_t before, struct err *err) MUSTCHECK;	/* as events_prune() */
int trials_win(struct db *db, const struct trial *t, struct err *err) MUSTCHECK;

struct arm_day { const char *arm; int64_t day; int64_t shown, won; };	/* day: of 1970, UTC, on which it was sent */
/* Adds to the sums of the day on which `t` was sent. */
int arm_days_add(struct db *db, const struct trial *t, int shown, int won, struct err *err) MUSTCHECK;
int arm_days_of(struct db *db, const char *test, struct arena *arena, struct arm_day **out, size_t *count_out, struct err *err) MUSTCHECK;	/* read; by arm, then day */

struct test_end { const char *arm; int64_t at; const char *why; };
int test_ends_put(struct db *db, const char *test, const struct test_end *end, struct err *err) MUSTCHECK;
int test_ends_find(struct db *db, const char *test, struct arena *arena, struct test_end *out, struct err *err) MUSTCHECK;	/* read */

/* --- deliverability by domain of the recipients -------------------------------------------------------------------- */

#define DOMAIN_SHARDS 16

struct domain_day {
	const char *domain;		/* as it is registered */
	int64_t day;			/* of 1970, UTC */
	int shard;
	int64_t sent, deferred, hard, soft, complaint;
	int64_t opens[VERDICTS], clicks[VERDICTS];	/* mails that were, by whom */
};

int domain_days_add(struct db *db, const struct domain_day *d, struct err *err) MUSTCHECK;
/* The domains with most mail since that day, all days together (`day` is 0); one domain's days. */
int domain_days_top(struct db *db, int64_t since, size_t max, struct arena *arena, struct domain_day **out, size_t *count_out, struct err *err) MUSTCHECK;	/* read */
int domain_days_of(struct db *db, const char *domain, int64_t since, struct arena *arena, struct domain_day **out, size_t *count_out, struct err *err) MUSTCHECK;	/* read */

/* --- where the mail of domains goes --------------------------------------------------------------------------- */

struct mx_host {
	const char *domain;
	const char *host;		/* of its MX records the one that is asked first; "": there is none, or nobody could tell */
	int64_t until;			/* then DNS is asked again */
};

int mx_hosts_find(struct db *db, const char *domain, struct arena *arena, struct mx_host *out, struct err *err) MUSTCHECK;
int mx_hosts_put(struct db *db, const struct mx_host *h, struct err *err) MUSTCHECK;
/* Some of those that have not been true since then go, the oldest first. */
int mx_hosts_prune(struct db *db, int64_t before, size_t most, struct err *err) MUSTCHECK;

/* --- what holds mails ------------------------------------------------------------------------------------------- */

struct held {
	const char *why;		/* as it was when they were put there; "" of a mail that was tried */
	int state, code;		/* enum delivery_state of a mail, -1 of a step; what the relay said */
	int64_t mails;
	int64_t oldest;			/* since when the one waits that was put there first */
	int64_t next;			/* when the first of them is due */
};

/* Of mails that are not due yet, by reason; looks at `most` of them, and beyond `reasons` the last takes the rest. */
int held_by_reason(struct db *db, int64_t now, size_t most, size_t reasons, struct arena *arena, struct held **out, size_t *count_out, struct err *err) MUSTCHECK;	/* read */

/* --- versions of sequences ---------------------------------------------------------------------------------------- */

struct sequence_version { const char *sequence, *version; int64_t since; const char *source; };
int versions_put(struct db *db, const struct sequence_version *v, struct err *err) MUSTCHECK;	/* once; a second time changes nothing */
int versions_of(struct db *db, const char *sequence, size_t max, struct arena *arena, struct sequence_version **out, size_t *count_out, struct err *err) MUSTCHECK;	/* read; newest first, without their source */
int versions_find(struct db *db, const char *sequence, const char *version, struct arena *arena, struct sequence_version *out, struct err *err) MUSTCHECK;	/* read */

/* --- suppression ------------------------------------------------------------------------------------------------- */

struct suppression {
	uint16_t bucket;
	const uint8_t *hash;		/* HMAC-SHA256(suppression key, address key), 32 bytes */
	const char *reason;		/* unsubscribe complaint hard_bounce soft_bounces reply manual erased */
	int64_t at;
	const char *source;		/* what caused it: "del_...", "inb_...", "nurturectl" */
	const char *address_key;	/* from suppressions_page(): whose address it is; NULL: nobody's whom we know */
};

#define SUPPRESSION_TEXT (8 + 1 + 3 + 1 + 64 + 1)

/* The key is made at the first start, kept in the database, and never rotates. */
void suppressions_hash(struct db *db, const char *address_key, uint8_t out[32]);
int suppressions_add(struct db *db, const struct suppression *s, struct err *err) MUSTCHECK;	/* the first reason stays */
int suppressions_find(struct db *db, const char *address_key, struct arena *arena, struct suppression *out, struct err *err) MUSTCHECK;	/* read */
/* The same where the bucket of the address is known. */
int suppressions_find_in(struct db *db, uint16_t bucket, const char *address_key, struct arena *arena, struct suppression *out, struct err *err) MUSTCHECK;	/* read */
int suppressions_remove(struct db *db, const char *address_key, struct err *err) MUSTCHECK;
/* By hash: 1, 0, -1. */
int suppressions_find_hash(struct db *db, uint16_t bucket, const uint8_t hash[32], struct arena *arena, struct suppression *out, struct err *err) MUSTCHECK;	/* read */
/*
 * Hash and bucket as text, "KEY-BUCKET-HASH" in hex: KEY tells by which key, so that what another installation wrote is refused (-1) and not
 * taken for something that matches nobody.
 */
const char *suppressions_text(struct db *db, const struct suppression *s, char out[SUPPRESSION_TEXT]);
int suppressions_parse(struct db *db, const char *text, uint16_t *bucket_out, uint8_t hash_out[32], struct err *err) MUSTCHECK;
/*
 * In the order of bucket and hash, behind that hash of that bucket (NULL: from the bucket's beginning), from at most 16 buckets. *next_out: the
 * bucket to go on in, behind its last row that was given, if one was; BUCKETS: that was all. Reader thread.
 */
int suppressions_page(struct db *db, uint16_t bucket, const uint8_t *hash, size_t max, struct arena *arena, struct suppression **out,
	size_t *count_out, int *next_out, struct err *err) MUSTCHECK;

/* --- consent: append-only, chained by digest in each bucket ------------------------------------------------------ */

/*
 * requested (a form was posted, and asks for a confirmation) granted confirmed implied; withdrawn (by a link, a mail program, in the preference
 * centre, or in a reply, whose `words` are theirs; GDPR article 7) objected (in a reply that speaks of the law, or where there was no consent of
 * their own to take back: `words` are theirs; article 21) complained (to their provider, of spam: `data` says to whom); changed (topics,
 * pause, limit, language: in `data`) asked (for their data or for erasure: in `data`) erased. Ends with NULL.
 */
#define CONSENT_KINDS 10
extern const char *const consent_kinds[CONSENT_KINDS + 1];

struct consent {
	int64_t id;
	int64_t prospect;
	const char *what;		/* one of consent_kinds */
	const char *purpose, *words;
	const char *form, *page, *ip, *agent;
	const char *data;		/* the sign-up as JSON: what takes effect at confirmation */
	int64_t at;
	int64_t ref;			/* confirmed: the row that was confirmed */
	const char *basis;		/* express implied-inquiry implied-purchase contract; "" of what is no consent */
	const char *version;		/* of the words, "" */
	int64_t until;			/* when an implied consent ends; 0 */
	const char *actor;		/* who did it: prospect, mailbox (a provider or a server), nurturectl, ...; "" in old rows */
};

int consents_add(struct db *db, const struct consent *c, struct err *err) MUSTCHECK;	/* computes salt and digest over the one before */
int consents_find(struct db *db, int64_t id, struct arena *arena, struct consent *out, struct err *err) MUSTCHECK;
int consents_of(struct db *db, int64_t prospect, struct arena *arena, struct consent **out, size_t *count_out, struct err *err) MUSTCHECK;	/* read */
/* read; -1 names the broken row, or one of a kind that is none. Adds to `counts`, in the order of consent_kinds. */
int consents_verify(struct db *db, uint16_t bucket, int64_t counts[CONSENT_KINDS], struct err *err) MUSTCHECK;

/* --- lead, alert ------------------------------------------------------------------------------------------------- */

struct lead {
	int64_t id;
	int64_t prospect;
	const char *state;		/* new accepted rejected won lost */
	const char *owner;		/* name */
	const char *reason;		/* the hot rule's explanation */
	int64_t at;			/* when it became hot */
	int64_t answered;		/* last answer, 0 */
	const char *answer;		/* reason or comment of the last answer, "" */
	double amount;			/* won: how much */
};

int leads_insert(struct db *db, const struct lead *l, struct err *err) MUSTCHECK;
int leads_find(struct db *db, int64_t id, struct arena *arena, struct lead *out, struct err *err) MUSTCHECK;	/* read */
int leads_last(struct db *db, int64_t prospect, struct arena *arena, struct lead *out, struct err *err) MUSTCHECK;
int leads_answer(struct db *db, const struct lead *l, struct err *err) MUSTCHECK;	/* state answered answer amount; compare-and-set is the caller's, in the transaction */
/* Those after (at, id), in that order. */
int leads_since(struct db *db, int64_t at, int64_t id, size_t max, struct arena *arena, struct lead **out, size_t *count_out, struct err *err) MUSTCHECK;	/* read */
int leads_latest(struct db *db, size_t max, struct arena *arena, struct lead **out, size_t *count_out, struct err *err) MUSTCHECK;	/* read */

enum alert_state { ALERT_WAITING, ALERT_DELIVERED, ALERT_DEAD };

struct alert {
	int64_t id;			/* the webhook-id is its text form: stable over retries */
	int64_t prospect, lead;
	const char *url, *as;
	const char *body;		/* rendered once, when it was made */
	enum alert_state state;
	int attempt;
	int64_t created, due, done;
	int code;			/* last HTTP status, 0 */
	const char *error;		/* last error, "" */
};

int alerts_insert(struct db *db, const struct alert *a, struct err *err) MUSTCHECK;	/* and its row in the alert lane is the caller's */
int alerts_find(struct db *db, int64_t id, struct arena *arena, struct alert *out, struct err *err) MUSTCHECK;
int alerts_update(struct db *db, const struct alert *a, struct err *err) MUSTCHECK;	/* state attempt due done code error */
int alerts_in_state(struct db *db, enum alert_state state, size_t max, struct arena *arena, struct alert **out, size_t *count_out, struct err *err) MUSTCHECK;	/* read; body left out */
/* Waiting alerts without a row in the lane (claimed by a process that died): puts them back. At start. */
int alerts_recover(struct db *db, int64_t now, struct err *err) MUSTCHECK;

/* --- once: idempotency; inbound; mailbox; journal; turn; setting -------------------------------------------------- */

#define ONCE_KEEP (7 * 24 * INT64_C(3600000000))	/* keys are remembered for a week, then forgotten in passing */

/* 1: the key is new and now taken; 0: it was there, *answer_out has what was stored with it. */
int once_take(struct db *db, uint16_t bucket, const char *key, int64_t now, const char *answer, struct arena *arena, const char **answer_out, struct err *err) MUSTCHECK;

struct inbound {
	int64_t id;
	uint8_t sha256[32];
	const char *mailbox;
	int64_t received;
	const char *class;
	int64_t prospect, delivery;	/* 0: matched nobody */
	const char *summary;		/* JSON: what was read and why */
	const void *raw;		/* NULL if not kept */
	size_t raw_len, size;
};

/* The bucket is the prospect's, or that of the hash. 1: new, 0: this mail was taken before. */
int inbound_take(struct db *db, const struct inbound *in, struct err *err) MUSTCHECK;
/* Newest first, of everybody and nobody; without raw. A report: it looks into each bucket. */
int inbound_latest(struct db *db, size_t max, struct arena *arena, struct inbound **out, size_t *count_out, struct err *err) MUSTCHECK;	/* read */
int inbound_find(struct db *db, int64_t id, struct arena *arena, struct inbound *out, struct err *err) MUSTCHECK;	/* read; 1/0/-1; with raw, if it is still kept */
int inbound_reread(struct db *db, const struct inbound *in, struct err *err) MUSTCHECK;	/* its class, prospect, delivery and summary are others now */
/* Ids of mails whose bytes are kept, since then, of that class ("": all), oldest first. */
int inbound_kept(struct db *db, int64_t since, const char *class, int64_t **ids, size_t *count_out, struct err *err) MUSTCHECK;
/* Raw bytes older than that go, and of the others the oldest until so many are left in all. */
int inbound_prune(struct db *db, int64_t before, int64_t most, struct err *err) MUSTCHECK;

/* What an operator must see to: `kind` bounce complaint mail, `what` in a few words; how often, and the newest as a sample. */
struct alarm { const char *kind, *what, *sample; int64_t times, first, last; };
int alarms_raise(struct db *db, const char *kind, const char *what, const char *sample, int64_t at, struct err *err) MUSTCHECK;
int alarms_since(struct db *db, int64_t since, size_t max, struct arena *arena, struct alarm **out, size_t *count_out, struct err *err) MUSTCHECK;	/* read, newest first */

struct watermark { uint32_t uidvalidity, last_uid; };
int mailboxes_get(struct db *db, const char *mailbox, struct watermark *out, struct err *err) MUSTCHECK;	/* 0,0 if new */
int mailboxes_set(struct db *db, const char *mailbox, const struct watermark *w, struct err *err) MUSTCHECK;

/* A mail that was taken and may still be there: to be recognised (POP3), or to be marked, moved or deleted. `stays`: nothing is done to it. */
struct mailbox_mail { const char *key; bool stays; };
int mailboxes_remember(struct db *db, const char *mailbox, const struct mailbox_mail *mail, struct err *err) MUSTCHECK;
int mailboxes_forget(struct db *db, const char *mailbox, const char *key, struct err *err) MUSTCHECK;
int mailboxes_remembered(struct db *db, const char *mailbox, struct arena *arena, struct mailbox_mail **out, size_t *count_out, struct err *err) MUSTCHECK;

/* Why things happened: `kind` stage list move enrol restart holdout branch late skip join leave pause limit language asked end hold hot alert webhook tag untag test lead suppress mail, `what` the new value, `why` the cause. */
struct journal_row { int64_t at; int64_t prospect; const char *kind, *what, *why; int64_t id; };
int journal_add(struct db *db, int64_t prospect, int64_t at, const char *kind, const char *what, const char *why, struct err *err) MUSTCHECK;
int journal_of(struct db *db, int64_t prospect, size_t max, struct arena *arena, struct journal_row **out, size_t *count_out, struct err *err) MUSTCHECK;	/* read, newest first */

/* Those of a person whose id is above `id`, in the order in which they were written. */
int journal_after(struct db *db, int64_t prospect, int64_t id, size_t max, struct arena *arena, struct journal_row **out, size_t *count_out, struct err *err) MUSTCHECK;	/* read */

/* fn gets each row since `from`, of everybody, one person after the other; its texts are borrowed for the call. A report: it reads them all. */
int journal_each(struct db *db, int64_t from, void (*fn)(void *ctx, const struct journal_row *row), void *ctx, struct err *err) MUSTCHECK;	/* read */

/* Round robin: the owner's turns so far; takes one. */
int turns_count(struct db *db, const char *owner, int64_t *out, struct err *err) MUSTCHECK;
int turns_take(struct db *db, const char *owner, struct err *err) MUSTCHECK;

/* Site secrets and marks; value_out in the arena. 1/0/-1. */
int settings_get(struct db *db, const char *name, struct arena *arena, struct slice *out, struct err *err) MUSTCHECK;
int settings_set(struct db *db, const char *name, const void *value, size_t len, struct err *err) MUSTCHECK;

#endif
