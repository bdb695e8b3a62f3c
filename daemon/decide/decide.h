/*
 * decide.h: what the files of decide share: the part itself and its state on the store thread.
 */
#ifndef DECIDE_DECIDE_H
#define DECIDE_DECIDE_H

#include "base/digest.h"
#include "base/loop.h"
#include "base/networks.h"
#include "decide/facts.h"

#include "trial.h"

struct person;
struct shape;
struct hand;

/* Where decide's own values lie among the names of a plan's mail and alert templates; -1 where a vocabulary has none such. */
struct name_places {
	int email, sender, list, stage, tone, language, form, consent_words, consented_at;
	int owner, tags, grade;
	int alert, lead, prospect, terms, actions, words, links, company, from_email, from_name, subject;
};

/* A version of a sequence that some still finish; NULL: it cannot be. It belongs to the plan. */
struct old_version {
	char *sequence, *version;
	const struct sequence *as;
};

struct known_test {
	char *id;
	int64_t at;			/* when it was read; 0: not yet */
	struct arm_sum sums[TRIAL_ARMS];
	int winner;			/* arm; -1: none yet */
};

struct decide {
	struct loop *loop;
	struct store *store;
	struct token_ring *ring;

	/* loop thread */
	struct plan *plan;
	struct timer *timer[LANES];
	bool running;			/* a time job is with the store */
	struct timer *start;		/* until the store has taken what the start owes it: */
	bool to_keep_links, to_recover, recovering;
	struct timer *forget;
	uint16_t forget_bucket;		/* the next to be visited */
	struct {
		struct timer *timer;
		bool asked, begun, running;
		int bucket;		/* the next; BUCKETS: all were visited */
		int64_t after;		/* the last person who was visited in it */
		int64_t people;
		uint8_t rules[SHA256_SIZE];	/* digest of those by which everybody is being looked at */
	} sweep;
	struct digest {
		struct timer *timer;
		bool running;
		size_t single;		/* so many go alone: one of them was refused */
		bool drop;		/* ... and it is the next */
		int64_t left;		/* that waited after the last turn */
	} digest;
	struct ask_mx *ask_mx;		/* NULL without a loop */
	bool stopping;
	struct {
		void (*fn)(void *arg);
		void *arg;
	} due[LANES];
	void (*withdraw)(void *arg, int64_t delivery);
	void *withdraw_arg;

	/* store thread */
	struct plan *working;
	struct arena *arena;		/* of the fact at hand */
	struct name_places places;
	struct old_version *olds;	/* of `working` */
	size_t old_count, old_cap;
	bool finishing;			/* some of them are being finished: what they ask for is not among the rules of `working` */
	struct known_test *tests;
	size_t test_count, test_cap;
	int64_t test_ended;		/* when one was; for a while what is kept of them in memory is not trusted */
	struct crowd *crowd;
	struct hit_sums *hit_sums;	/* NULL: never begun */
	struct shape *shape;
	struct hand *hand;		/* the mails that were claimed lately */
	bool recalled;			/* it knows what an earlier process kept of it */
	bool goal_tests;		/* the plan has tests that a goal decides */
};

/* Store thread: an empty arena for the next fact. */
struct arena *decide_arena(struct decide *d);
/* Store thread: after this job's commit, tells the withdraw listener on the loop. */
void decide_withdraw_after_commit(struct decide *d, struct db *db, int64_t delivery);

/* --- ask_mx.c ---------------------------------------------------------------------------------------------------- */

/* Before the first job; after a reload; when the store takes no jobs any more. Loop thread. */
void ask_mx_start(struct decide *d);
void ask_mx_reload(struct decide *d);
void ask_mx_stop(struct decide *d);

/* --- sequence.c -------------------------------------------------------------------------------------------------- */

struct enrolment;

/* Walks an open enrolment from `step` (index in its sequence) through all that takes no time; queues where it comes to rest. */
int sequence_go(struct decide *d, struct db *db, struct person *p, const struct sequence *s, struct enrolment *e, int step, int64_t now, struct err *err) MUSTCHECK;
/* Puts it to rest at a step (its row in the queue moves) until `due`. */
int sequence_rest(struct db *db, struct enrolment *e, const struct step *step, int64_t due, const char *why, struct err *err) MUSTCHECK;
int sequence_end(struct decide *d, struct db *db, struct enrolment *e, const char *why, int64_t now, struct err *err) MUSTCHECK;
/* Ends these of one person; those that gave way first, or the end of what they gave way to would let them go on. */
int sequence_end_all(struct person *p, struct enrolment *all, size_t count, const char *why, struct err *err) MUSTCHECK;
int sequence_pause(struct decide *d, struct db *db, struct enrolment *e, const char *why, struct err *err) MUSTCHECK;
int sequence_resume(struct decide *d, struct db *db, struct enrolment *e, int64_t at, struct err *err) MUSTCHECK;
/* Its claimed mail could not be made: the step comes again at `until`. */
int sequence_hold(struct decide *d, struct db *db, struct enrolment *e, const char *name, int64_t until, const char *why, struct err *err) MUSTCHECK;
/* Which one goes before it: of those under way that it does not run beside, one whose priority is as high; NULL: none. `self`: its own enrolment, or 0. */
int sequence_first(const struct plan *plan, struct db *db, struct arena *arena, int64_t prospect, const struct sequence *s, int64_t self, const struct sequence **first,
		struct err *err) MUSTCHECK;
/* The others pause. */
int sequence_make_way(struct decide *d, struct db *db, int64_t prospect, const struct sequence *s, int64_t self, struct err *err) MUSTCHECK;
/* Is a mail of this enrolment claimed, or to be tried again? What becomes of it moves the enrolment on. 1/0/-1. */
int sequence_mail_on_its_way(struct decide *d, struct db *db, const struct enrolment *e, struct err *err) MUSTCHECK;
/* Does the step send a mail? */
bool sequence_sends(const struct step *step);
/* May one person be in both at a time? */
bool sequence_is_beside(const struct sequence *a, const struct sequence *b);
/* The instant that a wait for business days or a `wait_until` ends; 0: there is none. */
int sequence_until(struct person *p, const struct step *step, int64_t *out, struct err *err) MUSTCHECK;
/* Notes how a `wait_for` ended. */
int sequence_waited(struct person *p, const struct sequence *s, const struct step *step, bool held, struct err *err) MUSTCHECK;
extern const char sequence_gave_way[];	/* how the `why` of one that waits for another begins */

/* By hand. 1 entered, 0 not and why, -1. sequence_may_enter() only asks (reader thread, too): *why_not NULL: nothing is against it. */
int sequence_enter(struct person *p, const struct sequence *s, const char **why_not, struct err *err) MUSTCHECK;
int sequence_may_enter(struct person *p, const struct sequence *s, const char **why_not, struct err *err) MUSTCHECK;

/* Goals, exits and waits of the open enrolments; entries of the marked rules. */
int sequence_check_open(struct person *p, struct err *err) MUSTCHECK;
int sequence_check_entries(struct person *p, struct err *err) MUSTCHECK;
/* Goal, then exit, then list; 1 it ended, 0 it stays, -1. */
int sequence_check_leave(struct person *p, const struct sequence *s, struct enrolment *e, struct err *err) MUSTCHECK;

/* --- version.c ---------------------------------------------------------------------------------------------------- */

/* The sequence as this enrolment goes through it; NULL: it is gone. */
int version_of(struct decide *d, struct db *db, const struct enrolment *e, const struct sequence **out, struct err *err) MUSTCHECK;
/*
 * Where it stands who stood at the step of that name: 1 at that step, *step of *s, though perhaps by another name; 2 at another, of a
 * version that begins anew or where the step is gone. e then carries the version, to be written with whatever comes next. 0 nowhere any
 * more, and it has been ended; -1.
 */
int version_step(struct decide *d, struct db *db, struct enrolment *e, const char *name, int64_t now, const struct sequence **s, int *step,
		struct err *err) MUSTCHECK;
/* An open enrolment takes over the version in force, if it does that at all. 1 it is still open, 0 it ended, -1. */
int version_adopt(struct person *p, struct enrolment *e, const struct sequence **out, struct err *err) MUSTCHECK;
void version_forget(struct decide *d);
/* Index of the step, or of the one that takes its place; step_count: the end; -1: gone without a word. Pure. */
int version_place(const struct sequence *s, const char *name);

/* --- trial.c ------------------------------------------------------------------------------------------------------ */

/* The arm that they get; the same again as long as the sums are the same. */
int trial_choose(struct person *p, const struct step *step, const struct enrolment *e, const struct arm **out, struct err *err) MUSTCHECK;
/* Its mail went out. Counts nothing once the test is over. */
int trial_begin(struct decide *d, struct db *db, const struct step *step, const struct delivery *mail, int64_t at, struct err *err) MUSTCHECK;
/* What happened then wins the trials that ask for it and were open. */
int trials_happen(struct person *p, const char *event, const char *subject, int64_t at, struct err *err) MUSTCHECK;
int trials_goal(struct person *p, const struct enrolment *e, struct err *err) MUSTCHECK;
/* Those that ask for the goal of a sequence whose end they have reached already. */
int trials_check_goals(struct person *p, struct err *err) MUSTCHECK;
void trial_forget(struct decide *d);
bool trials_by_goal(const struct plan *plan);	/* has it a test that a goal decides? */

/* --- hot.c ------------------------------------------------------------------------------------------------------- */

int hot_check(struct person *p, struct err *err) MUSTCHECK;
/* The rule is asked in any case: what was held back until a person showed may go out now. */
void hot_ask(struct person *p);
/* The owner of the latest lead, else replies_to; NULL when nobody is to hear. */
int hot_listener(struct person *p, const char **email_out, struct err *err) MUSTCHECK;

/* --- owner.c ------------------------------------------------------------------------------------------------------ */

/* For a new lead: by rule first, else whoever has had the fewest turns for their share; takes that turn. NULL: there are no owners. */
int owner_choose(struct person *p, const struct owner **out, struct err *err) MUSTCHECK;
/* Of their latest lead; NULL if there is none. */
int owner_of_lead(struct person *p, const struct owner **out, struct err *err) MUSTCHECK;
/* Of their latest lead, else the first whose `when` holds; NULL if there is none such. */
int owner_of(struct person *p, const struct owner **out, struct err *err) MUSTCHECK;
struct value owner_value(const struct owner *owner, struct arena *arena);	/* nil without one */

/* --- alert.c ------------------------------------------------------------------------------------------------------ */

struct alert_note {
	const char *type;		/* lead.hot sequence.alert sequence.webhook */
	const char *reason;
	const struct lead *lead;	/* NULL: they are none */
	const struct owner *owner;	/* NULL */
	const char *sequence, *step;	/* "" */
};

/* Renders and puts into the outbox, one alert a target; `payload` instead of each target's own, or NULL. */
int alert_post(struct person *p, const struct alert_note *note, const struct alert_target *targets, size_t count, const struct template *payload,
		struct err *err) MUSTCHECK;
/* What an `alert` or `webhook` step does. */
int alert_of_step(struct person *p, const struct sequence *s, const struct step *step, struct err *err) MUSTCHECK;

/* --- gate.c ------------------------------------------------------------------------------------------------------ */

enum gate_verdict { GATE_PASS, GATE_HOLD, GATE_SKIP, GATE_END };	/* skip: this mail is passed over, the sequence goes on */

struct gate_answer {
	enum gate_verdict verdict;
	int64_t until;			/* of a hold */
	const char *reason;		/* static text or the arena's */
};

/* Design section 7's order. `e` and `step` may be NULL for mail that is no step. `was`: why it was held the last time, "". What passes has taken its share. */
int gate_check(struct person *p, const struct sequence *s, const struct step *step, struct enrolment *e, const char *was, struct gate_answer *out,
		struct err *err) MUSTCHECK;
/* Of a mail that no sequence sends but the person asked for: only the rate of its recipients holds it. */
void gate_check_awaited(struct person *p, const struct mail_template *mail, const char *was, struct gate_answer *out);

/* --- on_test_mail.c ----------------------------------------------------------------------------------------------- */

/* The one in sales as whom it goes; NULL: there is none of that name. */
const struct owner *test_mail_owner(struct decide *d, const char *name);
/* What a test mail is filled with: a person's values (NULL: nobody's), and its own data over them. NULL: err. */
const struct value *test_mail_values(struct decide *d, struct db *db, struct person *p, const struct sender_config *sender, int64_t delivery,
		struct arena *arena, struct err *err);

/* --- score.c ----------------------------------------------------------------------------------------------------- */

/* What a rule grants that has granted `sum` within the window of its cap. Pure. */
double score_grant(const struct score_rule *rule, double sum);
/*
 * What a rule for interest grants when all the events that are kept happen once more, decayed to p->now. 1 and the sum; 0 where its condition asks
 * what was known of them at the time, of which no record is kept; -1.
 */
int score_replay(struct person *p, const struct score_rule *rule, double *out, struct err *err) MUSTCHECK;
/* An event that is about to go: what it was given by rules that cannot be replayed goes with it. */
int score_take_back(struct person *p, const struct event_row *event, struct err *err) MUSTCHECK;
/* Events of that name came or went: what they are given is what they would be given now in their order, and the interest follows. */
int score_grant_again(struct person *p, const char *name, struct err *err) MUSTCHECK;

/* --- verdict.c --------------------------------------------------------------------------------------------------- */

enum verdict_reason {
	VERDICT_HEAD = 1, VERDICT_NO_AGENT = 2, VERDICT_BURST = 4, VERDICT_APPLE = 8, VERDICT_EGRESS = 16, VERDICT_PREFETCH = 32, VERDICT_EARLY = 64,
	VERDICT_PROXY = 128, VERDICT_AGENT = 256, VERDICT_UNSUBSCRIBE = 512, VERDICT_SCANNER = 1024, VERDICT_BARE = 2048, VERDICT_CROWD = 4096,
	VERDICT_CAME_BACK = 8192, VERDICT_HONEYPOT = 16384,
};

#define VERDICT_WORDS 15
/* By place of the bit: its word, the points that it gives to a click, and what it means. */
extern const struct verdict_word { const char *word; int points; const char *means; } verdict_words[VERDICT_WORDS];

struct verdict_lists {
	const struct networks *egress, *scanners;	/* NULL: none */
};

const char *verdict_name(enum verdict verdict);
/* Sets verdict and reasons of all hits of one mail, which come in their order (at, id). `sent`: see verdict_sent(). Pure. */
void verdict_judge(struct hit *hits, size_t count, int64_t sent, const struct verdict_lists *lists);
/* When the mail went out, as far as verdicts are concerned. Pure. */
int64_t verdict_sent(const struct delivery *mail);

/* --- judge.c ----------------------------------------------------------------------------------------------------- */

struct judged {
	size_t hits, settled, changed;		/* looked at; took effect; have another verdict than they took effect with */
	size_t moves[VERDICTS][VERDICTS];	/* the latter, from and to */
};

/*
 * Judges all hits of a mail anew and makes true what follows: events, points, sums. `settles`: those whose time has come take effect. Adds to *out.
 * person_settle() is the caller's.
 */
int judge_mail(struct person *p, const struct delivery *mail, bool settles, struct judged *out, struct err *err) MUSTCHECK;
/* The same when hits come: `kept` are those of the mail before, in their order; those that come are kept as they are judged. Those whose time has come take effect. */
int judge_come(struct person *p, const struct delivery *mail, const struct hit *kept, size_t kept_count, const struct hit *come, size_t come_count,
		struct err *err) MUSTCHECK;
/* Somebody is there now who clicked that link (-1: any) of the mail lately. */
int judge_came_back(struct person *p, int64_t delivery, int link, struct err *err) MUSTCHECK;
/* They posted a form: whoever clicked in one of their latest mails just before was a person. */
int judge_form(struct person *p, struct err *err) MUSTCHECK;

/* --- hit_sums.c -------------------------------------------------------------------------------------------------- */

struct hit_sum;

/*
 * How many mails were opened and clicked: between begin and end, which are in one job, they are added up, and written at the end: of many hits there are
 * few sums. Otherwise (d may be NULL) each is written at once. end: `rc` is the job's so far; below 0 nothing is written. Returns it, or -1.
 */
void hit_sums_begin(struct decide *d);
int hit_sums_add(struct decide *d, struct db *db, const struct hit_sum *sum, struct err *err) MUSTCHECK;
int hit_sums_end(struct decide *d, struct db *db, int rc, struct err *err) MUSTCHECK;
void hit_sums_free(struct hit_sums **sums);

/* --- on_hit.c ---------------------------------------------------------------------------------------------------- */

/* Somebody asks for the clicks of that mail: those that are recorded and not worked on yet are kept, too, and held. */
int hits_catch_up(struct decide *d, struct db *db, const struct delivery *mail, struct err *err) MUSTCHECK;

/* --- digest.c ---------------------------------------------------------------------------------------------------- */

void digest_start(struct decide *d);
void digest_due(struct decide *d);	/* some may wait */
void digest_stop(struct decide *d);	/* the last turn */
void digest_free(struct decide *d);
/* Without a loop: all of them. */
int digest_here(struct decide *d, struct err *err) MUSTCHECK;

/* --- crowd.c ----------------------------------------------------------------------------------------------------- */

struct crowd *crowd_new(void);
void crowd_free(struct crowd **crowd);
void crowd_add(struct crowd *crowd, const struct hit *click);
/* Were there clicks for 5 people from its address, each within 10 minutes of it? */
bool crowd_has(const struct crowd *crowd, const struct hit *click);

/* --- values.c ---------------------------------------------------------------------------------------------------- */

void values_places(struct name_places *places, const struct plan *plan);
/* By symbol of plan->mail_names; NULL person gives only what is the site's. */
struct value *values_of_mail(struct decide *d, struct person *p, const struct sender_config *sender, struct arena *arena);
struct value values_of_prospect(struct person *p, struct arena *arena);
struct value values_of_actions(struct person *p, size_t max, struct arena *arena, struct err *err);
struct value values_of_terms(struct person *p, struct arena *arena, struct err *err);
const char *values_display_name(struct person *p, struct arena *arena);

/* --- forget.c ---------------------------------------------------------------------------------------------------- */

void forget_start(struct decide *d);

/* --- sweep.c ------------------------------------------------------------------------------------------------------ */

void sweep_start(struct decide *d);
/* The plan in force may have other rules. */
void sweep_again(struct decide *d);
/* Without a loop: all of it, if the rules are not those of the database. */
int sweep_here(struct decide *d, struct err *err) MUSTCHECK;

/* --- visitors.c -------------------------------------------------------------------------------------------------- */

/* Joins the visitor to the person and lets what they did before happen to the person now. */
int visitor_join(struct person *p, const char *anonymous_id, struct err *err) MUSTCHECK;

/* --- on_track.c --------------------------------------------------------------------------------------------------- */

/*
 * Whom a message is about, unless it came before: then out->repeated, and nothing is to be done. 1 found, 0 nobody whom we know, or a repeat; -1.
 */
int who_meet(struct decide *d, struct db *db, const struct who *who, const char *message_id, int64_t at, struct person *p, struct track_result *out,
	struct err *err) MUSTCHECK;
/* By whatever else the message names, this is who they are. */
int who_join(struct person *p, const struct who *who, struct err *err) MUSTCHECK;

/* The name by which steps and history call a mail of whatever language. */
const char *mail_base(struct arena *arena, const char *template);

/* --- on_dot.c ----------------------------------------------------------------------------------------------------- */

extern const char mail_nothing_to_confirm[];
/* One more mail that was not sent, at its claim or at its dot: one series of the metrics. */
void mail_count_stopped(struct db *db);

/* Of the From that it has, or had. */
const char *mail_sender_domain(const struct decide *d, const struct delivery *mail);

/* --- plan a mail ------------------------------------------------------------------------------------------------- */

/* A delivery row in PLANNED and its row in the send lane. */
int mail_plan(struct db *db, struct delivery *d, int64_t due, struct err *err) MUSTCHECK;

/* --- on_mail.c, on_bounce.c ---------------------------------------------------------------------------------------- */

/* What a mail does, or a report of a mail service that says the same. `about` has id 0 where it is not known which mail it is about. */
int mail_about_person(struct person *p, const struct mail_fact *fact, struct delivery *about, struct err *err) MUSTCHECK;

/* What a bounce does: the address is dead, it is counted, or it is our own fault. Settles. */
int person_bounced(struct person *p, const struct mail_fact *fact, struct delivery *about, struct err *err) MUSTCHECK;
/* Its words may ask for less, of all mail to that receiver. */
void person_bounce_slows(struct person *p, const struct mail_fact *fact, const struct delivery *about);
/* The same for what a relay said at once. Is it to be counted (fault, hard_bounce, reason)? Settles. */
bool outcome_is_soft_bounce(const struct mail_outcome *fact);
int person_refused(struct person *p, const struct mail_outcome *fact, struct delivery *mail, struct err *err) MUSTCHECK;
/* A mail in doubt has arrived (DELIVERY_SENT), or has not (DELIVERY_FAILED): so `by` tells. Others, and an `about` of id 0, stay as they are. */
int delivery_prove(struct person *p, struct delivery *about, enum delivery_state proven, const char *by, struct err *err) MUSTCHECK;

/* --- on_unsubscribe.c -------------------------------------------------------------------------------------------- */

/* Suppresses, withdraws consent, stops everything. `source` is what asked for it, as text. */
int person_unsubscribe(struct person *p, const char *how, const char *source, const char *ip, const char *agent, struct err *err) MUSTCHECK;
/*
 * They want no more mail, in their own words, which came to mailbox `by`: the ledger keeps the words, and they leave. They take back a consent (GDPR
 * article 7); where there was none of their own, or with a `reason`, they object (article 21). `reason`: why they are suppressed where that is more
 * than an unsubscribe, which a confirmation lifts; NULL: it is not.
 */
int person_refuse(struct person *p, const char *words, const char *by, int64_t delivery, const char *reason, struct err *err) MUSTCHECK;
/* They called a mail of ours spam, says their provider: for the ledger, suppressed, and an event. */
int person_complain(struct person *p, const char *by, const struct delivery *about, const char *source, struct err *err) MUSTCHECK;
/* Suppresses and stops everything for another reason: hard_bounce, complaint, manual. */
/* Of reasons: a confirmation lifts it, and what confirms it may be mailed. Pure. */
bool suppression_yields(const char *reason);
int person_suppress(struct person *p, const char *reason, const char *source, struct err *err) MUSTCHECK;

#endif
