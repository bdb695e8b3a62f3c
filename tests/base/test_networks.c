/* test_networks.c: which addresses lie in a set of networks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/networks.h"

static void test_addresses_are_found(void **state)
{
	static const char text[] = "# scanners\n192.0.2.0/25, DE, \"x\"\n192.0.2.64/26\n10.0.0.1\r\n\n2001:db8::/32 # test\n198.51.100.128/25";
	static const struct { const char *ip; bool in; } rows[] = {
		{ "192.0.2.0", true }, { "192.0.2.127", true }, { "192.0.2.128", false }, { "192.0.1.255", false }, { "10.0.0.1", true },
		{ "10.0.0.2", false }, { "2001:db8::1", true }, { "2001:db8:ffff::", true }, { "2001:db9::", false }, { "::ffff:10.0.0.1", true },
		{ "198.51.100.255", true }, { "198.51.100.127", false }, { "", false }, { "nonsense", false },
	};
	struct networks *networks;
	struct err err;
	size_t i;

	assert_int_equal(networks_parse(text, strlen(text), &networks, &err), 0);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (networks_have(networks, rows[i].ip) != rows[i].in)
			fail_msg("%s", rows[i].ip);
	networks_free(&networks);
	assert_false(networks_have(NULL, "10.0.0.1"));
}

static void test_what_is_no_network_is_refused(void **state)
{
	static const char *const bad[] = { "10.0.0.0/33", "\n300.0.0.1", "2001:db8::/129", "example.com", "10.0.0.0/-1", "10.0.0.0/",
		"1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111" };
	struct networks *networks;
	struct err err;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(networks_parse(bad[i], strlen(bad[i]), &networks, &err), -1);
	assert_int_equal(networks_parse("10.0.0.1\nx\n", 11, &networks, &err), -1);
	assert_string_equal(err.text, "line 2 is no network; write one a line, like 192.0.2.0/24");
	assert_int_equal(networks_load("/nowhere", &networks, &err), -1);
	assert_int_equal(networks_parse("", 0, &networks, &err), 0);
	assert_false(networks_have(networks, "10.0.0.1"));
	networks_free(&networks);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_addresses_are_found), cmocka_unit_test(test_what_is_no_network_is_refused) };

	return cmocka_run_group_tests_name("networks", tests, NULL, NULL);
}
