/*
 * plan.c: loading a plan as a whole, sharing it, finding things in it by name.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "base/digest.h"
#include "base/mem.h"
#include "config/languages.h"

#include "load.h"
#include "replies.h"
#include "sequences.h"

static void wipe(char *secret)
{
	OPENSSL_cleanse(secret, strlen(secret));
	free(secret);
}

/* All but the names, which an older sequence borrows. */
static void body_clear(struct plan_body *b)
{
	for (size_t i = 0; i < b->expression_count; i++)
		expression_free(&b->expressions[i]);
	for (size_t i = 0; i < b->template_count; i++)
		template_free(&b->templates[i]);
	for (size_t i = 0; i < b->secret_count; i++)
		wipe(b->secrets[i]);
	free(b->expressions);
	free(b->templates);
	free(b->secrets);
	arena_free(&b->arena);
}

static void olds_free(struct plan_body *b)
{
	while (b) {
		struct plan_body *next = b->olds;

		body_clear(b);
		free(b);
		b = next;
	}
}

/* They are big, and are not read again by whoever borrows them. */
static void networks_drop(const struct networks *networks)
{
	struct networks *own = (struct networks *)(uintptr_t)networks;

	networks_free(&own);
}

static void body_free(struct plan_body *b)
{
	networks_drop(b->plan.operator.tracking.egress);
	networks_drop(b->plan.operator.tracking.scanners);
	olds_free(b->olds);
	vocabulary_free(&b->plan.vocabulary);
	vocabulary_free(&b->plan.mail_names);
	vocabulary_free(&b->plan.page_names);
	vocabulary_free(&b->plan.alert_names);
	body_clear(b);
	free(b);
}

static void load_init(struct load *l, const char *operator_file)
{
	const char *slash = strrchr(operator_file, '/');

	*l = (struct load){ .body = xcalloc(1, sizeof(*l->body)) };
	l->plan = &l->body->plan;
	l->arena = l->body->arena = arena_new(0);
	l->scratch = arena_new(0);
	l->plan->references = 1;
	complaints_init(&l->complaints, l->scratch);
	l->folder = l->body->folder = slash ? arena_strndup(l->arena, operator_file, (size_t)(slash - operator_file)) : ".";
}

static void load_clear(struct load *l)
{
	complaints_clear(&l->complaints);
	buf_clear(&l->versions);
	free(l->pending);
	arena_free(&l->scratch);
}

static void load_all(struct load *l, const char *operator_file)
{
	const char *slash = strrchr(operator_file, '/');

	operator_load(l, slash ? slash + 1 : operator_file);
	replies_load(l);
	nurture_load(l);
	/* without fields every mail that names one would be wrong too */
	if (l->operator_known && l->nurture_known) {
		mails_load(l);
		pages_load(l);
	}
	forms_load(l);
	sequences_load(l);
	sales_load(l);
	/* without stages and lists every expression that names one would be wrong too */
	if (l->nurture_known)
		load_expressions(l);
	check_plan(l);
}

/* The plan, or NULL after its complaints. */
static struct plan *load_done(struct load *l, struct plan_errors *errors)
{
	struct plan *plan = l->complaints.count ? NULL : l->plan;

	if (!plan) {
		errors->count += l->complaints.count;
		complaints_print(&l->complaints, &errors->text);
		body_free(l->body);
	}
	load_clear(l);
	return plan;
}

static struct plan *load(const char *operator_file, bool no_secrets, struct plan_errors *errors)
{
	struct load l;

	load_init(&l, operator_file);
	l.no_secrets = l.body->no_secrets = no_secrets;
	load_all(&l, operator_file);
	if (!l.complaints.count) {
		rules_build(&l);
		digest_sha256(buf_cstr(&l.versions), l.versions.len, l.plan->digest);
	}
	return load_done(&l, errors);
}

struct plan *plan_of_replies(void)
{
	struct plan_errors errors = { 0 };
	struct plan *plan;
	struct load l;

	load_init(&l, "");
	replies_load_shipped(&l);
	plan = load_done(&l, &errors);
	assert(plan && "what is shipped is good");
	return plan;
}

struct plan *plan_load_names(const char *operator_file, struct plan_errors *errors)
{
	const char *slash = strrchr(operator_file, '/');
	struct load l;

	load_init(&l, operator_file);
	l.no_secrets = l.body->no_secrets = true;
	operator_load(&l, slash ? slash + 1 : operator_file);
	replies_load(&l);
	nurture_load(&l);
	return load_done(&l, errors);
}

struct plan *plan_load(const char *operator_file, struct plan_errors *errors)
{
	return load(operator_file, false, errors);
}

struct plan *plan_load_to_look(const char *operator_file, struct plan_errors *errors)
{
	return load(operator_file, true, errors);
}

/* What is right for a new sequence need not be asked of an old one again: only whether all that it names is still there. */
const struct sequence *plan_old_sequence(struct plan *plan, const char *source, struct plan_errors *errors)
{
	struct plan_body *b = xcalloc(1, sizeof(*b)), *of = (struct plan_body *)plan;
	struct load l = {
		.body = b, .plan = plan, .folder = of->folder, .no_secrets = of->no_secrets,
		.operator_known = true, .nurture_known = true, .mails_known = true,
	};
	struct sequence *s;
	struct sequence_nodes nodes;

	l.arena = b->arena = arena_new(0);
	l.scratch = arena_new(0);
	complaints_init(&l.complaints, l.scratch);
	s = arena_calloc(l.arena, 1, sizeof(*s));
	s->index = -1;
	sequences_read(&l, yaml_parse(&l.complaints, source_of(&l.complaints, "kept version", source, strlen(source))), s, &nodes);
	load_expressions(&l);
	errors->count += l.complaints.count;
	complaints_print(&l.complaints, &errors->text);
	if (l.complaints.count) {
		olds_free(b);
		s = NULL;
	} else {
		b->old = s;
		b->olds = of->olds;
		__atomic_store_n(&of->olds, b, __ATOMIC_RELEASE);	/* the loop looks for targets in it */
	}
	load_clear(&l);
	return s;
}

static const struct alert_target *target_in(const struct sequence *s, const char *url)
{
	for (int i = 0; i < s->step_count; i++) {
		if (s->steps[i].kind == STEP_WEBHOOK && !strcmp(s->steps[i].target->url, url))
			return s->steps[i].target;
	}
	return NULL;
}

const struct sequence *plan_known_sequence(const struct plan *plan, const char *name, const char *version)
{
	const struct plan_body *of = (const struct plan_body *)plan, *old;

	for (old = __atomic_load_n(&of->olds, __ATOMIC_ACQUIRE); old; old = old->olds)
		if (!strcmp(old->old->name, name) && !strcmp(old->old->version, version))
			return old->old;
	return NULL;
}

const struct alert_target *plan_target(const struct plan *plan, const char *url)
{
	const struct plan_body *of = (const struct plan_body *)plan, *old;
	const struct alert_target *found = NULL;

	for (size_t i = 0; i < plan->sales.alert_count && !found; i++) {
		if (!strcmp(plan->sales.alerts[i].url, url))
			found = &plan->sales.alerts[i];
	}
	for (size_t i = 0; i < plan->webhook_count && !found; i++) {
		if (!strcmp(plan->webhooks[i]->url, url))
			found = plan->webhooks[i];
	}
	for (old = __atomic_load_n(&of->olds, __ATOMIC_ACQUIRE); old && !found; old = old->olds)
		found = target_in(old->old, url);
	return found;
}

struct plan *plan_ref(struct plan *plan)
{
	__atomic_add_fetch(&plan->references, 1, __ATOMIC_RELAXED);
	return plan;
}

void plan_unref(struct plan **plan)
{
	struct plan *p = *plan;

	*plan = NULL;
	if (p && __atomic_sub_fetch(&p->references, 1, __ATOMIC_ACQ_REL) == 0)
		body_free((struct plan_body *)p);
}

/* --- finders ---------------------------------------------------------------------------------------------------- */

const struct template *plan_page(const struct plan *plan, const char *name)
{
	const struct plan_body *b = (const struct plan_body *)plan;

	for (size_t i = 0; i < b->page_count; i++) {
		if (!strcmp(b->pages[i].name, name))
			return b->pages[i].template;
	}
	return NULL;
}

const struct template *plan_page_in(const struct plan *plan, const char *name, const char *language, const char **language_out)
{
	const struct plan_body *b = (const struct plan_body *)plan;

	for (size_t n = strlen(language); n; n = languages_wider(language, n)) {
		for (size_t i = 0; i < b->page_count; i++) {
			const struct plan_page *page = &b->pages[i];

			if (!*page->language || strcmp(page->base, name) != 0 || !languages_same(page->language, language, n))
				continue;
			if (language_out)
				*language_out = page->language;
			return page->template;
		}
	}
	if (language_out)
		*language_out = plan->language;
	return plan_page(plan, name);
}

const struct form *plan_form(const struct plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->form_count; i++) {
		if (!strcmp(plan->forms[i].name, name))
			return &plan->forms[i];
	}
	return NULL;
}

const struct mail_template *plan_mail(const struct plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->mail_count; i++) {
		if (!strcmp(plan->mails[i].name, name))
			return &plan->mails[i];
	}
	return NULL;
}

/* RFC 4647, section 3.4: part after part is taken away from its end. */
const struct mail_template *plan_mail_in(const struct plan *plan, const struct mail_template *mail, const char *language)
{
	for (size_t n = strlen(language); n; n = languages_wider(language, n)) {
		for (size_t i = 0; i < plan->mail_count; i++) {
			const struct mail_template *m = &plan->mails[i];

			if (*m->language && !strcmp(m->base, mail->base) && languages_same(m->language, language, n))
				return m;
		}
	}
	return mail;
}

const struct sequence *plan_sequence(const struct plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->sequence_count; i++) {
		if (!strcmp(plan->sequences[i].name, name))
			return &plan->sequences[i];
	}
	return NULL;
}

int plan_step(const struct sequence *sequence, const char *name)
{
	for (int i = 0; i < sequence->step_count; i++) {
		if (!strcmp(sequence->steps[i].name, name))
			return i;
	}
	return -1;
}

int plan_stage(const struct plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->stage_count; i++) {
		if (!strcmp(plan->stages[i].name, name))
			return (int)i;
	}
	return -1;
}

const struct topic *plan_topic(const struct plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->topic_count; i++) {
		if (!strcmp(plan->topics[i].name, name))
			return &plan->topics[i];
	}
	return NULL;
}

struct topic_words topic_words_in(const struct topic *topic, const char *language)
{
	for (size_t n = strlen(language); n; n = languages_wider(language, n)) {
		for (size_t i = 0; i < topic->word_count; i++) {
			if (languages_same(topic->words[i].language, language, n))
				return topic->words[i];
		}
	}
	return (struct topic_words){ "", topic->title, topic->about };
}

const char *step_topic(const struct sequence *sequence, const struct step *step)
{
	const struct mail_template *mail = step->mail ? step->mail : step->arm_count ? step->arms[0].mail : NULL;

	return !mail ? NULL : mail->topic ? mail->topic : sequence->topic;
}

int plan_list(const struct plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->list_count; i++) {
		if (!strcmp(plan->lists[i].name, name))
			return (int)i;
	}
	return -1;
}

struct rule_set plan_rules_of(const struct plan *plan, const char *event)
{
	size_t low = 0, high = plan->event_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(event, plan->event_names[middle]);

		if (!order)
			return plan->by_event[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return (struct rule_set){ 0 };
}

enum reply_action plan_reply_action(const struct plan *plan, const char *intent, const struct reply_intent **intent_out)
{
	const struct replies *r = &plan->replies;

	if (intent_out)
		*intent_out = NULL;
	for (size_t i = 0; i < r->intent_count; i++) {
		if (strcmp(r->intents[i].name, intent))
			continue;
		if (intent_out)
			*intent_out = &r->intents[i];
		return r->intents[i].action;
	}
	return REPLY_STOP;
}
