/*
 * problems.h: what people are told who asked for something that is not there, or wrote a condition wrong. Loop thread.
 */
#ifndef CONSOLE_PROBLEMS_H
#define CONSOLE_PROBLEMS_H

struct expression_error;
struct http_request;
struct plan;

/* 404, with the name that is nearest. */
void problem_no_sequence(const struct plan *plan, const char *name, struct http_request *r);
/* 422, with `column` and `expression` for a caret below it. */
void problem_expression(const char *text, const struct expression_error *error, struct http_request *r);

#endif
