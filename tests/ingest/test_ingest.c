/*
 * test_ingest.c: the public interface over real sockets, with a real store and the real decisions behind it, in a temporary folder. The
 * loop runs in a thread of its own; the test is the client.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "decide/facts.h"
#include "ingest/ingest.h"
#include "store/rows.h"

/* Monday 2026-11-23 10:00 UTC */
#define START (INT64_C(1795428000) * US_SECOND)
#define QUEUE 64	/* jobs that the store lets wait */

struct world {
	char folder[64];
	struct loop *loop;
	struct store *store;
	struct token_ring *ring;
	struct plan *plan;
	struct decide *d;
	struct ingest *in;
	pthread_t thread;
	int port;
	sem_t done;
};

static struct world w;

/* --- the world ------------------------------------------------------------------------------- */

static void write_file(const char *name, const char *text)
{
	char path[200];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", w.folder, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fchmod(fileno(f), 0600), 0);
	fclose(f);
}

/* `name` in the folder becomes a link to `to` in the tree. */
static void link_to(const char *to, const char *name)
{
	char *from = realpath(to, NULL), path[200];

	assert_non_null(from);
	snprintf(path, sizeof(path), "%s/%s", w.folder, name);
	assert_int_equal(symlink(from, path), 0);
	free(from);
}

static void make_folder(const char *name)
{
	char path[200];

	snprintf(path, sizeof(path), "%s/%s", w.folder, name);
	assert_int_equal(mkdir(path, 0700), 0);
}

static void write_conf(const char *pages)
{
	char text[2000];

	snprintf(text, sizeof(text), "state: %s/state\nfiles: %s/files\ntemplates: %s/templates\ncontrol: %s/control.sock\n"
		"listen: {port: 0, public_url: \"https://mail.example.com\", allow_redirect: [www.example.com], api_key: \"file:%s/key\","
		" trusted_proxies: [127.0.0.1]}\n"
		"sender: {from: \"Ana <ana@example.com>\", company: \"Example & Sons\", postal_address: \"1 High Street\","
		" bounce_domain: bounce.example.com, reply_domain: reply.example.com}\n"
		"relays:\n  - {name: main, url: \"smtp://127.0.0.1:2525\", tls: none}\n"
		"mailboxes:\n  - {name: replies, url: \"maildir:%s/replies\"}\n", w.folder, w.folder, w.folder, w.folder, w.folder, w.folder);
	write_file("nurtured.yaml", text);
	write_file("key", "sesame\n");
	make_folder("files");
	write_file("files/guide.pdf", "0123456789");
	make_folder("templates");
	link_to("tests/ingest/templates/emails", "templates/emails");
	link_to("tests/ingest/templates/alerts", "templates/alerts");
	link_to(pages, "templates/pages");
	link_to("tests/ingest/conf/nurture.yaml", "nurture.yaml");
	link_to("tests/ingest/conf/sales.yaml", "sales.yaml");
	link_to("tests/ingest/conf/forms", "forms");
	link_to("tests/ingest/conf/sequences", "sequences");
}

static void load_plan(void)
{
	struct plan_errors errors = { 0 };
	char path[128];

	snprintf(path, sizeof(path), "%s/nurtured.yaml", w.folder);
	w.plan = plan_load(path, &errors);
	if (!w.plan)
		fail_msg("%s", buf_cstr(&errors.text));
	buf_clear(&errors.text);
}

static void *run_loop(void *arg)
{
	assert_int_equal(loop_run(w.loop), 0);
	return NULL;
}

static void world_up(void)
{
	struct store_options options = { .owner = "test", .queue_limit = QUEUE };
	uint8_t key[1][TOKEN_SECRET] = { { 1, 2, 3 } }, ids[1] = { 0 };
	char path[128];
	struct err err = { "" };

	load_plan();
	sem_init(&w.done, 0, 0);
	w.loop = loop_new();
	snprintf(path, sizeof(path), "%s/state", w.folder);
	options.state = path;
	w.ring = token_ring_new((const uint8_t (*)[TOKEN_SECRET])key, ids, 1);
	if (store_start(w.loop, &options, &w.store, &err) || decide_start(w.loop, w.store, w.plan, w.ring, &w.d, &err) ||
			ingest_start(w.loop, w.d, &w.in, &err))
		fail_msg("%s", err.text);
	w.port = ingest_port(w.in);
	assert_int_equal(pthread_create(&w.thread, NULL, run_loop, NULL), 0);
}

static int open_with(const char *pages)
{
	signal(SIGPIPE, SIG_IGN);
	memset(&w, 0, sizeof(w));
	snprintf(w.folder, sizeof(w.folder), "/tmp/test_ingest.XXXXXX");
	assert_non_null(mkdtemp(w.folder));
	write_conf(pages);
	clock_set(START);
	world_up();
	return 0;
}

static int world_open(void **state)
{
	(void)state;
	return open_with("tests/ingest/templates/pages");
}

static int shipped_open(void **state)
{
	(void)state;
	return open_with("templates/pages");
}

static void stop_cb(void *arg)
{
	loop_stop(w.loop);
}

static void world_down(void)
{
	loop_post(w.loop, stop_cb, NULL);
	pthread_join(w.thread, NULL);
	ingest_stop(&w.in);
	decide_quiesce(w.d);
	store_stop(&w.store);
	decide_stop(&w.d);
	token_ring_free(&w.ring);
	plan_unref(&w.plan);
	loop_drain(w.loop);
	loop_free(&w.loop);
	sem_destroy(&w.done);
}

static int world_close(void **state)
{
	char command[128];

	(void)state;
	world_down();
	snprintf(command, sizeof(command), "rm -rf %s", w.folder);
	clock_set(0);
	return system(command);
}

/* --- jobs of the test's own ------------------------------------------------------------------ */

struct job {
	struct store_job job;
	int (*fn)(struct db *db, void *arg, struct err *err);
	void *arg;
	bool read;
	enum store_result result;
	struct err err;
};

static int job_run(struct store_job *job, struct db *db, struct err *err)
{
	struct job *j = (struct job *)job;

	return j->fn(db, j->arg, err);
}

static void job_done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct job *j = (struct job *)job;

	j->result = result;
	j->err = *err;
	sem_post(&w.done);
}

static void job_cb(void *arg)
{
	struct job *j = arg;
	int rc = j->read ? store_read(w.store, &j->job) : store_submit(w.store, &j->job, STORE_NORMAL);

	assert_int_equal(rc, 0);
}

static void run_job(bool read, int (*fn)(struct db *db, void *arg, struct err *err), void *arg)
{
	struct job j = { .job = { .run = job_run, .done = job_done }, .fn = fn, .arg = arg, .read = read };

	loop_post(w.loop, job_cb, &j);
	sem_wait(&w.done);
	if (j.result != STORE_COMMITTED)
		fail_msg("%s", j.err.text);
}

struct look {
	const char *who;
	struct buf json;
	int found;
};

static int look_fn(struct db *db, void *arg, struct err *err)
{
	struct arena *arena = arena_new(0);
	struct look *l = arg;
	struct prospect row;

	buf_reset(&l->json);
	l->found = look_prospect(w.plan, db, l->who, &l->json, err);
	if (l->found == 1 && prospects_find_address(db, l->who, arena, &row, err) == 1)
		buf_printf(&l->json, "\"%s\" \"%s\"", row.language, row.timezone);
	arena_free(&arena);
	return l->found < 0 ? -1 : 0;
}

/* Everything about a person as JSON, then language and time zone; "" if there is no such person. */
static char *look(const char *who)
{
	struct look l = { .who = who };

	run_job(true, look_fn, &l);
	return buf_take(&l.json);
}

static void knows(const char *who, const char *what, bool wanted)
{
	char *json = look(who);

	if ((strstr(json, what) != NULL) != wanted)
		fail_msg("%s%s in %s", wanted ? "no " : "", what, json);
	free(json);
}

static int count_fn(struct db *db, void *arg, struct err *err)
{
	return prospects_count(db, arg, err);
}

static int64_t people(void)
{
	int64_t n = -1;

	run_job(true, count_fn, &n);
	return n;
}

/* Claims what is due and says that it was sent; the id of the last delivery. */
static int send_fn(struct db *db, void *arg, struct err *err)
{
	struct mail_batch *batch;
	bool may_out;
	size_t i;

	if (on_claim(w.d, db, 10, &batch, err) < 0)
		return -1;
	for (i = 0; i < batch->count; i++) {
		struct mail_outcome sent = { .delivery = batch->mails[i].delivery, .outcome = OUTCOME_SENT, .code = 250, .reply = "ok", .relay_id = "",
			.at = clock_now() };

		*(int64_t *)arg = sent.delivery;
		if (on_dot(w.d, db, sent.delivery, &may_out, err) || on_outcome(w.d, db, &sent, err))
			return -1;
	}
	mail_batch_free(&batch);
	return 0;
}

static int64_t send_mail(void)
{
	int64_t delivery = 0;

	run_job(false, send_fn, &delivery);
	assert_int_not_equal(delivery, 0);
	return delivery;
}

static int lead_fn(struct db *db, void *arg, struct err *err)
{
	struct arena *arena = arena_new(0);
	struct lead *leads;
	size_t count;
	int rc = leads_latest(db, 1, arena, &leads, &count, err);

	if (rc == 0 && count)
		*(int64_t *)arg = leads[0].id;
	arena_free(&arena);
	return rc;
}

static int64_t latest_lead(void)
{
	int64_t id = 0;

	run_job(true, lead_fn, &id);
	assert_int_not_equal(id, 0);
	return id;
}

/* --- the client ------------------------------------------------------------------------------ */

static char *ask(const char *request, size_t n)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)w.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct buf out = BUF_INIT;
	char piece[4096];
	ssize_t got;

	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(send(fd, request, n, MSG_NOSIGNAL), (ssize_t)n);
	while ((got = recv(fd, piece, sizeof(piece), 0)) > 0)
		buf_add(&out, piece, (size_t)got);
	close(fd);
	return buf_take(&out);
}

/* headers: lines that end in CRLF. */
static char *get_as(const char *method, const char *path, const char *headers)
{
	struct buf b = BUF_INIT;
	char *answer;

	buf_printf(&b, "%s %s HTTP/1.1\r\nHost: mail.example.com\r\nConnection: close\r\n%s\r\n", method, path, headers);
	answer = ask(b.data, b.len);
	buf_clear(&b);
	return answer;
}

static char *post_as(const char *path, const char *type, const char *headers, const char *body)
{
	struct buf b = BUF_INIT;
	char *answer;

	buf_printf(&b, "POST %s HTTP/1.1\r\nHost: mail.example.com\r\nConnection: close\r\n", path);
	if (*type)
		buf_printf(&b, "Content-Type: %s\r\n", type);
	buf_printf(&b, "%sContent-Length: %zu\r\n\r\n%s", headers, strlen(body), body);
	answer = ask(b.data, b.len);
	buf_clear(&b);
	return answer;
}

static void has(const char *answer, const char *what)
{
	if (!strstr(answer, what))
		fail_msg("no \"%s\" in:\n%s", what, answer);
}

static void lacks(const char *answer, const char *what)
{
	if (strstr(answer, what))
		fail_msg("\"%s\" in:\n%s", what, answer);
}

/* Checks for one thing and frees. */
static void gets(char *answer, const char *what)
{
	has(answer, what);
	free(answer);
}

#define JSON "application/json"
#define FORM "application/x-www-form-urlencoded"
#define HTML "Accept: text/html\r\n"

static char *path_of(const char *prefix, enum token_kind kind, int64_t id, int link, const char *suffix)
{
	static char path[64];
	char token[TOKEN_TEXT];

	token_make(w.ring, kind, id, (uint8_t)link, clock_now(), token);
	snprintf(path, sizeof(path), "%s%s%s", prefix, token, suffix);
	return path;
}

/* Signs up, sends the first mail; its delivery. */
static int64_t one_mail(void)
{
	gets(post_as("/v1/forms/ebook", JSON, "", "{\"email\":\"eve@b.example\",\"first_name\":\"Eve\"}"), "202 Accepted");
	return send_mail();
}

/* --- sign-ups -------------------------------------------------------------------------------- */

static void a_sign_up_in_each_form_is_in_the_database(void **state)
{
	(void)state;
	gets(post_as("/v1/forms/ebook", JSON, "User-Agent: tester\r\nAccept-Language: de-AT,de;q=0.9\r\nReferer: https://www.example.com/ebook?secret=1\r\n",
		"{\"email\":\"Eve@B.example\",\"first_name\":\" Eve \",\"employees\":12,\"wants_demo\":true,\"timezone\":\"Europe/Berlin\"}"),
		"{\"id\":\"con_");
	knows("eve@b.example", "\"Eve\"", true);
	knows("eve@b.example", "\"de\" \"Europe/Berlin\"", true);
	knows("eve@b.example", "send me the <eBook>", true);
	knows("eve@b.example", "https://www.example.com/ebook", true);
	knows("eve@b.example", "secret", false);
	gets(post_as("/v1/forms/ebook", FORM, "", "email=bob%40b.example&first_name=Bob+B&website=&wants_demo=on&timezone=Mars/Olympus"), "202 Accepted");
	knows("bob@b.example", "\"Bob B\"", true);
	knows("bob@b.example", "Mars", false);
	gets(post_as("/v1/forms/ebook", "multipart/form-data; boundary=xx", "",
		"--xx\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\nmia@b.example\r\n"
		"--xx\r\nContent-Disposition: form-data; name=\"first_name\"\r\n\r\nMia\r\n--xx--\r\n"), "202 Accepted");
	knows("mia@b.example", "\"Mia\"", true);
	assert_int_equal(people(), 3);
}

static void the_same_key_gets_the_same_answer(void **state)
{
	char *a, *b, *c;

	(void)state;
	a = post_as("/v1/forms/ebook", JSON, "Idempotency-Key: k1\r\n", "{\"email\":\"eve@b.example\",\"first_name\":\"Eve\"}");
	b = post_as("/v1/forms/ebook", JSON, "Idempotency-Key: k1\r\n", "{\"email\":\"eve@b.example\",\"first_name\":\"Other\"}");
	c = post_as("/v1/forms/ebook", JSON, "Idempotency-Key: k2\r\n", "{\"email\":\"eve@b.example\",\"first_name\":\"Eve\"}");
	has(a, "202 Accepted");
	assert_string_equal(strstr(a, "\r\n\r\n"), strstr(b, "\r\n\r\n"));
	assert_string_not_equal(strstr(a, "\r\n\r\n"), strstr(c, "\r\n\r\n"));
	knows("eve@b.example", "Other", false);
	free(a);
	free(b);
	free(c);
	/* without a key the pairs are it, in whatever form they come */
	a = post_as("/v1/forms/ebook", JSON, "", "{\"email\":\"bob@b.example\",\"first_name\":\"Bob\"}");
	b = post_as("/v1/forms/ebook", FORM, "", "email=bob@b.example&first_name=Bob");
	has(a, "202 Accepted");
	assert_string_equal(strstr(a, "\r\n\r\n"), strstr(b, "\r\n\r\n"));
	free(a);
	free(b);
	gets(post_as("/v1/forms/ebook", JSON, "Idempotency-Key: a b\r\n", "{\"email\":\"eve@b.example\",\"first_name\":\"Eve\"}"), "400 ");
}

static void what_is_wrong_is_said_by_field(void **state)
{
	static const struct { const char *body, *wanted; } rows[] = {
		{ "{}", "{\"field\":\"email\",\"message\":\"is needed\"}" },
		{ "{\"email\":\"a@b.example\"}", "{\"field\":\"first_name\",\"message\":\"is needed\"}" },
		{ "{\"email\":\"a@b.example\",\"first_name\":\" \"}", "{\"field\":\"first_name\",\"message\":\"is needed\"}" },
		{ "{\"email\":\"nonsense\",\"first_name\":\"A\"}", "{\"field\":\"email\",\"message\":" },
		{ "{\"email\":[1],\"first_name\":\"A\"}", "{\"field\":\"email\",\"message\":\"is needed\"}" },
		{ "{\"email\":\"a@b.example\",\"first_name\":{}}", "{\"field\":\"first_name\",\"message\":\"must be text" },
		{ "{\"email\":\"a@b.example\",\"first_name\":\"A\",\"employees\":\"many\"}", "{\"field\":\"employees\",\"message\":\"is not a number\"}" },
		{ "{\"email\":\"a@b.example\",\"first_name\":\"A\",\"wants_demo\":\"perhaps\"}", "{\"field\":\"wants_demo\",\"message\":\"is neither yes nor no\"}" },
		{ "{\"email\":\"a@b.example\",\"first_name\":\"A\",\"stage\":\"customer\"}", "{\"field\":\"stage\",\"message\":\"is not a field of this form\"}" },
		{ "{\"email\":\"a@b.example\",\"first_name\":\"A\",\"\\\"<b>\":\"x\"}", "{\"field\":\"\\\"<b>\",\"message\":\"is not a field" },
		{ "{\"email\":\"a@b.example\",\"first_name\":\"A\\u0007\"}", "may not contain control characters" },
		{ "{\"email\":\"a@b.example\\r\\nBcc: x@b.example\",\"first_name\":\"A\"}", "{\"field\":\"email\",\"message\":" },
	};
	size_t i;
	char *answer;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		answer = post_as("/v1/forms/ebook", JSON, "", rows[i].body);
		has(answer, "422 Unprocessable Content");
		has(answer, "Content-Type: application/problem+json");
		gets(answer, rows[i].wanted);
	}
	gets(post_as("/v1/forms/ebook", FORM, "", "email=a@b.example&email=c@b.example&first_name=A"), "was given twice");
	gets(post_as("/v1/forms/ebook", JSON, "", "{\"email\""), "400 Bad Request");
	gets(post_as("/v1/forms/ebook", "text/xml", "", "<a/>"), "415 Unsupported Media Type");
	gets(post_as("/v1/forms/none", JSON, "", "{}"), "404 Not Found");
	gets(get_as("GET", "/v1/forms/ebook", ""), "405 Method Not Allowed");
	assert_int_equal(people(), 0);
}

static void browsers_get_pages(void **state)
{
	char *answer;

	(void)state;
	answer = post_as("/v1/forms/ebook", FORM, HTML, "email=eve@b.example&first_name=Eve");
	has(answer, "200 OK");
	has(answer, "<p>thanks</p>");
	has(answer, "Content-Type: text/html; charset=utf-8");
	has(answer, "Content-Security-Policy: default-src 'none';");
	has(answer, "frame-ancestors 'none'");
	free(answer);
	answer = post_as("/v1/forms/careful", FORM, HTML, "email=eve@b.example");
	has(answer, "303 See Other");
	gets(answer, "Location: https://www.example.com/thanks\r\n");
	/* the form again, with what was typed, and nothing of it as HTML */
	answer = post_as("/v1/forms/ebook", FORM, HTML, "email=%22%3E%3Cscript%3E&company=A%26B");
	has(answer, "422 ");
	lacks(answer, "<script>");
	has(answer, "value=\"A&amp;B\"");
	has(answer, "<p>First name is needed.</p>");
	free(answer);
	gets(post_as("/v1/forms/none", FORM, HTML, "email=a@b.example"), "<p>error</p>");
}

static void the_trap_looks_like_success_and_keeps_nothing(void **state)
{
	char *answer;

	(void)state;
	answer = post_as("/v1/forms/ebook", JSON, "", "{\"email\":\"robot@b.example\",\"first_name\":\"R\",\"website\":\"http://spam.example\"}");
	has(answer, "202 Accepted");
	gets(answer, "{\"id\":\"con_");
	gets(post_as("/v1/forms/ebook", FORM, HTML, "email=robot@b.example&first_name=R&website=x"), "<p>thanks</p>");
	assert_int_equal(people(), 0);
}

static void too_many_get_429(void **state)
{
	char body[100], ip[60], *answer;
	int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		snprintf(body, sizeof(body), "{\"email\":\"eve@b.example\",\"first_name\":\"Eve%d\"}", i);
		snprintf(ip, sizeof(ip), "X-Forwarded-For: 192.0.2.%d\r\n", i);
		gets(post_as("/v1/forms/ebook", JSON, ip, body), "202 Accepted");
	}
	/* the same again is no more */
	gets(post_as("/v1/forms/ebook", JSON, "X-Forwarded-For: 192.0.2.9\r\n", "{\"email\":\"bob@b.example\",\"first_name\":\"B\"}"), "202 ");
	gets(post_as("/v1/forms/ebook", JSON, "X-Forwarded-For: 192.0.2.9\r\n", "{\"email\":\"bob@b.example\",\"first_name\":\"B\"}"), "202 ");
	gets(post_as("/v1/forms/ebook", JSON, "X-Forwarded-For: 192.0.2.9\r\n", "{\"email\":\"bob@b.example\",\"first_name\":\"B\"}"), "202 ");
	gets(post_as("/v1/forms/ebook", JSON, "X-Forwarded-For: 192.0.2.9\r\n", "{\"email\":\"bob@b.example\",\"first_name\":\"B\"}"), "202 ");
	answer = post_as("/v1/forms/ebook", JSON, "X-Forwarded-For: 198.51.100.1\r\n", "{\"email\":\"Eve@b.example\",\"first_name\":\"Eve9\"}");
	has(answer, "429 Too Many Requests");
	gets(answer, "Retry-After: 120");
	for (i = 0; i < 20; i++) {
		snprintf(body, sizeof(body), "{\"email\":\"p%d@b.example\",\"first_name\":\"P\"}", i);
		gets(post_as("/v1/forms/ebook", JSON, "X-Forwarded-For: 203.0.113.5\r\n", body), "202 Accepted");
	}
	gets(post_as("/v1/forms/ebook", JSON, "X-Forwarded-For: 203.0.113.5\r\n", "{\"email\":\"q@b.example\",\"first_name\":\"Q\"}"), "429 ");
	gets(post_as("/v1/forms/ebook", JSON, "X-Forwarded-For: 203.0.113.6\r\n", "{\"email\":\"q@b.example\",\"first_name\":\"Q\"}"), "202 ");
}

static void origins_are_checked(void **state)
{
	static const char body[] = "{\"email\":\"eve@b.example\",\"first_name\":\"Eve\"}";
	char *answer;

	(void)state;
	answer = get_as("OPTIONS", "/v1/forms/ebook", "Origin: https://www.example.com\r\nAccess-Control-Request-Method: POST\r\n");
	has(answer, "204 No Content");
	has(answer, "Access-Control-Allow-Origin: https://www.example.com\r\n");
	has(answer, "Access-Control-Allow-Methods: POST\r\n");
	has(answer, "Idempotency-Key");
	gets(answer, "Vary: Origin\r\n");
	answer = get_as("OPTIONS", "/v1/forms/ebook", "Origin: https://evil.example\r\nAccess-Control-Request-Method: POST\r\n");
	has(answer, "403 Forbidden");
	lacks(answer, "Access-Control-Allow-Origin");
	free(answer);
	answer = post_as("/v1/forms/ebook", JSON, "Origin: https://www.example.com\r\n", body);
	has(answer, "202 Accepted");
	gets(answer, "Access-Control-Allow-Origin: https://www.example.com\r\n");
	gets(post_as("/v1/forms/ebook", JSON, "Origin: https://mail.example.com\r\n", body), "202 ");
	gets(post_as("/v1/forms/ebook", JSON, "Origin: http://www.example.com\r\n", body), "403 ");
	gets(post_as("/v1/forms/ebook", JSON, "Origin: https://www.example.com.evil.example\r\n", body), "403 ");
	gets(post_as("/v1/forms/ebook", JSON, "Origin: https://www.example.com@evil.example\r\n", body), "403 ");
	gets(post_as("/v1/forms/ebook", JSON, "Origin: null\r\n", body), "403 ");
	/* a form that names no origin takes posts from all, but lets no script read the answer */
	answer = post_as("/v1/forms/careful", JSON, "Origin: https://any.example\r\n", "{\"email\":\"bob@b.example\"}");
	has(answer, "202 ");
	lacks(answer, "Access-Control-Allow-Origin");
	free(answer);
}

static void the_sign_up_page_shows_the_form(void **state)
{
	char *answer;

	(void)state;
	gets(get_as("GET", "/", ""), "Location: /signup/careful\r\n");
	answer = get_as("GET", "/signup/ebook", HTML);
	has(answer, "200 OK");
	has(answer, "action=\"/v1/forms/ebook\"");
	has(answer, "send me the &lt;eBook&gt;.");
	has(answer, "name=\"employees\" type=\"number\"");
	has(answer, "name=\"website\"");
	free(answer);
	/* the policy lets the browser follow to `thanks` behind its post */
	gets(get_as("GET", "/signup/careful", HTML), "form-action 'self' https://www.example.com;");
	gets(get_as("GET", "/signup/none", HTML), "404 Not Found");
}

/* --- double opt-in --------------------------------------------------------------------------- */

static void only_the_post_confirms(void **state)
{
	char *answer, *path;
	int64_t consent;

	(void)state;
	answer = post_as("/v1/forms/careful", JSON, "", "{\"email\":\"eve@b.example\",\"first_name\":\"Eve\"}");
	has(answer, "202 ");
	*strchr(strstr(answer, "con_"), '"') = '\0';
	assert_int_equal(id_parse("con", strstr(answer, "con_"), &consent), 0);
	free(answer);
	path = path_of("/y/", TOKEN_CONFIRM, consent, 0, "");
	gets(get_as("GET", path, HTML), "<button>Confirm</button>");
	gets(get_as("HEAD", path, HTML), "200 OK");
	knows("eve@b.example", "confirmed", false);
	answer = post_as(path, FORM, HTML, "");
	has(answer, "<p>confirmed</p>");
	gets(answer, "href=\"https://www.example.com/thanks\"");
	knows("eve@b.example", "confirmed", true);
	gets(post_as(path, FORM, HTML, ""), "<p>confirmed</p>");
	gets(get_as("GET", "/y/nonsense", HTML), "404 ");
	gets(post_as(path_of("/y/", TOKEN_UNSUBSCRIBE, consent, 0, ""), FORM, HTML, ""), "404 ");
	gets(post_as(path_of("/y/", TOKEN_CONFIRM, consent + 1, 0, ""), FORM, HTML, ""), "404 ");
	path = path_of("/y/", TOKEN_CONFIRM, consent, 0, "");
	clock_set(START + 31 * US_DAY);
	gets(get_as("GET", path, HTML), "410 Gone");
}

/* --- unsubscribe ----------------------------------------------------------------------------- */

static void only_the_post_unsubscribes(void **state)
{
	int64_t delivery = one_mail();
	char *path = path_of("/u/", TOKEN_UNSUBSCRIBE, delivery, 0, ""), *answer;

	(void)state;
	answer = get_as("GET", path, HTML);
	has(answer, "<p>unsubscribe e***@b.example</p>");
	has(answer, path);
	lacks(answer, "eve@");
	free(answer);
	gets(get_as("HEAD", path, HTML), "200 OK");
	knows("eve@b.example", "withdrawn", false);
	answer = post_as(path, FORM, "", "List-Unsubscribe=One-Click");
	has(answer, "200 OK");
	has(answer, "\r\n\r\nYou are unsubscribed.\n");
	lacks(answer, "Set-Cookie");
	lacks(answer, "Location");
	free(answer);
	knows("eve@b.example", "withdrawn", true);
	knows("eve@b.example", "one-click", true);
	gets(post_as(path, "multipart/form-data; boundary=xx", "",
		"--xx\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--xx--\r\n"), "You are unsubscribed.");
	gets(post_as(path, FORM, HTML, ""), "<p>unsubscribed</p>");
	gets(post_as("/u/nonsense", FORM, "", "List-Unsubscribe=One-Click"), "404 ");
	gets(post_as(path_of("/u/", TOKEN_CLICK, delivery, 0, ""), FORM, "", "List-Unsubscribe=One-Click"), "404 ");
}

static void the_button_of_the_page_unsubscribes_too(void **state)
{
	char *path = path_of("/u/", TOKEN_UNSUBSCRIBE, one_mail(), 0, "");

	(void)state;
	clock_set(START + 3000 * US_DAY);	/* these links never expire */
	gets(post_as(path, "", HTML, ""), "<p>unsubscribed</p>");
	knows("eve@b.example", "withdrawn", true);
}

/* --- the preference centre ------------------------------------------------------------------- */

static void only_the_post_changes_preferences(void **state)
{
	char *path, *answer;
	char id[ID_TEXT];
	int64_t eve;

	(void)state;
	clock_set(START + 5 * US_DAY);
	one_mail();
	answer = look("eve@b.example");
	snprintf(id, sizeof(id), "%.*s", (int)strcspn(strstr(answer, "pro_"), "\""), strstr(answer, "pro_"));
	free(answer);
	assert_int_equal(id_parse("pro", id, &eve), 0);
	path = path_of("/p/", TOKEN_PREFERENCES, eve, 0, "");
	clock_set(START + 3000 * US_DAY);	/* these links never expire */
	answer = get_as("GET", path, HTML);
	has(answer, "<p>preferences - e***@b.example en</p>");
	lacks(answer, "eve@");
	free(answer);
	gets(post_as(path, FORM, HTML, "limit=1%2F7&pause=30"), "<p>preferences saved e***@b.example en</p><b>1/7</b><u>");
	gets(post_as(path, FORM, HTML, "limit=1%2F7&pause=keep"), "<p>preferences same ");
	gets(post_as(path, FORM, HTML, "limit=99%2F7"), "422 ");
	gets(post_as(path, FORM, HTML, "pause=until&until=2020-01-01"), "422 ");
	gets(post_as(path, FORM, HTML, "language=tlh"), "422 ");
	gets(post_as(path, FORM, HTML, "ask=erasure"), "<p>preferences asked-erasure ");
	gets(post_as(path, FORM, HTML, "pause=none&limit="), "<p>preferences saved ");
	gets(post_as("/p/nonsense", FORM, HTML, "pause=30"), "404 ");
	knows("eve@b.example", "withdrawn", false);
	gets(post_as(path, FORM, HTML, "unsubscribe=all"), "<p>unsubscribed</p>");
	knows("eve@b.example", "withdrawn", true);
}

/* --- opens, clicks, downloads ---------------------------------------------------------------- */

static void an_open_is_always_a_picture(void **state)
{
	int64_t delivery = one_mail();
	char *path = path_of("/o/", TOKEN_OPEN, delivery, 0, ".gif"), *answer;

	(void)state;
	answer = get_as("GET", path, "User-Agent: Mozilla/5.0 (X11)\r\n");
	has(answer, "200 OK");
	has(answer, "Content-Type: image/gif\r\n");
	has(answer, "Content-Length: 43\r\n");
	has(answer, "Cache-Control: no-store, private\r\n");
	has(answer, "\r\n\r\nGIF89a");
	free(answer);
	gets(get_as("GET", "/o/nonsense.gif", ""), "Content-Length: 43\r\n");
	gets(get_as("GET", "/o/", ""), "Content-Length: 43\r\n");
	gets(get_as("HEAD", path, ""), "Content-Length: 43\r\n");
	gets(get_as("GET", path_of("/o/", TOKEN_OPEN, delivery + 1, 0, ".gif"), ""), "\r\n\r\nGIF89a");
}

static void a_click_leads_where_the_mail_said(void **state)
{
	int64_t delivery = one_mail();
	char *path = path_of("/c/", TOKEN_CLICK, delivery, 0, ""), *answer, *upper, *c;
	char wanted[200];

	(void)state;
	answer = get_as("GET", path, "User-Agent: Mozilla/5.0 (X11)\r\n");
	has(answer, "302 Found");
	has(answer, "Referrer-Policy: no-referrer\r\n");
	snprintf(wanted, sizeof(wanted), "Location: https://www.example.com/compare?x=1&nurtured=%s#top\r\n", path + 3);
	gets(answer, wanted);
	/* mail systems change the case of links; the token in the query is for nurture.js, which wants it lower */
	upper = strdup(path);
	for (c = upper + 3; *c; c++)
		if (*c >= 'a' && *c <= 'z')
			*c = (char)(*c - 32);
	gets(get_as("GET", upper, ""), wanted);
	free(upper);
	gets(get_as("HEAD", path, ""), "302 Found");
	/* whom we do not send visitors of ours to learns nothing */
	gets(get_as("GET", path_of("/c/", TOKEN_CLICK, delivery, 1, ""), ""), "Location: https://partner.example.net/\r\n");
	gets(get_as("GET", path_of("/c/", TOKEN_CLICK, delivery, 9, ""), ""), "404 ");
	gets(get_as("GET", "/c/nonsense", HTML), "404 ");
	path = path_of("/c/", TOKEN_CLICK, delivery, 0, "");
	path[10] = path[10] == 'a' ? 'b' : 'a';
	gets(get_as("GET", path, HTML), "404 ");
	gets(get_as("GET", path_of("/c/", TOKEN_OPEN, delivery, 0, ""), HTML), "404 ");
	gets(post_as(path_of("/c/", TOKEN_CLICK, delivery, 0, ""), "", "", ""), "405 ");
	path = path_of("/c/", TOKEN_CLICK, delivery, 0, "");
	clock_set(START + 400 * US_DAY);
	gets(get_as("GET", path, ""), "Location: https://www.example.com/compare?x=1#top\r\n");
}

static void a_download_is_whole_or_a_part(void **state)
{
	int64_t delivery = one_mail();
	char *path = path_of("/d/", TOKEN_DOWNLOAD, delivery, 0, ""), *answer;

	(void)state;
	answer = get_as("GET", path, "");
	has(answer, "200 OK");
	has(answer, "Content-Type: application/pdf\r\n");
	has(answer, "Content-Disposition: attachment; filename=\"guide.pdf\"; filename*=UTF-8''guide.pdf\r\n");
	has(answer, "X-Robots-Tag: noindex, nofollow\r\n");
	has(answer, "Accept-Ranges: bytes\r\n");
	gets(answer, "\r\n\r\n0123456789");
	knows("eve@b.example", "\"download\"", true);
	answer = get_as("GET", path, "Range: bytes=2-4\r\n");
	has(answer, "206 Partial Content");
	has(answer, "Content-Range: bytes 2-4/10\r\n");
	gets(answer, "\r\n\r\n234");
	gets(get_as("GET", path, "Range: bytes=2-4\r\nIf-Range: \"other\"\r\n"), "200 OK");
	answer = get_as("GET", path, "Range: bytes=10-\r\n");
	has(answer, "416 ");
	gets(answer, "Content-Range: bytes */10\r\n");
	answer = get_as("HEAD", path, "");
	has(answer, "Content-Length: 10\r\n");
	assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
	free(answer);
	gets(get_as("GET", "/d/nonsense", HTML), "404 ");
	write_file("files/secret", "x");
	gets(get_as("GET", "/d/../files/secret", HTML), "404 ");
	path = path_of("/d/", TOKEN_DOWNLOAD, delivery, 0, "");
	clock_set(START + 15 * US_DAY);
	gets(get_as("GET", path, HTML), "410 Gone");
}

/* How many mails go out now; the last one's id. */
static int sends_fn(struct db *db, void *arg, struct err *err)
{
	*(int64_t *)arg = 0;
	return send_fn(db, arg, err);
}

static int64_t sends(void)
{
	int64_t delivery = 0;

	run_job(false, sends_fn, &delivery);
	return delivery;
}

static void a_link_that_has_expired_comes_anew(void **state)
{
	int64_t first = one_mail(), again;
	char *path = path_of("/d/", TOKEN_DOWNLOAD, first, 0, ""), *answer;
	int sent = 0;

	(void)state;
	gets(post_as(path, FORM, HTML, ""), "202 Accepted");	/* it works still, and it was sent a moment ago */
	assert_int_equal(sends(), 0);
	clock_set(START + 15 * US_DAY);
	while (sends())		/* what else was due by now, and offers the file too */
		;
	clock_set(START + 15 * US_DAY + 2 * US_HOUR);
	answer = get_as("GET", path, HTML);
	has(answer, "410 Gone");
	has(answer, "<form method=\"post\"");
	has(answer, "Send it to me again");
	lacks(answer, "b.example");
	free(answer);
	gets(get_as("GET", path, ""), "410 Gone");
	gets(post_as(path, FORM, HTML, ""), "Look into your mailbox");
	again = sends();
	assert_int_not_equal(again, 0);
	assert_int_not_equal(again, first);
	gets(get_as("GET", path_of("/d/", TOKEN_DOWNLOAD, again, 0, ""), HTML), "200 OK");
	/* not twice in an hour, not four times a day; the answer is the same */
	gets(post_as(path, FORM, HTML, ""), "Look into your mailbox");
	assert_int_equal(sends(), 0);
	for (int i = 1; i <= 4; i++) {
		clock_set(START + 15 * US_DAY + 2 * US_HOUR + i * 61 * US_MINUTE);
		gets(post_as(path, FORM, HTML, ""), "202 Accepted");
		sent += sends() != 0;
	}
	assert_in_range(sent, 1, 2);
	/* of nobody the same */
	gets(post_as(path_of("/d/", TOKEN_DOWNLOAD, first + 1, 0, ""), FORM, HTML, ""), "Look into your mailbox");
	assert_int_equal(sends(), 0);
	gets(post_as("/d/nonsense", FORM, HTML, ""), "404 ");
}

static void a_missing_file_is_said(void **state)
{
	char *path = path_of("/d/", TOKEN_DOWNLOAD, one_mail(), 0, ""), file[100];

	(void)state;
	snprintf(file, sizeof(file), "%s/files/guide.pdf", w.folder);
	assert_int_equal(unlink(file), 0);
	gets(get_as("GET", path, HTML), "404 ");
	/* a link out of the folder is not followed */
	assert_int_equal(symlink("/etc/passwd", file), 0);
	gets(get_as("GET", path, HTML), "404 ");
}

/* --- track ----------------------------------------------------------------------------------- */

#define VIEW(more) "{\"event\":\"page_view\",\"anonymousId\":\"visitor-1\",\"context\":{\"page\":{\"path\":\"/pricing\"}" more "}}"
#define KEY "Authorization: Bearer sesame\r\n"

static void a_visitor_is_joined_at_the_sign_up(void **state)
{
	(void)state;
	gets(post_as("/v1/track", "text/plain;charset=UTF-8", "Origin: https://www.example.com\r\n", VIEW("")), "{\"success\":true}");
	gets(post_as("/v1/forms/ebook", JSON, "", "{\"email\":\"eve@b.example\",\"first_name\":\"Eve\",\"anonymousId\":\"visitor-1\"}"), "202 ");
	knows("eve@b.example", "/pricing", true);
}

static void a_visitor_is_joined_by_a_click(void **state)
{
	char token[TOKEN_TEXT], body[300];

	(void)state;
	token_make(w.ring, TOKEN_CLICK, one_mail(), 0, clock_now(), token);
	snprintf(body, sizeof(body), VIEW(",\"nurtured\":\"%s\""), token);
	gets(post_as("/v1/track", "text/plain", "", body), "200 OK");
	knows("eve@b.example", "/pricing", true);
	token[5] = token[5] == 'a' ? 'b' : 'a';
	snprintf(body, sizeof(body), "{\"event\":\"page_view\",\"context\":{\"page\":{\"path\":\"/other\"},\"nurtured\":\"%s\"}}", token);
	gets(post_as("/v1/track", "text/plain", "", body), "422 ");
	knows("eve@b.example", "/other", false);
}

static void the_key_opens_the_rest(void **state)
{
	(void)state;
	gets(post_as("/v1/forms/ebook", JSON, "", "{\"email\":\"eve@b.example\",\"first_name\":\"Eve\"}"), "202 ");
	gets(post_as("/v1/track", JSON, KEY,
		"{\"userId\":\"eve@b.example\",\"event\":\"Order Completed\",\"properties\":{\"total\":0.1},\"messageId\":\"m1\",\"timestamp\":\"2026-11-20T10:00:00Z\"}"), "200 OK");
	knows("eve@b.example", "order_completed", true);
	gets(post_as("/v1/track", JSON, KEY, "{\"context\":{\"traits\":{\"email\":\"EVE@b.example\"}},\"event\":\"webinar\",\"messageId\":\"m1\"}"), "200 OK");
	knows("eve@b.example", "webinar", false);
	gets(post_as("/v1/track", JSON, KEY, "{\"context\":{\"traits\":{\"email\":\"EVE@b.example\"}},\"event\":\"webinar\",\"messageId\":\"m2\"}"), "200 OK");
	knows("eve@b.example", "webinar", true);
	gets(post_as("/v1/track", JSON, "Authorization: Bearer wrong\r\n", VIEW("")), "401 Unauthorized");
	gets(post_as("/v1/track", JSON, "Authorization: Basic c2VzYW1l\r\n", VIEW("")), "WWW-Authenticate: Bearer");
}

static void events_that_may_not_be_said(void **state)
{
	static const struct { const char *headers, *body, *wanted; } rows[] = {
		{ "", "{\"event\":\"purchase\",\"anonymousId\":\"visitor-1\"}", "422 " },
		{ "", "{\"event\":\"page_view\",\"userId\":\"eve@b.example\",\"context\":{\"page\":{\"path\":\"/\"}}}", "422 " },
		{ "", "{\"event\":\"page_view\",\"anonymousId\":\"visitor-1\"}", "422 " },
		{ "", "{\"event\":\"page_view\",\"anonymousId\":\"x\",\"context\":{\"page\":{\"path\":\"/\"}}}", "422 " },
		{ KEY, "{\"event\":\"click\",\"userId\":\"eve@b.example\"}", "is an event that nurtured makes itself" },
		{ KEY, "{\"event\":\"auto_reply\",\"userId\":\"eve@b.example\"}", "is an event that nurtured makes itself" },
		{ KEY, "{\"event\":\"Signup\",\"userId\":\"eve@b.example\"}", "is an event that nurtured makes itself" },
		{ KEY, "{\"event\":\"a/b\",\"userId\":\"eve@b.example\"}", "422 " },
		{ KEY, "{\"event\":\"\",\"userId\":\"eve@b.example\"}", "422 " },
		{ KEY, "{\"event\":\"demo\"}", "about nobody" },
		{ KEY, "{\"event\":\"demo\",\"userId\":\"eve@b.example\",\"timestamp\":\"yesterday\"}", "422 " },
		{ KEY, "{\"event\":\"demo\",\"userId\":\"eve@b.example\",\"properties\":[]}", "422 " },
		{ KEY, "{\"event\":\"demo\",\"userId\":\"eve@b.example\",\"messageId\":\"a b\"}", "422 " },
		{ KEY, "{\"event\":\"demo\",\"context\":{\"traits\":{\"email\":\"nonsense\"}}}", "422 " },
		{ KEY, "[]", "400 " },
		{ "Origin: https://evil.example\r\n", VIEW(""), "403 " },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		gets(post_as("/v1/track", JSON, rows[i].headers, rows[i].body), rows[i].wanted);
	gets(post_as("/v1/track", FORM, "", "a=b"), "415 ");
}

/* --- sales ----------------------------------------------------------------------------------- */

static int64_t one_lead(void)
{
	gets(post_as("/v1/forms/ebook", JSON, "", "{\"email\":\"eve@b.example\",\"first_name\":\"Eve\"}"), "202 ");
	gets(post_as("/v1/track", JSON, KEY, "{\"userId\":\"eve@b.example\",\"event\":\"demo\"}"), "200 OK");
	return latest_lead();
}

static void only_the_post_answers(void **state)
{
	int64_t lead = one_lead();
	char *path = path_of("/s/", TOKEN_SALES, lead, ANSWER_WON, ""), *answer;

	(void)state;
	answer = get_as("GET", path, HTML);
	has(answer, "200 OK");
	has(answer, "eve@b.example new");
	has(answer, "<button>won</button>");
	gets(answer, path);
	gets(get_as("GET", path, HTML), "eve@b.example new");
	gets(post_as(path, FORM, HTML, "amount=lots"), "422 ");
	gets(post_as(path, FORM, HTML, "amount=-1"), "422 ");
	gets(get_as("GET", path, HTML), "eve@b.example new");
	gets(post_as(path, FORM, HTML, "amount=+12500.50+"), "won won");
	gets(get_as("GET", path, HTML), "eve@b.example won");
	knows("eve@b.example", "12500.5", true);
	gets(get_as("GET", path_of("/s/", TOKEN_SALES, lead, 9, ""), HTML), "404 ");
	gets(get_as("GET", path_of("/s/", TOKEN_SALES, lead + 1, ANSWER_WON, ""), HTML), "404 ");
	gets(get_as("GET", "/s/nonsense", HTML), "404 ");
}

static void each_answer_is_taken(void **state)
{
	int64_t lead = one_lead();

	(void)state;
	gets(post_as(path_of("/s/", TOKEN_SALES, lead, ANSWER_ACCEPT, ""), "", HTML, ""), "accept accepted");
	gets(post_as(path_of("/s/", TOKEN_SALES, lead, ANSWER_REJECT, ""), FORM, HTML, "reason=too+small"), "reject rejected");
	gets(post_as(path_of("/s/", TOKEN_SALES, lead, ANSWER_LOST, ""), FORM, HTML, "reason=price"), "lost lost");
	/* whoever changed their mind: the last answer counts, although the same was given before */
	gets(post_as(path_of("/s/", TOKEN_SALES, lead, ANSWER_ACCEPT, ""), "", HTML, ""), "accept accepted");
	knows("eve@b.example", "\"accepted\"", true);
}

static void programs_report_outcomes(void **state)
{
	char id[ID_TEXT], body[300], *answer;

	(void)state;
	id_text("led", one_lead(), id);
	snprintf(body, sizeof(body), "{\"lead\":\"%s\",\"outcome\":\"won\",\"amount\":900,\"currency\":\"EUR\",\"reason\":\"big\"}", id);
	gets(post_as("/v1/outcomes", JSON, "", body), "401 ");
	gets(post_as("/v1/outcomes", JSON, "Authorization: Bearer sesam\r\n", body), "401 ");
	gets(post_as("/v1/outcomes", FORM, KEY, body), "415 ");
	answer = post_as("/v1/outcomes", JSON, KEY "Idempotency-Key: o1\r\n", body);
	has(answer, "200 OK");
	gets(answer, "\"state\":\"won\"}");
	knows("eve@b.example", "900", true);
	snprintf(body, sizeof(body), "{\"lead\":\"%s\",\"outcome\":\"lost\"}", id);
	gets(post_as("/v1/outcomes", JSON, KEY "Idempotency-Key: o1\r\n", body), "\"state\":\"won\"}");
	gets(post_as("/v1/outcomes", JSON, KEY "Idempotency-Key: o2\r\n", body), "\"state\":\"lost\"}");
	gets(post_as("/v1/outcomes", JSON, KEY, "{\"lead\":\"led_x\",\"outcome\":\"maybe\",\"amount\":-1,\"currency\":\"euro\",\"x\":1}"),
		"\"errors\":[{\"field\":\"x\",");
	gets(post_as("/v1/outcomes", JSON, KEY, "{\"lead\":\"led_x\",\"outcome\":\"maybe\"}"), "{\"field\":\"outcome\",");
	id_text("led", id_new(3, START), id);
	snprintf(body, sizeof(body), "{\"lead\":\"%s\",\"outcome\":\"lost\"}", id);
	gets(post_as("/v1/outcomes", JSON, KEY, body), "404 ");
}

/* --- the rest -------------------------------------------------------------------------------- */

static void the_script_and_the_probes(void **state)
{
	char *answer, tag[64] = "", headers[100];

	(void)state;
	answer = get_as("GET", "/nurture.js", "");
	has(answer, "Content-Type: text/javascript; charset=utf-8\r\n");
	has(answer, "window.nurture = nurture;");
	has(answer, "Cache-Control: public, max-age=3600\r\n");
	assert_int_equal(sscanf(strstr(answer, "ETag: "), "ETag: %60s", tag), 1);
	free(answer);
	snprintf(headers, sizeof(headers), "If-None-Match: %s\r\n", tag);
	gets(get_as("GET", "/nurture.js", headers), "304 Not Modified");
	gets(get_as("GET", "/healthz", ""), "200 OK");
	gets(get_as("GET", "/readyz", ""), "200 OK");
	gets(get_as("GET", "/metrics", ""), "404 ");
	gets(get_as("GET", "/<script>", HTML), "404 ");
}

static void reload_cb(void *arg)
{
	assert_int_equal(decide_reload(w.d, arg, NULL), 0);
	sem_post(&w.done);
}

static void a_reload_is_in_force_with_the_next_request(void **state)
{
	struct plan *old = w.plan;

	(void)state;
	gets(get_as("GET", "/signup/ebook", HTML), "200 OK");
	write_file("key", "other\n");
	load_plan();
	loop_post(w.loop, reload_cb, w.plan);
	sem_wait(&w.done);
	plan_unref(&old);
	gets(post_as("/v1/outcomes", JSON, KEY, "{}"), "401 ");
	gets(post_as("/v1/outcomes", JSON, "Authorization: Bearer other\r\n", "{}"), "422 ");
}

static void stop_ingest_cb(void *arg)
{
	ingest_stop(&w.in);
	sem_post(&w.done);
}

static void stopping_with_a_sign_up_under_way_loses_nothing(void **state)
{
	static const char request[] = "POST /v1/forms/ebook HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 47\r\n\r\n"
		"{\"email\":\"eve@b.example\",\"first_name\":\"Eve\"}    ";
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)w.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char c, *json;
	ssize_t got;

	(void)state;
	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL), (ssize_t)sizeof(request) - 1);
	loop_post(w.loop, stop_ingest_cb, NULL);
	sem_wait(&w.done);
	got = recv(fd, &c, 1, 0);
	close(fd);
	json = look("eve@b.example");
	/* answered or not: an answer means a row */
	if (got == 1)
		assert_string_not_equal(json, "");
	free(json);
}

/* A job that holds the store thread until it is let go, and behind it as many as may wait. */
struct filler {
	struct store_job job;
	sem_t *until;	/* NULL: runs through */
	sem_t *then;	/* NULL, or of the one that follows once this one is told of */
};

static int filler_run(struct store_job *job, struct db *db, struct err *err)
{
	struct filler *f = (struct filler *)job;

	if (f->until) {
		sem_post(&w.done);
		sem_wait(f->until);
	}
	return 0;
}

static bool submit_filler(sem_t *until, sem_t *then);

static void filler_done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct filler *f = (struct filler *)job;

	if (f->then)
		assert_true(submit_filler(f->then, NULL));
	free(job);
}

static bool submit_filler(sem_t *until, sem_t *then)
{
	struct filler *f = calloc(1, sizeof(*f));

	f->job.run = filler_run;
	f->job.done = filler_done;
	f->until = until;
	f->then = then;
	if (store_submit(w.store, &f->job, STORE_FIRST) == 0)
		return true;
	free(f);
	return false;
}

/* When all that came before it has been told of: it would make room once the queue is full. */
static void hold_cb(void *arg)
{
	assert_true(submit_filler(NULL, arg));
}

static void fill_cb(void *arg)
{
	while (submit_filler(NULL, NULL))
		;
	sem_post(&w.done);
}

/* Whatever keeps the store from taking more (a slow or full disk): nothing is taken that may be lost, and no link is dead. */
static void a_full_store_takes_nothing_and_breaks_no_link(void **state)
{
	int64_t delivery = one_mail();
	char *answer;
	sem_t until;

	(void)state;
	sem_init(&until, 0, 0);
	loop_post(w.loop, hold_cb, &until);
	sem_wait(&w.done);
	loop_post(w.loop, fill_cb, NULL);
	sem_wait(&w.done);
	answer = post_as("/v1/forms/ebook", JSON, "", "{\"email\":\"bob@b.example\",\"first_name\":\"Bob\"}");
	has(answer, "503 Service Unavailable");
	has(answer, "application/problem+json");
	gets(answer, "Retry-After: ");
	gets(post_as("/v1/forms/ebook", FORM, HTML, "email=bob@b.example&first_name=Bob"), "<p>error</p>");
	gets(post_as("/v1/track", "text/plain", "", VIEW("")), "503 ");
	gets(post_as(path_of("/u/", TOKEN_UNSUBSCRIBE, delivery, 0, ""), FORM, "", "List-Unsubscribe=One-Click"), "503 ");
	gets(get_as("GET", "/healthz", ""), "200 ");
	gets(get_as("GET", path_of("/u/", TOKEN_UNSUBSCRIBE, delivery, 0, ""), HTML), "<button>Unsubscribe</button>");
	gets(get_as("GET", path_of("/o/", TOKEN_OPEN, delivery, 0, ".gif"), ""), "Content-Length: 43\r\n");
	gets(get_as("GET", path_of("/c/", TOKEN_CLICK, delivery, 0, ""), ""), "Location: https://www.example.com/compare?x=1&nurtured=");
	gets(get_as("GET", path_of("/d/", TOKEN_DOWNLOAD, delivery, 0, ""), ""), "\r\n\r\n0123456789");
	sem_post(&until);
	knows("bob@b.example", "bob", false);
	knows("eve@b.example", "withdrawn", false);
	/* what filled the queue is being worked off: until there is room, it says so */
	answer = post_as("/v1/forms/ebook", JSON, "", "{\"email\":\"bob@b.example\",\"first_name\":\"Bob\"}");
	while (strstr(answer, "503 ")) {
		free(answer);
		answer = post_as("/v1/forms/ebook", JSON, "", "{\"email\":\"bob@b.example\",\"first_name\":\"Bob\"}");
	}
	gets(answer, "202 ");
	knows("bob@b.example", "bob", true);
	sem_destroy(&until);
}

/* A page that does not render is answered as plain text: none of the shipped ones may. */
static void the_shipped_pages_render(void **state)
{
	int64_t delivery = one_mail(), lead = one_lead(), consent;
	int answer_;
	char *answer;

	(void)state;
	gets(get_as("GET", "/signup/ebook", HTML), "text/html");
	gets(get_as("GET", "/signup/careful", HTML), "text/html");
	answer = post_as("/v1/forms/ebook", FORM, HTML, "email=%22%3E%3Cscript%3E&first_name=%22onclick=%22x&employees=many");
	has(answer, "text/html");
	lacks(answer, "<script>");
	lacks(answer, "\"onclick");
	free(answer);
	gets(post_as("/v1/forms/ebook", FORM, HTML, "email=bob@b.example&first_name=Bob"), "text/html");
	gets(get_as("GET", "/nothing/here", HTML), "404 ");
	gets(get_as("GET", "/c/nonsense", HTML), "text/html");
	gets(get_as("GET", path_of("/u/", TOKEN_UNSUBSCRIBE, delivery, 0, ""), HTML), "text/html");
	gets(post_as(path_of("/u/", TOKEN_UNSUBSCRIBE, delivery, 0, ""), FORM, HTML, ""), "text/html");
	for (answer_ = ANSWER_ACCEPT; answer_ <= ANSWER_LOST; answer_++) {
		gets(get_as("GET", path_of("/s/", TOKEN_SALES, lead, answer_, ""), HTML), "text/html");
		gets(post_as(path_of("/s/", TOKEN_SALES, lead, answer_, ""), FORM, HTML, "reason=x&amount=5"), "text/html");
	}
	answer = post_as("/v1/forms/careful", JSON, "", "{\"email\":\"mia@b.example\"}");
	*strchr(strstr(answer, "con_"), '"') = '\0';
	assert_int_equal(id_parse("con", strstr(answer, "con_"), &consent), 0);
	free(answer);
	gets(get_as("GET", path_of("/y/", TOKEN_CONFIRM, consent, 0, ""), HTML), "text/html");
	gets(post_as(path_of("/y/", TOKEN_CONFIRM, consent, 0, ""), FORM, HTML, ""), "text/html");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, world_open, world_close)
	const struct CMUnitTest tests[] = {
		T(a_sign_up_in_each_form_is_in_the_database),
		T(the_same_key_gets_the_same_answer),
		T(what_is_wrong_is_said_by_field),
		T(browsers_get_pages),
		T(the_trap_looks_like_success_and_keeps_nothing),
		T(too_many_get_429),
		T(origins_are_checked),
		T(the_sign_up_page_shows_the_form),
		T(only_the_post_confirms),
		T(only_the_post_unsubscribes),
		T(the_button_of_the_page_unsubscribes_too),
		T(only_the_post_changes_preferences),
		T(an_open_is_always_a_picture),
		T(a_click_leads_where_the_mail_said),
		T(a_download_is_whole_or_a_part),
		T(a_link_that_has_expired_comes_anew),
		T(a_missing_file_is_said),
		T(a_visitor_is_joined_at_the_sign_up),
		T(a_visitor_is_joined_by_a_click),
		T(the_key_opens_the_rest),
		T(events_that_may_not_be_said),
		T(only_the_post_answers),
		T(each_answer_is_taken),
		T(programs_report_outcomes),
		T(the_script_and_the_probes),
		T(a_reload_is_in_force_with_the_next_request),
		T(stopping_with_a_sign_up_under_way_loses_nothing),
		T(a_full_store_takes_nothing_and_breaks_no_link),
		cmocka_unit_test_setup_teardown(the_shipped_pages_render, shipped_open, world_close),
	};

	log_setup(LOG_WARN, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
