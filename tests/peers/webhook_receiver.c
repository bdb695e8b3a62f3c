/*
 * webhook_receiver.c: what sales, a CRM or a chat would be: takes POSTs, checks the Standard Webhooks signature, and writes down what came.
 *
 *	webhook_receiver [-p PORT] -l LOG [-s SECRET] [-f N]
 *
 * -p 0 takes any free port. The first line on standard output is "listening PORT". Each POST becomes one line of JSON in LOG: path, id, timestamp,
 * signature ("valid", "invalid" or "none"), body as text; written before it is answered with 204. -f answers the first N POSTs with 500.
 */
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/mem.h"
#include "base/text.h"

static int log_fd = -1;
static int failures;
static struct buf key = BUF_INIT;

static const char *field(struct evhttp_request *req, const char *name)
{
	const char *v = evhttp_find_header(evhttp_request_get_input_headers(req), name);

	return v ? v : "";
}

static const char *judge(struct evhttp_request *req, const char *body, size_t len)
{
	const char *given = field(req, "webhook-signature");
	struct buf text = BUF_INIT, expected = BUF_INIT;
	uint8_t mac[SHA256_SIZE];
	const char *verdict;

	if (!*given)
		return "none";
	buf_printf(&text, "%s.%s.", field(req, "webhook-id"), field(req, "webhook-timestamp"));
	buf_add(&text, body, len);
	digest_hmac(key.data, key.len, text.data, text.len, mac);
	buf_str(&expected, "v1,");
	text_base64(&expected, mac, sizeof(mac));
	verdict = strstr(given, buf_cstr(&expected)) ? "valid" : "invalid";
	buf_clear(&text);
	buf_clear(&expected);
	return verdict;
}

static void add(struct buf *line, const char *name, const char *value, size_t len)
{
	buf_printf(line, "%s\"%s\":", line->len > 1 ? "," : "", name);
	text_json(line, value, len);
}

static void on_post(struct evhttp_request *req, void *arg)
{
	struct evbuffer *in = evhttp_request_get_input_buffer(req);
	size_t len = evbuffer_get_length(in);
	const char *body = len ? (const char *)evbuffer_pullup(in, -1) : "", *uri = evhttp_request_get_uri(req);
	struct buf line = BUF_INIT;

	if (failures > 0) {
		failures--;
		evhttp_send_reply(req, 500, "Not now", NULL);
		return;
	}
	buf_char(&line, '{');
	add(&line, "path", uri, strlen(uri));
	add(&line, "id", field(req, "webhook-id"), strlen(field(req, "webhook-id")));
	add(&line, "timestamp", field(req, "webhook-timestamp"), strlen(field(req, "webhook-timestamp")));
	add(&line, "signature", judge(req, body, len), strlen(judge(req, body, len)));
	add(&line, "body", body, len);
	buf_str(&line, "}\n");
	if (write(log_fd, line.data, line.len) != (ssize_t)line.len)
		perror("log");
	buf_clear(&line);
	evhttp_send_reply(req, 204, "Taken", NULL);
}

static void on_signal(evutil_socket_t fd, short what, void *base)
{
	event_base_loopbreak(base);
}

int main(int argc, char **argv)
{
	struct event_base *base = event_base_new();
	struct evhttp *http = evhttp_new(base);
	struct evhttp_bound_socket *bound;
	struct sockaddr_in at;
	socklen_t size = sizeof(at);
	int option, port = 0;

	while ((option = getopt(argc, argv, "p:l:s:f:")) != -1) {
		switch (option) {
		case 'p': port = (int)strtol(optarg, NULL, 10); break;
		case 'l': log_fd = open(optarg, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644); break;
		case 's':
			if (strncmp(optarg, "whsec_", 6) != 0 || text_base64_decode(optarg + 6, strlen(optarg + 6), &key))
				return fprintf(stderr, "the secret is not whsec_<base64>\n"), 64;
			break;
		case 'f': failures = (int)strtol(optarg, NULL, 10); break;
		default: return 64;
		}
	}
	if (log_fd < 0)
		return fprintf(stderr, "no log: -l FILE\n"), 64;
	signal(SIGPIPE, SIG_IGN);
	evhttp_set_gencb(http, on_post, NULL);
	bound = evhttp_bind_socket_with_handle(http, "127.0.0.1", (uint16_t)port);
	if (!bound || getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&at, &size))
		return perror("listen"), 1;
	event_add(evsignal_new(base, SIGTERM, on_signal, base), NULL);
	event_add(evsignal_new(base, SIGINT, on_signal, base), NULL);
	printf("listening %d\n", ntohs(at.sin_port));
	fflush(stdout);
	event_base_dispatch(base);
	evhttp_free(http);
	return 0;
}
