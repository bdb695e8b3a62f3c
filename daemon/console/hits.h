/*
 * hits.h: all hits are judged again, through the console. Loop thread.
 */
#ifndef CONSOLE_HITS_H
#define CONSOLE_HITS_H

struct decide;
struct http_request;

/* POST {"since": TIME}: mails with hits since then, or all. Answers when it is through: how many were judged, and what changed. */
void hits_rescore(struct decide *decide, struct http_request *r);

#endif
