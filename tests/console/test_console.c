/*
 * console: the routes of the control socket, asked over a real Unix socket, with a real store behind them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <glob.h>
#include <sys/stat.h>

#include <curl/curl.h>
#include <jansson.h>

#include <cmocka.h>

#include "../handoff/with_decide.h"

#include "base/text.h"
#include "base/transfer.h"
#include "console/console.h"

#define ALERTS "[{to: \"https://crm.example.com/hooks/secret-path\", as: standard, secret: hook}]"

struct desk {
	struct world world;
	struct console *console;
	struct transfer_pool *pool;
	char *socket;
	int reloads, refuse;		/* of the reload callback */
	/* the last answer */
	long status;
	char type[80];
	struct buf body;
	json_t *json;
};

/* --- asking ----------------------------------------------------------------------------------------- */

static size_t write_cb(char *data, size_t size, size_t n, void *arg)
{
	struct desk *d = arg;

	buf_add(&d->body, data, n);
	return n;
}

static void done_cb(void *arg, CURLcode code)
{
	struct desk *d = arg;

	assert_int_equal(code, CURLE_OK);
	loop_stop(d->world.loop);
}

static CURL *easy_for(struct desk *d, const char *path, const char *post)
{
	CURL *easy = curl_easy_init();
	char url[512];

	snprintf(url, sizeof(url), "http://nurtured%s", path);
	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, d->socket);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, write_cb);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, d);
	if (post)
		curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, post);
	return easy;
}

/* GET, or POST if there is a body. The status; the answer is in d. */
static int ask(struct desk *d, const char *path, const char *post)
{
	CURL *easy = easy_for(d, path, post);
	struct transfer *t;
	const char *type = NULL;

	buf_reset(&d->body);
	t = transfer_start(d->pool, easy, 0, done_cb, d);
	assert_int_equal(loop_run(d->world.loop), 0);
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &d->status);
	curl_easy_getinfo(easy, CURLINFO_CONTENT_TYPE, &type);
	snprintf(d->type, sizeof(d->type), "%s", type ? type : "");
	transfer_cancel(&t);
	curl_easy_cleanup(easy);
	json_decref(d->json);
	d->json = json_loadb(buf_cstr(&d->body), d->body.len, 0, NULL);
	return (int)d->status;
}

static const char *text(const struct desk *d, const char *name)
{
	const char *s = json_string_value(json_object_get(d->json, name));

	return s ? s : "(none)";
}

static int reload_cb(void *arg, struct buf *out)
{
	struct desk *d = arg;

	d->reloads++;
	buf_str(out, d->refuse ? "a.yaml:1:2: wrong \"x\"\n\nb.yaml:3:4: too\n" : "1 sequence changed\n");
	return d->refuse ? -1 : 0;
}

static int set_up(void **state)
{
	struct desk *d = xcalloc(1, sizeof(*d));
	struct console_options options = { .reload = reload_cb, .reload_arg = d };
	char *config;
	struct err err;

	curl_global_init(CURL_GLOBAL_ALL);
	world_init(&d->world);
	world_up(&d->world, ALERTS, "");
	d->socket = xasprintf("%s/control.sock", d->world.folder);
	config = xasprintf("%s/nurtured.yaml", d->world.folder);
	options.socket = d->socket;
	options.config = config;
	d->pool = transfer_pool_new(d->world.loop, 8);
	if (console_start(d->world.loop, d->world.decide, &options, &d->console, &err) < 0)
		fail_msg("%s", err.text);
	free(config);
	*state = d;
	return 0;
}

static int tear_down(void **state)
{
	struct desk *d = *state;

	transfer_pool_free(&d->pool);
	console_stop(&d->console);
	world_down(&d->world);
	world_clear(&d->world);
	buf_clear(&d->body);
	json_decref(d->json);
	free(d->socket);
	free(d);
	curl_global_cleanup();
	return 0;
}

/* --- routes ----------------------------------------------------------------------------------------- */

static void each_route_answers(void **state)
{
	static const struct {
		const char *path, *post;
		int status;
		const char *has;	/* in the body */
	} rows[] = {
		{ "/healthz", NULL, 200, "{\"ok\":true}" },
		{ "/readyz", NULL, 200, "{\"ok\":true}" },
		{ "/queue", NULL, 200, "\"lane\":\"send\"" },
		{ "/queue?due", NULL, 200, "\"lane\":\"alert\"" },
		{ "/queue?unknown", NULL, 200, "[]" },
		{ "/queue?deferred", NULL, 200, "[]" },
		{ "/queue?dead", NULL, 200, "[]" },
		{ "/leads", NULL, 200, "[]" },
		{ "/prospects/nobody@example.com", NULL, 404, "nobody here" },
		{ "/prospects/nobody%40example.com/why", NULL, 404, "nobody here" },
		{ "/prospects/pro_0000000000001", NULL, 404, "nobody here" },
		{ "/prospects/not an address", NULL, 400, "detail" },
		{ "/prospects/nobody", NULL, 400, "detail" },
		{ "/prospects/a@example.com/other", NULL, 404, "detail" },
		{ "/prospects/", NULL, 404, "detail" },
		{ "/prospects/nobody%40example.com/score", NULL, 404, "nobody here" },
		{ "/sequences", NULL, 200, "\"sequence\":\"ebook\"" },
		{ "/sequences/ebook", NULL, 200, "\"step\":\"mistakes\"" },
		{ "/sequences/ebok", NULL, 404, "did you mean `ebook`?" },
		{ "/sequences/", NULL, 404, "there is no sequence" },
		{ "/sequences/ebook", "{}", 404, "ask for /sequences" },
		{ "/sequences/ebook/other", NULL, 404, "ask for /sequences" },
		{ "/sequences/ebook/enroll", NULL, 404, "nobody was put into it by hand" },
		{ "/sequences/ebok/enroll", "{\"where\":\"role == 1\"}", 404, "did you mean `ebook`?" },
		{ "/sequences/ebook/enroll", "{}", 400, "the body must be" },
		{ "/sequences/ebook/enroll", "[]", 400, "the body must be" },
		{ "/sequences/ebook/enroll", "{\"where\":\"\"}", 400, "the body must be" },
		{ "/sequences/ebook/enroll", "{\"where\":\"rloe == \\\"x\\\"\",\"dry\":true}", 422, "\"column\":1," },
		{ "/sequences/ebook/enroll", "{\"where\":\"score\"}", 422, "\"column\":1," },
		{ "/templates/three-mistakes", "{}", 404, "ask for /templates" },
		{ "/templates/three-mistakes/send-test", "{}", 400, "the body must be" },
		{ "/templates/three-mistakes/send-test", "{\"to\":\"a@example.com\",\"data\":5}", 400, "the body must be" },
		{ "/templates/three-mistakes/send-test", "{\"to\":\"a@example.com\",\"owner\":5}", 400, "the body must be" },
		{ "/templates/three-mistakes/send-test", "{\"to\":\"a@example.com\",\"owner\":null}", 400, "the body must be" },
		{ "/templates/three-mistakes/send-test", "{\"to\":\"a@example.com\",\"prospect\":[\"b@example.com\"]}", 400, "the body must be" },
		{ "/templates/three-mistakes/send-test", "{\"to\":\"a\"}", 422, "detail" },
		{ "/templates/three/send-test", "{\"to\":\"a@example.com\"}", 422, "the config has no mail `three`" },
		{ "/templates/three-mistakes/send-test", "{\"to\":\"a@example.com\",\"prospect\":\"nobody@example.com\"}", 422, "nobody here" },
		{ "/templates/three-mistakes/send-test", "{\"to\":\"a@example.com\",\"prospect\":\"nobody\"}", 400, "detail" },
		{ "/templates/three-mistakes/send-test", NULL, 405, "" },
		{ "/eval", NULL, 400, "which, and for whom" },
		{ "/eval?expr=score", NULL, 400, "which, and for whom" },
		{ "/eval?expr=score&prospect=nobody%40example.com", NULL, 404, "nobody here" },
		{ "/eval?expr=score&prospect=nobody", NULL, 400, "detail" },
		{ "/eval?expr=scroe%20%3E%201&prospect=nobody%40example.com", NULL, 422, "\"column\":1,\"expression\":\"scroe > 1\"" },
		{ "/eval?expr=role%20%3D%3D%20%22%C3%A4%22%20or%20(&prospect=nobody%40example.com", NULL, 422, "\"column\":17," },
		{ "/eval?expr=event.path%20%3D%3D%20%22%2Fa%22&prospect=nobody%40example.com", NULL, 422, "there is no event at hand here" },
		{ "/suppressions?bucket=1024", NULL, 400, "0 to 1023" },
		{ "/suppressions?bucket=1&after=x", NULL, 400, "none that" },
		{ "/suppressions/import", "{}", 400, "the body must be" },
		{ "/suppressions/import", "{\"rows\":5}", 400, "the body must be" },
		{ "/suppressions?address=nobody%40example.com", NULL, 404, "not on the list" },
		{ "/suppressions?address=nobody", NULL, 400, "detail" },
		{ "/suppressions", "{}", 400, "the body must be" },
		{ "/suppressions", "[]", 400, "the body must be" },
		{ "/suppressions", "no json", 400, "the body must be" },
		{ "/suppressions", "{\"address\":5}", 400, "the body must be" },
		{ "/suppressions", "{\"address\":\"nobody\"}", 422, "detail" },
		{ "/suppressions", "{\"address\":\"a@example.com\",\"reason\":\"two\\u0001lines\"}", 422, "one line" },
		{ "/suppressions/remove", "{\"address\":\"\"}", 422, "detail" },
		{ "/alerts/alr_0000000000001/replay", "{}", 404, "no such alert" },
		{ "/alerts/alr_0000000000001", "{}", 404, "no alert" },
		{ "/alerts/pro_0000000000001/replay", "{}", 404, "no alert" },
		{ "/alerts/alr_00000000000000000000000000000000000001/replay", "{}", 404, "no alert" },
		{ "/alerts/", "{}", 404, "no alert" },
		{ "/status", "{}", 405, "" },
		{ "/reload", NULL, 405, "" },
		{ "/nothing", NULL, 404, "" },
		{ "/", NULL, 404, "" },
	};
	struct desk *d = *state;
	char path[128];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *p;

		snprintf(path, sizeof(path), "%s", rows[i].path);
		for (p = path; *p; p++)
			if (*p == ' ')
				*p = '+';
		if (ask(d, path, rows[i].post) != rows[i].status || !strstr(buf_cstr(&d->body), rows[i].has))
			fail_msg("%s %s: %ld %s", rows[i].path, rows[i].post ? rows[i].post : "", d->status,
				buf_cstr(&d->body));
		assert_string_equal(
			d->type, rows[i].status == 200 ? "application/json" : "application/problem+json");
	}
}

static void status_tells_what_there_is(void **state)
{
	struct desk *d = *state;
	json_t *lanes, *store, *config;

	assert_int_equal(ask(d, "/status", NULL), 200);
	assert_string_equal(text(d, "version"), VERSION);
	assert_true(json_is_true(json_object_get(d->json, "ready")));
	assert_int_equal(json_integer_value(json_object_get(d->json, "prospects")), 0);
	lanes = json_object_get(d->json, "lanes");
	assert_int_equal(json_array_size(lanes), 4);
	store = json_object_get(d->json, "store");
	assert_true(json_integer_value(json_object_get(store, "disk_free_bytes")) > 0);
	config = json_object_get(d->json, "config");
	assert_int_equal(strlen(json_string_value(json_object_get(config, "version"))), 12);
}

/*
 * Of the text format 0.0.4: HELP and TYPE once and before the lines of their name, which stand together;
 * values are numbers.
 */
static void check_metrics(const char *page)
{
	char name[128] = "";
	struct buf seen = BUF_INIT;
	const char *line, *end;
	bool histogram = false;
	double number;

	for (line = page; *line; line = end + 1) {
		char typed[128], value[64];
		size_t n;

		end = strchr(line, '\n');
		assert_non_null(end);
		if (sscanf(line, "# HELP %127s", typed) == 1) {
			char mark[130];

			snprintf(mark, sizeof(mark), "|%s|", typed);
			assert_null(strstr(buf_cstr(&seen), mark));
			buf_str(&seen, mark);
			snprintf(name, sizeof(name), "%s", typed);
			continue;
		}
		if (sscanf(line, "# TYPE %127s %63s", typed, value) == 2) {
			assert_string_equal(typed, name);
			histogram = strcmp(value, "histogram") == 0;
			continue;
		}
		n = strlen(name);
		assert_memory_equal(line, name, n);
		/* a histogram has its lines by these names */
		if (histogram && line[n] == '_')
			n += strcspn(line + n, "{ ");
		assert_true(line[n] == '{' || line[n] == ' ');
		assert_int_equal(sscanf(memrchr(line, ' ', (size_t)(end - line)), " %63s", value), 1);
		assert_int_equal(text_double(value, &number), 0);
	}
	buf_clear(&seen);
}

static void metrics_are_in_the_text_format(void **state)
{
	static const char *const names[] = {
		"nurtured_build_info{version=\"" VERSION "\"} 1\n", "\nnurtured_ready 1\n", "\nnurtured_prospects 0\n",
		"\nnurtured_delivery_lag_seconds 0\n", "\nnurtured_webhook_pending 0\n", "\nnurtured_schedule_due 0\n",
		"\nnurtured_store_errors_total{class=\"failed\"} 0\n", "\nnurtured_config_last_reload_successful 1\n",
		"\nnurtured_disk_free_bytes ",
	};
	struct desk *d = *state;
	size_t i;

	console_note_reload(true);
	assert_int_equal(ask(d, "/metrics", NULL), 200);
	assert_string_equal(d->type, "text/plain; version=0.0.4; charset=utf-8");
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strstr(buf_cstr(&d->body), names[i]))
			fail_msg("no %s in\n%s", names[i], buf_cstr(&d->body));
	check_metrics(buf_cstr(&d->body));
	assert_non_null(strstr(buf_cstr(&d->body), "some 0.5 % off.\n"));
	assert_null(strstr(buf_cstr(&d->body), "%%"));
	console_note_reload(false);
	assert_int_equal(ask(d, "/metrics", NULL), 200);
	assert_non_null(strstr(buf_cstr(&d->body), "\nnurtured_config_last_reload_successful 0\n"));
}

static int sign_up(struct world *w, struct db *db, void *arg, struct err *err)
{
	struct pair fields[] = { { "first_name", "Ada" } };
	struct signup_result result;
	struct address address;
	struct signup fact = {
		.form = "ebook",
		.address = &address,
		.fields = fields,
		.field_count = 1,
		.ip = "192.0.2.1",
		.agent = "",
		.page = "",
		.language = "",
		.timezone = "",
		.at = clock_now(),
	};

	if (address_parse(arg, &address, err) < 0)
		return -1;
	return on_signup(w->decide, db, &fact, &result, err);
}

static void a_person_is_found_by_address_and_id(void **state)
{
	static char address[] = "Ada+x@example.com";
	struct desk *d = *state;
	char path[128], id[ID_TEXT];

	world_run(&d->world, sign_up, address);
	assert_int_equal(ask(d, "/prospects/ada%2Bx%40example.com", NULL), 200);
	assert_string_equal(text(d, "email"), "Ada+x@example.com");
	snprintf(id, sizeof(id), "%s", text(d, "id"));
	assert_memory_equal(id, "pro_", 4);
	snprintf(path, sizeof(path), "/prospects/%s", id);
	assert_int_equal(ask(d, path, NULL), 200);
	assert_string_equal(text(d, "email"), "Ada+x@example.com");
	snprintf(path, sizeof(path), "/prospects/%s/why", id);
	assert_int_equal(ask(d, path, NULL), 200);
	assert_non_null(d->json);
	assert_int_equal(ask(d, "/status", NULL), 200);
	assert_int_equal(json_integer_value(json_object_get(d->json, "prospects")), 1);
}

/* The answer of /eval for Ada: its value as it is written in an expression. */
static void assert_value(struct desk *d, const char *expression, const char *source)
{
	struct buf path = BUF_INIT;

	buf_str(&path, "/eval?explain&prospect=ada%40example.com&expr=");
	text_percent(&path, expression, strlen(expression));
	if (ask(d, buf_cstr(&path), NULL) != 200 || strcmp(text(d, "source"), source) != 0)
		fail_msg("%s: %s", expression, buf_cstr(&d->body));
	buf_clear(&path);
}

static void an_expression_has_a_value_and_each_part_of_it(void **state)
{
	static char address[] = "ada@example.com";
	struct desk *d = *state;
	const json_t *parts;

	world_run(&d->world, sign_up, address);
	assert_value(d, "interest >= 9.5 and not did(\"purchase\")", "true");
	assert_string_equal(text(d, "expression"), "interest >= 9.5 and not did(\"purchase\")");
	assert_string_equal(text(d, "type"), "yes or no");
	parts = json_object_get(d->json, "parts");
	assert_int_equal(json_array_size(parts), 5);
	assert_non_null(strstr(json_string_value(json_array_get(parts, 1)), "interest >= 9.5: yes (at the earliest another at "));
	assert_string_equal(json_string_value(json_array_get(parts, 4)), "    did(\"purchase\"): no");
	assert_value(d, "first_name", "\"Ada\"");
	assert_value(d, "role", "nil");
	assert_value(d, "times(\"signup\", 1 day)", "1");
	assert_true(json_object_get(d->json, "until") && !json_is_null(json_object_get(d->json, "until")));
	assert_value(d, "stage >= \"consideration\"", "false");
	assert_true(json_is_null(json_object_get(d->json, "until")));
	assert_int_equal(ask(d, "/eval?expr=1%20%3D%3D%201&prospect=ada%40example.com", NULL), 200);
	assert_null(json_object_get(d->json, "parts"));
}

static void a_score_is_taken_apart(void **state)
{
	static char address[] = "ada@example.com";
	struct desk *d = *state;

	world_run(&d->world, sign_up, address);
	assert_int_equal(ask(d, "/prospects/ada%40example.com/score", NULL), 200);
	assert_int_equal(json_array_size(json_object_get(d->json, "fit_rules")), 3);
	assert_int_equal(json_array_size(json_object_get(d->json, "interest_rules")), 6);
	assert_true(json_is_true(json_object_get(json_object_get(d->json, "check"), "agrees")));
	assert_null(json_object_get(json_array_get(json_object_get(d->json, "fit_rules"), 0), "parts"));
	assert_int_equal(ask(d, "/prospects/ada%40example.com/score?explain", NULL), 200);
	assert_int_equal(json_array_size(json_object_get(json_array_get(json_object_get(d->json, "fit_rules"), 0), "parts")), 2);
}

/* Asks until it is through. */
static void await_enrolment(struct desk *d, const char *sequence)
{
	char path[80];
	int asked;

	snprintf(path, sizeof(path), "/sequences/%s/enroll", sequence);
	for (asked = 0; asked < 10000; asked++) {
		assert_int_equal(ask(d, path, NULL), 200);
		if (json_is_false(json_object_get(d->json, "running")))
			return;
	}
	fail_msg("it never ends: %s", buf_cstr(&d->body));
}

static void people_are_put_into_a_sequence(void **state)
{
	static const char dry[] = "{\"where\":\"first_name == \\\"Ada\\\"\",\"dry\":true}", wet[] = "{\"where\":\"first_name == \\\"Ada\\\"\"}";
	struct desk *d = *state;
	char address[40];
	int i;

	for (i = 0; i < 30; i++) {
		snprintf(address, sizeof(address), "ada%d@example.com", i);
		world_run(&d->world, sign_up, address);
	}
	assert_int_equal(ask(d, "/sequences/gift/enroll", dry), 200);
	assert_int_equal(json_integer_value(json_object_get(d->json, "would_enter")), 30);
	assert_int_equal(ask(d, "/sequences/gift/enroll", NULL), 404);
	assert_int_equal(ask(d, "/sequences/gift/enroll", wet), 202);
	assert_true(json_is_true(json_object_get(d->json, "running")));
	assert_int_equal(ask(d, "/sequences/gift/enroll", wet), 409);
	await_enrolment(d, "gift");
	assert_int_equal(json_integer_value(json_object_get(d->json, "entered")), 30);
	assert_int_equal(json_integer_value(json_object_get(d->json, "looked_at")), 30);
	assert_true(json_is_null(json_object_get(d->json, "error")));
	/* again: never */
	assert_int_equal(ask(d, "/sequences/gift/enroll", wet), 202);
	await_enrolment(d, "gift");
	assert_int_equal(json_integer_value(json_object_get(d->json, "entered")), 0);
	assert_int_equal(ask(d, "/sequences/ebook/enroll", NULL), 404);
	/* and one that is under way when the console goes */
	assert_int_equal(ask(d, "/sequences/urgent/enroll", wet), 202);
}

static void suppressions_are_added_found_and_removed(void **state)
{
	static const char add[] = "{\"address\":\" Eve@Example.com \",\"reason\":\"asked by phone\"}";
	struct desk *d = *state;

	assert_int_equal(ask(d, "/suppressions", add), 200);
	assert_string_equal(
		buf_cstr(&d->body), "{\"address\":\"Eve@example.com\",\"suppressed\":true,\"changed\":true}");
	assert_int_equal(ask(d, "/suppressions", "{\"address\":\"eve@example.com\"}"), 200);
	assert_true(json_is_false(json_object_get(d->json, "changed")));
	assert_int_equal(ask(d, "/suppressions?address=EVE@example.com", NULL), 200);
	assert_string_not_equal(text(d, "reason"), "(none)");
	assert_string_not_equal(text(d, "since"), "(none)");
	assert_int_equal(ask(d, "/suppressions/remove", "{\"address\":\"eve@example.com\"}"), 200);
	assert_true(json_is_true(json_object_get(d->json, "changed")));
	assert_true(json_is_false(json_object_get(d->json, "suppressed")));
	assert_int_equal(ask(d, "/suppressions?address=eve@example.com", NULL), 404);
}

/* Follows the pages to their end; how many rows, and of them how many have an email. */
static void walk_list(struct desk *d, size_t *rows_out, size_t *named_out, char *hash_out)
{
	char *path = strdup("/suppressions"), *next;
	size_t i;

	*rows_out = *named_out = 0;
	while (path) {
		const json_t *rows;

		assert_int_equal(ask(d, path, NULL), 200);
		free(path);
		rows = json_object_get(d->json, "rows");
		*rows_out += json_array_size(rows);
		for (i = 0; i < json_array_size(rows); i++) {
			*named_out += json_is_string(json_object_get(json_array_get(rows, i), "email"));
			snprintf(hash_out, 80, "%s", json_string_value(json_object_get(json_array_get(rows, i), "hash")));
		}
		next = json_is_string(json_object_get(d->json, "next")) ? strdup(json_string_value(json_object_get(d->json, "next"))) : NULL;
		path = next;
	}
}

static json_int_t number(struct desk *d, const char *name)
{
	return json_integer_value(json_object_get(d->json, name));
}

static const char *why_wrong(struct desk *d, size_t place, json_int_t row)
{
	const json_t *one = json_array_get(json_object_get(d->json, "wrong"), place);

	assert_int_equal(json_integer_value(json_object_get(one, "row")), row);
	return json_string_value(json_object_get(one, "why"));
}

static void a_list_is_put_on_the_list(void **state)
{
	static const char *const ends[] = { ",\"dry\":true}", "}", "}" };
	struct desk *d = *state;
	struct buf body = BUF_INIT, more = BUF_INIT;
	char hash[80] = "";
	size_t rows, named, before, i;

	walk_list(d, &before, &named, hash);
	buf_str(&body, "{\"rows\":[");
	for (i = 0; i < 490; i++)
		buf_printf(&body, "{\"email\":\"u%zu@example.com\",\"reason\":\"complaint\",\"at\":\"2020-01-02T03:04:05Z\"},", i);
	buf_str(&body, "{\"email\":\"nobody\"},{},5,{\"hash\":\"00\"},{\"email\":\"a@example.com\",\"at\":\"soon\"},"
		"{\"email\":\"a@example.com\",\"at\":\"2999-01-01T00:00:00Z\"},{\"email\":\"a@example.com\",\"reason\":\"a\\nb\"}]");
	for (i = 0; i < 3; i++) {
		buf_reset(&more);
		buf_add(&more, body.data, body.len);
		buf_str(&more, ends[i]);
		assert_int_equal(ask(d, "/suppressions/import", buf_cstr(&more)), 200);
		assert_int_equal(number(d, "new"), i < 2 ? 490 : 0);
		assert_int_equal(number(d, "known"), i < 2 ? 0 : 490);
		assert_int_equal(json_array_size(json_object_get(d->json, "wrong")), 7);
		assert_string_equal(why_wrong(d, 1, 491), "it has neither an email nor a hash");
		assert_non_null(strstr(why_wrong(d, 3, 494), "write it like"));
		assert_non_null(strstr(why_wrong(d, 6, 493), "none that `suppression export` wrote"));
	}
	assert_int_equal(ask(d, "/suppressions?address=u7@example.com", NULL), 200);
	assert_string_equal(text(d, "reason"), "complaint");
	assert_string_equal(text(d, "since"), "2020-01-02T03:04:05Z");
	walk_list(d, &rows, &named, hash);
	assert_int_equal(rows, before + 490);
	/* by its hash it is known, and of another key it is refused */
	buf_reset(&more);
	buf_printf(&more, "{\"rows\":[{\"hash\":\"%s\"},{\"hash\":\"%c%s\"}]}", hash, hash[0] == '0' ? '1' : '0', hash + 1);
	assert_int_equal(ask(d, "/suppressions/import", buf_cstr(&more)), 200);
	assert_int_equal(number(d, "known"), 1);
	assert_non_null(strstr(why_wrong(d, 0, 1), "another installation"));
	buf_clear(&body);
	buf_clear(&more);
}

/* Links of before hold; what comes is signed by another key. */
static void keys_are_rotated(void **state)
{
	struct desk *d = *state;
	const struct token_ring *ring = decide_ring(d->world.decide);
	char before[TOKEN_TEXT], after[TOKEN_TEXT];
	struct token token;
	size_t count;

	assert_int_equal(ask(d, "/keys", NULL), 200);
	count = json_array_size(json_object_get(d->json, "keys"));
	assert_true(count >= 1);
	token_make(ring, TOKEN_UNSUBSCRIBE, 5, 0, clock_now(), before);
	assert_int_equal(ask(d, "/keys/rotate", ""), 200);
	assert_int_equal(json_array_size(json_object_get(d->json, "keys")), count + 1);
	token_make(ring, TOKEN_UNSUBSCRIBE, 5, 0, clock_now() + US_HOUR, after);
	assert_string_not_equal(before, after);
	assert_int_equal(token_check(ring, TOKEN_UNSUBSCRIBE, before, strlen(before), clock_now(), &token, NULL), 0);
	assert_int_equal(token_check(ring, TOKEN_UNSUBSCRIBE, after, strlen(after), clock_now(), &token, NULL), 0);
	while (ask(d, "/keys/rotate", "") == 200)
		count++;
	assert_int_equal(d->status, 409);
	assert_int_equal(ask(d, "/keys", NULL), 200);
	assert_int_equal(json_array_size(json_object_get(d->json, "keys")), TOKEN_KEYS);
	assert_int_equal(token_check(ring, TOKEN_UNSUBSCRIBE, before, strlen(before), clock_now(), &token, NULL), 0);
}

/* --- reload ----------------------------------------------------------------------------------------- */

static void reload_tells_what_changed_or_all_errors(void **state)
{
	struct desk *d = *state;
	const json_t *errors;

	assert_int_equal(ask(d, "/reload", ""), 200);
	assert_string_equal(buf_cstr(&d->body), "{\"reloaded\":true,\"changes\":[\"1 sequence changed\"]}");
	d->refuse = 1;
	assert_int_equal(ask(d, "/reload", "{}"), 422);
	errors = json_object_get(d->json, "errors");
	assert_int_equal(json_array_size(errors), 2);
	assert_string_equal(json_string_value(json_array_get(errors, 0)), "a.yaml:1:2: wrong \"x\"");
	assert_string_equal(json_string_value(json_array_get(errors, 1)), "b.yaml:3:4: too");
	assert_int_equal(d->reloads, 2);
}

/* --- dead letters ----------------------------------------------------------------------------------- */

static int bury(struct world *w, struct db *db, void *arg, struct err *err)
{
	struct world_alert *a = arg;
	struct alert_outcome fact = {
		.alert = a->id, .dead = true, .code = 410, .error = "HTTP 410", .at = clock_now(),
	};

	return on_alert_outcome(w->decide, db, &fact, err);
}

static int claim(struct world *w, struct db *db, void *arg, struct err *err)
{
	struct alert_batch **batch = arg;

	alert_batch_free(batch);
	return on_claim_alerts(w->decide, db, 10, batch, err);
}

static void a_plan_tells_what_a_reload_would_change(void **state)
{
	struct desk *d = *state;
	const json_t *one;

	assert_int_equal(ask(d, "/plan", NULL), 200);
	assert_true(json_is_false(json_object_get(d->json, "changed")));
	world_write(&d->world, "sales.yaml", "hot: intent == \"demo\"\ncooldown: 14 days\non_hot: pause\nreplies_to: sales@example.com\n"
		"owners:\n  - {name: ana, email: ana@example.com, share: 1}\nalerts: " ALERTS "\n");
	assert_int_equal(ask(d, "/plan", NULL), 200);
	assert_true(json_is_true(json_object_get(d->json, "changed")));
	one = json_array_get(json_object_get(d->json, "differences"), 0);
	assert_string_equal(json_string_value(json_object_get(one, "kind")), "sales");
	assert_string_equal(json_string_value(json_object_get(json_array_get(json_object_get(one, "details"), 0), "is")), "intent == \"demo\"");
	world_write(&d->world, "sales.yaml", "hot: intnt == \"demo\"\nwarm: 5\n");
	assert_int_equal(ask(d, "/plan", NULL), 422);
	assert_string_equal(text(d, "detail"), "the config has errors; a reload would be refused");
	assert_true(json_array_size(json_object_get(d->json, "errors")) >= 2);
}

static void a_dead_alert_is_listed_and_goes_out_again(void **state)
{
	struct desk *d = *state;
	struct world_alert a = { .url = "https://crm.example.com/hooks/secret-path", .body = "{}" };
	struct alert_batch *batch = NULL;
	struct world_look look;
	char path[64], id[ID_TEXT];

	world_run(&d->world, world_put_alert, &a);
	snprintf(path, sizeof(path), "/alerts/%s/replay", id_text("alr", a.id, id));
	assert_int_equal(ask(d, path, "{}"), 409);
	world_run(&d->world, claim, &batch);
	assert_int_equal(batch->count, 1);
	world_run(&d->world, bury, &a);

	assert_int_equal(ask(d, "/queue?dead", NULL), 200);
	assert_int_equal(json_array_size(d->json), 1);
	assert_string_equal(json_string_value(json_object_get(json_array_get(d->json, 0), "alert")), id);
	assert_string_equal(
		json_string_value(json_object_get(json_array_get(d->json, 0), "to")), "crm.example.com");
	/* what would let others post there is not shown */
	assert_null(strstr(buf_cstr(&d->body), "secret-path"));

	assert_int_equal(ask(d, path, "{}"), 200);
	look = world_alert(&d->world, a.id);
	assert_int_equal(look.state, ALERT_WAITING);
	assert_int_equal(look.attempt, 0);
	assert_int_equal(ask(d, path, "{}"), 409);
	world_run(&d->world, claim, &batch);
	assert_int_equal(batch->count, 1);
	assert_true(batch->alerts[0].alert == a.id);
	alert_batch_free(&batch);
}

/* --- the socket ------------------------------------------------------------------------------------- */

static void the_socket_is_for_owner_and_group_and_goes_with_the_console(void **state)
{
	struct desk *d = *state;
	struct stat st;

	assert_int_equal(stat(d->socket, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	console_stop(&d->console);
	assert_int_equal(stat(d->socket, &st), -1);
}

static void a_socket_that_cannot_be_made_is_an_error(void **state)
{
	struct desk *d = *state;
	struct console_options options = { .socket = "/nowhere/at/all/control.sock", .reload = reload_cb };
	struct console *c = NULL;
	struct err err;

	assert_int_equal(console_start(d->world.loop, d->world.decide, &options, &c, &err), -1);
	assert_non_null(strstr(err.text, "/nowhere/at/all"));
	assert_null(c);
}

static void ignore_cb(void *arg, CURLcode code)
{
}

static int read_after(struct world *w, struct db *db, void *arg, struct err *err)
{
	return 0;
}

static void requests_under_way_outlive_the_console(void **state)
{
	struct desk *d = *state;
	CURL *look = easy_for(d, "/status", NULL),
	     *act = easy_for(d, "/suppressions", "{\"address\":\"eve@example.com\"}");
	struct transfer *first = transfer_start(d->pool, look, 0, ignore_cb, d),
			*second = transfer_start(d->pool, act, 0, ignore_cb, d);

	/* some turns of the loop, which end somewhere on the way of the two */
	world_read(&d->world, read_after, NULL);
	world_read(&d->world, read_after, NULL);
	console_stop(&d->console);
	transfer_cancel(&first);
	transfer_cancel(&second);
	curl_easy_cleanup(look);
	curl_easy_cleanup(act);
}

/* How many copies lie in the state folder. */
static size_t copies(struct desk *d)
{
	char *pattern = xasprintf("%s/state/snapshot-*", d->world.folder);
	glob_t found;
	size_t n;

	assert_true(glob(pattern, 0, NULL, &found) != GLOB_NOSPACE);
	n = found.gl_pathc;
	globfree(&found);
	free(pattern);
	return n;
}

static void a_copy_of_the_database_is_made_and_goes(void **state)
{
	struct desk *d = *state;
	struct store *copy = NULL;
	struct stat st;
	struct err err;
	char *first;

	assert_int_equal(ask(d, "/snapshot", "{}"), 200);
	first = xstrdup(text(d, "path"));
	assert_int_equal(stat(first, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	if (store_open_memory(first, &copy, &err))
		fail_msg("%s", err.text);
	store_stop(&copy);
	/* the next takes its place */
	assert_int_equal(ask(d, "/snapshot", "{}"), 200);
	assert_string_not_equal(first, text(d, "path"));
	assert_int_equal(copies(d), 1);
	assert_int_equal(ask(d, "/snapshot/remove", "{}"), 200);
	assert_int_equal(copies(d), 0);
	assert_int_equal(ask(d, "/snapshot/remove", "{}"), 200);
	assert_int_equal(ask(d, "/snapshot", NULL), 405);
	free(first);
}

static void a_copy_goes_with_the_console_and_what_was_left_goes_at_the_start(void **state)
{
	struct desk *d = *state;
	struct console_options options = { .reload = reload_cb, .reload_arg = d, .socket = d->socket };
	struct err err;

	assert_int_equal(ask(d, "/snapshot", "{}"), 200);
	assert_int_equal(copies(d), 1);
	console_stop(&d->console);
	assert_int_equal(copies(d), 0);
	world_write(&d->world, "state/snapshot-0000000000000.db", "left by a daemon that was killed");
	assert_int_equal(copies(d), 1);
	assert_int_equal(console_start(d->world.loop, d->world.decide, &options, &d->console, &err), 0);
	assert_int_equal(copies(d), 0);
}

static void a_copy_that_is_being_made_outlives_the_console(void **state)
{
	struct desk *d = *state;
	CURL *make = easy_for(d, "/snapshot", "{}");
	struct transfer *t = transfer_start(d->pool, make, 0, ignore_cb, d);

	world_read(&d->world, read_after, NULL);
	world_read(&d->world, read_after, NULL);
	console_stop(&d->console);
	world_read(&d->world, read_after, NULL);
	transfer_cancel(&t);
	curl_easy_cleanup(make);
	assert_int_equal(copies(d), 0);
}

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(each_route_answers),
		CASE(status_tells_what_there_is),
		CASE(metrics_are_in_the_text_format),
		CASE(a_person_is_found_by_address_and_id),
		CASE(an_expression_has_a_value_and_each_part_of_it),
		CASE(a_score_is_taken_apart),
		CASE(people_are_put_into_a_sequence),
		CASE(suppressions_are_added_found_and_removed),
		CASE(a_list_is_put_on_the_list),
		CASE(keys_are_rotated),
		CASE(reload_tells_what_changed_or_all_errors),
		CASE(a_plan_tells_what_a_reload_would_change),
		CASE(a_dead_alert_is_listed_and_goes_out_again),
		CASE(the_socket_is_for_owner_and_group_and_goes_with_the_console),
		CASE(a_socket_that_cannot_be_made_is_an_error),
		CASE(requests_under_way_outlive_the_console),
		CASE(a_copy_of_the_database_is_made_and_goes),
		CASE(a_copy_goes_with_the_console_and_what_was_left_goes_at_the_start),
		CASE(a_copy_that_is_being_made_outlives_the_console),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
