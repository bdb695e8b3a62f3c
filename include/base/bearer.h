/*
 * bearer.h: an access token of OAuth 2.0 (RFC 6750), as another program keeps or makes it: out of a file, or off the output of a command. It is
 * fetched anew for each login, so that nothing here knows when it runs out. Loop thread.
 */
#ifndef BASE_BEARER_H
#define BASE_BEARER_H

struct bearer;
struct loop;

/* The token, the callee's for the call; or NULL and why. Never within bearer_fetch(). */
typedef void bearer_done(void *ctx, const char *token, const char *why);

/*
 * Out of a file, or, if that is NULL, from a command: path and arguments, up to NULL. Both are borrowed for life. A command has half a minute and a
 * group of processes of its own.
 */
struct bearer *bearer_fetch(struct loop *loop, const char *file, const char *const *command, bearer_done *done, void *ctx);

/* A command that runs is ended, and `done` is not told. To be called behind `done` too. */
void bearer_free(struct bearer **bearer);

#endif
