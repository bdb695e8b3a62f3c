/*
 * patterns.c: one place that knows PCRE2. A pattern that does not compile is a bug and ends the process;
 * the tests use every one of them.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/patterns.h"

#define OPTIONS (PCRE2_CASELESS | PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_MATCH_INVALID_UTF)
#define MATCH_LIMIT 200000
#define HEAP_LIMIT_KIB 20480
#define BYTES '\1'	/* at its start: PATTERN_BYTES */

static _Thread_local pcre2_match_context *limits;
static _Thread_local pcre2_match_data *matched;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t at_end;	/* its destructor frees what a thread had */

static void free_own(void *unused)
{
	pcre2_match_data_free(matched);
	pcre2_match_context_free(limits);
	matched = NULL;
	limits = NULL;
}

static void make_key(void)
{
	if (pthread_key_create(&at_end, free_own) != 0)
		abort();
}

static void make_own(void)
{
	limits = pcre2_match_context_create(NULL);
	matched = pcre2_match_data_create(32, NULL);
	assert(limits && matched);
	pcre2_set_match_limit(limits, MATCH_LIMIT);
	pcre2_set_heap_limit(limits, HEAP_LIMIT_KIB);
	pthread_once(&once, make_key);
	pthread_setspecific(at_end, limits);
}

static pcre2_code *pattern_code(struct pattern *p)
{
	int error = 0;
	PCRE2_SIZE at = 0;
	void *first = NULL;
	bool bytes;
	pcre2_code *code;

	code = __atomic_load_n(&p->code, __ATOMIC_ACQUIRE);
	if (code)
		return code;
	bytes = p->text[0] == BYTES;
	code = pcre2_compile((PCRE2_SPTR)p->text + bytes, PCRE2_ZERO_TERMINATED,
		bytes ? PCRE2_CASELESS | PCRE2_MULTILINE : OPTIONS, &error, &at, NULL);
	assert(code && "a pattern must compile");
	pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
	if (__atomic_compare_exchange_n(&p->code, &first, code, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return code;
	pcre2_code_free(code);	/* another thread was faster */
	return first;
}

void pattern_clear(struct pattern *p)
{
	pcre2_code_free(p->code);
	p->code = NULL;
}

int pattern_check(const char *text, struct err *err)
{
	int error = 0;
	PCRE2_SIZE at = 0;
	PCRE2_UCHAR why[200] = "";
	pcre2_code *code = pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED, OPTIONS, &error, &at, NULL);

	if (code) {
		pcre2_code_free(code);
		return 0;
	}
	pcre2_get_error_message(error, why, sizeof(why));
	return err_set(err, "%s, before `%.40s`", (const char *)why, text + at);
}

static struct slice group_of(const char *s, int rc, int i)
{
	PCRE2_SIZE *at = pcre2_get_ovector_pointer(matched);

	if (i >= rc || at[2 * i] == PCRE2_UNSET || at[2 * i + 1] < at[2 * i])
		return (struct slice){ NULL, 0 };
	return (struct slice){ s + at[2 * i], at[2 * i + 1] - at[2 * i] };
}

bool pattern_find(struct pattern *p, const char *s, size_t n, size_t from, struct pattern_hit *hit)
{
	pcre2_code *code = pattern_code(p);
	int rc, date;

	if (!limits)
		make_own();
	if (from > n)
		return false;
	rc = pcre2_match(code, (PCRE2_SPTR)s, n, from, 0, matched, limits);
	if (rc <= 0)
		return false;
	if (!hit)
		return true;
	for (int i = 0; i < PATTERN_GROUPS; i++)
		hit->group[i] = group_of(s, rc, i);
	date = pcre2_substring_number_from_name(code, (PCRE2_SPTR)"date");
	hit->date = date > 0 ? group_of(s, rc, date) : (struct slice){ NULL, 0 };
	return true;
}

bool pattern_in(struct pattern *p, const char *s)
{
	return s && pattern_find(p, s, strlen(s), 0, NULL);
}
