/*
 * handoff.h: alerts out to sales, CRM and chat, by Standard Webhooks 1.0. Loop thread.
 *
 * Claims the alerts that are due, at most 8 at a time, POSTs each with its id, time and signature, and
 * records what came of it. At least once: an alert is `delivered` when a 2xx has been committed; what was
 * under way when the process ended goes out again under the same webhook-id, by which the receiver drops
 * repeats. Nothing is followed, and no private address is connected to unless operator.allow_private
 * names it.
 */
#ifndef HANDOFF_HANDOFF_H
#define HANDOFF_HANDOFF_H

#include <stddef.h>

#include "base/err.h"

struct decide;
struct handoff;
struct loop;

/* Becomes the listener of LANE_ALERT. curl_global_init() is the caller's. */
int handoff_start(struct loop *loop, struct decide *decide, struct handoff **out, struct err *err) MUSTCHECK;

/* Claims nothing more; what is under way goes on. */
void handoff_drain(struct handoff *h);
/*
 * Alerts that are under way or whose outcome is not committed yet: 0 when a drained one may be stopped
 * without a repeat.
 */
size_t handoff_busy(const struct handoff *h);

/* Before decide_stop(). Cuts what is under way: it goes out again after the next start. */
void handoff_stop(struct handoff **h);

#endif
