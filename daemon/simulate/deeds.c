/*
 * deeds.c: what people do, as the facts that ingest and listen would make of it.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/text.h"

#include "inside.h"

#define BEGINS_AFTER US_MINUTE	/* the event with which they begin, and entering by hand, once they have come */

/* A person's browser at home: no scanner. The address is one of those for documentation. */
/* What a browser sends, and no address: they do not sit in one office. */
static const unsigned seen = HIT_ACCEPT | HIT_LANGUAGE;
static const char agent[] = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
static const char ip[] = "192.0.2.1";

struct deed {
	const struct entry *entry;
	struct someone *who;
};

static void tell(struct simulation *s, const struct deed *deed, struct thing thing)
{
	thing.person = deed->entry->person;
	thing.prospect = deed->who->prospect;
	engine_tell(s, &thing);
}

/* --- coming ------------------------------------------------------------------------------------------------------------------ */

static void begin_soon(struct simulation *s, const struct deed *deed)
{
	if (deed->who->begun)
		return;
	deed->who->begun = true;
	if (deed->who->persona->event)
		agenda_add(&s->agenda, &(struct entry){ .at = s->now + BEGINS_AFTER, .act = ACT_BEGIN, .person = deed->entry->person });
	if (deed->who->sequence)
		agenda_add(&s->agenda, &(struct entry){ .at = s->now + BEGINS_AFTER, .act = ACT_ENROLL, .person = deed->entry->person });
}

static int find_prospect(struct simulation *s, struct db *db, const struct deed *deed, const struct address *address, struct err *err)
{
	struct prospect row;
	int found = prospects_find_address(db, address->key, s->arena, &row, err);

	if (found == 1)
		people_known(s, deed->entry->person, row.id);
	return found == 1 ? 0 : found < 0 ? -1 : err_set(err, "%s did not become a prospect", address->text);
}

static int sign_up(struct simulation *s, struct db *db, const struct deed *deed, const struct address *address, struct err *err)
{
	const struct persona *p = deed->who->persona;
	struct pair *fields = arena_calloc(s->arena, p->field_count + 1, sizeof(*fields));
	struct signup_result result;
	struct signup fact = {
		.form = p->form->name, .address = address, .fields = fields, .field_count = p->field_count, .ip = ip, .agent = agent, .page = "",
		.language = p->language, .timezone = p->timezone, .at = s->now,
	};
	size_t i;

	for (i = 0; i < p->field_count; i++)
		fields[i] = (struct pair){ s->plan->fields[p->fields[i].field].name, p->fields[i].value };
	tell(s, deed, (struct thing){ .kind = THING_SIGNS_UP, .text = p->form->name, .to = address->text });
	if (on_signup(s->decide, db, &fact, &result, err) || find_prospect(s, db, deed, address, err))
		return -1;
	if (!result.must_confirm || !p->confirms)
		begin_soon(s, deed);
	return 0;
}

/* As decide keeps it. */
static void field_json(const struct field *field, const char *value, struct buf *out)
{
	double number;
	int64_t at;

	if (field->type == VALUE_BOOL)
		buf_str(out, value);
	else if ((field->type == VALUE_REAL || field->type == VALUE_INT) && text_double(value, &number) == 0)
		buf_printf(out, "%.17g", number);
	else if (field->type == VALUE_TIME && text_time_parse(value, &at) == 0)
		buf_printf(out, "%lld", (long long)at);
	else
		text_json(out, value, strlen(value));
}

static const char *fields_json(struct simulation *s, const struct persona *p)
{
	struct buf out = BUF_INIT;
	const char *text;
	size_t i;

	buf_char(&out, '{');
	for (i = 0; i < p->field_count; i++) {
		const struct field *field = &s->plan->fields[p->fields[i].field];

		if (i)
			buf_char(&out, ',');
		text_json(&out, field->name, strlen(field->name));
		buf_char(&out, ':');
		field_json(field, p->fields[i].value, &out);
	}
	buf_char(&out, '}');
	text = arena_strdup(s->arena, buf_cstr(&out));
	buf_clear(&out);
	return text;
}

/* Somebody who has been there: their row, and a look at it that finds their stage and list. */
static int be_known(struct simulation *s, struct db *db, const struct deed *deed, const struct address *address, struct err *err)
{
	const struct persona *p = deed->who->persona;
	struct prospect row = {
		.id = id_new(address->bucket, s->now), .address = address->text, .key = address->key, .fields = fields_json(s, p), .stage = "", .list = "",
		.form = "", .language = p->language, .timezone = p->timezone, .consent = CONSENT_GIVEN, .interest_at = s->now, .intent = "",
		.recheck = s->now, .tags = "", .moved_list = "", .created = s->now, .changed = s->now,
	};

	row.recheck_id = id_new(address->bucket, s->now);
	tell(s, deed, (struct thing){ .kind = THING_KNOWN, .to = address->text });
	people_known(s, deed->entry->person, row.id);
	begin_soon(s, deed);
	return prospects_insert(db, &row, err) || queue_add(db, &(struct queue_row){ .id = row.recheck_id, .lane = LANE_TIME, .due = s->now,
			.kind = QUEUE_RECHECK, .prospect = row.id, .ref = row.id, .name = "" }, err) ? -1 : 0;
}

static int come(struct simulation *s, struct db *db, const struct deed *deed, struct err *err)
{
	struct address parsed;
	const struct address *address = &deed->who->persona->address;

	if (deed->who->address) {
		if (address_parse(deed->who->address, &parsed, err))
			return -1;
		address = &parsed;
	}
	deed->who->came = s->now;
	habits_come(s, deed->entry->person);
	return deed->who->persona->form ? sign_up(s, db, deed, address, err) : be_known(s, db, deed, address, err);
}

static int enroll(struct simulation *s, struct db *db, const struct deed *deed, struct err *err)
{
	struct enrolling fact = { .prospect = deed->who->prospect, .sequence = deed->who->sequence, .at = s->now };
	struct enrolling_result result;

	if (on_enroll(s->decide, db, &fact, &result, err))
		return -1;
	if (!result.entered)
		tell(s, deed, (struct thing){ .kind = THING_NOTE, .text = "not entered", .to = fact.sequence, .why = result.why_not });
	return 0;
}

static int confirm(struct simulation *s, struct db *db, const struct deed *deed, struct err *err)
{
	struct confirmation fact = { .consent = deed->entry->ref, .ip = ip, .agent = agent, .at = s->now };
	struct confirmation_result result;

	tell(s, deed, (struct thing){ .kind = THING_CONFIRMS, .text = deed->who->persona->form ? deed->who->persona->form->name : "" });
	begin_soon(s, deed);
	return on_confirm(s->decide, db, &fact, &result, err);
}

/* --- to a mail ---------------------------------------------------------------------------------------------------------------- */

static int open_mail(struct simulation *s, struct db *db, const struct deed *deed, struct err *err)
{
	struct hit_fact fact = { .delivery = deed->entry->ref, .kind = 'o', .traits = seen, .ip = "", .agent = agent, .at = s->now };
	struct hit_result result;

	tell(s, deed, (struct thing){ .kind = THING_OPENS, .mail = deed->entry->mail });
	return on_hit(s->decide, db, &fact, &result, err);
}

static int click(struct simulation *s, struct db *db, const struct deed *deed, struct err *err)
{
	struct hit_fact fact = { .delivery = deed->entry->ref, .kind = 'c', .link = deed->entry->habit->link - 1, .traits = seen,
		.ip = "", .agent = agent, .at = s->now };
	struct hit_result result;

	if (on_hit(s->decide, db, &fact, &result, err))
		return -1;
	tell(s, deed, (struct thing){ .kind = THING_CLICKS, .mail = deed->entry->mail,
			.text = result.found ? result.url : arena_printf(s->arena, "it has no link %d to click", fact.link + 1) });
	return 0;
}

/* Each mail that comes in is one of its own. */
static void number_mail(struct simulation *s, struct mail_fact *fact)
{
	uint64_t n[2] = { s->options.seed, s->replies++ };

	digest_sha256(n, sizeof(n), fact->sha256);
}

static struct mail_fact incoming(struct simulation *s, const struct deed *deed, enum mail_class class)
{
	struct mail_fact fact = {
		.mailbox = "simulation", .received = s->now, .at = s->now, .class = class, .delivery = deed->entry->ref, .token_kind = 'r',
		.from = deed->who->persona->address.text, .from_name = "", .subject = "", .message_id = "", .text = "", .intent = "", .intents = "[]",
		.bounce_kind = "", .bounce_reason = "", .bounce_status = "", .bounce_diagnostic = "", .summary = "{}",
	};

	number_mail(s, &fact);
	return fact;
}

static int mail_in(struct simulation *s, struct db *db, const struct mail_fact *fact, struct err *err)
{
	struct mail_result result;

	return on_mail(s->decide, db, fact, &result, err);
}

static int reply(struct simulation *s, struct db *db, const struct deed *deed, struct err *err)
{
	struct mail_fact fact = incoming(s, deed, MAIL_HUMAN);
	struct reply_reading reading = { .intent = "other", .intents = "[]" };

	if (s->options.read_reply)
		s->options.read_reply(deed->entry->habit->text, s->now, &reading);
	fact.text = deed->entry->habit->text;
	fact.intent = reading.intent;
	fact.intents = reading.intents;
	fact.until = reading.until;
	tell(s, deed, (struct thing){ .kind = THING_REPLIES, .mail = deed->entry->mail, .text = fact.text, .why = fact.intent, .until = fact.until });
	return mail_in(s, db, &fact, err);
}

/* The day on which they are back, of the absence that the mail fell into. */
static int64_t back_on(struct simulation *s, const struct someone *who)
{
	int64_t back = 0, till;
	size_t i;

	for (i = 0; i < who->persona->habit_count; i++) {
		if (who->persona->habits[i].verb != HABIT_AWAY)
			continue;
		till = habits_date(s, who, &who->persona->habits[i].date, 0);
		if (till > s->now && (!back || till < back))
			back = till;
	}
	return back;
}

static int reply_automatically(struct simulation *s, struct db *db, const struct deed *deed, struct err *err)
{
	struct mail_fact fact = incoming(s, deed, MAIL_AUTO);

	fact.until = back_on(s, deed->who);
	tell(s, deed, (struct thing){ .kind = THING_AWAY, .mail = deed->entry->mail, .until = fact.until });
	return mail_in(s, db, &fact, err);
}

static int complain(struct simulation *s, struct db *db, const struct deed *deed, struct err *err)
{
	struct mail_fact fact = incoming(s, deed, MAIL_COMPLAINT);

	tell(s, deed, (struct thing){ .kind = THING_COMPLAINS, .mail = deed->entry->mail });
	return mail_in(s, db, &fact, err);
}

static int bounce_softly(struct simulation *s, struct db *db, const struct deed *deed, struct err *err)
{
	struct mail_fact fact = incoming(s, deed, MAIL_BOUNCE);

	fact.token_kind = 'b';
	fact.bounce_kind = "soft";
	fact.bounce_reason = "mailboxfull";
	fact.bounce_status = "4.2.2";
	fact.bounce_diagnostic = "452 4.2.2 mailbox full";
	tell(s, deed, (struct thing){ .kind = THING_BOUNCES, .mail = deed->entry->mail, .why = "softly: mailbox full" });
	return mail_in(s, db, &fact, err);
}

static int unsubscribe(struct simulation *s, struct db *db, const struct deed *deed, struct err *err)
{
	struct unsubscribe fact = { .delivery = deed->entry->ref, .how = "one-click", .ip = ip, .agent = agent, .at = s->now };
	struct unsubscribe_result result;

	tell(s, deed, (struct thing){ .kind = THING_UNSUBSCRIBES, .mail = deed->entry->mail });
	return on_unsubscribe(s->decide, db, &fact, &result, err);
}

/* --- on the website ------------------------------------------------------------------------------------------------------------- */

static int track(struct simulation *s, struct db *db, const struct deed *deed, const char *event, const char *subject, const char *data, struct err *err)
{
	struct track fact = { .who = { .prospect = deed->who->prospect }, .event = event, .subject = subject, .properties = data, .message_id = "", .at = s->now };
	struct track_result result;

	if (!deed->who->prospect)
		return 0;
	return on_track(s->decide, db, &fact, &result, err);
}

static int visit(struct simulation *s, struct db *db, const struct deed *deed, struct err *err)
{
	struct buf data = BUF_INIT;
	int rc;

	buf_str(&data, "{\"path\":");
	text_json(&data, deed->entry->habit->text, strlen(deed->entry->habit->text));
	buf_char(&data, '}');
	tell(s, deed, (struct thing){ .kind = THING_VISITS, .text = deed->entry->habit->text });
	rc = track(s, db, deed, "page_view", deed->entry->habit->text, buf_cstr(&data), err);
	buf_clear(&data);
	return rc;
}

static int do_event(struct simulation *s, struct db *db, const struct deed *deed, const char *event, const char *subject, const char *data, struct err *err)
{
	tell(s, deed, (struct thing){ .kind = THING_DOES, .text = event, .to = subject, .why = data });
	return track(s, db, deed, event, subject, data, err);
}

/* --- in the preference centre ---------------------------------------------------------------------------------------------------- */

static bool is_among(const char *const *topics, const char *name)
{
	for (; *topics; topics++)
		if (strcmp(*topics, name) == 0)
			return true;
	return false;
}

/* The boxes as they leave them ticked. */
static int tick(struct simulation *s, struct db *db, const struct deed *deed, const struct habit_preference *p, struct preferences *fact, struct err *err)
{
	const char **ticked = arena_calloc(s->arena, s->plan->topic_count + 1, sizeof(*ticked));
	struct preferences_look shown;
	size_t i, n = 0;

	if (look_preferences(s->plan, db, deed->who->prospect, s->arena, &shown, err) < 0)
		return -1;
	for (i = 0; shown.found && i < s->plan->topic_count; i++) {
		const char *name = s->plan->topics[i].name;

		if (p->kind == PREFER_ONLY ? is_among(p->topics, name) : shown.topics[i] && !is_among(p->topics, name))
			ticked[n++] = name;
	}
	fact->has_topics = true;
	fact->topics = ticked;
	return 0;
}

static int prefer(struct simulation *s, struct db *db, const struct deed *deed, struct err *err)
{
	const struct habit_preference *p = &deed->entry->habit->preference;
	struct preferences fact = { .prospect = deed->who->prospect, .by = "prospect", .ip = ip, .agent = agent, .at = s->now };
	struct preferences_result result;

	if (!fact.prospect)
		return 0;
	tell(s, deed, (struct thing){ .kind = THING_PREFERS, .text = deed->entry->habit->text });
	switch (p->kind) {
	case PREFER_ONLY: case PREFER_WITHOUT:
		if (tick(s, db, deed, p, &fact, err))
			return -1;
		break;
	case PREFER_AT_MOST:
		fact.has_limit = true;
		fact.limit_count = p->count;
		fact.limit_within = p->within;
		break;
	case PREFER_PAUSE:
		fact.has_pause = true;
		fact.paused_until = s->now + p->within;
		break;
	case PREFER_LANGUAGE:
		fact.language = p->language;
		break;
	}
	return on_preferences(s->decide, db, &fact, &result, err);
}

/* --- sales ------------------------------------------------------------------------------------------------------------------------ */

static int answer(struct simulation *s, struct db *db, const struct deed *deed, struct err *err)
{
	static const char *const words[] = { "accepts", "rejects", "wins", "loses" };
	static const enum lead_answer answers[] = { ANSWER_ACCEPT, ANSWER_REJECT, ANSWER_WON, ANSWER_LOST };
	const struct habit *h = deed->entry->habit;
	int which = (int)h->verb - HABIT_SALES_ACCEPTS;
	struct sales_outcome fact = { .lead = deed->entry->ref, .answer = answers[which], .reason = h->text, .amount = h->amount, .by = "link", .at = s->now };
	struct sales_result result;
	const char *text = h->verb == HABIT_SALES_WINS && h->amount > 0 ? arena_printf(s->arena, "wins %.15g", h->amount) : words[which];

	tell(s, deed, (struct thing){ .kind = THING_SALES, .text = text, .why = *h->text ? h->text : NULL });
	return on_sales(s->decide, db, &fact, &result, err);
}

/* ---------------------------------------------------------------------------------------------------------------------------------- */

static int deed_cb(struct simulation *s, struct db *db, void *arg, struct err *err)
{
	const struct deed *deed = arg;
	const struct persona *p = deed->who->persona;
	const struct habit *h = deed->entry->habit;

	switch (deed->entry->act) {
	case ACT_COME:
		return come(s, db, deed, err);
	case ACT_BEGIN:
		return do_event(s, db, deed, p->event, p->event_subject, p->event_data, err);
	case ACT_ENROLL:
		return enroll(s, db, deed, err);
	case ACT_CONFIRM:
		return confirm(s, db, deed, err);
	case ACT_OPEN:
		return open_mail(s, db, deed, err);
	case ACT_CLICK:
		return click(s, db, deed, err);
	case ACT_REPLY:
		return reply(s, db, deed, err);
	case ACT_AWAY:
		return reply_automatically(s, db, deed, err);
	case ACT_UNSUBSCRIBE:
		return unsubscribe(s, db, deed, err);
	case ACT_COMPLAIN:
		return complain(s, db, deed, err);
	case ACT_SOFT_BOUNCE:
		return bounce_softly(s, db, deed, err);
	case ACT_VISIT:
		return visit(s, db, deed, err);
	case ACT_DO:
		return do_event(s, db, deed, h->text, h->subject, h->data, err);
	case ACT_PREFER:
		return prefer(s, db, deed, err);
	case ACT_SALES:
		return answer(s, db, deed, err);
	case ACT_POST:
		break;
	}
	return 0;
}

int deeds_do(struct simulation *s, const struct entry *entry, struct err *err)
{
	/* nobody appears, so that the array stays where it is, before the deed is done */
	struct deed deed = { .entry = entry, .who = &s->people[entry->person] };

	return engine_do(s, deed_cb, &deed, err);
}
