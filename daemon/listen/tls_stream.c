/*
 * tls_stream.c: a mailstream_low_driver over a non-blocking socket and poll(). Each wait also watches the
 * daemon's socket, so that an intake whose daemon is gone does not sit out a server's silence. The end of a connection
 * is an error to libetpan, or it would parse an answer that was cut as one that is complete.
 */
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "tls_stream.h"

#define TRUST_BYTES (64 * 1024)	/* before anything is allowed: a greeting */

struct stream {
	int fd, control_fd;
	char *host, *cainfo;
	size_t allowed;			/* bytes that may still come */
	int64_t deadline;		/* clock_steady() of the whole exchange */
	bool quick, nothing;		/* do not wait; there was nothing to read */
	char why[160];			/* of the last failure */
	gnutls_session_t session;	/* NULL while in the clear */
	gnutls_certificate_credentials_t credentials;
};

/* -1, with why. */
static int lost(struct stream *st, const char *why)
{
	snprintf(st->why, sizeof(st->why), "%s", why);
	return -1;
}

/* 0, or -1 with errno and why: time is up, or the daemon is gone. */
static int wait_for(struct stream *st, short events)
{
	struct pollfd p[2] = { { .fd = st->fd, .events = events }, { .fd = st->control_fd, .events = 0 } };
	int64_t left = (st->deadline - clock_steady()) / 1000;
	int rc;

	if (left > TLS_STREAM_DEADLINE_MS)
		left = TLS_STREAM_DEADLINE_MS;
	do
		rc = poll(p, 2, left > 0 ? (int)left : 0);
	while (rc < 0 && errno == EINTR);
	if (rc > 0 && (p[1].revents & (POLLHUP | POLLERR))) {
		errno = ECANCELED;
		return lost(st, "nurtured has ended");
	}
	if (rc == 0)
		errno = ETIMEDOUT;
	return rc > 0 ? 0 : lost(st, rc == 0 ? "no answer in time" : strerror(errno));
}

/* --- the driver ----------------------------------------------------------------------------------------- */

static ssize_t read_some(struct stream *st, void *data, size_t n)
{
	for (;;) {
		ssize_t rc = st->session ? gnutls_record_recv(st->session, data, n) : recv(st->fd, data, n, 0);

		if (rc > 0)
			return rc;
		if (rc == 0 || rc == GNUTLS_E_PREMATURE_TERMINATION)
			return lost(st, "the server closed the connection");
		if (st->session ? rc != GNUTLS_E_AGAIN && rc != GNUTLS_E_INTERRUPTED : errno != EAGAIN && errno != EINTR)
			return lost(st, st->session ? gnutls_strerror((int)rc) : strerror(errno));
		st->nothing = st->quick;
		if (st->quick || wait_for(st, st->session && gnutls_record_get_direction(st->session) ? POLLOUT : POLLIN) < 0)
			return -1;
	}
}

static ssize_t stream_read(mailstream_low *low, void *data, size_t n)
{
	struct stream *st = low->data;
	ssize_t got;

	st->nothing = false;
	if (!st->allowed)
		return lost(st, "the server sends more than was asked for");
	got = read_some(st, data, n < st->allowed ? n : st->allowed);
	if (got > 0)
		st->allowed -= (size_t)got;
	return got;
}

static ssize_t stream_write(mailstream_low *low, const void *data, size_t n)
{
	struct stream *st = low->data;

	for (;;) {
		ssize_t rc = st->session ? gnutls_record_send(st->session, data, n) : send(st->fd, data, n, MSG_NOSIGNAL);

		if (rc >= 0)
			return rc;
		if (st->session ? rc != GNUTLS_E_AGAIN && rc != GNUTLS_E_INTERRUPTED : errno != EAGAIN && errno != EINTR)
			return lost(st, st->session ? gnutls_strerror((int)rc) : strerror(errno));
		if (wait_for(st, st->session && !gnutls_record_get_direction(st->session) ? POLLIN : POLLOUT) < 0)
			return -1;
	}
}

void tls_stream_allow(mailstream_low *low, size_t bytes, int64_t within)
{
	struct stream *st = low->data;

	st->allowed = bytes;
	st->deadline = clock_steady() + within;
	st->why[0] = '\0';
}

void tls_stream_quick(mailstream_low *low, bool quick)
{
	((struct stream *)low->data)->quick = quick;
}

bool tls_stream_nothing(mailstream_low *low)
{
	return ((struct stream *)low->data)->nothing;
}

const char *tls_stream_why(mailstream_low *low)
{
	const struct stream *st = low->data;

	return *st->why ? st->why : "connection lost";
}

static int stream_close(mailstream_low *low)
{
	struct stream *st = low->data;

	if (st->session)
		gnutls_bye(st->session, GNUTLS_SHUT_WR);
	if (st->fd >= 0)
		close(st->fd);
	st->fd = -1;
	return 0;
}

static int stream_fd(mailstream_low *low)
{
	const struct stream *st = low->data;

	return st->fd;
}

static void stream_free(struct stream *st)
{
	if (st->session)
		gnutls_deinit(st->session);
	if (st->credentials)
		gnutls_certificate_free_credentials(st->credentials);
	if (st->fd >= 0)
		close(st->fd);
	free(st->host);
	free(st->cainfo);
	free(st);
}

static void low_free(mailstream_low *low)
{
	stream_free(low->data);
	free(low);
}

static void low_cancel(mailstream_low *low)
{
	(void)low;	/* nobody cancels: there is one thread */
}

static struct mailstream_cancel *low_get_cancel(mailstream_low *low)
{
	(void)low;
	return NULL;
}

static mailstream_low_driver driver = {
	.mailstream_read = stream_read,
	.mailstream_write = stream_write,
	.mailstream_close = stream_close,
	.mailstream_get_fd = stream_fd,
	.mailstream_free = low_free,
	.mailstream_cancel = low_cancel,
	.mailstream_get_cancel = low_get_cancel,
};

/* --- connecting ----------------------------------------------------------------------------------------- */

/* A peer that is gone without a word is noticed within a minute and a half, whether we wait for it or write to it. */
static void keep_alive(int fd)
{
	int on = 1, idle = 60, interval = 10, count = 3, unanswered = 90000;

	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unanswered, sizeof(unanswered));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
}

static int try_address(struct stream *st, const struct addrinfo *ai)
{
	int problem = 0;
	socklen_t size = sizeof(problem);

	st->fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (st->fd < 0)
		return -1;
	if (connect(st->fd, ai->ai_addr, ai->ai_addrlen) == 0 ||
	    (errno == EINPROGRESS && wait_for(st, POLLOUT) == 0 &&
	     getsockopt(st->fd, SOL_SOCKET, SO_ERROR, &problem, &size) == 0 && problem == 0)) {
		keep_alive(st->fd);
		return 0;
	}
	if (problem)
		errno = problem;
	problem = errno;
	close(st->fd);
	st->fd = -1;
	errno = problem;
	return -1;
}

static int connect_to(struct stream *st, int port, struct err *err)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG }, *list = NULL;
	char service[8];
	int rc;

	snprintf(service, sizeof(service), "%d", port);
	rc = getaddrinfo(st->host, service, &hints, &list);
	if (rc != 0)
		return err_set(err, "cannot find %s: %s", st->host, gai_strerror(rc));
	errno = EHOSTUNREACH;
	rc = -1;
	for (const struct addrinfo *ai = list; ai && rc < 0; ai = ai->ai_next)
		rc = try_address(st, ai);
	freeaddrinfo(list);
	return rc < 0 ? err_set(err, "cannot connect to %s port %d: %s", st->host, port, strerror(errno)) : 0;
}

static bool is_ip(const char *host)
{
	struct in6_addr a;

	return inet_pton(AF_INET, host, &a) == 1 || inet_pton(AF_INET6, host, &a) == 1;
}

static int certificate_error(struct stream *st, struct err *err)
{
	gnutls_datum_t text = { NULL, 0 };
	unsigned int status = gnutls_session_get_verify_cert_status(st->session);

	if (gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &text, 0) < 0)
		return err_set(err, "%s: certificate refused (0x%x)", st->host, status);
	err_set(err, "%s: certificate refused: %s", st->host, (const char *)text.data);
	gnutls_free(text.data);
	return -1;
}

static int start_tls(struct stream *st, struct err *err)
{
	int rc;

	if (gnutls_certificate_allocate_credentials(&st->credentials) < 0 ||
	    gnutls_certificate_set_x509_trust_file(st->credentials, st->cainfo, GNUTLS_X509_FMT_PEM) <= 0)
		return err_set(err, "no trusted certificates in %s", st->cainfo);
	if (gnutls_init(&st->session, GNUTLS_CLIENT | GNUTLS_NONBLOCK) < 0 ||
		gnutls_set_default_priority(st->session) < 0 ||
		gnutls_credentials_set(st->session, GNUTLS_CRD_CERTIFICATE, st->credentials) < 0)
		return err_set(err, "TLS cannot be set up");
	if (!is_ip(st->host))
		gnutls_server_name_set(st->session, GNUTLS_NAME_DNS, st->host, strlen(st->host));
	gnutls_session_set_verify_cert(st->session, st->host, 0);
	gnutls_transport_set_int(st->session, st->fd);
	do {
		rc = gnutls_handshake(st->session);
		if ((rc == GNUTLS_E_AGAIN || rc == GNUTLS_E_INTERRUPTED) &&
		    wait_for(st, gnutls_record_get_direction(st->session) ? POLLOUT : POLLIN) < 0)
			return err_set(err, "TLS with %s: %s", st->host, strerror(errno));
	} while (rc < 0 && !gnutls_error_is_fatal(rc));
	if (rc == GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR)
		return certificate_error(st, err);
	return rc < 0 ? err_set(err, "TLS with %s: %s", st->host, gnutls_strerror(rc)) : 0;
}

int tls_stream_open(const struct tls_stream_config *config, mailstream_low **out, struct err *err)
{
	struct stream *st = xcalloc(1, sizeof(*st));

	st->fd = -1;
	st->control_fd = config->control_fd;
	st->allowed = TRUST_BYTES;
	st->deadline = clock_steady() + 2 * TLS_STREAM_DEADLINE_MS * INT64_C(1000);
	st->host = xstrdup(config->host);
	st->cainfo = xstrdup(config->cainfo);
	if (connect_to(st, config->port, err) < 0 || (config->tls && start_tls(st, err) < 0)) {
		stream_free(st);
		return -1;
	}
	*out = mailstream_low_new(st, &driver);
	if (!*out) {
		stream_free(st);
		return err_set(err, "out of memory");
	}
	return 0;
}

int tls_stream_upgrade(mailstream_low *low, struct err *err)
{
	return start_tls(low->data, err);
}
