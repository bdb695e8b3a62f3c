/*
 * dialogue.h: the SMTP of one connection after its login, without any I/O: bytes in, bytes and ends of messages out.
 *
 * One recipient a message. With PIPELINING, MAIL RCPT DATA go out in one group (RFC 2920), and once the relay has taken a message the
 * next one's group goes out behind the dot of the one before. Without, one command at a time. A message's body and dot are written
 * together, when 354 has come and dialogue_grant() was called, never before: the caller has then committed that it may be out.
 *
 * Every message that was added ends once, in order of adding, with what became of it; `in_doubt` only if its whole dot may have left and no reply
 * came. The dialogue reports; outcome.c decides.
 *
 * Pure but for memory; loop thread.
 */
#ifndef SEND_DIALOGUE_H
#define SEND_DIALOGUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/token.h"
#include "reply.h"

enum smtp_stage {
	STAGE_CONNECT, STAGE_GREET, STAGE_EHLO, STAGE_TLS, STAGE_AUTH, STAGE_MAIL, STAGE_RCPT, STAGE_DATA, STAGE_DOT,
	STAGE_RSET, STAGE_LONE_DOT, STAGE_QUIT,		/* of no message: inside the dialogue only */
};
extern const char *const stage_names[];

enum trouble {
	TROUBLE_NONE,		/* the relay replied: code and text */
	TROUBLE_REFUSED,	/* no connection: libcurl's words */
	TROUBLE_LOST,		/* the connection went away */
	TROUBLE_TIMEOUT,
	TROUBLE_GARBAGE,	/* what came was not SMTP, or came unasked */
	TROUBLE_CLOSED,		/* the relay said 421 to something else on this connection */
	TROUBLE_STOPPED,	/* we closed it: shutdown, another message withdrawn */
	TROUBLE_WITHDRAWN,	/* dialogue_forbid(): nothing of it went out */
	TROUBLE_UNVERIFIED,	/* the relay's certificate was refused */
};
extern const char *const trouble_names[];

enum capability {
	CAN_PIPELINE = 1,
	CAN_SIZE = 2,
	CAN_DSN = 4,
	CAN_AUTH = 8,
	CAN_UTF8 = 16,		/* SMTPUTF8, RFC 6531 */
};

/* In place of a reply, with 553 and 5.6.7 (RFC 6531 4.2): what the relay does not offer it is not asked for. */
#define NO_UTF8_REPLY "5.6.7 the address has letters beyond ASCII before the @, and the relay does not offer SMTPUTF8"

/* A message as the dialogue carries it; the caller's until its end is reported. */
struct envelope {
	char return_path[320];		/* checked addresses: no CR, LF, '>' or blank can be in them */
	char recipient[320];
	char envid[TOKEN_TEXT];		/* ENVID of RFC 3461: what a delivery report brings back */
	bool utf8;			/* recipient and header have letters beyond ASCII: only with CAN_UTF8 */
	struct buf body;		/* header and body: CRLF line ends, ends in one, no line begins with a dot; as the caller left it until it is written */
	bool granted;			/* the dialogue's */
	bool forbidden;
	void *connection;		/* the relay's */
	void *owner;			/* the caller's */
};

struct dialogue_end {
	struct envelope *envelope;
	enum smtp_stage stage;		/* where it stood */
	enum trouble trouble;
	bool in_doubt;
	bool untouched;			/* nothing but perhaps a 421 answered its commands: it was not this message's fault */
	bool reused;			/* the connection had served before: with `untouched`, it had gone stale */
	struct reply reply;		/* with TROUBLE_NONE; else code 0 and a text */
};

/* How long to wait for which reply, microseconds (RFC 5321 4.5.3.2). */
struct dialogue_times {
	int64_t mail, rcpt, data, dot, rset, quit;
	int64_t block;			/* for the relay to take more bytes */
};
extern const struct dialogue_times dialogue_times_default;

struct dialogue_slot {
	struct envelope *envelope;
	enum { SLOT_QUEUED, SLOT_OUT, SLOT_GO, SLOT_DOTTED } state;	/* envelope not written, written, 354 came, body written */
	bool heard;
	bool refused;
	enum smtp_stage refused_at;
	struct reply refusal;
	uint64_t dot_end;		/* position in all that was written on this connection */
};

#define DIALOGUE_EXPECTED 16

struct dialogue {
	unsigned can;
	int64_t size_limit;		/* of SIZE, 0: none named */
	struct reply_parser parser;
	struct dialogue_slot slots[2];
	int first, count;		/* slots in use, from `first` */
	struct expected {
		enum smtp_stage stage;
		struct dialogue_slot *slot;
		uint64_t end;		/* where its command ends */
	} expected[DIALOGUE_EXPECTED];	/* replies that are to come, a ring */
	unsigned expected_first, expected_count;
	struct dialogue_end ends[2];	/* to be fetched */
	int end_first, end_count;
	struct buf out;
	size_t out_done;		/* bytes of `out` that were written */
	uint64_t out_base;		/* position of out.data[0] */
	uint64_t handed;		/* position up to which bytes may have left */
	uint64_t accepted;		/* messages that this relay connection took */
	uint64_t finished;		/* messages that ended */
	bool need_reset;
	bool quitting;
	bool closed;
};

void dialogue_init(struct dialogue *d, unsigned can, int64_t size_limit);
void dialogue_clear(struct dialogue *d);

/* How many more messages it takes now: one at a time until the relay took one, then one in reserve. */
int dialogue_room(const struct dialogue *d);
/* Only with room, and with all ends fetched. */
void dialogue_add(struct dialogue *d, struct envelope *envelope);
/* Its dot is committed. / It must not go out: nothing of it will unless its dot is out already. */
void dialogue_grant(struct dialogue *d, struct envelope *envelope);
void dialogue_forbid(struct dialogue *d, struct envelope *envelope);

void dialogue_input(struct dialogue *d, const char *data, size_t n);
/* The connection is over: TROUBLE_LOST, _TIMEOUT or _STOPPED. */
void dialogue_fail(struct dialogue *d, enum trouble trouble);
/* Says goodbye when nothing is under way. */
void dialogue_quit(struct dialogue *d);

/* What is to be written now. */
struct slice dialogue_output(const struct dialogue *d);
/*
 * `n` bytes of it were written; `handed` of it (>= n) may have left, as with TLS, where a write that would block may have sent some
 * records. Returns a mask of what is now completely out.
 */
enum { WROTE_ENVELOPE = 1, WROTE_DOT = 2 };
unsigned dialogue_written(struct dialogue *d, size_t n, size_t handed);

/* Fetches the next end. */
bool dialogue_next_end(struct dialogue *d, struct dialogue_end *out);
/* Nothing more will be read or written: close the connection. */
bool dialogue_closed(const struct dialogue *d);
/* Nothing under way. */
bool dialogue_idle(const struct dialogue *d);
/* How long the present wait may last since the last byte; 0: nothing is waited for. */
int64_t dialogue_timeout(const struct dialogue *d, const struct dialogue_times *times);

#endif
