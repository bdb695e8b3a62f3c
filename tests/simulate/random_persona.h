/*
 * random_persona.h: personas of any kind, from a seed: for properties that must hold of everybody. Included by the tests of simulate only.
 */
#ifndef TESTS_SIMULATE_RANDOM_PERSONA_H
#define TESTS_SIMULATE_RANDOM_PERSONA_H

#include "base/random.h"

#include "with_plan.h"

#define PICK(rng, list) (list)[random_mix(rng) % (sizeof(list) / sizeof((list)[0]))]

static inline unsigned dice(uint64_t *rng, unsigned n)
{
	return (unsigned)(random_mix(rng) % n);
}

static inline void random_mails(uint64_t *rng, struct buf *out)
{
	static const char *const mails[] = { "all", "the first", "the second", "the third", "the 4th", "guide", "tips", "nudge", "story", "trial", "last" };

	if (dice(rng, 3) == 0)
		buf_printf(out, "%u%%", 5 + dice(rng, 90));
	else
		buf_str(out, PICK(rng, mails));
}

static inline void random_delay(uint64_t *rng, const char *word, struct buf *out)
{
	static const char *const units[] = { "minutes", "hours", "hours", "days" };

	if (dice(rng, 2))
		buf_printf(out, " %s %u %s", word, 1 + dice(rng, 50), PICK(rng, units));
}

static inline void random_when(uint64_t *rng, struct buf *out)
{
	if (dice(rng, 2)) {
		buf_printf(out, "on day %u at %02u:%02u", dice(rng, 40), dice(rng, 24), dice(rng, 60));
		return;
	}
	buf_str(out, "after ");
	random_mails(rng, out);
	random_delay(rng, "by", out);
}

/* What ends everything is rare, or nothing would be left to go wrong. */
static inline void random_phrase(uint64_t *rng, struct buf *out)
{
	static const char *const words[] = { "What does it cost?", "Not now. Ask me again in May.", "Please remove me from your list", "Thanks, good read.",
		"Can we have a demo next week?", "Not interested, thanks." };
	static const char *const paths[] = { "/pricing", "/compare", "/compare/us", "/about" };
	static const char *const answers[] = { "accepts", "rejects \"no budget\"", "wins 1200", "loses" };

	switch (dice(rng, 17)) {
	case 0: case 1: case 2: case 3:
		buf_str(out, "opens ");
		random_mails(rng, out);
		random_delay(rng, "after", out);
		return;
	case 4: case 5: case 6:
		buf_printf(out, "clicks link %u of ", 1 + dice(rng, 2));
		random_mails(rng, out);
		random_delay(rng, "after", out);
		return;
	case 16:
		buf_printf(out, dice(rng, 2) ? "prefers at most %u per 7 days " : "prefers a pause of %u days ", 1 + dice(rng, 20));
		random_when(rng, out);
		return;
	case 7:
		buf_printf(out, "replies \"%s\" to ", PICK(rng, words));
		random_mails(rng, out);
		random_delay(rng, "after", out);
		return;
	case 8: case 9: case 10:
		buf_printf(out, "visits %s ", PICK(rng, paths));
		random_when(rng, out);
		return;
	case 11:
		buf_printf(out, "does %s ", dice(rng, 3) ? "trial_started" : "purchase");
		random_when(rng, out);
		return;
	case 12:
		buf_printf(out, "out of office from %u March till %u March", 1 + dice(rng, 10), 12 + dice(rng, 15));
		return;
	case 13:
		buf_printf(out, "sales %s", PICK(rng, answers));
		random_delay(rng, "after", out);
		return;
	case 14:
		if (dice(rng, 3) == 0)
			buf_printf(out, "unsubscribes from the %uth", 4 + dice(rng, 3));
		else
			buf_printf(out, "unsubscribes from %u%%", 1 + dice(rng, 8));
		return;
	default:
		buf_printf(out, "%s %u%%", dice(rng, 2) ? "complains about" : dice(rng, 2) ? "bounces on" : "bounces softly on", 1 + dice(rng, 8));
		return;
	}
}

/* `number` makes the address one of its own. */
static inline void random_persona(uint64_t *rng, int number, struct buf *out)
{
	static const char *const zones[] = { "Europe/Berlin", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Auckland" };
	static const char *const domains[] = { "nordlicht.example", "gmail.com", "suedwind.example" };
	static const char *const roles[] = { "Head of operations", "Chief of all", "Clerk", "Student" };
	static const char *const countries[] = { "DE", "AT", "FR", "XX" };
	unsigned comes = dice(rng, 4), phrases = dice(rng, 9);

	buf_reset(out);
	buf_printf(out, "persona: Number %d\nemail: n%d@%s\nfields: {first_name: N%d, role: %s, country: %s%s}\n", number, number, PICK(rng, domains), number,
			PICK(rng, roles), PICK(rng, countries), comes == 1 ? ", next_call: 2026-03-25T10:00:00Z" : ", seats: 12");
	if (dice(rng, 4))
		buf_printf(out, "timezone: %s\n", PICK(rng, zones));
	if (comes)
		buf_printf(out, "form: %s\n", comes == 1 ? "demo" : "guide");
	if (dice(rng, 3) == 0)
		buf_str(out, "start: {event: trial_started, data: {plan: team}}\n");
	if (phrases)
		buf_str(out, "behaviour:\n");
	while (phrases--) {
		buf_str(out, "  - ");
		random_phrase(rng, out);
		buf_char(out, '\n');
	}
	if (comes > 1 && dice(rng, 8) == 0)
		buf_str(out, strstr(buf_cstr(out), "behaviour:") ? "  - confirms never\n" : "behaviour: [confirms never]\n");
}

#endif
