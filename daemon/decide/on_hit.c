/*
 * on_hit.c: a pixel was fetched, a link was followed, a file was downloaded.
 *
 * A hit is kept at once and takes effect when it is settled: a click after the hold of design section 4 (`click_hold`), when a burst of a scanner
 * would have shown, an open at once.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "base/text.h"

#include "decide.h"
#include "person.h"

static int keep_hit(struct decide *d, struct db *db, const struct hit_fact *fact, const struct delivery *mail, struct err *err)
{
	struct hit h = {
		.id = id_new(id_bucket(mail->id), fact->at), .prospect = mail->prospect, .delivery = mail->id, .kind = fact->kind,
		.link = fact->link, .at = fact->at, .agent = fact->agent, .ip = fact->ip,
	};
	int64_t due = fact->kind == 'c' ? fact->at + d->working->operator.click_hold : fact->at;

	h.verdict = verdict_first(fact->agent, fact->head, &h.reasons);
	if (hits_insert(db, &h, err))
		return -1;
	return queue_add(db, &(struct queue_row){ .id = id_new(id_bucket(mail->id), fact->at), .lane = LANE_TIME, .due = due,
			.kind = QUEUE_SETTLE, .prospect = mail->prospect, .ref = h.id, .name = "" }, err);
}

int on_hit(struct decide *d, struct db *db, const struct hit_fact *fact, struct hit_result *out, struct err *err)
{
	struct arena *arena = decide_arena(d);
	struct delivery mail;
	const char *url;
	int found = deliveries_find(db, fact->delivery, arena, &mail, err);

	*out = (struct hit_result){ .found = false };
	if (found <= 0 || (!mail.prospect && mail.kind != DELIVERY_TEST))
		return found < 0 ? -1 : 0;
	if (fact->kind == 'c') {
		found = links_find(db, mail.template, fact->link, mail.done ? mail.done : fact->at, arena, &url, err);
		if (found <= 0)
			return found;
		snprintf(out->url, sizeof(out->url), "%s", url);
	}
	out->found = true;
	if (mail.kind == DELIVERY_TEST)
		return 0;
	/* whoever has the link has the mail */
	if (mail.state == DELIVERY_UNKNOWN) {
		mail.state = DELIVERY_SENT;
		mail.reply = fact->kind == 'c' ? "a click says that it arrived" : "an open says that it arrived";
		if (deliveries_put(db, &mail, err))
			return -1;
	}
	return keep_hit(d, db, fact, &mail, err);
}

int on_download(struct decide *d, struct db *db, const struct download *fact, struct download_result *out, struct err *err)
{
	struct arena *arena = decide_arena(d);
	struct delivery mail;
	struct buf data = BUF_INIT;
	struct person p;
	int found = deliveries_find(db, fact->delivery, arena, &mail, err), rc = 0;

	*out = (struct download_result){ .found = false };
	if (found <= 0 || !*mail.download)
		return found < 0 ? -1 : 0;
	out->found = true;
	snprintf(out->file, sizeof(out->file), "%s", mail.download);
	if (!fact->count)
		return 0;
	found = person_load(d, db, mail.prospect, fact->at, &p, err);
	if (found <= 0)
		return found;
	buf_str(&data, "{\"file\":");
	text_json(&data, mail.download, strlen(mail.download));
	buf_char(&data, '}');
	if (person_happen(&p, "download", mail.download, buf_cstr(&data), NULL, err) || person_settle(&p, err))
		rc = -1;
	buf_clear(&data);
	return rc;
}
