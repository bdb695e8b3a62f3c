/* test_thing.c: each kind of thing has a name, a line that is one line, and an object that is JSON; times are the zone's. */
#include "with_plan.h"

#include <jansson.h>

#include "base/text.h"
#include "simulate/thing.h"

static int64_t at(const char *time)
{
	int64_t us;

	assert_int_equal(text_time_parse(time, &us), 0);
	return us;
}

static void test_every_kind(void **state)
{
	const struct zone *zone = zone_find("Europe/Berlin");
	static const char nasty[] = "two\nlines \x1b[31m \"red\" \xff";
	struct thing all = { .at = at("2026-03-02T08:30:00Z"), .sequence = nasty, .step = nasty, .mail = nasty, .subject = nasty, .from = nasty,
		.to = nasty, .text = nasty, .why = nasty, .until = at("2026-03-03T08:30:00Z"), .fit = 1.0 / 3, .interest = -0.001, .points = -5 };
	struct thing none = { .at = all.at };

	for (enum thing_kind kind = 0; kind < THINGS; kind++) {
		struct thing *both[] = { &all, &none };

		assert_non_null(thing_name(kind));
		for (int i = 0; i < 2; i++) {
			struct buf out = BUF_INIT;
			json_t *json;

			both[i]->kind = kind;
			thing_line(both[i], zone, all.at, &out);
			assert_null(strpbrk(out.data, "\n\x1b"));
			if (kind != THING_NOTE)
				assert_non_null(strstr(out.data, thing_name(kind)));
			buf_reset(&out);
			thing_json(both[i], zone, all.at, &out);
			json = json_loadb(out.data, out.len, JSON_REJECT_DUPLICATES, NULL);
			assert_non_null(json);
			assert_string_equal(json_string_value(json_object_get(json, "at")), "2026-03-02T09:30:00+01:00");
			json_decref(json);
			buf_clear(&out);
		}
	}
}

static void test_days_are_the_zones(void **state)
{
	const struct zone *zone = zone_find("America/New_York");
	struct thing t = { .kind = THING_WAITS, .sequence = "guide", .step = "tips", .until = at("2026-03-09T03:59:00Z"), .at = at("2026-03-08T06:59:00Z") };
	struct buf out = BUF_INIT;

	/* summer time begins between the two; and it is still the seventh there when the start's clock has passed midnight */
	thing_line(&t, zone, at("2026-03-01T23:00:00Z"), &out);
	assert_string_equal(out.data, "  7  Sun 2026-03-08 01:59  waits        guide: till Sun 2026-03-08 23:59, then tips");
	assert_int_equal(thing_day(at("2026-03-02T04:59:00Z"), zone, at("2026-03-02T04:59:59Z")), 0);
	assert_int_equal(thing_day(at("2026-03-02T05:00:00Z"), zone, at("2026-03-02T04:59:59Z")), 1);
	buf_clear(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_kind),
		cmocka_unit_test(test_days_are_the_zones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
