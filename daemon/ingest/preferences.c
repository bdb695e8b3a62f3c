/*
 * preferences.c: /p/T, the preference centre: topics, how often, a pause, the language, and out of all of it. GET shows the page and
 * changes nothing; POST changes what its form names, and shows the page again.
 *
 * The token in the path is who may: a page of somebody else has none to post to. It names a person, not a mail, and holds for ever, so the
 * page tells whoever holds an old mail no more than what the mail said: the address is masked, and their data are not handed out here.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/zone.h"
#include "config/languages.h"

#include "parts.h"

#define PAUSE_MOST (2 * 365 * US_DAY)
#define LIMIT_MOST 31

struct preferences_call {
	struct call call;
	struct preferences fact;
	struct preferences_result result;
	struct unsubscribe leave;
	struct unsubscribe_result left;
	const struct body *body;	/* POST; NULL: GET */
	const char *until;		/* a date that they gave, in their own time zone; NULL */
	struct preferences_look look;
};

static const char cut_off[] = "This link is not known here. It may have been cut off on its way. Please answer the mail, and say what you want.";

/* --- the form ---------------------------------------------------------------------------------- */

static const char **read_topics(struct arena *arena, const struct plan *plan, const struct body *body)
{
	const char **topics = arena_calloc(arena, BODY_PAIRS + 1, sizeof(*topics));
	size_t n = 0;

	for (size_t i = 0; i < body->count; i++) {
		const struct topic *topic =
			!strcmp(body->pairs[i].name, "topic") && body->pairs[i].value ? plan_topic(plan, body->pairs[i].value) : NULL;

		if (topic)
			topics[n++] = topic->name;
	}
	return topics;
}

/* "2/7": two in seven days; "": as it comes. */
static int read_limit(const char *text, struct preferences *fact)
{
	int count = 0, days = 0, end = 0;

	fact->has_limit = true;
	if (!*text)
		return 0;
	if (sscanf(text, "%2d/%2d%n", &count, &days, &end) != 2 || text[end] || count < 1 || count > LIMIT_MOST || (days != 7 && days != 30))
		return -1;
	fact->limit_count = count;
	fact->limit_within = days * US_DAY;
	return 0;
}

static int read_pause(const char *text, const char *until, struct preferences_call *c)
{
	struct preferences *fact = &c->fact;

	fact->has_pause = true;
	if (!strcmp(text, "keep")) {
		fact->has_pause = false;
	} else if (!strcmp(text, "30") || !strcmp(text, "90")) {
		fact->paused_until = fact->at + (*text == '3' ? 30 : 90) * US_DAY;
	} else if (!strcmp(text, "until")) {
		c->until = until ? until : "";
	} else if (strcmp(text, "none") != 0) {
		return -1;
	}
	return 0;
}

/* The languages in which there is something: that without one, and those of the mails. */
static const char *const *languages_of(struct arena *arena, const struct plan *plan)
{
	const char **all = arena_calloc(arena, plan->mail_count + 2, sizeof(*all));
	size_t n = 0, k;

	all[n++] = plan->language;
	for (size_t i = 0; i < plan->mail_count; i++) {
		const char *language = plan->mails[i].language;

		for (k = 0; k < n && *language && !languages_same(all[k], language, strlen(language)); k++)
			;
		if (*language && k == n)
			all[n++] = language;
	}
	return all;
}

static int read_language(struct arena *arena, const struct plan *plan, const char *text, struct preferences *fact)
{
	for (const char *const *known = languages_of(arena, plan); *known; known++) {
		if (!strcmp(*known, text)) {
			fact->language = *known;
			return 0;
		}
	}
	return -1;
}

/* NULL, or what is wrong with it. What a form does not name stays as it is. */
static const char *read_form(struct preferences_call *c, const struct body *body)
{
	struct arena *arena = http_arena(c->call.r);
	const struct plan *plan = c->call.plan;
	const char *limit = body_get(body, "limit"), *pause = body_get(body, "pause"), *language = body_get(body, "language"),
		   *ask = body_get(body, "ask");

	if (body_get(body, "topics") || body_get(body, "topic")) {
		c->fact.has_topics = true;
		c->fact.topics = read_topics(arena, plan, body);
	}
	if (limit && read_limit(limit, &c->fact))
		return "How often? Please choose from the list.";
	if (pause && read_pause(pause, body_get(body, "until"), c))
		return "How long shall the pause be? Please choose from the list.";
	if (language && read_language(arena, plan, language, &c->fact))
		return "We do not write in that language.";
	if (ask)
		c->fact.ask = !strcmp(ask, "data") ? ASK_DATA : !strcmp(ask, "erasure") ? ASK_ERASURE : ASK_NOTHING;
	return NULL;
}

/* Midnight of that day where they are; 0: no such day, or not in the next two years. */
static int64_t until_of(const char *text, const char *timezone, int64_t now)
{
	const struct zone *zone = *timezone ? zone_find(timezone) : NULL;
	int year = 0, month = 0, day = 0, end = 0;
	struct zone_time back;
	int64_t at;

	if (sscanf(text, "%4d-%2d-%2d%n", &year, &month, &day, &end) != 3 || text[end] || year < 1971)
		return 0;
	if (!zone)
		zone = zone_find("UTC");
	at = zone_instant(zone, year, month, day, 0, 0, 0);
	zone_local(zone, at, &back);
	return back.day == day && back.month == month && at > now && at <= now + PAUSE_MOST ? at : 0;
}

/* --- the page ---------------------------------------------------------------------------------- */

static struct value topics_value(struct arena *arena, const struct plan *plan, const struct preferences_look *look)
{
	struct value_builder *list = value_build_list(arena);

	for (size_t i = 0; i < plan->topic_count; i++) {
		struct topic_words words = topic_words_in(&plan->topics[i], look->language);
		struct value_builder *b = value_build_object(arena);

		value_put(b, "name", value_text(plan->topics[i].name));
		value_put(b, "title", value_text(words.title));
		value_put(b, "about", *words.about ? value_text(words.about) : value_nil);
		value_put(b, "on", value_bool(look->topics[i]));
		value_add(list, value_built(b));
	}
	return value_built(list);
}

static void add_limit(struct value_builder *list, struct arena *arena, int64_t count, int days, bool on)
{
	struct value_builder *b = value_build_object(arena);

	value_put(b, "value", value_text(days ? arena_printf(arena, "%lld/%d", (long long)count, days) : ""));
	value_put(b, "count", value_int(count));
	value_put(b, "per", value_text(!days ? "all" : days == 7 ? "week" : "month"));
	value_put(b, "on", value_bool(on));
	value_add(list, value_built(b));
}

static struct value limits_value(struct arena *arena, const struct preferences_look *look)
{
	static const struct { int count, days; } offered[] = { { 0, 0 }, { 2, 7 }, { 1, 7 }, { 2, 30 }, { 1, 30 } };
	struct value_builder *list = value_build_list(arena);
	int days = (int)(look->limit_within / US_DAY);
	bool found = false;

	for (size_t i = 0; i < sizeof(offered) / sizeof(*offered); i++) {
		bool on = offered[i].days == days && (!days || offered[i].count == look->limit_count);

		found = found || on;
		add_limit(list, arena, offered[i].count, offered[i].days, on);
	}
	if (!found)
		add_limit(list, arena, look->limit_count, days, true);
	return value_built(list);
}

static struct value languages_value(struct arena *arena, const struct plan *plan, const char *own)
{
	/* in their own words: whoever looks for theirs finds it */
	static const char *const names[][2] = {
		{ "en", "English" }, { "de", "Deutsch" }, { "fr", "Français" }, { "es", "Español" }, { "it", "Italiano" }, { "nl", "Nederlands" },
		{ "pt", "Português" }, { "pl", "Polski" }, { "sv", "Svenska" }, { "da", "Dansk" }, { "nb", "Norsk" }, { "fi", "Suomi" },
		{ "cs", "Čeština" }, { "ja", "日本語" },
	};
	const char *const *all = languages_of(arena, plan);
	struct value_builder *list = value_build_list(arena);
	size_t best = 0, n = 0, k;

	for (size_t i = 0; all[i]; i++)
		if (*own && !strncmp(all[i], own, 2))
			best = i;
	for (; all[n]; n++) {
		struct value_builder *b = value_build_object(arena);

		for (k = 0; k < sizeof(names) / sizeof(*names) && strcmp(names[k][0], all[n]) != 0; k++)
			;
		value_put(b, "code", value_text(all[n]));
		value_put(b, "name", value_text(k < sizeof(names) / sizeof(*names) ? names[k][1] : all[n]));
		value_put(b, "on", value_bool(n == best));
		value_add(list, value_built(b));
	}
	return n > 1 ? value_built(list) : value_nil;
}

static const char *day_text(struct arena *arena, const char *timezone, int64_t at)
{
	const struct zone *zone = *timezone ? zone_find(timezone) : NULL;
	struct zone_time t;

	zone_local(zone ? zone : zone_find("UTC"), at, &t);
	return arena_printf(arena, "%04d-%02d-%02d", t.year, t.month, t.day);
}

static const char *answer_of(const struct preferences_call *c)
{
	if (!c->body)
		return "";
	if (c->fact.ask != ASK_NOTHING)
		return c->fact.ask == ASK_DATA ? "asked-data" : "asked-erasure";
	return c->result.changed ? "saved" : "same";
}

static void preferences_page(const struct preferences_call *c, int status, const char *message)
{
	struct http_request *r = c->call.r;
	struct arena *arena = http_arena(r);
	const struct preferences_look *look = &c->look;
	struct page *page = page_new(r, c->call.plan, "preferences", "Your preferences");
	int64_t now = clock_now();

	page_in(page, look->language);
	page_set(page, "action", value_text(http_path(r)));
	page_set(page, "token", value_text(http_rest(r)));
	page_set(page, "email", value_text(masked_address(arena, look->address)));
	page_set(page, "withdrawn", value_bool(look->withdrawn));
	page_set(page, "answer", value_text(message ? "wrong" : answer_of(c)));
	page_set(page, "message", value_text(message ? message : ""));
	page_set(page, "topics", topics_value(arena, c->call.plan, look));
	page_set(page, "limits", limits_value(arena, look));
	page_set(page, "languages", languages_value(arena, c->call.plan, look->language));
	page_set(page, "until_least", value_text(day_text(arena, look->timezone, now + US_DAY)));
	page_set(page, "until_most", value_text(day_text(arena, look->timezone, now + PAUSE_MOST)));
	if (look->paused_until > now)
		page_set(page, "paused_until", value_text(day_text(arena, look->timezone, look->paused_until)));
	page_send(page, status);
}

static void unknown(const struct preferences_call *c)
{
	page_problem(c->call.r, c->call.plan, 404, "No such link", cut_off);
}

/* --- GET --------------------------------------------------------------------------------------- */

static int look_run(struct store_job *job, struct db *db, struct err *err)
{
	struct preferences_call *c = (struct preferences_call *)job;

	return look_preferences(c->call.plan, db, c->fact.prospect, http_arena(c->call.r), &c->look, err) < 0 ? -1 : 0;
}

static void look_done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct preferences_call *c = (struct preferences_call *)job;
	struct call call = c->call;

	if (!call_done(&c->call, result, err))
		return;
	if (c->look.found)
		preferences_page(c, 200, NULL);
	else
		unknown(c);
	call_end(&call);
}

/* --- POST -------------------------------------------------------------------------------------- */

static const char wrong_day[] = "Until when? Please choose a day in the next two years.";

static int change_run(struct store_job *job, struct db *db, struct err *err)
{
	struct preferences_call *c = (struct preferences_call *)job;

	if (look_run(job, db, err))
		return -1;
	if (c->until) {
		c->fact.paused_until = until_of(c->until, c->look.timezone, c->fact.at);
		if (!c->fact.paused_until)
			return 0;
	}
	return on_preferences(c->call.in->decide, db, &c->fact, &c->result, err) < 0 ? -1 : look_run(job, db, err);
}

static void change_done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct preferences_call *c = (struct preferences_call *)job;
	struct call call = c->call;

	if (!call_done(&c->call, result, err))
		return;
	if (!c->look.found)
		unknown(c);
	else if (c->until && !c->fact.paused_until)
		preferences_page(c, 422, wrong_day);
	else
		preferences_page(c, 200, NULL);
	call_end(&call);
}

static int leave_run(struct store_job *job, struct db *db, struct err *err)
{
	struct preferences_call *c = (struct preferences_call *)job;

	return on_unsubscribe(c->call.in->decide, db, &c->leave, &c->left, err);
}

static void leave_done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct preferences_call *c = (struct preferences_call *)job;
	struct call call = c->call;
	struct page *page;

	if (!call_done(&c->call, result, err))
		return;
	if (c->left.found) {
		page = page_new(call.r, call.plan, "unsubscribed", "You are unsubscribed");
		page_in(page, c->left.language);
		page_set(page, "message", value_text("You get no more mail from us."));
		page_set(page, "email", value_text(masked_address(http_arena(call.r), c->left.address)));
		page_send(page, 200);
	} else {
		unknown(c);
	}
	call_end(&call);
}

static void leave(struct preferences_call *c)
{
	c->leave = (struct unsubscribe){ .prospect = c->fact.prospect, .how = "preferences", .ip = c->fact.ip, .agent = c->fact.agent,
		.at = c->fact.at };
	c->call.job.run = leave_run;
	c->call.job.done = leave_done;
	call_write(&c->call, STORE_FIRST);
}

static void change(struct preferences_call *c, const struct body *body)
{
	const char *wrong = read_form(c, body);
	struct call call = c->call;

	if (wrong) {
		page_problem(call.r, call.plan, 422, "Please look again", wrong);
		call_end(&call);
		return;
	}
	c->call.job.run = change_run;
	c->call.job.done = change_done;
	call_write(&c->call, STORE_FIRST);
}

static void post(struct preferences_call *c)
{
	struct body *body = arena_calloc(http_arena(c->call.r), 1, sizeof(*body));
	struct call call = c->call;

	if (read_body(call.r, call.plan, body) < 0) {
		call_end(&call);
		return;
	}
	c->body = body;
	c->fact.ip = http_ip(c->call.r);
	c->fact.agent = read_header(c->call.r, "User-Agent", AGENT_MAX);
	if (body_get(body, "unsubscribe"))
		leave(c);
	else
		change(c, body);
}

void preferences_any(void *ctx, struct http_request *r)
{
	struct ingest *in = ctx;
	int64_t now = clock_now();
	struct preferences_call *c;
	struct token token;

	if (read_token(in, r, TOKEN_PREFERENCES, "", now, &token, NULL) < 0) {
		page_problem(r, ingest_plan(in), 404, "No such link", cut_off);
		return;
	}
	c = call_new(in, r, sizeof(*c));
	c->fact = (struct preferences){ .prospect = token.id, .by = "prospect", .at = now };
	if (http_method(r) == HTTP_POST) {
		post(c);
		return;
	}
	c->call.job.run = look_run;
	c->call.job.done = look_done;
	call_read(&c->call);
}
