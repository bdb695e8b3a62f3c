/*
 * guard: which addresses webhooks may go to, at the edges of each range, and what allow_private opens.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

#include "../../daemon/handoff/guard.h"

static bool allows(const char *text, const char *const *cidrs)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

	if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
		return guard_allows((struct sockaddr *)&in, cidrs);
	assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
	return guard_allows((struct sockaddr *)&in6, cidrs);
}

static void only_public_addresses_pass(void **state)
{
	static const struct {
		const char *address;
		bool want;
	} rows[] = {
		{ "8.8.8.8", true }, { "1.1.1.1", true }, { "93.184.216.34", true },
		{ "0.0.0.0", false }, { "0.255.255.255", false }, { "1.0.0.0", true },
		{ "9.255.255.255", true }, { "10.0.0.0", false }, { "10.255.255.255", false }, { "11.0.0.0", true },
		{ "100.63.255.255", true }, { "100.64.0.0", false }, { "100.127.255.255", false }, { "100.128.0.0", true },
		{ "126.255.255.255", true }, { "127.0.0.1", false }, { "127.255.255.254", false }, { "128.0.0.0", true },
		{ "169.253.255.255", true }, { "169.254.169.254", false }, { "169.255.0.0", true },
		{ "172.15.255.255", true }, { "172.16.0.0", false }, { "172.31.255.255", false }, { "172.32.0.0", true },
		{ "192.0.0.1", false }, { "192.0.2.1", false }, { "192.88.99.1", false }, { "192.0.1.1", true },
		{ "192.167.255.255", true }, { "192.168.0.1", false }, { "192.169.0.0", true },
		{ "198.17.255.255", true }, { "198.18.0.0", false }, { "198.19.255.255", false }, { "198.20.0.0", true },
		{ "198.51.100.7", false }, { "203.0.113.7", false },
		{ "223.255.255.255", true }, { "224.0.0.1", false }, { "239.255.255.255", false }, { "240.0.0.1", false },
		{ "255.255.255.255", false },
		{ "2606:4700:4700::1111", true }, { "2a00:1450:4001:81b::200e", true },
		{ "::", false }, { "::1", false }, { "::2", false },
		{ "::7f00:1", false }, { "::808:808", true },
		{ "::ffff:127.0.0.1", false }, { "::ffff:10.1.2.3", false }, { "::ffff:8.8.8.8", true },
		{ "64:ff9b::7f00:1", false }, { "64:ff9b::a00:1", false }, { "64:ff9b::808:808", true }, { "64:ff9b:1::808:808", false },
		{ "2002:7f00:1::1", false }, { "2002:c0a8:1::1", false }, { "2002:808:808::1", true },
		{ "100::1", false }, { "2001::1", false }, { "2001:1ff::1", false }, { "2001:200::1", true },
		{ "2001:db8::1", false }, { "3fff::1", false }, { "3fff:fff::1", false }, { "3fff:1000::1", true },
		{ "fbff::1", true }, { "fc00::1", false }, { "fd12:3456::1", false }, { "fe00::1", true },
		{ "fe80::1", false }, { "febf::1", false }, { "fec0::1", false }, { "ff02::1", false },
	};
	static const char *const none[] = { NULL };
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (allows(rows[i].address, NULL) != rows[i].want ||
			allows(rows[i].address, none) != rows[i].want)
			fail_msg("%s", rows[i].address);
	}
}

static void allow_private_opens_exactly_what_it_names(void **state)
{
	static const struct {
		const char *address, *cidr;
		bool want;
	} rows[] = {
		{ "127.0.0.1", "127.0.0.0/8", true },
		{ "127.0.0.1", "127.0.0.1", true },
		{ "127.0.0.2", "127.0.0.1", false },
		{ "127.0.0.1", "127.0.0.1/32", true },
		{ "10.1.2.3", "10.1.0.0/16", true },
		{ "10.2.2.3", "10.1.0.0/16", false },
		{ "10.1.2.130", "10.1.2.128/25", true },
		{ "10.1.2.127", "10.1.2.128/25", false },
		{ "192.168.1.1", "0.0.0.0/0", true },
		{ "::1", "::1", true },
		{ "::1", "::1/128", true },
		{ "::1", "127.0.0.0/8", false },
		{ "fd00::5", "fd00::/8", true },
		{ "fc00::5", "fd00::/8", false },
		{ "::ffff:127.0.0.1", "127.0.0.0/8", true },
		{ "::ffff:10.0.0.1", "127.0.0.0/8", false },
		{ "127.0.0.1", "::/0", false },
		/* what is no CIDR opens nothing */
		{ "127.0.0.1", "127.0.0.0/33", false },
		{ "127.0.0.1", "127.0.0.0/-1", false },
		{ "127.0.0.1", "127.0.0.0/", false },
		{ "127.0.0.1", "localhost", false },
		{ "127.0.0.1", "", false },
		{ "127.0.0.1", "127.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0/8", false },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *const cidrs[] = { "203.0.113.0/24", rows[i].cidr, NULL };

		if (allows(rows[i].address, cidrs) != rows[i].want)
			fail_msg("%s in %s", rows[i].address, rows[i].cidr);
	}
}

static void other_families_do_not_pass(void **state)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = "/run/docker.sock" };
	static const char *const all[] = { "0.0.0.0/0", "::/0", NULL };

	assert_false(guard_allows((struct sockaddr *)&un, all));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_public_addresses_pass),
		cmocka_unit_test(allow_private_opens_exactly_what_it_names),
		cmocka_unit_test(other_families_do_not_pass),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
