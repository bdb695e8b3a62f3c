/*
 * behaviour.c: POST /v1/track, /v1/page, /v1/identify, /v1/batch: what somebody did on the website, and who they are, in Segment's words
 * (userId, anonymousId, event, traits, properties, context, messageId, timestamp). nurture.js posts page views, as text/plain where the
 * browser's sendBeacon allows nothing else.
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

#include "message.h"
#include "parts.h"

#define BATCH_MAX 1000
#define PAGE_VIEWS ((struct rate){ 300, US_MINUTE })	/* of one network, without a key */

struct behaviour_call {
	struct call call;
	bool batch;
	struct message *messages;
	size_t count;
	struct buf errors;		/* `"errors":[...` of those of a batch that are wrong; the heap's */
};

static int behaviour_run(struct store_job *job, struct db *db, struct err *err)
{
	struct behaviour_call *c = (struct behaviour_call *)job;
	size_t i;

	for (i = 0; i < c->count; i++)
		if (message_apply(c->call.in->decide, db, &c->messages[i], err))
			return -1;
	return 0;
}

/* What was left out of what was said, so that a mistyped trait is seen at the first try. */
static void add_ignored(const struct behaviour_call *c, struct buf *out)
{
	bool any = false;

	for (size_t i = 0; i < c->count; i++) {
		for (const char *const *t = c->messages[i].ignored; t && *t; t++) {
			buf_str(out, any ? "," : ",\"ignored\":[");
			text_json(out, *t, strlen(*t));
			any = true;
		}
	}
	buf_str(out, any ? "]" : "");
}

static void behaviour_done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct behaviour_call *c = (struct behaviour_call *)job;
	struct call call = c->call;
	struct buf text = BUF_INIT, errors = c->errors;

	if (!call_done(&c->call, result, err)) {
		buf_clear(&errors);
		return;
	}
	buf_str(&text, "{\"success\":true");
	if (c->batch)
		buf_printf(&text, ",\"taken\":%zu", c->count);
	add_ignored(c, &text);
	if (errors.len)
		buf_printf(&text, ",%s]", buf_cstr(&errors));
	buf_str(&text, "}\n");
	http_reply(call.r, 200, "application/json", text.data, text.len);
	buf_clear(&text);
	buf_clear(&errors);
	call_end(&call);
}

static void submit(struct behaviour_call *c)
{
	c->call.job.run = behaviour_run;
	c->call.job.done = behaviour_done;
	call_write(&c->call, STORE_NORMAL);
}

/* --- who may --------------------------------------------------------------------------------- */

/* false: answered. */
static bool may_post(struct ingest *in, struct http_request *r, const struct plan *plan, bool anybody, bool *trusted)
{
	enum caller caller = read_caller(r, plan);
	char network[48];
	int64_t wait;

	*trusted = caller == CALLER_KNOWN;
	if (caller == CALLER_WRONG || (!*trusted && !anybody)) {
		refuse_caller(r, plan);
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
	if (rates_take(in->rates, "track", rates_network(http_ip(r), network), PAGE_VIEWS, clock_now(), &wait))
		return true;
	http_set_header(r, "Retry-After", "60");
	http_problem(r, 429, "Too many page views came from you.", NULL);
	return false;
}

/* The body's object, for whoever may post; NULL: answered. */
static json_t *begin(struct ingest *in, struct http_request *r, bool anybody, struct message_reader *reader)
{
	struct plan *plan = ingest_plan(in);
	const char *type = http_content_type(r);
	struct err err;
	json_t *json;

	if (http_method(r) == HTTP_OPTIONS) {
		origin_preflight(r, plan, NULL);
		return NULL;
	}
	*reader = (struct message_reader){ .arena = http_arena(r), .plan = plan, .ring = in->ring, .now = clock_now() };
	if (!may_post(in, r, plan, anybody, &reader->trusted))
		return NULL;
	if (strcmp(type, "application/json") != 0 && strcmp(type, "text/plain") != 0) {
		http_problem(r, 415, "Send application/json.", NULL);
		return NULL;
	}
	json = body_json(http_body(r), &err);
	if (!json)
		http_problem(r, 400, err.text, NULL);
	return json;
}

/* A signed request's own id: the same again changes nothing. */
static const char *request_key(struct http_request *r, const struct message_reader *reader)
{
	const char *id = http_header(r, "webhook-id");

	return reader->trusted && id && http_header(r, "webhook-signature") ? arena_printf(http_arena(r), "webhook/%s", id) : NULL;
}

/* --- one message ----------------------------------------------------------------------------- */

static void one_post(struct ingest *in, struct http_request *r, enum message_type type)
{
	struct message_reader reader;
	struct behaviour_call *c;
	struct message *m;
	struct err err;
	json_t *json = begin(in, r, type != MESSAGE_IDENTIFY, &reader);

	if (!json)
		return;
	reader.key = request_key(r, &reader);
	m = arena_calloc(http_arena(r), 1, sizeof(*m));
	if (message_read(&reader, type, json, m, &err) < 0) {
		http_problem(r, 422, err.text, NULL);
	} else {
		c = call_new(in, r, sizeof(*c));
		c->messages = m;
		c->count = 1;
		submit(c);
	}
	json_decref(json);
}

void track_post(void *ctx, struct http_request *r)
{
	one_post(ctx, r, MESSAGE_TRACK);
}

void page_post(void *ctx, struct http_request *r)
{
	one_post(ctx, r, MESSAGE_PAGE);
}

void identify_post(void *ctx, struct http_request *r)
{
	one_post(ctx, r, MESSAGE_IDENTIFY);
}

/* --- many ------------------------------------------------------------------------------------ */

static void add_error(struct buf *errors, size_t index, const char *message)
{
	buf_printf(errors, "%s{\"index\":%zu,\"message\":", errors->len ? "," : "\"errors\":[", index);
	text_json(errors, message, strlen(message));
	buf_char(errors, '}');
}

static int read_one(struct behaviour_call *c, struct message_reader *reader, const char *key, const json_t *item, size_t index, struct err *err)
{
	const char *name = json_string_value(json_object_get(item, "type"));
	int type = message_type_of(name);

	if (type < 0)
		return err_set(err, "%s", name ? "this type is not known; track, page and identify are" : "type is missing: track, page or identify");
	reader->key = key ? arena_printf(reader->arena, "%s/%zu", key, index) : NULL;
	return message_read(reader, (enum message_type)type, item, &c->messages[c->count], err);
}

/* Those that are wrong are named, the others are taken: a library that sends a batch again until it is taken would send the wrong one for ever. */
static void read_batch(struct behaviour_call *c, struct message_reader *reader, const char *key, const json_t *list)
{
	struct err err;
	json_t *item;
	size_t i;

	json_array_foreach(list, i, item) {
		if (read_one(c, reader, key, item, i, &err) < 0)
			add_error(&c->errors, i, err.text);
		else
			c->count++;
	}
}

static void refuse_batch(struct behaviour_call *c)
{
	struct call call = c->call;
	struct buf errors = c->errors;

	if (errors.len)
		buf_char(&errors, ']');
	http_problem(call.r, 422, "No message of this batch can be taken.", errors.len ? buf_cstr(&errors) : NULL);
	buf_clear(&errors);
	call_end(&call);
}

void batch_post(void *ctx, struct http_request *r)
{
	struct ingest *in = ctx;
	struct message_reader reader;
	struct behaviour_call *c;
	json_t *json = begin(in, r, false, &reader), *list = json_object_get(json, "batch");
	size_t count = json_array_size(list);

	if (!json)
		return;
	if (!json_is_array(list)) {
		http_problem(r, 422, "batch is missing: an array of messages, each with its type.", NULL);
	} else if (count > BATCH_MAX) {
		http_problem(r, 413, "A batch holds at most 1000 messages.", NULL);
	} else {
		c = call_new(in, r, sizeof(*c));
		c->batch = true;
		c->messages = arena_calloc(http_arena(r), count + 1, sizeof(*c->messages));
		read_batch(c, &reader, request_key(r, &reader), list);
		if (c->count > 0 || count == 0)
			submit(c);
		else
			refuse_batch(c);
	}
	json_decref(json);
}
