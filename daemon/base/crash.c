/*
 * crash.c: see crash.h. Nothing is here unless the build asks for crash points.
 */
#ifdef NURTURED_CRASH

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/crash.h"

static _Atomic long passed;

void crash_point(const char *name)
{
	const char *wish = getenv("NURTURED_CRASH");
	size_t len = strlen(name);
	long nth = 1;

	if (!wish || strncmp(wish, name, len) != 0 || (wish[len] != ':' && wish[len] != '\0'))
		return;
	if (wish[len] == ':')
		nth = strtol(wish + len + 1, NULL, 10);
	if (atomic_fetch_add(&passed, 1) + 1 == nth)
		raise(SIGKILL);
}

#endif
