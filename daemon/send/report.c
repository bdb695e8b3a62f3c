/*
 * report.c: how each relay does: for people, and for scrapers.
 */
#include <stdlib.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/text.h"
#include "send/send.h"

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
