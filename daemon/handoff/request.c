/*
 * request.c: see request.h.
 *
 * Every attempt has a connection of its own: alerts are rare, a connection that was kept would carry a
 * later one past a guard whose list has changed, and a broken one that is found dead only when used costs
 * an attempt.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <curl/curl.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/signature.h"
#include "base/transfer.h"

#include "guard.h"
#include "request.h"

#define CONNECT_MS 10000L
#define TIMEOUT_MS 20000L
#define ANSWER_MAX (64 * 1024)	/* read at most; more ends the transfer, the status counts all the same */
#define WORDS_MAX 200		/* of the answer that are kept for people */
#define CA_FILE "/etc/ssl/certs/ca-certificates.crt"

struct request {
	CURL *easy;
	struct curl_slist *headers;
	struct transfer *transfer;
	char *body;
	const char *const *allow_private;
	char refused[INET6_ADDRSTRLEN];		/* address that the guard refused last, or "" */
	char curl_error[CURL_ERROR_SIZE];
	size_t read;
	char words[WORDS_MAX + 1];
	size_t words_len;
	void (*done)(void *arg, const struct request_answer *answer);
	void *arg;
};

/* libcurl: a socket for an address that it is about to connect to. */
static curl_socket_t open_cb(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct request *r = arg;
	const struct sockaddr *sa = &address->addr;

	if (guard_allows(sa, r->allow_private))
		return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
	if (sa->sa_family == AF_INET)
		inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)sa)->sin_addr, r->refused,
			sizeof(r->refused));
	else if (sa->sa_family == AF_INET6)
		inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr, r->refused,
			sizeof(r->refused));
	return CURL_SOCKET_BAD;
}

/* libcurl: bytes of the answer. Control characters become spaces: the words are shown on terminals. */
static size_t write_cb(char *data, size_t size, size_t n, void *arg)
{
	struct request *r = arg;
	size_t i;

	for (i = 0; i < n && r->words_len < WORDS_MAX; i++)
		r->words[r->words_len++] = (unsigned char)data[i] < ' ' || data[i] == 0x7f ? ' ' : data[i];
	r->read += n;
	return r->read > ANSWER_MAX ? 0 : n;
}

static void explain(struct request *r, CURLcode code, struct request_answer *answer)
{
	struct slice words = { .data = r->words, .len = r->words_len };
	struct err err = { .text = "" };

	words = slice_trim(words);
	if (answer->code >= 200 && answer->code <= 299)
		return;
	if (answer->code)
		err_set(&err, "HTTP %d%s%.*s", answer->code, words.len ? ": " : "", (int)words.len,
			words.data ? words.data : "");
	else if (*r->refused && code == CURLE_COULDNT_CONNECT)
		err_set(&err, "%s is no public address; `allow_private` may name it all the same",
			r->refused);
	else
		err_set(&err, "%s", *r->curl_error ? r->curl_error : curl_easy_strerror(code));
	memcpy(answer->error, err.text, sizeof(answer->error));
}

static void ended_cb(void *arg, CURLcode code)
{
	struct request *r = arg;
	struct request_answer answer = { 0 };
	curl_off_t after = 0;
	long status = 0;

	/* CURLE_WRITE_ERROR is our own cap; after another failure there may be half an answer */
	if (code == CURLE_OK || code == CURLE_WRITE_ERROR)
		curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &status);
	answer.code = (int)status;
	curl_easy_getinfo(r->easy, CURLINFO_RETRY_AFTER, &after);
	if (after > 0 && after < INT64_MAX / US_SECOND)
		answer.retry_after = after * US_SECOND;
	explain(r, code, &answer);
	r->done(r->arg, &answer);
}

static int add_headers(struct request *r, const struct request_wish *wish, struct err *err)
{
	struct buf key = BUF_INIT, line = BUF_INIT;
	int64_t seconds = wish->at / US_SECOND;
	int rc = 0;

	r->headers = curl_slist_append(NULL, "Content-Type: application/json");
	r->headers = curl_slist_append(r->headers, "Expect:");
	buf_printf(&line, "webhook-id: %s", wish->id);
	r->headers = curl_slist_append(r->headers, buf_cstr(&line));
	buf_reset(&line);
	buf_printf(&line, "webhook-timestamp: %" PRId64, seconds);
	r->headers = curl_slist_append(r->headers, buf_cstr(&line));
	if (wish->secret) {
		rc = signature_key(wish->secret, &key, err);
		if (rc < 0)
			goto out;
		buf_reset(&line);
		buf_str(&line, "webhook-signature: ");
		signature_make((struct slice){ .data = key.data, .len = key.len }, wish->id, seconds,
			slice_of(wish->body), &line);
		r->headers = curl_slist_append(r->headers, buf_cstr(&line));
	}
out:
	if (key.data)
		explicit_bzero(key.data, key.len);
	buf_clear(&key);
	buf_clear(&line);
	return rc;
}

static int set_up(struct request *r, const struct request_wish *wish, struct err *err)
{
	CURL *easy = r->easy;
	CURLcode code = curl_easy_setopt(easy, CURLOPT_URL, wish->url);

	if (code != CURLE_OK)
		return err_set(err, "%s", curl_easy_strerror(code));
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	/* not the environment's either: a proxy would resolve names for us, past the guard */
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_cb);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, r);
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_CAINFO, CA_FILE);
	curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, TIMEOUT_MS);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "nurtured/" VERSION);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, r->headers);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(r->body));
	curl_easy_setopt(easy, CURLOPT_POSTFIELDS, r->body);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, write_cb);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, r);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, r->curl_error);
	return 0;
}

int request_start(struct transfer_pool *pool, const struct request_wish *wish,
		void (*done)(void *arg, const struct request_answer *answer), void *arg,
		struct request **out, struct err *err)
{
	struct request *r = xcalloc(1, sizeof(*r));

	r->done = done;
	r->arg = arg;
	r->allow_private = wish->allow_private;
	r->body = xstrdup(wish->body);
	r->easy = curl_easy_init();
	if (!r->easy)
		abort();
	if (add_headers(r, wish, err) < 0 || set_up(r, wish, err) < 0) {
		request_free(&r);
		return -1;
	}
	r->transfer = transfer_start(pool, r->easy, 0, ended_cb, r);
	*out = r;
	return 0;
}

void request_free(struct request **request)
{
	struct request *r = *request;

	if (!r)
		return;
	transfer_cancel(&r->transfer);
	curl_easy_cleanup(r->easy);
	curl_slist_free_all(r->headers);
	free(r->body);
	free(r);
	*request = NULL;
}
