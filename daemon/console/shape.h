/*
 * shape.h: how fast whom is mailed, and the end of a pause: asked of the store thread, whose memory knows it. Loop thread.
 */
#ifndef CONSOLE_SHAPE_H
#define CONSOLE_SHAPE_H

struct decide;
struct http_request;

/* Answers later. `domain`: "" for all. */
void shape_show(struct decide *decide, struct http_request *r, const char *domain);
/* Body: {"name": "..."} */
void shape_post_resume(struct decide *decide, struct http_request *r);

#endif
