/*
 * mail_job.c: what the intake says is a stranger's word about a stranger's mail: of all its tokens only one
 * that we signed leads to a person, and without one nothing follows from the mail but that it is kept.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "base/text.h"
#include "listen/frame.h"

#include "mail_job.h"

METRIC(quarantined, COUNTER, "nurtured_mails_quarantined_total", "",
	"Mails kept unread because reading them failed twice.");

/* Kinds whose id is a delivery, as likely as they are found. */
static const enum token_kind kinds[] = {
	TOKEN_REPLY, TOKEN_BOUNCE, TOKEN_UNSUBSCRIBE, TOKEN_MESSAGE, TOKEN_CLICK, TOKEN_OPEN, TOKEN_DOWNLOAD,
};

static int64_t check(const struct token_ring *ring, enum token_kind kind, const char *text, int64_t now)
{
	struct token token;

	return token_check(ring, kind, text, strlen(text), now, &token, NULL) < 0 ? 0 : token.id;
}

int64_t mail_job_delivery(const struct token_ring *ring, const json_t *message, int64_t now, char *kind_out)
{
	const json_t *tokens = json_object_get(message, "tokens"), *t;
	bool only_unsubscribe = !strcmp(frame_string(message, "class"), "unsubscribe");
	size_t i;

	json_array_foreach(tokens, i, t) {
		for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
			int64_t delivery;

			if (only_unsubscribe && kinds[k] != TOKEN_UNSUBSCRIBE)
				continue;
			delivery = check(ring, kinds[k], frame_string(t, "text"), now);
			if (delivery) {
				*kind_out = (char)kinds[k];
				return delivery;
			}
		}
	}
	*kind_out = '\0';
	return 0;
}

/* What nobody wrote to us about: our own mail come back, and what could not be read. */
static bool says_nothing(const json_t *message)
{
	return !strcmp(frame_string(message, "class"), "unreadable") ||
	       !strcmp(frame_string(message, "auto_kind"), "own_loop") ||
	       !strcmp(frame_string(message, "complaint"), "not-spam");
}

static enum mail_class class_of(const json_t *message)
{
	for (int i = 0; mail_class_names[i]; i++)
		if (!strcmp(mail_class_names[i], frame_string(message, "class")))
			return (enum mail_class)i;
	return MAIL_AUTO;
}

static char *dump(json_t *value)
{
	char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;

	return text ? text : xstrdup("");
}

static int take_digest(struct mail_job *job, struct err *err)
{
	const char *hex = frame_string(job->message, "sha256");
	struct buf digest = BUF_INIT;
	int rc = 0;

	if (text_hex_decode(hex, strlen(hex), &digest) < 0 || digest.len != sizeof(job->fact.sha256))
		rc = err_set(err, "a mail without a digest");
	else
		memcpy(job->fact.sha256, digest.data, digest.len);
	buf_clear(&digest);
	return rc;
}

static void take_words(struct mail_job *job)
{
	const json_t *m = job->message, *bounce = json_object_get(m, "bounce");
	struct mail_fact *f = &job->fact;

	f->from = frame_string(m, "from");
	f->from_name = frame_string(m, "from_name");
	f->subject = frame_string(m, "subject");
	f->message_id = frame_string(m, "message_id");
	f->text = frame_string(m, "text");
	f->intent = frame_string(m, f->class == MAIL_AUTO ? "auto_kind" : "intent");
	f->until = frame_integer(m, "until", 0);
	f->bounce_kind = frame_string(bounce, "kind");
	f->bounce_reason = frame_string(bounce, "reason");
	f->bounce_status = frame_string(bounce, "status");
	f->bounce_diagnostic = frame_string(bounce, "diagnostic");
	f->intents = job->intents = dump(json_object_get(m, "intents"));
	f->summary = job->summary = dump(job->message);
}

static void take_bounces(struct mail_job *job)
{
	const json_t *list = json_object_get(job->message, "bounces"), *one;
	size_t i;

	job->bounces = json_array_size(list) ? xcalloc(json_array_size(list), sizeof(*job->bounces)) : NULL;
	json_array_foreach(list, i, one)
		job->bounces[i] = (struct mail_bounce_said){
			.recipient = frame_string(one, "recipient"),
			.original_recipient = frame_string(one, "original_recipient"),
			.kind = frame_string(one, "kind"),
			.reason = frame_string(one, "reason"),
			.status = frame_string(one, "status"),
			.diagnostic = frame_string(one, "diagnostic"),
		};
	job->fact.bounces = job->bounces;
	job->fact.bounce_count = json_array_size(list);
}

/* What may say whom it is about where no token does. */
static void take_address(struct mail_job *job)
{
	const json_t *m = job->message, *ids = json_object_get(m, "relay_ids"), *one;
	struct mail_fact *f = &job->fact;
	size_t i;

	f->about = frame_string(m, "about");
	f->forged = !f->delivery && json_array_size(json_object_get(m, "tokens"));
	f->displayed = !strcmp(frame_string(m, "disposition"), "displayed");
	f->relay_ids = job->relay_ids;
	json_array_foreach(ids, i, one)
		if (f->relay_id_count < sizeof(job->relay_ids) / sizeof(job->relay_ids[0]) && json_is_string(one))
			job->relay_ids[f->relay_id_count++] = json_string_value(one);
}

static int mail_job_run(struct store_job *store_job, struct db *db, struct err *err)
{
	struct mail_job *job = (struct mail_job *)store_job;

	return on_mail(job->decide, db, &job->fact, &job->result, err);
}

struct mail_job *mail_job_new(struct decide *decide, const char *mailbox, json_t *message, int64_t now, struct err *err)
{
	struct mail_job *job = xcalloc(1, sizeof(*job));
	struct mail_fact *f = &job->fact;

	job->job.run = mail_job_run;
	job->decide = decide;
	job->message = json_incref(message);
	if (take_digest(job, err) < 0) {
		mail_job_free(&job);
		return NULL;
	}
	f->mailbox = mailbox;
	f->at = now;
	f->received = frame_integer(message, "received", now);
	f->size = (size_t)frame_integer(message, "size", 0);
	f->watermark.uidvalidity = (uint32_t)frame_integer(message, "uidvalidity", 0);
	f->watermark.last_uid = (uint32_t)frame_integer(message, "uid", 0);
	f->class = class_of(message);
	if (!says_nothing(message))
		f->delivery = mail_job_delivery(decide_ring(decide), message, now, &f->token_kind);
	take_words(job);
	take_bounces(job);
	take_address(job);
	f->forged |= says_nothing(message);	/* our own mail is from one of us */
	return job;
}

void mail_job_free(struct mail_job **job)
{
	if (!*job)
		return;
	json_decref((*job)->message);
	free((*job)->intents);
	free((*job)->summary);
	free((*job)->bounces);
	buf_clear(&(*job)->raw);
	free(*job);
	*job = NULL;
}

void mail_job_keep(struct mail_job *job, const void *raw, size_t n)
{
	job->fact.raw = raw;
	job->fact.raw_len = n;
}

void mail_job_quarantined(const char *mailbox, const char *key, const char *why)
{
	metric_add(&metric_quarantined, 1);
	log_error("mail.quarantined", L_STR("mailbox", mailbox), L_STR("key", key), L_STR("why", why));
}
