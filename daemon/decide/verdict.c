/*
 * verdict.c: was it a person who opened or clicked? The rules of docs/operations.md, over all hits of one mail; what a hit looked like is kept, so
 * that the same hits can be judged again. Pure.
 *
 * A click's reasons have points: 3 and more is a machine, 0 and fewer a person, what lies between is not known. Time since the mail was sent says
 * little (scanners come after a minute, too); bursts say most.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

#include "decide.h"

#define OPEN_EARLY (3 * US_SECOND)
#define CLICK_EARLY (10 * US_SECOND)
#define UNSUBSCRIBE_NEAR (10 * US_SECOND)
#define HONEYPOT_NEAR US_MINUTE
#define MACHINE_POINTS 3

/* For people who read a verdict; in the order of the bits. */
const struct verdict_word verdict_words[VERDICT_WORDS] = {
	{ "head", 3, "a HEAD request: nothing was shown to anybody" },
	{ "no-agent", 3, "no User-Agent" },
	{ "burst", 3, "3 links of the mail within 5 s, or 2 within 1 s" },
	{ "apple", 0, "Apple's mail privacy: it fetches pictures before anybody looks" },
	{ "egress", 0, "from the networks of the file `tracking.egress`" },
	{ "prefetch", 0, "Gmail's agent that fetches in advance" },
	{ "early", 1, "right after the mail went out" },
	{ "proxy", 0, "a mailbox provider's proxy fetched the picture: mostly because somebody looked" },
	{ "agent", 3, "the User-Agent is a program's" },
	{ "unsubscribe", 3, "the page to unsubscribe and other links, within 10 s" },
	{ "scanner", 2, "from the networks of the file `tracking.scanners`" },
	{ "bare", 2, "no Accept or no Accept-Language" },
	{ "crowd", 1, "its address clicked for 5 people within 10 minutes" },
	{ "came-back", -3, "then came an event on the website from this click, a form, or a reply" },
	{ "honeypot", 3, "the link that nobody sees, within a minute" },
};

static const char *const agents[] = {
	"bot", "crawl", "spider", "curl", "wget", "python", "go-http", "java/", "okhttp", "headless", "barracuda", "proofpoint", "mimecast",
	"safelinks", "symantec", "trendmicro", "trend micro", "sophos", "forcepoint", "fortinet", "ironport", "cisco", "zscaler", "checkpoint",
	"fireeye", "urlscan", "preview", NULL,
};

const char *verdict_name(enum verdict verdict)
{
	return verdict == VERDICT_MACHINE ? "machine" : verdict == VERDICT_HUMAN ? "human" : "unknown";
}

static int64_t apart(const struct hit *a, const struct hit *b)
{
	return a->at > b->at ? a->at - b->at : b->at - a->at;
}

/* strcasestr() takes six times as long for each. */
static bool is_program(const char *agent)
{
	char *low = xstrdup(agent);
	bool found = false;
	size_t i;

	text_lower(low);
	for (i = 0; agents[i] && !found; i++)
		found = strstr(low, agents[i]) != NULL;
	free(low);
	return found;
}

/* --- opens ------------------------------------------------------------------------------------------------------ */

/* What Gmail says when it fetches before anybody looks (mautic#10245). */
static bool is_prefetch(const char *agent)
{
	return strstr(agent, "Chrome/42.0.2311.135") && strstr(agent, "Edge/12.246");
}

static unsigned reasons_of_open(const struct hit *h, int64_t sent, const struct verdict_lists *lists)
{
	unsigned reasons = 0;

	if (h->traits & HIT_HEAD)
		reasons |= VERDICT_HEAD;
	if (!*h->agent)
		reasons |= VERDICT_NO_AGENT;
	if (strcmp(h->agent, "Mozilla/5.0") == 0)
		reasons |= VERDICT_APPLE;
	if (is_prefetch(h->agent))
		reasons |= VERDICT_PREFETCH;
	if (strstr(h->agent, "GoogleImageProxy") || strstr(h->agent, "YahooMailProxy"))
		reasons |= VERDICT_PROXY;
	if (networks_have(lists->egress, h->ip))
		reasons |= VERDICT_EGRESS;
	if (h->at < sent + OPEN_EARLY)
		reasons |= VERDICT_EARLY;
	return reasons;
}

/* --- clicks ----------------------------------------------------------------------------------------------------- */

/* Did `fewest` different links of the mail get a hit within `span`, this one among them? */
static bool is_burst(const struct hit *hits, size_t count, size_t self, int64_t span, int fewest)
{
	size_t first, i;

	for (first = 0; first <= self; first++) {
		uint64_t seen[4] = { 0 };
		int links = 0;

		if (hits[first].kind != 'c' || hits[self].at - hits[first].at > span)
			continue;
		for (i = first; i < count && hits[i].at - hits[first].at <= span; i++) {
			uint8_t link = (uint8_t)hits[i].link;

			if (hits[i].kind == 'c' && !(seen[link / 64] & UINT64_C(1) << link % 64)) {
				seen[link / 64] |= UINT64_C(1) << link % 64;
				links++;
			}
		}
		if (links >= fewest)
			return true;
	}
	return false;
}

static bool is_near(const struct hit *hits, size_t count, const struct hit *self, char kind, int link, int64_t span)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (hits[i].kind == kind && (link < 0 || hits[i].link == link) && apart(&hits[i], self) <= span)
			return true;
	return false;
}

static unsigned reasons_of_click(const struct hit *hits, size_t count, size_t self, int64_t sent, const struct verdict_lists *lists)
{
	const struct hit *h = &hits[self];
	unsigned reasons = 0;

	if (h->traits & HIT_HEAD)
		reasons |= VERDICT_HEAD;
	if (!*h->agent)
		reasons |= VERDICT_NO_AGENT;
	else if (is_program(h->agent))
		reasons |= VERDICT_AGENT;
	if ((h->traits & (HIT_ACCEPT | HIT_LANGUAGE)) != (HIT_ACCEPT | HIT_LANGUAGE))
		reasons |= VERDICT_BARE;
	if (h->traits & HIT_CROWD)
		reasons |= VERDICT_CROWD;
	if (h->traits & HIT_CAME_BACK)
		reasons |= VERDICT_CAME_BACK;
	if (networks_have(lists->scanners, h->ip))
		reasons |= VERDICT_SCANNER;
	if (h->at < sent + CLICK_EARLY)
		reasons |= VERDICT_EARLY;
	if (is_near(hits, count, h, 'c', HIT_HONEYPOT, HONEYPOT_NEAR))
		reasons |= VERDICT_HONEYPOT;
	if (is_near(hits, count, h, h->kind == 'u' ? 'c' : 'u', -1, UNSUBSCRIBE_NEAR))
		reasons |= VERDICT_UNSUBSCRIBE;
	if (h->kind == 'c' && (is_burst(hits, count, self, US_SECOND, 2) || is_burst(hits, count, self, 5 * US_SECOND, 3)))
		reasons |= VERDICT_BURST;
	return reasons;
}

/* --- both ------------------------------------------------------------------------------------------------------- */

static enum verdict of_open(unsigned reasons)
{
	if (reasons & ~(unsigned)VERDICT_PROXY)
		return VERDICT_MACHINE;
	return reasons ? VERDICT_UNKNOWN : VERDICT_HUMAN;
}

static enum verdict of_click(unsigned reasons)
{
	int points = 0;
	size_t i;

	for (i = 0; i < VERDICT_WORDS; i++)
		if (reasons & 1u << i)
			points += verdict_words[i].points;
	return points >= MACHINE_POINTS ? VERDICT_MACHINE : points <= 0 ? VERDICT_HUMAN : VERDICT_UNKNOWN;
}

void verdict_judge(struct hit *hits, size_t count, int64_t sent, const struct verdict_lists *lists)
{
	size_t i;

	for (i = 0; i < count; i++) {
		hits[i].reasons = hits[i].kind == 'o' ? reasons_of_open(&hits[i], sent, lists)
						      : reasons_of_click(hits, count, i, sent, lists);
		hits[i].verdict = hits[i].kind == 'o' ? of_open(hits[i].reasons) : of_click(hits[i].reasons);
	}
}

int64_t verdict_sent(const struct delivery *mail)
{
	switch (mail->state) {
	case DELIVERY_SENT:
	case DELIVERY_FAILED:		/* it bounced later */
		return mail->done;
	case DELIVERY_SENDING:
	case DELIVERY_DOT:		/* somebody has it before the relay has said so: nothing can be later than "right after" */
		return TIME_NEVER - US_DAY;
	case DELIVERY_PLANNED:
	case DELIVERY_DEFERRED:
	case DELIVERY_UNKNOWN:
	case DELIVERY_SUPPRESSED:
		break;
	}
	return -US_DAY;			/* nobody knows when */
}
