/*
 * ctl_reply.c: nurturectl reply test: mails from files, a folder or standard input, read by the intake's own
 * program as it would read them in a mailbox. There is an answer for each, whatever its bytes do.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/plan.h"
#include "console/page.h"
#include "listen/frame.h"
#include "listen/mail_reader.h"

#include "ctl.h"

#define DEPTH_MAX 8	/* of folders in folders */

struct test {
	const struct command *command;
	const struct plan *plan;
	struct mail_reader *reader;
	bool one;		/* a single file: no name before its page */
	bool refused;		/* something could not be opened */
	bool no_reader;
};

static void complain_of(struct test *t, const char *path, const char *what)
{
	fprintf(stderr, "nurturectl: %s: %s\n", path, what);
	t->refused = true;
}

/* --- what is said of it ----------------------------------------------------------------------------- */

static void take(json_t *out, const json_t *said, const char *const *keys)
{
	for (; *keys; keys++)
		if (json_object_get(said, *keys))
			json_object_set(out, *keys, json_object_get(said, *keys));
}

/* kind hard or soft, as everybody counts them; `effect` is what we do: delayed and sender count nothing. */
static json_t *bounce_of(const json_t *said)
{
	static const char *const keys[] = { "reason", "status", "recipient", "action", "code", "diagnostic", NULL };
	const json_t *b = json_object_get(said, "bounce");
	json_t *out;

	if (!b)
		return json_null();
	out = json_pack("{ss ss}", "kind", strcmp(frame_string(b, "kind"), "hard") ? "soft" : "hard", "effect", frame_string(b, "kind"));
	take(out, b, keys);
	return out;
}

/* Names alone, what leads first. */
static json_t *intents_of(const json_t *said)
{
	const json_t *found = json_object_get(said, "intents");
	const char *primary = frame_string(said, "intent");
	json_t *out = json_array();
	size_t i;

	if (!*primary)
		primary = strcmp(frame_string(said, "class"), "unsubscribe") == 0 ? "unsubscribe" : frame_string(said, "auto_kind");
	if (*primary)
		json_array_append_new(out, json_string(primary));
	for (i = 0; i < json_array_size(found); i++) {
		const char *name = frame_string(json_array_get(found, i), "name");

		if (strcmp(name, primary) != 0)
			json_array_append_new(out, json_string(name));
	}
	return out;
}

/* What became of a mail that ended the intake: a person reads it. */
static json_t *unreadable(void)
{
	return json_pack("{ss ss ss ss s[s] s[]}", "class", "human", "intent", "review", "text", "", "subject", "",
		"evidence", "reading it ended the intake", "intents");
}

/* What would be done if its token is one of ours. */
static const char *follows_from_class(const char *class)
{
	static const char *const lines[][2] = {
		{ "bounce", "hard: the address is suppressed; soft: it is counted" },
		{ "complaint", "the address is suppressed" },
		{ "unsubscribe", "they are unsubscribed" },
		{ "auto", "nothing stops; `ooo` pauses their sequences, `left_company` stops them and makes a task" },
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		if (strcmp(lines[i][0], class) == 0)
			return lines[i][1];
	return "it is kept, nothing else";
}

static json_t *follows(const struct plan *plan, const json_t *said)
{
	static const char *const lines[] = {
		[REPLY_UNSUBSCRIBE] = "they are unsubscribed, at once; it is forwarded",
		[REPLY_SUPPRESS] = "no mail goes to them any more; a task for the owner; it is forwarded",
		[REPLY_TASK] = "their sequences stop; a task for the owner; it is forwarded",
		[REPLY_HOT] = "their sequences stop; whether they are hot the rule of sales.yaml says; it is forwarded",
		[REPLY_STOP] = "their sequences stop; it is forwarded",
		[REPLY_PAUSE] = "their sequences pause until the day named, or for `pause`; it is forwarded",
		[REPLY_REVIEW] = "their sequences pause; somebody has to read it: it is forwarded",
		[REPLY_GO_ON] = "their sequences go on; it is forwarded",
	};
	const char *intent = frame_string(said, "intent");

	if (strcmp(frame_string(said, "class"), "human") != 0)
		return json_pack("[s]", follows_from_class(frame_string(said, "class")));
	return json_pack("[s]", lines[plan_reply_action(plan, intent, NULL)]);
}

/* RFC 3339, or null where there is none. */
static json_t *time_of(const json_t *said, const char *key)
{
	int64_t at = frame_integer(said, key, 0);
	struct buf text = BUF_INIT;
	json_t *out;

	if (at == 0)
		return json_null();
	text_time(&text, at);
	out = json_string(buf_cstr(&text));
	buf_clear(&text);
	return out;
}

static json_t *shape(const struct test *t, const char *name, const json_t *said)
{
	static const char *const keys[] = { "subject", "from", "from_name", "message_id", "in_reply_to", "auto_kind", "complaint",
		"evidence", "likeness", "attachments", "recipients", "tokens", "uncut", "cut", NULL };
	json_t *out = json_pack("{ss ss so ss so}", "file", name, "class", frame_string(said, "class"), "bounce", bounce_of(said),
		"text", frame_string(said, "text"), "intents", intents_of(said));

	json_object_set_new(out, "primary", json_string(frame_string(said, "intent")));
	if (json_object_get(said, "intent_confidence"))
		json_object_set(out, "confidence", json_object_get(said, "intent_confidence"));
	if (json_object_get(said, "intents"))
		json_object_set(out, "found", json_object_get(said, "intents"));
	json_object_set_new(out, "date", time_of(said, "date"));
	json_object_set_new(out, "until", time_of(said, "until"));
	json_object_set_new(out, "follows", follows(t->plan, said));
	take(out, said, keys);
	return out;
}

static void print(struct test *t, const char *name, const json_t *shaped)
{
	struct buf page = BUF_INIT;

	if (t->command->json) {
		char *text = json_dumps(shaped, JSON_COMPACT | JSON_REAL_PRECISION(4));

		puts(text ? text : "null");
		free(text);
		return;
	}
	if (!t->one)
		printf("== %s\n", name);
	page_reply(&page, shaped, clock_now());
	fputs(buf_cstr(&page), stdout);
	buf_clear(&page);
}

/* --- one mail --------------------------------------------------------------------------------------- */

static void read_bytes(struct test *t, const char *name, const struct buf *raw)
{
	json_t *said = NULL, *shaped;
	struct err err;
	int rc = mail_reader_read(t->reader, buf_cstr(raw), raw->len, clock_now(), &said, &err);

	if (rc < 0) {
		ctl_complain(err.text);
		t->no_reader = true;
		return;
	}
	if (rc == 0 || strcmp(frame_string(said, "class"), "unreadable") == 0) {
		json_decref(said);
		said = unreadable();
	}
	shaped = shape(t, name, said);
	print(t, name, shaped);
	json_decref(shaped);
	json_decref(said);
}

/* As much of it as is ever looked at. */
static void read_stream(struct test *t, const char *name, FILE *f)
{
	struct buf raw = BUF_INIT;
	size_t n = 1;

	while (n > 0 && raw.len < FRAME_MAIL_MAX) {
		buf_reserve(&raw, 65536);
		n = fread(raw.data + raw.len, 1, 65536, f);
		raw.len += n;
	}
	if (ferror(f))
		complain_of(t, name, strerror(errno));
	else
		read_bytes(t, name, &raw);
	buf_clear(&raw);
}

static void read_path(struct test *t, const char *path, int depth);

static int no_dots(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void read_folder(struct test *t, const char *path, int depth)
{
	struct dirent **entries;
	int i, count = scandir(path, &entries, no_dots, alphasort);

	if (count < 0) {
		complain_of(t, path, strerror(errno));
		return;
	}
	for (i = 0; i < count; i++) {
		char *below = xasprintf("%s/%s", path, entries[i]->d_name);

		read_path(t, below, depth + 1);
		free(below);
		free(entries[i]);
	}
	free(entries);
}

static void read_path(struct test *t, const char *path, int depth)
{
	struct stat st;
	FILE *f;

	if (t->no_reader)
		return;
	if (strcmp(path, "-") == 0) {
		read_stream(t, path, stdin);
		return;
	}
	if (stat(path, &st) < 0) {
		complain_of(t, path, strerror(errno));
		return;
	}
	if (S_ISDIR(st.st_mode)) {
		t->one = false;
		if (depth < DEPTH_MAX)
			read_folder(t, path, depth);
		return;
	}
	f = fopen(path, "rb");
	if (!f) {
		complain_of(t, path, strerror(errno));
		return;
	}
	read_stream(t, path, f);
	fclose(f);
}

/* --- in all ----------------------------------------------------------------------------------------- */

/* What is built in, without a config. */
static int load(const struct command *c, struct plan **out)
{
	struct plan_errors errors = { 0 };

	if (!c->config_given) {
		*out = plan_of_replies();
		return 0;
	}
	*out = plan_load_to_look(c->config, &errors);
	fputs(buf_cstr(&errors.text), stderr);
	buf_clear(&errors.text);
	return *out ? 0 : -1;
}

int ctl_reply(const struct command *c)
{
	struct test t = { .command = c, .one = c->argument_count == 1 };
	struct plan *plan;

	if (load(c, &plan) < 0)
		return EXIT_BAD_CONFIG;
	t.plan = plan;
	t.reader = mail_reader_new(plan);
	for (size_t i = 0; i < c->argument_count; i++)
		read_path(&t, c->arguments[i], 0);
	mail_reader_free(&t.reader);
	plan_unref(&plan);
	return t.refused || t.no_reader ? EXIT_REFUSED : EXIT_DONE;
}
