/*
 * inside.h: what the checks share. One thread.
 */
#ifndef DOCTOR_INSIDE_H
#define DOCTOR_INSIDE_H

#include "config/plan.h"
#include "doctor/doctor.h"

#include "findings.h"
#include "names.h"

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
/* relays.c: also what of their addresses the world sees, into d->relays. */
void relays_find(struct doctor *d);
void relays_look(struct doctor *d);
/* mailboxes.c */
void mailboxes_look(struct doctor *d);
/* web.c: public_url and the senders' tracking_url. */
void web_look(struct doctor *d);
/* machine.c: clock, disk, modes. */
void machine_look(struct doctor *d);

#endif
