/*
 * fuzz_address.c: addresses and mailboxes from any bytes. What is accepted fits into the SMTP envelope and, parsed
 * again, is the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/mem.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void check(const struct address *a)
{
	struct address again;
	size_t i;

	must(strlen(a->text) <= ADDRESS_MAX && strlen(a->key) <= ADDRESS_MAX);
	must(text_utf8_valid(a->text, strlen(a->text)) && text_utf8_valid(a->key, strlen(a->key)));
	for (i = 0; a->text[i]; i++)
		must((unsigned char)a->text[i] > ' ' && a->text[i] != 0x7f && !strchr("<>\"\\(),:;[]", a->text[i]));
	for (i = 0; a->domain[i]; i++)
		must((unsigned char)a->domain[i] < 0x7f);
	must(a->domain == strchr(a->text, '@') + 1 && !strchr(a->domain, '@') && strchr(a->domain, '.'));
	must(a->bucket < BUCKETS && a->bucket == address_bucket(a->key));
	must(address_parse(a->text, &again, NULL) == 0 && !strcmp(again.text, a->text) && !strcmp(again.key, a->key));
	must(address_parse(a->key, &again, NULL) == 0 && !strcmp(again.key, a->key));	/* people paste what they are shown */
	must(strlen(address_kind(a)) == 4);
	must(text_ends_with(a->domain, address_registrable(a->domain)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *s = xstrndup((const char *)data, size), name[128];
	struct address a;
	struct err err;

	if (address_parse(s, &a, &err) == 0)
		check(&a);
	else
		must(err.text[0] != '\0');
	if (address_parse_mailbox(s, &a, name, sizeof(name), &err) == 0) {
		check(&a);
		must(text_utf8_valid(name, strlen(name)) && !text_has_control(name, strlen(name)) && !strchr(name, '\n'));
	} else {
		must(err.text[0] != '\0');
	}
	free(s);
	return 0;
}
