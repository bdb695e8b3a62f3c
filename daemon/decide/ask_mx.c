/*
 * ask_mx.c: from the gate, which misses where a domain's mail goes, to DNS and back into the store. Three jobs' work: the gate notes it (shape_mx.c);
 * after the commit the loop takes what was noted and asks; what was answered is written some at a time.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mx.h"

#include "decide.h"
#include "shape_parts.h"

#define HOLDS US_DAY
#define HOLDS_NOT US_HOUR		/* where nobody could tell */
#define GATHER (US_SECOND / 20)
#define ANSWERS_MOST 256

struct answer {
	char *domain, *host;
	int64_t until;
};

struct answers {
	struct store_job job;
	struct decide *d;
	struct answer rows[ANSWERS_MOST];
	size_t count;
};

struct ask_mx {
	struct mx *mx;
	char *resolver;			/* that mx asks; NULL: the system's */
	bool taking, again;
	struct answers *answers;	/* not with the store yet; NULL: none */
	struct timer *timer;
};

/* --- answers ------------------------------------------------------------------------------------------------------- */

static void answers_free(struct answers *a)
{
	size_t i;

	for (i = 0; a && i < a->count; i++) {
		free(a->rows[i].domain);
		free(a->rows[i].host);
	}
	free(a);
}

static int run_answers(struct store_job *job, struct db *db, struct err *err)
{
	struct answers *a = (struct answers *)job;
	size_t i;

	for (i = 0; i < a->count; i++) {
		struct mx_host host = { .domain = a->rows[i].domain, .host = a->rows[i].host, .until = a->rows[i].until };

		if (mx_hosts_put(db, &host, err))
			return -1;
		shape_learn(a->d->shape, &host);
	}
	return 0;
}

/* What could not be written is asked again by the next mail that needs it. */
static void answers_done(struct store_job *job, enum store_result result, const struct err *err)
{
	if (result != STORE_COMMITTED)
		log_warn("mx.not_kept", L_STR("why", err->text));
	answers_free((struct answers *)job);
}

static void put_answers(void *arg)
{
	struct decide *d = arg;
	struct answers *a = d->ask_mx->answers;

	d->ask_mx->answers = NULL;
	if (!a || d->stopping || store_submit(d->store, &a->job, STORE_NORMAL))
		answers_free(a);
}

static void answered(void *arg, const char *domain, const char *host)
{
	struct decide *d = arg;
	struct ask_mx *k = d->ask_mx;

	log_debug("mx.answered", L_STR("domain", domain), L_STR("host", host ? host : "?"));
	if (!k->answers) {
		k->answers = xcalloc(1, sizeof(*k->answers));
		k->answers->job = (struct store_job){ .run = run_answers, .done = answers_done };
		k->answers->d = d;
		timer_set(k->timer, GATHER);
	}
	k->answers->rows[k->answers->count++] = (struct answer){ .domain = xstrdup(domain), .host = xstrdup(host ? host : ""),
		.until = clock_now() + (host ? HOLDS : HOLDS_NOT) };
	if (k->answers->count == ANSWERS_MOST)
		put_answers(d);
}

/* --- questions ----------------------------------------------------------------------------------------------------- */

struct wanted {
	struct store_job job;
	struct decide *d;
	char *domains[MX_WANTED];
	size_t count;
};

static int run_wanted(struct store_job *job, struct db *db, struct err *err)
{
	struct wanted *w = (struct wanted *)job;

	if (!w->count)		/* of a run before: they are here already */
		w->count = shape_take_wanted(w->d->shape, w->domains);
	return 0;
}

static void take_wanted(void *arg);

static void wanted_done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct wanted *w = (struct wanted *)job;
	struct ask_mx *k = w->d->ask_mx;
	bool again = k->again;
	size_t i;

	k->taking = k->again = false;
	for (i = 0; i < w->count; i++) {
		if (k->mx && !w->d->stopping)
			mx_ask(k->mx, w->domains[i]);
		free(w->domains[i]);
	}
	if (again)
		take_wanted(w->d);
	free(w);
}

static void take_wanted(void *arg)
{
	struct decide *d = arg;
	struct wanted *w;

	if (d->stopping)
		return;
	if (d->ask_mx->taking) {
		d->ask_mx->again = true;
		return;
	}
	w = xcalloc(1, sizeof(*w));
	w->job = (struct store_job){ .run = run_wanted, .done = wanted_done };
	w->d = d;
	if (store_submit(d->store, &w->job, STORE_NORMAL))
		free(w);
	else
		d->ask_mx->taking = true;
}

/* --- life ---------------------------------------------------------------------------------------------------------- */

static void begin(struct decide *d, const char *resolver)
{
	struct ask_mx *k = d->ask_mx;
	struct err err = { "" };

	mx_free(&k->mx);
	free(k->resolver);
	k->resolver = resolver ? xstrdup(resolver) : NULL;
	if (mx_new(d->loop, resolver, answered, d, &err, &k->mx) < 0)
		log_warn("mx.no_resolver", L_STR("why", err.text), L_STR("do", "domains are mailed each at its own rate"));
}

void ask_mx_start(struct decide *d)
{
	d->ask_mx = xcalloc(1, sizeof(*d->ask_mx));
	d->ask_mx->timer = timer_new(d->loop, put_answers, d);
	begin(d, d->plan->operator.shape.resolver);
	if (d->ask_mx->mx)
		shape_on_wanted(d->shape, take_wanted, d);
}

void ask_mx_reload(struct decide *d)
{
	const char *resolver = d->plan->operator.shape.resolver, *before = d->ask_mx->resolver;

	if (!resolver != !before || (resolver && strcmp(resolver, before) != 0))
		begin(d, resolver);
}

void ask_mx_stop(struct decide *d)
{
	struct ask_mx *k = d->ask_mx;

	if (!k)
		return;
	mx_free(&k->mx);
	answers_free(k->answers);
	timer_free(&k->timer);
	free(k->resolver);
	free(k);
	d->ask_mx = NULL;
}
