/*
 * facts.h: what can happen, and what decide does about it: one fact, one transaction.
 *
 * ingest, listen, send and handoff turn bytes into one of these structs, put it into a store job, and call the on_* function from the job's
 * `run` (store thread). on_* applies the fact: events, score, stage, list, enrolments, hot rule, consent, suppression; leaves rows that are due; and
 * fills a result of fixed-size fields. A fact's strings are borrowed for the call. All return 0, or -1 with err (the job is rolled back; nothing
 * happened). Times are the fact's `at`, taken from clock_now() where it arrived.
 *
 * Other threads' side: decide_plan(), decide_on_due() and decide_on_withdraw() are the loop thread's.
 */
#ifndef DECIDE_FACTS_H
#define DECIDE_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/err.h"
#include "base/id.h"
#include "base/mem.h"
#include "base/token.h"
#include "config/plan.h"
#include "store/rows.h"
#include "store/store.h"

struct decide;

/* Loop thread. Takes a reference to the plan. The ring is borrowed for life (answer links of alerts are made here). Starts the work on LANE_TIME and the recovery of claims. */
int decide_start(struct loop *loop, struct store *store, struct plan *plan, struct token_ring *ring, struct decide **out, struct err *err) MUSTCHECK;
/*
 * For a store in memory: without a loop and timers. Claims are recovered, and everybody is looked at if the rules have changed, before it
 * returns (decide_reload() does the latter, too); what is due is for the caller to run, by on_time() and its like. decide_stop() ends it.
 */
int decide_open(struct store *store, struct plan *plan, struct token_ring *ring, struct decide **out, struct err *err) MUSTCHECK;
/* No new work on time is begun; before store_stop(), whose last completions still need the part. */
void decide_quiesce(struct decide *d);
void decide_stop(struct decide **d);	/* after store_stop() */

/* Loop thread: the plan in force. Take plan_ref() to keep it beyond the call. */
struct plan *decide_plan(struct decide *d);
/* Loop thread: the new plan is in force for the loop at once, and for facts from the next transaction on. Takes a reference. -1: the store is full, the old plan stays. */
int decide_reload(struct decide *d, struct plan *plan, struct err *err) MUSTCHECK;
struct store *decide_store(struct decide *d);
const struct token_ring *decide_ring(struct decide *d);
/* Loop thread, once its commit is done: it signs from `since` on. */
void decide_add_key(struct decide *d, const uint8_t secret[TOKEN_SECRET], uint8_t id, int64_t since);

/* fn(arg) is called on the loop whenever rows of the lane may be due (hints, timers, start). One listener a lane: send, handoff. */
void decide_on_due(struct decide *d, enum lane lane, void (*fn)(void *arg), void *arg);
/* Told on the loop, after the commit that forbade it, of each claimed delivery that must not go out any more: if its dot has not been written, it is not. */
void decide_on_withdraw(struct decide *d, void (*fn)(void *arg, int64_t delivery), void *arg);

/* --- from the website ------------------------------------------------------------------------------------------- */

struct pair {
	const char *name, *value;
};

struct signup {
	const char *form;		/* name */
	const struct address *address;
	const struct pair *fields;	/* declared fields that the post named */
	size_t field_count;
	const char *ip, *agent, *page;	/* "" if not known; page: URL of the form */
	const char *language, *timezone;/* checked by the caller (zone_find); "" if not known */
	const char *anonymous_id;	/* visitor id of nurture.js, or NULL */
	const char *key;		/* idempotency: scope and key ("form/free-ebook/KEY"), or NULL: sha256 of the body and 24 h */
	int64_t at;
};

struct signup_result {
	int64_t id;			/* of the consent row: what the 202 shows as "id" */
	bool repeated;			/* the key was seen before: same answer, nothing changed */
	bool must_confirm;		/* a confirmation mail goes out */
};

int on_signup(struct decide *d, struct db *db, const struct signup *fact, struct signup_result *out, struct err *err) MUSTCHECK;

struct confirmation {
	int64_t consent;		/* from the token */
	const char *ip, *agent;
	int64_t at;
};

struct confirmation_result {
	bool found;			/* false: no such request (erased, or never was) */
	bool repeated;
	char form[64];
	char language[36];		/* theirs, "" if not known */
};

int on_confirm(struct decide *d, struct db *db, const struct confirmation *fact, struct confirmation_result *out, struct err *err) MUSTCHECK;
/* Read only: what the page says before anybody presses its button. Reader thread too. */
int look_confirmation(struct db *db, int64_t consent, struct confirmation_result *out, struct err *err) MUSTCHECK;

/*
 * Whom a message of the website is about: prospect, else address, else the website's own number, else the mail that led here, else a visitor.
 * Who is known by one of them is known by the others from then on.
 */
struct who {
	int64_t prospect;		/* 0: not given */
	const struct address *address;	/* NULL: not given */
	const char *user;		/* as store/visitors.h keeps a website's own number: "user 4711"; NULL: not given */
	const char *anonymous_id;	/* NULL: not given */
	int64_t click_delivery;		/* of a verified click token that the page was opened with; 0 */
	int click_link;			/* and which link of it that was */
};

/* Segment's track and page. */
struct track {
	struct who who;
	const char *event;		/* [a-z0-9_]{1,64}, not a name that nurtured makes itself (signup open click reply bounce sent ...) unless page_view or purchase */
	const char *subject;		/* path for page_view, else "" */
	const char *properties;		/* JSON object */
	const char *touch;		/* where they came from, a JSON object that `properties` holds as `touch`; NULL: it does not say */
	const char *message_id;		/* Segment's messageId: idempotency */
	int64_t at;
};

struct track_result {
	bool repeated;
	bool known;			/* false: about nobody we know; kept for a visitor, or dropped if there is none */
};

int on_track(struct decide *d, struct db *db, const struct track *fact, struct track_result *out, struct err *err) MUSTCHECK;

/* Segment's identify, of the website's server: what is known of somebody. Makes a prospect of an address; consent it does not give. */
struct identify {
	struct who who;
	const struct pair *traits;	/* declared fields */
	size_t trait_count;
	const char *language, *timezone;/* "" if not given; checked by the caller */
	const char *touch;		/* NULL */
	const char *message_id;		/* NULL */
	int64_t at;
};

int on_identify(struct decide *d, struct db *db, const struct identify *fact, struct track_result *out, struct err *err) MUSTCHECK;

struct hit_fact {
	int64_t delivery;
	char kind;			/* 'o', 'c', or 'u' for a look at the page to unsubscribe */
	int link;
	unsigned traits;		/* HIT_HEAD HIT_ACCEPT HIT_LANGUAGE */
	int64_t times;			/* so many that were the same; 0: one */
	const char *ip, *agent;
	int64_t at;
};

struct hit_result {
	bool found;
	char url[2048];			/* clicks: where to, from our own rows */
};

int on_hit(struct decide *d, struct db *db, const struct hit_fact *fact, struct hit_result *out, struct err *err) MUSTCHECK;

/*
 * Hits that were answered are recorded as they came, and nothing else happens: one row, whatever they are. What follows from them, as from on_hit(), is
 * for on_digest(), which decide runs when nothing better is to be done. Of each, what packs_add() keeps.
 */
int on_hits_come(struct db *db, const struct hit *hits, size_t count, struct err *err) MUSTCHECK;
/* There is room: not too many wait. Loop thread. */
bool decide_takes_hits(const struct decide *d);

struct digested {
	size_t hits;			/* taken; 0: none wait */
	int64_t oldest;			/* when the first of them came */
};

/* Takes the oldest up to `max`. drop: without effect, because each try failed. Run by decide itself; tests call it. */
int on_digest(struct decide *d, struct db *db, size_t max, bool drop, struct digested *out, struct err *err) MUSTCHECK;

/* By hand: the hits of some mails of one bucket are judged again, by the rules of today. */
struct rescore {
	uint16_t bucket;
	int64_t after;			/* the last delivery that was judged in it; 0 */
	int64_t since;			/* mails with hits since then; 0: all */
	size_t max;			/* mails */
	int64_t at;
};

struct rescored {
	size_t mails;			/* judged; 0: there are no more in the bucket */
	int64_t after;			/* the last of them */
	size_t hits, changed;		/* judged; that have another verdict now */
	size_t moves[VERDICTS][VERDICTS];	/* those, from and to */
	size_t scores;			/* people whose score changed */
};

int on_rescore(struct decide *d, struct db *db, const struct rescore *fact, struct rescored *out, struct err *err) MUSTCHECK;

struct download {
	int64_t delivery;
	bool count;			/* false for HEAD and ranges beyond the first: only look up the file */
	int64_t at;
};

struct download_result {
	bool found;
	char file[256];			/* name under files/ */
};

int on_download(struct decide *d, struct db *db, const struct download *fact, struct download_result *out, struct err *err) MUSTCHECK;
/* The link has expired: its mail comes once more, with new links, to the address they have now; once an hour and three times a day. */
int on_download_again(struct decide *d, struct db *db, const struct download *fact, struct err *err) MUSTCHECK;

struct unsubscribe {
	int64_t delivery;		/* whose link it was; 0: `prospect` says who */
	int64_t prospect;
	const char *how;		/* one-click page mailto reply */
	const char *ip, *agent;
	int64_t at;
};

struct unsubscribe_result {
	bool found;
	bool repeated;
	int64_t prospect;		/* 0: a test mail is nobody's */
	char address[ADDRESS_MAX + 1];
	char language[36];		/* theirs, "" if not known */
};

int on_unsubscribe(struct decide *d, struct db *db, const struct unsubscribe *fact, struct unsubscribe_result *out, struct err *err) MUSTCHECK;
/* Read only: whom an unsubscribe, confirm or download page is about. Reader thread too. */
int look_delivery(struct db *db, int64_t delivery, struct unsubscribe_result *out, struct err *err) MUSTCHECK;

/* --- the preference centre --------------------------------------------------------------------------------------- */

enum preference_ask { ASK_NOTHING, ASK_DATA, ASK_ERASURE };

/* What somebody chose about themselves. */
struct preferences {
	int64_t prospect;
	bool has_topics;
	const char *const *topics;	/* those that they want; ends with NULL */
	bool has_limit;
	int64_t limit_count, limit_within;	/* within 0: as it comes */
	bool has_pause;
	int64_t paused_until;		/* 0, or a time that has passed: no pause */
	const char *language;		/* NULL: as it is */
	enum preference_ask ask;	/* what a human has to do for them */
	const char *by;			/* prospect; who else did it, as the ledger and the journal name them */
	const char *ip, *agent;
	int64_t at;
};

struct preferences_result {
	bool found, changed;
	bool withdrawn;			/* they get no mail at all */
	char address[ADDRESS_MAX + 1];
};

/* Each change goes into the ledger and the journal; claimed mail that it forbids is taken back in the same transaction. */
int on_preferences(struct decide *d, struct db *db, const struct preferences *fact, struct preferences_result *out, struct err *err) MUSTCHECK;

/* What the page shows. Reader thread too. */
struct preferences_look {
	bool found, withdrawn;
	bool *topics;			/* by place in plan->topics, in the arena */
	int64_t limit_count, limit_within, paused_until;
	const char *language, *timezone, *address;	/* in the arena; "" */
};

int look_preferences(const struct plan *plan, struct db *db, int64_t prospect, struct arena *arena, struct preferences_look *out, struct err *err) MUSTCHECK;

/* --- from the mailbox -------------------------------------------------------------------------------------------- */

enum mail_class { MAIL_HUMAN, MAIL_AUTO, MAIL_BOUNCE, MAIL_COMPLAINT, MAIL_CHALLENGE, MAIL_MDN, MAIL_CALENDAR, MAIL_UNSUBSCRIBE, MAIL_UNREADABLE };
extern const char *const mail_class_names[];	/* human auto bounce complaint challenge mdn calendar unsubscribe */

/* What a bounce says of one recipient. */
struct mail_bounce_said {
	const char *recipient, *original_recipient;	/* lower case, "" if not said */
	const char *kind;		/* hard soft sender delayed */
	const char *reason, *status, *diagnostic;
};

struct mail_fact {
	const char *mailbox;
	struct watermark watermark;	/* to be stored; uidvalidity 0: none, as of a Maildir */
	struct mailbox_mail there;	/* to be remembered: it may still be there; key NULL: not */
	uint8_t sha256[32];
	int64_t received, at;
	enum mail_class class;
	int64_t delivery;		/* of the strongest verified token; 0: none (then only kept, and forwarded if human) */
	char token_kind;		/* which kind of token that was */
	const char *from, *from_name, *subject, *message_id;
	const char *text;		/* new text of a reply */
	const char *intent;		/* primary; "" if none. `unsubscribe` unsubscribes */
	const char *intents;		/* JSON array */
	int64_t until;			/* not_now or out of office: the date they named; 0 */
	const char *bounce_kind;	/* hard soft sender delayed; "" if no bounce */
	const char *bounce_reason, *bounce_status, *bounce_diagnostic;
	const struct mail_bounce_said *bounces;	/* of a bounce with several recipients: each; whom we wrote to counts */
	size_t bounce_count;
	const char *about;		/* the address that a bounce or a complaint is about, "" or NULL if not said */
	const char *const *relay_ids;	/* by which a relay that rewrites Message-IDs knew the mail that this answers */
	size_t relay_id_count;
	bool forged;			/* it has tokens, none of which we signed: an address is not believed either */
	bool displayed;			/* MAIL_MDN: shown to them, not deleted unread */
	const char *summary;		/* JSON: all that was read */
	const void *raw;
	size_t raw_len, size;
};

struct mail_result {
	bool repeated;			/* taken before */
	int64_t prospect;		/* 0: matched nobody */
	bool hot;
};

/* Stores the mail and moves the watermark in the same transaction as what follows from it. */
int on_mail(struct decide *d, struct db *db, const struct mail_fact *fact, struct mail_result *out, struct err *err) MUSTCHECK;

/* A kept mail, read by the rules of today. */
struct mail_change {
	bool known;			/* there is such a mail */
	bool differs;
	int64_t prospect;		/* whom it is about now; 0 */
	char was[160], is[160];		/* class, and what it says: "bounce soft mailboxfull" */
	const char *does;		/* what follows now and did not before; "" if nothing */
	const char *stays;		/* what was done and is not taken back; "" */
};
/*
 * Of the fact all but mailbox, watermark and bytes counts. What follows from the mail now and did not then is done, once: the reading is
 * replaced with it, so that the same again changes nothing. dry: nothing is written.
 */
int on_reread(struct decide *d, struct db *db, int64_t mail, const struct mail_fact *fact, bool dry, struct mail_change *out, struct err *err) MUSTCHECK;

/* --- from a mail service that reports by webhook ------------------------------------------------------------------ */

enum esp_what { ESP_BOUNCE, ESP_DELAYED, ESP_COMPLAINT, ESP_UNSUBSCRIBED, ESP_DELIVERED };

/* One event of a report that has proved where it comes from. */
struct esp_fact {
	const char *service;		/* "ses": for the journal, and for the scope of `key` */
	enum esp_what what;
	const char *key;		/* idempotency; "": none */
	const char *nonce;		/* what a proof used up, and must not come again with another event; "": none */
	int64_t delivery;		/* of a verified token; 0 */
	const struct address *address;	/* the recipient; NULL: not given, or no address */
	const char *relay_id;		/* by which the relay knew the message; "" */
	const char *kind;		/* of a bounce, by the service: hard soft sender */
	const char *reason, *status, *diagnostic;	/* "" where not given */
	int64_t at;
};

struct esp_result {
	bool repeated;
	bool known;			/* false: about nobody we know */
};

/* The same as a mail that says so (on_mail), but that it need not carry our token: the service is ours. */
int on_esp(struct decide *d, struct db *db, const struct esp_fact *fact, struct esp_result *out, struct err *err) MUSTCHECK;

/* --- time -------------------------------------------------------------------------------------------------------- */

/* Takes up to `max` due rows of LANE_TIME: steps whose wait is over, held hits, rechecks. Run by decide itself; tests call it. */
int on_time(struct decide *d, struct db *db, size_t max, size_t *done_out, struct err *err) MUSTCHECK;

/* Forgets the events, points and hits of one bucket that are older than `before`. Run by decide itself, a bucket a minute. */
int on_forget(struct db *db, uint16_t bucket, int64_t before, struct err *err) MUSTCHECK;
/* ... and some of the mail servers of domains that were not mailed for a month. */
int on_forget_hosts(struct db *db, int64_t now, struct err *err) MUSTCHECK;

/* Looks at the next `max` people of a bucket behind *after, as the rules now are. Run by decide itself when they have changed. */
int on_sweep(struct decide *d, struct db *db, uint16_t bucket, int64_t *after, size_t max, size_t *count_out, struct err *err) MUSTCHECK;

/* --- to and from the relay --------------------------------------------------------------------------------------- */

/* One mail to send. All memory is the batch's. */
struct mail {
	struct mail_batch *batch;
	int64_t delivery, prospect;
	enum delivery_kind kind;
	const struct mail_template *template;	/* NULL for DELIVERY_FORWARD: plan->forward */
	const struct address *address;		/* envelope and To */
	const char *to_name;			/* display name, "" */
	const struct value *values;		/* by symbol of plan->mail_names (alert_names for a forward); what tokens go into is left NIL for compose */
	const char *reply_to;			/* forward: the person's own address; NULL: our reply token */
	const struct sender_config *sender;	/* of the batch's plan: From, the domains of its addresses and Message-ID, and what its links begin with */
	const struct owner *owner;		/* From is they; NULL: the sender */
	const struct template *subject;		/* instead of the template's own; NULL */
	bool one_to_one;			/* by its template or its sequence: no header of bulk mail but the one to unsubscribe */
	bool mailing;				/* of a sequence that is entered by hand */
	/* Those of the enrolment that it answers, oldest first: References and In-Reply-To; its subject is "Re: " and this one. */
	const struct mail_before {
		int64_t delivery, planned;
		const char *domain;		/* of its Message-ID */
	} *before;
	size_t before_count;
	const struct template *first_subject;
	const char *sequence, *step;		/* "" unless of a sequence */
	enum tracking track;			/* pixel and tracked links; or links alone; or neither */
	const char *download;			/* "" if none */
	const struct attachment *attachment;	/* the download itself; NULL */
	int64_t consent;			/* DELIVERY_CONFIRM: what its confirm token names */
	int64_t planned;			/* first time: Date of the message may be later, Message-ID is the same on every retry */
	int attempt;				/* counted attempts before this one */
	bool awaited;				/* somebody waits for it: it goes before others */
	void *user;				/* send's own */
};

struct mail_batch {
	struct plan *plan;			/* holds a reference */
	struct arena *arena;
	struct mail *mails;
	size_t count;
	bool more;				/* rows were taken that are no mails (held back, say): others may be due */
	size_t open;				/* mails not yet ended; send counts down and frees at 0 */
};

void mail_batch_free(struct mail_batch **batch);	/* loop thread */

/* Claims up to `max` mails that are due and pass the gate; what the gate holds is put back with its reason and time. Appends claims. */
int on_claim(struct decide *d, struct db *db, size_t max, struct mail_batch **out, struct err *err) MUSTCHECK;
/* The same of mails alone that somebody waits for. */
int on_claim_awaited(struct decide *d, struct db *db, size_t max, struct mail_batch **out, struct err *err) MUSTCHECK;
/* Gives claimed mails back that were never tried (shutdown, breaker): due again at `at`. */
int on_release(struct decide *d, struct db *db, const int64_t *deliveries, size_t count, int64_t at, struct err *err) MUSTCHECK;

/* The state `dot`, committed before the dot is written; checks suppression and enrolment once more. *may_out false: it must not go out, its claim has been closed as suppressed. */
int on_dot(struct decide *d, struct db *db, int64_t delivery, bool *may_out, struct err *err) MUSTCHECK;

enum outcome {
	OUTCOME_SENT,
	OUTCOME_DEFERRED,		/* again at `retry_at` with the same delivery */
	OUTCOME_FAILED,			/* for good; hard_bounce says whether the address is to blame */
	OUTCOME_UNKNOWN,		/* the dot went out, no reply came: kept, not resent (a confirmation is, for two days) */
	OUTCOME_SKIPPED,		/* template aborted or failed: reply says why; the sequence goes on (abort) */
	OUTCOME_WITHDRAWN,		/* after decide_on_withdraw() or may_out false: nothing went out */
};

/* Whose fault it is that a mail did not go out. Only the prospect's may suppress an address. */
enum fault {
	FAULT_NONE,
	FAULT_RELAY,			/* feeds its breaker */
	FAULT_OPERATOR,			/* opens the relay's breaker at once, alarm: login, certificate */
	FAULT_QUOTA,			/* the relay says that we send too fast or too much */
	FAULT_SENDER,			/* the relay refuses who the mail is from: this identity is paused, its mails are held */
	FAULT_MESSAGE,			/* its content or policy: never the prospect's */
	FAULT_PROSPECT,			/* the address */
};
extern const char *const fault_names[];	/* "" relay operator quota sender message prospect */

/* Less of what is wanted, and how much less: an advice that is in the words of a reply. */
enum slow_scope { SLOW_NOTHING, SLOW_GROUP, SLOW_RELAY };	/* the group of the recipient's domain; all that goes over this relay */
enum slow_way { SLOW_HALVE, SLOW_TRICKLE, SLOW_PAUSE };		/* half of the rate; one a minute over one connection; nothing at all */
extern const char *const slow_scope_names[], *const slow_way_names[];

struct slow {
	enum slow_scope scope;
	enum slow_way way;
	int64_t span;			/* for so long from now, microseconds */
};

/* What a receiver asks for in its words, of all mail to it; with SLOW_NOTHING nothing. In a bounce its reason (base/reason.h) tells, too. Pure. */
struct slow advice_of(const char *text);
struct slow advice_of_bounce(const char *reason, const char *text);

struct mail_outcome {
	int64_t delivery;
	enum outcome outcome;
	enum fault fault;		/* of an attempt that did not succeed */
	const char *reason;		/* sisimai's word for it (base/reason.h); "" if it was sent, NULL is "" */
	struct slow slow;		/* also of one that is tried again */
	const char *relay;		/* name of the one that was tried; NULL: none was */
	bool hard_bounce;
	bool counted;			/* deferred: does the attempt count against the 48 hours' schedule */
	bool abort_step;		/* skipped: {% abort %}, goes on; else the template failed, and the step comes again in a day */
	int64_t retry_at;
	int code;
	const char *reply;
	const char *relay_id;
	int64_t at;
};

int on_outcome(struct decide *d, struct db *db, const struct mail_outcome *fact, struct err *err) MUSTCHECK;

/* --- to and from sales ------------------------------------------------------------------------------------------- */

struct alert_work {
	int64_t alert;
	const char *url, *body;
	int attempt;
	int64_t created;
};

struct alert_batch {
	struct arena *arena;
	struct alert_work *alerts;
	size_t count;
};

void alert_batch_free(struct alert_batch **batch);

int on_claim_alerts(struct decide *d, struct db *db, size_t max, struct alert_batch **out, struct err *err) MUSTCHECK;

struct alert_outcome {
	int64_t alert;
	bool delivered, dead;		/* neither: again at retry_at */
	int64_t retry_at;
	int code;
	const char *error;
	int64_t at;
};

int on_alert_outcome(struct decide *d, struct db *db, const struct alert_outcome *fact, struct err *err) MUSTCHECK;

/* What sales says of a lead: from an answer link's POST or /v1/outcomes. */
enum lead_answer { ANSWER_ACCEPT = 1, ANSWER_REJECT, ANSWER_WON, ANSWER_LOST };	/* also the link number in the sales token */

struct sales_outcome {
	int64_t lead;
	enum lead_answer answer;
	const char *reason;		/* of reject and lost; free text, cut at 500 */
	double amount;			/* of won */
	const char *by;			/* "link" or "api" */
	const char *key;		/* idempotency, or NULL */
	int64_t at;
};

struct sales_result {
	bool found, repeated;
	char state[16];
	char name[128], address[ADDRESS_MAX + 1];	/* of the person, for the page */
};

int on_sales(struct decide *d, struct db *db, const struct sales_outcome *fact, struct sales_result *out, struct err *err) MUSTCHECK;
/* Read only: for the page that an answer link's GET shows. Reader thread too. */
int look_lead(struct db *db, int64_t lead, struct sales_result *out, struct err *err) MUSTCHECK;

/* --- by hand ------------------------------------------------------------------------------------------------------ */

struct manual_suppression {
	const struct address *address;
	bool remove;
	const char *reason, *by;
	int64_t since;			/* from when it is; 0: from `at` */
	int64_t at;
};

int on_suppress(struct decide *d, struct db *db, const struct manual_suppression *fact, bool *changed_out, struct err *err) MUSTCHECK;

/* What another list says, some hundred rows at a time. */
struct listed {
	const struct address *address;	/* NULL: only the hash is known */
	const char *hash;		/* suppressions_text() of this database */
	const char *reason, *source;
	int64_t since;			/* 0: from `at` */
	enum { LISTED_NEW, LISTED_KNOWN, LISTED_WRONG } end;	/* out */
	char why[ERR_TEXT];		/* out: what is wrong */
};

struct suppression_list {
	struct listed *rows;
	size_t count;
	bool dry;			/* only says what would become of each row; reader thread too */
	int64_t at;
};

/*
 * Each row as on_suppress() does it, so that queued and claimed mails of people whom we know end at once; whom only a hash names, the gate stops.
 * A second time all are known.
 */
int on_suppress_all(struct decide *d, struct db *db, const struct suppression_list *fact, struct err *err) MUSTCHECK;

/* A person and all that is kept about them. */
struct erasure {
	const struct address *address;	/* of on_forget_person(); NULL: by id */
	int64_t prospect;
	const char *by;			/* "nurturectl" */
	int64_t at;
};

struct erasure_result {
	bool found;
	int64_t prospect;
	size_t under_way;		/* mails that are with the relay: not yet erased, the same again in a moment */
};

/*
 * In this order, each its own transaction. The first suppresses their address as `erased` (a reason that is there stays) and ends what they are in;
 * the second erases. Not found: they are erased, or never were.
 */
int on_forget_person(struct decide *d, struct db *db, const struct erasure *fact, struct erasure_result *out, struct err *err) MUSTCHECK;
int on_erase(struct decide *d, struct db *db, const struct erasure *fact, struct erasure_result *out, struct err *err) MUSTCHECK;

/* A mail of the config to somebody who wants to see it: through the relay as any other, but marked, and nothing of it counts for anybody. */
struct test_mail {
	const char *template;		/* as steps name it */
	const struct address *to;	/* NULL: the reply address of its own sender, to see whether and how it arrives */
	const char *owner;		/* in sales, as whom it goes; "": as the sender */
	int64_t prospect;		/* whose mail it would be; 0: nobody's */
	const char *data;		/* JSON object of names and values, in place of theirs; "" */
	int64_t at;
};

struct test_mail_result {
	int64_t delivery;
	struct address to;
	char why_not[200];		/* "" if it goes out */
};

int on_test_mail(struct decide *d, struct db *db, const struct test_mail *fact, struct test_mail_result *out, struct err *err) MUSTCHECK;

/* One person into a sequence, whatever its `enter` says. */
struct enrolling {
	int64_t prospect;
	const char *sequence;
	const struct expression *where;	/* that must hold, of the plan in force; NULL: nothing must */
	const char *by;			/* for the journal; NULL: "by hand" */
	int64_t at;
};

struct enrolling_result {
	bool entered;			/* or held out */
	char why_not[200];		/* "" if they are in it */
};

/* -1 also if there is no such sequence. Of many: decide/enroll.h. */
int on_enroll(struct decide *d, struct db *db, const struct enrolling *fact, struct enrolling_result *out, struct err *err) MUSTCHECK;

/* What to do with a mail in doubt (DELIVERY_UNKNOWN). */
struct doubt {
	int64_t delivery;
	bool again;			/* send it again; else it is taken as sent */
	const char *by;			/* for the journal */
	int64_t at;
};

/* why_not: "" if it is done. */
int on_doubt(struct decide *d, struct db *db, const struct doubt *fact, char why_not[200], struct err *err) MUSTCHECK;

/* What was slowed down or paused goes on: a group of recipients, a sequence, a sender's domain. *found_out false: nothing of that name was. */
int on_resume(struct decide *d, struct db *db, const char *name, int64_t at, bool *found_out, struct err *err) MUSTCHECK;

/*
 * Store thread, for what it knows alone: JSON of a domain (group, rate, back-off, days) or, with "", of all: groups that are slowed down or waited
 * for, senders with their budgets, what is paused, and the domains with most mail.
 */
int look_shape(struct decide *d, struct db *db, const char *domain, int64_t now, struct buf *out, struct err *err) MUSTCHECK;

/* --- questions ---------------------------------------------------------------------------------------------------- */

/*
 * Answers as JSON text, appended. Reader thread, with a reference to the plan held by the caller. 1; 0: nobody has that id or address; -1.
 * Their members are documented in nurturectl(1).
 */

/* All that is kept about one person: fields, stage, list, score with terms, consent, enrolments, mails, events, leads. */
int look_prospect(const struct plan *plan, struct db *db, const char *id_or_address, struct buf *out, struct err *err) MUSTCHECK;
int look_why(const struct plan *plan, struct db *db, const char *id_or_address, struct buf *out, struct err *err) MUSTCHECK;
/* Every row that is kept about them, as store/export.h has it, and what they add up to: for themselves (right of access). */
int look_export(const struct plan *plan, struct db *db, const char *id_or_address, struct buf *out, struct err *err) MUSTCHECK;
/* The hits of a mail ("del_..."), or of the latest mails of a person, with their verdicts. */
int look_hits(const struct plan *plan, struct db *db, const char *what, struct buf *out, struct err *err) MUSTCHECK;
/* How many of the mails of the latest days (today is one) were opened and clicked, by whom. 0 or -1; the caller's to drop. */
int look_hits_lately(struct db *db, int64_t now, int days, struct json_t **out, struct err *err) MUSTCHECK;
/* Their score by rule, what time alone will change, and whether the events give the same. */
int look_score(const struct plan *plan, struct db *db, const char *id_or_address, bool explain, struct buf *out, struct err *err) MUSTCHECK;
/* The value of an expression of this plan for them, now; with each part's if `explain`. */
int look_eval(const struct plan *plan, struct db *db, const struct expression *e, const char *id_or_address, bool explain, struct buf *out,
	struct err *err) MUSTCHECK;

#endif
