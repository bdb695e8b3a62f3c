/*
 * step_verbs.c: the tables of the verbs.
 */
#include "base/clock.h"

#include "step_verbs.h"
#include "targets.h"

#define WAIT_LEAST US_SECOND
#define WAIT_MOST (3 * 365 * US_DAY)

static const char *const even_choices[] = { "quiet", "cap", "always", NULL };
static const char *const owner_choices[] = { "owner", NULL };
static const char *const same_choices[] = { "same", NULL };
static const char *const method_choices[] = { "thompson", "fixed", NULL };

#define MAIL_KEYS \
	{ ROW(KEY_NODE, step_keys, even_in), .choices = even_choices, .fallback_help = "not", \
		.help = "quiet: it goes out in quiet hours too; cap: although the cap of the list is reached; always: " \
			"both, for what was asked for" }, \
	{ ROW(KEY_DURATION, step_keys, valid_for), .least = US_MINUTE, .most = WAIT_MOST, .fallback_help = "for ever", \
		.help = "how long after it could have gone out first it may still go; later it is left out, and " \
			"the sequence goes on" }, \
	{ ROW_AS("as", KEY_NODE, step_keys, as_owner), .choices = owner_choices, .fallback_help = "the sender", \
		.help = "owner: it is from the owner of their latest lead, else from the first owner whose " \
			"`when` holds" }, \
	{ ROW(KEY_NODE, step_keys, thread), .choices = same_choices, .fallback_help = "a mail of its own", \
		.help = "same: it answers the mails before it in the sequence, with the subject of the first" }

static const struct key send_keys[] = {
	{ ROW(KEY_NODE, step_keys, send), .required = true, .help = "the mail: the name of its template" },
	MAIL_KEYS,
	NO_KEY,
};
static const struct key_table send_table = { "a `send` step", "Sends a mail.", send_keys };

static const struct key wait_keys[] = {
	{ ROW(KEY_NODE, step_keys, wait), .required = true,
		.help = "how long: a duration of 1 second to 1095 days, or `3 business days` (1 to 365)" },
	NO_KEY,
};
static const struct key_table wait_table = { "a `wait` step", "Waits.", wait_keys };

static const struct key wait_until_keys[] = {
	{ ROW(KEY_NODE, step_keys, wait_until), .required = true,
		.help = "the next time that it is `09:00`, `tue 09:00`, `mon, wed 14:30` or `business day 09:00`; a "
			"date, `2026-12-01` or `2026-12-01 09:00`; or a field that holds a time, `webinar_at` or "
			"`webinar_at 09:00`; in the time zone of the person" },
	{ ROW(KEY_DURATION, step_keys, before), .least = WAIT_LEAST, .most = WAIT_MOST, .fallback_help = "none",
		.help = "so long before what the field says" },
	{ ROW(KEY_DURATION, step_keys, after), .least = WAIT_LEAST, .most = WAIT_MOST, .fallback_help = "none",
		.help = "so long after what the field says" },
	{ ROW_AS("otherwise", KEY_NODE, step_keys, else_name), .fallback_help = "the next step, at once",
		.help = "the step to go to if the field is empty, or the time is past" },
	NO_KEY,
};
static const struct key_table wait_until_table = { "a `wait_until` step", "Waits for a time of day, a date, or what a field says.",
	wait_until_keys };

static const struct key wait_for_keys[] = {
	{ ROW(KEY_EXPRESSION, step_keys, wait_for), .required = true,
		.help = "goes on as soon as this holds" },
	{ ROW(KEY_DURATION, step_keys, at_most), .required = true, .least = WAIT_LEAST, .most = WAIT_MOST,
		.help = "how long to wait for it" },
	{ ROW_AS("otherwise", KEY_NODE, step_keys, else_name), .fallback_help = "the next step",
		.help = "the step to go to when the time is over" },
	NO_KEY,
};
static const struct key_table wait_for_table = { "a `wait_for` step", "Waits for something to become true.",
	wait_for_keys };

static const struct key if_keys[] = {
	{ ROW_AS("if", KEY_EXPRESSION, step_keys, cond), .required = true, .help = "the question" },
	{ ROW_AS("then", KEY_NODE, step_keys, then_name), .fallback_help = "the next step",
		.help = "the step to go to if it holds" },
	{ ROW_AS("else", KEY_NODE, step_keys, else_name), .fallback_help = "the next step",
		.help = "the step to go to if it does not" },
	NO_KEY,
};
static const struct key_table if_table = { "an `if` step", "Goes one way or the other.", if_keys };

static const struct key split_keys[] = {
	{ ROW(KEY_OTHERS, step_keys, split), .required = true,
		.help = "2 to 20 steps and the share of people that goes to each: `{short: 50, long: 50}`; the same "
			"person always goes the same way" },
	NO_KEY,
};
static const struct key_table split_table = { "a `split` step", "Sends people different ways, by chance.", split_keys };

static const struct key arm_keys[] = {
	{ ROW(KEY_NODE, step_arm_keys, mail), .required = true, .help = "the name of its template" },
	{ ROW(KEY_NODE, step_arm_keys, subject), .fallback_help = "the mail's own",
		.help = "the subject to try, in Liquid" },
	{ ROW(KEY_NODE, step_arm_keys, name), .fallback_help = "the mail's",
		.help = "what it is called in the results" },
	NO_KEY,
};
const struct key_table step_arm_table = { "an item of `test`", "One of the mails that are tried; or only its name.", arm_keys };

static const struct key test_keys[] = {
	{ ROW(KEY_LIST, step_keys, test), .required = true, .table = &step_arm_table,
		.help = "2 to 8 mails, of which each person gets one" },
	{ ROW(KEY_TEXT, step_keys, by), .fallback = "click",
		.help = "what decides: click, reply, goal (the sequence's), or any event" },
	{ ROW(KEY_DURATION, step_keys, within), .fallback = "3 days", .least = US_MINUTE, .most = 365 * US_DAY,
		.help = "how long after the mail it counts" },
	{ ROW(KEY_CHOICE, step_keys, method), .fallback = "thompson", .choices = method_choices,
		.help = "thompson: the better a mail does, the more people get it; fixed: as many people each, then the best" },
	{ ROW(KEY_INT, step_keys, size), .fallback = "200", .least = 10, .most = 10000000,
		.help = "how many people each mail is tried on; with thompson at least" },
	{ ROW(KEY_PERCENT, step_keys, sure), .fallback = "95%", .least = 50, .most = 100,
		.help = "how sure it has to be before it ends; at most 99.99 %" },
	MAIL_KEYS,
	NO_KEY,
};
static const struct key_table test_table = { "a `test` step", "Tries mails, or subjects, against one another, and goes on with the best.",
	test_keys };

static const struct key set_keys[] = {
	{ ROW(KEY_OTHERS, step_keys, set), .required = true, .help = "a field and what is put in it" },
	NO_KEY,
};
static const struct key_table set_table = { "a `set` step", "Fills a field of the prospect.", set_keys };

static const struct key tag_keys[] = {
	{ ROW(KEY_TEXT_OR_LIST, step_keys, tag), .required = true,
		.help = "a tag to give, or a list of them; `-` before one takes it away" },
	NO_KEY,
};
static const struct key_table tag_table = { "a `tag` step", "Gives tags and takes them away.", tag_keys };

static const struct key move_keys[] = {
	{ ROW(KEY_NODE, step_keys, move), .required = true, .help = "the list to put them on, whatever its `when` says" },
	{ ROW_AS("for", KEY_DURATION, step_keys, hold), .least = US_MINUTE, .most = WAIT_MOST,
		.fallback_help = "until their stage changes", .help = "how long, if their stage does not change before" },
	NO_KEY,
};
static const struct key_table move_table = { "a `move` step", "Puts them on another list.", move_keys };

static const struct key alert_keys[] = {
	{ ROW(KEY_TEXT, step_keys, alert), .required = true, .help = "what to tell sales; it goes to all `alerts` of sales.yaml" },
	{ ROW(KEY_NODE, step_keys, as), .fallback_help = "what each of them says",
		.help = "another template in alerts/ for it" },
	NO_KEY,
};
static const struct key_table alert_table = { "an `alert` step", "Tells sales.", alert_keys };

static const struct key webhook_keys[] = {
	{ ROW_AS("webhook", KEY_URL, step_keys, url), .required = true, .choices = targets_schemes,
		.help = "where it is posted; the sequence does not wait for an answer" },
	{ ROW(KEY_NODE, step_keys, as), .fallback_help = "standard",
		.help = "standard (Standard Webhooks), slack, or a template of yours in alerts/" },
	{ ROW(KEY_NODE, step_keys, secret), .fallback_help = "none; `standard` needs one",
		.help = "the key it is signed with, as in sales.yaml" },
	NO_KEY,
};
static const struct key_table webhook_table = { "a `webhook` step", "Tells another program.", webhook_keys };

static const struct key go_keys[] = {
	{ ROW(KEY_NODE, step_keys, go), .required = true, .help = "the step to go on with" },
	NO_KEY,
};
static const struct key_table go_table = { "a `go` step", "Goes on elsewhere.", go_keys };

static const struct key end_keys[] = {
	{ ROW(KEY_NODE, step_keys, end), .required = true, .help = "a word that says why" },
	NO_KEY,
};
static const struct key_table end_table = { "an `end` step", "Ends the sequence.", end_keys };

const struct verb step_verbs[] = {
	{ "send", STEP_SEND, &send_table },
	{ "wait", STEP_WAIT, &wait_table },
	{ "wait_until", STEP_WAIT_UNTIL, &wait_until_table },
	{ "wait_for", STEP_WAIT_FOR, &wait_for_table },
	{ "if", STEP_IF, &if_table },
	{ "split", STEP_SPLIT, &split_table },
	{ "test", STEP_TEST, &test_table },
	{ "set", STEP_SET, &set_table },
	{ "tag", STEP_TAG, &tag_table },
	{ "move", STEP_MOVE, &move_table },
	{ "alert", STEP_ALERT, &alert_table },
	{ "webhook", STEP_WEBHOOK, &webhook_table },
	{ "go", STEP_GO, &go_table },
	{ "end", STEP_END, &end_table },
	{ .name = NULL },
};
