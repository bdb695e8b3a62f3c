/*
 * words.c: see words.h. All that a step says is in its words: two steps that say the same are the same, which is how versions are compared.
 */
#include <string.h>

#include "base/text.h"
#include "config/words.h"

const char *const words_on_change[] = { [CHANGE_MOVE] = "move", [CHANGE_FINISH] = "finish", [CHANGE_RESTART] = "restart" };

static void duration(struct buf *out, const char *before, int64_t us)
{
	buf_str(out, before);
	text_duration_print(out, us);
}

static void names(struct buf *out, const char *before, const char *const *list)
{
	for (size_t i = 0; list && list[i]; i++)
		buf_printf(out, "%s%s", i ? ", " : before, list[i]);
}

/* --- moments ---------------------------------------------------------------------------------------------------- */

static void weekdays(struct buf *out, const struct moment *m)
{
	static const char *const days[] = { "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun" };
	bool any = false;

	for (int i = 0; i < 7; i++) {
		if (!m->weekday[i])
			continue;
		buf_printf(out, "%s%s", any ? ", " : "", days[i]);
		any = true;
	}
	if (any)
		buf_char(out, ' ');
}

static void moment(struct buf *out, const struct plan *plan, const struct moment *m)
{
	if (m->shift) {
		text_duration_print(out, m->shift < 0 ? -m->shift : m->shift);
		buf_str(out, m->shift < 0 ? " before " : " after ");
	}
	if (m->field >= 0)
		buf_printf(out, "%s ", plan->fields[m->field].name);
	if (m->year)
		buf_printf(out, "%04d-%02d-%02d ", m->year, m->month, m->day);
	if (m->business)
		buf_str(out, "a business day ");
	weekdays(out, m);
	if (m->minute >= 0)
		buf_printf(out, "%02d:%02d", m->minute / 60, m->minute % 60);
	while (out->len && out->data[out->len - 1] == ' ')
		buf_cut(out, out->len - 1);
}

/* --- steps ------------------------------------------------------------------------------------------------------- */

static void mail_options(struct buf *out, const struct step *step)
{
	if (step->even_in_quiet)
		buf_str(out, ", even in quiet hours");
	if (step->valid_for)
		duration(out, ", valid for ", step->valid_for);
	if (step->as_owner)
		buf_str(out, ", as the owner");
	if (step->same_thread)
		buf_str(out, ", in the same thread");
}

static void test(struct buf *out, const struct step *step)
{
	buf_str(out, "test ");
	for (size_t i = 0; i < step->arm_count; i++) {
		const struct arm *arm = &step->arms[i];

		buf_printf(out, "%s%s", i ? " or " : "", arm->name);
		if (strcmp(arm->name, arm->mail->name) != 0)
			buf_printf(out, " (%s%s)", arm->mail->name, arm->subject ? ", its own subject" : "");
		else if (arm->subject)
			buf_str(out, " (its own subject)");
	}
	buf_printf(out, ", by %s", step->by);
	duration(out, " within ", step->within);
	if (step->method == TEST_FIXED)
		buf_printf(out, ", %lld people each", (long long)step->size);
	buf_printf(out, ", %g%% sure", step->sure * 100);
	mail_options(out, step);
}

static void wait_for(struct buf *out, const struct step *step)
{
	buf_str(out, "wait for ");
	expression_print(step->when, out);
	if (step->wait)
		duration(out, ", at most ", step->wait);
}

/* The rest of such a URL is often the secret. */
static void host(struct buf *out, const char *url)
{
	const char *at = strstr(url, "://");

	at = at ? at + 3 : url;
	buf_add(out, at, strcspn(at, "/?#"));
}

static void pace(struct buf *out, const struct step *step)
{
	if (step->business_days)
		buf_printf(out, "wait %lld business day%s", (long long)step->business_days, step->business_days == 1 ? "" : "s");
	else
		duration(out, "wait ", step->wait);
}

static void tags(struct buf *out, const struct step *step)
{
	names(out, "tag ", step->tags);
	names(out, step->tags && *step->tags ? ", untag " : "untag ", step->untags);
}

void words_step(struct buf *out, const struct plan *plan, const struct step *step)
{
	switch (step->kind) {
	case STEP_SEND:
		buf_printf(out, "mail %s", step->mail->name);
		mail_options(out, step);
		return;
	case STEP_TEST:
		test(out, step);
		return;
	case STEP_WAIT:
		pace(out, step);
		return;
	case STEP_WAIT_UNTIL:
		buf_str(out, "wait until ");
		moment(out, plan, &step->until);
		return;
	case STEP_WAIT_FOR:
		wait_for(out, step);
		return;
	case STEP_IF:
		buf_str(out, "if ");
		expression_print(step->when, out);
		return;
	case STEP_SPLIT:
		buf_str(out, "split by share");
		return;
	case STEP_SET:
		buf_printf(out, "set %s to ", plan->fields[step->field].name);
		value_to_source(out, value_text(step->value));
		return;
	case STEP_TAG:
		tags(out, step);
		return;
	case STEP_MOVE:
		buf_printf(out, "move to list %s", step->list);
		if (step->hold)
			duration(out, " for ", step->hold);
		else
			buf_str(out, " until the stage changes");
		return;
	case STEP_ALERT:
		buf_printf(out, "alert sales: %s", step->reason);
		return;
	case STEP_WEBHOOK:
		buf_str(out, "webhook to ");
		host(out, step->target->url);
		buf_printf(out, " as %s", step->target->as);
		return;
	case STEP_GO:
		buf_str(out, "go");
		return;
	case STEP_END:
		buf_printf(out, "end: %s", step->reason && *step->reason ? step->reason : "done");
		return;
	case STEP_KINDS:
		return;
	}
}

const char *words_target(const struct sequence *s, int to)
{
	return to >= 0 && to < s->step_count ? s->steps[to].name : "the end";
}

/* --- in and out -------------------------------------------------------------------------------------------------- */

void words_entry(struct buf *out, const struct sequence *s)
{
	if (!*s->enter_on) {
		buf_str(out, "by hand");
		return;
	}
	buf_printf(out, "on %s", s->enter_on);
	if (s->enter_when) {
		buf_str(out, ", if ");
		expression_print(s->enter_when, out);
	}
}

void words_again(struct buf *out, const struct sequence *s)
{
	switch (s->again) {
	case AGAIN_NEVER:
		buf_str(out, "never");
		return;
	case AGAIN_ALWAYS:
		buf_str(out, "always");
		return;
	case AGAIN_AFTER:
		duration(out, "after ", s->again_after);
		return;
	}
}
