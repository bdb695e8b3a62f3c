/*
 * plans.h: what a reload would change: the config on disk against the one in force. Loop thread.
 */
#ifndef CONSOLE_PLANS_H
#define CONSOLE_PLANS_H

struct decide;
struct http_request;

/* Answers when it has been made, on the reader thread; 422 with every error of the config, as a reload has it. */
void plans_compare(struct decide *decide, const char *config, struct http_request *r);

#endif
