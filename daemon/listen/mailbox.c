/*
 * mailbox.c: watermark from the store -> intake started -> mails, one store job at a time -> committed.
 *
 * One at a time, because the watermark moves with each: were a later mail committed and an earlier one
 * refused, the earlier would never be read. When anything goes wrong the intake is ended and begins again
 * from the watermark.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crash.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "base/text.h"
#include "decide/facts.h"
#include "listen/frame.h"

#include "intake_process.h"
#include "intake_program.h"
#include "mail_job.h"
#include "mailbox.h"

#define RESTART_FIRST US_SECOND
#define RESTART_MOST (5 * US_MINUTE)
#define LIVES_WELL US_MINUTE		/* an intake that lived so long begins again at once */
#define READS_AT_MOST (10 * US_MINUTE)	/* for one mail, network and all */
#define STORE_AGAIN (2 * US_SECOND)
#define DEADLY 2			/* times that a mail may end the intake, or be refused by the store */
#define PERSON_NEEDED 300		/* seconds of back-off from which it is a person's trouble */

METRIC(problems, COUNTER, "nurtured_mailbox_problems_total", "", "Times that a mailbox could not be read.");
METRIC(restarts, COUNTER, "nurtured_intake_restarts_total", "",
	"Intake processes that ended and were started again.");

struct trouble {
	char *key;
	int times;
};

struct mailbox {
	struct loop *loop;
	struct decide *decide;
	struct plan *plan;
	const struct mailbox_config *config;
	const char *program;

	struct intake_process *process;	/* NULL: none */
	struct timer *restart, *watchdog, *again;
	int64_t started, backoff;	/* clock_steady(); the next delay */

	char reading[300];		/* the mail that it named and has not sent */
	struct trouble *troubles;
	size_t trouble_count, trouble_cap;

	json_t *waiting[2 * FRAME_WINDOW];	/* mails behind the one in the store */
	size_t waiting_count;
	struct mail_job *job;		/* in the store, or waiting for it to take it */
	size_t jobs;			/* in the store: this struct stays */
	bool ending;			/* killed: heard on, it might bring a later mail in first */
	bool stopped;
};

struct look_up {			/* the watermark, before a start */
	struct store_job job;
	struct mailbox *box;
	struct watermark watermark;
};

static void submit_next(struct mailbox *box);

/* --- mails that end it ---------------------------------------------------------------------------------- */

static void count_trouble(struct mailbox *box, const char *key, const char *why)
{
	struct trouble *t = NULL;

	for (size_t i = 0; i < box->trouble_count && !t; i++)
		if (!strcmp(box->troubles[i].key, key))
			t = &box->troubles[i];
	if (!t) {
		box->troubles = xgrow(box->troubles, &box->trouble_cap, box->trouble_count + 1, sizeof(*t));
		t = &box->troubles[box->trouble_count++];
		*t = (struct trouble){ .key = xstrdup(key) };
	}
	if (++t->times == DEADLY)
		mail_job_quarantined(box->config->name, key, why);
}

static json_t *deadly_keys(const struct mailbox *box)
{
	json_t *keys = json_array();

	for (size_t i = 0; i < box->trouble_count; i++)
		if (box->troubles[i].times >= DEADLY)
			json_array_append_new(keys, json_string(box->troubles[i].key));
	return keys;
}

/* --- the process ---------------------------------------------------------------------------------------- */

static void send_frame(struct mailbox *box, json_t *message)
{
	if (!box->process)
		json_decref(message);
	else if (intake_process_say(box->process, message) < 0)
		log_error("intake.frame", L_STR("mailbox", box->config->name), L_STR("why", "it cannot be said in UTF-8, or is too long"));
}

static void forget_waiting(struct mailbox *box)
{
	for (size_t i = 0; i < box->waiting_count; i++)
		json_decref(box->waiting[i]);
	box->waiting_count = 0;
}

/*
 * Ends it, whatever it does; what it still had to say it says again after the next start. The mail it reads
 * is not to blame.
 */
static void end_intake(struct mailbox *box)
{
	forget_waiting(box);
	box->ending = true;
	box->reading[0] = '\0';
	if (box->process)
		intake_process_kill(box->process);
}

static void start_later(struct mailbox *box)
{
	timer_set(box->restart, box->backoff);
	box->backoff = box->backoff * 2 > RESTART_MOST ? RESTART_MOST : box->backoff * 2;
}

static void ended(void *ctx, bool killed, int status)
{
	struct mailbox *box = ctx;

	intake_process_free(&box->process);
	forget_waiting(box);
	timer_stop(box->watchdog);
	if (clock_steady() - box->started > LIVES_WELL)
		box->backoff = RESTART_FIRST;
	log_warn("intake.ended", L_STR("mailbox", box->config->name), L_INT(killed ? "signal" : "status", status),
		L_STR("reading", box->reading), L_INT("restart_in", box->backoff / US_SECOND));
	metric_add(&metric_restarts, 1);
	if ((killed || status) && *box->reading)
		count_trouble(box, box->reading, "reading it ended the intake twice");
	box->reading[0] = '\0';
	start_later(box);
}

static void watchdog_fired(void *arg)
{
	struct mailbox *box = arg;

	log_warn("intake.hangs", L_STR("mailbox", box->config->name), L_STR("reading", box->reading));
	if (*box->reading)
		count_trouble(box, box->reading, "the intake hung over it twice");
	end_intake(box);
}

/* --- what it says --------------------------------------------------------------------------------------- */

static void on_mail_frame(struct mailbox *box, json_t *message)
{
	timer_stop(box->watchdog);
	box->reading[0] = '\0';
	if (box->waiting_count == sizeof(box->waiting) / sizeof(box->waiting[0])) {
		log_error("intake.flood", L_STR("mailbox", box->config->name),
			L_INT("waiting", (int64_t)box->waiting_count));
		end_intake(box);
		return;
	}
	box->waiting[box->waiting_count++] = json_incref(message);
	submit_next(box);
}

static void on_problem(struct mailbox *box, const json_t *message)
{
	int64_t retry = frame_integer(message, "retry_in", 0);

	metric_add(&metric_problems, 1);
	if (retry >= PERSON_NEEDED)
		log_error("mailbox.problem", L_STR("mailbox", box->config->name),
			L_STR("what", frame_string(message, "what")), L_INT("retry_in", retry));
	else
		log_warn("mailbox.problem", L_STR("mailbox", box->config->name),
			L_STR("what", frame_string(message, "what")), L_INT("retry_in", retry));
}

static void on_frame(void *ctx, json_t *message)
{
	struct mailbox *box = ctx;
	const char *type = frame_type(message);

	if (box->ending) {
		;
	} else if (!strcmp(type, "mail")) {
		on_mail_frame(box, message);
	} else if (!strcmp(type, "state") && !strcmp(frame_string(message, "state"), "idle")) {
		box->reading[0] = '\0';
		timer_stop(box->watchdog);
	} else if (!strcmp(type, "state")) {
		snprintf(box->reading, sizeof(box->reading), "%s", frame_string(message, "key"));
		timer_set(box->watchdog, READS_AT_MOST);
	} else if (!strcmp(type, "problem")) {
		on_problem(box, message);
		box->reading[0] = '\0';
		timer_stop(box->watchdog);
	} else if (!strcmp(type, "ready")) {
		log_info("mailbox.open", L_STR("mailbox", box->config->name),
			L_INT("uidvalidity", frame_integer(message, "uidvalidity", 0)));
	}
}

static void broken(void *ctx, const char *why)
{
	struct mailbox *box = ctx;

	log_error("intake.frame", L_STR("mailbox", box->config->name), L_STR("why", why));
	end_intake(box);
}

static const struct intake_calls calls = { .frame = on_frame, .broken = broken, .ended = ended };

/* --- mails into the store ------------------------------------------------------------------------------- */

static void log_taken(const struct mailbox *box, const struct mail_job *job)
{
	log_info("mail.taken", L_STR("mailbox", box->config->name),
		L_STR("class", frame_string(job->message, "class")),
		L_STR("intent", frame_string(job->message, "intent")),
		L_ID("prospect", "pro", job->result.prospect), L_ID("delivery", "del", job->fact.delivery));
}

static void job_over(struct mailbox *box, enum store_result result, const struct err *err)
{
	struct mail_job *job = box->job;
	const char *key = frame_string(job->message, "key");

	switch (result) {
	case STORE_COMMITTED:
		CRASH_POINT("imap.after_commit_before_flag");
		box->backoff = RESTART_FIRST;
		if (job->result.prospect)
			log_taken(box, job);
		send_frame(box, json_pack("{ss ss}", "type", "committed", "key", key));
		break;
	case STORE_REFUSED:
		log_error("mail.refused", L_STR("mailbox", box->config->name), L_STR("key", key),
			L_STR("why", err->text));
		count_trouble(box, key, "the store refused it twice");
		end_intake(box);	/* it comes again: from the watermark, or still in new/ */
		break;
	case STORE_FAILED:
		timer_set(box->again, STORE_AGAIN);
		return;			/* the same job again */
	}
	mail_job_free(&box->job);
	submit_next(box);
}

static void mailbox_destroy(struct mailbox *box)
{
	mail_job_free(&box->job);
	plan_unref(&box->plan);
	for (size_t i = 0; i < box->trouble_count; i++)
		free(box->troubles[i].key);
	free(box->troubles);
	free(box);
}

static void job_done(struct store_job *store_job, enum store_result result, const struct err *err)
{
	struct mailbox *box = ((struct mail_job *)store_job)->owner;

	box->jobs--;
	if (!box->stopped)
		job_over(box, result, err);
	else if (!box->jobs)
		mailbox_destroy(box);
}

static void submit_job(void *arg)
{
	struct mailbox *box = arg;

	if (store_submit(decide_store(box->decide), &box->job->job, STORE_NORMAL) < 0)
		timer_set(box->again, STORE_AGAIN);
	else
		box->jobs++;
}

static void submit_next(struct mailbox *box)
{
	bool keep_raw = box->plan->operator.keep_raw_mail > 0;
	json_t *message;
	struct err err;

	if (box->job || !box->waiting_count)
		return;
	message = box->waiting[0];
	memmove(box->waiting, box->waiting + 1, --box->waiting_count * sizeof(box->waiting[0]));
	CRASH_POINT("imap.after_fetch");
	box->job = mail_job_new(box->decide, box->config->name, message, keep_raw, clock_now(), &err);
	json_decref(message);
	if (!box->job) {
		log_error("intake.frame", L_STR("mailbox", box->config->name), L_STR("why", err.text));
		end_intake(box);
		return;
	}
	box->job->owner = box;
	box->job->job.done = job_done;
	submit_job(box);
}

/* --- starting ------------------------------------------------------------------------------------------- */

static json_t *configure_frame(const struct mailbox *box, const struct watermark *watermark)
{
	const struct mailbox_config *c = box->config;
	bool plain = text_starts_with(c->url, "imap://");
	json_t *m = json_pack("{ss ss ss ss* ss* ss*}", "type", "configure", "name", c->name, "url", c->url,
		"user", c->user, "password", c->password, "cainfo", c->ca_file), *setting;

	json_object_set_new(m, "poll_seconds", json_integer(c->poll / US_SECOND));
	json_object_set_new(m, "raw", json_boolean(box->plan->operator.keep_raw_mail > 0));
	json_object_set_new(m, "starttls", json_boolean(plain && c->tls == TLS_REQUIRED));
	json_object_set_new(m, "cleartext", json_boolean(plain && c->tls == TLS_NONE));
	json_object_set_new(m, "watermark",
		json_pack("{sI sI}", "uidvalidity", (json_int_t)watermark->uidvalidity,
			"last_uid", (json_int_t)watermark->last_uid));
	setting = intake_setting(box->plan);
	json_object_update(m, setting);
	json_decref(setting);
	json_object_set_new(m, "skip", deadly_keys(box));
	return m;
}

static void start_intake(struct mailbox *box, const struct watermark *watermark)
{
	int rc = intake_process_start(box->loop, box->program, &calls, box, &box->process);

	box->started = clock_steady();
	box->ending = false;
	if (rc) {
		log_error("intake.start", L_STR("mailbox", box->config->name), L_STR("program", box->program),
			L_STR("why", strerror(rc)));
		start_later(box);
		return;
	}
	send_frame(box, configure_frame(box, watermark));
}

static int look_up_run(struct store_job *job, struct db *db, struct err *err)
{
	struct look_up *l = (struct look_up *)job;

	return mailboxes_get(db, l->box->config->name, &l->watermark, err);
}

static void look_up_done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct look_up *l = (struct look_up *)job;
	struct mailbox *box = l->box;

	box->jobs--;
	if (box->stopped) {
		if (!box->jobs)
			mailbox_destroy(box);
	} else if (result == STORE_COMMITTED) {
		start_intake(box, &l->watermark);
	} else {
		log_error("mailbox.watermark", L_STR("mailbox", box->config->name), L_STR("why", err->text));
		start_later(box);
	}
	free(l);
}

/* A mail that is still in the store moves the watermark: its end is waited for. */
static void look_up(void *arg)
{
	struct mailbox *box = arg;
	struct look_up *l;

	if (box->job) {
		timer_set(box->restart, RESTART_FIRST);
		return;
	}
	l = xcalloc(1, sizeof(*l));
	l->box = box;
	l->job = (struct store_job){ .run = look_up_run, .done = look_up_done };
	if (store_submit(decide_store(box->decide), &l->job, STORE_NORMAL) < 0) {
		free(l);
		timer_set(box->restart, STORE_AGAIN);
		return;
	}
	box->jobs++;
}

struct mailbox *mailbox_new(struct loop *loop, struct decide *decide, struct plan *plan,
	const struct mailbox_config *config, const char *program)
{
	struct mailbox *box = xcalloc(1, sizeof(*box));

	box->loop = loop;
	box->decide = decide;
	box->plan = plan_ref(plan);
	box->config = config;
	box->program = program;
	box->backoff = RESTART_FIRST;
	box->restart = timer_new(loop, look_up, box);
	box->watchdog = timer_new(loop, watchdog_fired, box);
	box->again = timer_new(loop, submit_job, box);
	timer_set(box->restart, 0);
	return box;
}

void mailbox_look(struct mailbox *box)
{
	send_frame(box, json_pack("{ss}", "type", "poll_now"));
}

void mailbox_free(struct mailbox **boxp)
{
	struct mailbox *box = *boxp;

	if (!box)
		return;
	*boxp = NULL;
	box->stopped = true;
	timer_free(&box->restart);
	timer_free(&box->watchdog);
	timer_free(&box->again);
	forget_waiting(box);
	intake_process_free(&box->process);
	if (!box->jobs)
		mailbox_destroy(box);
}

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

bool mailbox_is_like(const struct mailbox *box, const struct plan *plan, const struct mailbox_config *config)
{
	const struct mailbox_config *own = box->config;
	const struct operator_config *a = &box->plan->operator, *b = &plan->operator;
	json_t *before = intake_setting(box->plan), *after = intake_setting(plan);
	bool reads_alike = json_equal(before, after);

	json_decref(before);
	json_decref(after);
	return same(own->name, config->name) && same(own->url, config->url) &&
	       same(own->user, config->user) && same(own->password, config->password) &&
	       same(own->ca_file, config->ca_file) && own->tls == config->tls && own->poll == config->poll &&
	       (a->keep_raw_mail > 0) == (b->keep_raw_mail > 0) && reads_alike;
}
