/*
 * frame.h: what the daemon and nurtured-intake say to each other over a stream socket (fd 3 of the intake).
 * Any thread.
 *
 * A frame is 4 bytes of length, big endian, then that many bytes of JSON: an object with "type". Keys that
 * one side does not know it passes over. Whoever reads a broken frame closes the socket; the intake ends
 * when its socket is closed.
 *
 * Daemon -> intake:
 *   configure  first, once: name; url ("": no mailbox, only what `read` brings; imaps://host[:port]/MAILBOX, imap://host[:port]/MAILBOX with
 *              "starttls": true, or, where that is meant, "cleartext": true; pop3s:// and pop3:// likewise, without MAILBOX; or maildir:/path);
 *              user, password, or "by_token": true; cainfo (file of trusted certificates); poll_seconds; after (keep, seen, move, delete), move_to;
 *              raw (true: send the bytes too); watermark {uidvalidity, last_uid}; known {key: stays}: mails that were taken and may still be
 *              there, of which those that do not stay get what `after` says; more_known (true: `known` frames follow, and nothing is looked
 *              at before the last of them); own_domains [reply and return domains]; skip [keys
 *              that ended the intake twice: they come as class "unreadable", unread]; replies {what
 *              replies.yaml says: line, order, word, long_text, many, intents [{name, weight, hot, alone, over,
 *              say, unless}]}
 *   known      more of known, and more_known
 *   token      token, for the one login that it was wanted for; or why there is none
 *   committed  key: what follows from that mail is on disk: a Maildir file moves to cur/ with the flag S, a
 *              mail in IMAP or POP3 gets what `after` says (keep: the keyword $Nurtured), unless "leave" is true
 *   read       size, received: behind the frame come so many bytes of one mail, at most FRAME_MAIL_MAX; what it
 *              says is answered as a state `reading` with an empty key, when it begins, and a `mail` without
 *              key; nothing of it is `committed`
 *   poll_now   look now, whatever was wrong
 *   stop       end, status 0
 * Intake -> daemon:
 *   ready      the mailbox has been opened: uidvalidity (0: it has none)
 *   token_wanted  it is about to log in by token, and waits for one
 *   state      state "reading", key: about to read that mail. If the intake ends before the mail comes, that
 *              one was it. state "idle": all that is there has been read. state "rests": and committed; learns "told", by the server or
 *              the kernel, when there is more, or "asks"
 *   mail       key; uid, uidvalidity (0: none); sha256 (hex, of the first 5 MB; of the key where no byte could be had); size; received
 *              (microseconds UTC); bytes (if asked for: so many bytes of the mail come behind the frame, at most FRAME_RAW_MAX); and what
 *              reading_json() (reading.h) says
 *   gone       key: of `known`, or committed: nothing is left to be done with that mail
 *   problem    kind: network, login (a person must see to it), config, mail (that one alone), after (what should become of a mail was refused;
 *              it is tried again); what; retry_in (seconds; 0: it goes on)
 * At most FRAME_WINDOW mails, and one more than fit into FRAME_WINDOW_BYTES, are out without `committed`. Mails of a mailbox come in the order of their uids;
 * the watermark is the daemon's: it may store the uid of a mail together with what follows from it.
 */
#ifndef LISTEN_FRAME_H
#define LISTEN_FRAME_H

#include <jansson.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define FRAME_MAX (4 * 1024 * 1024)
#define FRAME_MAIL_MAX (5 * 1024 * 1024)
#define FRAME_RAW_MAX (25 * 1024 * 1024)
#define FRAME_WINDOW 8
#define FRAME_WINDOW_BYTES (16 * 1024 * 1024)
#define FRAME_FD 3

/* Appends one frame. The message is borrowed. -1: not UTF-8, or too long. */
int frame_encode(struct buf *out, const json_t *message, struct err *err) MUSTCHECK;

/* Takes the first frame off `in`: 1 and a new reference; 0 if it is not all there; -1 if it is broken. */
int frame_decode(struct buf *in, json_t **out, struct err *err) MUSTCHECK;

/* The "type" of a message, or "". */
const char *frame_type(const json_t *message);
/* A string member, or "". */
const char *frame_string(const json_t *message, const char *key);
/* An integer member, or `fallback`. */
int64_t frame_integer(const json_t *message, const char *key, int64_t fallback);

#endif
