/*
 * bearer.h: an access token of OAuth 2.0 (RFC 6750), as another program keeps or makes it: out of a file, or off the output of a command. It is
 * fetched anew for each login, so that nothing here knows when it runs out. Loop thread.
 */
#ifndef LISTEN_BEARER_H
#define LISTEN_BEARER_H

struct bearer;
struct loop;
struct mailbox_config;

/* The token, the callee's for the call; or NULL and why. Never within bearer_fetch(). */
typedef void bearer_done(void *ctx, const char *token, const char *why);

/* By token_file or token_command of the config, which is borrowed for life. A command gets half a minute and its own group of processes. */
struct bearer *bearer_fetch(struct loop *loop, const struct mailbox_config *config, bearer_done *done, void *ctx);

/* A command that runs is ended, and `done` is not told. To be called behind `done` too. */
void bearer_free(struct bearer **bearer);

#endif
