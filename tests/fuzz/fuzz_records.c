/*
 * fuzz_records.c: SPF, DKIM and DMARC records of any bytes. What is taken is within its bounds.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../daemon/doctor/records.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void check_spf(const struct spf_record *r)
{
	size_t i;

	must(r->count <= SPF_TERMS_MAX && (!r->all || strchr("+-~?", r->all)));
	for (i = 0; i < r->count; i++) {
		const struct spf_term *t = &r->terms[i];

		must(strchr("+-~?", t->qualifier) && strlen(t->domain) < RECORD_NAME);
		must(t->bits4 >= 0 && t->bits4 <= 32 && t->bits6 >= 0 && t->bits6 <= 128);
		spf_term_covers(t, "192.0.2.1");
		spf_term_covers(t, "2001:db8::1");
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xstrndup((const char *)data, size);
	struct spf_record *spf = xmalloc(sizeof(*spf));
	struct dmarc_record dmarc;
	struct dkim_key key;
	struct err err;

	if (spf_parse(text, spf, &err) == 0)
		check_spf(spf);
	if (dkim_is(text) && dkim_parse(text, &key, &err) == 0)
		must(key.bits >= 0);
	if (dmarc_parse(text, &dmarc, &err) == 0)
		must(dmarc.percent >= 0 && dmarc.percent <= 100 && dmarc.policy <= DMARC_REJECT && strlen(dmarc.reports) < RECORD_NAME);
	free(spf);
	free(text);
	return 0;
}
