/*
 * sns.c: see sns.h. A fetch goes to a host of Amazon's, over TLS that is verified; a proxy of the environment (https_proxy) is used, for these
 * machines often have no other way out. What failed is not asked again for half a minute: the service sends its report again anyway.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/transfer.h"

#include "sns.h"

#define CERTIFICATES_MAX 16
#define CERTIFICATE_MAX 65536
#define WAITING_MAX 200
#define KEEP US_DAY
#define PAUSE (30 * US_SECOND)
#define CONFIRMING_MAX 8

/* One that waits for a certificate. */
struct waiter {
	struct waiter *next;
	struct certificate *of;
	void (*done)(void *arg, struct slice pem, const char *why);
	void *arg;
};

struct fetch {
	struct sns *sns;
	struct fetch *next;		/* of confirmations */
	CURL *easy;
	struct transfer *transfer;
	struct buf body;
	bool too_big;
	char error[CURL_ERROR_SIZE];
	char *topic;			/* of a confirmation */
	struct certificate *certificate;
};

struct certificate {
	char *url;
	struct buf pem;			/* empty: not there */
	int64_t until;			/* steady: kept, or not asked for again, until then */
	struct fetch *fetch;		/* under way */
	char why[CURL_ERROR_SIZE];
};

struct sns {
	struct transfer_pool *pool;
	struct certificate certificates[CERTIFICATES_MAX];
	struct waiter *waiting;
	size_t waiting_count;
	struct fetch *confirmations;
	size_t confirming;
	struct timer *tell;		/* waiters whose answer is known */
};

/* --- fetching -------------------------------------------------------------------------------- */

static size_t write_cb(char *data, size_t size, size_t count, void *arg)
{
	struct fetch *f = arg;

	if (f->body.len + size * count > CERTIFICATE_MAX) {
		f->too_big = true;
		return 0;
	}
	buf_add(&f->body, data, size * count);
	return size * count;
}

static struct fetch *fetch_new(struct sns *sns, const char *url, const char *ca_file, void (*done)(void *arg, CURLcode code))
{
	struct fetch *f = xcalloc(1, sizeof(*f));

	f->sns = sns;
	f->easy = curl_easy_init();
	curl_easy_setopt(f->easy, CURLOPT_URL, url);
	curl_easy_setopt(f->easy, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(f->easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(f->easy, CURLOPT_FAILONERROR, 1L);
	curl_easy_setopt(f->easy, CURLOPT_CAINFO, ca_file);
	curl_easy_setopt(f->easy, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(f->easy, CURLOPT_CONNECTTIMEOUT_MS, 10000L);
	curl_easy_setopt(f->easy, CURLOPT_TIMEOUT_MS, 20000L);
	curl_easy_setopt(f->easy, CURLOPT_USERAGENT, "nurtured/" VERSION);
	curl_easy_setopt(f->easy, CURLOPT_WRITEFUNCTION, write_cb);
	curl_easy_setopt(f->easy, CURLOPT_WRITEDATA, f);
	curl_easy_setopt(f->easy, CURLOPT_ERRORBUFFER, f->error);
	f->transfer = transfer_start(sns->pool, f->easy, 0, done, f);
	return f;
}

static void fetch_free(struct fetch *f)
{
	transfer_cancel(&f->transfer);
	curl_easy_cleanup(f->easy);
	buf_clear(&f->body);
	free(f->topic);
	free(f);
}

static const char *failure(const struct fetch *f, CURLcode code)
{
	if (f->too_big)
		return "what came is no certificate";
	return *f->error ? f->error : curl_easy_strerror(code);
}

/* --- certificates ---------------------------------------------------------------------------- */

static void tell_cb(void *arg)
{
	struct sns *s = arg;
	struct waiter **at = &s->waiting, *w;

	while ((w = *at)) {
		struct certificate *c = w->of;

		if (c->fetch) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		s->waiting_count--;
		w->done(w->arg, (struct slice){ c->pem.len ? c->pem.data : "", c->pem.len }, c->why);
		free(w);
	}
}

static void fetched_cb(void *arg, CURLcode code)
{
	struct fetch *f = arg;
	struct certificate *c = f->certificate;

	c->fetch = NULL;
	c->why[0] = '\0';
	if (code == CURLE_OK) {
		c->pem = f->body;
		f->body = (struct buf)BUF_INIT;
		c->until = clock_steady() + KEEP;
	} else {
		snprintf(c->why, sizeof(c->why), "%s", failure(f, code));
		c->until = clock_steady() + PAUSE;
		log_warn("sns.no_certificate", L_STR("url", c->url), L_STR("why", c->why));
	}
	timer_set(f->sns->tell, 0);
	fetch_free(f);
}

/* The place of this URL, or one that is free, or of the certificate that ends first; NULL: all are being fetched. */
static struct certificate *place_of(struct sns *s, const char *url)
{
	struct certificate *free_one = NULL;
	struct waiter *w;
	size_t i;

	for (i = 0; i < CERTIFICATES_MAX; i++)
		if (s->certificates[i].url && strcmp(s->certificates[i].url, url) == 0)
			return &s->certificates[i];
	for (i = 0; i < CERTIFICATES_MAX; i++) {
		struct certificate *c = &s->certificates[i];

		for (w = s->waiting; w && w->of != c; w = w->next)
			;
		if (c->fetch || w)
			continue;
		if (!free_one || !c->url || (free_one->url && c->until < free_one->until))
			free_one = c;
	}
	if (!free_one)
		return NULL;
	free(free_one->url);
	buf_clear(&free_one->pem);
	*free_one = (struct certificate){ .url = xstrdup(url) };
	return free_one;
}

int sns_certificate(struct sns *s, const char *url, const char *ca_file, void (*done)(void *arg, struct slice pem, const char *why), void *arg)
{
	struct certificate *c = s->waiting_count < WAITING_MAX ? place_of(s, url) : NULL;
	struct waiter *w;

	if (!c)
		return -1;
	if (!c->fetch && clock_steady() >= c->until) {
		buf_clear(&c->pem);
		c->fetch = fetch_new(s, url, ca_file, fetched_cb);
		c->fetch->certificate = c;
	}
	w = xcalloc(1, sizeof(*w));
	*w = (struct waiter){ .next = s->waiting, .of = c, .done = done, .arg = arg };
	s->waiting = w;
	s->waiting_count++;
	if (!c->fetch)
		timer_set(s->tell, 0);
	return 0;
}

/* --- confirmations --------------------------------------------------------------------------- */

static void confirmed_cb(void *arg, CURLcode code)
{
	struct fetch *f = arg, **at = &f->sns->confirmations;

	if (code == CURLE_OK)
		log_info("sns.confirmed", L_STR("topic", f->topic));
	else
		log_error("sns.not_confirmed", L_STR("topic", f->topic), L_STR("why", failure(f, code)),
			L_STR("do", "ask for the confirmation again in the SNS console"));
	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
	f->sns->confirming--;
	fetch_free(f);
}

void sns_confirm(struct sns *s, const char *url, const char *topic, const char *ca_file)
{
	struct fetch *f;

	if (s->confirming == CONFIRMING_MAX) {
		log_error("sns.not_confirmed", L_STR("topic", topic), L_STR("why", "too many at one time"));
		return;
	}
	f = fetch_new(s, url, ca_file, confirmed_cb);
	f->topic = xstrdup(topic);
	f->next = s->confirmations;
	s->confirmations = f;
	s->confirming++;
}

/* --- life ------------------------------------------------------------------------------------ */

struct sns *sns_new(struct loop *loop)
{
	struct sns *s = xcalloc(1, sizeof(*s));

	s->pool = transfer_pool_new(loop, 0);
	s->tell = timer_new(loop, tell_cb, s);
	return s;
}

void sns_free(struct sns **sns)
{
	struct sns *s = *sns;
	struct waiter *w;
	struct fetch *f;
	size_t i;

	if (!s)
		return;
	while ((w = s->waiting)) {
		s->waiting = w->next;
		w->done(w->arg, (struct slice){ "", 0 }, "stopping");
		free(w);
	}
	while ((f = s->confirmations)) {
		s->confirmations = f->next;
		fetch_free(f);
	}
	for (i = 0; i < CERTIFICATES_MAX; i++) {
		if (s->certificates[i].fetch)
			fetch_free(s->certificates[i].fetch);
		free(s->certificates[i].url);
		buf_clear(&s->certificates[i].pem);
	}
	transfer_pool_free(&s->pool);
	timer_free(&s->tell);
	free(s);
	*sns = NULL;
}
