/*
 * ctl.h: what the files of nurturectl share.
 */
#ifndef CTL_H
#define CTL_H

#include "base/buf.h"
#include "base/err.h"
#include "console/command.h"

/* "nurturectl: text" on standard error. */
void ctl_complain(const char *text);
/* One request over the control socket; the HTTP status, or -1. body: POST, else NULL. */
int ctl_ask(const char *socket, const char *path, const char *body, struct buf *answer, struct err *err);
/* The same with a body of any type; NULL: GET. */
int ctl_post(const char *socket, const char *path, const char *type, const void *body, size_t len, struct buf *answer, struct err *err);

/* application/problem+json, for people: what is wrong, all the errors of a config, where in an expression. */
struct json_t;
void ctl_problem(const struct json_t *problem, int status);

/* One request, its JSON answer; NULL has complained, with *exit_out the exit status. */
struct json_t *ctl_answer(const struct command *c, const char *path, const char *body, int *exit_out);

/* The request of the verb's row, its answer printed; the exit status. */
int ctl_remote(const struct command *c);

/* `ingest`, `template send-test`, `sequence enroll`, `retry`, `sequence graph`, `reclassify`, `reply test`, `suppression list|import|export`, `doctor`, `simulate`: the exit status. */
int ctl_send_test(const struct command *c);
int ctl_enroll(const struct command *c);
int ctl_retry(const struct command *c);
int ctl_graph(const struct command *c);
int ctl_ingest(const struct command *c);
int ctl_reclassify(const struct command *c);
int ctl_reply(const struct command *c);
int ctl_suppression_list(const struct command *c);
int ctl_suppression_import(const struct command *c);
int ctl_suppression_export(const struct command *c);
int ctl_doctor(const struct command *c);
int ctl_simulate(const struct command *c);

/* `doctor --probe`: a mail of each sender that some sequence sends by, through the daemon and back; what came of it goes to the doctor. */
struct doctor;
struct plan;
void ctl_probe(const struct command *c, const struct plan *plan, int wait_s, struct doctor *doctor);

#endif
