/*
 * look_hits.c: opens and clicks as JSON, with the verdict on each and why. Reader thread.
 */
#include <string.h>

#include "base/clock.h"
#include "base/id.h"

#include "look.h"

#define MAILS_SHOWN 20

json_t *look_verdicts(const int64_t counts[VERDICTS])
{
	return json_pack("{s:I, s:I, s:I}",
		"human", (json_int_t)counts[VERDICT_HUMAN],
		"unknown", (json_int_t)counts[VERDICT_UNKNOWN],
		"machine", (json_int_t)counts[VERDICT_MACHINE]);
}

static json_t *reasons_json(const struct hit *h)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < VERDICT_WORDS; i++) {
		json_t *row;

		if (!(h->reasons & 1u << i))
			continue;
		row = json_pack("{s:s, s:s}", "reason", verdict_words[i].word, "means", verdict_words[i].means);
		if (h->kind != 'o')
			json_object_set_new(row, "points", json_integer(verdict_words[i].points));
		json_array_append_new(list, row);
	}
	return list;
}

static const char *kind_name(const struct hit *h)
{
	return h->kind == 'o' ? "open" : h->kind == 'c' ? "click" : "unsubscribe page";
}

static json_t *hit_json(const void *row)
{
	const struct hit *h = row;

	return json_pack("{s:o, s:s, s:o, s:s, s:I, s:o, s:o, s:s, s:o, s:o, s:o}",
		"at", answer_time(h->at),
		"what", kind_name(h),
		"link", h->kind == 'c' ? json_integer(h->link + 1) : json_null(),
		"method", h->traits & HIT_HEAD ? "HEAD" : "GET",
		"times", (json_int_t)h->times,
		"ip", answer_text(h->ip),
		"agent", answer_text(h->agent),
		"verdict", verdict_name(h->verdict),
		"why", reasons_json(h),
		"held_back", json_boolean(!h->settled),
		"took_effect", answer_time(h->settled > 1 ? h->settled : 0));
}

static void count(const struct hit *hits, size_t n, char kind, int64_t counts[VERDICTS])
{
	size_t i;

	for (i = 0; i < n; i++)
		if (hits[i].kind == kind)
			counts[hits[i].verdict] += hits[i].times;
}

static int mail_json(struct db *db, struct arena *arena, const struct delivery *mail, json_t **out, struct err *err)
{
	int64_t opens[VERDICTS] = { 0 }, clicks[VERDICTS] = { 0 };
	struct hit *hits;
	size_t n;

	if (hits_of_delivery(db, mail->id, 0, arena, &hits, &n, err))
		return -1;
	*out = NULL;
	if (!n)
		return 0;
	count(hits, n, 'o', opens);
	count(hits, n, 'c', clicks);
	*out = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
		"delivery", answer_id("del", mail->id),
		"template", answer_text(mail->template),
		"sequence", answer_text(mail->sequence),
		"step", answer_text(mail->step),
		"sent", answer_time(mail->done),
		"opens", look_verdicts(opens),
		"clicks", look_verdicts(clicks),
		"hits", answer_rows(hits, n, sizeof(*hits), hit_json));
	return 0;
}

static int give(struct db *db, struct arena *arena, const struct delivery *mails, size_t n, const char *address, struct buf *out, struct err *err)
{
	json_t *list = json_array(), *mail;
	size_t i;

	for (i = 0; i < n; i++) {
		if (mail_json(db, arena, &mails[i], &mail, err)) {
			json_decref(list);
			return -1;
		}
		if (mail)
			json_array_append_new(list, mail);
	}
	return answer_give(out, json_pack("{s:o, s:o}", "email", answer_text(address), "mails", list), err) < 0 ? -1 : 1;
}

int look_hits(const struct plan *plan, struct db *db, const char *what, struct buf *out, struct err *err)
{
	struct look l;
	struct delivery one, *mails = &one;
	size_t n = 1;
	int64_t id;
	int rc;

	if (id_parse("del", what, &id) == 0) {
		l.arena = arena_new(0);
		rc = deliveries_find(db, id, l.arena, &one, err);
		if (rc == 1)
			rc = give(db, l.arena, &one, 1, one.address, out, err);
	} else {
		rc = look_begin(plan, db, what, &l, err);
		if (rc <= 0)
			return rc;
		rc = deliveries_of(db, l.person.row.id, MAILS_SHOWN, l.arena, &mails, &n, err);
		if (rc == 0)
			rc = give(db, l.arena, mails, n, l.person.row.address, out, err);
	}
	arena_free(&l.arena);
	return rc;
}

/* --- of mails, not of hits --------------------------------------------------------------------------------------------- */

int look_hits_lately(struct db *db, int64_t now, int days, json_t **out, struct err *err)
{
	int64_t opened[VERDICTS] = { 0 }, clicked[VERDICTS] = { 0 };

	if (hit_days_since(db, now / US_DAY - days + 1, opened, clicked, err))
		return -1;
	*out = json_pack("{s:o, s:o}", "opened", look_verdicts(opened), "clicked", look_verdicts(clicked));
	return 0;
}

int look_hit_sums(struct db *db, const char *sequence, json_t **out, struct err *err)
{
	struct arena *arena = arena_new(0);
	struct hit_sum *sums;
	json_t *list = json_array();
	size_t n, i;
	int rc = hit_days_of(db, sequence, arena, &sums, &n, err);

	for (i = 0; rc == 0 && i < n;) {
		const struct hit_sum *first = &sums[i];
		int64_t mails[2][VERDICTS] = { { 0 } };

		for (; i < n && strcmp(sums[i].sequence, first->sequence) == 0 && strcmp(sums[i].step, first->step) == 0 &&
				strcmp(sums[i].template, first->template) == 0; i++)
			mails[sums[i].kind == 'c'][sums[i].verdict] += sums[i].mails;
		json_array_append_new(list, json_pack("{s:o, s:o, s:o, s:o}",
			"step", answer_text(first->step),
			"template", answer_text(first->template),
			"opened", look_verdicts(mails[0]),
			"clicked", look_verdicts(mails[1])));
	}
	arena_free(&arena);
	if (rc)
		json_decref(list);
	else
		*out = list;
	return rc;
}
