/* reread.c: a reading that nurturectl had made of a kept mail, as a job of the store. See listen.h. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "decide/facts.h"
#include "listen/frame.h"
#include "listen/listen.h"

#include "mail_job.h"
#include "reread.h"

struct reread {
	struct store_job job;
	struct decide *decide;
	struct mail_job *read;
	int64_t mail;
	bool dry;
	struct mail_change change;
	listen_reread_done *done;
	void *arg;
};

static int reread_run(struct store_job *job, struct db *db, struct err *err)
{
	struct reread *r = (struct reread *)job;

	return on_reread(r->decide, db, r->mail, &r->read->fact, r->dry, &r->change, err);
}

static void reread_done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct reread *r = (struct reread *)job;

	r->done(r->arg, result == STORE_COMMITTED ? &r->change : NULL, err->text);
	mail_job_free(&r->read);
	free(r);
}

/* Tokens are judged as of when the mail came; what follows is of today. */
int reread_submit(struct decide *decide, int64_t mail, json_t *said, bool dry, listen_reread_done *done, void *arg)
{
	struct reread *r = xcalloc(1, sizeof(*r));
	struct err err;

	r->job = (struct store_job){ .run = reread_run, .done = reread_done };
	r->decide = decide;
	r->mail = mail;
	r->dry = dry;
	r->done = done;
	r->arg = arg;
	r->read = mail_job_new(decide, "", said, frame_integer(said, "received", clock_now()), &err);
	if (r->read) {
		r->read->fact.at = clock_now();
		if (store_submit(decide_store(decide), &r->job, STORE_NORMAL) == 0)
			return 0;
		mail_job_free(&r->read);
	}
	free(r);
	return -1;
}
