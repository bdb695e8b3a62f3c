/*
 * transfer.h: libcurl's multi interface on the event loop: HTTP requests out, and SMTP connections that libcurl opens
 * (DNS, TCP, TLS with verification, STARTTLS, AUTH) and hands over. Loop thread.
 *
 * A pool is one multi handle. Name look-ups run in libcurl's resolver thread, so nothing here blocks. A kept connection
 * must be touched with curl_easy_recv() when it is handed over, or libcurl takes it for idle and closes it after 118 s.
 */
#ifndef BASE_TRANSFER_H
#define BASE_TRANSFER_H

#include <curl/curl.h>

#include "base/err.h"

struct loop;
struct transfer_pool;

/* curl_global_init() is the caller's (main). max_connections: CURLMOPT_MAX_TOTAL_CONNECTIONS, 0 for none. */
struct transfer_pool *transfer_pool_new(struct loop *loop, long max_connections);
/* Cancels what is under way without calling back. Transfers that were not given back yet still are to be. */
void transfer_pool_free(struct transfer_pool **pool);

/*
 * Runs an easy handle that the caller has set up. done(arg, code) is called once, from the loop, never from inside
 * this call; by then the handle has left the multi, unless `keep` says that it is a CURLOPT_CONNECT_ONLY one (it stays
 * until transfer_cancel(), as libcurl demands). The handle remains the caller's; CURLOPT_PRIVATE, NOSIGNAL and
 * QUICK_EXIT are taken.
 *
 * Each transfer is given back once by transfer_cancel(), whether it has ended or not. done() may do that, and start
 * or cancel others, and free the pool; libcurl's own callbacks (write, read, ...) may do none of it.
 */
struct transfer;
struct transfer *transfer_start(struct transfer_pool *pool, CURL *easy, int keep,
				void (*done)(void *arg, CURLcode code), void *arg);
/* Takes it out of the multi, with or without its having ended, and frees it; done is not called any more. */
void transfer_cancel(struct transfer **transfer);

#endif
