/*
 * command.h: what a person typed behind `nurturectl`: the table of verbs, their arguments and options.
 * Pure; any thread.
 */
#ifndef CONSOLE_COMMAND_H
#define CONSOLE_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct json_t;

#define COMMAND_ARGUMENTS_MAX 1000	/* the shell makes many of *.liquid */

/* sysexits(3), 1 for "was refused" and for the doctor's warnings, 2 for its errors */
enum command_exit {
	EXIT_DONE = 0,
	EXIT_REFUSED = 1,
	EXIT_ERRORS = 2,
	EXIT_WRONG_USAGE = 64,
	EXIT_BAD_DATA = 65,
	EXIT_NO_DAEMON = 69,
	EXIT_TRY_AGAIN = 75,
	EXIT_BAD_CONFIG = 78,
};

enum verb_kind {
	VERB_REMOTE,	/* asks the daemon: method, path, body */
	VERB_CHECK,	/* done here: loads a config */
	VERB_RENDER,	/* done here: renders a template */
	VERB_LINT,	/* done here: looks for what is wrong with templates */
	VERB_PRINT,	/* done here: prints a template in one form */
	VERB_RETRY,	/* asks the daemon, for each mail */
	VERB_ENROLL,	/* asks the daemon, several times */
	VERB_SEND_TEST,	/* asks the daemon, with a file's contents */
	VERB_GRAPH,	/* done here: draws a sequence */
	VERB_INGEST,	/* gives the daemon a mail */
	VERB_RECLASSIFY,	/* has the kept mails read, and tells the daemon of each */
	VERB_REPLY,	/* done here: has a mail read as the intake would */
	VERB_ERASE,	/* asks whoever sits there, then the daemon */
	VERB_SUPPRESSION_LIST,		/* asks the daemon: page by page, or for the one that is named */
	VERB_SUPPRESSION_IMPORT,	/* asks the daemon, some hundred rows of a file at a time */
	VERB_SUPPRESSION_EXPORT,	/* asks the daemon, page by page */
	VERB_DOCTOR,	/* done here: looks at DNS, relay, mailbox and machine */
	VERB_SIMULATE,	/* done here: lets invented people live through the plan */
};

struct verb {
	const char *words;	/* "prospect show" */
	const char *argument;	/* its name in the help, or NULL if it takes none; "[NAME]" may be left away; "NAME..." one or more */
	unsigned options;	/* enum command_option of command.c, or'ed */
	unsigned needs;		/* those of them that must be there */
	enum verb_kind kind;
	bool post;		/* else GET */
	const char *path;	/* REMOTE; '%' is the argument, '?' at the end the option that chooses */
	const char *help;	/* one line */
	/* REMOTE: how the answer is printed for people; NULL: as report_print() does */
	void (*print)(struct buf *out, const struct json_t *json, int64_t now);
};

/* Strings are borrowed from argv. */
struct command {
	const struct verb *verb;	/* NULL: help or version */
	const char *argument;
	const char *arguments[COMMAND_ARGUMENTS_MAX];	/* all of them */
	size_t argument_count;
	const char *socket;		/* -s, or the default */
	const char *config;		/* -c, or the default */
	bool config_given;
	const char *queue;		/* "due" unless --unknown, --deferred or --dead */
	const char *reason;		/* --reason, or NULL */
	const char *since;		/* --since, or NULL */
	const char *class;		/* --class, or NULL */
	const char *data;		/* --data, or NULL */
	const char *prospect;		/* --prospect, or NULL */
	bool explain;
	bool raw;			/* --raw */
	bool dot;			/* --dot */
	const char *sender, *recipient;	/* -f and -r, or NULL */
	const char *where;		/* --where, or NULL */
	const char *to;			/* --to, or NULL */
	bool yes;			/* --yes */
	bool as_sent;			/* --as-sent */
	bool dry;			/* --dry-run */
	struct command_simulate {
		const char *persona;		/* --persona, or NULL */
		const char *days, *from, *seed;	/* as typed, or NULL */
		const char *golden;		/* file */
		const char *database;		/* file */
		const char *people, *over;
		bool update, population;
	} simulate;
	const char *resolver;		/* --resolver, or NULL */
	const char *ca_file;		/* --ca, or NULL */
	bool probe;			/* --probe */
	const char *wait;		/* --wait, as typed, or NULL */
	bool json, plain, text, headers, all;
	bool help, version;
};

/* -1 with what is wrong and what was meant. argv[0] is skipped. */
int command_parse(int argc, const char *const *argv, struct command *out, struct err *err) MUSTCHECK;

/* The help page, or of one verb. */
void command_help(struct buf *out);

/* The target and, for POST, the JSON body of a VERB_REMOTE. */
void command_request(const struct command *c, struct buf *path, struct buf *body);

#endif
