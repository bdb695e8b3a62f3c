/*
 * judge.c: the hits of one mail, judged together, and what follows from the verdicts: events, their points, and how many mails have which.
 *
 * Used when hits take effect, when more becomes known of them (somebody came back), and when all are judged again by the rules of today: it makes
 * true what the verdicts say, whatever was there before, and changes nothing where that is so already. What a sequence has done meanwhile stays.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/metrics.h"
#include "base/text.h"

#include "decide.h"
#include "person.h"
#include "shape.h"

#define HELP "Opens and clicks that took effect, by who is thought to have made them."
METRIC(open_human, COUNTER, "nurtured_hit_verdicts_total", "kind=\"open\",verdict=\"human\"", HELP);
METRIC(open_machine, COUNTER, "nurtured_hit_verdicts_total", "kind=\"open\",verdict=\"machine\"", HELP);
METRIC(open_unknown, COUNTER, "nurtured_hit_verdicts_total", "kind=\"open\",verdict=\"unknown\"", HELP);
METRIC(click_human, COUNTER, "nurtured_hit_verdicts_total", "kind=\"click\",verdict=\"human\"", HELP);
METRIC(click_machine, COUNTER, "nurtured_hit_verdicts_total", "kind=\"click\",verdict=\"machine\"", HELP);
METRIC(click_unknown, COUNTER, "nurtured_hit_verdicts_total", "kind=\"click\",verdict=\"unknown\"", HELP);

/* Took effect before it was noted which event it became: it keeps that one. */
#define LONG_AGO 1
/* Of these verdicts no later evidence says anything else: nobody clicks like that. */
#define CERTAIN (VERDICT_HEAD | VERDICT_NO_AGENT | VERDICT_BURST | VERDICT_AGENT | VERDICT_UNSUBSCRIBE | VERDICT_HONEYPOT)
#define COMES_BACK US_DAY		/* how long after a click what they do on the website, from it, says that they are one */
#define FORM_FOLLOWS US_HOUR		/* ... and a form that does not say from which click they came */
#define MAILS_LOOKED_AT 5

struct case_file {
	struct person *p;
	const struct delivery *mail;
	const struct hit *come;		/* those that are not kept yet */
	size_t come_count;
	struct hit *hits;
	struct hit *before;		/* as they were */
	const char **names;		/* of the event that each is now; NULL: none */
	const char **was;		/* ... and was */
	size_t count;
	const char *again[4];		/* names of events whose points are to be granted anew */
	size_t again_count;
};

static bool is_machine(const struct hit *h)
{
	return h->verdict == VERDICT_MACHINE;
}

static const char *name_of(const struct hit *h)
{
	if (h->kind == 'o')
		return is_machine(h) ? "open_machine" : "open";
	return is_machine(h) ? "click_machine" : "click";
}

/* --- which hit is which event --------------------------------------------------------------------------------------- */

/* Each click counts. One open a mail is enough to know: of persons, and of machines. */
static void name_events(struct case_file *c)
{
	bool open[2] = { false, false };
	size_t i;

	for (i = 0; i < c->count; i++)
		if (c->hits[i].kind == 'o' && c->hits[i].settled == LONG_AGO)
			open[is_machine(&c->before[i])] = true;
	for (i = 0; i < c->count; i++) {
		const struct hit *h = &c->hits[i];

		c->was[i] = c->before[i].event ? name_of(&c->before[i]) : NULL;
		if (!h->settled || h->settled == LONG_AGO || h->kind == 'u')
			continue;
		if (h->kind == 'o' && open[is_machine(h)])
			continue;
		if (h->kind == 'o')
			open[is_machine(h)] = true;
		c->names[i] = name_of(h);
	}
}

static int event_data(struct case_file *c, const struct hit *h, const char **out, struct err *err)
{
	struct person *p = c->p;
	const char *url = "";
	struct buf data = BUF_INIT;
	char id[ID_TEXT];
	int found;

	if (h->kind == 'c') {
		found = links_find(p->db, c->mail->template, h->link, c->mail->done ? c->mail->done : h->at, p->arena, &url, err);
		if (found < 0)
			return -1;
		if (!found)
			url = "";
	}
	buf_str(&data, "{\"url\":");
	text_json(&data, url, strlen(url));
	buf_printf(&data, ",\"verdict\":\"%s\",\"delivery\":\"%s\"}", verdict_name(h->verdict), id_text("del", h->delivery, id));
	*out = arena_strdup(p->arena, buf_cstr(&data));
	buf_clear(&data);
	return 0;
}

static void grant_again(struct case_file *c, const char *name)
{
	size_t i;

	for (i = 0; i < c->again_count; i++)
		if (strcmp(c->again[i], name) == 0)
			return;
	c->again[c->again_count++] = name;
}

static const char *subject_of(const struct case_file *c)
{
	return mail_base(c->p->arena, c->mail->template);
}

static int take_back(struct case_file *c, size_t i, struct err *err)
{
	struct event_row e = {
		.id = c->before[i].event, .prospect = c->p->row.id, .at = c->before[i].settled, .name = c->was[i], .subject = subject_of(c),
	};

	grant_again(c, c->was[i]);
	return score_take_back(c->p, &e, err) || events_remove(c->p->db, &e, err) < 0 ? -1 : 0;
}

/* It happened a while ago, and has become another event since. */
static int put_in_place(struct case_file *c, size_t i, const char *data, struct err *err)
{
	struct hit *h = &c->hits[i];

	if (!h->event)
		h->event = id_new(id_bucket(h->delivery), h->settled);
	grant_again(c, c->names[i]);
	return events_insert(c->p->db, &(struct event_row){ .id = h->event, .prospect = c->p->row.id, .at = h->settled, .name = c->names[i],
			.subject = subject_of(c), .data = data }, err);
}

static int put_event(struct case_file *c, size_t i, struct err *err)
{
	struct hit *h = &c->hits[i];
	const char *data;

	if (event_data(c, h, &data, err))
		return -1;
	if (c->before[i].settled)
		return put_in_place(c, i, data, err);
	c->p->happened = h->at;
	return person_happen(c->p, c->names[i], subject_of(c), data, &h->event, err);
}

static bool stays(const struct case_file *c, size_t i)
{
	return c->was[i] && c->names[i] && strcmp(c->was[i], c->names[i]) == 0 && c->before[i].verdict == c->hits[i].verdict;
}

static int make_events(struct case_file *c, struct err *err)
{
	size_t i;

	for (i = 0; i < c->count; i++) {
		if (!c->was[i] || stays(c, i))
			continue;
		if (take_back(c, i, err))
			return -1;
		if (!c->names[i])
			c->hits[i].event = 0;
	}
	for (i = 0; i < c->count; i++)
		if (c->names[i] && !stays(c, i) && put_event(c, i, err))
			return -1;
	for (i = 0; i < c->again_count; i++) {
		if (score_grant_again(c->p, c->again[i], err))
			return -1;
		person_mark_event(c->p, c->again[i]);
	}
	return 0;
}

/* --- how many mails ------------------------------------------------------------------------------------------------- */

/* The best that any of them is: VERDICTS if there are none. */
static enum verdict best(const struct hit *hits, size_t count, char kind)
{
	static const int rank[VERDICTS + 1] = { [VERDICT_HUMAN] = 3, [VERDICT_UNKNOWN] = 2, [VERDICT_MACHINE] = 1, [VERDICTS] = 0 };
	enum verdict verdict = VERDICTS;
	size_t i;

	for (i = 0; i < count; i++)
		if (hits[i].kind == kind && hits[i].settled && rank[hits[i].verdict] > rank[verdict])
			verdict = hits[i].verdict;
	return verdict;
}

static int count_mail(struct case_file *c, char kind, enum verdict verdict, int64_t mails, struct err *err)
{
	const struct delivery *mail = c->mail;

	if (verdict == VERDICTS)
		return 0;
	if (c->p->d)
		shape_hit(c->p->d->shape, c->p->db, mail->address, mail->id, kind == 'c', verdict, mails, c->p->now);
	return hit_sums_add(c->p->d, c->p->db, &(struct hit_sum){ .sequence = mail->sequence, .step = mail->step, .template = subject_of(c), .kind = kind,
			.verdict = verdict, .day = mail->planned / US_DAY, .delivery = mail->id, .mails = mails }, err);
}

static int count_mails(struct case_file *c, struct err *err)
{
	static const char kinds[] = "oc";
	size_t i;

	for (i = 0; kinds[i]; i++) {
		enum verdict was = best(c->before, c->count, kinds[i]), is = best(c->hits, c->count, kinds[i]);

		if (was != is && (count_mail(c, kinds[i], was, -1, err) || count_mail(c, kinds[i], is, 1, err)))
			return -1;
	}
	return 0;
}

static void count_hit(struct db *db, const struct hit *h)
{
	static struct metric *const metrics[2][VERDICTS] = {
		{ [VERDICT_HUMAN] = &metric_open_human, [VERDICT_MACHINE] = &metric_open_machine, [VERDICT_UNKNOWN] = &metric_open_unknown },
		{ [VERDICT_HUMAN] = &metric_click_human, [VERDICT_MACHINE] = &metric_click_machine, [VERDICT_UNKNOWN] = &metric_click_unknown },
	};

	if (h->kind != 'u')
		db_count(db, metrics[h->kind == 'c'][h->verdict], h->times);
}

/* --- the case ------------------------------------------------------------------------------------------------------- */

static bool takes_effect(const struct person *p, const struct hit *h)
{
	return !h->settled && (h->kind != 'c' || h->at + p->plan->operator.click_hold <= p->now);
}

static void settle(struct case_file *c)
{
	size_t i;

	for (i = 0; i < c->count; i++) {
		struct hit *h = &c->hits[i];

		if (!takes_effect(c->p, h))
			continue;
		h->settled = c->p->now;
		if (h->kind == 'c' && crowd_has(c->p->d->crowd, h))
			h->traits |= HIT_CROWD;
	}
}

static int journal(struct case_file *c, const struct hit *was, const struct hit *h, struct err *err)
{
	const char *cause = c->p->cause, *what;

	if (!was->settled || is_machine(was) == is_machine(h))
		return 0;
	what = arena_printf(c->p->arena, "%s: %s", h->kind == 'o' ? "open" : "click", verdict_name(h->verdict));
	return person_journal(c->p, "verdict", what, cause, err);
}

static bool is_kept(const struct case_file *c, const struct hit *h)
{
	size_t i;

	for (i = 0; i < c->come_count; i++)
		if (c->come[i].id == h->id)
			return false;
	return true;
}

static bool is_changed(const struct hit *was, const struct hit *h)
{
	return was->verdict != h->verdict || was->reasons != h->reasons || was->traits != h->traits || was->settled != h->settled || was->event != h->event;
}

static int keep(struct case_file *c, struct judged *out, struct err *err)
{
	size_t i;

	for (i = 0; i < c->count; i++) {
		const struct hit *was = &c->before[i], *h = &c->hits[i];
		bool kept = is_kept(c, h);

		if (kept && !is_changed(was, h))
			continue;
		if (!was->settled && h->settled)
			count_hit(c->p->db, h);
		out->settled += !was->settled && h->settled;
		out->changed += was->settled && was->verdict != h->verdict;
		if (was->settled && was->verdict != h->verdict)
			out->moves[was->verdict][h->verdict]++;
		if ((kept ? hits_update(c->p->db, h, err) : hits_insert(c->p->db, h, err)) || journal(c, was, h, err))
			return -1;
	}
	out->hits += c->count;
	return 0;
}

static void *copy(struct arena *arena, const void *from, size_t count, size_t size)
{
	void *to = arena_calloc(arena, count + 1, size);

	if (count)
		memcpy(to, from, count * size);
	return to;
}

static int judge(struct case_file *c, bool settles, struct judged *out, struct err *err)
{
	const struct tracking_config *t = &c->p->plan->operator.tracking;
	struct verdict_lists lists = { .egress = t->egress, .scanners = t->scanners };

	c->names = arena_calloc(c->p->arena, c->count + 1, sizeof(*c->names));
	c->was = arena_calloc(c->p->arena, c->count + 1, sizeof(*c->was));
	if (settles)
		settle(c);
	verdict_judge(c->hits, c->count, verdict_sent(c->mail), &lists);
	name_events(c);
	return make_events(c, err) || keep(c, out, err) || count_mails(c, err) ? -1 : 0;
}

int judge_mail(struct person *p, const struct delivery *mail, bool settles, struct judged *out, struct err *err)
{
	struct case_file c = { .p = p, .mail = mail };

	if (hits_of_delivery(p->db, mail->id, 0, p->arena, &c.hits, &c.count, err))
		return -1;
	c.before = copy(p->arena, c.hits, c.count, sizeof(*c.hits));
	return judge(&c, settles, out, err);
}

static int by_time(const void *a_, const void *b_)
{
	const struct hit *a = a_, *b = b_;

	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	return a->id < b->id ? -1 : a->id > b->id;
}

int judge_come(struct person *p, const struct delivery *mail, const struct hit *kept, size_t kept_count, const struct hit *come, size_t come_count,
		struct err *err)
{
	struct case_file c = { .p = p, .mail = mail, .come = come, .come_count = come_count, .count = kept_count + come_count };
	struct judged judged = { 0 };

	c.hits = arena_calloc(p->arena, c.count + 1, sizeof(*c.hits));
	if (kept_count)
		memcpy(c.hits, kept, kept_count * sizeof(*kept));
	if (come_count)
		memcpy(c.hits + kept_count, come, come_count * sizeof(*come));
	qsort(c.hits, c.count, sizeof(*c.hits), by_time);
	c.before = copy(p->arena, c.hits, c.count, sizeof(*c.hits));
	return judge(&c, true, &judged, err);
}

/* --- somebody came back --------------------------------------------------------------------------------------------- */

/* The newest click before `at` that it may have been; -1: none. */
static ssize_t newest_click(const struct hit *hits, size_t count, int link, int64_t from, int64_t at)
{
	size_t i;

	for (i = count; i-- > 0;) {
		if (hits[i].kind != 'c' || hits[i].at > at || hits[i].at < from)
			continue;
		if (link >= 0 ? hits[i].link == link : !(hits[i].reasons & CERTAIN))
			return (ssize_t)i;
	}
	return -1;
}

/* 1: one of its clicks was it. */
static int came_back_to(struct person *p, const struct delivery *mail, int link, int64_t span, struct err *err)
{
	struct case_file c = { .p = p, .mail = mail };
	struct judged judged = { 0 };
	ssize_t i;

	if (packs_may_have(p->db, mail->id) && p->d && hits_catch_up(p->d, p->db, mail, err))
		return -1;
	if (hits_of_delivery(p->db, mail->id, 0, p->arena, &c.hits, &c.count, err))
		return -1;
	i = newest_click(c.hits, c.count, link, p->now - span, p->now);
	if (i < 0)
		return 0;
	if (c.hits[i].traits & HIT_CAME_BACK)
		return 1;
	c.before = copy(p->arena, c.hits, c.count, sizeof(*c.hits));
	c.hits[i].traits |= HIT_CAME_BACK;
	return judge(&c, false, &judged, err) ? -1 : 1;
}

int judge_came_back(struct person *p, int64_t delivery, int link, struct err *err)
{
	struct delivery mail;
	int found = deliveries_find(p->db, delivery, p->arena, &mail, err);

	if (found <= 0 || mail.prospect != p->row.id)
		return found < 0 ? -1 : 0;
	return came_back_to(p, &mail, link, COMES_BACK, err) < 0 ? -1 : 0;
}

int judge_form(struct person *p, struct err *err)
{
	struct delivery *mails;
	size_t count, i;
	int rc = 0;

	if (deliveries_of(p->db, p->row.id, MAILS_LOOKED_AT, p->arena, &mails, &count, err))
		return -1;
	for (i = 0; rc == 0 && i < count; i++)
		rc = came_back_to(p, &mails[i], -1, FORM_FOLLOWS, err);
	return rc < 0 ? -1 : 0;
}
