/*
 * snapshot.h: copies of the database for who simulates: `nurturectl simulate --population`. Loop thread.
 *
 * One at a time, made on the reader thread, so that nobody waits for it but those who look. It lies in the state folder, readable by who may
 * read that, and goes when it is asked to, ten minutes later, when the next one is made, and when the daemon starts or stops.
 */
#ifndef CONSOLE_SNAPSHOT_H
#define CONSOLE_SNAPSHOT_H

struct decide;
struct http_request;
struct loop;
struct snapshot;

struct snapshot *snapshot_new(struct loop *loop, struct decide *decide);
void snapshot_free(struct snapshot **snapshot);

/* 200 {"path": P}; 409 while one is being made; 507 where it would not fit on the disk. */
void snapshot_make(struct snapshot *s, struct http_request *r);
/* 200, also when there was none. */
void snapshot_remove(struct snapshot *s, struct http_request *r);

#endif
