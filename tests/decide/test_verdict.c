/* test_verdict.c: who opened or clicked: a row for each rule. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"

#include "../../daemon/decide/decide.h"

#define BROWSER "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
#define SEEN (HIT_ACCEPT | HIT_LANGUAGE)
#define GMAIL_PREFETCH \
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 Mozilla/5.0"
#define GOOGLE_PROXY "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
#define S US_SECOND
#define SENT (1000 * S)
#define LATER (SENT + 300 * S)

static struct networks *listed(const char *text)
{
	struct networks *networks;
	struct err err;

	assert_int_equal(networks_parse(text, strlen(text), &networks, &err), 0);
	return networks;
}

static void judge(struct hit *hits, size_t count)
{
	struct networks *egress = listed("172.224.224.0/27,GB,\n2a02:26f7::/64\n"), *scanners = listed("198.51.100.0/24\n");

	verdict_judge(hits, count, SENT, &(struct verdict_lists){ .egress = egress, .scanners = scanners });
	networks_free(&egress);
	networks_free(&scanners);
}

static void test_single_hits(void **state)
{
	static const struct {
		struct hit hit;
		enum verdict verdict;
		unsigned reasons;
	} rows[] = {
		/* opens */
		{ { .kind = 'o', .at = LATER, .agent = BROWSER }, VERDICT_HUMAN, 0 },
		{ { .kind = 'o', .at = LATER, .agent = "Mozilla/5.0" }, VERDICT_MACHINE, VERDICT_APPLE },
		{ { .kind = 'o', .at = LATER, .agent = "Mozilla/5.0 " }, VERDICT_HUMAN, 0 },
		{ { .kind = 'o', .at = LATER, .agent = BROWSER, .ip = "172.224.224.31" }, VERDICT_MACHINE, VERDICT_EGRESS },
		{ { .kind = 'o', .at = LATER, .agent = BROWSER, .ip = "172.224.224.32" }, VERDICT_HUMAN, 0 },
		{ { .kind = 'o', .at = LATER, .agent = BROWSER, .ip = "2a02:26f7::1" }, VERDICT_MACHINE, VERDICT_EGRESS },
		{ { .kind = 'o', .at = LATER, .agent = BROWSER, .ip = "198.51.100.7" }, VERDICT_HUMAN, 0 },	/* scanners judge clicks only */
		{ { .kind = 'o', .at = LATER, .agent = "" }, VERDICT_MACHINE, VERDICT_NO_AGENT },
		{ { .kind = 'o', .at = LATER, .agent = BROWSER, .traits = HIT_HEAD }, VERDICT_MACHINE, VERDICT_HEAD },
		{ { .kind = 'o', .at = SENT + 3 * S - 1, .agent = BROWSER }, VERDICT_MACHINE, VERDICT_EARLY },
		{ { .kind = 'o', .at = SENT + 3 * S, .agent = BROWSER }, VERDICT_HUMAN, 0 },
		{ { .kind = 'o', .at = LATER, .agent = GOOGLE_PROXY }, VERDICT_UNKNOWN, VERDICT_PROXY },
		{ { .kind = 'o', .at = LATER, .agent = "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html" }, VERDICT_UNKNOWN,
			VERDICT_PROXY },
		{ { .kind = 'o', .at = SENT + S, .agent = GOOGLE_PROXY }, VERDICT_MACHINE, VERDICT_PROXY | VERDICT_EARLY },
		{ { .kind = 'o', .at = LATER, .agent = GMAIL_PREFETCH }, VERDICT_MACHINE, VERDICT_PREFETCH },
		/* clicks */
		{ { .kind = 'c', .at = LATER, .agent = BROWSER, .traits = SEEN }, VERDICT_HUMAN, 0 },
		{ { .kind = 'c', .at = LATER, .agent = BROWSER, .traits = SEEN | HIT_HEAD }, VERDICT_MACHINE, VERDICT_HEAD },
		{ { .kind = 'c', .at = LATER, .agent = "", .traits = SEEN }, VERDICT_MACHINE, VERDICT_NO_AGENT },
		{ { .kind = 'c', .at = LATER, .agent = "Go-http-client/1.1", .traits = SEEN }, VERDICT_MACHINE, VERDICT_AGENT },
		{ { .kind = 'c', .at = LATER, .agent = "curl/8.5", .traits = SEEN }, VERDICT_MACHINE, VERDICT_AGENT },
		{ { .kind = 'c', .at = LATER, .agent = "Mozilla/5.0 (compatible; TrendMicro WRS)", .traits = SEEN }, VERDICT_MACHINE, VERDICT_AGENT },
		{ { .kind = 'c', .at = LATER, .agent = "Slackbot-LinkExpanding 1.0", .traits = SEEN }, VERDICT_MACHINE, VERDICT_AGENT },
		{ { .kind = 'c', .at = LATER, .agent = "Mozilla/5.0", .traits = SEEN }, VERDICT_HUMAN, 0 },	/* Apple's says so of opens */
		{ { .kind = 'c', .at = LATER, .agent = BROWSER, .traits = SEEN, .ip = "198.51.100.7" }, VERDICT_UNKNOWN, VERDICT_SCANNER },
		{ { .kind = 'c', .at = LATER, .agent = BROWSER, .traits = SEEN, .ip = "172.224.224.1" }, VERDICT_HUMAN, 0 },
		{ { .kind = 'c', .at = LATER, .agent = BROWSER, .traits = HIT_ACCEPT }, VERDICT_UNKNOWN, VERDICT_BARE },
		{ { .kind = 'c', .at = LATER, .agent = BROWSER, .traits = HIT_LANGUAGE }, VERDICT_UNKNOWN, VERDICT_BARE },
		{ { .kind = 'c', .at = LATER, .agent = BROWSER, .traits = 0, .ip = "198.51.100.7" }, VERDICT_MACHINE, VERDICT_BARE | VERDICT_SCANNER },
		{ { .kind = 'c', .at = SENT + 10 * S - 1, .agent = BROWSER, .traits = SEEN }, VERDICT_UNKNOWN, VERDICT_EARLY },
		{ { .kind = 'c', .at = SENT - S, .agent = BROWSER, .traits = SEEN }, VERDICT_UNKNOWN, VERDICT_EARLY },
		{ { .kind = 'c', .at = SENT + 10 * S, .agent = BROWSER, .traits = SEEN }, VERDICT_HUMAN, 0 },
		{ { .kind = 'c', .at = SENT + S, .agent = BROWSER }, VERDICT_MACHINE, VERDICT_EARLY | VERDICT_BARE },
		{ { .kind = 'c', .at = LATER, .agent = BROWSER, .traits = SEEN | HIT_CROWD }, VERDICT_UNKNOWN, VERDICT_CROWD },
		{ { .kind = 'c', .at = LATER, .agent = BROWSER, .traits = HIT_CROWD }, VERDICT_MACHINE, VERDICT_CROWD | VERDICT_BARE },
		{ { .kind = 'c', .at = LATER, .agent = BROWSER, .traits = SEEN | HIT_CROWD | HIT_CAME_BACK }, VERDICT_HUMAN,
			VERDICT_CROWD | VERDICT_CAME_BACK },
		{ { .kind = 'c', .at = LATER, .agent = BROWSER, .traits = HIT_CROWD | HIT_CAME_BACK }, VERDICT_HUMAN,
			VERDICT_CROWD | VERDICT_BARE | VERDICT_CAME_BACK },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct hit hit = rows[i].hit;

		if (!hit.ip)
			hit.ip = "192.0.2.1";
		judge(&hit, 1);
		if (hit.verdict != rows[i].verdict || hit.reasons != rows[i].reasons)
			fail_msg("row %zu: %s %#x", i, verdict_name(hit.verdict), hit.reasons);
	}
}

/* Hits of one mail: kind, link, when; and which of them are machine's. */
static void test_hits_together(void **state)
{
	static const struct {
		const char *name;
		struct { char kind; int link; int64_t at; unsigned traits; } hits[6];
		const char *verdicts;	/* h, m, ? by hit */
		unsigned reasons;	/* of the first */
	} rows[] = {
		{ "two links at 1 s", { { 'c', 0, 0, SEEN }, { 'c', 1, S, SEEN } }, "mm", VERDICT_BURST },
		{ "two links further apart", { { 'c', 0, 0, SEEN }, { 'c', 1, S + 1, SEEN } }, "hh", 0 },
		{ "one link twice", { { 'c', 0, 0, SEEN }, { 'c', 0, S, SEEN } }, "hh", 0 },
		{ "three links within 5 s, all of them", { { 'c', 0, 0, SEEN }, { 'c', 1, 2 * S, SEEN }, { 'c', 2, 5 * S, SEEN } }, "mmm", VERDICT_BURST },
		{ "three links in more than 5 s", { { 'c', 0, 0, SEEN }, { 'c', 1, 2 * S, SEEN }, { 'c', 2, 5 * S + 1, SEEN } }, "hhh", 0 },
		{ "a person after a scanner",
			{ { 'c', 0, 0, SEEN }, { 'c', 1, S / 5, SEEN }, { 'c', 2, S / 2, SEEN }, { 'c', 0, 300 * S, SEEN } }, "mmmh", VERDICT_BURST },
		{ "a burst by HEAD and GET", { { 'c', 0, 0, SEEN | HIT_HEAD }, { 'c', 1, S / 2, SEEN } }, "mm", VERDICT_HEAD | VERDICT_BURST },
		{ "opens are no part of it", { { 'o', 0, 0, SEEN }, { 'c', 1, S / 2, SEEN } }, "hh", 0 },
		{ "unsubscribe and another", { { 'u', 0, 0, SEEN }, { 'c', 1, 10 * S, SEEN } }, "mm", VERDICT_UNSUBSCRIBE },
		{ "... in the other order", { { 'c', 1, 0, SEEN }, { 'u', 0, 10 * S, SEEN } }, "mm", VERDICT_UNSUBSCRIBE },
		{ "unsubscribe, and later another", { { 'u', 0, 0, SEEN }, { 'c', 1, 10 * S + 1, SEEN } }, "hh", 0 },
		{ "unsubscribe alone", { { 'u', 0, 0, SEEN }, { 'u', 0, S, SEEN } }, "hh", 0 },
		{ "the link that nobody sees", { { 'c', 1, 0, SEEN }, { 'c', HIT_HONEYPOT, 60 * S, SEEN } }, "mm", VERDICT_HONEYPOT },
		{ "... long after", { { 'c', 1, 0, SEEN }, { 'c', HIT_HONEYPOT, 60 * S + 1, SEEN } }, "hm", 0 },
		{ "a burst whose visitor came: it was tabs", { { 'c', 0, 0, SEEN | HIT_CAME_BACK }, { 'c', 1, S, SEEN } }, "hm",
			VERDICT_BURST | VERDICT_CAME_BACK },
	};
	size_t i, k, count;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct hit hits[6] = { { 0 } };

		count = strlen(rows[i].verdicts);
		for (k = 0; k < count; k++)
			hits[k] = (struct hit){ .kind = rows[i].hits[k].kind, .link = rows[i].hits[k].link, .at = LATER + rows[i].hits[k].at,
				.traits = rows[i].hits[k].traits, .agent = BROWSER, .ip = "192.0.2.1" };
		judge(hits, count);
		for (k = 0; k < count; k++) {
			char got = hits[k].verdict == VERDICT_MACHINE ? 'm' : hits[k].verdict == VERDICT_HUMAN ? 'h' : '?';

			if (got != rows[i].verdicts[k])
				fail_msg("%s: hit %zu is %c", rows[i].name, k, got);
		}
		if (hits[0].reasons != rows[i].reasons)
			fail_msg("%s: reasons %#x", rows[i].name, hits[0].reasons);
	}
}

static void test_when_it_was_sent(void **state)
{
	static const struct {
		enum delivery_state state;
		bool early;		/* is a click at 30 s that? */
	} rows[] = {
		{ DELIVERY_SENT, false }, { DELIVERY_FAILED, false }, { DELIVERY_UNKNOWN, false },
		{ DELIVERY_DOT, true }, { DELIVERY_SENDING, true },	/* the relay has not even said that it took it */
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct delivery mail = { .state = rows[i].state, .done = SENT };
		struct hit hit = { .kind = 'c', .at = SENT + 30 * S, .traits = SEEN, .agent = BROWSER, .ip = "" };

		verdict_judge(&hit, 1, verdict_sent(&mail), &(struct verdict_lists){ NULL, NULL });
		assert_int_equal(hit.reasons == VERDICT_EARLY, rows[i].early);
	}
}

static void test_a_crowd_is_five(void **state)
{
	struct crowd *crowd = crowd_new();
	struct hit h = { .kind = 'c', .ip = "192.0.2.1", .at = LATER };
	int64_t i;

	for (i = 1; i <= 4; i++) {
		h.prospect = i;
		crowd_add(crowd, &h);
	}
	h.prospect = 4;
	crowd_add(crowd, &h);		/* again one of them */
	assert_false(crowd_has(crowd, &h));
	h.prospect = 5;
	h.at = LATER + 10 * US_MINUTE;
	crowd_add(crowd, &h);
	assert_true(crowd_has(crowd, &h));
	h.at++;
	assert_false(crowd_has(crowd, &h));
	h.ip = "192.0.2.2";
	h.at = LATER;
	assert_false(crowd_has(crowd, &h));
	crowd_free(&crowd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_single_hits),
		cmocka_unit_test(test_hits_together),
		cmocka_unit_test(test_when_it_was_sent),
		cmocka_unit_test(test_a_crowd_is_five),
	};

	return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
