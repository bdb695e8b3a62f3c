/*
 * act.h: what people change through the console. Loop thread. Each answers the request after the commit.
 */
#ifndef CONSOLE_ACT_H
#define CONSOLE_ACT_H

#include <stdbool.h>

struct decide;
struct http_request;

/* Body: {"address": A, "reason": R}; R may be left out. */
void act_suppress(struct decide *decide, struct http_request *r, bool remove);

/* http_rest(): {id}/replay */
void act_replay(struct decide *decide, struct http_request *r);

#endif
