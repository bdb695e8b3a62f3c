/*
 * test_example.c: the example in conf/ with the shipped templates loads as it is, and says what a machine lacks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

#include "conf.h"

#define EXAMPLE "conf/nurtured.yaml"

static void test_example_loads(void **state)
{
	struct plan_errors errors = { 0 };
	struct plan *plan;
	struct conf c;

	conf_init(&c);
	plan = plan_load(EXAMPLE, &errors);
	assert_string_equal(buf_cstr(&errors.text), "");
	assert_non_null(plan);
	assert_non_null(plan_form(plan, "free-ebook"));
	assert_non_null(plan_sequence(plan, "ebook"));
	assert_int_equal(plan_step(plan_sequence(plan, "ebook"), "nudge"), 7);
	assert_true(plan_mail(plan, "ebook-delivery")->uses_download);
	assert_int_equal(plan->sales.alert_count, 2);
	plan_unref(&plan);
	buf_clear(&errors.text);
	conf_clear(&c);
}

/* --- what the shipped alerts say -------------------------------------------------------------------------------- */

struct named {
	const struct vocabulary *names;
	json_t *values;
	struct arena *arena;
};

static struct value name_cb(void *ctx, int symbol)
{
	const struct named *n = ctx;
	const json_t *value = json_object_get(n->values, vocabulary_symbol(n->names, symbol)->name);

	return value ? value_from_json(n->arena, value) : value_nil;
}

/* JSON in every case: of a hot lead, of a person who never was one, of what only a program reads. */
static void test_alerts_are_json(void **state)
{
	static const char prospect[] = "\"prospect\": {\"name\": \"Eva \\\"E\\\" & Co\", \"email\": \"eva@example.com\", "
		"\"score\": 12, \"interest\": 7, \"fit\": 5, \"stage\": \"awareness\", \"intent\": null, \"fields\": {}}";
	static const struct {
		const char *names, *type;
	} rows[] = {
		{ "\"alert\": {\"type\": \"lead.hot\", \"at\": \"2026-11-22T03:21:35Z\", \"reason\": \"score\", \"sequence\": null, "
		  "\"step\": null}, \"lead\": {\"id\": \"led_1\", \"at\": \"2026-11-22T03:21:35Z\", \"reason\": \"score\", \"owner\": "
		  "{\"name\": \"Ana\"}}, \"links\": {\"accept\": \"https://a\", \"reject\": \"https://r\", \"won\": \"https://w\", "
		  "\"lost\": \"https://l\"}, \"words\": \"Call\\nme\", \"terms\": [{\"name\": \"click\", \"points\": 5, \"count\": 2}], "
		  "\"actions\": [{\"at\": \"2026-11-22T03:21:35Z\", \"name\": \"click\", \"subject\": \"a\"}]", "lead.hot" },
		{ "\"alert\": {\"type\": \"sequence.alert\", \"at\": \"2026-11-22T03:21:35Z\", \"reason\": \"Went \\\"quiet\\\"\", "
		  "\"sequence\": \"ebook\", \"step\": \"tell\"}, \"terms\": [], \"actions\": []", "sequence.alert" },
		{ "\"alert\": {\"type\": \"sequence.webhook\", \"at\": \"2026-11-22T03:21:35Z\", \"reason\": \"webhook-1\", "
		  "\"sequence\": \"ebook\", \"step\": \"webhook-1\"}, \"terms\": [], \"actions\": []", "sequence.webhook" },
	};
	struct plan_errors errors = { 0 };
	struct conf c;
	struct plan *plan;

	conf_init(&c);
	plan = plan_load(EXAMPLE, &errors);
	assert_non_null(plan);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char *text = xasprintf("{%s, %s}", prospect, rows[i].names);
		struct named named = { .names = plan->alert_names, .values = json_loads(text, 0, NULL), .arena = arena_new(0) };
		const struct template_env env = { .ctx = &named, .name = name_cb, .arena = named.arena };

		assert_non_null(named.values);
		for (size_t k = 0; k < plan->sales.alert_count; k++) {
			struct buf out = BUF_INIT;
			struct err err = { "" };
			json_t *said;

			assert_int_equal(template_render(plan->sales.alerts[k].payload, &env, &out, &err), TEMPLATE_DONE);
			said = json_loads(buf_cstr(&out), 0, NULL);
			if (!said)
				fail_msg("%s is no JSON: %s", plan->sales.alerts[k].as, buf_cstr(&out));
			if (!strcmp(plan->sales.alerts[k].as, "standard"))
				assert_string_equal(json_string_value(json_object_get(said, "type")), rows[i].type);
			json_decref(said);
			buf_clear(&out);
		}
		json_decref(named.values);
		arena_free(&named.arena);
		free(text);
	}
	plan_unref(&plan);
	conf_clear(&c);
}

/* What is missing is named one by one, with what to do. */
static void test_without_credentials(void **state)
{
	struct plan_errors errors = { 0 };

	unsetenv("CREDENTIALS_DIRECTORY");
	assert_null(plan_load(EXAMPLE, &errors));
	assert_non_null(strstr(buf_cstr(&errors.text), "there is no credential `smtp-password`"));
	assert_non_null(strstr(buf_cstr(&errors.text), "LoadCredential=imap-password:"));
	assert_null(strstr(buf_cstr(&errors.text), ".liquid:"));
	buf_clear(&errors.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_example_loads),
		cmocka_unit_test(test_alerts_are_json),
		cmocka_unit_test(test_without_credentials),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
