/*
 * track.c: POST /v1/track: something happened on the website, in Segment's words (userId, anonymousId,
 * event, properties, context, messageId, timestamp).
 *
 * With the API key: anything about anybody. Without it anybody may post, so it counts little: page views of
 * a visitor, or of whoever a verified click token names. nurture.js sends those, as text/plain where the
 * browser's sendBeacon allows nothing else.
 */
#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/text.h"

#include "parts.h"

#define EVENT_MAX 64
#define PATH_MAX_BYTES 512
#define PROPERTIES_MAX 16384
#define ANONYMOUS_MAX 64
#define PAGE_VIEWS ((struct rate){ 300, US_MINUTE })	/* of one network, without a key */

/* What nurtured finds out by itself: nobody else may say it. */
static const char *const own_events[] = {
	"signup",
	"confirm",
	"confirmed",
	"open",
	"open_machine",
	"click",
	"click_machine",
	"reply",
	"bounce",
	"complaint",
	"unsubscribe",
	"sent",
	"download",
	"list_changed",
	"stage_changed",
	"hot",
	"lead",
	"outcome",
	NULL,
};

struct track_call {
	struct call call;
	struct address address;
	struct track fact;
	struct track_result result;
};

/* "Order Completed" as the language has it: order_completed. NULL if that leaves no name. */
static const char *event_name(struct arena *arena, const char *s)
{
	char *out = arena_strndup(arena, s, EVENT_MAX + 1), *c;

	for (c = out; *c; c++) {
		*c = (char)tolower((unsigned char)*c);
		if (*c == ' ' || *c == '-' || *c == '.' || *c == ':')
			*c = '_';
		if (!islower((unsigned char)*c) && !isdigit((unsigned char)*c) && *c != '_')
			return NULL;
	}
	return *out && strlen(out) <= EVENT_MAX ? out : NULL;
}

static const char *text_at(const json_t *json, const char *a, const char *b, const char *c)
{
	const json_t *v = json_object_get(json, a);

	if (b)
		v = json_object_get(v, b);
	if (c)
		v = json_object_get(v, c);
	return json_string_value(v);
}

static bool visible(const char *s, size_t max)
{
	const char *c;

	for (c = s; *c > 0x20 && *c < 0x7f; c++)
		;
	return *s && !*c && (size_t)(c - s) <= max;
}

/* Copies, because the JSON goes before the call does. NULL stays NULL. */
static const char *keep(struct arena *arena, const char *s)
{
	return s ? arena_strdup(arena, s) : NULL;
}

/* The path of the page, of Segment's two places or of a URL; "" if there is none. */
static const char *path_of(struct arena *arena, const json_t *json)
{
	const char *path = text_at(json, "context", "page", "path"), *url;

	if (!path)
		path = text_at(json, "properties", "path", NULL);
	if (!path) {
		url = text_at(json, "context", "page", "url");
		if (!url)
			url = text_at(json, "properties", "url", NULL);
		path = url ? strstr(url, "://") : NULL;
		path = path ? strchrnul(path + 3, '/') : NULL;
		if (path && !*path)
			path = "/";
	}
	if (!path || *path != '/')
		return "";
	return read_text(arena, arena_strndup(arena, path, strcspn(path, "?#")), PATH_MAX_BYTES);
}

static int read_properties(struct track_call *c, const json_t *json, struct err *err)
{
	json_t *properties = json_object_get(json, "properties"), *copy;
	const char *timestamp = text_at(json, "timestamp", NULL, NULL);
	int64_t when;
	char *text;

	if (properties && !json_is_object(properties))
		return err_set(err, "properties is not an object");
	if (timestamp && text_time_parse(timestamp, &when) < 0)
		return err_set(err, "timestamp is not a time such as 2026-11-22T03:21:35Z");
	/* the fact's time is when it came here: clocks of clients are wrong, and the past has been judged */
	copy = properties ? json_copy(properties) : json_object();
	if (timestamp && !json_object_get(copy, "timestamp"))
		json_object_set_new(copy, "timestamp", json_string(timestamp));
	text = json_dumps(copy, JSON_COMPACT | JSON_REAL_PRECISION(15));
	json_decref(copy);
	if (!text || strlen(text) > PROPERTIES_MAX) {
		free(text);
		return err_set(err, "properties is larger than %d bytes", PROPERTIES_MAX);
	}
	c->fact.properties = arena_strdup(http_arena(c->call.r), text);
	free(text);
	return 0;
}

static int read_event(struct track_call *c, const json_t *json, bool trusted, struct err *err)
{
	struct arena *arena = http_arena(c->call.r);
	const char *event = text_at(json, "event", NULL, NULL), *id = text_at(json, "messageId", NULL, NULL);
	size_t i;

	c->fact.event = event ? event_name(arena, event) : NULL;
	if (!c->fact.event)
		return err_set(err, "event is a name of letters, digits and _, at most %d", EVENT_MAX);
	for (i = 0; own_events[i]; i++)
		if (strcmp(own_events[i], c->fact.event) == 0)
			return err_set(err, "%s is an event that nurtured makes itself", c->fact.event);
	if (!trusted && strcmp(c->fact.event, "page_view") != 0)
		return err_set(err, "without the API key only page_view is taken");
	if (id && !visible(id, KEY_MAX))
		return err_set(err, "messageId is 1 to 255 visible ASCII characters");
	c->fact.message_id = keep(arena, id);
	c->fact.subject = path_of(arena, json);
	if (strcmp(c->fact.event, "page_view") == 0 && !*c->fact.subject)
		return err_set(err, "a page_view needs context.page.path");
	return read_properties(c, json, err);
}

/* Whom it is about. userId: an id of ours ("pro_...") or an address. */
static int read_person(struct track_call *c, const json_t *json, struct err *err)
{
	const char *user = text_at(json, "userId", NULL, NULL),
		   *email = text_at(json, "context", "traits", "email");

	if (!email)
		email = text_at(json, "properties", "email", NULL);
	if (user && id_parse("pro", user, &c->fact.prospect) == 0)
		return 0;
	c->fact.prospect = 0;
	if (!email && user && strchr(user, '@'))
		email = user;
	if (!email)
		return 0;
	if (address_parse(email, &c->address, err) < 0)
		return err_prefix(err, "email");
	c->fact.address = &c->address;
	return 0;
}

static int read_fact(struct track_call *c, const json_t *json, bool trusted, struct err *err)
{
	struct http_request *r = c->call.r;
	const char *anonymous = text_at(json, "anonymousId", NULL, NULL),
		   *click = text_at(json, "context", "nurtured", NULL);
	struct token token;

	c->fact.at = clock_now();
	if (read_event(c, json, trusted, err) < 0)
		return -1;
	if (anonymous && (!visible(anonymous, ANONYMOUS_MAX) || strlen(anonymous) < 8))
		return err_set(err, "anonymousId is 8 to %d visible ASCII characters", ANONYMOUS_MAX);
	c->fact.anonymous_id = keep(http_arena(r), anonymous);
	if (click && token_check(c->call.in->ring, TOKEN_CLICK, click, strlen(click), c->fact.at, &token,
			     NULL) == 0) {
		c->fact.click_delivery = token.id;
		c->fact.click_link = token.link;
	}
	if (trusted && read_person(c, json, err) < 0)
		return -1;
	if (!c->fact.prospect && !c->fact.address && !c->fact.anonymous_id && !c->fact.click_delivery)
		return err_set(err, trusted ? "about nobody: name userId, anonymousId or context.traits.email"
					    : "about nobody: name anonymousId");
	return 0;
}

static int track_run(struct store_job *job, struct db *db, struct err *err)
{
	struct track_call *c = (struct track_call *)job;

	return on_track(c->call.in->decide, db, &c->fact, &c->result, err);
}

static void track_done(struct store_job *job, enum store_result result, const struct err *err)
{
	static const char success[] = "{\"success\":true}\n";
	struct call call = ((struct track_call *)job)->call;

	if (!call_done(&call, result, err))
		return;
	http_reply(call.r, 200, "application/json", success, sizeof(success) - 1);
	call_end(&call);
}

/* false: answered. */
static bool may_post(struct ingest *in, struct http_request *r, const struct plan *plan, bool *trusted)
{
	enum bearer bearer = read_bearer(r, plan);
	char network[48];
	int64_t wait;

	*trusted = bearer == BEARER_GOOD;
	if (bearer == BEARER_WRONG) {
		refuse_bearer(r, plan);
		return false;
	}
	if (*trusted)
		return true;
	if (!origin_allowed(r, plan, NULL)) {
		http_problem(r, 403,
			"Pages of this origin may not post here; allow_origin of a form says which may.",
			NULL);
		return false;
	}
	if (rates_take(
		    in->rates, "track", rates_network(http_ip(r), network), PAGE_VIEWS, clock_now(), &wait))
		return true;
	http_set_header(r, "Retry-After", "60");
	http_problem(r, 429, "Too many page views came from you.", NULL);
	return false;
}

void track_post(void *ctx, struct http_request *r)
{
	struct ingest *in = ctx;
	struct plan *plan = ingest_plan(in);
	const char *type = http_content_type(r);
	struct track_call *c;
	struct call call;
	struct err err;
	json_t *json;
	bool trusted;

	if (http_method(r) == HTTP_OPTIONS) {
		origin_preflight(r, plan, NULL);
		return;
	}
	if (!may_post(in, r, plan, &trusted))
		return;
	if (strcmp(type, "application/json") != 0 && strcmp(type, "text/plain") != 0) {
		http_problem(r, 415, "Send application/json.", NULL);
		return;
	}
	json = body_json(http_body(r), &err);
	if (!json) {
		http_problem(r, 400, err.text, NULL);
		return;
	}
	c = call_new(in, r, sizeof(*c));
	c->call.job.run = track_run;
	c->call.job.done = track_done;
	call = c->call;
	if (read_fact(c, json, trusted, &err) == 0) {
		call_write(&c->call, STORE_NORMAL);
	} else {
		http_problem(r, 422, err.text, NULL);
		call_end(&call);
	}
	json_decref(json);
}
