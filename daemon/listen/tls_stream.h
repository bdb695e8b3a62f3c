/*
 * tls_stream.h: a TCP connection for libetpan, with TLS that verifies (GnuTLS) and deadlines, instead of
 * libetpan's own, which verifies nothing, sends no name and dies of a descriptor above 1023. The intake
 * process; blocks.
 */
#ifndef LISTEN_TLS_STREAM_H
#define LISTEN_TLS_STREAM_H

#include <libetpan/mailstream.h>
#include <stdbool.h>

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

/* After a STARTTLS command that was accepted. */
int tls_stream_upgrade(mailstream_low *low, struct err *err) MUSTCHECK;

#endif
