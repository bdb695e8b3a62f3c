/*
 * mailboxes.h: `mailboxes:` of the operator's file, and what it shares with `relays:`. One thread, during a load.
 */
#ifndef CONFIG_MAILBOXES_H
#define CONFIG_MAILBOXES_H

#include "keys.h"
#include "load.h"

extern const struct key_table mailbox_table;

/* The list, which may be NULL, into the plan. */
void mailboxes_load(struct load *l, const struct yaml_node *list);

/* A user needs a password, and the other way round; `what` is who logs in: "the relay". In operator.c. */
void operator_check_login(struct load *l, const struct yaml_node *map, const char *user, const char *what);
/* `tls: none` is for this machine, and contradicts a scheme that is TLS. In operator.c. */
void operator_check_tls(struct load *l, const struct yaml_node *map, const char *url, int tls);

#endif
