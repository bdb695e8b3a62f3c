/*
 * trial.c: tests of mails: which arm a person gets, what counts as won, and when a test has its answer.
 *
 * Only windows that are over count, won or not, day by day of sending: a mail of this morning has not lost because nobody has clicked it yet.
 *
 * Thompson: seven of ten people get the arm that is best in one draw from what is known of each (beta distributions), so that a bad arm is
 * shown less and less; three get one by lot, or so little would become known of the others that no test ever ended. It is looked at when size x arms people are known, and then each time that there are half as many more; at the k-th look the
 * best arm must be the best with a probability of 1 - (1 - sure) / (k (k + 1)) / arms. All looks together are then wrong with at most
 * 1 - sure, however long the test goes on.
 *
 * Fixed: arms in equal parts until each has `size` people; one look; the best wins if it differs from each other with that certainty (two
 * proportions, Bonferroni), else there is no difference that counts and the first arm stays.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"

#include "decide.h"
#include "person.h"
#include "trial.h"

#define CACHE_FOR US_MINUTE
#define GRACE US_HOUR
#define GRID 2048
#define BY_LOT 0.3

/* --- statistics: pure ------------------------------------------------------------------------------------------- */

static double unit(uint64_t *stream)
{
	return ((double)(random_mix(stream) >> 11) + 0.5) * 0x1.0p-53;
}

static double normal(uint64_t *stream)
{
	return sqrt(-2 * log(unit(stream))) * cos(2 * M_PI * unit(stream));
}

/* Marsaglia and Tsang; shape at least 1. */
static double gamma_draw(double shape, uint64_t *stream)
{
	double d = shape - 1.0 / 3, c = 1 / sqrt(9 * d), x, v, u;

	for (;;) {
		do {
			x = normal(stream);
			v = 1 + c * x;
		} while (v <= 0);
		v = v * v * v;
		u = unit(stream);
		if (log(u) < 0.5 * x * x + d - d * v + d * log(v))
			return d * v;
	}
}

static double beta_draw(int64_t won, int64_t lost, uint64_t *stream)
{
	double x = gamma_draw(1 + (double)won, stream), y = gamma_draw(1 + (double)lost, stream);

	return x / (x + y);
}

size_t trial_draw(const struct arm_sum *arms, size_t count, uint64_t *stream)
{
	size_t best = 0, i;
	double most = -1;

	if (unit(stream) < BY_LOT)
		return (size_t)(unit(stream) * (double)count);
	for (i = 0; i < count; i++) {
		double x = beta_draw(arms[i].won, arms[i].shown - arms[i].won, stream);

		if (x > most) {
			most = x;
			best = i;
		}
	}
	return best;
}

/* The density of what is known of an arm, at the points of a grid, so that it sums up to 1. */
static void density(const struct arm_sum *a, double from, double step, double *out)
{
	double x, most = -INFINITY, sum = 0;
	int i;

	for (i = 0; i < GRID; i++) {
		x = from + (i + 0.5) * step;
		out[i] = (double)a->won * log(x) + (double)(a->shown - a->won) * log1p(-x);
		if (out[i] > most)
			most = out[i];
	}
	for (i = 0; i < GRID; i++)
		sum += out[i] = exp(out[i] - most);
	for (i = 0; i < GRID; i++)
		out[i] /= sum;
}

/* Where all of them lie but for what nobody would miss. */
static void bounds(const struct arm_sum *arms, size_t count, double *from, double *to)
{
	size_t i;

	*from = 1;
	*to = 0;
	for (i = 0; i < count; i++) {
		double n = (double)arms[i].shown + 2, mean = ((double)arms[i].won + 1) / n, wide = 10 * sqrt(mean * (1 - mean) / (n + 1));

		*from = fmin(*from, fmax(0, mean - wide));
		*to = fmax(*to, fmin(1, mean + wide));
	}
}

double trial_best(const struct arm_sum *arms, size_t count, size_t *best_out)
{
	double from, to, is_best[TRIAL_ARMS] = { 0 }, below[TRIAL_ARMS] = { 0 }, f[TRIAL_ARMS][GRID];
	size_t i, k;
	int at;

	bounds(arms, count, &from, &to);
	for (i = 0; i < count; i++)
		density(&arms[i], from, (to - from) / GRID, f[i]);
	for (at = 0; at < GRID; at++) {
		for (i = 0; i < count; i++) {
			double others = 1;

			for (k = 0; k < count; k++)
				if (k != i)
					others *= below[k] + f[k][at] / 2;
			is_best[i] += f[i][at] * others;
		}
		for (i = 0; i < count; i++)
			below[i] += f[i][at];
	}
	*best_out = 0;
	for (i = 1; i < count; i++)
		if (is_best[i] > is_best[*best_out])
			*best_out = i;
	return is_best[*best_out];
}

int trial_look(int64_t known, int64_t size, size_t count)
{
	double next = (double)size * (double)count;
	int k = 0;

	for (; k < 60 && (double)known >= next; k++)
		next *= 1.5;
	return k;
}

static double rate(const struct arm_sum *a)
{
	return a->shown ? (double)a->won / (double)a->shown : 0;
}

/* Two-sided p of two proportions being the same. */
static double difference(const struct arm_sum *a, const struct arm_sum *b)
{
	double all = (double)(a->shown + b->shown), pooled = (double)(a->won + b->won) / all;
	double error = sqrt(pooled * (1 - pooled) * (1 / (double)a->shown + 1 / (double)b->shown));

	return error > 0 ? erfc(fabs(rate(a) - rate(b)) / error / M_SQRT2) : 1;
}

bool trial_decide(const struct step *step, const struct arm_sum *arms, size_t count, int look, size_t *best_out, double *sure_out)
{
	size_t i;

	if (step->method == TEST_THOMPSON) {
		*sure_out = trial_best(arms, count, best_out);
		return arms[*best_out].shown >= step->size && *sure_out >= 1 - (1 - step->sure) / (look * (look + 1.0)) / (double)count;
	}
	*best_out = 0;
	for (i = 0; i < count; i++) {
		if (arms[i].shown < step->size)
			return false;
		if (rate(&arms[i]) > rate(&arms[*best_out]))
			*best_out = i;
	}
	*sure_out = 1;
	for (i = 0; i < count; i++) {
		double p = i == *best_out ? 0 : difference(&arms[i], &arms[*best_out]) * (double)(count - 1);

		if (1 - p < *sure_out)
			*sure_out = 1 - p;
	}
	if (*sure_out < step->sure)
		*best_out = 0;
	return true;
}

/* --- what is known of a test ------------------------------------------------------------------------------------- */

int trial_sums(struct db *db, const struct step *step, int64_t now, struct arena *arena, struct arm_sum *out, struct err *err)
{
	struct arm_day *days;
	size_t count, i, k;

	memset(out, 0, step->arm_count * sizeof(*out));
	if (arm_days_of(db, step->test_id, arena, &days, &count, err))
		return -1;
	for (i = 0; i < count; i++) {
		for (k = 0; k < step->arm_count && strcmp(step->arms[k].name, days[i].arm) != 0; k++)
			;
		if (k == step->arm_count)
			continue;
		out[k].all += days[i].shown;
		/* clicks take effect a little later than they are made */
		if ((days[i].day + 1) * US_DAY + step->within + GRACE > now)
			continue;
		out[k].shown += days[i].shown;
		out[k].won += days[i].won;
	}
	return 0;
}

/* The test has its answer: written down once, everybody gets it from now on. */
static int end_test(struct decide *d, struct db *db, const struct step *step, struct known_test *t, size_t best, double sure, int64_t now,
		struct err *err)
{
	const struct arm_sum *a = &t->sums[best];
	bool none = step->method == TEST_FIXED && sure < step->sure;
	const char *why = none ? arena_printf(d->arena, "no difference that counts (%.1f %% sure): the first stays", 100 * (sure > 0 ? sure : 0)) :
			arena_printf(d->arena, "%lld of %lld, the best with %.1f %%", (long long)a->won, (long long)a->shown, 100 * sure);

	log_info("test.ended", L_STR("test", step->test_id), L_STR("arm", step->arms[best].name), L_STR("why", why));
	/* the transaction may be undone and run again: what it found is read from the database, until that is long over */
	t->at = 0;
	d->test_ended = now;
	return test_ends_put(db, step->test_id, &(struct test_end){ .arm = step->arms[best].name, .at = now, .why = why }, err);
}

/* The last look that was made at a test, kept with it: a look that is made again after each restart would spend more doubt than there is. */
static int last_look(struct decide *d, struct db *db, const struct step *step, int *out, struct err *err)
{
	struct slice kept;
	int found = settings_get(db, arena_printf(d->arena, "look/%s", step->test_id), d->arena, &kept, err);

	*out = 0;
	if (found == 1 && kept.len == sizeof(*out))
		memcpy(out, kept.data, sizeof(*out));
	return found < 0 ? -1 : 0;
}

static int note_look(struct decide *d, struct db *db, const struct step *step, struct known_test *t, int look, int64_t now, struct err *err)
{
	d->test_ended = now;
	t->at = 0;
	return settings_set(db, arena_printf(d->arena, "look/%s", step->test_id), &look, sizeof(look), err);
}

static int read_test(struct decide *d, struct db *db, const struct step *step, struct known_test *t, int64_t now, struct err *err)
{
	struct test_end end;
	int64_t known = 0;
	size_t i, best;
	double sure;
	int found = test_ends_find(db, step->test_id, d->arena, &end, err), look, last;

	t->winner = -1;
	for (i = 0; found == 1 && i < step->arm_count; i++)
		if (strcmp(step->arms[i].name, end.arm) == 0)
			t->winner = (int)i;
	if (found < 0 || trial_sums(db, step, now, d->arena, t->sums, err) || last_look(d, db, step, &last, err))
		return -1;
	t->at = now;
	for (i = 0; i < step->arm_count; i++)
		known += t->sums[i].shown;
	look = step->method == TEST_FIXED ? 1 : trial_look(known, step->size, step->arm_count);
	if (t->winner >= 0 || look <= last)
		return 0;
	if (trial_decide(step, t->sums, step->arm_count, look, &best, &sure)) {
		t->winner = (int)best;
		return end_test(d, db, step, t, best, sure, now, err);
	}
	return step->method == TEST_THOMPSON ? note_look(d, db, step, t, look, now, err) : 0;
}

/* As of at most a minute ago. */
static int know(struct decide *d, struct db *db, const struct step *step, int64_t now, struct known_test **out, struct err *err)
{
	struct known_test *t = NULL;
	bool trusted = !d->test_ended || now < d->test_ended || now >= d->test_ended + CACHE_FOR;
	size_t i;

	for (i = 0; i < d->test_count && !t; i++)
		if (strcmp(d->tests[i].id, step->test_id) == 0)
			t = &d->tests[i];
	if (!t) {
		d->tests = xgrow(d->tests, &d->test_cap, d->test_count + 1, sizeof(*d->tests));
		t = &d->tests[d->test_count++];
		*t = (struct known_test){ .id = xstrdup(step->test_id) };
	}
	*out = t;
	return !trusted || !t->at || now >= t->at + CACHE_FOR || now < t->at ? read_test(d, db, step, t, now, err) : 0;
}

void trial_forget(struct decide *d)
{
	size_t i;

	for (i = 0; i < d->test_count; i++)
		free(d->tests[i].id);
	free(d->tests);
	d->tests = NULL;
	d->test_count = d->test_cap = 0;
}

int trial_choose(struct person *p, const struct step *step, const struct enrolment *e, const struct arm **out, struct err *err)
{
	const char *who = arena_printf(p->arena, "%s/%s/%lld", p->row.key, step->test_id, (long long)(e->entered / 1000));
	uint64_t stream = (uint64_t)(random_of(who) * 0x1.0p53);
	struct known_test *t;
	size_t arm;

	if (know(p->d, p->db, step, p->now, &t, err))
		return -1;
	if (t->winner >= 0)
		arm = (size_t)t->winner;
	else if (step->method == TEST_FIXED)
		arm = (size_t)(random_of(who) * (double)step->arm_count);
	else
		arm = trial_draw(t->sums, step->arm_count, &stream);
	*out = &step->arms[arm];
	return 0;
}

/* --- what happens to a trial ------------------------------------------------------------------------------------- */

int trial_begin(struct decide *d, struct db *db, const struct step *step, const struct delivery *mail, int64_t at, struct err *err)
{
	struct known_test *known;
	struct trial t = {
		.prospect = mail->prospect, .enrolment = mail->enrolment, .step = mail->step, .test = step->test_id, .arm = mail->arm,
		.template = mail_base(d->arena, mail->template), .event = step->by, .at = at, .until = at + step->within,
	};

	if (know(d, db, step, at, &known, err))
		return -1;
	if (known->winner >= 0)		/* the test is over */
		return 0;
	return trials_insert(db, &t, err) || arm_days_add(db, &t, 1, 0, err) ? -1 : 0;
}

static int win(struct person *p, const struct trial *t, struct err *err)
{
	return trials_win(p->db, t, err) || arm_days_add(p->db, t, 0, 1, err) ||
		person_journal(p, "test", t->arm, arena_printf(p->arena, "%s within the time of the test", t->event), err) ? -1 : 0;
}

/* A click, an open, a reply has to be on the mail itself; anything else on nothing in particular. */
static bool is_about(const char *event, const char *subject, const struct trial *t)
{
	if (strcmp(event, "click") != 0 && strcmp(event, "open") != 0 && strcmp(event, "reply") != 0)
		return true;
	return strcmp(subject, t->template) == 0;
}

int trials_happen(struct person *p, const char *event, const char *subject, int64_t at, struct err *err)
{
	struct trial *open;
	size_t count, i;

	if (strcmp(event, "goal") == 0)		/* the sequence's own, never an event of that name */
		return 0;
	if (trials_open(p->db, p->row.id, at, p->arena, &open, &count, err))
		return -1;
	for (i = 0; i < count; i++)
		if (strcmp(open[i].event, event) == 0 && is_about(event, subject, &open[i]) && win(p, &open[i], err))
			return -1;
	return 0;
}

int trials_goal(struct person *p, const struct enrolment *e, struct err *err)
{
	struct trial *open;
	size_t count, i;

	if (e->heldout)
		return 0;
	if (trials_open(p->db, p->row.id, p->now, p->arena, &open, &count, err))
		return -1;
	for (i = 0; i < count; i++)
		if (open[i].enrolment == e->id && strcmp(open[i].event, "goal") == 0 && win(p, &open[i], err))
			return -1;
	return 0;
}

int trials_check_goals(struct person *p, struct err *err)
{
	const struct sequence *s;
	struct enrolment e;
	struct trial *open;
	size_t count, i;
	bool holds;
	int found;

	if (!p->d->goal_tests)
		return 0;
	if (trials_open(p->db, p->row.id, p->now, p->arena, &open, &count, err))
		return -1;
	for (i = 0; i < count; i++) {
		if (strcmp(open[i].event, "goal") != 0)
			continue;
		found = enrolments_find(p->db, p->row.id, open[i].enrolment, p->arena, &e, err);
		if (found < 0 || (found && version_of(p->d, p->db, &e, &s, err)))
			return -1;
		if (!found || e.state != ENROLMENT_ENDED || !s || !s->goal)
			continue;
		if (person_holds(p, s->goal, UNIT_ENROLMENTS, &holds, err) || (holds && win(p, &open[i], err)))
			return -1;
	}
	return 0;
}

bool trials_by_goal(const struct plan *plan)
{
	size_t i;
	int k;

	for (i = 0; i < plan->sequence_count; i++)
		for (k = 0; k < plan->sequences[i].step_count; k++)
			if (plan->sequences[i].steps[k].kind == STEP_TEST && strcmp(plan->sequences[i].steps[k].by, "goal") == 0)
				return true;
	return false;
}
