/*
 * test_mail_job.c: which delivery a mail is about: the strongest token that verifies, and to an unsubscribe
 * address no other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "../../daemon/listen/mail_job.h"
#include "base/clock.h"

#define NOW (INT64_C(1793613600) * US_SECOND)

static struct token_ring *ring, *foreign;

static int set_up(void **state)
{
	static const uint8_t keys[2][1][TOKEN_SECRET] = { { { 1 } }, { { 2 } } };
	static const uint8_t ids[1] = { 0 };

	(void)state;
	ring = token_ring_new(keys[0], ids, 1);
	foreign = token_ring_new(keys[1], ids, 1);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	token_ring_free(&ring);
	token_ring_free(&foreign);
	return 0;
}

static void add(json_t *message, const struct token_ring *by, enum token_kind kind, int64_t id, int64_t at)
{
	char text[TOKEN_TEXT];

	token_make(by, kind, id, 0, at, text);
	json_array_append_new(
		json_object_get(message, "tokens"), json_pack("{ss ss}", "text", text, "kind", "?"));
}

static json_t *mail(const char *class)
{
	return json_pack("{ss s[]}", "class", class, "tokens");
}

static void strongest(void **state)
{
	json_t *m = mail("human");
	char kind = 'x';

	(void)state;
	assert_int_equal(mail_job_delivery(ring, m, NOW, &kind), 0);
	assert_int_equal(kind, 0);
	add(m, foreign, TOKEN_REPLY, 7, NOW);			/* not ours */
	json_array_append_new(json_object_get(m, "tokens"), json_pack("{ss}", "text", "too short"));
	json_array_append_new(json_object_get(m, "tokens"), json_integer(3));
	assert_int_equal(mail_job_delivery(ring, m, NOW, &kind), 0);
	add(m, ring, TOKEN_BOUNCE, 8, NOW - 61 * US_DAY);	/* expired */
	add(m, ring, TOKEN_SALES, 9, NOW);			/* of a lead, not of a delivery */
	add(m, ring, TOKEN_MESSAGE, 10, NOW - 900 * US_DAY);
	add(m, ring, TOKEN_REPLY, 11, NOW);
	assert_int_equal(mail_job_delivery(ring, m, NOW, &kind), 10);
	assert_int_equal(kind, TOKEN_MESSAGE);
	json_decref(m);
}

static void unsubscribe_address(void **state)
{
	json_t *m = mail("unsubscribe");
	char kind;

	(void)state;
	add(m, foreign, TOKEN_UNSUBSCRIBE, 7, NOW);
	add(m, ring, TOKEN_MESSAGE, 8, NOW);
	assert_int_equal(mail_job_delivery(ring, m, NOW, &kind), 0);
	add(m, ring, TOKEN_UNSUBSCRIBE, 9, NOW - 900 * US_DAY);
	assert_int_equal(mail_job_delivery(ring, m, NOW, &kind), 9);
	assert_int_equal(kind, TOKEN_UNSUBSCRIBE);
	json_decref(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strongest), cmocka_unit_test(unsubscribe_address)};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
