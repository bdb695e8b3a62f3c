/*
 * on_hit.c: a pixel was fetched, a link was followed.
 *
 * A hit is kept at once. An open takes effect at once, too, a click after the hold of design section 4 (`click_hold`), when a burst of a scanner
 * would have shown; the row in the queue says when, so that it holds over a restart. judge.c says what the effect is.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "base/text.h"

#include "decide.h"
#include "person.h"

#define ROWS_MAX 256		/* of one mail; what comes then is only counted */

/* More of a kind that the mail has had already: somebody plays with a link. */
static int count_only(struct decide *d, struct db *db, const struct hit *h, struct err *err)
{
	struct hit *all;
	size_t count, i;

	if (hits_of_delivery(db, h->delivery, 0, d->arena, &all, &count, err))
		return -1;
	for (i = count; i-- > 0;) {
		if (all[i].kind != h->kind && i > 0)
			continue;
		all[i].times += h->times;
		return hits_update(db, &all[i], err);
	}
	return 0;
}

static int keep_hit(struct decide *d, struct db *db, const struct hit *h, bool *kept_out, struct err *err)
{
	int64_t rows;

	if (hits_count(db, h->delivery, &rows, err))
		return -1;
	*kept_out = rows < ROWS_MAX;
	if (!*kept_out)
		return count_only(d, db, h, err);
	if (h->kind == 'c')
		crowd_add(d->crowd, h);
	return hits_insert(db, h, err);
}

static int take_effect(struct decide *d, struct db *db, const struct hit *h, const struct delivery *mail, struct err *err)
{
	struct judged judged = { 0 };
	struct person p;
	int found;

	if (h->kind == 'c')
		return queue_add(db, &(struct queue_row){ .id = id_new(id_bucket(mail->id), h->at), .lane = LANE_TIME,
				.due = h->at + d->working->operator.click_hold, .kind = QUEUE_SETTLE, .prospect = mail->prospect, .ref = mail->id,
				.name = "" }, err);
	found = person_load(d, db, mail->prospect, h->at, &p, err);
	if (found <= 0)
		return found;
	p.by = BY_OPEN;
	return judge_mail(&p, mail, true, &judged, err) || person_settle(&p, err) ? -1 : 0;
}

static int find_url(struct db *db, const struct delivery *mail, const struct hit_fact *fact, struct arena *arena, struct hit_result *out,
		struct err *err)
{
	const char *url;
	int found = links_find(db, mail->template, fact->link, mail->done ? mail->done : fact->at, arena, &url, err);

	if (found == 1)
		snprintf(out->url, sizeof(out->url), "%s", url);
	return found;
}

int on_hit(struct decide *d, struct db *db, const struct hit_fact *fact, struct hit_result *out, struct err *err)
{
	struct arena *arena = decide_arena(d);
	struct delivery mail;
	struct hit h = {
		.delivery = fact->delivery, .kind = fact->kind, .link = fact->link, .at = fact->at, .traits = fact->traits,
		.times = fact->times ? fact->times : 1, .agent = fact->agent, .ip = fact->ip,
	};
	int found = deliveries_find(db, fact->delivery, arena, &mail, err);
	bool kept;

	*out = (struct hit_result){ .found = false };
	if (found <= 0 || (!mail.prospect && mail.kind != DELIVERY_TEST))
		return found < 0 ? -1 : 0;
	if (fact->kind == 'c' && fact->link != HIT_HONEYPOT) {
		found = find_url(db, &mail, fact, arena, out, err);
		if (found <= 0)
			return found;
	}
	out->found = true;
	if (mail.kind == DELIVERY_TEST)
		return 0;
	/* whoever has the link has the mail */
	if (mail.state == DELIVERY_UNKNOWN) {
		mail.state = DELIVERY_SENT;
		mail.reply = fact->kind == 'o' ? "an open says that it arrived" : "a click says that it arrived";
		if (deliveries_put(db, &mail, err) || journal_add(db, mail.prospect, fact->at, "mail", "sent", mail.reply, err))
			return -1;
	}
	h.id = id_new(id_bucket(mail.id), fact->at);
	h.prospect = mail.prospect;
	if (keep_hit(d, db, &h, &kept, err))
		return -1;
	return kept ? take_effect(d, db, &h, &mail, err) : 0;
}
