/*
 * report.c: how each relay does: for people, and for scrapers.
 */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/answer.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/text.h"
#include "config/plan.h"
#include "send/send.h"

#include "dialogue.h"

void send_report(struct send *s, struct buf *out)
{
	struct send_relay relays[SEND_RELAYS_MOST];
	size_t count = send_relays(s, relays, SEND_RELAYS_MOST), i;
	json_t *list = json_array();
	char *text;

	for (i = 0; i < count; i++) {
		const struct send_relay *r = &relays[i];
		json_t *json = json_pack("{s:s, s:b, s:s, s:s, s:f, s:i, s:I, s:I, s:I, s:I, s:I, s:s}",
			"relay", r->name, "backup", r->backup, "breaker", r->breaker, "fault", r->fault,
			"open_seconds", (double)r->open_for / US_SECOND, "connections", r->connected,
			"under_way", (json_int_t)(r->stock + r->under_way), "sent", (json_int_t)r->sent, "deferred", (json_int_t)r->deferred,
			"failed", (json_int_t)r->failed, "unknown", (json_int_t)r->unknown, "last_error", r->last_error);

		if (r->rate > 0)
			json_object_set_new(json, "rate_per_minute", json_real(60 * r->rate));
		json_array_append_new(list, json);
	}
	text = json_dumps(list, JSON_COMPACT);
	buf_str(out, text ? text : "[]");
	free(text);
	json_decref(list);
}

/* --- in full -------------------------------------------------------------------------------------------------------- */

static json_t *per_minute(double per_second)
{
	return per_second > 0 ? json_real((double)(int64_t)(6000 * per_second + 0.5) / 100) : json_null();
}

static json_t *offers_json(const struct send_relay *r)
{
	static const struct { unsigned can; const char *name; } words[] = {
		{ CAN_PIPELINE, "PIPELINING" }, { CAN_SIZE, "SIZE" }, { CAN_DSN, "DSN" }, { CAN_UTF8, "SMTPUTF8" }, { CAN_AUTH, "AUTH" },
	};
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (r->can & words[i].can)
			json_array_append_new(list, json_string(words[i].name));
	return list;
}

/* The latest first. */
static json_t *said_json(const struct send_relay *r)
{
	json_t *list = json_array();
	int64_t before = INT64_MAX;
	size_t i;

	for (;;) {
		const struct send_said *next = NULL;

		for (i = 0; i < SEND_SAID; i++)
			if (r->said[i].at && r->said[i].at < before && (!next || r->said[i].at > next->at))
				next = &r->said[i];
		if (!next)
			return list;
		before = next->at;
		json_array_append_new(list, json_pack("{s:o, s:s, s:i, s:I, s:o}", "at", answer_time(next->at), "stage", next->stage, "code", next->code,
				"times", (json_int_t)next->times, "said", answer_text(next->text)));
	}
}

static const char *tls_of(const struct relay_config *config)
{
	if (config->tls == TLS_NONE)
		return "none";
	return text_starts_with(config->url, "smtps:") ? "from the first byte, verified" : "STARTTLS, verified";
}

static json_t *full_json(const struct send_relay *r)
{
	const struct rate *rate = &r->config->rate;
	double configured = rate->within > 0 ? (double)rate->count * US_SECOND / (double)rate->within : 0;
	json_t *json = json_pack("{s:s, s:s, s:s, s:o, s:b, s:i}", "relay", r->name, "url", r->config->url, "tls", tls_of(r->config), "login",
			r->config->user ? answer_text(r->config->user) : json_null(), "backup", r->backup, "weight", r->weight);

	json_object_set_new(json, "breaker", json_pack("{s:s, s:s, s:f, s:o}", "state", r->breaker, "fault", r->fault, "open_seconds",
			(double)r->open_for / US_SECOND, "tried_again", answer_time(r->tried_again)));
	json_object_set_new(json, "connections", json_pack("{s:i, s:i, s:i, s:I, s:I}", "open", r->connected, "opening", r->connecting, "at_most",
			r->config->connections, "made", (json_int_t)r->connects, "failed", (json_int_t)r->connect_failures));
	json_object_set_new(json, "rate", json_pack("{s:o, s:o, s:o}", "per_minute", per_minute(configured), "now_per_minute", per_minute(r->rate),
			"slowed_until", answer_time(r->slow_until)));
	json_object_set_new(json, "mails", json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "waiting", (json_int_t)r->stock, "under_way",
			(json_int_t)r->under_way, "sent", (json_int_t)r->sent, "deferred", (json_int_t)r->deferred, "failed", (json_int_t)r->failed,
			"unknown", (json_int_t)r->unknown));
	json_object_set_new(json, "offers", json_pack("{s:o, s:o, s:o}", "as_of", answer_time(r->can_at), "extensions", offers_json(r), "size_bytes",
			r->size_limit ? json_integer(r->size_limit) : json_null()));
	json_object_set_new(json, "said", said_json(r));
	return json;
}

int send_describe(struct send *s, const char *name, struct buf *out)
{
	struct send_relay relays[SEND_RELAYS_MOST];
	size_t count = send_relays(s, relays, SEND_RELAYS_MOST), i;
	json_t *list = json_array();
	int found;

	for (i = 0; i < count; i++)
		if (!*name || strcmp(name, relays[i].name) == 0)
			json_array_append_new(list, full_json(&relays[i]));
	found = json_array_size(list) > 0;
	return answer_give(out, list, NULL) < 0 ? -1 : found;
}

/* --- for scrapers --------------------------------------------------------------------------------------------------- */

static double of_outcome(const struct send_relay *r, size_t outcome)
{
	const uint64_t counts[] = { r->sent, r->deferred, r->failed, r->unknown };

	return (double)counts[outcome];
}

static double connects(const struct send_relay *r) { return (double)r->connects; }
static double failures(const struct send_relay *r) { return (double)r->connect_failures; }
static double connections(const struct send_relay *r) { return r->connected; }
static double under_way(const struct send_relay *r) { return (double)(r->stock + r->under_way); }
static double rate(const struct send_relay *r) { return r->rate; }
static double is_open(const struct send_relay *r) { return r->open_for > 0; }
static double open_for(const struct send_relay *r) { return (double)r->open_for / US_SECOND; }

/* A name is a word (config): it needs no escapes. */
void send_metrics(struct send *s, struct buf *out)
{
	static const char *const outcomes[] = { "sent", "deferred", "failed", "unknown" };
	static const struct {
		const char *name, *type, *help;
		double (*value)(const struct send_relay *r);
	} rows[] = {
		{ "nurtured_relay_connects_total", "counter", "Connections to a relay that came to be.", connects },
		{ "nurtured_relay_connect_failures_total", "counter", "Connections to a relay that did not.", failures },
		{ "nurtured_relay_connections", "gauge", "Connections to a relay that are open.", connections },
		{ "nurtured_relay_mails", "gauge", "Mails claimed for a relay and not ended.", under_way },
		{ "nurtured_relay_rate", "gauge", "Messages a second that a relay may be given now; 0 without a limit.", rate },
		{ "nurtured_relay_breaker_open", "gauge", "1 while a relay is not tried, or only by one message.", is_open },
		{ "nurtured_relay_breaker_open_seconds", "gauge", "For how long.", open_for },
	};
	struct send_relay relays[SEND_RELAYS_MOST];
	size_t count = send_relays(s, relays, SEND_RELAYS_MOST), i, k;
	char labels[128];

	for (i = 0; i < count * 4; i++) {
		snprintf(labels, sizeof(labels), "relay=\"%s\",outcome=\"%s\"", relays[i / 4].name, outcomes[i % 4]);
		metrics_line(out, i == 0, "nurtured_relay_messages_total", "counter", "Messages tried at a relay, by outcome.", labels,
			of_outcome(&relays[i / 4], i % 4));
	}
	for (k = 0; k < sizeof(rows) / sizeof(rows[0]); k++)
		for (i = 0; i < count; i++) {
			snprintf(labels, sizeof(labels), "relay=\"%s\"", relays[i].name);
			metrics_line(out, i == 0, rows[k].name, rows[k].type, rows[k].help, labels, rows[k].value(&relays[i]));
		}
}
