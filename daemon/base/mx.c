/*
 * mx.c: see mx.h. Each question has a socket of its own, so that its port is one more thing that a forger would have to guess. What did not fit into
 * a packet is asked again by TCP (RFC 7766), of the same server.
 */
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/mx.h"
#include "base/random.h"
#include "base/text.h"

#define AT_ONCE 16
#define WAITING_MOST 4096
#define TRIES 3
#define TIMEOUT (2 * US_SECOND)
#define PACKET 4096

struct server {
	struct sockaddr_storage address;
	socklen_t size;
};

struct question {
	struct mx *mx;
	struct question *next;		/* that waits */
	char *domain;
	int tries, fd;
	uint16_t number;
	struct event *readable;
	struct bufferevent *tcp;
	char *partly;			/* the host by what did fit into a packet; NULL: none */
	struct timer *timer;
};

struct mx {
	struct loop *loop;
	struct server servers[MAXNS];
	int server_count;
	mx_answer *answer;
	void *arg;
	struct question *asking[AT_ONCE];
	struct question *first, **end;
	size_t waiting;
};

/* --- whom to ask ------------------------------------------------------------------------------------------------- */

static int read_resolver(const char *text, struct server *out, struct err *err)
{
	const char *colon = strchr(text, ':');
	char *host = colon ? xstrndup(text, (size_t)(colon - text)) : xstrdup(text);
	struct sockaddr_in *at = (struct sockaddr_in *)&out->address;
	int64_t port = NAMESERVER_PORT;
	int rc = 0;

	*out = (struct server){ .size = sizeof(*at) };
	at->sin_family = AF_INET;
	if (inet_pton(AF_INET, host, &at->sin_addr) != 1 || (colon && (text_int(colon + 1, &port) < 0 || port < 1 || port > 65535)))
		rc = err_set(err, "`%s` is no resolver; write an IPv4 address, and a port if it is not 53: 127.0.0.1:5353", text);
	at->sin_port = htons((uint16_t)port);
	free(host);
	return rc;
}

int mx_check_resolver(const char *resolver, struct err *err)
{
	struct server server;

	return read_resolver(resolver, &server, err);
}

static int read_system(struct mx *mx, struct err *err)
{
	struct __res_state state = { 0 };
	int i;

	if (res_ninit(&state) < 0)
		return err_set(err, "/etc/resolv.conf cannot be read");
	for (i = 0; i < state.nscount && i < MAXNS; i++) {
		struct server *s = &mx->servers[mx->server_count];

		if (state.nsaddr_list[i].sin_family == AF_INET) {
			s->size = sizeof(state.nsaddr_list[i]);
			memcpy(&s->address, &state.nsaddr_list[i], s->size);
		} else if (state._u._ext.nsaddrs[i]) {
			s->size = sizeof(*state._u._ext.nsaddrs[i]);
			memcpy(&s->address, state._u._ext.nsaddrs[i], s->size);
		} else {
			continue;
		}
		mx->server_count++;
	}
	res_nclose(&state);
	return mx->server_count ? 0 : err_set(err, "/etc/resolv.conf names no server");
}

/* --- answers ------------------------------------------------------------------------------------------------------- */

/* Is it the answer to this question, and a certain one? */
static bool answers(const struct question *q, ns_msg *message)
{
	int code = ns_msg_getflag(*message, ns_f_rcode);
	ns_rr rr;

	return ns_msg_id(*message) == q->number && ns_msg_getflag(*message, ns_f_qr) && ns_msg_count(*message, ns_s_qd) == 1 &&
		ns_parserr(message, ns_s_qd, 0, &rr) == 0 && ns_rr_type(rr) == ns_t_mx && strcasecmp(ns_rr_name(rr), q->domain) == 0 &&
		(code == ns_r_noerror || code == ns_r_nxdomain);
}

/* The one with the least preference; of several the first by name, so that it is the same each time. */
static void best_host(ns_msg *message, char host[NS_MAXDNAME])
{
	unsigned best = 65536;
	char name[NS_MAXDNAME];
	ns_rr rr;
	int i;

	host[0] = '\0';
	for (i = 0; i < ns_msg_count(*message, ns_s_an); i++) {
		unsigned preference;

		if (ns_parserr(message, ns_s_an, i, &rr) < 0)
			return;
		if (ns_rr_type(rr) != ns_t_mx || ns_rr_rdlen(rr) < 3 ||
		    dn_expand(ns_msg_base(*message), ns_msg_end(*message), ns_rr_rdata(rr) + 2, name, sizeof(name)) < 0)
			continue;
		text_lower(name);
		preference = ns_get16(ns_rr_rdata(rr));
		if (preference < best || (preference == best && strcmp(name, host) < 0)) {
			best = preference;
			memcpy(host, name, strlen(name) + 1);
		}
	}
}

static void start_some(struct mx *mx);

static void hang_up(struct question *q)
{
	if (q->readable)
		event_free(q->readable);
	q->readable = NULL;
	if (q->tcp)
		bufferevent_free(q->tcp);
	q->tcp = NULL;
	if (q->fd >= 0)
		close(q->fd);
	q->fd = -1;
}

static void question_free(struct question *q)
{
	hang_up(q);
	timer_free(&q->timer);
	free(q->partly);
	free(q->domain);
	free(q);
}

static void finish(struct question *q, const char *host)
{
	struct mx *mx = q->mx;
	int i;

	for (i = 0; i < AT_ONCE; i++)
		if (mx->asking[i] == q)
			mx->asking[i] = NULL;
	mx->answer(mx->arg, q->domain, host);
	question_free(q);
	start_some(mx);
}

/* --- questions ----------------------------------------------------------------------------------------------------- */

static void try_next(struct question *q);

static int make_query(struct question *q, unsigned char packet[NS_PACKETSZ])
{
	struct __res_state state = { .options = RES_RECURSE };
	int n = res_nmkquery(&state, ns_o_query, q->domain, ns_c_in, ns_t_mx, NULL, 0, NULL, packet, NS_PACKETSZ);

	if (n < 0)
		return -1;
	q->number = (uint16_t)random_u64();
	ns_put16(q->number, packet);
	return n;
}

/* A whole one came by TCP, and nothing else is to come. */
static void take_whole(struct question *q, const unsigned char *packet, size_t size)
{
	char host[NS_MAXDNAME];
	ns_msg message;

	if (!size || ns_initparse(packet, (int)size, &message) < 0 || !answers(q, &message)) {
		try_next(q);
		return;
	}
	best_host(&message, host);
	finish(q, host);
}

static void tcp_read_cb(struct bufferevent *tcp, void *arg)
{
	struct evbuffer *in = bufferevent_get_input(tcp);
	unsigned char head[2];
	size_t size;

	if (evbuffer_copyout(in, head, sizeof(head)) < (ev_ssize_t)sizeof(head))
		return;
	size = ns_get16(head);
	if (evbuffer_get_length(in) < sizeof(head) + size)
		return;
	evbuffer_drain(in, sizeof(head));
	take_whole(arg, evbuffer_pullup(in, (ev_ssize_t)size), size);
}

static void tcp_event_cb(struct bufferevent *tcp, short what, void *arg)
{
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		try_next(arg);
}

static int ask_by_tcp(struct question *q, const struct server *server)
{
	unsigned char packet[2 + NS_PACKETSZ];
	int n = make_query(q, packet + 2), fd;

	if (n < 0)
		return -1;
	ns_put16((unsigned)n, packet);
	fd = socket(server->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	q->tcp = bufferevent_socket_new(loop_base(q->mx->loop), fd, BEV_OPT_CLOSE_ON_FREE);
	if (!q->tcp) {
		close(fd);
		return -1;
	}
	bufferevent_setcb(q->tcp, tcp_read_cb, NULL, tcp_event_cb, q);
	return bufferevent_enable(q->tcp, EV_READ) < 0 || bufferevent_write(q->tcp, packet, 2 + (size_t)n) < 0 ||
		bufferevent_socket_connect(q->tcp, (const struct sockaddr *)&server->address, (int)server->size) < 0 ? -1 : 0;
}

/* The server that was asked last. */
static void ask_for_the_rest(struct question *q, const char *host)
{
	struct mx *mx = q->mx;

	if (*host && !q->partly)
		q->partly = xstrdup(host);
	hang_up(q);
	timer_set(q->timer, ask_by_tcp(q, &mx->servers[(q->tries - 1) % mx->server_count]) < 0 ? 0 : TIMEOUT);
}

static void readable_cb(evutil_socket_t fd, short what, void *arg)
{
	struct question *q = arg;
	unsigned char packet[PACKET];
	char host[NS_MAXDNAME];
	ssize_t n = recv(fd, packet, sizeof(packet), 0);
	ns_msg message;

	if (n < 0) {	/* nobody is there */
		try_next(q);
		return;
	}
	if (ns_initparse(packet, (int)n, &message) < 0 || ns_msg_id(message) != q->number)
		return;
	if (!answers(q, &message)) {
		try_next(q);
		return;
	}
	best_host(&message, host);
	if (ns_msg_getflag(message, ns_f_tc))
		ask_for_the_rest(q, host);
	else
		finish(q, host);
}

static void timer_cb(void *arg)
{
	try_next(arg);
}

static int send_it(struct question *q, const struct server *server)
{
	unsigned char packet[NS_PACKETSZ];
	int n = make_query(q, packet);

	if (n < 0)
		return -1;
	q->fd = socket(server->address.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (q->fd < 0 || connect(q->fd, (const struct sockaddr *)&server->address, server->size) < 0 || send(q->fd, packet, (size_t)n, MSG_NOSIGNAL) < n)
		return -1;
	q->readable = event_new(loop_base(q->mx->loop), q->fd, EV_READ | EV_PERSIST, readable_cb, q);
	return !q->readable || event_add(q->readable, NULL) < 0 ? -1 : 0;
}

/* Of the next server; the timer asks again where it cannot be sent, so that this never ends in an answer by itself but when all was tried. */
static void try_next(struct question *q)
{
	hang_up(q);
	if (q->tries == TRIES) {
		finish(q, q->partly);
		return;
	}
	timer_set(q->timer, send_it(q, &q->mx->servers[q->tries % q->mx->server_count]) < 0 ? 0 : TIMEOUT);
	q->tries++;
}

static void start_some(struct mx *mx)
{
	struct question *q;
	int i;

	for (i = 0; i < AT_ONCE && mx->first; i++) {
		if (mx->asking[i])
			continue;
		q = mx->first;
		mx->first = q->next;
		if (!mx->first)
			mx->end = &mx->first;
		mx->waiting--;
		mx->asking[i] = q;
		try_next(q);
	}
}

void mx_ask(struct mx *mx, const char *domain)
{
	struct question *q;

	if (mx->waiting == WAITING_MOST) {
		mx->answer(mx->arg, domain, NULL);
		return;
	}
	q = xcalloc(1, sizeof(*q));
	q->mx = mx;
	q->domain = xstrdup(domain);
	q->fd = -1;
	q->timer = timer_new(mx->loop, timer_cb, q);
	*mx->end = q;
	mx->end = &q->next;
	mx->waiting++;
	start_some(mx);
}

/* --- life ---------------------------------------------------------------------------------------------------------- */

int mx_new(struct loop *loop, const char *resolver, mx_answer *answer, void *arg, struct err *err, struct mx **out)
{
	struct mx *mx = xcalloc(1, sizeof(*mx));
	int rc = resolver ? read_resolver(resolver, &mx->servers[0], err) : read_system(mx, err);

	if (rc < 0) {
		free(mx);
		return -1;
	}
	if (resolver)
		mx->server_count = 1;
	mx->loop = loop;
	mx->answer = answer;
	mx->arg = arg;
	mx->end = &mx->first;
	*out = mx;
	return 0;
}

void mx_free(struct mx **mx)
{
	struct question *q;
	int i;

	if (!*mx)
		return;
	for (i = 0; i < AT_ONCE; i++)
		if ((*mx)->asking[i])
			question_free((*mx)->asking[i]);
	while ((q = (*mx)->first)) {
		(*mx)->first = q->next;
		question_free(q);
	}
	free(*mx);
	*mx = NULL;
}
