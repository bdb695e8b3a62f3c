/*
 * on_hit.c: a pixel was fetched, a link was followed.
 *
 * Hits are answered before anybody looks at them, and recorded as they came, many a row (daemon/store/packs.c); digest.c brings them here. An open
 * takes effect then, a click after the hold of design section 4 (`click_hold`), when a burst of a scanner would have shown; the row in the queue says
 * when, so that it holds over a restart. judge.c says what the effect is. Those of one mail that came together are worked on together.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crash.h"
#include "base/id.h"
#include "base/log.h"
#include "base/text.h"
#include "store/erase.h"

#include "decide.h"
#include "person.h"

#define ROWS_MAX 256		/* of one mail; what comes then is only counted */
#define TOGETHER US_SECOND	/* what came within that takes effect at one time; if it differs in nothing else, it is one hit */

/* The newest of that kind; the oldest of all if there is none. */
static struct hit *newest_of(struct hit *hits, size_t count, char kind)
{
	while (count > 1 && hits[count - 1].kind != kind)
		count--;
	return &hits[count - 1];
}

/* Those that the mail has no room for, when all others are in the table: somebody plays with a link. Rows of their kinds count them. */
static int count_only(struct decide *d, struct db *db, const struct hit *hits, size_t count, struct err *err)
{
	static const char kinds[] = "ocu";
	struct hit *all, *newest;
	size_t rows, i, k;
	int64_t times;

	if (!count)
		return 0;
	if (hits_of_delivery(db, hits->delivery, 0, d->arena, &all, &rows, err))
		return -1;
	for (k = 0; kinds[k]; k++) {
		for (i = 0, times = 0; i < count; i++)
			times += hits[i].kind == kinds[k] ? hits[i].times : 0;
		if (!times)
			continue;
		newest = newest_of(all, rows, kinds[k]);
		newest->times += times;
		if (hits_update(db, newest, err))
			return -1;
	}
	return 0;
}

/* Those beyond ROWS_MAX leave the list: they are of no effect. rows: how many the mail has. */
static void limit_rows(struct decide *d, size_t rows, const struct hit *hits, size_t *count)
{
	size_t i, room = rows < ROWS_MAX ? ROWS_MAX - rows : 0;

	if (*count > room)
		*count = room;
	for (i = 0; i < *count; i++)
		if (hits[i].kind == 'c')
			crowd_add(d->crowd, &hits[i]);
}

/* They wait, or have no effect. */
static int keep_hits(struct decide *d, struct db *db, const struct hit *hits, size_t *count, struct err *err)
{
	size_t i, all = *count;
	int64_t rows;

	if (hits_count(db, hits->delivery, &rows, err))
		return -1;
	limit_rows(d, (size_t)rows, hits, count);
	for (i = 0; i < *count; i++)
		if (hits_insert(db, &hits[i], err))
			return -1;
	return count_only(d, db, hits + *count, all - *count, err);
}

/* One row in the queue: when the last click of them has been held long enough. */
static int hold_clicks(struct decide *d, struct db *db, const struct hit *hits, size_t count, const struct delivery *mail, struct err *err)
{
	int64_t at = 0;
	size_t i;

	for (i = 0; i < count; i++)
		if (hits[i].kind == 'c')
			at = hits[i].at;
	if (!at)
		return 0;
	return queue_add(db, &(struct queue_row){ .id = id_new(id_bucket(mail->id), at), .lane = LANE_TIME,
			.due = at + d->working->operator.click_hold, .kind = QUEUE_SETTLE, .prospect = mail->prospect, .ref = mail->id, .name = "" }, err);
}

/* When the last of those came that are not held; 0: there are none. */
static int64_t takes_effect_at(const struct hit *hits, size_t count)
{
	int64_t at = 0;
	size_t i;

	for (i = 0; i < count; i++)
		if (hits[i].kind != 'c')
			at = hits[i].at;
	return at;
}

/* They are kept, and what is not held takes effect. */
static int judge_now(struct decide *d, struct db *db, const struct hit *hits, size_t *count, const struct delivery *mail, struct err *err)
{
	struct hit *before;
	size_t before_count, all = *count;
	struct person p;
	int found = person_load(d, db, mail->prospect, takes_effect_at(hits, *count), &p, err);

	if (found <= 0)
		return found < 0 ? -1 : keep_hits(d, db, hits, count, err);
	if (hits_of_delivery(db, mail->id, 0, d->arena, &before, &before_count, err))
		return -1;
	limit_rows(d, before_count, hits, count);
	p.by = BY_OPEN;
	if (*count && (judge_come(&p, mail, before, before_count, hits, *count, err) || person_settle(&p, err)))
		return -1;
	return count_only(d, db, hits + *count, all - *count, err);
}

static int find_url(struct db *db, const struct delivery *mail, const struct hit *h, struct arena *arena, struct hit_result *out, struct err *err)
{
	const char *url;
	int found = links_find(db, mail->template, h->link, mail->done ? mail->done : h->at, arena, &url, err);

	if (found == 1 && out)
		snprintf(out->url, sizeof(out->url), "%s", url);
	return found;
}

/* Those of links that lead nowhere leave the list. */
static int know_links(struct decide *d, struct db *db, const struct delivery *mail, struct hit *hits, size_t *count, struct hit_result *out, struct err *err)
{
	size_t i, kept = 0;
	int known = -1, found = 1;

	for (i = 0; i < *count; i++) {
		if (hits[i].kind == 'c' && hits[i].link != HIT_HONEYPOT && (out || hits[i].link != known)) {
			found = find_url(db, mail, &hits[i], d->arena, out, err);
			if (found < 0)
				return -1;
			if (!found)
				continue;
			known = hits[i].link;
		}
		hits[kept++] = hits[i];
	}
	*count = kept;
	return 0;
}

/* Whoever has the link has the mail. */
static int prove_sent(struct db *db, struct delivery *mail, const struct hit *h, struct err *err)
{
	if (mail->state != DELIVERY_UNKNOWN)
		return 0;
	mail->state = DELIVERY_SENT;
	mail->reply = h->kind == 'o' ? "an open says that it arrived" : "a click says that it arrived";
	return deliveries_put(db, mail, err) || journal_add(db, mail->prospect, h->at, "mail", "sent", mail->reply, err) ? -1 : 0;
}

/* How many of them came within TOGETHER. */
static size_t together(const struct hit *hits, size_t count)
{
	size_t n = 1;

	while (n < count && hits[n].at - hits->at <= TOGETHER)
		n++;
	return n;
}

/* They are kept, and have their effects; `judges`: those that are not held, too. */
static int happen(struct decide *d, struct db *db, struct hit *hits, size_t count, const struct delivery *mail, bool judges, struct err *err)
{
	size_t i, n, kept;

	for (i = 0; i < count; i++) {
		hits[i].id = id_new(id_bucket(mail->id), hits[i].at);
		hits[i].prospect = mail->prospect;
	}
	for (i = 0; i < count; i += n) {
		kept = n = together(hits + i, count - i);
		if (judges && takes_effect_at(hits + i, n) ? judge_now(d, db, hits + i, &kept, mail, err) : keep_hits(d, db, hits + i, &kept, err))
			return -1;
		if (hold_clicks(d, db, hits + i, kept, mail, err))
			return -1;
	}
	return 0;
}

/* Hits of one mail, in the order in which they came. */
static int hits_of_mail(struct decide *d, struct db *db, struct hit *hits, size_t count, struct hit_result *out, struct err *err)
{
	struct delivery mail;
	int found = deliveries_find(db, hits->delivery, d->arena, &mail, err);

	if (found == 1 && !mail.prospect && mail.kind != DELIVERY_TEST) {
		erase_scrub(db);
		return 0;
	}
	if (found <= 0)
		return found;
	if (know_links(d, db, &mail, hits, &count, out, err))
		return -1;
	if (out)
		out->found = count > 0;
	if (mail.kind == DELIVERY_TEST || !count)
		return 0;
	if (prove_sent(db, &mail, hits, err))
		return -1;
	return happen(d, db, hits, count, &mail, true, err);
}

int on_hit(struct decide *d, struct db *db, const struct hit_fact *fact, struct hit_result *out, struct err *err)
{
	struct hit h = {
		.delivery = fact->delivery, .kind = fact->kind, .link = fact->link, .at = fact->at, .traits = fact->traits,
		.times = fact->times ? fact->times : 1, .agent = fact->agent, .ip = fact->ip,
	};

	*out = (struct hit_result){ .found = false };
	decide_arena(d);
	return hits_of_mail(d, db, &h, 1, out, err);
}

/* --- many ------------------------------------------------------------------------------------------------------- */

int on_hits_come(struct db *db, const struct hit *hits, size_t count, struct err *err)
{
	if (packs_add(db, hits, count, err))
		return -1;
	CRASH_POINT("hits.before_commit");
	return 0;
}

static int by_mail(const void *a_, const void *b_)
{
	const struct hit *a = a_, *b = b_;

	if (a->delivery != b->delivery)
		return a->delivery < b->delivery ? -1 : 1;
	return a->at < b->at ? -1 : a->at > b->at;
}

static bool is_same(const struct hit *a, const struct hit *b)
{
	return a->kind == b->kind && a->link == b->link && a->traits == b->traits && strcmp(a->ip, b->ip) == 0 &&
	       strcmp(a->agent, b->agent) == 0;
}

/* The one among them that differs from it in nothing but the moment; NULL: there is none. */
static struct hit *twin_of(struct hit *hits, size_t count, const struct hit *h)
{
	size_t i;

	for (i = count; i-- > 0 && h->at - hits[i].at <= TOGETHER;)
		if (is_same(&hits[i], h))
			return &hits[i];
	return NULL;
}

/* Of one mail, in their order: those that are the same become one. How many are left. */
static size_t join(struct hit *hits, size_t count)
{
	size_t i, kept = 0;

	for (i = 0; i < count; i++) {
		struct hit *twin = twin_of(hits, kept, &hits[i]);

		if (twin)
			twin->times += hits[i].times;
		else
			hits[kept++] = hits[i];
	}
	return kept;
}

struct lost {
	size_t count;
	struct { int64_t delivery, times; } hits[];
};

static void tell_lost(void *arg)
{
	struct lost *l = arg;
	size_t i;

	for (i = 0; i < l->count; i++)
		log_error("hit.lost", L_ID("delivery", "del", l->hits[i].delivery), L_INT("times", l->hits[i].times));
	free(l);
}

static void lose(struct db *db, const struct hit *hits, size_t count)
{
	struct lost *l = xcalloc(1, sizeof(*l) + count * sizeof(*l->hits));

	for (l->count = 0; l->count < count; l->count++) {
		l->hits[l->count].delivery = hits[l->count].delivery;
		l->hits[l->count].times = hits[l->count].times;
	}
	db_on_undo(db, free, l);
	db_after_commit(db, tell_lost, l);
}

int on_digest(struct decide *d, struct db *db, size_t max, bool drop, struct digested *out, struct err *err)
{
	struct arena *arena = arena_new(0);
	struct hit *hits;
	size_t i, n;
	int rc = packs_take(db, max, arena, &hits, &out->hits, err);

	out->oldest = !rc && out->hits ? hits[0].at : 0;
	if (!rc && drop && out->hits)
		lose(db, hits, out->hits);
	if (!rc && !drop && out->hits)
		qsort(hits, out->hits, sizeof(*hits), by_mail);
	hit_sums_begin(d);
	for (i = 0; !rc && !drop && i < out->hits; i += n) {
		for (n = 1; i + n < out->hits && hits[i + n].delivery == hits[i].delivery; n++)
			;
		decide_arena(d);
		rc = hits_of_mail(d, db, hits + i, join(hits + i, n), NULL, err);
	}
	rc = hit_sums_end(d, db, rc, err);
	arena_free(&arena);
	CRASH_POINT("digest.before_commit");
	return rc;
}

int hits_catch_up(struct decide *d, struct db *db, const struct delivery *mail, struct err *err)
{
	struct hit *clicks;
	size_t count;

	if (packs_take_of(db, &mail->id, 1, 'c', d->arena, &clicks, &count, err) || know_links(d, db, mail, clicks, &count, NULL, err))
		return -1;
	return happen(d, db, clicks, count, mail, false, err);
}
