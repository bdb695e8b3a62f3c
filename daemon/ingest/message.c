/*
 * message.c: see message.h.
 *
 * The website's server may say anything about anybody. Without its key anybody may post, so it counts little: page views of a visitor, or of
 * whoever a verified click token names. Who somebody is, a browser cannot say: it could be anybody.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "base/text.h"
#include "base/zone.h"

#include "message.h"
#include "parts.h"

#define EVENT_MAX 64
#define PATH_MAX_BYTES 512
#define ANONYMOUS_MAX 64
#define USER_MAX 200
#define TRAIT_MAX 500

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
	"auto_reply",
	"receipt",
	"bounce",
	"soft_bounce",
	"complaint",
	"unsubscribe",
	"sent",
	"download",
	"list_changed",
	"stage_changed",
	"tagged",
	"untagged",
	"hot",
	"lead",
	"outcome",
	NULL,
};

int message_type_of(const char *name)
{
	static const char *const names[] = { "track", "page", "identify" };

	for (int i = 0; name && i < 3; i++)
		if (strcmp(name, names[i]) == 0)
			return i;
	return -1;
}

/* --- texts ----------------------------------------------------------------------------------- */

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

/* --- whom it is about ------------------------------------------------------------------------ */

/* userId: an id of ours ("pro_..."), an address, or the website's own number. */
static int read_user(const struct message_reader *r, const json_t *json, struct message *m, struct who *who, struct err *err)
{
	const json_t *given = json_object_get(json, "userId");
	const char *user = json_is_integer(given) ? arena_printf(r->arena, "%" JSON_INTEGER_FORMAT, json_integer_value(given)) : json_string_value(given);
	const char *email = text_at(json, "traits", "email", NULL);

	if (!email)
		email = text_at(json, "context", "traits", "email");
	if (!email)
		email = text_at(json, "properties", "email", NULL);
	if (user && id_parse("pro", user, &who->prospect) == 0)
		return 0;
	who->prospect = 0;
	if (user && strchr(user, '@')) {
		email = email ? email : user;
	} else if (user && *user) {
		if (!visible(user, USER_MAX))
			return err_set(err, "userId is 1 to %d visible ASCII characters: your own number of the person, their address, or pro_...", USER_MAX);
		who->user = arena_printf(r->arena, "user %s", user);
	}
	if (!email)
		return 0;
	if (address_parse(email, &m->address, err) < 0)
		return err_prefix(err, "email");
	who->address = &m->address;
	return 0;
}

static int read_who(const struct message_reader *r, const json_t *json, struct message *m, struct who *who, struct err *err)
{
	const char *anonymous = text_at(json, "anonymousId", NULL, NULL), *click = text_at(json, "context", "nurtured", NULL);
	struct token token;

	if (anonymous && (!visible(anonymous, ANONYMOUS_MAX) || strlen(anonymous) < 8))
		return err_set(err, "anonymousId is 8 to %d visible ASCII characters", ANONYMOUS_MAX);
	if (anonymous)
		who->anonymous_id = arena_strdup(r->arena, anonymous);
	if (click && token_check(r->ring, TOKEN_CLICK, click, strlen(click), r->now, &token, NULL) == 0) {
		who->click_delivery = token.id;
		who->click_link = token.link;
	}
	if (r->trusted && read_user(r, json, m, who, err) < 0)
		return -1;
	if (!who->prospect && !who->address && !who->user && !who->anonymous_id && !who->click_delivery)
		return err_set(err, r->trusted ? "about nobody: name userId, anonymousId or traits.email" : "about nobody: name anonymousId");
	return 0;
}

/* --- track and page -------------------------------------------------------------------------- */

/* With what only we know of the message, and within bounds. NULL: err. */
static const char *properties_text(const struct message_reader *r, const json_t *given, const char *timestamp, const json_t *touch, struct err *err)
{
	/* the fact's time is when it came here: clocks of clients are wrong, and the past has been judged */
	json_t *copy = given ? json_copy((json_t *)(uintptr_t)given) : json_object();
	const char *out = NULL;
	char *text;

	if (timestamp && !json_object_get(copy, "timestamp"))
		json_object_set_new(copy, "timestamp", json_string(timestamp));
	json_object_del(copy, "touch");
	if (touch)
		json_object_set_new(copy, "touch", json_copy((json_t *)(uintptr_t)touch));
	text = json_dumps(copy, JSON_COMPACT | JSON_REAL_PRECISION(15));
	json_decref(copy);
	if (text && strlen(text) <= PROPERTIES_MAX)
		out = arena_strdup(r->arena, text);
	else
		err_set(err, "properties is larger than %d bytes", PROPERTIES_MAX);
	free(text);
	return out;
}

static const char *touch_text(const struct message_reader *r, const json_t *touch)
{
	char *text = touch ? json_dumps(touch, JSON_COMPACT) : NULL;
	const char *out = text ? arena_strdup(r->arena, text) : NULL;

	free(text);
	return out;
}

static int read_times_and_properties(const struct message_reader *r, const json_t *json, struct track *t, struct err *err)
{
	const json_t *properties = json_object_get(json, "properties");
	const char *timestamp = text_at(json, "timestamp", NULL, NULL);
	json_t *touch;
	int64_t when;

	if (properties && !json_is_object(properties))
		return err_set(err, "properties is not an object");
	if (timestamp && text_time_parse(timestamp, &when) < 0)
		return err_set(err, "timestamp is not a time such as 2026-11-22T03:21:35Z");
	touch = touch_read(json, t->subject);
	t->touch = touch_text(r, touch);
	t->properties = properties_text(r, properties, timestamp, touch, err);
	json_decref(touch);
	return t->properties ? 0 : -1;
}

static int read_event(const struct message_reader *r, const json_t *json, struct track *t, struct err *err)
{
	const char *event = text_at(json, "event", NULL, NULL);
	size_t i;

	t->event = event ? event_name(r->arena, event) : NULL;
	if (!t->event)
		return err_set(err, "event is a name of letters, digits and _, at most %d", EVENT_MAX);
	for (i = 0; own_events[i]; i++)
		if (strcmp(own_events[i], t->event) == 0)
			return err_set(err, "%s is an event that nurtured makes itself", t->event);
	if (!r->trusted && strcmp(t->event, "page_view") != 0)
		return err_set(err, "without the API key only page_view is taken");
	return 0;
}

static int read_track(const struct message_reader *r, const json_t *json, struct message *m, struct err *err)
{
	struct track *t = &m->track;

	t->at = r->now;
	t->event = "page_view";
	if (m->type == MESSAGE_TRACK && read_event(r, json, t, err) < 0)
		return -1;
	t->subject = path_of(r->arena, json);
	if (strcmp(t->event, "page_view") == 0 && !*t->subject)
		return err_set(err, m->type == MESSAGE_PAGE ? "a page needs properties.path, or properties.url" : "a page_view needs context.page.path");
	if (read_who(r, json, m, &t->who, err) < 0)
		return -1;
	return read_times_and_properties(r, json, t, err);
}

/* --- identify -------------------------------------------------------------------------------- */

/* Segment's firstName is first_name here. */
static const char *field_name(struct arena *arena, const char *trait)
{
	char *out = arena_alloc(arena, 2 * strlen(trait) + 1), *at = out;

	for (; *trait; trait++) {
		if (isupper((unsigned char)*trait) && at > out)
			*at++ = '_';
		*at++ = (char)tolower((unsigned char)*trait);
	}
	*at = '\0';
	return out;
}

static const struct field *field_of(const struct plan *plan, const char *name)
{
	size_t i;

	for (i = 0; i < plan->field_count; i++)
		if (strcmp(plan->fields[i].name, name) == 0)
			return &plan->fields[i];
	return NULL;
}

/* NULL for what is no single value. */
static const char *trait_text(struct arena *arena, const json_t *v)
{
	if (json_is_string(v))
		return read_text(arena, json_string_value(v), TRAIT_MAX);
	if (json_is_integer(v))
		return arena_printf(arena, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
	if (json_is_real(v))
		return arena_printf(arena, "%.15g", json_real_value(v));
	return json_is_boolean(v) ? json_is_true(v) ? "true" : "false" : json_is_null(v) ? "" : NULL;
}

static int read_trait(const struct message_reader *r, const char *trait, const json_t *v, struct message *m, struct pair *pairs, const char **ignored,
		size_t *ignored_count, struct err *err)
{
	const char *name = field_name(r->arena, trait), *text = trait_text(r->arena, v);
	const struct field *field = field_of(r->plan, name);
	double number;

	if (!text && field)
		return err_set(err, "traits.%s is not a single value", trait);
	if (strcmp(name, "language") == 0 && text) {
		m->identify.language = text;
	} else if (strcmp(name, "timezone") == 0 && text) {
		if (*text && !zone_find(text))
			return err_set(err, "traits.timezone is no time zone such as Europe/Berlin");
		m->identify.timezone = text;
	} else if (field) {
		if (field->type == VALUE_REAL && *text && text_double(text, &number) < 0)
			return err_set(err, "traits.%s is not a number", trait);
		pairs[m->identify.trait_count++] = (struct pair){ field->name, text };
	} else if (strcmp(name, "email") != 0) {
		ignored[(*ignored_count)++] = arena_strdup(r->arena, trait);
	}
	return 0;
}

static int read_traits(const struct message_reader *r, const json_t *json, struct message *m, struct err *err)
{
	json_t *traits = json_object_get(json, "traits"), *v;
	size_t most = json_object_size(traits), ignored_count = 0;
	struct pair *pairs = arena_calloc(r->arena, most + 1, sizeof(*pairs));
	const char **ignored = arena_calloc(r->arena, most + 1, sizeof(*ignored)), *name;

	if (traits && !json_is_object(traits))
		return err_set(err, "traits is not an object");
	m->identify.traits = pairs;
	m->ignored = ignored;
	json_object_foreach(traits, name, v)
		if (read_trait(r, name, v, m, pairs, ignored, &ignored_count, err) < 0)
			return -1;
	return 0;
}

static int read_identify(const struct message_reader *r, const json_t *json, struct message *m, struct err *err)
{
	json_t *touch;

	if (!r->trusted)
		return err_set(err, "without the API key nobody can say who somebody is; your server can");
	m->identify.at = r->now;
	m->identify.language = m->identify.timezone = "";
	if (read_who(r, json, m, &m->identify.who, err) < 0 || read_traits(r, json, m, err) < 0)
		return -1;
	touch = touch_read(json, path_of(r->arena, json));
	m->identify.touch = touch_text(r, touch);
	json_decref(touch);
	return 0;
}

/* --------------------------------------------------------------------------------------------- */

int message_read(const struct message_reader *r, enum message_type type, const json_t *json, struct message *m, struct err *err)
{
	const char *id = text_at(json, "messageId", NULL, NULL);

	*m = (struct message){ .type = type };
	if (!json_is_object(json))
		return err_set(err, "not an object");
	if (id && !visible(id, KEY_MAX))
		return err_set(err, "messageId is 1 to %d visible ASCII characters", KEY_MAX);
	id = id ? arena_strdup(r->arena, id) : r->key;
	if (type == MESSAGE_IDENTIFY) {
		m->identify.message_id = id;
		return read_identify(r, json, m, err);
	}
	m->track.message_id = id;
	return read_track(r, json, m, err);
}

int message_apply(struct decide *d, struct db *db, struct message *m, struct err *err)
{
	if (m->type == MESSAGE_IDENTIFY)
		return on_identify(d, db, &m->identify, &m->result, err);
	return on_track(d, db, &m->track, &m->result, err);
}
