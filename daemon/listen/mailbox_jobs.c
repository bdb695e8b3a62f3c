/* mailbox_jobs.c: see mailbox_jobs.h. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#include "mailbox_jobs.h"

/* --- before a start ------------------------------------------------------------------------------------- */

struct look_up {
	struct store_job job;
	const char *name;
	void (*done)(void *ctx, const struct mailbox_memory *memory, const char *why);
	void *ctx;
	struct arena *arena;
	struct mailbox_memory memory;
};

static int look_up_run(struct store_job *job, struct db *db, struct err *err)
{
	struct look_up *l = (struct look_up *)job;

	return mailboxes_get(db, l->name, &l->memory.watermark, err) < 0 ||
			mailboxes_remembered(db, l->name, l->arena, &l->memory.mails, &l->memory.count, err) < 0 ? -1 : 0;
}

static void look_up_done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct look_up *l = (struct look_up *)job;

	l->done(l->ctx, result == STORE_COMMITTED ? &l->memory : NULL, err->text);
	arena_free(&l->arena);
	free(l);
}

int mailbox_look_up(struct store *store, const char *name, void (*done)(void *ctx, const struct mailbox_memory *memory, const char *why), void *ctx)
{
	struct look_up *l = xcalloc(1, sizeof(*l));

	l->job = (struct store_job){ .run = look_up_run, .done = look_up_done };
	l->name = name;
	l->done = done;
	l->ctx = ctx;
	l->arena = arena_new(0);
	if (store_submit(store, &l->job, STORE_NORMAL) == 0)
		return 0;
	arena_free(&l->arena);
	free(l);
	return -1;
}

/* --- told ----------------------------------------------------------------------------------------------- */

struct note {
	struct store_job job;
	char *name, *text;
	int64_t at;
};

static void note_free(struct note *n)
{
	free(n->name);
	free(n->text);
	free(n);
}

static void note_done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct note *n = (struct note *)job;

	if (result != STORE_COMMITTED)
		log_warn("mailbox.note", L_STR("mailbox", n->name), L_STR("what", n->text), L_STR("why", err->text));
	note_free(n);
}

static void submit(struct store *store, int (*run)(struct store_job *job, struct db *db, struct err *err), const char *name, const char *text)
{
	struct note *n = xcalloc(1, sizeof(*n));

	n->job = (struct store_job){ .run = run, .done = note_done };
	n->name = xstrdup(name);
	n->text = xstrdup(text);
	n->at = clock_now();
	if (store_submit(store, &n->job, STORE_NORMAL) < 0)
		note_free(n);
}

static int forget_run(struct store_job *job, struct db *db, struct err *err)
{
	struct note *n = (struct note *)job;

	return mailboxes_forget(db, n->name, n->text, err);
}

void mailbox_forget(struct store *store, const char *name, const char *key)
{
	submit(store, forget_run, name, key);
}

static int alarm_run(struct store_job *job, struct db *db, struct err *err)
{
	struct note *n = (struct note *)job;

	return alarms_raise(db, "mailbox", n->text, n->name, n->at, err);
}

void mailbox_alarm(struct store *store, const char *name, const char *what)
{
	submit(store, alarm_run, name, what);
}
