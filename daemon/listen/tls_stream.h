/*
 * tls_stream.h: a TCP connection for libetpan, with TLS that verifies (GnuTLS) and deadlines, instead of
 * libetpan's own, which verifies nothing, sends no name and dies of a descriptor above 1023. The intake
 * process; blocks.
 */
#ifndef LISTEN_TLS_STREAM_H
#define LISTEN_TLS_STREAM_H

#include <libetpan/mailstream.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define TLS_STREAM_DEADLINE_MS 30000	/* of connecting, and of each read and write */

struct tls_stream_config {
	const char *host;
	int port;
	bool tls;		/* from the first byte; else by tls_stream_upgrade() */
	const char *cainfo;	/* file of trusted certificates */
	int control_fd;		/* when its other end closes, waiting ends; -1: none */
};

/* Resolves, connects, and with TLS shakes hands and checks chain and host name. The config is copied. */
int tls_stream_open(const struct tls_stream_config *config, mailstream_low **out, struct err *err) MUSTCHECK;

/*
 * What may come in answer to the next command: so many bytes, within so many microseconds in all. More, or later, is an error: a server that
 * floods, or trickles, ends its connection.
 */
void tls_stream_allow(mailstream_low *low, size_t bytes, int64_t within);

/* While `quick`, a read that would wait fails; tls_stream_nothing() then tells that from a lost connection. */
void tls_stream_quick(mailstream_low *low, bool quick);
bool tls_stream_nothing(mailstream_low *low);

/* Why the last read or write failed, in words; the stream's own. */
const char *tls_stream_why(mailstream_low *low);

/* After a STARTTLS command that was accepted. */
int tls_stream_upgrade(mailstream_low *low, struct err *err) MUSTCHECK;

#endif
