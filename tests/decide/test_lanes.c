/*
 * test_lanes.c: what somebody waits for goes before what a thousand others are due, and what the gate holds is in nobody's way.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "small_site.h"

#include "base/log.h"
#include "store/rows.h"

/* Monday 2026-11-23 10:00 in Berlin: not quiet */
#define START (INT64_C(1795424400) * US_SECOND)

#define CROWD 1000

static struct site site;

struct claimed {
	size_t max, count;
	bool alone;
	char templates[64][32];
	bool awaited[64];
};

static int claim(struct site *s, struct db *db, void *arg, struct err *err)
{
	struct claimed *c = arg;
	struct mail_batch *batch;

	if (c->alone ? on_claim_awaited(s->d, db, c->max, &batch, err) : on_claim(s->d, db, c->max, &batch, err))
		return -1;
	for (c->count = 0; c->count < batch->count && c->count < 64; c->count++) {
		snprintf(c->templates[c->count], sizeof(c->templates[0]), "%s", batch->mails[c->count].template->name);
		c->awaited[c->count] = batch->mails[c->count].awaited;
	}
	c->count = batch->count;
	mail_batch_free(&batch);
	return 0;
}

static void crowd(const char *country)
{
	char email[64];
	int i;

	for (i = 0; i < CROWD; i++) {
		snprintf(email, sizeof(email), "crowd%d@example.org", i);
		site_signup(&site, email, country, "", "");
	}
}

static int open_site(void **state)
{
	clock_set(START);
	site_init(&site);
	site_mail(&site, "ebook", "Your eBook", "<a href=\"{{ download_url }}\">get it</a>");
	site_write(&site, "forms/form.yaml", "form: form\nfields: [email, first_name, country]\ndownload: book.pdf\n"
		"consent: {purpose: newsletter, words: \"Yes.\"}\nconfirm: single\nlimits: {per_address: 100 per hour, per_ip: 100000 per hour}\n");
	site_sequence(&site, "crowd", "enter: {on: signup, when: country == \"XX\" or country == \"YY\"}\nsteps:\n  - {send: b}\n");
	site_sequence(&site, "quick", "enter: {on: signup, when: country == \"AT\"}\nsteps:\n  - {send: ebook, even_in: quiet}\n  - {send: a}\n");
	site_folder(&site, "state");
	site_folder(&site, "state/files");
	site_write(&site, "state/files/book.pdf", "%PDF");
	site_open(&site);
	return 0;
}

static int close_site(void **state)
{
	site_clear(&site);
	clock_set(0);
	return 0;
}

static void test_an_ebook_goes_before_a_crowd(void **state)
{
	struct claimed c = { .max = 10 };

	crowd("XX");
	site_signup(&site, "eva@example.com", "AT", "", "");
	assert_true(queue_next_mail(site.store) <= START);
	site_run(&site, claim, &c);
	assert_int_equal(c.count, 10);
	assert_string_equal(c.templates[0], "ebook");
	assert_string_equal(c.templates[1], "b");
	assert_true(c.awaited[0]);
	assert_false(c.awaited[1]);
}

static void test_they_can_be_had_alone(void **state)
{
	struct claimed c = { .max = 10, .alone = true };

	crowd("XX");
	site_signup(&site, "eva@example.com", "AT", "", "");
	site_run(&site, claim, &c);
	assert_int_equal(c.count, 1);
	assert_string_equal(c.templates[0], "ebook");
	site_run(&site, claim, &c);
	assert_int_equal(c.count, 0);
}

static void test_a_room_of_one_is_theirs(void **state)
{
	struct claimed c = { .max = 1 };

	crowd("XX");
	site_signup(&site, "eva@example.com", "AT", "", "");
	site_run(&site, claim, &c);
	assert_int_equal(c.count, 1);
	assert_string_equal(c.templates[0], "ebook");
	site_run(&site, claim, &c);
	assert_string_equal(c.templates[0], "b");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_an_ebook_goes_before_a_crowd, open_site, close_site),
		cmocka_unit_test_setup_teardown(test_they_can_be_had_alone, open_site, close_site),
		cmocka_unit_test_setup_teardown(test_a_room_of_one_is_theirs, open_site, close_site),
	};

	log_setup(LOG_ERROR, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
