/*
 * difference.c: see difference.h. Each plan is said in short facts (of which thing, which aspect, what); then the facts of both are compared, so
 * that a new kind of thing needs nothing but its facts.
 */
#include <inttypes.h>
#include <string.h>

#include "base/digest.h"
#include "base/text.h"
#include "base/zone.h"
#include "config/difference.h"
#include "config/words.h"

#include "nurture.h"

const char *const difference_words[] = {
	[DIFFERENCE_ADDED] = "added", [DIFFERENCE_REMOVED] = "removed", [DIFFERENCE_CHANGED] = "changed",
};

struct fact {
	const char *aspect;
	const char *text;
	bool hidden;		/* the text is for comparing, not for showing */
};

/* One thing, with what is said of it. */
struct thing {
	const char *kind, *name;
	struct fact *facts;
	size_t count, cap;
};

struct book {
	struct arena *arena;
	struct thing *things;
	size_t count, cap;
};

/* --- saying ------------------------------------------------------------------------------------------------------ */

static void *grown(struct arena *arena, void *array, size_t *cap, size_t count, size_t size)
{
	char *more;

	if (count < *cap)
		return array;
	*cap = *cap ? 2 * *cap : 8;
	more = arena_calloc(arena, *cap, size);
	if (count)
		memcpy(more, array, count * size);
	return more;
}

/* What is said next is of this. */
static void thing(struct book *b, const char *kind, const char *name)
{
	b->things = grown(b->arena, b->things, &b->cap, b->count, sizeof(*b->things));
	b->things[b->count++] = (struct thing){ .kind = kind, .name = arena_strdup(b->arena, name) };
}

static struct fact *fact(struct book *b, const char *aspect, const char *text)
{
	struct thing *t = &b->things[b->count - 1];

	t->facts = grown(b->arena, t->facts, &t->cap, t->count, sizeof(*t->facts));
	t->facts[t->count] = (struct fact){ .aspect = arena_strdup(b->arena, aspect), .text = arena_strdup(b->arena, text) };
	return &t->facts[t->count++];
}

/* Nothing is said of what is not there. */
static void say(struct book *b, const char *aspect, const char *text)
{
	if (text && *text)
		fact(b, aspect, text);
}

/* Only that it differs may be told. */
static void hide(struct book *b, const char *aspect, const void *bytes, size_t len)
{
	uint8_t digest[SHA256_SIZE];
	struct buf hex = BUF_INIT;

	if (!bytes)
		return;
	digest_sha256(bytes, len, digest);
	text_hex(&hex, digest, sizeof(digest));
	fact(b, aspect, buf_cstr(&hex))->hidden = true;
	buf_clear(&hex);
}

static void say_number(struct book *b, const char *aspect, double n)
{
	fact(b, aspect, arena_printf(b->arena, "%.15g", n));
}

/* Takes the text. */
static void say_buf(struct book *b, const char *aspect, struct buf *text)
{
	say(b, aspect, buf_cstr(text));
	buf_clear(text);
}

static void say_duration(struct book *b, const char *aspect, int64_t us)
{
	struct buf text = BUF_INIT;

	text_duration_print(&text, us);
	say_buf(b, aspect, &text);
}

static void say_when(struct book *b, const char *aspect, const struct expression *e)
{
	struct buf text = BUF_INIT;

	if (e)
		expression_print(e, &text);
	say_buf(b, aspect, &text);
}

static void say_rate(struct book *b, const char *aspect, struct rate rate)
{
	struct buf within = BUF_INIT;

	if (!rate.within)
		return;
	text_duration_print(&within, rate.within);
	say(b, aspect, arena_printf(b->arena, "%" PRId64 " per %s", rate.count,
			buf_cstr(&within) + (text_starts_with(buf_cstr(&within), "1 ") ? 2 : 0)));
	buf_clear(&within);
}

static void say_names(struct book *b, const char *aspect, const char *const *names)
{
	struct buf text = BUF_INIT;

	for (size_t i = 0; names && names[i]; i++)
		buf_printf(&text, "%s%s", i ? ", " : "", names[i]);
	say_buf(b, aspect, &text);
}

/* --- who they are, and what that is worth -------------------------------------------------------------------------- */

static void say_fields(struct book *b, const struct plan *plan)
{
	for (size_t i = 0; i < plan->field_count; i++) {
		thing(b, "field", plan->fields[i].name);
		say(b, "type", value_type_name(plan->fields[i].type));
		say(b, "default", plan->fields[i].default_text);
	}
}

static void say_places(struct book *b, const struct plan *plan)
{
	for (size_t i = 0; i < plan->stage_count; i++) {
		thing(b, "stage", plan->stages[i].name);
		say_when(b, "when", plan->stages[i].when);
		say_when(b, "until", plan->stages[i].until);
	}
	for (size_t i = 0; i < plan->list_count; i++) {
		thing(b, "list", plan->lists[i].name);
		say_when(b, "when", plan->lists[i].when);
		say_rate(b, "at_most", plan->lists[i].at_most);
		say(b, "tone", plan->lists[i].tone);
	}
}

static void say_score_rule(struct book *b, const char *kind, const struct score_rule *rule)
{
	thing(b, kind, rule->name);
	say_number(b, "points", rule->points);
	say(b, "on", rule->on);
	say_rate(b, "at_most", rule->at_most);
	say_when(b, "when", rule->when);
}

static void say_score(struct book *b, const struct plan *plan)
{
	thing(b, "score", "");
	say_duration(b, "half_life", plan->half_life);
	for (int i = 0; plan->graded && i < 3; i++) {
		say_number(b, arena_printf(b->arena, "grade %c, fit from", 'A' + i), plan->grade_fit[i]);
		say_number(b, arena_printf(b->arena, "grade %d, interest from", i + 1), plan->grade_interest[i]);
	}
	for (size_t i = 0; i < plan->fit_count; i++)
		say_score_rule(b, "fit rule", &plan->fit[i]);
	for (size_t i = 0; i < plan->interest_count; i++)
		say_score_rule(b, "interest rule", &plan->interest[i]);
}

/* --- when mail may go ---------------------------------------------------------------------------------------------- */

static void say_quiet(struct book *b, const struct quiet *q)
{
	static const char *const days[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };
	const char *quiet[8] = { NULL };
	size_t n = 0;

	thing(b, "quiet", "");
	if (!q->set)
		return;
	for (int i = 0; i < 7; i++)
		if (q->day[i])
			quiet[n++] = days[i];
	say_names(b, "days", quiet);
	say(b, "before", arena_printf(b->arena, "%02d:%02d", q->before / 60, q->before % 60));
	say(b, "after", arena_printf(b->arena, "%02d:%02d", q->after / 60, q->after % 60));
	say(b, q->by_prospect ? "default_timezone" : "timezone", zone_name(q->zone));
}

static void say_holidays(struct book *b, const struct plan *plan)
{
	for (size_t i = 0; i < plan->holiday_count; i++) {
		const struct holiday *h = &plan->holidays[i];
		const char *day = arena_printf(b->arena, "%02d-%02d", h->month, h->day);

		struct buf text = BUF_INIT;

		/* the same day may be one for several, each with a `when` */
		buf_str(&text, h->year ? arena_printf(b->arena, "%04d-%s", h->year, day) : day);
		if (h->when) {
			buf_str(&text, " when ");
			expression_print(h->when, &text);
		}
		thing(b, "holiday", buf_cstr(&text));
		buf_clear(&text);
	}
}

/* --- forms, mails -------------------------------------------------------------------------------------------------- */

static void say_form(struct book *b, const struct plan *plan, const struct form *f)
{
	struct buf text = BUF_INIT;

	thing(b, "form", f->name);
	for (size_t i = 0; i < f->field_count; i++)
		buf_printf(&text, "%s%s%s", i ? ", " : "", plan->fields[f->fields[i]].name, f->required[i] ? " (required)" : "");
	say_buf(b, "fields", &text);
	say(b, "consent purpose", f->consent_purpose);
	say(b, "consent words", f->consent_words);
	say(b, "confirm", f->confirm_double ? "double" : "single");
	say(b, "confirmation", f->confirm_mail ? f->confirm_mail->name : NULL);
	say(b, "download", f->download);
	say(b, "thanks", f->thanks);
	say_names(b, "allow_origin", f->allow_origin);
	say_rate(b, "per_address", f->per_address);
	say_rate(b, "per_ip", f->per_ip);
	say(b, "trust", f->trust_overwrite ? "overwrite" : "fill");
	say(b, "honeypot", f->honeypot);
}

static void say_template(struct book *b, const char *aspect, const struct template *t)
{
	if (t)
		hide(b, aspect, template_digest(t), SHA256_SIZE);
}

static void say_mail(struct book *b, const struct mail_template *m)
{
	thing(b, "mail", m->name);
	say_template(b, "text", m->html);
	if (m->text != template_text_part(m->html))
		say_template(b, "plain text", m->text);
	for (size_t i = 0; i < m->attachment_count; i++)
		hide(b, arena_printf(b->arena, "attach %s", m->attachments[i]->name), m->attachments[i]->digest, sizeof(m->attachments[i]->digest));
	for (size_t i = 0; i < m->picture_count; i++)
		hide(b, arena_printf(b->arena, "picture %s", m->pictures[i]->name), m->pictures[i]->digest, sizeof(m->pictures[i]->digest));
}

/* --- sequences ----------------------------------------------------------------------------------------------------- */

/* A step with where it leads. `go` says nothing else; ways to the step that follows go without saying. */
static void say_step(struct book *b, const struct plan *plan, const struct sequence *s, int index)
{
	const struct step *step = &s->steps[index];
	struct step_way ways[STEP_WAYS_MAX];
	size_t count = step->kind == STEP_TEST ? 0 : step_ways(s, index, ways);
	struct buf text = BUF_INIT;
	const char *before = "; ";

	words_step(&text, plan, step);
	for (size_t i = 0; i < count; i++) {
		const char *label = ways[i].label;

		if (ways[i].to == step->next && step->kind != STEP_IF && step->kind != STEP_SPLIT && step->kind != STEP_GO)
			continue;
		buf_printf(&text, "%s%s%s%s", step->kind == STEP_GO ? " to " : before, label, *label ? ": " : "", words_target(s, ways[i].to));
		before = ", ";
	}
	say_buf(b, arena_printf(b->arena, "step %s", step->name), &text);
}

static void say_tracking(struct book *b, enum tracking track, const struct utm *utm)
{
	if (track != TRACK_ALL)
		say(b, "track", nurture_tracks[track]);
	say(b, "utm source", utm->source);
	say(b, "utm medium", utm->medium);
	say(b, "utm campaign", utm->campaign);
}

static void say_sequence(struct book *b, const struct plan *plan, const struct sequence *s)
{
	struct buf text = BUF_INIT;

	thing(b, "sequence", s->name);
	say(b, "list", s->list);
	words_entry(&text, s);
	say_buf(b, "enter", &text);
	words_again(&text, s);
	say_buf(b, "again", &text);
	say_when(b, "goal", s->goal);
	say_when(b, "exit", s->exit);
	say_number(b, "priority", s->priority);
	if (s->beside_any)
		say(b, "beside", "any");
	else
		say_names(b, "beside", s->beside);
	if (s->one_to_one)
		say(b, "mode", "one-to-one");
	if (s->holdout > 0) {
		say(b, "holdout", arena_printf(b->arena, "%g%%", s->holdout * 100));
		say_duration(b, "holdout_for", s->holdout_for);
	}
	if (s->spread)
		say_duration(b, "spread", s->spread);
	say(b, "on_change", words_on_change[s->on_change]);
	say_tracking(b, s->track, &s->utm);
	for (size_t i = 0; i < s->gone_count; i++)
		say(b, arena_printf(b->arena, "gone: %s", s->gone[i].step), words_target(s, s->gone[i].to));
	for (int i = 0; i < s->step_count; i++)
		say_step(b, plan, s, i);
}

/* --- sales --------------------------------------------------------------------------------------------------------- */

/* The host: of chat services the rest is the secret. */
static const char *host_of(struct book *b, const char *url)
{
	const char *at = strstr(url, "://");

	at = at ? at + 3 : url;
	return arena_strndup(b->arena, at, strcspn(at, "/?#"));
}

static void say_sales(struct book *b, const struct sales *sales)
{
	static const char *const on_hot[] = { [HOT_PAUSE] = "pause", [HOT_STOP] = "stop", [HOT_GO_ON] = "go_on" };

	thing(b, "sales", "");
	say_when(b, "hot", sales->hot);
	if (sales->hot) {
		say_duration(b, "cooldown", sales->cooldown);
		say(b, "on_hot", on_hot[sales->on_hot]);
	}
	say(b, "replies_to", sales->replies_to);
	for (size_t i = 0; i < sales->owner_count; i++) {
		const struct owner *o = &sales->owners[i];

		thing(b, "owner", o->name);
		say(b, "email", o->email);
		say(b, "full_name", o->full_name);
		say_when(b, "when", o->when);
		if (!o->when)
			say_number(b, "share", o->share);
	}
	for (size_t i = 0; i < sales->alert_count; i++) {
		const struct alert_target *a = &sales->alerts[i];

		thing(b, "alert", arena_printf(b->arena, "%zu, to %s", i + 1, host_of(b, a->url)));
		hide(b, "to", a->url, strlen(a->url));
		say(b, "as", a->as);
		say_template(b, "payload", a->payload);
		hide(b, "secret", a->secret, a->secret ? strlen(a->secret) : 0);
	}
}

/* --- the operator's file ------------------------------------------------------------------------------------------- */

static void say_relay(struct book *b, const struct relay_config *r)
{
	thing(b, "relay", r->name);
	say(b, "url", r->url);
	say(b, "tls", r->tls == TLS_NONE ? "none" : "required");
	say(b, "user", r->user);
	hide(b, "password", r->password, r->password ? strlen(r->password) : 0);
	say(b, "ca_file", r->ca_file);
	say(b, "ehlo", r->ehlo);
	say_number(b, "connections", r->connections);
	say_number(b, "messages", r->messages);
	say_number(b, "weight", r->weight);
	say(b, "backup", r->backup ? "yes" : "");
	if (r->rate.count)
		say_rate(b, "rate", r->rate);
}

static void say_mailbox(struct book *b, const struct mailbox_config *m)
{
	thing(b, "mailbox", m->name);
	say(b, "url", m->url);
	say(b, "tls", m->tls == TLS_NONE ? "none" : "required");
	say(b, "user", m->user);
	hide(b, "password", m->password, m->password ? strlen(m->password) : 0);
	say(b, "token_file", m->token_file);
	say_names(b, "token_command", m->token_command);
	say(b, "ca_file", m->ca_file);
	say_duration(b, "poll", m->poll);
	say(b, "after", mailbox_after_names[m->after]);
	say(b, "move_to", m->move_to);
	say_names(b, "domains", m->domains);
}

static void say_sender(struct book *b, const char *prefix, const struct sender_config *s)
{
	const struct {
		const char *key, *value;
	} rows[] = {
		{ "from", s->from.text }, { "from_name", s->from_name }, { "company", s->company }, { "postal_address", s->postal_address },
		{ "bounce_domain", s->bounce_domain }, { "reply_domain", s->reply_domain }, { "message_domain", s->message_domain },
		{ "separator", (const char[]){ s->separator, '\0' } }, { "tracking_url", s->tracking_url },
		{ "relay", s->relay },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		say(b, arena_printf(b->arena, "%s%s", prefix, rows[i].key), rows[i].value);
}

static void say_esp(struct book *b, const struct esp_config *c)
{
	thing(b, "esp", esp_names[c->service]);
	hide(b, "path", c->path, c->path ? strlen(c->path) : 0);
	say_names(b, "topics", c->topics);
	say(b, "certificate", c->certificate);
	say(b, "public_key", c->public_key);
	hide(b, "signing_key", c->signing_key, c->signing_key ? strlen(c->signing_key) : 0);
	say(b, "user", c->user);
	hide(b, "password", c->password, c->password ? strlen(c->password) : 0);
	hide(b, "token", c->token, c->token ? strlen(c->token) : 0);
}

static void say_shape(struct book *b, const struct shape_config *c)
{
	say(b, "shape.limits", c->off ? "off" : "on");
	say_rate(b, "shape.providers", c->provider);
	say_number(b, "shape.provider_burst", c->provider_burst);
	say_rate(b, "shape.others", c->other);
	say_number(b, "shape.other_burst", c->other_burst);
	say(b, "shape.mx", c->no_mx ? "off" : "on");
	say(b, "shape.resolver", c->resolver);
	for (size_t i = 0; i < c->group_count; i++) {
		say_rate(b, arena_printf(b->arena, "shape.%s.rate", c->groups[i].name), c->groups[i].rate);
		say_number(b, arena_printf(b->arena, "shape.%s.burst", c->groups[i].name), c->groups[i].burst);
		say_names(b, arena_printf(b->arena, "shape.%s.domains", c->groups[i].name), c->groups[i].domains);
		say_names(b, arena_printf(b->arena, "shape.%s.mx", c->groups[i].name), c->groups[i].mx);
	}
	for (size_t i = 0; i < c->sender_count; i++) {
		say_number(b, arena_printf(b->arena, "shape.%s.per_day", c->senders[i].domain), c->senders[i].per_day);
		if (c->senders[i].warm_up)
			say(b, arena_printf(b->arena, "shape.%s.warm_up", c->senders[i].domain),
				arena_printf(b->arena, "%d from day %lld on", c->senders[i].first, (long long)c->senders[i].since));
	}
}

static void say_operator(struct book *b, const struct operator_config *o)
{
	static const char *const levels[] = { [LOG_DEBUG] = "debug", [LOG_INFO] = "info", [LOG_WARN] = "warn", [LOG_ERROR] = "error" };
	static const char *const precedences[] = { "never", "mailings", "always" };

	thing(b, "operator", "");
	say(b, "state", o->state);
	say(b, "files", o->files);
	say(b, "control", o->control);
	say(b, "templates", o->templates);
	say(b, "listen.address", o->listen.address);
	say_number(b, "listen.port", o->listen.port);
	say(b, "listen.public_url", o->listen.public_url);
	say_names(b, "listen.trusted_proxies", o->listen.trusted_proxies);
	say_number(b, "listen.max_connections", o->listen.max_connections);
	say_number(b, "listen.max_body", (double)o->listen.max_body);
	say_duration(b, "listen.request_timeout", o->listen.request_timeout);
	say_names(b, "listen.allow_redirect", o->listen.allow_redirect);
	hide(b, "listen.api_key", o->listen.api_key, o->listen.api_key ? strlen(o->listen.api_key) : 0);
	hide(b, "listen.api_secret", o->listen.api_secret, o->listen.api_secret ? strlen(o->listen.api_secret) : 0);
	say_sender(b, "sender.", &o->senders[0]);
	say_duration(b, "keep.events", o->keep_events);
	say_duration(b, "keep.raw_mail", o->keep_raw_mail);
	say_number(b, "keep.raw_mail_size", (double)o->keep_raw_mail_size);
	say(b, "log.level", levels[o->log_level]);
	say(b, "log.format", o->log_json ? "json" : "logfmt");
	say_shape(b, &o->shape);
	say_duration(b, "click_hold", o->click_hold);
	say(b, "tracking.honeypot", o->tracking.honeypot ? "yes" : "no");
	say_duration(b, "retry_first", o->retry_first);
	say_names(b, "allow_private", o->allow_private);
	for (size_t i = 0; i < o->message.header_count; i++)
		say(b, arena_printf(b->arena, "message.headers.%s", o->message.headers[i].name), o->message.headers[i].value);
	say(b, "message.precedence", precedences[o->message.precedence]);
	say(b, "message.suppress_auto_replies", o->message.suppress_auto_replies ? "yes" : "no");
	say_number(b, "message.max_size", (double)o->message.max_size);
	for (size_t i = 1; i < o->sender_count; i++) {
		thing(b, "sender", o->senders[i].name);
		say_sender(b, "", &o->senders[i]);
	}
	for (size_t i = 0; i < o->relay_count; i++)
		say_relay(b, &o->relays[i]);
	for (size_t i = 0; i < o->mailbox_count; i++)
		say_mailbox(b, &o->mailboxes[i]);
	for (size_t i = 0; i < o->esp_count; i++)
		say_esp(b, &o->esps[i]);
}

static void say_plan(struct book *b, const struct plan *plan)
{
	say_fields(b, plan);
	say_places(b, plan);
	say_score(b, plan);
	say_quiet(b, &plan->quiet);
	say_holidays(b, plan);
	for (size_t i = 0; i < plan->form_count; i++)
		say_form(b, plan, &plan->forms[i]);
	for (size_t i = 0; i < plan->mail_count; i++)
		say_mail(b, &plan->mails[i]);
	for (size_t i = 0; i < plan->sequence_count; i++)
		say_sequence(b, plan, &plan->sequences[i]);
	say_sales(b, &plan->sales);
	say_operator(b, &plan->operator);
}

/* --- comparing ----------------------------------------------------------------------------------------------------- */

static const struct thing *find_thing(const struct book *b, const struct thing *like)
{
	for (size_t i = 0; i < b->count; i++)
		if (strcmp(b->things[i].kind, like->kind) == 0 && strcmp(b->things[i].name, like->name) == 0)
			return &b->things[i];
	return NULL;
}

static const struct fact *find_fact(const struct thing *t, const char *aspect)
{
	for (size_t i = 0; i < t->count; i++)
		if (strcmp(t->facts[i].aspect, aspect) == 0)
			return &t->facts[i];
	return NULL;
}

/* The names of what both have, in the order in which `b` has them. */
static const char *common(const struct book *b, const struct book *other, const char *kind)
{
	struct buf text = BUF_INIT;
	const char *copy;

	for (size_t i = 0; i < b->count; i++)
		if (strcmp(b->things[i].kind, kind) == 0 && find_thing(other, &b->things[i]))
			buf_printf(&text, "%s%s", text.len ? ", " : "", b->things[i].name);
	copy = arena_strdup(b->arena, buf_cstr(&text));
	buf_clear(&text);
	return copy;
}

static const char *common_steps(const struct book *b, const struct thing *t, const struct thing *other)
{
	struct buf text = BUF_INIT;
	const char *copy;

	for (size_t i = 0; i < t->count; i++)
		if (text_starts_with(t->facts[i].aspect, "step ") && find_fact(other, t->facts[i].aspect))
			buf_printf(&text, "%s%s", text.len ? ", " : "", t->facts[i].aspect + strlen("step "));
	copy = arena_strdup(b->arena, buf_cstr(&text));
	buf_clear(&text);
	return copy;
}

struct found {
	struct arena *arena;
	struct difference *all;
	size_t count, cap;
	struct difference_aspect *aspects;	/* of the thing at hand */
	size_t aspect_count, aspect_cap;
};

static void add(struct found *f, const struct thing *t, enum difference_change change)
{
	f->all = grown(f->arena, f->all, &f->cap, f->count, sizeof(*f->all));
	f->all[f->count++] = (struct difference){ .kind = t->kind, .name = t->name, .change = change, .aspects = f->aspects, .count = f->aspect_count };
	f->aspects = NULL;
	f->aspect_count = f->aspect_cap = 0;
}

static void aspect(struct found *f, const char *name, const char *was, const char *is)
{
	f->aspects = grown(f->arena, f->aspects, &f->aspect_cap, f->aspect_count, sizeof(*f->aspects));
	f->aspects[f->aspect_count++] = (struct difference_aspect){ .name = name, .was = was, .is = is };
}

static void compare_fact(struct found *f, const struct fact *was, const struct fact *is)
{
	bool hidden = (was && was->hidden) || (is && is->hidden);

	if (was && is && strcmp(was->text, is->text) == 0)
		return;
	aspect(f, was ? was->aspect : is->aspect, !was ? NULL : hidden ? "" : was->text, !is ? NULL : hidden ? "" : is->text);
}

static void compare_things(struct found *f, const struct book *b, const struct thing *was, const struct thing *is)
{
	const char *before = common_steps(b, was, is), *after = common_steps(b, is, was);

	for (size_t i = 0; i < was->count; i++)
		compare_fact(f, &was->facts[i], find_fact(is, was->facts[i].aspect));
	for (size_t i = 0; i < is->count; i++)
		if (!find_fact(was, is->facts[i].aspect))
			compare_fact(f, NULL, &is->facts[i]);
	if (strcmp(before, after) != 0)
		aspect(f, "order of steps", before, after);
	if (f->aspect_count)
		add(f, was, DIFFERENCE_CHANGED);
}

/* Of stages and lists, where the order decides. */
static void compare_order(struct found *f, const struct book *was, const struct book *is, const char *kind)
{
	const char *before = common(was, is, kind), *after = common(is, was, kind);

	if (strcmp(before, after) == 0)
		return;
	aspect(f, "order", before, after);
	add(f, &(struct thing){ .kind = kind, .name = "" }, DIFFERENCE_CHANGED);
}

static bool last_of_kind(const struct book *b, size_t i)
{
	return i + 1 == b->count || strcmp(b->things[i].kind, b->things[i + 1].kind) != 0;
}

static void add_new_of(struct found *f, const struct book *was, const struct book *is, const char *kind)
{
	for (size_t i = 0; i < is->count; i++)
		if (strcmp(is->things[i].kind, kind) == 0 && !find_thing(was, &is->things[i]))
			add(f, &is->things[i], DIFFERENCE_ADDED);
}

static bool has_kind(const struct book *b, const char *kind)
{
	for (size_t i = 0; i < b->count; i++)
		if (strcmp(b->things[i].kind, kind) == 0)
			return true;
	return false;
}

size_t plan_compare(const struct plan *was_plan, const struct plan *is_plan, struct arena *arena, const struct difference **out)
{
	struct book was = { .arena = arena }, is = { .arena = arena };
	struct found f = { .arena = arena };

	say_plan(&was, was_plan);
	say_plan(&is, is_plan);
	for (size_t i = 0; i < was.count; i++) {
		const struct thing *t = &was.things[i], *now = find_thing(&is, t);

		if (now)
			compare_things(&f, &was, t, now);
		else
			add(&f, t, DIFFERENCE_REMOVED);
		if (last_of_kind(&was, i))
			add_new_of(&f, &was, &is, t->kind);
	}
	for (size_t i = 0; i < is.count; i++)	/* kinds of which there was none before */
		if (!has_kind(&was, is.things[i].kind))
			add(&f, &is.things[i], DIFFERENCE_ADDED);
	compare_order(&f, &was, &is, "stage");
	compare_order(&f, &was, &is, "list");
	*out = f.all;
	return f.count;
}

const char *plan_needs_restart(const struct plan *was, const struct plan *is)
{
	const struct operator_config *a = &was->operator, *b = &is->operator;

	if (strcmp(a->state, b->state) != 0 || strcmp(a->control, b->control) != 0 || strcmp(a->listen.address, b->listen.address) != 0 ||
			a->listen.port != b->listen.port)
		return "state, control, listen.address and listen.port are taken at the start only: restart, or put them back";
	return NULL;
}
