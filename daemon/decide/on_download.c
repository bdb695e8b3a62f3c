/*
 * on_download.c: a file was downloaded; a link to one has expired and they ask for a new one.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/text.h"

#include "decide.h"
#include "person.h"

/* Whoever has the link can ask, so it must be no way to fill their mailbox. */
#define AGAIN_PAUSE US_HOUR
#define AGAIN_MOST 3
#define AGAIN_WITHIN US_DAY
#define RECENT 50

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

/* Was one sent to them lately, or so many? 1, 0, -1. */
static int had_enough(struct decide *d, struct db *db, const struct delivery *mail, int64_t now, struct err *err)
{
	struct delivery *all;
	size_t count, i, n = 0;
	int64_t newest = 0;

	if (deliveries_of(db, mail->prospect, RECENT, d->arena, &all, &count, err))
		return -1;
	for (i = 0; i < count; i++) {
		if (strcmp(all[i].download, mail->download) != 0 || all[i].planned <= now - AGAIN_WITHIN)
			continue;
		n++;
		if (newest < all[i].planned)
			newest = all[i].planned;
	}
	return n >= AGAIN_MOST || newest > now - AGAIN_PAUSE;
}

int on_download_again(struct decide *d, struct db *db, const struct download *fact, struct err *err)
{
	struct arena *arena = decide_arena(d);
	struct delivery mail;
	struct person p;
	int found = deliveries_find(db, fact->delivery, arena, &mail, err);

	if (found <= 0 || !*mail.download || !mail.prospect || (mail.kind != DELIVERY_STEP && mail.kind != DELIVERY_AGAIN))
		return found < 0 ? -1 : 0;
	found = had_enough(d, db, &mail, fact->at, err);
	if (found)
		return found < 0 ? -1 : 0;
	found = person_load(d, db, mail.prospect, fact->at, &p, err);
	if (found <= 0)
		return found;
	mail.id = id_new(id_bucket(mail.prospect), fact->at);
	mail.kind = DELIVERY_AGAIN;
	mail.state = DELIVERY_PLANNED;
	mail.address = p.row.address;
	mail.planned = fact->at;
	mail.attempt = 0;
	mail.done = 0;
	mail.code = 0;
	mail.reply = mail.relay_id = "";
	return mail_plan(db, &mail, fact->at, err) || person_journal(&p, "mail", mail.template, "they asked for a new link", err) ? -1 : 0;
}
