/*
 * sns.h: the certificates by which Amazon SNS signs, fetched once and kept, and confirmations of subscriptions. Loop thread.
 */
#ifndef INGEST_SNS_H
#define INGEST_SNS_H

#include "base/buf.h"
#include "base/err.h"

struct loop;
struct sns;

struct sns *sns_new(struct loop *loop);
/* Those who still wait are told that there is none. */
void sns_free(struct sns **sns);

/*
 * The certificate at an address that sign_sns_url() let pass. `done` is called once, from the loop, never from inside this call; `pem` is
 * borrowed for the call, empty if it cannot be had (`why` says so). -1 when too many wait already.
 */
int sns_certificate(struct sns *sns, const char *url, const char *ca_file, void (*done)(void *arg, struct slice pem, const char *why), void *arg);
/* Says yes to a subscription; only logged how it went. */
void sns_confirm(struct sns *sns, const char *url, const char *topic, const char *ca_file);

#endif
