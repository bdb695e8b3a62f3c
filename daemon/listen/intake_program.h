/*
 * intake_program.h: nurtured-intake as a program: where it is, and how it is started. Any thread.
 */
#ifndef LISTEN_INTAKE_PROGRAM_H
#define LISTEN_INTAKE_PROGRAM_H

#include <jansson.h>
#include <sys/types.h>

struct plan;

/* Beside our own program, as they are built, or in ../sbin, as they are installed; the first where neither is. free() it. */
char *intake_program_find(void);

/* Started with that socket as fd 3 (frame.h), nothing of our environment, and signals as if we had touched none. 0 or an errno. */
int intake_program_start(const char *program, int fd, pid_t *pid_out);

/* What of the plan bears on how a mail is read, as members of the `configure` frame. A new reference. */
json_t *intake_setting(const struct plan *plan);

#endif
