/*
 * test_mx_hosts.c: whose servers take the mail of domains, and what is forgotten of it.
 */
#include "with_store.h"

static const struct mx_host hosts[] = { { "a.example", "mx.a.example", 100 }, { "b.example", "", 200 }, { "c.example", "mx.c.example", 300 } };

static int insert(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		if (mx_hosts_put(db, &hosts[i], err) < 0)
			return -1;
	}
	return 0;
}

static void assert_known(struct with_store *w, struct db *db, const char *names)
{
	struct mx_host host;
	struct err err;

	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
		assert_int_equal(mx_hosts_find(db, hosts[i].domain, w->arena, &host, &err), strchr(names, hosts[i].domain[0]) ? 1 : 0);
}

static int prune(struct with_store *w, struct db *db, void *arg, struct err *err)
{
	struct mx_host again = { "a.example", "mx2.a.example", 400 };

	if (mx_hosts_prune(db, 100, 10, err))
		return -1;
	assert_known(w, db, "abc");
	/* asked again: it is young */
	if (mx_hosts_put(db, &again, err) || mx_hosts_prune(db, 301, 1, err))
		return -1;
	assert_known(w, db, "ac");
	if (mx_hosts_prune(db, 301, 1, err))
		return -1;
	assert_known(w, db, "a");
	return 0;
}

static void the_oldest_go_some_at_a_time(void **state)
{
	do_job(*state, insert, NULL);
	do_job(*state, prune, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_oldest_go_some_at_a_time, setup_store, teardown_store),
	};

	return cmocka_run_group_tests_name("mx_hosts", tests, NULL, NULL);
}
