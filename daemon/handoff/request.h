/*
 * request.h: one attempt: one signed POST, and what was answered. Loop thread.
 */
#ifndef HANDOFF_REQUEST_H
#define HANDOFF_REQUEST_H

#include <stdint.h>

#include "base/err.h"

struct request;
struct transfer_pool;

struct request_wish {
	const char *url;			/* http or https */
	const char *id;				/* webhook-id */
	const char *body;			/* JSON */
	const char *secret;			/* whsec_..., or NULL: not signed */
	int64_t at;				/* webhook-timestamp, in microseconds */
	const char *const *allow_private;	/* as guard_allows(); borrowed until the end */
};

struct request_answer {
	int code;		/* HTTP status, 0 if no answer came */
	int64_t retry_after;	/* Retry-After (RFC 9110 10.2.3) in microseconds from now; 0: none */
	char error[ERR_TEXT];	/* "" on 2xx; else the status with the first words of the answer, or why there was none */
};

/*
 * Copies what it needs but allow_private. done is called once, from the loop, never from inside this
 * call, and is the place for request_free(). -1: the secret cannot be used, or the URL is none.
 */
int request_start(struct transfer_pool *pool, const struct request_wish *wish,
		void (*done)(void *arg, const struct request_answer *answer), void *arg,
		struct request **out, struct err *err) MUSTCHECK;
/* Cancels it if it is under way: done is not called then. */
void request_free(struct request **request);

#endif
