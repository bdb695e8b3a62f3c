/*
 * esp.c: POST /v1/esp/SERVICE/PATH: what mail services report. The path is a secret, and beyond it each service proves itself in its own way;
 * a report is answered when what follows from it is committed, so that the service sends it again if we did not get that far. Kinds of events
 * that we do not know are answered as those that we do: services add some without notice.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/text.h"

#include "esp.h"
#include "esp_sign.h"
#include "parts.h"
#include "sns.h"

#define SENDGRID_WINDOW (5 * US_MINUTE)
/* These two sign once and try for hours: no older than what we remember of them. */
#define REPEATS_WINDOW (ONCE_KEEP - US_DAY)
#define CERTIFICATE_MAX 65536

METRIC(taken, COUNTER, "nurtured_esp_events_total", "result=\"taken\"", "Events that mail services reported.");
METRIC(repeated, COUNTER, "nurtured_esp_events_total", "result=\"repeated\"", "Events that mail services reported.");
METRIC(unknown, COUNTER, "nurtured_esp_events_total", "result=\"unattributed\"", "Events that mail services reported.");
METRIC(forged, COUNTER, "nurtured_esp_forged_total", "", "Reports that were refused because they did not prove where they came from.");

struct esp_call {
	struct call call;
	const struct esp_config *config;
	struct esp_report report;
	const char *nonce;
	json_t *sns;			/* while its certificate is fetched */
	struct esp_fact *facts;
	struct address *addresses;
	struct esp_result *results;
};

/* --- what it means, committed ---------------------------------------------------------------- */

/* "<n1.TOKEN@example.com>", the same without brackets, or the token alone. */
static int64_t delivery_of(const struct ingest *in, const char *id, int64_t now)
{
	struct token token;
	const char *s = *id == '<' ? id + 1 : id;
	size_t n;

	if (text_starts_with(s, "n1."))
		s += 3;
	n = strcspn(s, "@>");
	return token_check(in->ring, TOKEN_MESSAGE, s, n, now, &token, NULL) == 0 ? token.id : 0;
}

static void make_facts(struct esp_call *c)
{
	struct arena *arena = http_arena(c->call.r);
	int64_t now = clock_now();
	size_t i;

	c->facts = arena_calloc(arena, c->report.count + 1, sizeof(*c->facts));
	c->addresses = arena_calloc(arena, c->report.count + 1, sizeof(*c->addresses));
	c->results = arena_calloc(arena, c->report.count + 1, sizeof(*c->results));
	for (i = 0; i < c->report.count; i++) {
		const struct esp_event *e = &c->report.events[i];

		c->facts[i] = (struct esp_fact){
			.service = esp_names[c->config->service], .what = e->what, .key = e->key, .nonce = c->nonce, .relay_id = e->relay_id,
			.delivery = delivery_of(c->call.in, e->our_id, now), .kind = e->kind, .reason = e->reason, .status = e->status,
			.diagnostic = e->diagnostic, .at = now,
		};
		if (*e->address && address_parse(e->address, &c->addresses[i], NULL) == 0)
			c->facts[i].address = &c->addresses[i];
	}
}

static int run(struct store_job *job, struct db *db, struct err *err)
{
	struct esp_call *c = (struct esp_call *)job;
	size_t i;

	for (i = 0; i < c->report.count; i++)
		if (on_esp(c->call.in->decide, db, &c->facts[i], &c->results[i], err))
			return -1;
	return 0;
}

static void count(const struct esp_call *c)
{
	size_t i;

	for (i = 0; i < c->report.count; i++)
		metric_add(c->results[i].repeated ? &metric_repeated : c->results[i].known ? &metric_taken : &metric_unknown, 1);
}

static void done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct esp_call *c = (struct esp_call *)job;
	struct call call = c->call;

	if (!call_done(&c->call, result, err))
		return;
	count(c);
	http_reply(call.r, 200, "text/plain", "ok\n", 3);
	call_end(&call);
}

/* --- answers --------------------------------------------------------------------------------- */

static void end(struct esp_call *c, int status, const char *detail)
{
	struct call call = c->call;

	json_decref(c->sns);
	http_problem(call.r, status, detail, NULL);
	call_end(&call);
}

/* Whoever knows the path and cannot prove more is worth a look. */
static void refuse(struct esp_call *c, int status, const char *why)
{
	metric_add(&metric_forged, 1);
	log_warn("esp.refused", L_STR("service", esp_names[c->config->service]), L_STR("ip", http_ip(c->call.r)), L_STR("why", why));
	end(c, status, why);
}

static void nothing(struct esp_call *c)
{
	struct call call = c->call;

	json_decref(c->sns);
	http_reply(call.r, 200, "text/plain", "ok\n", 3);
	call_end(&call);
}

static void submit(struct esp_call *c)
{
	json_decref(c->sns);
	c->sns = NULL;
	if (c->report.count == 0) {
		nothing(c);
		return;
	}
	make_facts(c);
	c->call.job.run = run;
	c->call.job.done = done;
	call_write(&c->call, STORE_NORMAL);
}

/* --- SES, by SNS ----------------------------------------------------------------------------- */

static const char *sns_text(const struct esp_call *c, const char *name)
{
	const char *s = json_string_value(json_object_get(c->sns, name));

	return s ? s : "";
}

static bool is_ours(const struct esp_config *config, const char *topic)
{
	const char *const *t;

	for (t = config->topics; t && *t; t++)
		if (strcmp(*t, topic) == 0)
			return true;
	return false;
}

/* It is theirs, and about our topic. */
static void sns_take(struct esp_call *c)
{
	const char *type = sns_text(c, "Type"), *text = sns_text(c, "Message");
	json_t *message;
	struct err err;

	if (strcmp(type, "SubscriptionConfirmation") == 0) {
		if (!sign_sns_url(sns_text(c, "SubscribeURL"), sns_text(c, "TopicArn"), false)) {
			refuse(c, 403, "SubscribeURL does not lead to SNS.");
			return;
		}
		sns_confirm(c->call.in->sns, sns_text(c, "SubscribeURL"), sns_text(c, "TopicArn"), c->config->ca_file);
		nothing(c);
		return;
	}
	if (strcmp(type, "Notification") != 0) {
		log_warn("sns.unsubscribed", L_STR("topic", sns_text(c, "TopicArn")));
		nothing(c);
		return;
	}
	/* SES says in plain words that a topic works */
	message = *text == '{' ? body_json(slice_of(text), &err) : NULL;
	if (message && esp_read_ses(&c->report, message, sns_text(c, "MessageId"), &err) < 0)
		log_warn("esp.unreadable", L_STR("service", "ses"), L_STR("why", err.text));
	json_decref(message);
	submit(c);
}

static void sns_check(struct esp_call *c, struct slice pem)
{
	struct err err;

	if (sign_sns(c->sns, pem, clock_now(), &err))
		sns_take(c);
	else
		refuse(c, 403, err.text);
}

static void certificate_cb(void *arg, struct slice pem, const char *why)
{
	struct esp_call *c = arg;

	if (pem.len)
		sns_check(c, pem);
	else
		end(c, 503, "The certificate that would prove this cannot be had now.");
}

/* The operator's file: as small as a config. */
static void check_with_file(struct esp_call *c, const char *path)
{
	char bytes[CERTIFICATE_MAX];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n = fd < 0 ? -1 : read(fd, bytes, sizeof(bytes));

	if (fd >= 0)
		close(fd);
	if (n > 0) {
		sns_check(c, (struct slice){ bytes, (size_t)n });
		return;
	}
	log_error("esp.no_certificate", L_STR("file", path), L_STR("do", "see `certificate` of this service in nurtured.yaml"));
	end(c, 503, "The certificate that would prove this cannot be read.");
}

static void ses_post(struct esp_call *c)
{
	const char *header = http_header(c->call.r, "x-amz-sns-message-type"), *topic, *url;
	struct err err;
	int64_t at;

	c->sns = body_json(http_body(c->call.r), &err);
	if (!c->sns) {
		end(c, 400, err.text);
		return;
	}
	topic = sns_text(c, "TopicArn");
	url = sns_text(c, "SigningCertURL");
	if (header && strcmp(header, sns_text(c, "Type")) != 0)
		refuse(c, 403, "The header x-amz-sns-message-type says otherwise than Type.");
	else if (!is_ours(c->config, topic))
		refuse(c, 403, "This topic is not one of `topics`.");
	else if (text_time_parse(sns_text(c, "Timestamp"), &at) < 0 || at < clock_now() - REPEATS_WINDOW || at > clock_now() + US_HOUR)
		refuse(c, 403, "Timestamp is too old, or to come.");
	else if (c->config->certificate)
		check_with_file(c, c->config->certificate);
	else if (!sign_sns_url(url, topic, true))
		refuse(c, 403, "SigningCertURL is no certificate of SNS.");
	else if (sns_certificate(c->call.in->sns, url, c->config->ca_file, certificate_cb, c) < 0)
		end(c, 503, "Too many wait for a certificate.");
}

/* --- the others ------------------------------------------------------------------------------ */

static bool within(const char *seconds, int64_t window)
{
	int64_t at;

	return seconds && text_int(seconds, &at) == 0 && at > 0 && at < INT64_C(1) << 40 && at * US_SECOND > clock_now() - window &&
		at * US_SECOND < clock_now() + SENDGRID_WINDOW;
}

static bool login_good(struct esp_call *c)
{
	const char *given = http_header(c->call.r, "Authorization");

	return c->config->token ? sign_bearer(given, c->config->token) : sign_basic(given, c->config->user, c->config->password);
}

/* Before anything is read. false: answered. */
static bool head_good(struct esp_call *c)
{
	struct http_request *r = c->call.r;
	const char *signature = http_header(r, "X-Twilio-Email-Event-Webhook-Signature"),
		   *timestamp = http_header(r, "X-Twilio-Email-Event-Webhook-Timestamp");

	switch (c->config->service) {
	case ESP_SENDGRID:
		if (!signature || !within(timestamp, SENDGRID_WINDOW) ||
				!sign_sendgrid(c->config->public_key, timestamp, http_body(r), signature)) {
			refuse(c, 403, "The signature is missing, wrong, or older than five minutes.");
			return false;
		}
		return true;
	case ESP_POSTMARK:
	case ESP_MAILJET:
	case ESP_BREVO:
		if (!login_good(c)) {
			http_set_header(r, "WWW-Authenticate", c->config->token ? "Bearer" : "Basic realm=\"esp\"");
			refuse(c, 401, "User and password, or the token, are missing or wrong.");
			return false;
		}
		return true;
	case ESP_SES:
	case ESP_MAILGUN:
		break;
	}
	return true;
}

/* The signature lies in the body; its token is remembered with the event, so that it says nothing twice. */
static bool mailgun_good(struct esp_call *c, const json_t *body)
{
	const json_t *signature = json_object_get(body, "signature");

	c->nonce = esp_text(http_arena(c->call.r), signature, "token");
	return within(json_string_value(json_object_get(signature, "timestamp")), REPEATS_WINDOW) &&
		sign_mailgun(c->config->signing_key, signature);
}

static int read_report(struct esp_call *c, const json_t *body, struct err *err)
{
	switch (c->config->service) {
	case ESP_SENDGRID:
		return esp_read_sendgrid(&c->report, body, err);
	case ESP_POSTMARK:
		return esp_read_postmark(&c->report, body, err);
	case ESP_MAILGUN:
		return esp_read_mailgun(&c->report, body, err);
	case ESP_MAILJET:
		return esp_read_mailjet(&c->report, body, err);
	case ESP_BREVO:
		return esp_read_brevo(&c->report, body, err);
	case ESP_SES:
		break;
	}
	return 0;
}

static void json_post(struct esp_call *c)
{
	struct err err;
	json_t *body;

	if (!head_good(c))
		return;
	body = body_json_any(http_body(c->call.r), &err);
	if (!body)
		end(c, 400, err.text);
	else if (c->config->service == ESP_MAILGUN && !mailgun_good(c, body))
		refuse(c, 403, "The signature is missing, wrong, or too old.");
	else if (read_report(c, body, &err) < 0)
		end(c, 400, err.text);
	else
		submit(c);
	json_decref(body);
}

/* --- whose report it is ---------------------------------------------------------------------- */

static const struct esp_config *config_of(const struct plan *plan, const char *rest)
{
	const char *slash = strchr(rest, '/');
	const struct esp_config *found = NULL;
	size_t i;

	for (i = 0; slash && i < plan->operator.esp_count; i++) {
		const struct esp_config *c = &plan->operator.esps[i];
		const char *name = esp_names[c->service];

		if (strlen(name) == (size_t)(slash - rest) && strncmp(name, rest, strlen(name)) == 0 && sign_same(slash + 1, c->path))
			found = c;
	}
	return found;
}

void esp_post(void *ctx, struct http_request *r)
{
	struct ingest *in = ctx;
	const struct esp_config *config = config_of(ingest_plan(in), http_rest(r));
	struct esp_call *c;

	if (!config) {
		http_problem(r, 404, "There is nothing at this address.", NULL);
		return;
	}
	c = call_new(in, r, sizeof(*c));
	c->config = config;
	c->report.arena = http_arena(r);
	c->nonce = "";
	if (config->service == ESP_SES)
		ses_post(c);
	else
		json_post(c);
}
