/*
 * ctl_reclassify.c: `nurturectl reclassify`: each mail whose bytes the daemon still has is read again here, in a process of its own and by the rules of
 * the config, and the daemon is told what it says. The daemon alone judges what follows. Ended halfway, it is simply begun again.
 */
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/text.h"
#include "config/plan.h"
#include "listen/mail_reader.h"

#include "ctl.h"

struct run {
	const struct command *command;
	struct mail_reader *reader;
	json_t *changes;
	int64_t read, differ, done, unreadable;
};

static const char *text_of(const json_t *o, const char *member)
{
	const char *s = json_string_value(json_object_get(o, member));

	return s ? s : "";
}

static void show(struct run *r, const char *id, json_t *change)
{
	const char *does = text_of(change, "does"), *stays = text_of(change, "stays");

	r->differ++;
	r->done += *does != '\0';
	json_object_set_new(change, "mail", json_string(id));
	json_array_append(r->changes, change);
	if (r->command->json)
		return;
	printf("%s  %s -> %s%s%s", id, text_of(change, "was"), text_of(change, "is"), *text_of(change, "prospect") ? ", " : "", text_of(change, "prospect"));
	if (*does)
		printf("\n    %s%s", r->command->dry ? "would be done: " : "done: ", does);
	if (*stays)
		printf("\n    %s", stays);
	putchar('\n');
}

/* Its bytes, and when it came. 0, or the exit status. */
static int fetch(struct run *r, const char *id, struct buf *raw, int64_t *received_out)
{
	struct buf path = BUF_INIT;
	struct err err;
	json_t *mail;
	int status, rc = EXIT_DONE;

	buf_printf(&path, "/mails/%s", id);
	mail = ctl_answer(r->command, buf_cstr(&path), NULL, &rc);
	if (mail && text_time_parse(text_of(mail, "received"), received_out) < 0)
		*received_out = 0;
	json_decref(mail);
	if (!rc) {
		buf_str(&path, "/raw");
		status = ctl_ask(r->command->socket, buf_cstr(&path), NULL, raw, &err);
		if (status != 200) {
			ctl_complain(status < 0 ? err.text : "its bytes are not kept any more (`keep.raw_mail`)");
			rc = status < 0 ? EXIT_NO_DAEMON : EXIT_REFUSED;
		}
	}
	buf_clear(&path);
	return rc;
}

static int tell(struct run *r, const char *id, json_t *said, int64_t received)
{
	struct buf path = BUF_INIT;
	json_t *change;
	char *body;
	int rc = EXIT_DONE;

	json_object_set_new(said, "received", json_integer(received));
	body = json_dumps(said, JSON_COMPACT);
	buf_printf(&path, "/mails/%s/reading%s", id, r->command->dry ? "?dry=1" : "");
	change = ctl_answer(r->command, buf_cstr(&path), body, &rc);
	if (json_is_true(json_object_get(change, "differs")))
		show(r, id, change);
	json_decref(change);
	buf_clear(&path);
	free(body);
	return rc;
}

static int one(struct run *r, const char *id)
{
	struct buf raw = BUF_INIT;
	struct err err;
	int64_t received = 0;
	json_t *said = NULL;
	int got, rc = fetch(r, id, &raw, &received);

	if (!rc) {
		got = mail_reader_read(r->reader, buf_cstr(&raw), raw.len, received, &said, &err);
		r->read += got > 0;
		r->unreadable += got == 0;
		if (got < 0) {
			ctl_complain(err.text);
			rc = EXIT_REFUSED;
		} else if (got > 0) {
			rc = tell(r, id, said, received);
		}
	}
	json_decref(said);
	buf_clear(&raw);
	return rc;
}

static int all(struct run *r)
{
	struct buf path = BUF_INIT;
	json_t *list, *id;
	size_t i;
	int rc = EXIT_DONE;

	buf_str(&path, "/kept-mails?class=");
	text_percent(&path, r->command->class ? r->command->class : "", r->command->class ? strlen(r->command->class) : 0);
	if (r->command->since) {
		buf_str(&path, "&since=");
		text_percent(&path, r->command->since, strlen(r->command->since));
	}
	list = ctl_answer(r->command, buf_cstr(&path), NULL, &rc);
	json_array_foreach(list, i, id)
		if (!rc)
			rc = one(r, json_string_value(id));
	json_decref(list);
	buf_clear(&path);
	return rc;
}

static int end(const struct run *r, int rc)
{
	if (r->command->json) {
		json_dumpf(r->changes, stdout, JSON_INDENT(2));
		putchar('\n');
	} else if (!rc) {
		printf("%lld read, %lld differ, for %lld %s done", (long long)r->read, (long long)r->differ, (long long)r->done,
			r->command->dry ? "something would be" : "something was");
		printf(r->unreadable ? ", %lld cannot be read\n" : "\n", (long long)r->unreadable);
	}
	return rc;
}

int ctl_reclassify(const struct command *c)
{
	struct run r = { .command = c };
	struct plan_errors errors = { 0 };
	struct plan *plan = plan_load_to_look(c->config, &errors);
	int rc = EXIT_DONE;

	fputs(buf_cstr(&errors.text), stderr);
	buf_clear(&errors.text);
	if (!plan)
		return EXIT_BAD_CONFIG;
	r.reader = mail_reader_new(plan);
	r.changes = json_array();
	for (size_t i = 0; i < c->argument_count && !rc; i++)
		rc = one(&r, c->arguments[i]);
	if (!c->argument_count)
		rc = all(&r);
	rc = end(&r, rc);
	json_decref(r.changes);
	mail_reader_free(&r.reader);
	plan_unref(&plan);
	return rc;
}
