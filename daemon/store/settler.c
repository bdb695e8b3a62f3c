/*
 * settler.c: waits for the disk behind a checkpoint, while the store thread goes on. A checkpoint moves thousands of scattered pages, and until the disk
 * has them tens of milliseconds pass, in which nobody would be answered.
 *
 * A sync that fails is no less fatal than one of the log: see syncer.c.
 */
#include <pthread.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

#include "inside.h"

struct settler {
	const struct driver *driver;
	struct connection *connection;
	pthread_t thread;

	pthread_mutex_t mutex;		/* for what follows */
	pthread_cond_t wake;
	enum { SETTLER_IDLE, SETTLER_ASKED, SETTLER_DONE } state;
	bool stopping;
};

static void settle(struct settler *s)
{
	struct err err;

	if (s->driver->settle(s->connection, &err) == 0)
		return;
	log_error("store.not_synced", L_STR("why", err.text),
			L_STR("do", "the disk does not keep what is written to it: nurtured ends, and begins again with what is there"));
	_exit(EX_IOERR);
}

static void *settler_main(void *arg)
{
	struct settler *s = arg;

	pthread_mutex_lock(&s->mutex);
	while (!s->stopping) {
		if (s->state != SETTLER_ASKED) {
			pthread_cond_wait(&s->wake, &s->mutex);
			continue;
		}
		pthread_mutex_unlock(&s->mutex);
		settle(s);
		pthread_mutex_lock(&s->mutex);
		s->state = SETTLER_DONE;
		pthread_cond_broadcast(&s->wake);
	}
	pthread_mutex_unlock(&s->mutex);
	return NULL;
}

int settler_start(struct db *db, struct settler **out, struct err *err)
{
	struct settler *s = xcalloc(1, sizeof(*s));

	s->driver = db->driver;
	s->connection = db->connection;
	pthread_mutex_init(&s->mutex, NULL);
	pthread_cond_init(&s->wake, NULL);
	if (pthread_create(&s->thread, NULL, settler_main, s) != 0) {
		free(s);
		return err_set(err, "cannot start the thread that settles checkpoints");
	}
	*out = s;
	return 0;
}

void settler_stop(struct settler **settler)
{
	struct settler *s = *settler;

	if (!s)
		return;
	settler_wait(s);
	pthread_mutex_lock(&s->mutex);
	s->stopping = true;
	pthread_cond_broadcast(&s->wake);
	pthread_mutex_unlock(&s->mutex);
	pthread_join(s->thread, NULL);
	pthread_cond_destroy(&s->wake);
	pthread_mutex_destroy(&s->mutex);
	free(s);
	*settler = NULL;
}

void settler_ask(struct settler *s)
{
	pthread_mutex_lock(&s->mutex);
	s->state = SETTLER_ASKED;
	pthread_cond_broadcast(&s->wake);
	pthread_mutex_unlock(&s->mutex);
}

/* With the mutex. What is done is told to the driver once, by the thread that writes. */
static void take_note(struct settler *s)
{
	if (s->state != SETTLER_DONE)
		return;
	s->driver->settled(s->connection);
	s->state = SETTLER_IDLE;
}

bool settler_busy(struct settler *s)
{
	bool busy;

	pthread_mutex_lock(&s->mutex);
	take_note(s);
	busy = s->state == SETTLER_ASKED;
	pthread_mutex_unlock(&s->mutex);
	return busy;
}

void settler_wait(struct settler *s)
{
	pthread_mutex_lock(&s->mutex);
	while (s->state == SETTLER_ASKED)
		pthread_cond_wait(&s->wake, &s->mutex);
	take_note(s);
	pthread_mutex_unlock(&s->mutex);
}
