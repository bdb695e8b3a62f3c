/*
 * small_site.h: a whole site in a temporary folder, as small as it can be, to which a test adds what it is about: sequences, mails,
 * fields. decide on a store in memory, the clock in the caller's hand. Dies when something is wrong with the site itself.
 *
 * Mails: a, b, c and d, with the subjects "Mail a" and so on; d names the owner.
 */
#ifndef TESTS_DECIDE_SMALL_SITE_H
#define TESTS_DECIDE_SMALL_SITE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "config/plan.h"
#include "decide/facts.h"
#include "store/store.h"

#define SITE static __attribute__((unused))

struct site {
	char *folder;
	struct store *store;
	struct token_ring *ring;
	struct plan *plan;
	struct decide *d;
};

SITE void site_die(const char *what, const char *why)
{
#ifdef CMOCKA_H_
	fail_msg("%s: %s", what, why);
#else
	fprintf(stderr, "%s: %s\n", what, why);
	abort();
#endif
}

SITE void site_write(const struct site *s, const char *name, const char *text)
{
	char *path = xasprintf("%s/%s", s->folder, name);
	FILE *f = fopen(path, "w");

	if (!f || fputs(text, f) < 0 || fclose(f) || chmod(path, 0600))
		site_die(path, "cannot be written");
	free(path);
}

SITE void site_folder(const struct site *s, const char *name)
{
	char *path = xasprintf("%s/%s", s->folder, name);

	if (mkdir(path, 0700))
		site_die(path, "cannot be made");
	free(path);
}

SITE void site_mail(const struct site *s, const char *name, const char *subject, const char *words)
{
	char *file = xasprintf("templates/emails/%s.liquid", name);
	char *text = xasprintf("---\nsubject: \"%s\"\n---\n<p>%s <a href=\"https://www.example.com/%s\">read</a>"
		" <a href=\"{{ unsubscribe_url }}\">stop</a> {{ sender.postal_address }}</p>\n", subject, words, name);

	site_write(s, file, text);
	free(file);
	free(text);
}

SITE void site_sequence(const struct site *s, const char *name, const char *text)
{
	char *file = xasprintf("sequences/%s.yaml", name), *whole = xasprintf("sequence: %s\n%s", name, text);

	site_write(s, file, whole);
	free(file);
	free(whole);
}

static const char site_nurture[] =
	"fields:\n  first_name: {type: text, default: there}\n  country: {type: text}\n  webinar_at: {type: time}\n"
	"stages:\n  - name: first\n  - name: second\n    when: interest >= 50\n    until: interest < 40\n"
	"lists:\n  - {name: ready, when: stage == \"second\", tone: direct}\n  - {name: all, tone: gentle}\n"
	"score:\n  interest:\n    - {on: visit, points: 10}\n    - {on: refund, points: -20}\n"
	"quiet: {days: [sat, sun], before: \"08:00\", after: \"19:00\", timezone: prospect, default_timezone: Europe/Berlin}\n";

/* A folder with everything but sequences. */
SITE void site_init(struct site *s)
{
	static const char *const folders[] = { "forms", "sequences", "secrets", "templates", "templates/emails", "templates/pages", "templates/alerts" };
	static const char *const pages[] = { "signup", "confirm", "confirmed", "unsubscribe", "unsubscribed", "preferences", "thanks", "error", "sales-answer",
		"sales-answered" };
	char *text;
	size_t i;

	*s = (struct site){ .folder = xstrdup("/tmp/small-site.XXXXXX") };
	if (!mkdtemp(s->folder))
		site_die("/tmp", "no folder");
	for (i = 0; i < sizeof(folders) / sizeof(*folders); i++)
		site_folder(s, folders[i]);
	for (i = 0; i < sizeof(pages) / sizeof(*pages); i++) {
		text = xasprintf("templates/pages/%s.liquid", pages[i]);
		site_write(s, text, "<p>page</p>\n");
		free(text);
	}
	site_write(s, "templates/alerts/forward.liquid", "---\nsubject: Reply\n---\nreply\n");
	site_write(s, "templates/alerts/note.liquid",
		"{\"type\": {{ alert.type | json }}, \"reason\": {{ alert.reason | json }}, \"email\": {{ prospect.email | json }}}\n");
	site_mail(s, "a", "Mail a", "Hello {{ first_name | default: 'there' }}.");
	site_mail(s, "b", "Mail b", "Hello.");
	site_mail(s, "c", "Mail c", "Hello.");
	site_mail(s, "d", "Mail d", "{% if owner %}Yours, {{ owner.name }}.{% endif %}");
	site_mail(s, "confirm", "Confirm", "<a href=\"{{ confirm_url }}\">yes</a>");
	site_write(s, "forms/form.yaml", "form: form\nfields: [email, first_name, country]\n"
		"consent: {purpose: newsletter, words: \"Yes.\"}\nconfirm: single\nlimits: {per_address: 100 per hour, per_ip: 1000 per hour}\n");
	site_write(s, "nurture.yaml", site_nurture);
	text = xasprintf("state: state\ntemplates: templates\ncontrol: control.sock\n"
		"listen: {port: 0, public_url: \"https://mail.example.com\"}\n"
		"sender:\n  from: \"Site <site@example.com>\"\n  company: Example Ltd\n  postal_address: \"1 High Street\"\n"
		"  bounce_domain: bounce.example.com\n  reply_domain: reply.example.com\n"
		"relays:\n  - {name: main, url: \"smtp://127.0.0.1:2525\", tls: none}\n"
		"mailboxes:\n  - {name: replies, url: \"maildir:%s/replies\"}\n", s->folder);
	site_write(s, "nurtured.yaml", text);
	free(text);
}

SITE struct plan *site_load(const struct site *s)
{
	char *path = xasprintf("%s/nurtured.yaml", s->folder);
	struct plan_errors errors = { 0 };
	struct plan *plan = plan_load(path, &errors);

	if (!plan)
		site_die("config", buf_cstr(&errors.text));
	buf_clear(&errors.text);
	free(path);
	return plan;
}

SITE void site_open(struct site *s)
{
	static const uint8_t keys[1][TOKEN_SECRET] = { { 1, 2, 3 } }, ids[1] = { 0 };
	struct err err = { "" };

	s->plan = site_load(s);
	s->ring = token_ring_new(keys, ids, 1);
	if (store_open_memory(NULL, &s->store, &err) || decide_open(s->store, s->plan, s->ring, &s->d, &err))
		site_die("open", err.text);
}

SITE void site_clear(struct site *s)
{
	char *command = xasprintf("rm -rf %s", s->folder);

	decide_stop(&s->d);
	store_stop(&s->store);
	plan_unref(&s->plan);
	token_ring_free(&s->ring);
	if (system(command) != 0)
		fprintf(stderr, "%s is left\n", s->folder);
	free(command);
	free(s->folder);
}

/* --- jobs, at once ----------------------------------------------------------------------------------------------- */

typedef int site_fn(struct site *s, struct db *db, void *arg, struct err *err);

struct site_job {
	struct store_job job;
	struct site *site;
	site_fn *fn;
	void *arg;
};

SITE int site_job_run(struct store_job *job, struct db *db, struct err *err)
{
	struct site_job *j = (struct site_job *)job;

	return j->fn(j->site, db, j->arg, err) < 0 ? -1 : 0;
}

SITE void site_run(struct site *s, site_fn *fn, void *arg)
{
	struct site_job j = { .job = { .run = site_job_run }, .site = s, .fn = fn, .arg = arg };
	struct err err = { "" };

	if (store_run(s->store, &j.job, &err) != STORE_COMMITTED)
		site_die("job", err.text);
}

/* The folder as it is now comes into force, and everybody is looked at. */
SITE void site_reload(struct site *s)
{
	struct plan *plan = site_load(s);
	struct err err = { "" };

	if (decide_reload(s->d, plan, &err))
		site_die("reload", err.text);
	plan_unref(&s->plan);
	s->plan = plan;
}

SITE int site_track_fn(struct site *s, struct db *db, void *arg, struct err *err)
{
	struct track_result result;

	return on_track(s->d, db, arg, &result, err);
}

SITE void site_track(struct site *s, const char *email, const char *event, const char *properties)
{
	struct address address;
	struct track fact = { .who = { .address = &address }, .event = event, .subject = "", .properties = properties, .message_id = "", .at = clock_now() };

	if (address_parse(email, &address, NULL))
		site_die(email, "no address");
	site_run(s, site_track_fn, &fact);
}

SITE int site_signup_fn(struct site *s, struct db *db, void *arg, struct err *err)
{
	struct signup_result result;

	return on_signup(s->d, db, arg, &result, err);
}

SITE void site_signup(struct site *s, const char *email, const char *country, const char *language, const char *timezone)
{
	struct pair fields[] = { { "first_name", "Eva" }, { "country", country } };
	struct address address;
	struct signup fact = { .form = "form", .address = &address, .fields = fields, .field_count = country ? 2 : 1, .ip = "192.0.2.1", .agent = "test",
		.page = "", .language = language, .timezone = timezone, .at = clock_now() };

	if (address_parse(email, &address, NULL))
		site_die(email, "no address");
	site_run(s, site_signup_fn, &fact);
}

#endif
