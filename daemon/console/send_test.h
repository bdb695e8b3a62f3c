/*
 * send_test.h: a mail to somebody who wants to see it, by the real relay. Loop thread.
 */
#ifndef CONSOLE_SEND_TEST_H
#define CONSOLE_SEND_TEST_H

struct decide;
struct http_request;
struct loop;
struct send_tests;

struct send_tests *send_tests_new(struct loop *loop, struct decide *decide);
/* Those who wait for the relay are answered. */
void send_tests_free(struct send_tests **tests);

/*
 * POST {"to": ADDRESS, "prospect": ID|ADDRESS, "data": {...}}; the last two may be left out; with "probe": true in place of `to` it goes to
 * the reply address of its sender, which the answer names. Answers when the relay has said what becomes of it,
 * or after half a minute how it stands.
 */
void send_tests_post(struct send_tests *tests, const char *template, struct http_request *r);

#endif
