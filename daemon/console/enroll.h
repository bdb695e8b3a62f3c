/*
 * enroll.h: people are put into a sequence by hand, through the console. Loop thread.
 */
#ifndef CONSOLE_ENROLL_H
#define CONSOLE_ENROLL_H

struct decide;
struct enroll;
struct http_request;
struct loop;

struct enroll *enroll_new(struct loop *loop, struct decide *decide);
/* One that is under way stops with its next step. */
void enroll_free(struct enroll **enroll);

/*
 * POST {"where": EXPR, "dry": true}: who would enter, and why others would not. {"where": EXPR}: begins, and answers 202 with how far it has come;
 * 409 while another is under way.
 */
void enroll_post(struct enroll *enroll, const char *sequence, struct http_request *r);
/* GET: how far the latest one of this sequence has come; `?wait`: in a moment, or when it has ended. 404 if there was none since the start. */
void enroll_get(struct enroll *enroll, const char *sequence, struct http_request *r);

#endif
