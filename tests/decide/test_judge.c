/*
 * test_judge.c: what follows from verdicts: events and points, held back and retroactive; who becomes hot; and that judging again finds what was found
 * when the hits came.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/id.h"
#include "base/random.h"

#include "../../daemon/decide/decide.h"
#include "../../daemon/decide/person.h"
#include "small_site.h"

#define START (INT64_C(1796036400) * US_SECOND)	/* Monday 2026-11-30 11:00 UTC: mail goes out */
#define BROWSER "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
#define SEEN (HIT_ACCEPT | HIT_LANGUAGE)
#define S US_SECOND

static struct site site;
static struct buf said;

static const char sequence[] = "enter: {on: signup}\nsteps:\n  - only: {send: many}\n";

static void write_config(const char *tracking)
{
	char *path = xasprintf("%s/nurtured.yaml", site.folder), *text;
	char old[8192];
	FILE *f = fopen(path, "re");
	size_t n;

	assert_non_null(f);
	n = fread(old, 1, sizeof(old) - 1, f);
	old[n] = '\0';
	fclose(f);
	if (strstr(old, "tracking:"))
		*strstr(old, "tracking:") = '\0';
	text = xasprintf("%s%s", old, tracking);
	site_write(&site, "nurtured.yaml", text);
	free(text);
	free(path);
}

static int open_site(void **state)
{
	random_seed(7);
	clock_set(START);
	site_init(&site);
	site_write(&site, "templates/emails/many.liquid", "---\nsubject: Many\n---\n<p>Hello"
		" <a href=\"https://www.example.com/1\">one</a> <a href=\"https://www.example.com/2\">two</a> <a href=\"https://www.example.com/3\">three</a>"
		" <a href=\"{{ unsubscribe_url }}\">stop</a> {{ sender.postal_address }}</p>\n");
	site_sequence(&site, "drip", sequence);
	site_write(&site, "scanners.txt", "198.51.100.0/24\n");
	site_write(&site, "nurture.yaml", "fields:\n  first_name: {type: text, default: there}\n  country: {type: text}\n"
		"stages:\n  - name: first\nlists:\n  - {name: all}\n"
		"score:\n  interest:\n    - {on: click, points: 5, at_most: 15 per 7 days}\n    - {on: open, points: 1}\n"
		"    - {on: click, name: sure, points: 2, when: event.verdict == \"human\"}\n"
		"    - {on: click, name: keen, points: 1, when: 'first_name == \"Eva\"'}\n");
	site_write(&site, "sales.yaml", "hot: interest >= 6\nreplies_to: sales@example.com\nalerts: []\n");
	return 0;
}

static int close_site(void **state)
{
	site_clear(&site);
	buf_clear(&said);
	clock_set(0);
	return 0;
}

/* --- mails go out, hits come in ----------------------------------------------------------------------------------- */

static int claim_fn(struct site *s, struct db *db, void *arg, struct err *err)
{
	return on_claim(s->d, db, 100, arg, err);
}

static int sent_fn(struct site *s, struct db *db, void *arg, struct err *err)
{
	int64_t *delivery = arg;
	bool may;

	if (on_dot(s->d, db, *delivery, &may, err))
		return -1;
	assert_true(may);
	return on_outcome(s->d, db, &(struct mail_outcome){ .delivery = *delivery, .outcome = OUTCOME_SENT, .code = 250, .reply = "", .relay_id = "",
		.at = clock_now() }, err);
}

/* Signs up, and gets the mail. */
static int64_t person(const char *email)
{
	struct mail_batch *batch = NULL;
	int64_t delivery;

	site_signup(&site, email, NULL, "", "Europe/Berlin");
	site_run(&site, claim_fn, &batch);
	assert_int_equal(batch->count, 1);
	delivery = batch->mails[0].delivery;
	site_run(&site, sent_fn, &delivery);
	mail_batch_free(&batch);
	return delivery;
}

static int time_fn(struct site *s, struct db *db, void *arg, struct err *err)
{
	size_t done;

	return on_time(s->d, db, 100, &done, err);
}

static void until(int64_t at)
{
	while (queue_next_due(site.store, LANE_TIME) <= at) {
		if (queue_next_due(site.store, LANE_TIME) > clock_now())
			clock_set(queue_next_due(site.store, LANE_TIME));
		site_run(&site, time_fn, NULL);
	}
	clock_set(at);
}

static int hit_fn(struct site *s, struct db *db, void *arg, struct err *err)
{
	struct hit_result result;

	return on_hit(s->d, db, arg, &result, err);
}

static int pack_fn(struct site *s, struct db *db, void *arg, struct err *err)
{
	const struct hit_fact *f = arg;

	return on_hits_come(db, &(struct hit){ .delivery = f->delivery, .kind = f->kind, .link = f->link, .traits = f->traits, .times = 1, .ip = f->ip,
		.agent = f->agent, .at = f->at }, 1, err);
}

static int digest_fn(struct site *s, struct db *db, void *arg, struct err *err)
{
	struct digested *done = arg;

	return on_digest(s->d, db, 3, false, done, err);
}

/* What is recorded takes effect. */
static void digest(void)
{
	struct digested done;

	do {
		site_run(&site, digest_fn, &done);
	} while (done.hits);
}

static bool packed;	/* hits are only recorded */

static void hit(int64_t delivery, char kind, int link, unsigned traits, const char *ip, const char *agent)
{
	struct hit_fact fact = { .delivery = delivery, .kind = kind, .link = link, .traits = traits, .ip = ip, .agent = agent, .at = clock_now() };

	site_run(&site, packed ? pack_fn : hit_fn, &fact);
}

static void click(int64_t delivery, int link)
{
	hit(delivery, 'c', link, SEEN, "192.0.2.9", BROWSER);
}

struct visit { int64_t delivery; int link; };

static int visit_fn(struct site *s, struct db *db, void *arg, struct err *err)
{
	const struct visit *v = arg;
	struct track fact = { .who = { .anonymous_id = "visitor-1", .click_delivery = v->delivery, .click_link = v->link }, .event = "page_view", .subject = "/1",
		.properties = "{}", .at = clock_now() };
	struct track_result result;

	return on_track(s->d, db, &fact, &result, err);
}

static void visit(int64_t delivery, int link)
{
	struct visit v = { delivery, link };

	site_run(&site, visit_fn, &v);
}

/* --- what is known of somebody ------------------------------------------------------------------------------------ */

struct known {
	const char *email;
	size_t clicks, machine_clicks, opens, machine_opens;
	bool hot;
	double interest;
};

static int know_fn(struct site *s, struct db *db, void *arg, struct err *err)
{
	struct known *k = arg;
	struct arena *arena = arena_new(0);
	struct event_row *events;
	struct hit *hits;
	struct delivery *mails;
	struct hit_sum *sums;
	struct person p;
	struct address address;
	size_t count, i;

	assert_int_equal(address_parse(k->email, &address, err), 0);
	assert_int_equal(person_find(s->d, db, address.key, clock_now(), &p, err), 1);
	k->hot = p.row.hot;
	k->interest = person_interest(&p);
	assert_int_equal(events_all(db, p.row.id, arena, &events, &count, err), 0);
	for (i = 0; i < count; i++) {
		k->clicks += strcmp(events[i].name, "click") == 0;
		k->machine_clicks += strcmp(events[i].name, "click_machine") == 0;
		k->opens += strcmp(events[i].name, "open") == 0;
		k->machine_opens += strcmp(events[i].name, "open_machine") == 0;
		buf_printf(&said, "%s %lld %s %s %.3f\n", events[i].name, (long long)events[i].at, events[i].subject, events[i].data, events[i].points);
	}
	buf_printf(&said, "%s %.6f hot %d\n", k->email, k->interest, k->hot);
	assert_int_equal(deliveries_of(db, p.row.id, 1, arena, &mails, &count, err), 0);
	assert_int_equal(hits_of_delivery(db, mails[0].id, 0, arena, &hits, &count, err), 0);
	for (i = 0; i < count; i++)
		buf_printf(&said, "%c %d %lld %s %#x %d\n", hits[i].kind, hits[i].link, (long long)hits[i].at, verdict_name(hits[i].verdict),
			hits[i].reasons, hits[i].event != 0);
	assert_int_equal(hit_days_of(db, "drip", arena, &sums, &count, err), 0);
	for (i = 0; i < count; i++)
		if (sums[i].mails)
			buf_printf(&said, "%c %s %lld\n", sums[i].kind, verdict_name(sums[i].verdict), (long long)sums[i].mails);
	arena_free(&arena);
	return 0;
}

static struct known know(const char *email)
{
	struct known k = { .email = email };

	site_run(&site, know_fn, &k);
	return k;
}

static int rescore_fn(struct site *s, struct db *db, void *arg, struct err *err)
{
	struct rescored *total = arg, some;
	struct rescore fact = { .max = 3, .at = clock_now() };

	while (fact.bucket < BUCKETS) {
		if (on_rescore(s->d, db, &fact, &some, err))
			return -1;
		total->mails += some.mails;
		total->changed += some.changed;
		total->scores += some.scores;
		fact.after = some.after;
		if (some.mails < fact.max) {
			fact.bucket++;
			fact.after = 0;
		}
	}
	return 0;
}

static struct rescored rescore(void)
{
	struct rescored total = { 0 };

	site_run(&site, rescore_fn, &total);
	return total;
}

/* --- effects ------------------------------------------------------------------------------------------------------ */

static void test_a_click_is_held_back(void **state)
{
	int64_t mail;

	site_open(&site);
	mail = person("eva@work.example");
	until(START + 300 * S);
	click(mail, 0);
	until(START + 389 * S);
	assert_int_equal(know("eva@work.example").clicks, 0);
	until(START + 390 * S);
	assert_int_equal(know("eva@work.example").clicks, 1);
	assert_int_equal(know("eva@work.example").interest, 8);
}

static void test_a_burst_cancels_what_is_held_back(void **state)
{
	struct known k;
	int64_t mail;

	site_open(&site);
	mail = person("eva@work.example");
	until(START + 43 * S);
	click(mail, 0);
	clock_set(START + 43 * S + S / 4);
	click(mail, 1);
	click(mail, 2);
	until(START + 200 * S);
	k = know("eva@work.example");
	assert_int_equal(k.clicks, 0);
	assert_int_equal(k.machine_clicks, 3);
	assert_true(k.interest == 0);
	/* and then they come themselves */
	until(START + 300 * S);
	click(mail, 1);
	until(START + 400 * S);
	assert_int_equal(know("eva@work.example").clicks, 1);
}

static void test_one_open_a_mail_counts(void **state)
{
	struct known k;
	int64_t mail;

	site_open(&site);
	mail = person("eva@work.example");
	until(START + 60 * S);
	hit(mail, 'o', 0, SEEN, "17.0.0.1", "Mozilla/5.0");
	hit(mail, 'o', 0, SEEN, "17.0.0.1", "Mozilla/5.0");
	k = know("eva@work.example");
	assert_int_equal(k.machine_opens, 1);
	assert_true(k.interest == 0);
	hit(mail, 'o', 0, 0, "66.249.84.1", "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)");
	until(START + 90 * S);
	hit(mail, 'o', 0, SEEN, "192.0.2.9", BROWSER);
	k = know("eva@work.example");
	assert_int_equal(k.opens, 1);
	assert_true(k.interest > 0.99 && k.interest <= 1);
	assert_int_equal(k.machine_opens, 1);
}

struct counted { int64_t delivery; size_t count; int64_t times; };

static int count_fn(struct site *s, struct db *db, void *arg, struct err *err)
{
	struct arena *arena = arena_new(0);
	struct counted *r = arg;
	struct hit *hits;
	size_t i;
	int rc = hits_of_delivery(db, r->delivery, 0, arena, &hits, &r->count, err);

	for (i = 0; rc == 0 && i < r->count; i++)
		r->times += hits[i].times;
	arena_free(&arena);
	return rc;
}

/* Whoever plays with a link: 256 rows are kept, and what comes then is counted there. */
static void test_one_mail_has_so_many_rows_and_no_more(void **state)
{
	struct counted rows = { 0 };
	int64_t mail;
	int i;

	site_open(&site);
	mail = rows.delivery = person("eva@work.example");
	for (i = 0; i < 150; i++) {
		clock_set(clock_now() + 2 * S);
		hit(mail, 'o', 0, SEEN, "192.0.2.9", BROWSER);
		clock_set(clock_now() + 2 * S);
		click(mail, i % 3);
	}
	until(clock_now() + US_HOUR);
	site_run(&site, count_fn, &rows);
	assert_int_equal(rows.count, 256);
	assert_int_equal(rows.times, 300);
	assert_int_equal(know("eva@work.example").opens, 1);
}

struct burst { int64_t delivery; const char *kinds; int count; };

/* As many in one digest, of these kinds in turn, each from somewhere else. */
static int burst_fn(struct site *s, struct db *db, void *arg, struct err *err)
{
	const struct burst *b = arg;
	struct arena *arena = arena_new(0);
	struct hit *hits = arena_calloc(arena, (size_t)b->count, sizeof(*hits));
	struct digested done;
	int i, rc;

	for (i = 0; i < b->count; i++)
		hits[i] = (struct hit){ .delivery = b->delivery, .kind = b->kinds[(size_t)i % strlen(b->kinds)], .link = i % 3, .at = clock_now() + i,
			.traits = SEEN, .times = 2, .agent = BROWSER, .ip = arena_printf(arena, "192.0.%d.%d", i / 250, i % 250) };
	rc = on_hits_come(db, hits, (size_t)b->count, err) || on_digest(s->d, db, (size_t)b->count, false, &done, err) ? -1 : 0;
	arena_free(&arena);
	return rc;
}

/* Of a burst that comes at once, too, none is lost: not with opens, which are judged at once, nor with clicks, which wait; nor what other rows count. */
static void test_a_burst_beyond_the_rows_is_counted(void **state)
{
	static const struct { const char *first, *then; int first_count, then_count; } rows[] = {
		{ "o", "o", 0, 400 }, { "c", "c", 0, 400 }, { "oc", "oc", 0, 400 }, { "oc", "oc", 250, 400 }, { "c", "oc", 250, 400 }, { "c", "o", 300, 400 },
	};
	size_t i;

	site_open(&site);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *email = xasprintf("p%zu@work.example", i);
		struct counted counted = { .delivery = person(email) };
		struct burst first = { counted.delivery, rows[i].first, rows[i].first_count };
		struct burst then = { counted.delivery, rows[i].then, rows[i].then_count };

		clock_set(clock_now() + 60 * S);
		if (first.count)
			site_run(&site, burst_fn, &first);
		clock_set(clock_now() + 100 * S);		/* the first are held no longer, and are judged with the others */
		site_run(&site, burst_fn, &then);
		site_run(&site, count_fn, &counted);
		assert_int_equal(counted.count, 256);
		assert_int_equal(counted.times, 2 * (first.count + then.count));
		free(email);
	}
}

static int drop_run(struct store_job *job, struct db *db, struct err *err)
{
	struct digested done;

	return on_digest(site.d, db, 100, true, &done, err);
}

static int drop_and_fail_run(struct store_job *job, struct db *db, struct err *err)
{
	return drop_run(job, db, err) < 0 ? -1 : err_set(err, "on purpose");
}

/* What is said on stderr meanwhile. */
static void run_heard(int (*fn)(struct store_job *job, struct db *db, struct err *err), enum store_result result, char *out, size_t size)
{
	struct store_job job = { .run = fn };
	FILE *heard = tmpfile();
	int saved = dup(STDERR_FILENO);
	ssize_t n;

	assert_non_null(heard);
	assert_true(dup2(fileno(heard), STDERR_FILENO) >= 0);
	assert_int_equal(store_run(site.store, &job, NULL), result);
	dup2(saved, STDERR_FILENO);
	close(saved);
	n = pread(fileno(heard), out, size - 1, 0);
	assert_true(n >= 0);
	out[n] = '\0';
	fclose(heard);
}

static void test_hits_are_lost_when_that_is_committed(void **state)
{
	struct hit_fact f = { .kind = 'o', .agent = BROWSER, .ip = "192.0.2.9" };
	char heard[1000];

	site_open(&site);
	f.delivery = person("eva@work.example");
	f.at = clock_now();
	site_run(&site, pack_fn, &f);
	run_heard(drop_and_fail_run, STORE_REFUSED, heard, sizeof(heard));
	assert_null(strstr(heard, "hit.lost"));
	run_heard(drop_run, STORE_COMMITTED, heard, sizeof(heard));
	assert_non_null(strstr(heard, "event=hit.lost"));
}

static void test_one_who_came_back_is_a_person(void **state)
{
	int64_t mail;

	site_open(&site);
	mail = person("eva@work.example");
	until(START + 300 * S);
	hit(mail, 'c', 0, HIT_HEAD, "198.51.100.7", "okhttp/4");
	until(START + 400 * S);
	assert_int_equal(know("eva@work.example").machine_clicks, 1);
	visit(mail, 0);
	assert_int_equal(know("eva@work.example").machine_clicks, 1);	/* too much speaks against it */
	until(START + 500 * S);
	hit(mail, 'c', 2, SEEN, "192.0.2.9", "okhttp/4");		/* a mail app's own browser */
	until(START + 900 * S);
	assert_int_equal(know("eva@work.example").machine_clicks, 2);
	visit(mail, 2);
	assert_int_equal(know("eva@work.example").machine_clicks, 1);
	assert_int_equal(know("eva@work.example").clicks, 1);
	assert_true(know("eva@work.example").interest > 5);
}

/* --- hot ---------------------------------------------------------------------------------------------------------- */

static void test_clicks_alone_wait_for_a_second_session(void **state)
{
	int64_t mail;

	site_open(&site);
	mail = person("eva@work.example");
	until(START + 300 * S);
	click(mail, 0);
	until(START + 390 * S);
	assert_true(know("eva@work.example").interest >= 6);
	assert_false(know("eva@work.example").hot);
	until(START + 600 * S);
	click(mail, 1);
	until(START + 700 * S);
	assert_false(know("eva@work.example").hot);	/* within ten minutes */
	until(START + 900 * S);
	click(mail, 1);
	until(START + 989 * S);
	assert_false(know("eva@work.example").hot);
	until(START + 990 * S);
	assert_true(know("eva@work.example").hot);
}

static void test_a_visit_lets_them_become_hot(void **state)
{
	int64_t mail;

	site_open(&site);
	mail = person("eva@work.example");
	until(START + 300 * S);
	click(mail, 0);
	until(START + 400 * S);
	assert_false(know("eva@work.example").hot);
	visit(mail, 0);
	assert_true(know("eva@work.example").hot);
}

static void test_an_open_makes_nobody_hot(void **state)
{
	int64_t mail;

	site_write(&site, "sales.yaml", "hot: interest >= 0.5\nreplies_to: sales@example.com\nalerts: []\n");
	site_open(&site);
	mail = person("eva@work.example");
	until(START + 300 * S);
	hit(mail, 'o', 0, SEEN, "192.0.2.9", BROWSER);
	assert_true(know("eva@work.example").interest > 0.5);
	assert_false(know("eva@work.example").hot);
}

/* --- again -------------------------------------------------------------------------------------------------------- */

static void random_hits(const int64_t *mails, size_t count)
{
	static const char *const ips[] = { "192.0.2.1", "198.51.100.7", "203.0.113.5" };
	static const char *const agents[] = { BROWSER, BROWSER, BROWSER, "Mozilla/5.0", "curl/8", "" };
	int64_t at = START + 5 * S;
	int i;

	for (i = 0; i < 150; i++) {
		uint64_t r = random_u64();
		int64_t mail = mails[r % count];
		char kind = "cccoou"[r >> 8 & 7 ? (r >> 8) % 5 : 5];

		at += r >> 16 & 1 ? (int64_t)(r >> 20 & 0xfffff) : (int64_t)(r >> 20 & 0x7f) * S;
		until(at);
		hit(mail, kind, (int)(r >> 40 & 3) % 3, (r >> 44 & 3) ? SEEN : HIT_ACCEPT, ips[(r >> 48) % 3], agents[(r >> 52) % 6]);
		if ((r >> 60) == 0)
			visit(mail, (int)(r >> 40 & 3) % 3);
	}
	until(at + US_HOUR);
}

static char *all_said(size_t people)
{
	char email[64];
	size_t i;

	buf_reset(&said);
	for (i = 0; i < people; i++) {
		snprintf(email, sizeof(email), "p%zu@work.example", i);
		know(email);
	}
	return xstrdup(buf_cstr(&said));
}

#define PEOPLE 6

static void test_judging_again_finds_the_same(void **state)
{
	int64_t mails[PEOPLE];
	char email[64], *live, *again, *others;
	struct rescored r;
	uint64_t seed;
	size_t i;

	site_open(&site);
	for (i = 0; i < PEOPLE; i++) {
		snprintf(email, sizeof(email), "p%zu@work.example", i);
		mails[i] = person(email);
	}
	for (seed = 1; seed <= 3; seed++) {
		random_hits(mails, PEOPLE);
		live = all_said(PEOPLE);
		r = rescore();
		assert_int_equal(r.mails, PEOPLE);
		assert_int_equal(r.changed, 0);
		again = all_said(PEOPLE);
		assert_string_equal(again, live);
		free(again);
		/* with a list there are other verdicts; they are the same the second time; and without it all is as it was */
		write_config("tracking: {scanners: scanners.txt}\n");
		site_reload(&site);
		r = rescore();
		assert_true(r.changed > 0 && r.scores > 0);
		others = all_said(PEOPLE);
		assert_string_not_equal(others, live);
		r = rescore();
		assert_int_equal(r.changed, 0);
		again = all_said(PEOPLE);
		assert_string_equal(again, others);
		free(again);
		write_config("");
		site_reload(&site);
		assert_true(rescore().changed > 0);
		again = all_said(PEOPLE);
		assert_string_equal(again, live);
		free(again);
		free(others);
		free(live);
	}
}

/* --- hits that are recorded first --------------------------------------------------------------------------------- */

/* The same hits of three people; what is known of them in the end. */
static char *told(bool pack)
{
	static const char *const emails[] = { "eva@work.example", "max@work.example", "ida@work.example" };
	int64_t mails[3];
	size_t i;
	char *id;

	buf_reset(&said);
	random_seed(7);
	clock_set(START);
	site_open(&site);
	for (i = 0; i < 3; i++)
		mails[i] = person(emails[i]);
	packed = pack;
	for (i = 0; i < 3; i++) {
		until(START + 60 * S + (int64_t)i * 10 * S);
		hit(mails[i], 'o', 0, SEEN, "192.0.2.9", BROWSER);
		until(clock_now() + 2 * S);
		click(mails[2 - i], (int)i);
		hit(mails[0], 'u', 0, SEEN, "198.51.100.1", BROWSER);
		hit(mails[i], 'c', 77, SEEN, "192.0.2.9", BROWSER);	/* there is no such link */
	}
	packed = false;
	digest();
	until(START + 400 * S);
	for (i = 0; i < 3; i++)
		know(emails[i]);
	decide_stop(&site.d);
	store_stop(&site.store);
	plan_unref(&site.plan);
	token_ring_free(&site.ring);
	/* numbers of mails are others each time */
	for (id = said.data; (id = strstr(id, "del_")) != NULL; id += 4)
		memset(id + 4, 'x', strcspn(id + 4, "\""));
	return xstrdup(buf_cstr(&said));
}

static void test_what_is_recorded_first_has_the_same_effects(void **state)
{
	char *at_once = told(false), *later = told(true);

	assert_non_null(strstr(at_once, "click "));
	assert_non_null(strstr(at_once, "open "));
	assert_string_equal(at_once, later);
	free(at_once);
	free(later);
	site_open(&site);
}

static int rows_fn(struct site *s, struct db *db, void *arg, struct err *err)
{
	struct arena *arena = arena_new(0);
	int64_t *mail = arg;
	struct hit *hits;
	size_t count, i;

	assert_int_equal(hits_of_delivery(db, *mail, 0, arena, &hits, &count, err), 0);
	for (i = 0; i < count; i++)
		buf_printf(&said, "%c%d x%lld", hits[i].kind, hits[i].link, (long long)hits[i].times);
	arena_free(&arena);
	return 0;
}

static void test_the_same_again_at_once_is_one(void **state)
{
	int64_t mail;

	site_open(&site);
	mail = person("eva@work.example");
	until(START + 60 * S);
	packed = true;
	click(mail, 0);
	click(mail, 1);
	click(mail, 0);
	until(clock_now() + 2 * S);
	click(mail, 0);
	packed = false;
	digest();
	site_run(&site, rows_fn, &mail);
	/* three a turn */
	assert_string_equal(buf_cstr(&said), "c0 x2c1 x1c0 x1");
}

static void test_who_comes_back_finds_the_click_that_is_only_recorded(void **state)
{
	int64_t mail;

	site_open(&site);
	mail = person("eva@work.example");
	until(START + 300 * S);
	packed = true;
	hit(mail, 'c', 0, SEEN, "198.51.100.1", "curl/8");
	hit(mail, 'o', 0, SEEN, "192.0.2.9", BROWSER);
	packed = false;
	clock_set(clock_now() + S);
	visit(mail, 0);
	site_run(&site, rows_fn, &mail);
	assert_string_equal(buf_cstr(&said), "c0 x1");		/* the open waits for its turn */
	digest();
	buf_reset(&said);
	until(START + 500 * S);
	know("eva@work.example");
	/* a program, and yet they came: 3 and 3 less; each is there once */
	assert_non_null(strstr(buf_cstr(&said), "c human 1\n"));
	assert_non_null(strstr(buf_cstr(&said), "o human 1\n"));
	buf_reset(&said);
	site_run(&site, rows_fn, &mail);
	assert_string_equal(buf_cstr(&said), "c0 x1o0 x1");
}

static int erase_fn(struct site *s, struct db *db, void *arg, struct err *err)
{
	struct address address;
	struct erasure fact = { .address = &address, .by = "test", .at = clock_now() };
	struct erasure_result result;

	assert_int_equal(address_parse("eva@work.example", &address, err), 0);
	if (on_forget_person(s->d, db, &fact, &result, err))
		return -1;
	fact.prospect = result.prospect;
	return on_erase(s->d, db, &fact, &result, err);
}

static int left_fn(struct site *s, struct db *db, void *arg, struct err *err)
{
	struct digested done;

	if (on_digest(s->d, db, 100, false, &done, err))
		return -1;
	*(size_t *)arg = done.hits;
	return 0;
}

static void test_who_is_erased_leaves_no_hits_behind(void **state)
{
	int64_t mail, other;
	size_t left;

	site_open(&site);
	mail = person("eva@work.example");
	other = person("max@work.example");
	until(START + 60 * S);
	packed = true;
	click(mail, 0);
	click(other, 0);
	click(mail, 1);
	packed = false;
	site_run(&site, erase_fn, NULL);
	site_run(&site, left_fn, &left);
	assert_int_equal(left, 1);
	/* somebody opens that mail once more */
	packed = true;
	click(mail, 0);
	packed = false;
	site_run(&site, left_fn, &left);
	assert_int_equal(left, 1);
	site_run(&site, rows_fn, &mail);
	assert_string_equal(buf_cstr(&said), "");
	site_run(&site, rows_fn, &other);
	assert_string_equal(buf_cstr(&said), "c0 x1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_click_is_held_back, open_site, close_site),
		cmocka_unit_test_setup_teardown(test_a_burst_cancels_what_is_held_back, open_site, close_site),
		cmocka_unit_test_setup_teardown(test_one_open_a_mail_counts, open_site, close_site),
		cmocka_unit_test_setup_teardown(test_one_mail_has_so_many_rows_and_no_more, open_site, close_site),
		cmocka_unit_test_setup_teardown(test_a_burst_beyond_the_rows_is_counted, open_site, close_site),
		cmocka_unit_test_setup_teardown(test_hits_are_lost_when_that_is_committed, open_site, close_site),
		cmocka_unit_test_setup_teardown(test_one_who_came_back_is_a_person, open_site, close_site),
		cmocka_unit_test_setup_teardown(test_clicks_alone_wait_for_a_second_session, open_site, close_site),
		cmocka_unit_test_setup_teardown(test_a_visit_lets_them_become_hot, open_site, close_site),
		cmocka_unit_test_setup_teardown(test_an_open_makes_nobody_hot, open_site, close_site),
		cmocka_unit_test_setup_teardown(test_judging_again_finds_the_same, open_site, close_site),
		cmocka_unit_test_setup_teardown(test_what_is_recorded_first_has_the_same_effects, open_site, close_site),
		cmocka_unit_test_setup_teardown(test_the_same_again_at_once_is_one, open_site, close_site),
		cmocka_unit_test_setup_teardown(test_who_comes_back_finds_the_click_that_is_only_recorded, open_site, close_site),
		cmocka_unit_test_setup_teardown(test_who_is_erased_leaves_no_hits_behind, open_site, close_site),
	};

	return cmocka_run_group_tests_name("judge", tests, NULL, NULL);
}
