/*
 * slices.c: see slices.h.
 */
#include <stdlib.h>

#include "base/http.h"
#include "base/mem.h"
#include "store/store.h"

#include "slices.h"

#define SLICE (50 * INT64_C(1000))

struct run {
	struct store_job job;
	struct store *store;
	const struct slices *how;
	void *work;
	struct http_request *request;
	int more;
};

static void run_free(struct run *r)
{
	r->how->free(r->work);
	free(r);
}

static int run_slice(struct store_job *job, struct db *db, struct err *err)
{
	struct run *r = (struct run *)job;

	r->more = r->how->go_on(r->work, db, SLICE, err);
	return r->more < 0 ? -1 : 0;
}

static void pass_on(struct run *r)
{
	if (store_read(r->store, &r->job) == 0)
		return;
	http_problem(r->request, 503, "too many look-ups wait; try again in a moment", NULL);
	run_free(r);
}

static void slice_done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct run *r = (struct run *)job;

	if (result == STORE_COMMITTED && r->more) {
		pass_on(r);
		return;
	}
	if (result == STORE_COMMITTED)
		r->how->answer(r->work, r->request);
	else
		http_problem(r->request, result == STORE_FAILED ? 503 : 400, err->text, NULL);
	run_free(r);
}

void slices_run(struct store *store, const struct slices *how, void *work, struct http_request *request)
{
	struct run *r = xcalloc(1, sizeof(*r));

	*r = (struct run){ .job = { .run = run_slice, .done = slice_done }, .store = store, .how = how, .work = work, .request = request };
	pass_on(r);
}
