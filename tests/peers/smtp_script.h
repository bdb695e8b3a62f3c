/*
 * smtp_script.h: an SMTP server that misbehaves as told: for tests/peers/smtp_peer.c and, in a thread, for unit tests.
 *
 * One thread accepts, each connection has its own and blocks. What it takes is kept in memory, in the order of the replies to the dots.
 */
#ifndef PEERS_SMTP_SCRIPT_H
#define PEERS_SMTP_SCRIPT_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"

enum smtp_point { AT_NOWHERE, AT_GREET, AT_EHLO, AT_MAIL, AT_RCPT, AT_DATA, AT_BODY, AT_DOT, SMTP_POINTS };

struct smtp_script {
	const char *say[SMTP_POINTS];	/* instead of the good reply at that point, CRLF added; 421 closes */
	enum smtp_point drop;		/* hangs up instead of replying there; AT_BODY: after some of it */
	enum smtp_point garbage;	/* says something that is not SMTP there */
	enum smtp_point partial;	/* hangs up in the midst of the good reply there */
	enum smtp_point early;		/* gives the good reply there, and one more that nobody asked for */
	int only;			/* these and hang_dot for so many messages (or greetings), then all is well; 0: for ever */
	bool no_pipelining, no_dsn;
	bool utf8;			/* offers SMTPUTF8, and holds to RFC 6531: without its parameter, no letters beyond ASCII */
	long size;			/* SIZE that is offered; 0: none */
	bool go_anyway;			/* 354 although the recipient was refused */
	size_t most;			/* connections at once, 421 to others; 0: any number */
	int hang_dot;			/* milliseconds before the reply to a dot; -1: for ever */
	int messages;			/* after so many says 421 and hangs up, as a server does with an idle client; 0: never */
	const char *certificate, *key;	/* PEM files: offers STARTTLS */
	bool tls_first;			/* smtps */
	bool lower_case;		/* offers `starttls` */
	const char *user, *password;	/* wants AUTH, PLAIN or LOGIN */
	bool only_login;		/* offers LOGIN alone */
	void (*got)(void *ctx, const char *from, const char *to, const char *data, size_t n);	/* before the reply; several threads, under the lock */
	void *ctx;
};

struct smtp_message {
	char from[320], to[320];
	bool utf8;			/* its MAIL had SMTPUTF8 and BODY=8BITMIME */
	char *data;			/* as it came, dots unstuffed, without the last */
	size_t len;
};

struct smtp_peer {
	struct smtp_script script;
	SSL_CTX *tls;
	int fd, port;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct smtp_message *taken;
	size_t count, cap;
	size_t dots;			/* final dots seen, whatever the reply was */
	size_t connections, open, resets, admitted;
	size_t body_bytes;		/* after 354, of all messages */
	int struck;			/* how often a failure was played */
	int fds[256];
	bool stopping;
};

struct smtp_session {
	struct smtp_peer *peer;
	int fd;
	SSL *ssl;
	char in[65536];
	size_t from, to;
	struct buf out;
	char sender[320], recipient[320];
	bool in_tls, authenticated, refused, utf8;
	bool rude;			/* hangs up without reading what is still coming */
	int messages;
	bool admitted;
};

/* --- bytes -------------------------------------------------------------------------------------------------------- */

static void smtp_flush(struct smtp_session *s)
{
	size_t done = 0;
	ssize_t n;

	while (done < s->out.len) {
		n = s->ssl ? SSL_write(s->ssl, s->out.data + done, (int)(s->out.len - done)) :
			send(s->fd, s->out.data + done, s->out.len - done, MSG_NOSIGNAL);
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	buf_reset(&s->out);
}

static bool smtp_fill(struct smtp_session *s)
{
	ssize_t n;

	smtp_flush(s);
	if (s->from > 0)
		memmove(s->in, s->in + s->from, s->to - s->from);
	s->to -= s->from;
	s->from = 0;
	if (s->to == sizeof(s->in))
		return false;
	n = s->ssl ? SSL_read(s->ssl, s->in + s->to, (int)(sizeof(s->in) - s->to)) : recv(s->fd, s->in + s->to, sizeof(s->in) - s->to, 0);
	if (n <= 0)
		return false;
	s->to += (size_t)n;
	return true;
}

/* One line without its end; false at the end of the connection. Replies are written when nothing is left to read: pipelining. */
static bool smtp_line(struct smtp_session *s, const char **line, size_t *n)
{
	size_t seen = 0;
	char *nl;

	while (!(nl = memchr(s->in + s->from + seen, '\n', s->to - s->from - seen))) {
		seen = s->to - s->from;
		if (!smtp_fill(s))
			return false;
	}
	*line = s->in + s->from;
	*n = (size_t)(nl - *line);
	s->from += *n + 1;
	if (*n > 0 && (*line)[*n - 1] == '\r')
		--*n;
	return true;
}

/* --- behaviour ---------------------------------------------------------------------------------------------------- */

static bool smtp_strikes(struct smtp_session *s)
{
	struct smtp_peer *p = s->peer;
	bool yes;

	pthread_mutex_lock(&p->lock);
	yes = p->script.only == 0 || p->struck < p->script.only;
	p->struck += yes;
	pthread_mutex_unlock(&p->lock);
	return yes;
}

/* Replies at a point: well, or as the script says. 1: the good reply was given, 0: another one, -1: the connection is over. */
static int smtp_reply(struct smtp_session *s, enum smtp_point at, const char *good)
{
	const struct smtp_script *k = &s->peer->script;

	if (k->drop == at && smtp_strikes(s)) {
		smtp_flush(s);
		return -1;
	}
	if (k->garbage == at && smtp_strikes(s)) {
		buf_str(&s->out, "what do you mean?\r\n");
		return 0;
	}
	if (k->partial == at && smtp_strikes(s)) {
		buf_add(&s->out, good, strlen(good) / 2);
		smtp_flush(s);
		return -1;
	}
	if (k->early == at && smtp_strikes(s)) {
		buf_printf(&s->out, "%s\r\n%s\r\n", good, at == AT_DOT ? "250 2.0.0 and this" : good);
		return 1;
	}
	if (k->say[at] && smtp_strikes(s)) {
		buf_str(&s->out, k->say[at]);
		buf_str(&s->out, "\r\n");
		smtp_flush(s);
		return strncmp(k->say[at], "421", 3) == 0 ? -1 : 0;
	}
	buf_str(&s->out, good);
	buf_str(&s->out, "\r\n");
	return 1;
}

static bool smtp_to_tls(struct smtp_session *s)
{
	smtp_flush(s);
	s->ssl = SSL_new(s->peer->tls);
	SSL_set_fd(s->ssl, s->fd);
	s->in_tls = true;
	s->from = s->to = 0;
	return SSL_accept(s->ssl) == 1;
}

static int smtp_ehlo(struct smtp_session *s)
{
	const struct smtp_script *k = &s->peer->script;
	struct buf good = BUF_INIT;
	int rc;

	buf_str(&good, "250-peer.example greets you\r\n");
	if (!k->no_pipelining)
		buf_str(&good, "250-PIPELINING\r\n");
	if (!k->no_dsn)
		buf_str(&good, "250-DSN\r\n");
	if (k->utf8)
		buf_str(&good, "250-SMTPUTF8\r\n");
	if (k->size)
		buf_printf(&good, "250-SIZE %ld\r\n", k->size);
	if (s->peer->tls && !s->in_tls)
		buf_str(&good, k->lower_case ? "250-starttls\r\n" : "250-STARTTLS\r\n");
	if (k->user)
		buf_printf(&good, "250-AUTH %s\r\n", k->only_login ? "LOGIN" : "PLAIN LOGIN");
	buf_str(&good, "250 8BITMIME");
	rc = smtp_reply(s, AT_EHLO, good.data);
	buf_clear(&good);
	return rc;
}

static bool smtp_next_base64(struct smtp_session *s, const char *prompt, struct buf *out)
{
	const char *line;
	size_t n;

	buf_str(&s->out, prompt);
	buf_reset(out);
	return smtp_line(s, &line, &n) && text_base64_decode(line, n, out) == 0;
}

static int smtp_auth(struct smtp_session *s, const char *arg, size_t n)
{
	const struct smtp_script *k = &s->peer->script;
	struct buf user = BUF_INIT, password = BUF_INIT, want = BUF_INIT;
	bool good = false;

	if (n >= 5 && strncasecmp(arg, "PLAIN", 5) == 0) {
		bool got = n > 6 ? text_base64_decode(arg + 6, n - 6, &user) == 0 : smtp_next_base64(s, "334 \r\n", &user);

		buf_char(&want, '\0');
		buf_printf(&want, "%s%c%s", k->user, 0, k->password);
		good = got && user.len == want.len && memcmp(user.data, want.data, want.len) == 0;
	} else if (n >= 5 && strncasecmp(arg, "LOGIN", 5) == 0) {
		bool got = n > 6 ? text_base64_decode(arg + 6, n - 6, &user) == 0 : smtp_next_base64(s, "334 VXNlcm5hbWU6\r\n", &user);

		good = got && smtp_next_base64(s, "334 UGFzc3dvcmQ6\r\n", &password) && strcmp(buf_cstr(&user), k->user) == 0 &&
			strcmp(buf_cstr(&password), k->password) == 0;
	}
	s->authenticated = good;
	buf_str(&s->out, good ? "235 2.7.0 welcome\r\n" : "535 5.7.8 wrong user or password\r\n");
	buf_clear(&user);
	buf_clear(&password);
	buf_clear(&want);
	return 0;
}

static void smtp_take(struct smtp_session *s, struct buf *data)
{
	struct smtp_peer *p = s->peer;
	struct smtp_message *m;

	pthread_mutex_lock(&p->lock);
	if (p->script.got)
		p->script.got(p->script.ctx, s->sender, s->recipient, buf_cstr(data), data->len);
	p->taken = xgrow(p->taken, &p->cap, p->count + 1, sizeof(*p->taken));
	m = &p->taken[p->count++];
	snprintf(m->from, sizeof(m->from), "%s", s->sender);
	snprintf(m->to, sizeof(m->to), "%s", s->recipient);
	m->utf8 = s->utf8;
	m->len = data->len;
	m->data = buf_take(data);
	s->messages++;
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
}

/* A counter, from outside. */
static inline size_t smtp_count(struct smtp_peer *p, const size_t *counter)
{
	size_t n;

	pthread_mutex_lock(&p->lock);
	n = *counter;
	pthread_mutex_unlock(&p->lock);
	return n;
}

static void smtp_seen(struct smtp_peer *p, size_t *counter, size_t n)
{
	pthread_mutex_lock(&p->lock);
	*counter += n;
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
}

/* Between dot and reply. false: hung until the end. */
static bool smtp_hang(struct smtp_session *s)
{
	struct smtp_peer *p = s->peer;
	char c;

	if (p->script.hang_dot == 0 || !smtp_strikes(s))
		return true;
	smtp_flush(s);
	if (p->script.hang_dot > 0) {
		usleep((useconds_t)p->script.hang_dot * 1000);
		return true;
	}
	while (s->ssl ? SSL_read(s->ssl, &c, 1) > 0 : recv(s->fd, &c, 1, 0) > 0)
		;
	return false;
}

static int smtp_body(struct smtp_session *s)
{
	const struct smtp_script *k = &s->peer->script;
	struct buf data = BUF_INIT;
	const char *line;
	size_t n;
	int rc = -1;

	while (smtp_line(s, &line, &n)) {
		if (n == 1 && *line == '.') {
			smtp_seen(s->peer, &s->peer->dots, 1);
			if (!smtp_hang(s))
				break;
			if (s->refused) {
				buf_str(&s->out, "554 5.5.1 no valid recipients\r\n");
				rc = 0;
				break;
			}
			rc = smtp_reply(s, AT_DOT, "250 2.0.0 Ok: queued as 4TEST");
			if (rc == 1)
				smtp_take(s, &data);
			break;
		}
		if (k->drop == AT_BODY && data.len > 100 && smtp_strikes(s)) {
			s->rude = true;
			break;
		}
		smtp_seen(s->peer, &s->peer->body_bytes, n + 2);
		buf_add(&data, *line == '.' ? line + 1 : line, *line == '.' ? n - 1 : n);
		buf_str(&data, "\r\n");
	}
	buf_clear(&data);
	return rc;
}

/* The address between < and >. */
static void smtp_path(const char *line, size_t n, char out[320])
{
	const char *open = memchr(line, '<', n), *close = open ? memchr(open, '>', n - (size_t)(open - line)) : NULL;

	out[0] = '\0';
	if (close)
		snprintf(out, 320, "%.*s", (int)(close - open - 1), open + 1);
}

static bool smtp_has_letters(const char *s, size_t n)
{
	while (n > 0 && (unsigned char)*s < 0x80) {
		s++;
		n--;
	}
	return n > 0;
}

static int smtp_data(struct smtp_session *s)
{
	int rc;

	if (s->refused && !s->peer->script.go_anyway) {
		buf_str(&s->out, "554 5.5.1 no valid recipients\r\n");
		return 0;
	}
	rc = smtp_reply(s, AT_DATA, "354 go on");
	if (rc != 1)
		return rc;
	rc = smtp_body(s);
	s->sender[0] = s->recipient[0] = '\0';
	return rc;
}

static int smtp_command(struct smtp_session *s, const char *line, size_t n)
{
	const struct smtp_script *k = &s->peer->script;
	int rc;

	if (n >= 4 && (strncasecmp(line, "EHLO", 4) == 0 || strncasecmp(line, "HELO", 4) == 0))
		return smtp_ehlo(s);
	if (n >= 8 && strncasecmp(line, "STARTTLS", 8) == 0 && s->peer->tls && !s->in_tls) {
		buf_str(&s->out, "220 go\r\n");
		return smtp_to_tls(s) ? 0 : -1;
	}
	if (n >= 5 && strncasecmp(line, "AUTH ", 5) == 0)
		return smtp_auth(s, line + 5, n - 5);
	if (n >= 4 && strncasecmp(line, "MAIL", 4) == 0) {
		if (k->user && !s->authenticated) {
			buf_str(&s->out, "530 5.7.0 log in first\r\n");
			return 0;
		}
		smtp_path(line, n, s->sender);
		s->refused = false;
		s->utf8 = memmem(line, n, " BODY=8BITMIME SMTPUTF8", 23) != NULL;
		if (s->utf8 && !k->utf8) {
			s->sender[0] = '\0';
			buf_str(&s->out, "555 5.5.4 SMTPUTF8 is not known here\r\n");
			return 0;
		}
		rc = smtp_reply(s, AT_MAIL, "250 2.1.0 ok");
		if (rc == 0)
			s->sender[0] = '\0';
		return rc;
	}
	if (n >= 4 && strncasecmp(line, "RCPT", 4) == 0) {
		if (!s->sender[0]) {
			buf_str(&s->out, "503 5.5.1 MAIL first\r\n");
			s->refused = true;
			return 0;
		}
		smtp_path(line, n, s->recipient);
		if (smtp_has_letters(line, n) && !s->utf8) {
			buf_str(&s->out, "553 5.6.7 letters beyond ASCII need SMTPUTF8\r\n");
			s->refused = true;
			return 0;
		}
		rc = smtp_reply(s, AT_RCPT, "250 2.1.5 ok");
		s->refused = rc == 0;
		return rc;
	}
	if (n >= 4 && strncasecmp(line, "DATA", 4) == 0)
		return smtp_data(s);
	if (n >= 4 && strncasecmp(line, "RSET", 4) == 0) {
		smtp_seen(s->peer, &s->peer->resets, 1);
		s->sender[0] = s->recipient[0] = '\0';
		s->refused = false;
		buf_str(&s->out, "250 2.0.0 ok\r\n");
		return 0;
	}
	if (n >= 4 && strncasecmp(line, "QUIT", 4) == 0) {
		buf_str(&s->out, "221 2.0.0 bye\r\n");
		return -1;
	}
	buf_str(&s->out, "500 5.5.2 what?\r\n");
	return 0;
}

static void smtp_serve(struct smtp_session *s)
{
	const struct smtp_script *k = &s->peer->script;
	const char *line;
	size_t n;
	int rc;

	if (k->tls_first && !smtp_to_tls(s))
		return;
	pthread_mutex_lock(&s->peer->lock);
	s->admitted = !k->most || s->peer->admitted < k->most;
	s->peer->admitted += s->admitted;
	pthread_mutex_unlock(&s->peer->lock);
	if (!s->admitted) {
		buf_str(&s->out, "421 4.7.0 too many connections\r\n");
		return;
	}
	rc = smtp_reply(s, AT_GREET, "220 peer.example ESMTP");
	if (rc < 1)
		return;
	while (smtp_line(s, &line, &n)) {
		if (smtp_command(s, line, n) < 0)
			return;
		if (k->messages && s->messages >= k->messages) {
			smtp_flush(s);
			buf_str(&s->out, "421 4.4.2 idle too long\r\n");
			return;
		}
	}
}

/* --- threads -------------------------------------------------------------------------------------------------------- */

static void smtp_register(struct smtp_peer *p, int fd, int with)
{
	size_t i;

	pthread_mutex_lock(&p->lock);
	for (i = 0; p->fds[i] != (with < 0 ? fd : 0); i++)
		;
	p->fds[i] = with < 0 ? 0 : fd;
	if (with >= 0) {
		p->connections++;
		p->open++;
		if (p->stopping)
			shutdown(fd, SHUT_RDWR);
	} else {
		p->open--;
	}
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
}

static void *smtp_session_thread(void *arg)
{
	struct smtp_session *s = arg;
	struct smtp_peer *p = s->peer;

	smtp_serve(s);
	smtp_flush(s);
	if (s->ssl)
		SSL_free(s->ssl);
	/* hang up as a server does: what the other side still sends is not answered by a reset before it read our last words */
	shutdown(s->fd, SHUT_WR);
	while (!s->rude && recv(s->fd, s->in, sizeof(s->in), 0) > 0)
		;
	smtp_register(p, s->fd, -1);
	if (s->admitted)
		smtp_seen(p, &p->admitted, (size_t)-1);
	close(s->fd);
	buf_clear(&s->out);
	free(s);
	return NULL;
}

static void *smtp_accept_thread(void *arg)
{
	struct smtp_peer *p = arg;
	struct smtp_session *s;
	pthread_t thread;
	int fd, on = 1;

	while ((fd = accept(p->fd, NULL, NULL)) >= 0) {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		s = xcalloc(1, sizeof(*s));
		s->peer = p;
		s->fd = fd;
		smtp_register(p, fd, 1);
		if (pthread_create(&thread, NULL, smtp_session_thread, s) != 0)
			abort();
		pthread_detach(thread);
	}
	return NULL;
}

static SSL_CTX *smtp_tls(const struct smtp_script *k)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	if (!ctx || SSL_CTX_use_certificate_chain_file(ctx, k->certificate) != 1 || SSL_CTX_use_PrivateKey_file(ctx, k->key, SSL_FILETYPE_PEM) != 1)
		abort();
	return ctx;
}

/* Listens on 127.0.0.1, at `port` or any. */
static struct smtp_peer *smtp_peer_start(const struct smtp_script *script, int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)port) };
	struct smtp_peer *p = xcalloc(1, sizeof(*p));
	socklen_t n = sizeof(a);
	int on = 1;

	signal(SIGPIPE, SIG_IGN);	/* libssl writes to who has hung up */
	p->script = *script;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->changed, NULL);
	if (script->certificate)
		p->tls = smtp_tls(script);
	p->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(p->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(p->fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(p->fd, 64) < 0 || getsockname(p->fd, (struct sockaddr *)&a, &n) < 0) {
		perror("smtp peer");
		exit(1);
	}
	p->port = ntohs(a.sin_port);
	if (pthread_create(&p->thread, NULL, smtp_accept_thread, p) != 0)
		abort();
	return p;
}

/* Hangs up on everybody; the messages are gone with it. */
static void smtp_peer_stop(struct smtp_peer **peer)
{
	struct smtp_peer *p = *peer;
	size_t i;

	shutdown(p->fd, SHUT_RDWR);
	pthread_join(p->thread, NULL);
	close(p->fd);
	pthread_mutex_lock(&p->lock);
	p->stopping = true;
	for (i = 0; i < 256; i++)
		if (p->fds[i])
			shutdown(p->fds[i], SHUT_RDWR);
	while (p->open > 0)
		pthread_cond_wait(&p->changed, &p->lock);
	pthread_mutex_unlock(&p->lock);
	for (i = 0; i < p->count; i++)
		free(p->taken[i].data);
	free(p->taken);
	SSL_CTX_free(p->tls);
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->changed);
	free(p);
	*peer = NULL;
}

/* --- certificates --------------------------------------------------------------------------------------------------- */

/* A self-signed certificate for `names` ("DNS:localhost,IP:127.0.0.1"), which is its own authority, and its key. */
static inline void smtp_make_certificate(const char *certificate, const char *key, const char *names)
{
	EVP_PKEY *pair = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	X509 *x = X509_new();
	X509_EXTENSION *alt = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names);
	X509_EXTENSION *ca = X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, "critical,CA:TRUE");
	FILE *c = fopen(certificate, "w"), *k = fopen(key, "w");

	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -86400);
	X509_gmtime_adj(X509_getm_notAfter(x), 86400 * 30);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC, (const unsigned char *)"smtp peer", -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	X509_set_pubkey(x, pair);
	X509_add_ext(x, alt, -1);
	X509_add_ext(x, ca, -1);
	if (!X509_sign(x, pair, EVP_sha256()) || !c || !k || !PEM_write_X509(c, x) || !PEM_write_PrivateKey(k, pair, NULL, NULL, 0, NULL, NULL))
		abort();
	fclose(c);
	fclose(k);
	X509_EXTENSION_free(alt);
	X509_EXTENSION_free(ca);
	X509_free(x);
	EVP_PKEY_free(pair);
}

#endif
