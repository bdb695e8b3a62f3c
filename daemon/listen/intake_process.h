/*
 * intake_process.h: one nurtured-intake that runs, and the daemon's end of its socket (listen/frame.h). Loop thread.
 *
 * Its end comes twice: as a closed socket, behind all that it said, and as a dead process. The second to come is told. One that closes its
 * socket and does not end is killed.
 */
#ifndef LISTEN_INTAKE_PROCESS_H
#define LISTEN_INTAKE_PROCESS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct buf;
struct intake_process;
struct loop;

struct intake_calls {
	/* A frame that it sent, and the bytes behind it (`mail`); both are borrowed, but the bytes may be taken by leaving BUF_INIT. May call intake_process_kill(), not _free(). */
	void (*frame)(void *ctx, json_t *message, struct buf *bytes);
	/* It sent what is no frame, and is being killed. */
	void (*broken)(void *ctx, const char *why);
	/* It is over: by a signal, or with a status. The callee frees it. */
	void (*ended)(void *ctx, bool killed, int status);
};

/* `calls` and ctx are borrowed for life. 0, or an errno. */
int intake_process_start(struct loop *loop, const char *program, const struct intake_calls *calls, void *ctx, struct intake_process **out);

/* Takes the message. Nothing happens where the socket is closed already. -1: that is no frame. */
int intake_process_say(struct intake_process *p, json_t *message);
/* Bytes behind a frame, copied. */
void intake_process_bytes(struct intake_process *p, const void *data, size_t n);

/* Ends it at once, whatever it does: it holds nothing that could be lost. `ended` comes later. */
void intake_process_kill(struct intake_process *p);

/* Ends it, waits for that, and tells nobody. */
void intake_process_free(struct intake_process **p);

#endif
