/*
 * ctl_enroll.c: nurturectl sequence enroll: shows who would enter, asks, and tells how far it has come.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/text.h"
#include "console/page.h"

#include "ctl.h"

static void request(const struct command *c, bool dry, struct buf *path, struct buf *body)
{
	buf_str(path, "/sequences/");
	text_percent(path, c->argument, strlen(c->argument));
	buf_str(path, "/enroll");
	buf_str(body, "{\"where\":");
	text_json(body, c->where, strlen(c->where));
	buf_printf(body, ",\"dry\":%s}", dry ? "true" : "false");
}

static void print(const struct command *c, const json_t *json, void (*page)(struct buf *out, const json_t *json, int64_t now))
{
	struct buf out = BUF_INIT;
	char *text;

	if (c->json) {
		text = json_dumps(json, JSON_INDENT(2));
		puts(text ? text : "null");
		free(text);
		return;
	}
	page(&out, json, 0);
	fputs(buf_cstr(&out), stdout);
	fflush(stdout);
	buf_clear(&out);
}

/* Does whoever sits there say yes? */
static bool agreed(json_int_t count)
{
	char answer[16];

	fprintf(stderr, "Put %lld %s into it? [y/N] ", (long long)count, count == 1 ? "person" : "people");
	return fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

static void show_progress(const json_t *json)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r%lld entered; %lld of %lld people looked at ", (long long)json_integer_value(json_object_get(json, "entered")),
			(long long)json_integer_value(json_object_get(json, "looked_at")), (long long)json_integer_value(json_object_get(json, "people")));
}

/* Until it has ended. */
static json_t *follow(const struct command *c, const char *path, json_t *json, int *exit_out)
{
	while (json && json_is_true(json_object_get(json, "running"))) {
		show_progress(json);
		json_decref(json);
		json = ctl_answer(c, path, NULL, exit_out);
	}
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
	return json;
}

static int enter(const struct command *c)
{
	struct buf path = BUF_INIT, body = BUF_INIT;
	int rc = EXIT_DONE;
	json_t *json;

	request(c, false, &path, &body);
	json = ctl_answer(c, buf_cstr(&path), buf_cstr(&body), &rc);
	buf_str(&path, "?wait");
	json = follow(c, buf_cstr(&path), json, &rc);
	if (json) {
		print(c, json, page_enrolled);
		if (!json_is_null(json_object_get(json, "error")))
			rc = EXIT_REFUSED;
	}
	json_decref(json);
	buf_clear(&path);
	buf_clear(&body);
	return rc;
}

int ctl_enroll(const struct command *c)
{
	struct buf path = BUF_INIT, body = BUF_INIT;
	json_int_t count;
	int rc = EXIT_DONE;
	json_t *json;

	request(c, true, &path, &body);
	json = ctl_answer(c, buf_cstr(&path), buf_cstr(&body), &rc);
	buf_clear(&path);
	buf_clear(&body);
	if (!json)
		return rc;
	count = json_integer_value(json_object_get(json, "would_enter"));
	if (!c->json || !c->yes)
		print(c, json, page_enroll);
	json_decref(json);
	if (c->yes)
		return enter(c);
	if (c->json || !count)	/* a program looks first, then says --yes */
		return EXIT_DONE;
	if (!isatty(STDIN_FILENO)) {
		ctl_complain("nobody was put into it: there is no terminal to ask at; say --yes");
		return EXIT_REFUSED;
	}
	return agreed(count) ? enter(c) : EXIT_REFUSED;
}
