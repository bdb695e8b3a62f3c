/*
 * inside.h: what the checks share. One thread.
 */
#ifndef DOCTOR_INSIDE_H
#define DOCTOR_INSIDE_H

#include "config/plan.h"
#include "doctor/doctor.h"

#include "findings.h"
#include "names.h"
#include "records.h"

#define CERTIFICATE_WARN_DAYS 14

struct doctor {
	struct doctor_wish wish;
	const struct operator_config *operator;
	struct names *names;
	struct findings findings;
	struct names_list relays;	/* addresses of the relays that the world may see */
};

/* domains.c: DNS of every sender. */
void domains_look(struct doctor *d);
/* The key of selector._domainkey.domain: 1, 0 there is none, -1 nobody could tell, -2 there are several, -3 it is wrong. */
int domains_fetch_dkim(struct doctor *d, const char *selector, const char *domain, struct dkim_key *out, struct err *err);
/* Does a signature of that domain count for the domain of From (RFC 7489 3.1.1)? */
bool domains_aligned(struct doctor *d, const char *from, const char *signer);
/* relays.c: also what of their addresses the world sees, into d->relays. */
void relays_find(struct doctor *d);
void relays_look(struct doctor *d);
/* The name of an address that the world sees, and does it lead back? */
void relays_look_reverse(struct doctor *d, const char *ip);
/* mailboxes.c */
void mailboxes_look(struct doctor *d);
/* web.c: public_url and the senders' tracking_url. */
void web_look(struct doctor *d);
/* machine.c: clock, disk, modes. */
void machine_look(struct doctor *d);

#endif
