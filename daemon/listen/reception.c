/*
 * reception.c: waiting -> at the intake, one at a time -> in the store, several at a time, so that one commit takes them together.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/plan.h"
#include "decide/facts.h"
#include "listen/frame.h"

#include "incoming.h"
#include "intake_process.h"
#include "intake_program.h"
#include "mail_job.h"
#include "reception.h"

#define AT_ONCE 64			/* mails that wait, are read or are in the store */
#define READS_WITHIN (60 * US_SECOND)	/* one mail; the CPU time has its own limit: intake.c */
#define DEADLY 2			/* times that a mail may end the intake */
#define BYTES_AT_ONCE (64 * 1024 * 1024)	/* of them all */

struct letter {
	struct letter *next;		/* that waits behind it */
	struct reception *reception;	/* NULL: stopped; only the store has it */
	char *source;
	struct buf raw;
	int64_t size, received;
	int deaths;
	bool unread;			/* kept as it is */
	reception_done *done;
	void *arg;
	struct mail_job *job;
	struct letter *before, *behind;	/* of those in the store */
};

struct reception {
	struct loop *loop;
	struct decide *decide;
	struct plan *plan;
	const char *program;
	struct intake_process *process;
	bool reads;			/* it has begun to read the first letter */
	bool asked;			/* it was given the first letter */
	bool stale;			/* its rules are old: ends when it has read what it has */
	bool ending;
	struct letter *first, *last;	/* that wait */
	struct letter *stored;		/* that are in the store */
	size_t count, bytes;		/* of both */
	struct timer *turn, *watchdog;
};

/* --- letters ------------------------------------------------------------------------------------------------------ */

static void letter_free(struct letter *l)
{
	mail_job_free(&l->job);
	buf_clear(&l->raw);
	free(l->source);
	free(l);
}

static struct letter *take_first(struct reception *r)
{
	struct letter *l = r->first;

	r->first = l->next;
	if (!r->first)
		r->last = NULL;
	l->next = NULL;
	r->asked = r->reads = false;
	return l;
}

static void finish(struct letter *l, bool committed, const char *why)
{
	l->reception->count--;
	l->reception->bytes -= l->raw.len;
	l->done(l->arg, committed, why);
	letter_free(l);
}

/* All who wait, when mail cannot be read at this time. */
static void send_away(struct reception *r, const char *why)
{
	while (r->first)
		finish(take_first(r), false, why);
}

/* --- into the store ----------------------------------------------------------------------------------------------- */

static void to_store(struct letter *l, json_t *message);

static void enter(struct letter *l)
{
	struct reception *r = l->reception;

	l->behind = r->stored;
	if (r->stored)
		r->stored->before = l;
	r->stored = l;
}

static void leave(struct letter *l)
{
	struct reception *r = l->reception;

	if (l->before)
		l->before->behind = l->behind;
	else
		r->stored = l->behind;
	if (l->behind)
		l->behind->before = l->before;
	l->before = l->behind = NULL;
}

static void keep_unread(struct letter *l, const char *why)
{
	uint8_t digest[SHA256_SIZE];
	struct buf hex = BUF_INIT;
	json_t *message;

	l->unread = true;
	digest_sha256(buf_cstr(&l->raw), l->raw.len < FRAME_MAIL_MAX ? l->raw.len : FRAME_MAIL_MAX, digest);
	text_hex(&hex, digest, sizeof(digest));
	mail_job_quarantined(l->source, buf_cstr(&hex), why);
	message = json_pack("{ss s[s] ss}", "class", "unreadable", "evidence", why, "sha256", buf_cstr(&hex));
	buf_clear(&hex);
	to_store(l, message);
}

static void log_taken(const struct letter *l)
{
	log_info("mail.taken", L_STR("mailbox", l->source), L_STR("class", frame_string(l->job->message, "class")),
		L_STR("intent", frame_string(l->job->message, "intent")), L_ID("prospect", "pro", l->job->result.prospect),
		L_ID("delivery", "del", l->job->fact.delivery));
}

static void job_done(struct store_job *store_job, enum store_result result, const struct err *err)
{
	struct letter *l = ((struct mail_job *)store_job)->owner;

	if (!l->reception) {
		letter_free(l);
		return;
	}
	leave(l);
	if (result == STORE_COMMITTED) {
		if (l->job->result.prospect)
			log_taken(l);
		finish(l, true, NULL);
	} else if (result == STORE_REFUSED && !l->unread) {
		log_error("mail.refused", L_STR("mailbox", l->source), L_STR("why", err->text));
		mail_job_free(&l->job);
		keep_unread(l, "the store refused what was read in it");
	} else {
		log_warn("mail.put_off", L_STR("mailbox", l->source), L_STR("why", err->text));
		finish(l, false, "it cannot be stored at this time");
	}
}

/* Takes the message. */
static void to_store(struct letter *l, json_t *message)
{
	struct reception *r = l->reception;
	bool keep = r->plan->operator.keep_raw_mail > 0;
	struct err err;

	json_object_set_new(message, "size", json_integer(l->size));
	json_object_set_new(message, "received", json_integer(l->received));
	l->job = mail_job_new(r->decide, l->source, message, l->received, &err);
	json_decref(message);
	if (!l->job) {
		log_error("intake.frame", L_STR("mailbox", l->source), L_STR("why", err.text));
		finish(l, false, "it could not be read");
		return;
	}
	if (keep)
		mail_job_keep(l->job, l->raw.data, l->raw.len);
	l->job->owner = l;
	l->job->job.done = job_done;
	if (store_submit(decide_store(r->decide), &l->job->job, STORE_NORMAL) < 0)
		finish(l, false, "it cannot be stored at this time");
	else
		enter(l);
}

/* --- at the intake ------------------------------------------------------------------------------------------------ */

static void on_frame(void *ctx, json_t *message, struct buf *bytes)
{
	struct reception *r = ctx;

	(void)bytes;
	if (r->ending || !r->asked)
		return;
	if (!strcmp(frame_type(message), "state")) {
		r->reads = true;
	} else if (!strcmp(frame_type(message), "mail")) {
		timer_stop(r->watchdog);
		to_store(take_first(r), json_incref(message));
		timer_set(r->turn, 0);
	}
}

static void end(struct reception *r)
{
	r->ending = true;
	intake_process_kill(r->process);
}

static void broken(void *ctx, const char *why)
{
	struct reception *r = ctx;

	log_error("intake.frame", L_STR("mailbox", ""), L_STR("why", why));
	r->ending = true;
}

static void watchdog_fired(void *arg)
{
	struct reception *r = arg;

	log_warn("intake.hangs", L_STR("mailbox", r->first->source));
	end(r);
}

/* One that ends before it has begun to read is no mail's fault: the program itself is broken, and no mail is to be put aside for that. */
static void ended(void *ctx, bool killed, int status)
{
	struct reception *r = ctx;
	bool by_letter = r->asked && r->reads;

	intake_process_free(&r->process);
	timer_stop(r->watchdog);
	r->ending = r->stale = false;
	if (r->first || status)
		log_warn("intake.ended", L_STR("mailbox", r->first ? r->first->source : ""), L_INT(killed ? "signal" : "status", status));
	if (by_letter && ++r->first->deaths >= DEADLY)
		keep_unread(take_first(r), "ended the intake twice");
	else if (r->asked && !by_letter)
		send_away(r, "mail cannot be read at this time");
	r->asked = r->reads = false;
	timer_set(r->turn, 0);
}

static const struct intake_calls calls = { .frame = on_frame, .broken = broken, .ended = ended };

static int start(struct reception *r)
{
	json_t *configure;
	int rc = intake_process_start(r->loop, r->program, &calls, r, &r->process);

	if (rc) {
		log_error("intake.start", L_STR("program", r->program), L_STR("why", strerror(rc)));
		return -1;
	}
	configure = intake_setting(r->plan);
	json_object_set_new(configure, "type", json_string("configure"));
	return intake_process_say(r->process, configure);
}

/* The next letter to the intake. */
static void turn(void *arg)
{
	struct reception *r = arg;
	const struct letter *l = r->first;
	size_t read;

	if (r->process && r->stale && !r->asked && !r->ending)
		end(r);
	if (!l || r->asked || r->ending)
		return;
	if (!r->process && start(r) < 0) {
		send_away(r, "mail cannot be read at this time");
		return;
	}
	r->asked = true;
	read = l->raw.len < FRAME_MAIL_MAX ? l->raw.len : FRAME_MAIL_MAX;
	timer_set(r->watchdog, READS_WITHIN);
	(void)intake_process_say(r->process, json_pack("{ss sI sI}", "type", "read", "size", (json_int_t)read, "received", (json_int_t)l->received));
	intake_process_bytes(r->process, buf_cstr(&l->raw), read);
}

/* --- the part ----------------------------------------------------------------------------------------------------- */

struct reception *reception_new(struct loop *loop, struct decide *decide, struct plan *plan, const char *program)
{
	struct reception *r = xcalloc(1, sizeof(*r));

	r->loop = loop;
	r->decide = decide;
	r->plan = plan_ref(plan);
	r->program = program;
	r->turn = timer_new(loop, turn, r);
	r->watchdog = timer_new(loop, watchdog_fired, r);
	return r;
}

void reception_set_plan(struct reception *r, struct plan *plan)
{
	struct plan *before = r->plan;
	json_t *was = intake_setting(before), *is = intake_setting(plan);

	r->plan = plan_ref(plan);
	r->stale |= r->process && !json_equal(was, is);
	json_decref(was);
	json_decref(is);
	plan_unref(&before);
	timer_set(r->turn, 0);
}

void reception_free(struct reception **rp)
{
	struct reception *r = *rp;

	if (!r)
		return;
	*rp = NULL;
	intake_process_free(&r->process);
	send_away(r, "the daemon stops");
	while (r->stored) {	/* its end in the store is nobody's any more */
		struct letter *l = r->stored;

		leave(l);
		l->reception = NULL;
		l->done(l->arg, false, "the daemon stops");
	}
	timer_free(&r->turn);
	timer_free(&r->watchdog);
	plan_unref(&r->plan);
	free(r);
}

int reception_take(struct reception *r, const char *source, struct buf *raw, int64_t size, reception_done *done, void *arg)
{
	struct letter *l;

	if (r->count >= AT_ONCE || (r->count && r->bytes + raw->len > BYTES_AT_ONCE))
		return -1;
	l = xcalloc(1, sizeof(*l));
	l->reception = r;
	l->source = xstrdup(source);
	l->raw = *raw;
	*raw = (struct buf)BUF_INIT;
	if (l->raw.len > INCOMING_MAX_RAW)
		buf_cut(&l->raw, INCOMING_MAX_RAW);
	l->size = size;
	l->received = clock_now();
	l->done = done;
	l->arg = arg;
	if (r->last)
		r->last->next = l;
	else
		r->first = l;
	r->last = l;
	r->count++;
	r->bytes += l->raw.len;
	timer_set(r->turn, 0);
	return 0;
}

void reception_envelope(struct buf *out, const char *sender, const char *recipient)
{
	if (sender)
		buf_printf(out, "Return-Path: <%s>\r\n", sender);
	if (recipient)
		buf_printf(out, "Delivered-To: %s\r\n", recipient);
}
