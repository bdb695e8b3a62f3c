/*
 * mailbox.c: what is remembered, from the store -> intake started -> mails, one store job at a time -> committed.
 *
 * One at a time, because the watermark moves with each: were a later mail committed and an earlier one
 * refused, the earlier would never be read. When anything goes wrong the intake is ended and begins again
 * from the watermark.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bearer.h"
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
#include "mailbox_jobs.h"

#define RESTART_FIRST US_SECOND
#define RESTART_MOST (5 * US_MINUTE)
#define LIVES_WELL US_MINUTE		/* an intake that lived so long begins again at once */
#define READS_AT_MOST (10 * US_MINUTE)	/* for one mail, network and all */
#define STORE_AGAIN (2 * US_SECOND)
#define DEADLY 2			/* times that a mail may end the intake, or be refused by the store */
#define KNOWN_AT_ONCE 20000		/* keys of a frame: of at most 70 bytes each, which JSON may double */
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

	struct bearer *bearer;		/* fetches a token; NULL */
	struct mailbox_condition condition;
	char problem[400], problem_kind[16];

	struct fetched {
		json_t *message;
		struct buf raw;
	} waiting[2 * FRAME_WINDOW];	/* mails behind the one in the store */
	size_t waiting_count;
	struct mail_job *job;		/* in the store, or waiting for it to take it */
	size_t jobs;			/* in the store: this struct stays */
	bool ending;			/* killed: heard on, it might bring a later mail in first */
	bool stopped;
};

const char *const mailbox_state_names[] = { "starts", "reads", "waits", "polls", "listens", "fails", NULL };

static void submit_next(struct mailbox *box);

/* --- how it does ---------------------------------------------------------------------------------------- */

void mailbox_tell(const struct mailbox *box, struct mailbox_condition *out)
{
	*out = box->condition;
	out->config = box->config;
	out->kind = box->problem_kind;
	out->problem = box->problem;
}

static void set_state(struct mailbox *box, enum mailbox_state state)
{
	if (box->condition.state != state)
		log_debug("mailbox.state", L_STR("mailbox", box->config->name), L_STR("from", mailbox_state_names[box->condition.state]),
			L_STR("to", mailbox_state_names[state]));
	box->condition.state = state;
	if (state != MAILBOX_FAILS)
		box->condition.retry = 0;
}

/* All that is there is read: what was wrong no longer is, but for what does not keep mails from being read. */
static void reads_well(struct mailbox *box, enum mailbox_state state)
{
	set_state(box, state);
	box->condition.looked = clock_now();
	if (strcmp(box->problem_kind, "after") != 0 || box->condition.looked - box->condition.problem_at > US_HOUR)
		box->problem[0] = box->problem_kind[0] = '\0';
}

static void has_problem(struct mailbox *box, const char *kind, const char *what, int64_t retry_in)
{
	metric_add(&metric_problems, 1);
	box->condition.problems++;
	box->condition.problem_at = clock_now();
	snprintf(box->problem_kind, sizeof(box->problem_kind), "%s", kind);
	snprintf(box->problem, sizeof(box->problem), "%s", what);
	if (retry_in) {
		set_state(box, MAILBOX_FAILS);
		box->condition.retry = clock_now() + retry_in;
	}
}

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
	for (size_t i = 0; i < box->waiting_count; i++) {
		json_decref(box->waiting[i].message);
		buf_clear(&box->waiting[i].raw);
	}
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
	if (box->condition.state != MAILBOX_FAILS)
		has_problem(box, "intake", "the process that reads it has ended; the log says why", box->backoff);
	box->condition.retry = clock_now() + box->backoff;
	box->backoff = box->backoff * 2 > RESTART_MOST ? RESTART_MOST : box->backoff * 2;
}

static void ended(void *ctx, bool killed, int status)
{
	struct mailbox *box = ctx;

	intake_process_free(&box->process);
	bearer_free(&box->bearer);
	forget_waiting(box);
	timer_stop(box->watchdog);
	box->condition.restarts++;
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

static void on_mail_frame(struct mailbox *box, json_t *message, struct buf *bytes)
{
	timer_stop(box->watchdog);
	box->reading[0] = '\0';
	if (box->waiting_count == sizeof(box->waiting) / sizeof(box->waiting[0])) {
		log_error("intake.flood", L_STR("mailbox", box->config->name),
			L_INT("waiting", (int64_t)box->waiting_count));
		end_intake(box);
		return;
	}
	box->waiting[box->waiting_count++] = (struct fetched){ json_incref(message), *bytes };
	*bytes = (struct buf)BUF_INIT;
	submit_next(box);
}

static void on_problem(struct mailbox *box, const json_t *message)
{
	int64_t retry = frame_integer(message, "retry_in", 0);
	const char *kind = frame_string(message, "kind"), *what = frame_string(message, "what");
	bool login = !strcmp(kind, "login");

	has_problem(box, kind, what, retry * US_SECOND);
	if (login || retry >= PERSON_NEEDED || !strcmp(kind, "config"))
		log_error("mailbox.problem", L_STR("mailbox", box->config->name), L_STR("kind", kind), L_STR("what", what), L_INT("retry_in", retry));
	else
		log_warn("mailbox.problem", L_STR("mailbox", box->config->name), L_STR("kind", kind), L_STR("what", what), L_INT("retry_in", retry));
	if (login)
		mailbox_alarm(decide_store(box->decide), box->config->name, "the login is refused");
}

static void on_state(struct mailbox *box, const json_t *message)
{
	const char *state = frame_string(message, "state");

	if (!strcmp(state, "reading")) {
		snprintf(box->reading, sizeof(box->reading), "%s", frame_string(message, "key"));
		timer_set(box->watchdog, READS_AT_MOST);
		set_state(box, MAILBOX_READS);
		return;
	}
	box->reading[0] = '\0';
	timer_stop(box->watchdog);
	if (!strcmp(state, "rests"))
		reads_well(box, strcmp(frame_string(message, "learns"), "told") ? MAILBOX_POLLS : MAILBOX_WAITS);
}

static void got_token(void *ctx, const char *token, const char *why)
{
	struct mailbox *box = ctx;

	send_frame(box, token ? json_pack("{ss ss}", "type", "token", "token", token) : json_pack("{ss ss}", "type", "token", "why", why));
	bearer_free(&box->bearer);
}

static void on_frame(void *ctx, json_t *message, struct buf *bytes)
{
	struct mailbox *box = ctx;
	const char *type = frame_type(message);

	if (box->ending) {
		;
	} else if (!strcmp(type, "mail")) {
		on_mail_frame(box, message, bytes);
	} else if (!strcmp(type, "state")) {
		on_state(box, message);
	} else if (!strcmp(type, "problem")) {
		on_problem(box, message);
		box->reading[0] = '\0';
		timer_stop(box->watchdog);
	} else if (!strcmp(type, "gone")) {
		CRASH_POINT("imap.after_move");
		mailbox_forget(decide_store(box->decide), box->config->name, frame_string(message, "key"));
	} else if (!strcmp(type, "token_wanted")) {
		bearer_free(&box->bearer);
		box->bearer = bearer_fetch(box->loop, box->config->token_file, box->config->token_command, got_token, box);
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

static bool is_unreadable(const struct mail_job *job)
{
	return job->fact.class == MAIL_UNREADABLE;
}

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
		box->condition.taken++;
		box->condition.taken_at = clock_now();
		if (job->result.prospect)
			log_taken(box, job);
		send_frame(box, json_pack("{ss ss sb}", "type", "committed", "key", key, "leave", is_unreadable(job)));
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

/* What is not done with when it is committed: a mail of POP3 is there until the server lists it no longer, one of IMAP until `after` is done. */
static void remember(const struct mailbox *box, struct mail_job *job)
{
	bool pop3 = box->config->kind == MAILBOX_POP3, owed = box->config->kind == MAILBOX_IMAP && box->config->after != MAILBOX_KEEP;

	if (pop3 || (owed && !is_unreadable(job)))
		job->fact.there = (struct mailbox_mail){ frame_string(job->message, "key"), is_unreadable(job) };
}

static void submit_next(struct mailbox *box)
{
	struct fetched first;
	struct err err;

	if (box->job || !box->waiting_count)
		return;
	first = box->waiting[0];
	memmove(box->waiting, box->waiting + 1, --box->waiting_count * sizeof(box->waiting[0]));
	CRASH_POINT("imap.after_fetch");
	box->job = mail_job_new(box->decide, box->config->name, first.message, clock_now(), &err);
	json_decref(first.message);
	if (!box->job) {
		buf_clear(&first.raw);
		log_error("intake.frame", L_STR("mailbox", box->config->name), L_STR("why", err.text));
		end_intake(box);
		return;
	}
	box->job->raw = first.raw;
	if (first.raw.len && box->plan->operator.keep_raw_mail > 0)
		mail_job_keep(box->job, first.raw.data, first.raw.len);
	remember(box, box->job);
	box->job->owner = box;
	box->job->job.done = job_done;
	submit_job(box);
}

/* --- starting ------------------------------------------------------------------------------------------- */

static json_t *configure_frame(const struct mailbox *box, const struct mailbox_memory *memory)
{
	const struct mailbox_config *c = box->config;
	bool plain = text_starts_with(c->url, "imap://") || text_starts_with(c->url, "pop3://");
	json_t *m = json_pack("{ss ss ss ss* ss* ss* ss*}", "type", "configure", "name", c->name, "url", c->url,
		"user", c->user, "password", c->password, "cainfo", c->ca_file, "move_to", c->move_to), *setting;

	json_object_set_new(m, "poll_seconds", json_integer(c->poll / US_SECOND));
	json_object_set_new(m, "raw", json_boolean(box->plan->operator.keep_raw_mail > 0));
	json_object_set_new(m, "starttls", json_boolean(plain && c->tls == TLS_REQUIRED));
	json_object_set_new(m, "cleartext", json_boolean(plain && c->tls == TLS_NONE));
	json_object_set_new(m, "by_token", json_boolean(c->token_file || c->token_command));
	json_object_set_new(m, "after", json_string(mailbox_after_names[c->after]));
	json_object_set_new(m, "watermark",
		json_pack("{sI sI}", "uidvalidity", (json_int_t)memory->watermark.uidvalidity,
			"last_uid", (json_int_t)memory->watermark.last_uid));
	setting = intake_setting(box->plan);
	json_object_update(m, setting);
	json_decref(setting);
	json_object_set_new(m, "skip", deadly_keys(box));
	return m;
}

/* In pieces that fit into a frame; the first goes with `configure`. */
static void send_memory(struct mailbox *box, const struct mailbox_memory *memory)
{
	json_t *frame = configure_frame(box, memory), *known = json_object();

	for (size_t i = 0; i < memory->count; i++) {
		json_object_set_new(known, memory->mails[i].key, json_boolean(memory->mails[i].stays));
		if (json_object_size(known) < KNOWN_AT_ONCE || i + 1 == memory->count)
			continue;
		json_object_set_new(frame, "known", known);
		json_object_set_new(frame, "more_known", json_true());
		send_frame(box, frame);
		frame = json_pack("{ss}", "type", "known");
		known = json_object();
	}
	json_object_set_new(frame, "known", known);
	send_frame(box, frame);
}

static void start_intake(struct mailbox *box, const struct mailbox_memory *memory)
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
	set_state(box, MAILBOX_STARTS);
	send_memory(box, memory);
}

static void looked_up(void *ctx, const struct mailbox_memory *memory, const char *why)
{
	struct mailbox *box = ctx;

	box->jobs--;
	if (box->stopped) {
		if (!box->jobs)
			mailbox_destroy(box);
	} else if (memory) {
		start_intake(box, memory);
	} else {
		log_error("mailbox.watermark", L_STR("mailbox", box->config->name), L_STR("why", why));
		start_later(box);
	}
}

/* A mail that is still in the store moves the watermark: its end is waited for. */
static void look_up(void *arg)
{
	struct mailbox *box = arg;

	if (box->job)
		timer_set(box->restart, RESTART_FIRST);
	else if (mailbox_look_up(decide_store(box->decide), box->config->name, looked_up, box) < 0)
		timer_set(box->restart, STORE_AGAIN);
	else
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
	bearer_free(&box->bearer);
	forget_waiting(box);
	intake_process_free(&box->process);
	if (!box->jobs)
		mailbox_destroy(box);
}

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static bool same_list(const char *const *a, const char *const *b)
{
	while (a && b && *a && same(*a, *b))
		a++, b++;
	return (a ? *a : NULL) == (b ? *b : NULL);
}

static bool logs_in_alike(const struct mailbox_config *a, const struct mailbox_config *b)
{
	return same(a->url, b->url) && same(a->user, b->user) && same(a->password, b->password) && same(a->token_file, b->token_file) &&
	       same_list(a->token_command, b->token_command) && same(a->ca_file, b->ca_file) && a->tls == b->tls;
}

bool mailbox_is_like(const struct mailbox *box, const struct plan *plan, const struct mailbox_config *config)
{
	const struct mailbox_config *own = box->config;
	const struct operator_config *a = &box->plan->operator, *b = &plan->operator;
	json_t *before = intake_setting(box->plan), *after = intake_setting(plan);
	bool reads_alike = json_equal(before, after);

	json_decref(before);
	json_decref(after);
	return same(own->name, config->name) && logs_in_alike(own, config) && own->poll == config->poll &&
	       own->after == config->after && same(own->move_to, config->move_to) &&
	       (a->keep_raw_mail > 0) == (b->keep_raw_mail > 0) && reads_alike;
}
