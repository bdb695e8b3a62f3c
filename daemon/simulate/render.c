/*
 * render.c: the parts of a mail, rendered with the values that decide gave and with links that lead nowhere: what fails here, or is aborted,
 * fails and is aborted in send.
 */
#include <stdlib.h>

#include "inside.h"

struct render {
	struct plan *plan;
	struct arena *arena;
	struct buf subject, preheader, part;
	int subject_symbol, preheader_symbol, download_symbol, confirm_symbol;
	int urls[3];
	const struct mail *mail;
};

struct render *render_new(struct plan *plan)
{
	static const char *const urls[] = { "unsubscribe_url", "preferences_url", "open_url" };
	struct render *r = xcalloc(1, sizeof(*r));
	size_t i;

	r->plan = plan_ref(plan);
	r->arena = arena_new(16 * 1024);
	r->subject_symbol = vocabulary_find(plan->mail_names, slice_of("subject"));
	r->preheader_symbol = vocabulary_find(plan->mail_names, slice_of("preheader"));
	r->download_symbol = vocabulary_find(plan->mail_names, slice_of("download_url"));
	r->confirm_symbol = vocabulary_find(plan->mail_names, slice_of("confirm_url"));
	for (i = 0; i < sizeof(urls) / sizeof(*urls); i++)
		r->urls[i] = vocabulary_find(plan->mail_names, slice_of(urls[i]));
	return r;
}

void render_free(struct render **render)
{
	struct render *r = *render;

	if (!r)
		return;
	plan_unref(&r->plan);
	arena_free(&r->arena);
	buf_clear(&r->subject);
	buf_clear(&r->preheader);
	buf_clear(&r->part);
	free(r);
	*render = NULL;
}

static struct value text_or_nil(const struct buf *b)
{
	return b->len ? value_slice((struct slice){ b->data, b->len }) : value_nil;
}

static struct value link_or_nil(const struct render *r, bool there)
{
	return there ? value_text(r->plan->operator.listen.public_url) : value_nil;
}

static struct value name_cb(void *ctx, int symbol)
{
	const struct render *r = ctx;
	size_t i;

	if (r->mail->kind == DELIVERY_FORWARD)	/* the names of alerts, which have none of ours */
		return r->mail->values[symbol];
	if (symbol == r->subject_symbol)
		return text_or_nil(&r->subject);
	if (symbol == r->preheader_symbol)
		return text_or_nil(&r->preheader);
	if (symbol == r->download_symbol)
		return link_or_nil(r, *r->mail->download);
	if (symbol == r->confirm_symbol)
		return link_or_nil(r, r->mail->consent);
	for (i = 0; i < sizeof(r->urls) / sizeof(*r->urls); i++)
		if (symbol == r->urls[i])
			return link_or_nil(r, true);
	return r->mail->values[symbol];
}

static enum template_result part(struct render *r, const struct template *t, int64_t now, struct buf *out, struct err *err)
{
	struct template_env env = { .now = now, .ctx = r, .name = name_cb, .arena = r->arena };

	buf_reset(out);
	return t ? template_render(t, &env, out, err) : TEMPLATE_DONE;
}

/* Its own, that of its arm of a test, or that of the thread it answers. */
static enum template_result subject(struct render *r, const struct mail *mail, int64_t now, struct err *err)
{
	const struct template *t = mail->before_count ? mail->first_subject : mail->subject ? mail->subject : mail->template->subject;
	enum template_result result = part(r, t, now, &r->part, err);

	if (result == TEMPLATE_DONE)
		buf_printf(&r->subject, "%s%s", mail->before_count ? "Re: " : "", buf_cstr(&r->part));
	return result;
}

static enum template_result parts(struct render *r, const struct mail *mail, int64_t now, struct err *err)
{
	const struct mail_template *t = mail->template;
	enum template_result result;

	if (mail->kind == DELIVERY_FORWARD) {
		result = part(r, template_meta(r->plan->forward, "subject"), now, &r->subject, err);
		return result == TEMPLATE_DONE ? part(r, r->plan->forward, now, &r->part, err) : result;
	}
	result = subject(r, mail, now, err);
	if (result == TEMPLATE_DONE)
		result = part(r, t->preheader, now, &r->preheader, err);
	if (result == TEMPLATE_DONE)
		result = part(r, t->html, now, &r->part, err);
	/* the one that is made of the HTML fails when that does */
	if (result == TEMPLATE_DONE && t->text != template_text_part(t->html))
		result = part(r, t->text, now, &r->part, err);
	return result;
}

enum template_result render_mail(struct render *r, const struct mail *mail, int64_t now, const char **subject, struct err *err)
{
	enum template_result result;

	arena_reset(r->arena);
	buf_reset(&r->subject);
	buf_reset(&r->preheader);
	r->mail = mail;
	result = parts(r, mail, now, err);
	*subject = buf_cstr(&r->subject);
	return result;
}
