/*
 * work.h: one claimed mail on its way through send. Loop thread, but for what record.c's jobs read and write while they run.
 */
#ifndef SEND_WORK_H
#define SEND_WORK_H

#include <stdbool.h>
#include <stdint.h>

#include "decide/facts.h"

#include "dialogue.h"

enum work_state {
	WORK_STOCK,	/* claimed, waits for a connection; the first ones are composed */
	WORK_TAKEN,	/* on a connection */
	WORK_ENDED,	/* its outcome is known and being recorded */
};

enum record { RECORD_NONE, RECORD_DOT, RECORD_OUTCOME, RECORD_RELEASE };

struct work {
	struct envelope envelope;	/* .owner is this */
	struct mail *mail;		/* NULL once ended */
	int64_t delivery;
	enum work_state state;
	struct work *prev, *next;	/* all works */
	struct post *post;		/* whose stock it is in, or whose connection has it */
	struct work *next_stock;
	int64_t taken;			/* clock_steady() */
	bool composed;			/* the envelope has its body */
	bool withdrawn;			/* decide said so, or its dot was denied */
	bool store_failed;		/* its dot could not be committed: nothing is wrong with the mail */

	/* record.c's */
	enum record record;		/* being recorded now; NONE: nothing is */
	struct work *next_record;
	bool may_out;			/* result of RECORD_DOT */

	struct mail_outcome outcome;
	char reply[512];
	char relay_id[128];
	char relay[68];			/* name of the one that had it */
	int64_t bytes;			/* of the message, header and body */
};

#endif
