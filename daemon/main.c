/*
 * main.c: nurtured. Arguments, config, the parts in the order in which they need each other, the loop, and all of it down again in reverse.
 *
 * Signals: TERM and INT end what is under way and stop, a second one stops at once; HUP takes over a changed config, all of it or nothing.
 */
#include <curl/curl.h>
#include <event2/event.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crash.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/notify.h"
#include "base/random.h"
#include "base/token.h"
#include "config/difference.h"
#include "config/plan.h"
#include "console/console.h"
#include "decide/facts.h"
#include "decide/keys.h"
#include "handoff/handoff.h"
#include "ingest/ingest.h"
#include "listen/listen.h"
#include "send/send.h"
#include "store/store.h"

#define CONFIG_DEFAULT "/etc/nurtured/nurtured.yaml"
#define DRAIN_LOOKS (50 * INT64_C(1000))
#define DRAIN_LIMIT (20 * US_SECOND)

static struct daemon {
	const char *conf;
	bool verbose;
	int status;
	struct plan *plan;	/* of the start; decide has the one in force */
	struct loop *loop;
	struct store *store;
	struct token_ring *ring;
	struct decide *decide;
	struct send *send;
	struct handoff *handoff;
	struct listen *listen;
	struct console *console;
	struct ingest *ingest;
	struct event *signals[3];
	struct timer *draining, *keys;
	struct notify_watchdog *watchdog;
	int64_t drain_until;
} self;

static const char usage[] =
	"usage: nurtured [-c FILE] [-n] [-v] [-V]\n"
	"  -c FILE  the operator's file; the marketer's files lie beside it (" CONFIG_DEFAULT ")\n"
	"  -n       check all files, print every error, and end: status 78 if there is one\n"
	"  -v       log at level debug\n"
	"  -V       print the version\n";

/* --- config ------------------------------------------------------------------------------------------------------- */

static struct plan *load(struct buf *complaints)
{
	struct plan_errors errors = { 0 };
	struct plan *plan = plan_load(self.conf, &errors);

	if (!plan)
		buf_add(complaints, buf_cstr(&errors.text), errors.text.len);
	buf_clear(&errors.text);
	return plan;
}

static int reload(void *arg, struct buf *text)
{
	const char *restart;
	struct plan *plan;
	struct err err = { "" };
	int rc = 0;

	notify_reloading();
	plan = load(text);
	CRASH_POINT("reload.after_parse");
	if (!plan) {
		rc = -1;
	} else if ((restart = plan_needs_restart(decide_plan(self.decide), plan))) {
		buf_printf(text, "%s\n", restart);
		rc = -1;
	} else if (decide_reload(self.decide, plan, &err)) {
		buf_printf(text, "%s\n", err.text);
		rc = -1;
	} else {
		log_setup(self.verbose ? LOG_DEBUG : plan->operator.log_level, plan->operator.log_json);
		if (send_reload(self.send, &err))
			buf_printf(text, "the relay stays as it was: %s\n", err.text);
		if (listen_reload(self.listen, &err))
			buf_printf(text, "the mailboxes stay as they were: %s\n", err.text);
		buf_printf(text, "%zu sequences, %zu forms, %zu mails are in force\n", plan->sequence_count, plan->form_count, plan->mail_count);
	}
	plan_unref(&plan);
	console_note_reload(rc == 0);
	if (rc)
		log_error("reload.refused", L_STR("why", buf_cstr(text)));
	else
		log_info("reloaded", L_STR("what", buf_cstr(text)));
	notify_ready(rc ? "reload refused: see nurturectl check" : "reloaded");
	return rc;
}

static void on_hup(evutil_socket_t fd, short what, void *arg)
{
	struct buf text = BUF_INIT;

	if (!self.decide)
		return;
	(void)reload(NULL, &text);
	buf_clear(&text);
}

/* A mail that is brought through the control socket. */
static int take_mail(void *arg, const struct console_mail *mail, console_taken *done, void *done_arg)
{
	return listen_take(self.listen, mail->sender, mail->recipient, mail->data, mail->len, mail->size, done, done_arg);
}

/* A kept mail was read again. */
static int reread_mail(void *arg, int64_t mail, struct json_t *said, bool dry, console_reread_done *done, void *done_arg)
{
	return listen_reread(self.listen, mail, said, dry, done, done_arg);
}

/* --- stopping ------------------------------------------------------------------------------------------------------ */

static void look_if_drained(void *arg)
{
	bool busy = (self.send && send_busy(self.send)) || (self.handoff && handoff_busy(self.handoff));

	if (!busy || clock_steady() > self.drain_until)
		loop_stop(self.loop);
	else
		timer_set(self.draining, DRAIN_LOOKS);
}

static void on_term(evutil_socket_t fd, short what, void *arg)
{
	if (self.drain_until) {
		log_warn("stopped.at_once", L_STR("why", "a second signal"));
		_exit(1);
	}
	log_info("stopping", L_INT("signal", fd));
	notify_stopping("finishing what is under way");
	self.drain_until = clock_steady() + DRAIN_LIMIT;
	if (self.ingest)
		ingest_drain(self.ingest);
	if (self.send)
		send_drain(self.send);
	if (self.handoff)
		handoff_drain(self.handoff);
	timer_set(self.draining, 0);
}

static void stop_parts(void)
{
	listen_stop(&self.listen);
	ingest_stop(&self.ingest);
	console_stop(&self.console);
	send_stop(&self.send);
	handoff_stop(&self.handoff);
	if (self.decide)
		decide_quiesce(self.decide);
	store_stop(&self.store);
	decide_stop(&self.decide);
	token_ring_free(&self.ring);
}

static void fail(const char *what, const struct err *err, int status)
{
	log_error("start.failed", L_STR("part", what), L_STR("why", err->text));
	self.status = status;
	loop_stop(self.loop);
}

/* --- starting ------------------------------------------------------------------------------------------------------ */

/* The keys of tokens are made at the first start and live in the database, so that a backup has them: they are in every mail that was sent. */
struct key_job {
	struct store_job job;
	struct token_keys keys;
};

static int run_keys(struct store_job *job, struct db *db, struct err *err)
{
	struct key_job *k = (struct key_job *)job;

	return keys_load(db, &k->keys, err);
}

static void tell_relays(void *arg, struct buf *json, struct buf *metrics)
{
	send_report(self.send, json);
	send_metrics(self.send, metrics);
}

static int describe_relay(void *arg, const char *name, struct buf *json)
{
	return send_describe(self.send, name, json);
}

static void tell_mailboxes(void *arg, struct buf *json, struct buf *metrics)
{
	if (listen_report(self.listen, false, json) < 0)
		buf_str(json, "[]");
	listen_metrics(self.listen, metrics);
}

static int describe_mailboxes(void *arg, struct buf *json)
{
	return listen_report(self.listen, true, json);
}

static bool alive(void *arg, int64_t within)
{
	struct store_counts counts;

	store_counts(self.store, &counts);
	return clock_steady() - counts.last_turn < within;
}

static void start_parts(void)
{
	const struct operator_config *operator = &self.plan->operator;
	struct console_options console = { .socket = operator->control, .config = self.conf, .reload = reload, .take = take_mail, .reread = reread_mail,
		.relays = tell_relays, .relay = describe_relay, .mailboxes = tell_mailboxes, .mailboxes_full = describe_mailboxes };
	struct err err = { "" };

	if (decide_start(self.loop, self.store, self.plan, self.ring, &self.decide, &err))
		return fail("decide", &err, EX_UNAVAILABLE);
	if (send_start(self.loop, self.decide, &self.send, &err))
		return fail("send", &err, EX_UNAVAILABLE);
	if (handoff_start(self.loop, self.decide, &self.handoff, &err))
		return fail("handoff", &err, EX_UNAVAILABLE);
	if (listen_start(self.loop, self.decide, &self.listen, &err))
		return fail("listen", &err, EX_UNAVAILABLE);
	if (console_start(self.loop, self.decide, &console, &self.console, &err))
		return fail("console", &err, EX_UNAVAILABLE);
	if (ingest_start(self.loop, self.decide, &self.ingest, &err))
		return fail("ingest", &err, EX_UNAVAILABLE);
	console_note_reload(true);
	self.watchdog = notify_watchdog_start(self.loop, alive, NULL);
	log_info("listening", L_STR("address", operator->listen.address), L_INT("port", ingest_port(self.ingest)), L_STR("version", VERSION));
	notify_ready("taking sign-ups");
}

static void keys_done(struct store_job *job, enum store_result result, const struct err *err)
{
	struct key_job *k = (struct key_job *)job;

	if (result == STORE_COMMITTED) {
		self.ring = keys_ring(&k->keys);
		start_parts();
	} else {
		fail("keys", err, EX_IOERR);
	}
	explicit_bzero(k, sizeof(*k));
	free(k);
}

/* A full disk at the start is waited for: a restart would not help. */
static void ask_keys(void *arg)
{
	struct key_job *k = xcalloc(1, sizeof(*k));
	struct err why = { "" };

	k->job.run = run_keys;
	k->job.done = keys_done;
	if (store_submit(self.store, &k->job, STORE_FIRST) == 0)
		return;
	free(k);
	(void)store_ready(self.store, &why);
	log_error("start.waits", L_STR("why", why.text));
	timer_set(self.keys, 5 * US_SECOND);
}

static int open_store(struct err *err)
{
	struct store_options options = { .state = self.plan->operator.state, .owner = "nurtured" };

	if (store_start(self.loop, &options, &self.store, err))
		return -1;
	ask_keys(NULL);
	return 0;
}

static void watch_signals(void)
{
	struct event_base *base = loop_base(self.loop);
	size_t i;

	self.signals[0] = evsignal_new(base, SIGTERM, on_term, NULL);
	self.signals[1] = evsignal_new(base, SIGINT, on_term, NULL);
	self.signals[2] = evsignal_new(base, SIGHUP, on_hup, NULL);
	for (i = 0; i < 3; i++)
		event_add(self.signals[i], NULL);
}

static int serve(void)
{
	struct err err = { "" };
	size_t i;

	self.loop = loop_new();
	self.draining = timer_new(self.loop, look_if_drained, NULL);
	self.keys = timer_new(self.loop, ask_keys, NULL);
	watch_signals();
	if (open_store(&err)) {
		log_error("start.failed", L_STR("part", "store"), L_STR("why", err.text));
		self.status = EX_UNAVAILABLE;
	} else if (loop_run(self.loop)) {
		self.status = EX_OSERR;
	}
	notify_watchdog_stop(&self.watchdog);
	stop_parts();
	for (i = 0; i < 3; i++)
		event_free(self.signals[i]);
	timer_free(&self.draining);
	timer_free(&self.keys);
	loop_drain(self.loop);		/* what the store has posted is its own to free */
	loop_free(&self.loop);
	log_info("stopped", L_INT("status", self.status));
	return self.status;
}

/* --- arguments ----------------------------------------------------------------------------------------------------- */

static int check(void)
{
	struct buf complaints = BUF_INIT;

	self.plan = load(&complaints);
	if (self.plan)
		printf("%s: %zu forms, %zu lists, %zu sequences, %zu mails: all right\n", self.conf, self.plan->form_count, self.plan->list_count,
				self.plan->sequence_count, self.plan->mail_count);
	else
		fputs(buf_cstr(&complaints), stderr);
	buf_clear(&complaints);
	return self.plan ? EX_OK : EX_CONFIG;
}

/*
 * Each commit and each claim takes some memory and gives it back: glibc would give it on to the kernel and fetch it again, hundreds of times a
 * second.
 */
static void keep_memory(void)
{
	mallopt(M_TRIM_THRESHOLD, 8 << 20);
	mallopt(M_TOP_PAD, 256 << 10);
	mallopt(M_MMAP_THRESHOLD, 1 << 20);
}

int main(int argc, char **argv)
{
	struct buf complaints = BUF_INIT;
	bool only_check = false;
	int option, status;

	keep_memory();
	self.conf = CONFIG_DEFAULT;
	while ((option = getopt(argc, argv, "c:nvVh")) != -1) {
		switch (option) {
		case 'c':
			self.conf = optarg;
			break;
		case 'n':
			only_check = true;
			break;
		case 'v':
			self.verbose = true;
			break;
		case 'V':
			puts("nurtured " VERSION);
			return EX_OK;
		case 'h':
			fputs(usage, stdout);
			return EX_OK;
		default:
			fputs(usage, stderr);
			return EX_USAGE;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "nurtured: what is %s? Options only.\n%s", argv[optind], usage);
		return EX_USAGE;
	}
	signal(SIGPIPE, SIG_IGN);
	if (only_check) {
		status = check();
	} else {
		self.plan = load(&complaints);
		if (!self.plan) {
			fputs(buf_cstr(&complaints), stderr);
			buf_clear(&complaints);
			return EX_CONFIG;
		}
		log_setup(self.verbose ? LOG_DEBUG : self.plan->operator.log_level, self.plan->operator.log_json);
		curl_global_init(CURL_GLOBAL_DEFAULT);
		status = serve();
		curl_global_cleanup();
	}
	plan_unref(&self.plan);
	return status;
}
