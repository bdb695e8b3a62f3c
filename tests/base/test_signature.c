/*
 * signature: the test vector of Standard Webhooks, and secrets as people paste them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/signature.h"

static void signs_as_the_test_vector_of_the_standard(void **state)
{
	struct buf key = BUF_INIT, out = BUF_INIT;
	struct err err;

	assert_int_equal(signature_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", &key, &err), 0);
	signature_make((struct slice){ key.data, key.len }, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330,
		slice_of("{\"test\": 2432232314}"), &out);
	assert_string_equal(buf_cstr(&out), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
	buf_clear(&key);
	buf_clear(&out);
}

static void secrets_are_base64_with_or_without_their_prefix(void **state)
{
	static const struct {
		const char *secret, *key;	/* NULL: refused */
	} rows[] = {
		{ "whsec_c2VjcmV0", "secret" },
		{ "c2VjcmV0", "secret" },
		{ "whsec_", NULL },
		{ "", NULL },
		{ "whsec_not base64!", NULL },
		{ "whsec_c2VjcmV", NULL },
		{ "whsec_whsec_c2VjcmV0", NULL },
		/* 66 bytes */
		{ "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB", NULL },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf key = BUF_INIT;
		struct err err = { .text = "" };
		int rc = signature_key(rows[i].secret, &key, &err);

		assert_int_equal(rc, rows[i].key ? 0 : -1);
		assert_string_equal(buf_cstr(&key), rows[i].key ? rows[i].key : "");
		/* a secret is never repeated */
		if (rc < 0 && strlen(rows[i].secret) > 6)
			assert_null(strstr(err.text, rows[i].secret + 6));
		buf_clear(&key);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signs_as_the_test_vector_of_the_standard),
		cmocka_unit_test(secrets_are_base64_with_or_without_their_prefix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
