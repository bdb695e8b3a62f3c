/*
 * persona.h: an invented person, whom a simulation lets live through the plan: who they are, when they come, and what they do. A YAML file.
 *
 * `behaviour` is a list of phrases, in small English; several may stand in one item, with commas between them:
 *
 *	opens MAILS [DELAY]				clicks [link N of] MAILS [DELAY]
 *	replies "WORDS" [to] MAILS [DELAY]		unsubscribes [from] MAILS [DELAY]
 *	complains [about] MAILS [DELAY]			bounces [softly] [on] MAILS
 *	prefers only TOPIC [and TOPIC ...] WHEN		prefers without TOPIC [and TOPIC ...] WHEN
 *	prefers at most N per DURATION WHEN		prefers a pause of DURATION WHEN
 *	prefers language TAG WHEN
 *	visits PATH WHEN				does EVENT ["SUBJECT"] WHEN [{name: value, ...}]
 *	out of office [from DATE] till DATE		confirms never | confirms DELAY
 *	sales accepts | rejects ["WHY"] | wins [AMOUNT] | loses ["WHY"] [DELAY]
 *
 *	MAILS	all | the first, second, ... tenth, 11th, ... [mail] | NAME of a mail | 40% (a chance for each mail)
 *	DELAY	after 3 hours
 *	WHEN	on day N [at HH:MM] (N days after they came) | on DATE [at HH:MM] | after MAILS [by 2 hours]
 *	DATE	2026-06-02 | 2 June [2026] | June 2 [2026]; without a year, the next such day after they came
 *
 * All of these are mails of sequences that reached them; others (the one that asks for confirmation) are meant only by name. Of opens, clicks
 * and replies, a phrase that names a mail or counts it comes before one that says `all` or a chance.
 */
#ifndef CONFIG_PERSONA_H
#define CONFIG_PERSONA_H

#include "base/address.h"
#include "config/plan.h"

enum habit_verb {
	HABIT_OPENS, HABIT_CLICKS, HABIT_REPLIES, HABIT_UNSUBSCRIBES, HABIT_COMPLAINS, HABIT_BOUNCES,	/* to a mail */
	HABIT_VISITS, HABIT_DOES, HABIT_PREFERS,	/* at a time, or after a mail */
	HABIT_AWAY,
	HABIT_SALES_ACCEPTS, HABIT_SALES_REJECTS, HABIT_SALES_WINS, HABIT_SALES_LOSES,	/* to each lead that they become */
};

/* One is set. */
struct which_mails {
	bool all;
	int number;			/* the n-th, from 1 */
	const char *name;		/* what steps call it */
	double chance;			/* 0..1 */
};

/* What they choose in the preference centre. */
enum preference_kind { PREFER_ONLY, PREFER_WITHOUT, PREFER_AT_MOST, PREFER_PAUSE, PREFER_LANGUAGE };

struct habit_preference {
	enum preference_kind kind;
	const char **topics;		/* ONLY, WITHOUT; ends with NULL */
	int count;			/* AT_MOST */
	int64_t within;			/* AT_MOST; PAUSE: how long */
	const char *language;		/* LANGUAGE */
};

enum habit_when { WHEN_MAIL, WHEN_DAY, WHEN_DATE };

struct persona_date {
	int year, month, day;		/* year 0: the next after they came */
};

struct habit {
	enum habit_verb verb;
	struct which_mails mails;	/* WHEN_MAIL */
	enum habit_when when;		/* VISITS, DOES, PREFERS; else WHEN_MAIL */
	int64_t delay;			/* after the mail (or lead); -1: not said */
	int day;			/* WHEN_DAY */
	struct persona_date date;	/* WHEN_DATE; AWAY: the day on which they are back */
	struct persona_date from;	/* AWAY: the first day; month 0: all the time before */
	int minute;			/* of the day; -1: that at which they came */
	int link;			/* CLICKS: which link, from 1 */
	bool soft;			/* BOUNCES */
	const char *text;		/* words, path, event, why; "" if none */
	const char *subject;		/* DOES; "" if none */
	const char *data;		/* DOES: JSON object */
	double amount;			/* SALES_WINS */
	struct habit_preference preference;	/* PREFERS; `text` says it in words */
};

struct persona_field {
	int field;			/* index in plan->fields */
	const char *value;
};

struct persona_domain {
	const char *domain;
	int share;
};

struct persona {
	const char *name;
	struct address address;
	const struct persona_field *fields;
	size_t field_count;
	const char *language;		/* "" if none */
	const char *timezone;		/* what the form sends; "" if nothing */
	const struct zone *zone;		/* theirs, else the plan's default */
	const struct form *form;	/* that they come with; NULL: they are known, and have consented */
	const char *event;		/* that happens when they have come; NULL */
	const char *event_subject, *event_data;
	bool dated;			/* the file says when they come: */
	struct persona_date starts;
	int starts_minute;		/* of the day; 9:00 unless said */
	int days;			/* how long they are watched; 0: not said */
	int share;			/* in a population: how common */
	const struct persona_domain *domains;	/* in a population, instead of the address's own */
	size_t domain_count;
	bool confirms;
	int64_t confirm_delay;		/* -1: not said */
	const struct habit *habits;
	size_t habit_count;
};

/*
 * Checked against the plan, of which a reference is kept. NULL with every error found, as plan_load() says them. Reads the file: any thread.
 * persona_parse() takes the text instead; `path` is what errors call it.
 */
struct persona *persona_load(const char *file, struct plan *plan, struct plan_errors *errors);
struct persona *persona_parse(const char *path, const char *text, size_t len, struct plan *plan, struct plan_errors *errors);
void persona_free(struct persona **persona);

/* Those of all *.yaml files of a folder, in byte order of their names; or of one file. NULL with errors, also when there is none. */
struct personas {
	struct persona **all;
	size_t count;
};
int personas_load(const char *path, struct plan *plan, struct personas *out, struct plan_errors *errors) MUSTCHECK;
void personas_clear(struct personas *personas);

/* "2026-06-02", and "2026-06-02 09:30"; minute -1 without a time. For --from. */
int persona_date_parse(const char *text, struct persona_date *out, int *minute_out, struct err *err) MUSTCHECK;

#endif
