/*
 * sequences.h: what is asked about sequences through the console. Loop thread.
 */
#ifndef CONSOLE_SEQUENCES_H
#define CONSOLE_SEQUENCES_H

struct decide;
struct http_request;

/* One in full: 404 if the config in force has none of that name. */
void sequences_show(struct decide *decide, const char *name, struct http_request *r);

#endif
