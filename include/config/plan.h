/*
 * plan.h: everything that operators and marketers wrote, checked, compiled and immutable.
 *
 * A plan is loaded as a whole (plan_load), shared by reference count, and replaced as a whole on reload. Any thread
 * may read one it holds a reference to. All strings and arrays belong to the plan. Lists of names keep the order of the files
 * (files of a folder in byte order of their names).
 */
#ifndef CONFIG_PLAN_H
#define CONFIG_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/networks.h"
#include "config/attachment.h"
#include "language/expression.h"
#include "language/template.h"

struct zone;

/* --- the operator's file ---------------------------------------------------------------------------------------- */

struct rate {
	int64_t count;		/* 0: no limit */
	int64_t within;		/* microseconds */
};

enum tls { TLS_REQUIRED, TLS_NONE };	/* none only to loopback addresses and "localhost" */

struct relay_config {
	const char *name;
	const char *url;		/* smtp://host[:port] (STARTTLS unless tls: none) or smtps:// */
	enum tls tls;
	const char *user, *password;	/* NULL: no AUTH; the password itself, read from credential: or file: */
	const char *ca_file;		/* default /etc/ssl/certs/ca-certificates.crt */
	const char *ehlo;		/* default: the host's name */
	int connections;		/* 1..50, default 10 */
	int messages;			/* a connection, 1..100000, default 100; 0 is 100 */
	int weight;			/* 1..100, default 1: its share among those that are no backup */
	bool backup;			/* used only while none of the others can be; at least one is none */
	struct rate rate;		/* messages; 0: no limit of ours */
};

enum mailbox_kind { MAILBOX_IMAP, MAILBOX_POP3, MAILBOX_MAILDIR, MAILBOX_LMTP };
/* What becomes of a mail that was taken. */
enum mailbox_after { MAILBOX_KEEP, MAILBOX_SEEN, MAILBOX_MOVE, MAILBOX_DELETE };
extern const char *const mailbox_after_names[];	/* keep seen move delete; ends with NULL */

struct mailbox_config {
	const char *name;
	enum mailbox_kind kind;
	/*
	 * imaps://host[:port]/MAILBOX, imap:// (STARTTLS, or tls: none), pop3s://host[:port], pop3:// (likewise), maildir:/absolute/path,
	 * lmtp:/absolute/path, lmtp://127.0.0.1:port
	 */
	const char *url;
	const char *host;		/* LMTP: the address, or the path of the socket; else NULL */
	int port;			/* LMTP: 0 is the socket */
	const char *const *domains;	/* LMTP: whose mail is taken besides that of the senders' domains; ends with NULL */
	enum tls tls;
	const char *user, *password;
	const char *token_file;		/* instead of a password, OAuth 2.0: where an access token stands now, */
	const char *const *token_command;	/* or what prints one: path and arguments, ends with NULL; NULL: none */
	const char *ca_file;
	int64_t poll;			/* default 15 s; POP3: 5 minutes */
	enum mailbox_after after;	/* IMAP: all; POP3: keep and delete */
	const char *move_to;		/* after: move */
};

struct listen_config {
	const char *address;		/* default 127.0.0.1 */
	int port;			/* default 8025; 0: any free one (tests) */
	const char *public_url;		/* without a trailing slash */
	const char *const *trusted_proxies;	/* ends with NULL */
	int max_connections;		/* default 1024 */
	int64_t max_body;		/* default 256 KiB */
	int64_t request_timeout;	/* default 10 s, from the first byte to the last */
	const char *const *allow_redirect;	/* hosts that thanks and redirects may name; ends with NULL */
	const char *api_key;		/* of the website's server: a bearer; NULL: none */
	const char *api_secret;		/* what it signs with: whsec_...; NULL: none */
};

/* One identity: `sender:` itself, whose name is "default", or one of `senders:`, which takes from that what it leaves out. */
struct sender_config {
	const char *name;
	struct address from;
	const char *from_name;		/* "" if none */
	const char *company;
	const char *postal_address;
	const char *bounce_domain;
	const char *reply_domain;
	const char *message_domain;	/* right side of Message-ID: the domain of `from` */
	const char *tracking_url;	/* what the links of its mails begin with: public_url unless given; without a trailing slash */
	const char *relay;		/* name of the only one that its mails go over; NULL: over any */
	const char *const *dkim_selectors;	/* by which its relay signs, for nurturectl doctor; ends with NULL; NULL: not told */
	char separator;			/* between b and TOKEN in local parts: '+' (default), '-' or '=' */
};

/* Who opens and clicks without being a person; the networks are NULL where no file is named. */
struct tracking_config {
	const struct networks *egress;		/* opens from there are Apple's mail privacy */
	const struct networks *scanners;	/* clicks from there are suspect */
	bool honeypot;				/* a link in mails that only programs find */
};

/* Mail services that report by webhook what became of mail. */
enum esp { ESP_SES, ESP_SENDGRID, ESP_POSTMARK, ESP_MAILGUN, ESP_MAILJET, ESP_BREVO };
extern const char *const esp_names[];	/* as config and addresses have them; ends with NULL */

struct esp_config {
	enum esp service;
	const char *path;		/* the secret end of the address */
	const char *const *topics;	/* ses: ARNs; ends with NULL */
	const char *certificate;	/* ses: file of the signer's certificate; NULL: fetched */
	const char *ca_file;		/* ses: who vouches for the host that it is fetched from */
	const char *public_key;		/* sendgrid: base64 of a SubjectPublicKeyInfo; NULL */
	const char *signing_key;	/* mailgun; NULL */
	const char *user, *password;	/* HTTP basic authentication; NULL */
	const char *token;		/* bearer; NULL */
};

enum precedence { PRECEDENCE_NEVER, PRECEDENCE_MAILINGS, PRECEDENCE_ALWAYS };

/* What all messages have or may have. */
struct message_config {
	const struct header {
		const char *name, *value;
	} *headers;			/* of the operator's own; their names are checked */
	size_t header_count;
	enum precedence precedence;	/* which mails say `Precedence: bulk`; mailings: sequences that are entered by hand */
	bool suppress_auto_replies;	/* X-Auto-Response-Suppress: OOF, AutoReply */
	int64_t max_size;		/* bytes of a whole message */
};

/* Recipients that are mailed at one rate: the domains of a mailbox provider. */
struct shape_group {
	const char *name;
	const char *const *domains;	/* ends with NULL; NULL: none, as of mx */
	const char *const *mx;		/* hosts, and all below them, that take the mail of other domains */
	struct rate rate;
	int burst;
};

/* By the domain of From. */
struct shape_sender {
	const char *domain;
	int per_day;			/* 0: no limit */
	bool warm_up;
	int64_t since;			/* of the warm-up: day of 1970 */
	int first;			/* mails of its first day */
};

struct shape_config {
	bool off;
	struct rate provider;		/* of each large mailbox provider */
	int provider_burst;
	struct rate other;		/* of any other domain */
	int other_burst;
	bool no_mx;			/* DNS is not asked where the mail of a domain goes */
	const char *resolver;		/* of it; NULL: the system's */
	const struct shape_group *groups;
	size_t group_count;
	const struct shape_sender *senders;
	size_t sender_count;
};

struct operator_config {
	const char *state;		/* folder of the database, files/, raw mail */
	const char *files;		/* downloads: state/files unless given */
	const char *control;		/* path of the Unix socket */
	const char *templates;		/* folder: conf/../templates unless given */
	struct listen_config listen;
	const struct sender_config *senders;	/* [0] is `sender:` */
	size_t sender_count;
	struct message_config message;
	const struct relay_config *relays;
	size_t relay_count;		/* at least 1 */
	const struct mailbox_config *mailboxes;
	size_t mailbox_count;
	const struct esp_config *esps;
	size_t esp_count;
	struct shape_config shape;
	int64_t keep_events, keep_raw_mail, keep_raw_mail_size;
	enum log_level log_level;
	bool log_json;
	struct tracking_config tracking;
	int64_t click_hold;		/* default 90 s: how long a click's effect is held back */
	int64_t retry_first;		/* default 1 minute: first retry of a deferred mail; tests shorten it */
	const char *const *allow_private;	/* CIDRs that webhooks may reach although private or loopback; ends with NULL */
};

/* --- what a marketer wrote -------------------------------------------------------------------------------------- */

/* What a mail tells of who reads it; what tells least counts, of plan, sequence, mail and consent. */
enum tracking { TRACK_ALL, TRACK_CLICKS, TRACK_NONE };

/* Joined to the links of mails; NULL: nothing. */
struct utm {
	const char *source, *medium, *campaign;
};

struct field {
	const char *name;
	enum value_type type;		/* TEXT, REAL, BOOL, TIME */
	const char *default_text;	/* or NULL; of the field's type. Mails say it where the field is empty; expressions see nil */
	int symbol;			/* its index in plan->fields, and in every vocabulary */
};

struct stage {
	const char *name;
	struct expression *when, *until;	/* NULL on the first; `until` may be NULL: then never falls while... `when` alone decides */
};

/* A day of the calendar on which no mail goes out and that is no business day, in the prospect's time zone. */
struct holiday {
	int year;			/* 0: every year */
	int month, day;
	struct expression *when;	/* for whom; NULL: everybody */
};

struct list {
	const char *name;
	struct expression *when;	/* NULL: everybody who is left */
	struct rate at_most;
	const char *tone;		/* "" if none */
};

/* What a person may subscribe to, and leave. */
struct topic {
	const char *name, *title, *about;	/* about: "" if none */
	const struct topic_words {
		const char *language, *title, *about;
	} *words;
	size_t word_count;
};

struct score_rule {
	const char *name;		/* given, or made of what it is: "page_view", "fit-1" */
	double points;
	const char *on;			/* event name; NULL for fit */
	struct rate at_most;		/* points per window: rate.count is points */
	struct expression *when;	/* may be NULL for interest */
};

struct quiet {
	bool day[7];			/* 0 Monday */
	int before, after;		/* minutes of the day; mail goes out in [before, after) */
	bool by_prospect;		/* timezone: prospect */
	const struct zone *zone;	/* the fixed one, or the default where the prospect's is not known */
	bool set;			/* false: no quiet hours at all */
};

enum step_kind {
	STEP_SEND, STEP_WAIT, STEP_WAIT_UNTIL, STEP_WAIT_FOR, STEP_IF, STEP_SPLIT, STEP_TEST, STEP_SET, STEP_TAG, STEP_MOVE, STEP_ALERT,
	STEP_WEBHOOK, STEP_GO, STEP_END, STEP_KINDS
};

/* What a `wait_until` waits for: one of a field, a date, or the next day and time of day that fit; in the person's time zone. */
struct moment {
	int field;			/* index in plan->fields, of a time; -1: none */
	int64_t shift;			/* added to the field; negative for `before` */
	int year, month, day;		/* a date; year 0: none */
	bool weekday[7];		/* 0 Monday; all false: any day */
	bool business;			/* only on business days */
	int minute;			/* of the day; -1: as it is (dates: 0) */
};

/* One of the mails of a test. */
struct arm {
	const char *name;		/* given, or the mail's name, with "-2" and so on where that is taken */
	const struct mail_template *mail;
	const struct template *subject;	/* instead of the mail's own; NULL */
};

enum test_method { TEST_THOMPSON, TEST_FIXED };

/* Where a person goes who stands at a step that is not there any more. */
struct step_fate {
	const char *step;
	int to;				/* index of a step; step_count: the end */
};

struct step {
	const char *name;		/* given, or "<verb>-<n>" with n counted per verb from 1 */
	bool named;			/* given */
	enum step_kind kind;
	int next;			/* index of the following step; == step_count at the end */
	int line;
	/* send, test */
	const struct mail_template *mail;	/* send */
	bool even_in_quiet, even_in_cap;
	bool awaited;			/* send: what somebody who has just signed up asked for */
	int64_t valid_for;		/* from when the gate first allows it; 0: for ever */
	bool as_owner;			/* From is the owner of the lead */
	bool same_thread;		/* answers the enrolment's mail before it */
	/* test */
	const struct arm *arms;
	size_t arm_count;
	const char *by;			/* the event that decides: "click", "reply", ...; "goal": the sequence's */
	int64_t within;			/* of the mail, for what decides */
	enum test_method method;
	int64_t size;			/* people an arm: of a fixed test, or before a Thompson test may end */
	double sure;			/* 0.5..0.9999 */
	const char *test_id;		/* of what is tested: other arms, or another question, are another test */
	/* wait, wait_for */
	int64_t wait;			/* wait, or at_most of wait_for */
	int64_t business_days;		/* wait: so many of these instead; 0: none */
	/* wait_until; else_step: where to go if it is past or empty */
	struct moment until;
	/* wait_for, if */
	struct expression *when;
	int then_step, else_step;	/* if: both; wait_for: then_step == next, else_step: `otherwise`, next if not given */
	/* split */
	const int *branches;		/* indexes of steps */
	const int *shares;
	size_t branch_count;
	/* set */
	int field;			/* index in plan->fields */
	const char *value;
	/* tag */
	const char *const *tags;	/* to be given; ends with NULL */
	const char *const *untags;	/* to be taken away */
	/* move */
	const char *list;
	int64_t hold;			/* how long; 0: until the stage changes */
	/* alert: what it says is `reason`, to all targets of sales.yaml, or with `payload` instead of theirs. webhook: `target` */
	const struct template *payload;
	const struct alert_target *target;
	/* go: then_step */
	const char *reason;		/* end: why; alert: what it says */
};

/* A way from a step to the one that follows it. */
#define STEP_WAYS_MAX 20
struct step_way {
	int to;				/* index of a step; step_count: the end */
	char label[80];			/* "then", "else", "in time", "otherwise", "50 %", the name of an arm; "" where there is nothing to say */
	bool waits;			/* time passes on it for certain */
};

enum again { AGAIN_NEVER, AGAIN_ALWAYS, AGAIN_AFTER };
enum on_change { CHANGE_MOVE, CHANGE_FINISH, CHANGE_RESTART };

#define SEQUENCE_VERSION 12	/* hex digits */

struct sequence {
	const char *name;
	const char *list;		/* list it belongs to; NULL: any */
	const char *enter_on;		/* event name, "list_changed" or "stage_changed"; "": only by hand */
	struct expression *enter_when;	/* may be NULL */
	struct expression *goal, *exit;	/* may be NULL */
	enum again again;
	int64_t again_after;
	int priority;
	const char *const *beside;	/* names of the sequences that it runs beside; ends with NULL */
	bool beside_any;
	double holdout;			/* 0..0.9: so many get nothing, and are watched */
	int64_t holdout_for;
	int64_t spread;			/* mails that fall due together are spread over so long; 0: they are not */
	enum on_change on_change;
	enum tracking track;
	struct utm utm;			/* its own, and of the plan what it leaves out */
	const struct step_fate *gone;
	size_t gone_count;
	const struct step *steps;
	int step_count;
	bool one_to_one;		/* its mails read as if a person had written them: see struct mail_template */
	int index;			/* in plan->sequences; -1: an old version, see sequence_old() */
	const char *version;		/* of what it says, whatever its comments and `on_change` */
	const char *source;		/* the file's text, to be kept while people go through this version */
	const char *topic;		/* of all its mails that have none of their own; who leaves it leaves the sequence; NULL: none */
};

/* On what the consent of a form rests. Implied ones end by themselves (CASL, section 10). */
enum basis { BASIS_EXPRESS, BASIS_IMPLIED_INQUIRY, BASIS_IMPLIED_PURCHASE, BASIS_CONTRACT };
extern const char *const basis_names[];	/* express implied-inquiry implied-purchase contract; ends with NULL */
/* How long it holds; 0: until it is withdrawn. Months are of 30 days, so that nobody is mailed a day too long. */
int64_t basis_lasts(enum basis basis);

struct form {
	const char *name;
	const int *fields;		/* indexes in plan->fields; email is always taken and not among them */
	const bool *required;
	size_t field_count;
	const char *consent_purpose, *consent_words;
	const char *consent_version;	/* of the words: given, or twelve digits of their digest */
	enum basis basis;
	const char *const *topics;	/* what a sign-up subscribes to; ends with NULL; NULL: all, or what they chose before */
	bool may_track;			/* false: who agreed to this gets mails without pixel and tracked links */
	bool confirm_double;
	const struct mail_template *confirm_mail;	/* template `confirm` unless the form names another; NULL when single */
	const char *download;		/* file name under files/, or NULL */
	const struct attachment *attachment;	/* `attach: yes`: the download itself goes with the mail that offers it; NULL: the link alone */
	const char *thanks;		/* URL for browsers, or NULL: our own page */
	const char *const *allow_origin;	/* ends with NULL */
	struct rate per_address, per_ip;
	bool trust_overwrite;		/* trust: overwrite; default fill */
	const char *honeypot;		/* name of the field that people do not see: default "website" */
};

struct owner {
	const char *name, *email;
	const char *full_name;		/* as mails are from: the name unless it is given */
	struct expression *when;	/* or NULL: takes turns by share */
	int share;
};

struct alert_target {
	const char *url;
	const char *as;			/* standard, slack, or the name of a template in alerts/ */
	const struct template *payload;
	const char *secret;		/* whsec_... or NULL */
};

enum on_hot { HOT_PAUSE, HOT_STOP, HOT_GO_ON };

struct sales {
	struct expression *hot;		/* NULL: there is no hot rule */
	int64_t cooldown;
	enum on_hot on_hot;
	const char *replies_to;		/* may be NULL */
	const struct owner *owners;
	size_t owner_count;
	const struct alert_target *alerts;
	size_t alert_count;
};

/* What follows where an intent leads. */
enum reply_action {
	REPLY_UNSUBSCRIBE,	/* never mailed again */
	REPLY_SUPPRESS,		/* the same, and a task for the owner */
	REPLY_TASK,		/* sequences stop, and a task for the owner */
	REPLY_HOT,		/* sequences stop; the hot rule decides */
	REPLY_STOP,		/* sequences stop, it is forwarded */
	REPLY_PAUSE,		/* until the day that is named, or for `pause` */
	REPLY_REVIEW,		/* sequences pause for `pause`, it is forwarded */
	REPLY_GO_ON,		/* nothing stops */
};

struct reply_intent {
	const char *name;
	enum reply_action action;
	int64_t pause;
	double weight;			/* 0..1 */
	double like, unlike;		/* likeness from which it is found without words, below which it is not found in spite of them */
	bool alone;			/* counts only where nothing above was found */
	const char *const *over;	/* names of intents further up that it leads over; these end with NULL */
	const char *const *say, *const *unless;	/* PCRE2, for pattern_find() */
	const char *const *means, *const *but_not;	/* forms, by the meanings of the vocabulary */
	const char *const *own_say, *const *own_means;	/* those of `say` and `means` that the shipped file does not have: they count whatever `unlike` says */
};

#define REPLIES_MEANINGS 128	/* of the vocabulary, in all languages */

/* "de", "remove": "entfern- streich-" */
struct word_list {
	const char *language, *meaning, *words;
};

/* replies.yaml, or the shipped one where there is none. */
struct replies {
	const struct reply_intent *intents;	/* the first that is found leads */
	size_t intent_count;
	const char *const *names;	/* of all, and "other"; ends with NULL */
	double line, order, word;	/* confidences, 0..1 */
	int64_t hold_company;		/* 0: off */
	int long_text, many;
	const struct word_list *vocabulary;	/* by language */
	size_t vocabulary_count;
};

struct mail_template {
	const char *name;		/* "three-mistakes", or "three-mistakes.de": the version of a language */
	const char *base;		/* "three-mistakes": what steps and history call both */
	const char *language;		/* "de"; "" of the base itself */
	const struct template *html;	/* tracked links; its text part by template_text_part() */
	const struct template *text;	/* name.txt.liquid, else template_text_part(html) */
	const struct template *subject, *preheader;	/* preheader may be NULL */
	const char *topic;		/* of all its languages; NULL: none */
	bool uses_download;
	const struct attachment *const *attachments;	/* `attach` of the front matter */
	size_t attachment_count;
	const struct attachment *const *pictures;	/* that its HTML shows: cid:NAME@PICTURE_HOST */
	size_t picture_count;
	/* As from a person to a person: from the owner if there is one, in the thread of the mails before, without the headers of bulk mail. */
	bool one_to_one;
	size_t sender;			/* index in operator.senders: `from` of the front matter; 0 unless given */
	enum tracking track;		/* of its front matter; TRACK_ALL if it says nothing */
};

/* --- rules, and what touches them ------------------------------------------------------------------------------- */

enum rule_kind { RULE_FIT, RULE_INTEREST, RULE_STAGE, RULE_LIST, RULE_HOT, RULE_ENTER, RULE_GOAL, RULE_EXIT, RULE_WAIT, RULE_TEST };

struct rule {
	enum rule_kind kind;
	int index;			/* which fit rule, stage, list, sequence */
	int step;			/* RULE_WAIT, RULE_TEST (touched by the event that decides it) */
	const struct expression *when, *until;	/* either may be NULL */
};

/* Indexes of rules that name a thing, in order of rule number. */
struct rule_set {
	const int *rules;
	size_t count;
};

struct plan {
	int references;			/* by plan_ref() */
	uint8_t digest[32];		/* of all that was read: its version */
	struct operator_config operator;

	struct vocabulary *vocabulary;	/* fields, then the built-in names below */
	int symbol_email, symbol_email_kind, symbol_stage, symbol_list, symbol_score, symbol_interest, symbol_fit, symbol_intent, symbol_language,
		symbol_form, symbol_tags, symbol_grade;	/* grade: -1 without a grid */
	struct vocabulary *mail_names;	/* what mail templates may name: fields first, with the same indexes as in `vocabulary` */
	/*
	 * Fields first here too. Where one has the name of something that pages or alerts know themselves (company), the name is
	 * theirs, and the field is reached through what they hand out (`fields`, `prospect`).
	 */
	struct vocabulary *page_names, *alert_names;

	const struct field *fields;
	size_t field_count;
	const struct stage *stages;
	size_t stage_count;
	const struct list *lists;
	size_t list_count;
	const struct topic *topics;
	size_t topic_count;
	const char *language;		/* of what is written without one: "en" */
	int64_t half_life;
	const struct score_rule *fit;
	size_t fit_count;
	const struct score_rule *interest;
	size_t interest_count;
	bool graded;
	double grade_fit[3], grade_interest[3];	/* from which on A, B, C; and 1, 2, 3; falling */
	struct quiet quiet;
	enum tracking track;
	struct utm utm;
	const struct holiday *holidays;
	size_t holiday_count;
	const struct form *forms;
	size_t form_count;
	const struct sequence *sequences;	/* by falling priority, then name */
	size_t sequence_count;
	struct sales sales;
	struct replies replies;
	const struct alert_target *const *webhooks;	/* of all steps, for who signs what is posted */
	size_t webhook_count;
	const struct mail_template *mails;		/* by name; the versions of other languages too */
	size_t mail_count;
	const struct template *forward;	/* alerts/forward: the mail that carries a reply to its owner */

	const struct rule *rules;
	size_t rule_count;
	const struct rule_set *by_symbol;	/* by symbol index */
	/* rules with a history call over that event, interest rules and entries on it; "" has none. See plan_rules_of(). */
	const char *const *event_names;	/* sorted */
	const struct rule_set *by_event;
	size_t event_count;
};

/* --- loading ---------------------------------------------------------------------------------------------------- */

/* One complaint: "file:line:column: what is wrong; what was meant". */
struct plan_errors {
	struct buf text;	/* one a line, in order of file, line, column */
	size_t count;
};

/*
 * Reads the operator's file and, from the folder it lies in, nurture.yaml, sales.yaml, forms/ and sequences/ (*.yaml), and the templates.
 * NULL with every error found. Reads files: any thread, takes tens of milliseconds. The caller owns one reference.
 */
struct plan *plan_load(const char *operator_file, struct plan_errors *errors);
/*
 * The same without secrets, which are no concern of who only looks (simulation, pictures, a marketer's tests): how they are named is checked,
 * nothing is read, and where one would be stands a text of its form.
 */
struct plan *plan_load_to_look(const char *operator_file, struct plan_errors *errors);
/*
 * Only the operator's file and nurture.yaml: who the sender is, where templates lie, and the names that they may use. For who looks at
 * templates that may be wrong.
 */
struct plan *plan_load_names(const char *operator_file, struct plan_errors *errors);
/* No more than `replies`, as it is shipped: for who reads mails without a config. */
struct plan *plan_of_replies(void);
struct plan *plan_ref(struct plan *plan);
void plan_unref(struct plan **plan);	/* atomic; the last one frees */

/* The page template pages/NAME, compiled; NULL if there is none (all that the program needs are checked at load). */
const struct template *plan_page(const struct plan *plan, const char *name);
/* The version of it for a language, as plan_mail_in(); *language_out (may be NULL) is which one that is. */
const struct template *plan_page_in(const struct plan *plan, const char *name, const char *language, const char **language_out);

/* What follows where that intent leads: by default REPLY_STOP, as for `other`. *intent_out may be NULL, and is NULL for those. */
enum reply_action plan_reply_action(const struct plan *plan, const char *intent, const struct reply_intent **intent_out);

/* Finders, NULL or -1 if there is none such. */
const struct form *plan_form(const struct plan *plan, const char *name);
const struct mail_template *plan_mail(const struct plan *plan, const char *name);
/* The version of a mail for a person's language ("de-AT": that, else "de"), else the mail itself. */
const struct mail_template *plan_mail_in(const struct plan *plan, const struct mail_template *mail, const char *language);
const struct sequence *plan_sequence(const struct plan *plan, const char *name);
int plan_step(const struct sequence *sequence, const char *name);
/*
 * The ways out of a step, in the order in which they are written; how many there are. Several may lead to one step (the arms
 * of a test do); an `end` has none, and the last step one to the end.
 */
size_t step_ways(const struct sequence *sequence, int step, struct step_way ways[STEP_WAYS_MAX]);
int plan_stage(const struct plan *plan, const char *name);
const struct topic *plan_topic(const struct plan *plan, const char *name);
/* Its words in that language ("de-AT": that, else "de"), else those without one. */
struct topic_words topic_words_in(const struct topic *topic, const char *language);
/* The topic of what a step sends; NULL: it sends nothing, or something that nobody can leave alone. */
const char *step_topic(const struct sequence *sequence, const struct step *step);
int plan_list(const struct plan *plan, const char *name);
struct rule_set plan_rules_of(const struct plan *plan, const char *event);
/* Who signs what is posted there: an alert of sales.yaml, or a webhook of a sequence or of an older version of one; NULL: nobody any more. */
const struct alert_target *plan_target(const struct plan *plan, const char *url);

/*
 * An older version of a sequence, from its source as it was kept, with the names of this plan, to which it belongs. NULL with what stands in
 * the way (a mail or a list that is gone). May read templates and secrets that only it names. One thread at a time, not the loop's.
 */
const struct sequence *plan_old_sequence(struct plan *plan, const char *source, struct plan_errors *errors) MUSTCHECK;
/* One that has been asked for before; NULL: not yet. Any thread. */
const struct sequence *plan_known_sequence(const struct plan *plan, const char *name, const char *version);

#endif
