/*
 * listen.c: the mailboxes of the plan in force (mailbox.c says what one does), and the bytes of old mail,
 * which are kept as long as the operator says and no longer.
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
#include "mailbox.h"

#define PRUNE_EVERY US_HOUR

struct prune {
	struct store_job job;
	struct listen *listen;		/* NULL: stopped meanwhile */
	int64_t before;
};

struct listen {
	struct loop *loop;
	struct decide *decide;
	char *program;
	struct mailbox **boxes;
	size_t count;
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

int listen_reload(struct listen *l, struct err *err)
{
	struct plan *plan = decide_plan(l->decide);
	size_t count = plan->operator.mailbox_count;
	struct mailbox **boxes;

	if (program_is_there(l, plan, err) < 0)
		return -1;
	boxes = xcalloc(count + 1, sizeof(struct mailbox *));
	for (size_t i = 0; i < count; i++)
		boxes[i] = keep(l->boxes, l->count, plan, &plan->operator.mailboxes[i]);
	for (size_t i = 0; i < l->count; i++)	/* before others of the same name begin */
		mailbox_free(&l->boxes[i]);
	for (size_t i = 0; i < count; i++)
		if (boxes[i])
			mailbox_look(boxes[i]);
		else
			boxes[i] = mailbox_new(
				l->loop, l->decide, plan, &plan->operator.mailboxes[i], l->program);
	free(l->boxes);
	l->boxes = boxes;
	l->count = count;
	return 0;
}

/* --- old mail ------------------------------------------------------------------------------------------- */

static int prune_run(struct store_job *job, struct db *db, struct err *err)
{
	return inbound_prune(db, ((struct prune *)job)->before, err);
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
	if (store_submit(decide_store(l->decide), &p->job, STORE_NORMAL) < 0) {
		free(p);
		timer_set(l->pruning, PRUNE_EVERY);
		return;
	}
	l->prune = p;
}

/* --- as a part of the daemon ---------------------------------------------------------------------------- */

int listen_start(struct loop *loop, struct decide *decide, struct listen **out, struct err *err)
{
	struct listen *l = xcalloc(1, sizeof(*l));

	l->loop = loop;
	l->decide = decide;
	l->program = intake_program_find();
	if (listen_reload(l, err) < 0) {
		listen_stop(&l);
		return -1;
	}
	l->pruning = timer_new(loop, prune, l);
	timer_set(l->pruning, 0);
	*out = l;
	return 0;
}

void listen_stop(struct listen **l)
{
	if (!*l)
		return;
	for (size_t i = 0; i < (*l)->count; i++)
		mailbox_free(&(*l)->boxes[i]);
	if ((*l)->prune)
		(*l)->prune->listen = NULL;
	timer_free(&(*l)->pruning);
	free((*l)->boxes);
	free((*l)->program);
	free(*l);
	*l = NULL;
}
