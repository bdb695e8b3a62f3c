/*
 * on_reread.c: a mail that is kept was read again, by better rules. What should have followed from it follows now; what followed and should not have
 * is told to whoever asked, since a suppression is taken back by a person alone, and what was sent is sent.
 *
 * Soft bounces, automatic answers and dates are of their day: that they were missed is noted and nothing more.
 */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/id.h"
#include "base/log.h"
#include "base/mem.h"

#include "decide.h"
#include "person.h"
#include "reply.h"

enum follows { NOTHING, COMPLAINT, UNSUBSCRIBED, DEAD, OBJECTION, REPLY };

static const char *const done[] = {
	[NOTHING] = "", [COMPLAINT] = "they complained: they are suppressed", [UNSUBSCRIBED] = "they unsubscribed: no more mail",
	[DEAD] = "a hard bounce: the address is suppressed", [OBJECTION] = "they want no more mail: they get none", [REPLY] = "a reply that was missed",
};

/* A mail as it was, or is, understood. */
struct understood {
	const char *class, *kind, *reason, *intent;
	int64_t prospect;	/* 0: about nobody */
};

static const char *said(const json_t *o, const char *member)
{
	const char *s = json_string_value(json_object_get(o, member));

	return s ? s : "";
}

static struct understood understand(const char *class, const json_t *summary, int64_t prospect)
{
	const json_t *bounce = json_object_get(summary, "bounce"), *again = json_object_get(summary, "reread");
	int64_t before = json_integer_value(json_object_get(again, "prospect"));

	return (struct understood){ .class = class, .kind = said(bounce, "kind"), .reason = said(bounce, "reason"),
		.intent = said(summary, strcmp(class, "auto") ? "intent" : "auto_kind"), .prospect = prospect ? prospect : before };
}

static void tell(char *out, size_t size, const struct understood *u)
{
	if (strcmp(u->class, "bounce") == 0)
		snprintf(out, size, "%s %s %s", u->class, u->kind, u->reason);
	else
		snprintf(out, size, "%s%s%s", u->class, *u->intent ? " " : "", u->intent);
}

/* Which of the lasting things it calls for. */
static enum follows lasting(struct decide *d, const struct understood *u)
{
	enum reply_action action;

	if (strcmp(u->class, "complaint") == 0)
		return COMPLAINT;
	if (strcmp(u->class, "unsubscribe") == 0)
		return UNSUBSCRIBED;
	if (strcmp(u->class, "bounce") == 0)
		return strcmp(u->kind, "hard") == 0 ? DEAD : NOTHING;
	if (strcmp(u->class, "human") != 0)
		return NOTHING;
	action = plan_reply_action(decide_plan(d), u->intent, NULL);
	return action == REPLY_UNSUBSCRIBE || action == REPLY_SUPPRESS ? OBJECTION : NOTHING;
}

/* A person's mail about nobody went to sales as it was: it does not go again. */
static enum follows choose(struct decide *d, const struct understood *was, const struct understood *is)
{
	enum follows now = lasting(d, is);
	bool same = was->prospect == is->prospect, human = strcmp(was->class, "human") == 0;

	if (!is->prospect || (was->prospect && !same))
		return NOTHING;
	if (strcmp(is->class, "human") == 0 && !human)
		return REPLY;
	return now != NOTHING && (!same || now != lasting(d, was)) ? now : NOTHING;
}

static const char *left(struct decide *d, const struct understood *was, const struct understood *is)
{
	enum follows before = was->prospect ? lasting(d, was) : NOTHING;

	if (before != NOTHING && (was->prospect != is->prospect || lasting(d, is) == NOTHING))
		return "what was done for it stays; `nurturectl suppression remove` takes a suppression back";
	if (was->prospect && strcmp(was->class, "human") == 0 && strcmp(is->class, "human") != 0)
		return "it was taken for a reply: sequences that it ended stay ended";
	return "";
}

static int follow(struct person *p, enum follows what, const struct mail_fact *fact, struct delivery *about, struct err *err)
{
	char id[ID_TEXT];
	const char *source = about->id ? id_text("del", about->id, id) : fact->mailbox;
	bool suppress = plan_reply_action(p->plan, fact->intent, NULL) == REPLY_SUPPRESS;

	switch (what) {
	case NOTHING:
		return 0;
	case COMPLAINT:
		return person_complain(p, fact->mailbox, about, source, err) || person_settle(p, err) ? -1 : 0;
	case UNSUBSCRIBED:
		if (p->row.consent != CONSENT_WITHDRAWN && person_unsubscribe(p, "mailto", source, "", "", err))
			return -1;
		return person_settle(p, err);
	case DEAD:
		return person_bounced(p, fact, about, err);
	case OBJECTION:
		return person_refuse(p, fact->text, fact->mailbox, about->id, suppress ? fact->intent : NULL, err) || person_settle(p, err) ? -1 : 0;
	case REPLY:
		return reply_of_person(p, fact, about, err);
	}
	return 0;
}

/* A row lies with the person whom it was about when it came; a reading that says somebody else is noted in it. */
static int replace(struct db *db, struct inbound *row, const struct mail_fact *fact, const struct mail_change *change, int64_t delivery, struct err *err)
{
	json_t *summary = json_loads(fact->summary, 0, NULL);
	char *text;
	int rc;

	if (!json_is_object(summary)) {
		json_decref(summary);
		return err_set(err, "a reading that is no object");
	}
	json_object_set_new(summary, "reread", json_pack("{ss sI sI}", "was", change->was, "at", (json_int_t)fact->at, "prospect", (json_int_t)change->prospect));
	text = json_dumps(summary, JSON_COMPACT);
	row->class = mail_class_names[fact->class];
	row->summary = text;
	if (change->prospect && id_bucket(change->prospect) == id_bucket(row->id)) {
		row->prospect = change->prospect;
		row->delivery = delivery;
	}
	rc = inbound_reread(db, row, err);
	free(text);
	json_decref(summary);
	return rc;
}

static int apply(struct decide *d, struct db *db, struct inbound *row, const struct mail_fact *fact, struct person *p, struct delivery *about,
	enum follows what, struct mail_change *out, struct err *err)
{
	if (replace(db, row, fact, out, about->id, err))
		return -1;
	log_info("mail.reread", L_ID("mail", "inb", row->id), L_STR("was", out->was), L_STR("is", out->is), L_STR("does", out->does),
		L_ID("prospect", "pro", out->prospect));
	if (!out->prospect)
		return 0;
	p->cause = arena_printf(decide_arena(d), "mail read again: %s", out->is);
	return person_journal(p, "reread", out->is, arena_printf(decide_arena(d), "was read as %s", out->was), err) ||
			follow(p, what, fact, about, err) ? -1 : 0;
}

int on_reread(struct decide *d, struct db *db, int64_t mail, const struct mail_fact *given, bool dry, struct mail_change *out, struct err *err)
{
	struct arena *arena = decide_arena(d);
	struct mail_fact fact = *given;
	struct understood was, is;
	struct delivery about = { 0 };
	struct inbound row;
	struct person p;
	json_t *before, *after;
	enum follows what = NOTHING;
	int found = inbound_find(db, mail, arena, &row, err), rc = 0;

	*out = (struct mail_change){ .does = "", .stays = "" };
	if (found != 1)
		return found;
	out->known = true;
	fact.mailbox = row.mailbox;
	found = mail_find(d, db, &fact, &p, &about, err);
	if (found < 0)
		return -1;
	out->prospect = found == 1 && about.kind != DELIVERY_FORWARD ? p.row.id : 0;
	before = json_loads(row.summary, 0, NULL);
	after = json_loads(fact.summary, 0, NULL);
	was = understand(row.class, before, row.prospect);
	is = understand(mail_class_names[fact.class], after, out->prospect);
	tell(out->was, sizeof(out->was), &was);
	tell(out->is, sizeof(out->is), &is);
	/* who was erased, or whose token has run out, is not asked for again */
	out->differs = strcmp(out->was, out->is) != 0 || (is.prospect && is.prospect != was.prospect);
	if (out->differs) {
		what = choose(d, &was, &is);
		out->does = done[what];
		out->stays = left(d, &was, &is);
		if (!dry)
			rc = apply(d, db, &row, &fact, &p, &about, what, out, err);
	}
	json_decref(before);
	json_decref(after);
	return rc;
}
