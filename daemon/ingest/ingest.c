/*
 * ingest.c: starting and stopping, and calls: requests that wait for the store.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"

#include "parts.h"
#include "sns.h"

#define RATE_SLOTS 65536	/* 1 MiB */
#define LARGE_BODY (1024 * 1024)	/* of a mail service's report */

METRIC(refused, COUNTER, "nurtured_http_busy_total", "",
	"Requests answered 503 because the store takes no more.");

struct plan *ingest_plan(struct ingest *in)
{
	struct plan *now = decide_plan(in->decide);

	if (now != in->plan) {
		book_forget_urls(in->book);	/* what is joined to them may be another */
		plan_unref(&in->plan);
		in->plan = plan_ref(now);
	}
	return in->plan;
}

static void call_init(struct call *call, struct ingest *in, struct http_request *r)
{
	call->in = in;
	call->r = r;
	call->plan = plan_ref(ingest_plan(in));
	in->calls++;
}

void *call_new(struct ingest *in, struct http_request *r, size_t size)
{
	struct call *call = arena_calloc(http_arena(r), 1, size);

	call_init(call, in, r);
	return call;
}

static void ingest_free(struct ingest *in)
{
	plan_unref(&in->plan);
	rates_free(&in->rates);
	free(in);
}

void call_end(struct call *call)
{
	struct ingest *in = call->in;

	plan_unref(&call->plan);
	if (--in->calls == 0 && in->stopped)
		ingest_free(in);
}

static void busy(struct call *call_)
{
	struct call call = *call_;

	metric_add(&metric_refused, 1);
	page_busy(call.r, call.plan);
	call_end(&call);
}

void call_write(struct call *call, enum store_priority priority)
{
	if (store_submit(call->in->store, &call->job, priority) < 0)
		busy(call);
}

void call_read(struct call *call)
{
	if (store_read(call->in->store, &call->job) < 0)
		busy(call);
}

bool call_done(struct call *call, enum store_result result, const struct err *err)
{
	switch (result) {
	case STORE_COMMITTED:
		return true;
	case STORE_REFUSED:
		log_error("ingest.refused", L_STR("error", err->text));
		page_problem(call->r, call->plan, 500, "Something went wrong",
			"It is our fault; nothing was changed. Please try again later.");
		break;
	case STORE_FAILED:
		metric_add(&metric_refused, 1);
		page_busy(call->r, call->plan);
		break;
	}
	call_end(call);
	return false;
}

int ingest_start(struct loop *loop, struct decide *decide, struct ingest **out, struct err *err)
{
	struct ingest *in = xcalloc(1, sizeof(*in));
	const struct listen_config *listen;
	struct http_options options = { .routes = ingest_routes, .ctx = in };

	in->loop = loop;
	in->decide = decide;
	in->store = decide_store(decide);
	in->ring = decide_ring(decide);
	in->plan = plan_ref(decide_plan(decide));
	in->rates = rates_new(RATE_SLOTS);
	in->sns = sns_new(loop);
	in->book = book_new(loop, decide);
	listen = &in->plan->operator.listen;
	options.max_body = listen->max_body;
	options.max_connections = listen->max_connections;
	options.request_timeout = listen->request_timeout;
	options.trusted_proxies = listen->trusted_proxies;
	if (in->plan->operator.esp_count > 0)
		options.max_large_body = LARGE_BODY;
	if (http_listen_tcp(loop, &options, listen->address, listen->port, &in->http, err) < 0) {
		sns_free(&in->sns);
		book_close(&in->book);
		ingest_free(in);
		return -1;
	}
	*out = in;
	return 0;
}

int ingest_port(const struct ingest *in)
{
	return http_port(in->http);
}

void ingest_drain(struct ingest *in)
{
	http_drain(in->http);
}

void ingest_stop(struct ingest **in_)
{
	struct ingest *in = *in_;

	if (!in)
		return;
	*in_ = NULL;
	http_close(&in->http);
	book_close(&in->book);
	in->stopped = true;
	in->calls++;	/* those that wait for a certificate end here: not the ingest with them */
	sns_free(&in->sns);
	in->calls--;
	if (in->calls == 0)
		ingest_free(in);
}
