/*
 * ctl.c: nurturectl, the command of marketers and operators.
 *
 * What the daemon knows is asked of it, by HTTP over its control socket, so that no second program
 * touches the database; what only reads files (check, template render) is done here. Verbs and options
 * are in console/command.c, the printing in console/report.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <curl/curl.h>
#include <jansson.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/plan.h"
#include "console/command.h"
#include "console/preview.h"
#include "console/proofread.h"
#include "console/report.h"

#include "ctl.h"

#define ANSWER_MAX (64 * 1024 * 1024)
#define TIMEOUT_S 600L		/* a plan is compared over many people; the watchdog ends a daemon that hangs long before */

static void print_out(const struct buf *b)
{
	fwrite(buf_cstr(b), 1, b->len, stdout);
}

void ctl_complain(const char *text)
{
	fprintf(stderr, "nurturectl: %s\n", text);
}

/* Lines as a JSON list. */
static json_t *lines_json(const char *text)
{
	json_t *list = json_array();
	const char *end;

	for (; *text; text = *end ? end + 1 : end) {
		end = text + strcspn(text, "\n");
		if (end > text)
			json_array_append_new(list, json_stringn_nocheck(text, (size_t)(end - text)));
	}
	return list;
}

/* Takes json. */
static void print_json(json_t *json)
{
	char *text = json_dumps(json, JSON_INDENT(2));

	puts(text ? text : "null");
	free(text);
	json_decref(json);
}

/* --- done here -------------------------------------------------------------------------------------- */

static int check(const struct command *c)
{
	struct plan_errors errors = { 0 };
	struct plan *plan = plan_load(c->config, &errors);

	if (c->json)
		print_json(json_pack("{s:b, s:o}",
			"good", plan != NULL,
			"errors", lines_json(buf_cstr(&errors.text))));
	else if (!plan)
		fputs(buf_cstr(&errors.text), stderr);
	else
		printf("%s is good: %zu sequences, %zu lists, %zu forms, %zu mail templates\n", c->config,
			plan->sequence_count, plan->list_count, plan->form_count, plan->mail_count);
	buf_clear(&errors.text);
	if (!plan)
		return EXIT_BAD_CONFIG;
	plan_unref(&plan);
	return EXIT_DONE;
}

/* What was made of a template, or what is wrong with it; clears both. */
static int end_preview(const struct command *c, int rc, struct buf *out, struct buf *errors)
{
	if (c->json)
		print_json(json_pack("{s:s#, s:o}",
			"output", buf_cstr(out), (int)out->len,
			"errors", lines_json(buf_cstr(errors))));
	else if (rc < 0)
		fputs(buf_cstr(errors), stderr);
	else
		print_out(out);
	buf_clear(out);
	buf_clear(errors);
	return rc < 0 ? EXIT_REFUSED : EXIT_DONE;
}

static int render(const struct command *c)
{
	struct preview wish = {
		.file = c->argument,
		.data = c->data,
		.plain = c->plain,
		.text = c->text,
		.headers = c->headers,
	};
	struct buf out = BUF_INIT, errors = BUF_INIT;
	int rc = preview_render(&wish, &out, &errors);

	return end_preview(c, rc, &out, &errors);
}

static int print_template(const struct command *c)
{
	struct buf out = BUF_INIT, errors = BUF_INIT;
	int rc = preview_print(c->argument, &out, &errors);

	return end_preview(c, rc, &out, &errors);
}

static int lint(const struct command *c)
{
	struct proofread wish = {
		.files = c->arguments,
		.count = c->argument_count,
		.all = c->all,
		.config = c->config,
		.config_given = c->config_given,
	};
	struct buf out = BUF_INIT, errors = BUF_INIT;
	json_t *found;
	int status = c->all ? EXIT_BAD_CONFIG : EXIT_REFUSED;

	if (c->all == (c->argument_count > 0)) {
		ctl_complain("`template lint` needs its FILE..., or --all");
		return EXIT_WRONG_USAGE;
	}
	found = proofread_run(&wish, &errors);
	if (found)
		status = json_is_true(json_object_get(found, "good")) ? EXIT_DONE : EXIT_REFUSED;
	else if (c->json)
		found = json_pack("{s:b, s:o}", "good", 0, "errors", lines_json(buf_cstr(&errors)));
	else
		fputs(buf_cstr(&errors), stderr);
	if (found && !c->json)
		proofread_print(&out, found);
	print_out(&out);
	if (found && c->json)
		print_json(found);
	else
		json_decref(found);
	buf_clear(&out);
	buf_clear(&errors);
	return status;
}

/* --- done by the daemon ----------------------------------------------------------------------------- */

static size_t write_cb(char *data, size_t size, size_t n, void *arg)
{
	struct buf *out = arg;

	if (out->len + n > ANSWER_MAX)
		return 0;
	buf_add(out, data, n);
	return n;
}

int ctl_post(const char *socket, const char *path, const char *type, const void *body, size_t len, struct buf *answer, struct err *err)
{
	struct buf url = BUF_INIT, header = BUF_INIT;
	struct curl_slist *headers;
	CURL *easy = curl_easy_init();
	long status = -1;
	CURLcode code;

	buf_printf(&url, "http://nurtured%s", path);
	buf_printf(&header, "Content-Type: %s", type);
	headers = curl_slist_append(curl_slist_append(NULL, buf_cstr(&header)), "Expect:");
	curl_easy_setopt(easy, CURLOPT_URL, buf_cstr(&url));
	curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, socket);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_TIMEOUT, TIMEOUT_S);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, write_cb);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, answer);
	if (body) {
		curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)len);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
	}
	code = curl_easy_perform(easy);
	if (code == CURLE_OK)
		curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	else
		err_set(err, "cannot reach the daemon at %s: %s", socket, curl_easy_strerror(code));
	curl_easy_cleanup(easy);
	curl_slist_free_all(headers);
	buf_clear(&url);
	buf_clear(&header);
	return (int)status;
}

int ctl_ask(const char *socket, const char *path, const char *body, struct buf *answer, struct err *err)
{
	return ctl_post(socket, path, "application/json", body, body ? strlen(body) : 0, answer, err);
}

static int ask(const struct command *c, struct buf *answer, struct err *err)
{
	struct buf path = BUF_INIT, body = BUF_INIT;
	int status;

	command_request(c, &path, &body);
	status = ctl_ask(c->socket, buf_cstr(&path), c->verb->post ? buf_cstr(&body) : NULL, answer, err);
	buf_clear(&path);
	buf_clear(&body);
	return status;
}

void ctl_problem(const json_t *problem, int status)
{
	const char *detail = json_string_value(json_object_get(problem, "detail"));
	const json_t *errors = json_object_get(problem, "errors"), *column = json_object_get(problem, "column");
	size_t i;

	for (i = 0; i < json_array_size(errors); i++)
		fprintf(stderr, "%s\n", json_string_value(json_array_get(errors, i)));
	if (detail)
		ctl_complain(detail);
	else
		fprintf(stderr, "nurturectl: the daemon answered %d\n", status);
	/* of an expression: where */
	if (column)
		fprintf(stderr, "  %s\n  %*s^\n", json_string_value(json_object_get(problem, "expression")),
			(int)json_integer_value(column) - 1, "");
}

json_t *ctl_answer(const struct command *c, const char *path, const char *body, int *exit_out)
{
	struct buf answer = BUF_INIT;
	struct err err;
	int status = ctl_ask(c->socket, path, body, &answer, &err);
	json_t *json = status < 0 ? NULL : json_loadb(buf_cstr(&answer), answer.len, 0, NULL);

	buf_clear(&answer);
	if (status >= 200 && status <= 299 && json)
		return json;
	*exit_out = status < 0 ? EXIT_NO_DAEMON : EXIT_REFUSED;
	if (status < 0)
		ctl_complain(err.text);
	else
		ctl_problem(json, status);
	json_decref(json);
	return NULL;
}

int ctl_remote(const struct command *c)
{
	struct buf answer = BUF_INIT, text = BUF_INIT;
	struct err err;
	int status = ask(c, &answer, &err);
	bool good = status >= 200 && status <= 299;
	json_t *json;

	if (status < 0) {
		ctl_complain(err.text);
		buf_clear(&answer);
		return EXIT_NO_DAEMON;
	}
	json = json_loadb(buf_cstr(&answer), answer.len, 0, NULL);
	if (c->json) {
		print_out(&answer);
		putchar('\n');
	} else if (!good) {
		ctl_problem(json, status);
	} else if (json) {
		(c->verb->print ? c->verb->print : report_print)(&text, json, clock_now());
		print_out(&text);
	} else {
		print_out(&answer);
	}
	json_decref(json);
	buf_clear(&answer);
	buf_clear(&text);
	return good ? EXIT_DONE : EXIT_REFUSED;
}

/* ---------------------------------------------------------------------------------------------------- */

/* There is no way back: whoever sits there must say so. */
static int erase(const struct command *c)
{
	char answer[16];

	if (!c->yes && !isatty(STDIN_FILENO)) {
		ctl_complain("nobody was erased: there is no terminal to ask at; say --yes");
		return EXIT_REFUSED;
	}
	if (!c->yes) {
		fprintf(stderr, "Erase all that is kept about %s, for good? [y/N] ", c->argument);
		if (!fgets(answer, sizeof(answer), stdin) || (answer[0] != 'y' && answer[0] != 'Y'))
			return EXIT_REFUSED;
	}
	return ctl_remote(c);
}

static int help(void)
{
	struct buf text = BUF_INIT;

	command_help(&text);
	print_out(&text);
	buf_clear(&text);
	return EXIT_DONE;
}

static int run(const struct command *c)
{
	if (c->help)
		return help();
	if (c->version) {
		puts("nurturectl " VERSION);
		return EXIT_DONE;
	}
	switch (c->verb->kind) {
	case VERB_CHECK:
		return check(c);
	case VERB_RENDER:
		return render(c);
	case VERB_LINT:
		return lint(c);
	case VERB_PRINT:
		return print_template(c);
	case VERB_RETRY:
		return ctl_retry(c);
	case VERB_ENROLL:
		return ctl_enroll(c);
	case VERB_SEND_TEST:
		return ctl_send_test(c);
	case VERB_GRAPH:
		return ctl_graph(c);
	case VERB_INGEST:
		return ctl_ingest(c);
	case VERB_RECLASSIFY:
		return ctl_reclassify(c);
	case VERB_REPLY:
		return ctl_reply(c);
	case VERB_ERASE:
		return erase(c);
	case VERB_SUPPRESSION_LIST:
		return ctl_suppression_list(c);
	case VERB_SUPPRESSION_IMPORT:
		return ctl_suppression_import(c);
	case VERB_SUPPRESSION_EXPORT:
		return ctl_suppression_export(c);
	case VERB_DOCTOR:
		return ctl_doctor(c);
	case VERB_SIMULATE:
		return ctl_simulate(c);
	case VERB_REMOTE:
		return ctl_remote(c);
	}
	return EXIT_WRONG_USAGE;
}

int main(int argc, char **argv)
{
	struct command command;
	struct err err;
	int rc;

	if (command_parse(argc, (const char *const *)argv, &command, &err) < 0) {
		ctl_complain(err.text);
		return EXIT_WRONG_USAGE;
	}
	curl_global_init(CURL_GLOBAL_ALL);
	rc = run(&command);
	curl_global_cleanup();
	/* a full disk behind > must not look like success */
	if (fflush(stdout) != 0 && rc == EXIT_DONE)
		rc = EXIT_REFUSED;
	return rc;
}
