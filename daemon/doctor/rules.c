/*
 * rules.c: what Gmail (support.google.com/mail/answer/81126), Yahoo (senders.yahooinc.com/best-practices) and Microsoft's consumer mail ask of who
 * sends much, which is 5,000 mails a day to them, and what of it is met.
 */
#include "findings.h"

/* TOLD: nurtured itself sees to it. UNTOLD: only the receiver knows. */
enum { TOLD = -1, UNTOLD = -2 };

static const struct rule {
	const char *what;
	int fact;	/* enum fact, or one of these */
	const char *gmail, *yahoo, *microsoft;	/* must, should, "" */
} rules[] = {
	{ "SPF for the domain of the return path", FACT_SPF, "must", "must", "must" },
	{ "DKIM signature, of 1024 bits at least", FACT_DKIM, "must", "must", "must" },
	{ "DMARC record, p=none at least", FACT_DMARC, "must", "must", "must" },
	{ "From in the domain of SPF or of DKIM", FACT_ALIGNED, "must", "must", "must" },
	{ "one-click unsubscribe (RFC 8058), both headers signed", FACT_ONE_CLICK, "must", "must", "" },
	{ "a link to unsubscribe in the mail (the config insists)", TOLD, "must", "must", "should" },
	{ "unsubscribes honoured within two days (here at once)", TOLD, "must", "must", "must" },
	{ "TLS to the relay", FACT_TLS, "must", "should", "" },
	{ "reverse DNS of the sending address, and back", FACT_PTR, "must", "must", "should" },
	{ "complaints below 0.3 % (Gmail: Postmaster Tools)", UNTOLD, "must", "must", "should" },
};

json_t *rules_json(const struct findings *f)
{
	static const char *const met[] = { "unknown", "no", "yes" };
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		const struct rule *r = &rules[i];
		enum truth truth = r->fact == TOLD ? TRUTH_YES : r->fact == UNTOLD ? TRUTH_UNKNOWN : f->facts[r->fact];

		json_array_append_new(list, json_pack("{ss ss ss ss ss}", "rule", r->what, "met", met[truth], "gmail", r->gmail, "yahoo", r->yahoo,
			"microsoft", r->microsoft));
	}
	return list;
}
