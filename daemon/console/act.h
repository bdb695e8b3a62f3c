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

/* http_rest(): {id}/again or {id}/sent, of a mail in doubt; 409 of others */
void act_doubt(struct decide *decide, struct http_request *r);

/* who: id or address. Answers when they are suppressed and all that was kept about them is gone; 409 while a mail is with the relay. */
void act_erase(struct decide *decide, struct http_request *r, const char *who);

#endif
