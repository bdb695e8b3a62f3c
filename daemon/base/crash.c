/*
 * crash.c: see crash.h. Nothing is here unless the build asks for crash points.
 */
#ifdef NURTURED_CRASH

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/crash.h"

static _Atomic long passed;

/* The number behind the name if `wish` is of that name, 1 if there is none; 0 if it is of another. */
static long wished(const char *wish, const char *name)
{
	size_t len = strlen(name);

	if (!wish || strncmp(wish, name, len) != 0 || (wish[len] != ':' && wish[len] != '\0'))
		return 0;
	return wish[len] == ':' ? strtol(wish + len + 1, NULL, 10) : 1;
}

void crash_point(const char *name)
{
	long nth = wished(getenv("NURTURED_CRASH"), name), stall = wished(getenv("NURTURED_STALL"), name);

	if (stall > 0)
		usleep((useconds_t)stall * 1000);
	if (nth > 0 && atomic_fetch_add(&passed, 1) + 1 == nth)
		raise(SIGKILL);
}

#endif
