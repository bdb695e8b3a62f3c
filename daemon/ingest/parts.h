/*
 * parts.h: what the files of ingest/ share: the listener, a request that waits for the store, pages, and
 * who may post from where. Loop thread.
 *
 * A handler puts what it read into a struct that begins with `struct call`, in the request's arena, and
 * gives it to the store. The completion copies the call (with the reply the arena is gone), replies, and
 * ends the copy.
 */
#ifndef INGEST_PARTS_H
#define INGEST_PARTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/http.h"
#include "config/plan.h"
#include "decide/facts.h"
#include "ingest/ingest.h"
#include "language/value.h"
#include "store/store.h"

#include "body.h"
#include "book.h"
#include "rates.h"

#define KEY_MAX 255	/* of an Idempotency-Key or messageId */
#define AGENT_MAX 300

struct ingest {
	struct loop *loop;
	struct decide *decide;
	struct store *store;
	const struct token_ring *ring;
	struct http *http;
	struct plan *plan;	/* a reference */
	struct rates *rates;
	struct sns *sns;
	struct book *book;	/* hits that were answered */
	size_t calls;		/* with the store: the last one frees a stopped ingest */
	bool stopped;
};

/* --- ingest.c -------------------------------------------------------------------------------- */

/* The plan in force; valid during the handler, or as long as a call. */
struct plan *ingest_plan(struct ingest *in);

struct call {
	struct store_job job;	/* first */
	struct ingest *in;
	struct http_request *r;	/* NULL: answered already */
	struct plan *plan;	/* a reference */
};

/* `size` zeroed bytes in the request's arena that begin with a call. */
void *call_new(struct ingest *in, struct http_request *r, size_t size);
/*
 * Gives it to the store. When that takes no more, answers 503 and ends the call: it must not be touched any
 * more.
 */
void call_write(struct call *call, enum store_priority priority);
void call_read(struct call *call);
/* Was it committed? If not, logs, answers 500 or 503 and ends the call. */
bool call_done(struct call *call, enum store_result result, const struct err *err);
void call_end(struct call *call);

/* --- routes.c -------------------------------------------------------------------------------- */

extern const struct http_route ingest_routes[];

/* --- pages.c --------------------------------------------------------------------------------- */

struct page;

/* The plan must live until page_send(). Sets company, postal_address, home_url and title. */
struct page *page_new(struct http_request *r, const struct plan *plan, const char *name, const char *title);
/* The version of the page for that language, where there is one; before page_send(). */
void page_in(struct page *page, const char *language);
/* A name of plan->page_names; the value's memory must last until page_send(). */
void page_set(struct page *page, const char *name, struct value v);
/*
 * The page posts, and the answer may send the browser to `url`: its origin joins form-action of the policy.
 */
void page_posts_to(struct page *page, const char *url);
void page_send(struct page *page, int status);
/* An answer that is no success: pages/error for browsers, a problem document for programs. */
void page_problem(
	struct http_request *r, const struct plan *plan, int status, const char *title, const char *message);
/* 503 with Retry-After. */
void page_busy(struct http_request *r, const struct plan *plan);

/* --- origins.c ------------------------------------------------------------------------------- */

/*
 * May a page of the request's Origin post to this form (NULL: to any of the forms)? Sets the CORS headers
 * of the reply when it may. Requests without Origin, and from our own pages, may; so may all when there is
 * no allow_origin.
 */
bool origin_allowed(struct http_request *r, const struct plan *plan, const struct form *form);
/* Answers OPTIONS (the Fetch standard's preflight). */
void origin_preflight(struct http_request *r, const struct plan *plan, const struct form *form);
/* Does the URL lead to a host that allow_redirect names, or to our own? http and https only. */
bool origin_redirect_allowed(const struct plan *plan, const char *url);
/* Is it a site that may post to one of our forms, or that we may redirect to: one where nurture.js runs? */
bool origin_is_site(const struct plan *plan, const char *url);

/* --- reading.c: what every handler reads ----------------------------------------------------- */

/* The token that http_rest() is, without `suffix`. */
int read_token(struct ingest *in, struct http_request *r, enum token_kind kind, const char *suffix,
	int64_t now, struct token *out, struct err *err) MUSTCHECK;
/*
 * User-Agent and the like: valid UTF-8 without controls, cut at `max`; "" if it is not there. In the arena.
 */
const char *read_header(struct http_request *r, const char *name, size_t max);
const char *read_text(struct arena *arena, const char *s, size_t max);
/* The body as pairs; answers 400 or 415 itself and returns -1. */
int read_body(struct http_request *r, const struct plan *plan, struct body *out) MUSTCHECK;
/* 1 a good Idempotency-Key, in *out; 0 none; -1 answered 400. */
int read_key(struct http_request *r, const char **out) MUSTCHECK;
enum caller { CALLER_NONE, CALLER_KNOWN, CALLER_WRONG };
/*
 * Is it the website's server? By the API key, as a bearer or as the user of basic authentication, or by a signature of Standard Webhooks over
 * the body. Compared in constant time. NONE: it does not say so.
 */
enum caller read_caller(struct http_request *r, const struct plan *plan);
/* Answers 401 or 403. */
void refuse_caller(struct http_request *r, const struct plan *plan);
/* `"errors":[{"field":...,"message":...},...]` grows in `b` for http_problem(). */
void add_field_error(struct buf *b, const char *field, const char *message);

/* --- field_value.c --------------------------------------------------------------------------- */

/* The value as it is kept, "" for none; NULL with what is wrong with it ("is not a number"). */
const char *field_value(struct arena *arena, enum value_type type, const char *value, const char **wrong_out);
/* The primary subtag of a BCP 47 tag or of the first in an Accept-Language list: "de" of "de-AT,de;q=0.9"; "" if it is none. */
const char *field_language(struct arena *arena, const char *s);

/* --- the handlers ---------------------------------------------------------------------------- */

void form_post(void *ctx, struct http_request *r);		/* forms.c */
void signup_page(void *ctx, struct http_request *r);		/* signup_page.c */
void signup_home(void *ctx, struct http_request *r);
/* The form as a page again, with what was wrong. `values` and `errors` by name; NULL the first time. */
void signup_page_send(struct http_request *r, const struct plan *plan, const struct form *form, int status,
	const char *message, const struct body *values, const struct body *errors);
void track_post(void *ctx, struct http_request *r);		/* behaviour.c */
void page_post(void *ctx, struct http_request *r);
void identify_post(void *ctx, struct http_request *r);
void batch_post(void *ctx, struct http_request *r);
void open_get(void *ctx, struct http_request *r);		/* links.c */
void click_get(void *ctx, struct http_request *r);
/* A look at the page to unsubscribe: it says something of the clicks around it. */
void unsubscribe_seen(struct ingest *in, struct http_request *r, const struct token *token, int64_t now);
void download_any(void *ctx, struct http_request *r);		/* downloads.c */
void unsubscribe_any(void *ctx, struct http_request *r);	/* consent.c */
void confirm_any(void *ctx, struct http_request *r);
void preferences_any(void *ctx, struct http_request *r);	/* preferences.c */
/* a***@example.com: enough for the person to know it, not for whoever was sent the link. */
const char *masked_address(struct arena *arena, const char *address);
void sales_any(void *ctx, struct http_request *r);		/* sales.c */
void outcome_post(void *ctx, struct http_request *r);
void esp_post(void *ctx, struct http_request *r);		/* esp.c */
void script_get(void *ctx, struct http_request *r);		/* script.c */

#endif
