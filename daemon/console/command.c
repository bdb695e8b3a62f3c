/*
 * command.c: see command.h. Verbs are rows; options may stand anywhere, and are refused where their verb
 * has no use for them, so that a slip is never silently without effect.
 */
#include <stddef.h>
#include <string.h>

#include "base/text.h"
#include "console/command.h"

#include "console/page.h"
#include "console/report.h"
#include "console/report.h"

#define SOCKET_DEFAULT "/run/nurtured/control.sock"
#define CONFIG_DEFAULT "/etc/nurtured/nurtured.yaml"

enum command_option {
	O_SOCKET = 1,
	O_JSON = 2,
	O_CONFIG = 4,
	O_QUEUE = 8,
	O_REASON = 16,
	O_DATA = 32,
	O_PLAIN = 64,
	O_TEXT = 128,
	O_HEADERS = 256,
	O_ANY = 512,			/* of every verb, and none */
	O_SIMULATE = 1024,
	O_PROSPECT = 2048,
	O_EXPLAIN = 4096,
	O_DOT = 8192,
	O_WHERE = 16384,
	O_YES = 32768,
	O_ALL = 65536,
	O_TO = 131072,
	O_SINCE = 262144,
	O_DRY = 524288,
	O_ENVELOPE = 1 << 26,
	O_RAW = 1 << 27,
	O_RESOLVER = 1 << 29,
	O_CA = 1 << 28,
	O_PROBE = 1 << 25,
	O_WAIT = 1 << 24,
	O_AS_SENT = 1 << 23,
	O_CLASS = 1 << 22,
	O_ASK = O_SOCKET | O_JSON,	/* of every verb that asks the daemon */
};

static const struct verb verbs[] = {
	{ .words = "check", .options = O_CONFIG | O_JSON, .kind = VERB_CHECK,
		.help = "load a config and print all that is wrong with it" },
	{ .words = "doctor", .options = O_CONFIG | O_ASK | O_RESOLVER | O_CA | O_PROBE | O_WAIT, .kind = VERB_DOCTOR,
		.help = "look at DNS, relay, mailbox and machine; what is wrong and what to do" },
	{ .words = "status", .options = O_ASK, .path = "/status",
		.help = "what the daemon has done and what waits" },
	{ .words = "prospect show", .argument = "ID|ADDRESS", .options = O_ASK, .path = "/prospects/%",
		.help = "everything about one person" },
	{ .words = "prospect why", .argument = "ID|ADDRESS", .options = O_ASK,
		.path = "/prospects/%/why", .print = page_why,
		.help = "what they got and why, what comes next" },
	{ .words = "prospect export", .argument = "ID|ADDRESS", .options = O_ASK, .path = "/prospects/%/export", .print = report_json,
		.help = "all that is kept about one person, as JSON, to be handed to them" },
	{ .words = "prospect erase", .argument = "ID|ADDRESS", .options = O_ASK | O_YES, .post = true, .kind = VERB_ERASE,
		.path = "/prospects/%/erase",
		.help = "forget all about one person, for good, and never mail them again" },
	{ .words = "score", .argument = "ID|ADDRESS", .options = O_ASK | O_EXPLAIN,
		.path = "/prospects/%/score", .print = page_score,
		.help = "their score by rule, and what time will change" },
	{ .words = "eval", .argument = "EXPRESSION", .options = O_ASK | O_PROSPECT | O_EXPLAIN,
		.needs = O_PROSPECT, .path = "/eval?expr=%", .print = page_eval,
		.help = "the value of a condition for one person" },
	{ .words = "queue", .options = O_ASK | O_QUEUE, .path = "/queue?",
		.help = "what is due, in doubt, deferred or dead" },
	{ .words = "mailbox", .options = O_ASK, .path = "/mailboxes", .print = report_each,
		.help = "how each mailbox does: is it read, what is wrong, what to do" },
	{ .words = "retry", .argument = "[DELIVERY|ADDRESS]", .options = O_ASK | O_QUEUE | O_AS_SENT | O_YES, .needs = O_QUEUE, .kind = VERB_RETRY,
		.help = "send mails in doubt again, or take them as sent" },
	{ .words = "relay", .argument = "[NAME]", .options = O_ASK, .path = "/relays", .print = report_each,
		.help = "how each relay does: breaker, rate, what it offers and said" },
	{ .words = "domain", .argument = "[NAME]", .options = O_ASK, .path = "/domains",
		.help = "how fast whom is mailed, what is paused, what came of it" },
	{ .words = "resume", .argument = "NAME", .options = O_ASK, .post = true, .path = "/resume",
		.help = "end the pause of a group, a sequence or a sender" },
	{ .words = "leads", .options = O_ASK, .path = "/leads",
		.help = "the latest hot leads and what sales said" },
	{ .words = "consent verify", .options = O_ASK, .path = "/consents/verify",
		.help = "do the chains of the ledger hold, and where not" },
	{ .words = "hits show", .argument = "DELIVERY|ID|ADDRESS", .options = O_ASK, .path = "/hits/%",
		.help = "opens and clicks of a mail or a person: human or machine, and why" },
	{ .words = "hits rescore", .options = O_ASK | O_SINCE, .post = true, .path = "/hits/rescore",
		.help = "judge all hits again, by the rules and lists of today" },
	{ .words = "suppression list", .argument = "[ADDRESS]", .options = O_ASK, .path = "/suppressions?address=%", .kind = VERB_SUPPRESSION_LIST,
		.help = "who must not be mailed and why; or whether this one must not" },
	{ .words = "suppression add", .argument = "ADDRESS", .options = O_ASK | O_REASON, .post = true,
		.path = "/suppressions",
		.help = "never mail this address again" },
	{ .words = "suppression remove", .argument = "ADDRESS", .options = O_ASK, .post = true,
		.path = "/suppressions/remove",
		.help = "take an address off the list" },
	{ .words = "suppression import", .argument = "FILE", .options = O_ASK | O_DRY, .kind = VERB_SUPPRESSION_IMPORT,
		.help = "put all of a CSV file on the list (- for standard input)" },
	{ .words = "suppression export", .options = O_SOCKET, .kind = VERB_SUPPRESSION_EXPORT,
		.help = "the list as CSV" },
	{ .words = "alert replay", .argument = "ID", .options = O_ASK, .post = true,
		.path = "/alerts/%/replay",
		.help = "send a dead alert again" },
	{ .words = "sequence list", .options = O_ASK, .path = "/sequences",
		.help = "all sequences, and how many people are in them" },
	{ .words = "sequence show", .argument = "NAME", .options = O_ASK, .path = "/sequences/%", .print = page_sequence,
		.help = "how many are at which step, how it ended, tests, holdout" },
	{ .words = "sequence enroll", .argument = "NAME", .options = O_ASK | O_WHERE | O_YES, .needs = O_WHERE, .kind = VERB_ENROLL,
		.help = "put people into a sequence, after showing whom" },
	{ .words = "sequence graph", .argument = "NAME", .options = O_CONFIG | O_SOCKET | O_DOT | O_JSON, .kind = VERB_GRAPH,
		.help = "a picture of a sequence (SVG), with live counts" },
	{ .words = "plan", .options = O_ASK, .path = "/plan", .print = page_plan,
		.help = "what a reload would change, and for how many people" },
	{ .words = "key list", .options = O_ASK, .path = "/keys", .help = "the keys that links and addresses are signed with" },
	{ .words = "key rotate", .options = O_ASK, .post = true, .path = "/keys/rotate",
		.help = "sign with a new key; what the old ones signed stays valid" },
	{ .words = "reload", .options = O_ASK, .post = true, .path = "/reload",
		.help = "take over a changed config, all of it or nothing" },
	{ .words = "template render", .argument = "FILE",
		.options = O_DATA | O_PLAIN | O_TEXT | O_HEADERS | O_JSON, .kind = VERB_RENDER,
		.help = "what a template makes of data, without the daemon" },
	{ .words = "template send-test", .argument = "NAME", .options = O_ASK | O_TO | O_PROSPECT | O_DATA, .needs = O_TO, .kind = VERB_SEND_TEST,
		.help = "a mail of the config to you, by the real relay" },
	{ .words = "template lint", .argument = "[FILE...]", .options = O_ALL | O_CONFIG | O_JSON, .kind = VERB_LINT,
		.help = "what is wrong with mails and pages, or soon will be" },
	{ .words = "template print", .argument = "FILE", .options = O_JSON, .kind = VERB_PRINT,
		.help = "a template, written in the one form for all" },
	{ .words = "mail list", .options = O_ASK, .path = "/mails", .help = "the latest mails that came in" },
	{ .words = "mail show", .argument = "ID", .options = O_ASK | O_RAW, .path = "/mails/%",
		.help = "a mail that came in, whom it is about and why" },
	{ .words = "ingest", .options = O_SOCKET | O_ENVELOPE, .kind = VERB_INGEST,
		.help = "take a mail from standard input, as a pipe of a mail server" },
	{ .words = "reclassify", .argument = "[ID...]", .options = O_CONFIG | O_ASK | O_SINCE | O_DRY | O_CLASS, .kind = VERB_RECLASSIFY,
		.help = "read the kept mail again by the rules of today, and do what was missed" },
	{ .words = "reply test", .argument = "FILE...", .options = O_CONFIG | O_JSON, .kind = VERB_REPLY,
		.help = "what would be read in a mail that came in, and why" },
	{ .words = "simulate", .argument = "[SEQUENCE]",
		.options = O_SIMULATE | O_CONFIG | O_SOCKET | O_JSON, .kind = VERB_SIMULATE,
		.help = "what would happen to an invented person, or to many" },
};

#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

#define TO(m) offsetof(struct command, m)

static const struct option_row {
	const char *name, *argument;
	unsigned bit;
	size_t member;	/* of struct command: text where it has an argument, else bool */
	const char *help;
} options[] = {
	{ "-s", "SOCKET", O_SOCKET, TO(socket), "the daemon's control socket (" SOCKET_DEFAULT ")" },
	{ "-c", "FILE", O_CONFIG, TO(config), "the operator's file (" CONFIG_DEFAULT ")" },
	{ "--json", NULL, O_JSON, TO(json), "the daemon's own answer, for programs" },
	{ "--due", NULL, O_QUEUE, TO(queue), "queue: what is due and what waits, by lane (the default)" },
	{ "--unknown", NULL, O_QUEUE, TO(queue), "queue, retry: mails of which nobody knows whether they went out" },
	{ "--deferred", NULL, O_QUEUE, TO(queue), "queue: mails that the relay put off" },
	{ "--dead", NULL, O_QUEUE, TO(queue), "queue: alerts that could not be handed over" },
	{ "--reason", "TEXT", O_REASON, TO(reason), "suppression add: why" },
	{ "--dry-run", NULL, O_DRY, TO(dry), "suppression import, reclassify: say what would be new, and change nothing" },
	{ "--since", "TIME", O_SINCE, TO(since), "hits rescore, reclassify: mails since then: 30 days, or 2026-11-22T03:21:35Z (all)" },
	{ "--resolver", "ADDRESS[:PORT]", O_RESOLVER, TO(resolver), "doctor: ask this DNS server, for all names" },
	{ "--ca", "FILE", O_CA, TO(ca_file), "doctor: the certificates that vouch for public_url" },
	{ "--probe", NULL, O_PROBE, TO(probe), "doctor: let the daemon mail its own mailbox, and look at what arrives" },
	{ "--wait", "SECONDS", O_WAIT, TO(wait), "doctor --probe: for that mail (120)" },
	{ "--data", "FILE", O_DATA, TO(data), "template: a JSON object with the names it uses" },
	{ "--prospect", "ID|ADDRESS", O_PROSPECT, TO(prospect), "eval: for whom; template send-test: whose mail it would be" },
	{ "--explain", NULL, O_EXPLAIN, TO(explain), "eval, score: the value of each part" },
	{ "--plain", NULL, O_PLAIN, TO(plain), "template: Liquid without escaping, unknown names are nil" },
	{ "--text", NULL, O_TEXT, TO(text), "template: the text part that is made of an HTML template" },
	{ "--to", "ADDRESS", O_TO, TO(to), "template send-test: who gets it" },
	{ "--where", "EXPRESSION", O_WHERE, TO(where), "sequence enroll: for whom this holds" },
	{ "--yes", NULL, O_YES, TO(yes), "sequence enroll, prospect erase, retry: without asking" },
	{ "--as-sent", NULL, O_AS_SENT, TO(as_sent), "retry: they arrived, as somebody found out" },
	{ "--dot", NULL, O_DOT, TO(dot), "sequence graph: the text for Graphviz instead of the picture" },
	{ "--class", "CLASS", O_CLASS, TO(class), "reclassify: mails that were read as that: bounce, human, auto, ... (all)" },
	{ "-f", "SENDER", O_ENVELOPE, TO(sender), "ingest: the envelope sender, \"\" of a bounce" },
	{ "-r", "RECIPIENT", O_ENVELOPE, TO(recipient), "ingest: the envelope recipient" },
	{ "--raw", NULL, O_RAW, TO(raw), "mail show: its bytes, as it came" },
	{ "--all", NULL, O_ALL, TO(all), "template lint: every mail and page of the config" },
	{ "--headers", NULL, O_HEADERS, TO(headers), "template: print what its front matter makes, too" },
	{ "--persona", "FILE", O_SIMULATE, TO(simulate.persona), "simulate: who; with --population a folder of them, too (personas/ beside the operator's file)" },
	{ "--days", "N", O_SIMULATE, TO(simulate.days), "simulate: how long (what the persona says; 30 for a population)" },
	{ "--from", "DATE", O_SIMULATE, TO(simulate.from), "simulate: from when, such as 2026-03-02 (what the persona says; now)" },
	{ "--seed", "N", O_SIMULATE, TO(simulate.seed), "simulate: another number, other chances (1)" },
	{ "--golden", "FILE", O_SIMULATE, TO(simulate.golden), "simulate: compare with what is kept there; 1 if it differs" },
	{ "--update", NULL, O_SIMULATE, TO(simulate.update), "simulate: write the --golden file" },
	{ "--population", NULL, O_SIMULATE, TO(simulate.population), "simulate: everybody, and what they add up to" },
	{ "--database", "FILE", O_SIMULATE, TO(simulate.database), "simulate: the people of a copy of the database (the daemon's, which is asked for one)" },
	{ "--people", "N", O_SIMULATE, TO(simulate.people), "simulate: so many invented people instead, who come `--over` some time" },
	{ "--over", "DURATION", O_SIMULATE, TO(simulate.over), "simulate: how long it takes them all to come (1 day)" },
	{ "-h", NULL, O_ANY, TO(help), "this page" },
	{ "--help", NULL, O_ANY, TO(help), NULL },
	{ "-V", NULL, O_ANY, TO(version), "the version" },
	{ "--version", NULL, O_ANY, TO(version), NULL },
};

#define OPTIONS (sizeof(options) / sizeof(options[0]))

/* --- options ---------------------------------------------------------------------------------------- */

/* The row of "--reason" or "--reason=TEXT"; *value_out the text behind '=', or NULL. */
static const struct option_row *find_option(const char *arg, const char **value_out)
{
	size_t n = strcspn(arg, "="), i;

	*value_out = arg[n] ? arg + n + 1 : NULL;
	for (i = 0; i < OPTIONS; i++)
		if (strlen(options[i].name) == n && strncmp(options[i].name, arg, n) == 0)
			return &options[i];
	return NULL;
}

static void set_option(struct command *c, const struct option_row *o, const char *value)
{
	char *member = (char *)c + o->member;

	if (o->bit == O_QUEUE)	/* each names the queue itself */
		*(const char **)member = o->name + 2;
	else if (o->argument)
		*(const char **)member = value;
	else
		*(bool *)member = true;
}

static int unknown_option(const char *arg, struct err *err)
{
	const char *names[OPTIONS + 1] = { NULL }, *near;
	size_t i;

	for (i = 0; i < OPTIONS; i++)
		names[i] = options[i].name;
	near = text_nearest(arg, names);
	return err_set(err, "no option %s%s%s", arg, near ? "; did you mean " : "", near ? near : "");
}

/* One option at argv[*i]; moves *i over its value. *used_out collects the bits. */
static int parse_option(int argc, const char *const *argv, int *i, struct command *c, unsigned *used_out,
		struct err *err)
{
	const char *arg = argv[*i], *value;
	const struct option_row *o = find_option(arg, &value);

	if (!o)
		return unknown_option(arg, err);
	if (!o->argument && value)
		return err_set(err, "%s takes no value", o->name);
	if (o->argument && !value) {
		if (*i + 1 >= argc)
			return err_set(err, "%s needs its %s", o->name, o->argument);
		value = argv[++*i];
	}
	set_option(c, o, value);
	*used_out |= o->bit;
	return 0;
}

/* --- verbs ------------------------------------------------------------------------------------------ */

static int unknown_verb(const char *typed, struct err *err)
{
	const char *names[VERBS + 1] = { NULL }, *near;
	size_t i;

	for (i = 0; i < VERBS; i++)
		names[i] = verbs[i].words;
	near = text_nearest(typed, names);
	return err_set(err, "no verb `%s`%s%s%s", typed,
		near ? "; did you mean `" : "; nurturectl -h shows them all", near ? near : "",
		near ? "`" : "");
}

static const struct verb *verb_of(const char *words)
{
	size_t i;

	for (i = 0; i < VERBS; i++)
		if (strcmp(verbs[i].words, words) == 0)
			return &verbs[i];
	return NULL;
}

/* A verb is the first word, or the first two; *taken_out how many it was. */
static int find_verb(const char *const *words, int count, const struct verb **out, int *taken_out,
		struct err *err)
{
	struct buf typed = BUF_INIT;
	const struct verb *v;
	int taken = 1, rc = 0;

	buf_str(&typed, words[0]);
	v = verb_of(words[0]);
	if (!v && count > 1) {
		buf_printf(&typed, " %s", words[1]);
		v = verb_of(buf_cstr(&typed));
		taken = 2;
	}
	if (!v)
		rc = unknown_verb(buf_cstr(&typed), err);
	buf_clear(&typed);
	if (rc < 0)
		return -1;
	*out = v;
	*taken_out = taken;
	return 0;
}

/* How many arguments at most. */
static int takes(const struct verb *v)
{
	return strstr(v->argument, "...") ? COMMAND_ARGUMENTS_MAX : 1;
}

static int check_verb(const struct command *c, unsigned used, int left, struct err *err)
{
	const struct verb *v = c->verb;
	size_t i;

	for (i = 0; i < OPTIONS; i++)
		if (used & options[i].bit & ~(v->options | O_ANY))
			return err_set(err, "`%s` has no use for %s", v->words,
				options[i].bit == O_QUEUE ? "--due and its like"
				: options[i].bit == O_ENVELOPE ? "-f and -r"
				: options[i].bit == O_SIMULATE ? "--persona and its like" : options[i].name);
	for (i = 0; i < OPTIONS; i++)
		if (v->needs & options[i].bit & ~used)
			return err_set(err, "`%s` needs %s %s", v->words, options[i].name, options[i].argument);
	if (v->argument && v->argument[0] != '[' && left < 1)
		return err_set(err, "`%s` needs its %s", v->words, v->argument);
	if (left > (v->argument ? takes(v) : 0))
		return err_set(err, "`%s` takes %s", v->words, v->argument ? "one argument" : "no argument");
	if (left > 0 && !*c->argument)
		return err_set(err, "the %.*s is empty", (int)strcspn(v->argument + (v->argument[0] == '['), "]"),
			v->argument + (v->argument[0] == '['));
	return 0;
}

int command_parse(int argc, const char *const *argv, struct command *out, struct err *err)
{
	struct command c = { .socket = SOCKET_DEFAULT, .config = CONFIG_DEFAULT, .queue = "due" };
	const char *words[COMMAND_ARGUMENTS_MAX + 2] = { NULL };
	bool only_words = false;
	unsigned used = 0;
	int count = 0, taken, i;

	for (i = 1; i < argc; i++) {
		if (!only_words && strcmp(argv[i], "--") == 0) {
			only_words = true;
		} else if (!only_words && argv[i][0] == '-' && argv[i][1]) {
			if (parse_option(argc, argv, &i, &c, &used, err) < 0)
				return -1;
		} else if (count < COMMAND_ARGUMENTS_MAX + 2) {
			words[count++] = argv[i];
		} else {
			return err_set(err, "more than %d arguments", COMMAND_ARGUMENTS_MAX);
		}
	}
	c.config_given = used & O_CONFIG;
	if (!c.help && !c.version) {
		if (!count)
			return err_set(err, "which verb? nurturectl -h shows them all");
		if (find_verb(words, count, &c.verb, &taken, err) < 0)
			return -1;
		c.argument = words[taken];
		for (i = taken; i < count && i - taken < COMMAND_ARGUMENTS_MAX; i++)
			c.arguments[c.argument_count++] = words[i];
		if (check_verb(&c, used, count - taken, err) < 0)
			return -1;
	}
	*out = c;
	return 0;
}

/* --- help ------------------------------------------------------------------------------------------- */

static void help_line(struct buf *out, const char *name, const char *argument, const char *help)
{
	struct buf left = BUF_INIT;

	buf_printf(&left, "%s%s%s", name, argument ? " " : "", argument ? argument : "");
	buf_printf(out, "  %-26s %s\n", buf_cstr(&left), help);
	buf_clear(&left);
}

void command_help(struct buf *out)
{
	size_t i;

	buf_str(out, "usage: nurturectl VERB [ARGUMENT] [OPTIONS]\n\n");
	for (i = 0; i < VERBS; i++)
		help_line(out, verbs[i].words, verbs[i].argument, verbs[i].help);
	buf_char(out, '\n');
	for (i = 0; i < OPTIONS; i++)
		if (options[i].help)
			help_line(out, options[i].name, options[i].argument, options[i].help);
	buf_str(out, "\nexit status: 0 done, 1 refused or not found, 2 doctor: errors (1: warnings), 64 wrong usage, 69 no daemon there,"
		" 78 bad config;\n  ingest: 65 never to be taken, 75 to be tried again\n");
}

/* --- request ---------------------------------------------------------------------------------------- */

static void query_member(struct buf *path, bool *first, const char *name, const char *value)
{
	buf_char(path, *first ? '?' : '&');
	*first = false;
	buf_str(path, name);
	if (!value)
		return;
	buf_char(path, '=');
	text_percent(path, value, strlen(value));
}

static void query_members(const struct command *c, struct buf *path)
{
	bool first = !strchr(c->verb->path, '?');

	if (c->argument && c->verb->argument[0] == '[' && !strchr(c->verb->path, '%'))
		query_member(path, &first, c->verb->words, c->argument);
	if (c->prospect)
		query_member(path, &first, "prospect", c->prospect);
	if (c->explain)
		query_member(path, &first, "explain", NULL);
}

void command_request(const struct command *c, struct buf *path, struct buf *body)
{
	const char *p;
	bool in_path = false;

	for (p = c->verb->path; *p; p++) {
		if (*p == '%') {
			text_percent(path, c->argument, strlen(c->argument));
			in_path = true;
		} else {
			buf_char(path, *p);
			if (*p == '?' && !p[1])
				buf_str(path, c->queue);
		}
	}
	if (c->raw)
		buf_str(path, "/raw");
	if (!c->verb->post) {
		query_members(c, path);
		return;
	}
	buf_char(body, '{');
	if (c->argument && !in_path) {
		buf_str(body, strcmp(c->verb->path, "/resume") == 0 ? "\"name\":" : "\"address\":");
		text_json(body, c->argument, strlen(c->argument));
	}
	if (c->reason) {
		buf_str(body, body->len > 1 ? ",\"reason\":" : "\"reason\":");
		text_json(body, c->reason, strlen(c->reason));
	}
	if (c->since) {
		buf_str(body, body->len > 1 ? ",\"since\":" : "\"since\":");
		text_json(body, c->since, strlen(c->since));
	}
	buf_char(body, '}');
}
