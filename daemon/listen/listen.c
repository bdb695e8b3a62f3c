/*
 * listen.c: the mailboxes of the plan in force (mailbox.c says what one does, lmtp.c what one is that mail is
 * brought to), and the bytes of old mail, which are kept as long as the operator says and no longer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "decide/facts.h"
#include "listen/listen.h"

#include "intake_program.h"
#include "lmtp.h"
#include "mailbox.h"
#include "reception.h"
#include "reread.h"

#define PRUNE_EVERY (10 * US_MINUTE)	/* what 20 connections may bring within that stays beyond the size */

struct prune {
	struct store_job job;
	struct listen *listen;		/* NULL: stopped meanwhile */
	int64_t before, most;
};

struct listen {
	struct loop *loop;
	struct decide *decide;
	char *program;
	struct mailbox **boxes;
	size_t count;
	struct reception *reception;	/* of mail that is brought to us */
	struct lmtp **lmtps;
	size_t lmtp_count;
	struct timer *pruning;
	struct prune *prune;		/* in the store */
};

static int program_is_there(const struct listen *l, const struct plan *plan, struct err *err)
{
	if (plan->operator.mailbox_count && access(l->program, X_OK) < 0)
		return err_set(err, "%s is not there: mailboxes cannot be read without it", l->program);
	return 0;
}

/* The running one that is set up as the plan wants it, taken out of `old`. */
static struct mailbox *keep(
	struct mailbox **old, size_t count, const struct plan *plan, const struct mailbox_config *config)
{
	for (size_t i = 0; i < count; i++) {
		struct mailbox *box = old[i];

		if (box && mailbox_is_like(box, plan, config)) {
			old[i] = NULL;
			return box;
		}
	}
	return NULL;
}

/* Those of the plan that are read, by a process each; the others are brought to us. */
static void reload_boxes(struct listen *l, struct plan *plan)
{
	const struct operator_config *o = &plan->operator;
	struct mailbox **boxes = xcalloc(o->mailbox_count + 1, sizeof(struct mailbox *));
	size_t count = 0;

	for (size_t i = 0; i < o->mailbox_count; i++)
		if (o->mailboxes[i].kind != MAILBOX_LMTP)
			boxes[count++] = keep(l->boxes, l->count, plan, &o->mailboxes[i]);
	for (size_t i = 0; i < l->count; i++)	/* before others of the same name begin */
		mailbox_free(&l->boxes[i]);
	count = 0;
	for (size_t i = 0; i < o->mailbox_count; i++) {
		if (o->mailboxes[i].kind == MAILBOX_LMTP)
			continue;
		if (boxes[count])
			mailbox_look(boxes[count]);
		else
			boxes[count] = mailbox_new(l->loop, l->decide, plan, &o->mailboxes[i], l->program);
		count++;
	}
	free(l->boxes);
	l->boxes = boxes;
	l->count = count;
}

static struct lmtp *lmtp_at(const struct listen *l, const struct mailbox_config *config)
{
	for (size_t i = 0; i < l->lmtp_count; i++)
		if (l->lmtps[i] && lmtp_is_at(l->lmtps[i], config))
			return l->lmtps[i];
	return NULL;
}

static void stop_lmtps(struct lmtp **lmtps, size_t count)
{
	for (size_t i = 0; i < count; i++)
		lmtp_stop(&lmtps[i]);
	free(lmtps);
}

/* The new ones that the plan has; what is there already is NULL in it. -1: none was started. */
static int start_lmtps(struct listen *l, struct plan *plan, struct lmtp ***out, struct err *err)
{
	const struct operator_config *o = &plan->operator;
	struct lmtp **fresh = xcalloc(o->mailbox_count + 1, sizeof(struct lmtp *));

	for (size_t i = 0; i < o->mailbox_count; i++) {
		const struct mailbox_config *config = &o->mailboxes[i];

		if (config->kind != MAILBOX_LMTP || lmtp_at(l, config))
			continue;
		if (lmtp_start(l->loop, l->reception, plan, config, &fresh[i], err) < 0) {
			stop_lmtps(fresh, o->mailbox_count);
			return -1;
		}
	}
	*out = fresh;
	return 0;
}

/* Takes over the fresh ones, keeps those that the plan still has, and stops the others. */
static void reload_lmtps(struct listen *l, struct plan *plan, struct lmtp **fresh)
{
	const struct operator_config *o = &plan->operator;

	for (size_t i = 0; i < o->mailbox_count; i++) {
		if (o->mailboxes[i].kind != MAILBOX_LMTP || fresh[i])
			continue;
		for (size_t k = 0; k < l->lmtp_count && !fresh[i]; k++) {
			if (!l->lmtps[k] || !lmtp_is_at(l->lmtps[k], &o->mailboxes[i]))
				continue;
			fresh[i] = l->lmtps[k];
			l->lmtps[k] = NULL;
			lmtp_set_plan(fresh[i], plan, &o->mailboxes[i]);
		}
	}
	stop_lmtps(l->lmtps, l->lmtp_count);
	l->lmtps = fresh;
	l->lmtp_count = o->mailbox_count;
}

int listen_reload(struct listen *l, struct err *err)
{
	struct plan *plan = decide_plan(l->decide);
	struct lmtp **fresh;

	if (program_is_there(l, plan, err) < 0 || start_lmtps(l, plan, &fresh, err) < 0)
		return -1;
	reception_set_plan(l->reception, plan);
	reload_boxes(l, plan);
	reload_lmtps(l, plan, fresh);
	return 0;
}

/* --- old mail ------------------------------------------------------------------------------------------- */

static int prune_run(struct store_job *job, struct db *db, struct err *err)
{
	const struct prune *p = (const struct prune *)job;

	return inbound_prune(db, p->before, p->most, err);
}

static void prune_done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct prune *p = (struct prune *)job;

	if (result != STORE_COMMITTED)
		log_error("raw_mail.kept_too_long", L_STR("why", err->text));
	if (p->listen) {
		p->listen->prune = NULL;
		timer_set(p->listen->pruning, PRUNE_EVERY);
	}
	free(p);
}

static void prune(void *arg)
{
	struct listen *l = arg;
	struct prune *p = xcalloc(1, sizeof(*p));

	p->job = (struct store_job){ .run = prune_run, .done = prune_done };
	p->listen = l;
	p->before = clock_now() - decide_plan(l->decide)->operator.keep_raw_mail;
	p->most = decide_plan(l->decide)->operator.keep_raw_mail_size;
	if (store_submit(decide_store(l->decide), &p->job, STORE_NORMAL) < 0) {
		free(p);
		timer_set(l->pruning, PRUNE_EVERY);
		return;
	}
	l->prune = p;
}

size_t listen_conditions(const struct listen *l, struct mailbox_condition **out)
{
	struct mailbox_condition *all = xcalloc(l->count + l->lmtp_count + 1, sizeof(*all));
	const struct operator_config *o = &decide_plan(l->decide)->operator;
	size_t boxes = 0, count = 0;

	for (size_t i = 0; i < o->mailbox_count; i++) {
		if (o->mailboxes[i].kind == MAILBOX_LMTP && i < l->lmtp_count && l->lmtps[i])
			all[count++] = (struct mailbox_condition){ .config = &o->mailboxes[i], .state = MAILBOX_LISTENS, .kind = "", .problem = "" };
		else if (o->mailboxes[i].kind != MAILBOX_LMTP && boxes < l->count)
			mailbox_tell(l->boxes[boxes++], &all[count++]);
	}
	*out = all;
	return count;
}

/* --- as a part of the daemon ---------------------------------------------------------------------------- */

int listen_start(struct loop *loop, struct decide *decide, struct listen **out, struct err *err)
{
	struct listen *l = xcalloc(1, sizeof(*l));

	l->loop = loop;
	l->decide = decide;
	l->program = intake_program_find();
	l->reception = reception_new(loop, decide, decide_plan(decide), l->program);
	if (listen_reload(l, err) < 0) {
		listen_stop(&l);
		return -1;
	}
	l->pruning = timer_new(loop, prune, l);
	timer_set(l->pruning, 0);
	*out = l;
	return 0;
}

int listen_take(struct listen *l, const char *sender, const char *recipient, const char *data, size_t n, int64_t size, listen_taken *done,
	void *arg)
{
	struct buf raw = BUF_INIT;
	int rc;

	reception_envelope(&raw, sender, recipient);
	buf_add(&raw, data, n);
	rc = reception_take(l->reception, "pipe", &raw, size, done, arg);
	buf_clear(&raw);
	return rc;
}

int listen_reread(struct listen *l, int64_t mail, json_t *said, bool dry, listen_reread_done *done, void *arg)
{
	return reread_submit(l->decide, mail, said, dry, done, arg);
}

void listen_stop(struct listen **l)
{
	if (!*l)
		return;
	for (size_t i = 0; i < (*l)->count; i++)
		mailbox_free(&(*l)->boxes[i]);
	stop_lmtps((*l)->lmtps, (*l)->lmtp_count);
	reception_free(&(*l)->reception);
	if ((*l)->prune)
		(*l)->prune->listen = NULL;
	timer_free(&(*l)->pruning);
	free((*l)->boxes);
	free((*l)->program);
	free(*l);
	*l = NULL;
}
