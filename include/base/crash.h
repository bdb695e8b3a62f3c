/*
 * crash.h: the places where the kill harness stops the process. Any thread.
 *
 * Only in builds with CRASH=1 (-DNURTURED_CRASH); elsewhere a crash point is no code at all. There the environment
 * variable NURTURED_CRASH="signup.after_commit_before_reply:3" raises SIGKILL when a thread passes that point for
 * the third time; without ":n" at the first. NURTURED_STALL="store.before_commit:20" makes every thread that passes there
 * wait 20 ms: a slow disk, say.
 */
#ifndef BASE_CRASH_H
#define BASE_CRASH_H

#ifdef NURTURED_CRASH
void crash_point(const char *name);
#define CRASH_POINT(name) crash_point(name)
#else
#define CRASH_POINT(name) ((void)0)
#endif

#endif
