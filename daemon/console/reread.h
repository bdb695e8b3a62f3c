/*
 * reread.h: kept mails read again: which there are, and what a reading changes. Loop thread.
 */
#ifndef CONSOLE_REREAD_H
#define CONSOLE_REREAD_H

struct console_options;
struct decide;
struct http_request;

/* GET ?since=TIME&class=CLASS: [{mail, received}] of those whose bytes are kept, oldest first. */
void reread_list(struct decide *decide, struct http_request *r);

/* POST ?dry=1, a `mail` frame (listen/frame.h) with `received`: {mail, differs, was, is, prospect, does, stays}. `id`: inb_... */
void reread_post(const struct console_options *options, struct http_request *r, const char *id);

#endif
