/*
 * ctl_send_test.c: nurturectl template send-test: a mail of the config to somebody who wants to see it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/text.h"

#include "ctl.h"

/* NULL has complained. */
static json_t *read_data(const char *file)
{
	json_error_t where;
	json_t *json = json_load_file(file, JSON_REJECT_DUPLICATES, &where);

	if (!json) {
		fprintf(stderr, "%s:%d:%d: %s\n", file, where.line, where.column, where.text);
	} else if (!json_is_object(json)) {
		fprintf(stderr, "%s:1:1: the data must be a JSON object with the names that the template uses\n", file);
		json_decref(json);
		json = NULL;
	}
	return json;
}

/* Takes data, which may be NULL. */
static char *request(const struct command *c, json_t *data)
{
	json_t *json = json_pack("{s:s}", "to", c->to);
	char *text;

	if (c->prospect)
		json_object_set_new(json, "prospect", json_string(c->prospect));
	if (data)
		json_object_set_new(json, "data", data);
	text = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	return text;
}

static int tell(const struct command *c, const struct buf *answer)
{
	json_t *json = json_loadb(buf_cstr(answer), answer->len, 0, NULL);
	const char *state = json_string_value(json_object_get(json, "state")), *reply = json_string_value(json_object_get(json, "reply"));
	bool sent = state && strcmp(state, "sent") == 0;

	if (c->json)
		puts(buf_cstr(answer));
	else
		printf("%s to %s: %s%s%s\n", c->argument, c->to, state ? state : "?", reply && *reply ? ": " : "", reply ? reply : "");
	json_decref(json);
	return sent ? EXIT_DONE : EXIT_REFUSED;
}

int ctl_send_test(const struct command *c)
{
	struct buf path = BUF_INIT, answer = BUF_INIT;
	json_t *data = c->data ? read_data(c->data) : NULL;
	struct err err;
	char *body;
	int status, rc = EXIT_REFUSED;

	if (c->data && !data)
		return EXIT_REFUSED;
	body = request(c, data);
	buf_str(&path, "/templates/");
	text_percent(&path, c->argument, strlen(c->argument));
	buf_str(&path, "/send-test");
	status = body ? ctl_ask(c->socket, buf_cstr(&path), body, &answer, &err) : -1;
	if (status == 200) {
		rc = tell(c, &answer);
	} else if (status < 0) {
		ctl_complain(body ? err.text : "what was typed is no UTF-8");
		rc = body ? EXIT_NO_DAEMON : EXIT_WRONG_USAGE;
	} else {
		json_t *problem = json_loadb(buf_cstr(&answer), answer.len, 0, NULL);

		ctl_problem(problem, status);
		json_decref(problem);
	}
	free(body);
	buf_clear(&path);
	buf_clear(&answer);
	return rc;
}
