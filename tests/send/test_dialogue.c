/*
 * Scripted exchanges: each case is a list of lines. In texts '|' is CRLF. Messages are called a, b, c; their bodies are "A|", "B|", "C|".
 *
 *	add X, grant X, forbid X	what the caller does
 *	utf8 X		the recipient X has letters beyond ASCII
 *	out TEXT	exactly this is to be written; it is
 *	part N		N bytes of what is to be written are, and no more may have left
 *	in TEXT		the relay says
 *	end X STAGE CODE|TROUBLE [doubt] [untouched] [reused]	the next end; `none`: there is none
 *	fail TROUBLE, quit, closed, open, room N
 *	wait WHAT	which reply is waited for: mail rcpt data dot rset quit block nothing
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../daemon/send/dialogue.h"

#define FULL (CAN_PIPELINE)

struct script {
	const char *name;
	unsigned can;
	const char *lines;
};

#define GROUP(x) "MAIL FROM:<r" x "@us.example>|RCPT TO:<" x "@them.example>|DATA|"
#define OK3 "in 250 ok|250 ok|354 go|\n"
/* the first message of a connection, taken: from here on it chains */
#define TAKE_A "add a\nout " GROUP("a") "\ngrant a\n" OK3 "out A|.|\nin 250 2.0.0 Ok: queued as 4XYZ|\nend a dot 250 \n"

static const struct script scripts[] = {
	{ "one message, pipelined, in two writes", FULL,
		"room 1\nadd a\nroom 0\nout " GROUP("a") "\nwait mail\ngrant a\nout \nin 250 ok|250 ok|\nwait data\nin 354 go|\n"
		"out A|.|\nwait dot\nnone\nin 250 2.0.0 Ok: queued as 4XYZ|\nend a dot 250\nwait nothing\nroom 2\nopen" },
	{ "the body waits for the grant", FULL,
		"add a\nout " GROUP("a") "\n" OK3 "out \nwait nothing\ngrant a\nout A|.|" },
	{ "lock-step without PIPELINING", 0,
		"add a\nout MAIL FROM:<ra@us.example>|\ngrant a\nin 250 ok|\nout RCPT TO:<a@them.example>|\nwait rcpt\nin 250 ok|\n"
		"out DATA|\nwait data\nin 354 go|\nout A|.|\nin 250 ok|\nend a dot 250" },
	{ "lock-step: the second message waits for the first one's reply", 0,
		"add a\nout MAIL FROM:<ra@us.example>|\ngrant a\nin 250 ok|\nout RCPT TO:<a@them.example>|\nin 250 ok|\nout DATA|\nin 354 go|\n"
		"out A|.|\nin 250 ok|\nend a dot 250\nadd b\nadd c\ngrant b\ngrant c\nout MAIL FROM:<rb@us.example>|\nin 250 ok|\n"
		"out RCPT TO:<b@them.example>|\nin 250 ok|\nout DATA|\nin 354 go|\nout B|.|\nin 250 ok|\nend b dot 250\n"
		"out MAIL FROM:<rc@us.example>|" },
	{ "chained: the next envelope goes out behind the dot in one write", FULL,
		TAKE_A "add b\nadd c\nroom 0\nout " GROUP("b") "\ngrant b\ngrant c\n" OK3 "out B|.|" GROUP("c") "\n"
		"in 250 ok|250 ok|250 ok|354 go|\nend b dot 250\nout C|.|\nin 250 ok|\nend c dot 250" },
	{ "chained: an envelope added while the dot is awaited goes out at once", FULL,
		TAKE_A "add b\nout " GROUP("b") "\ngrant b\n" OK3 "out B|.|\nadd c\nout " GROUP("c") "\nin 250 ok|250 ok|250 ok|354 x|\n"
		"end b dot 250\nout \ngrant c\nout C|.|" },
	{ "chained: a refused dot does not hurt the next one", FULL,
		TAKE_A "add b\nadd c\nout " GROUP("b") "\ngrant b\ngrant c\n" OK3 "out B|.|" GROUP("c") "\n"
		"in 554 5.7.1 spam|250 ok|250 ok|354 go|\nend b dot 554\nout C|.|\nin 250 ok|\nend c dot 250" },
	{ "SIZE and DSN parameters, ORCPT in xtext", FULL | CAN_SIZE | CAN_DSN,
		"add a\nout MAIL FROM:<ra@us.example> SIZE=3 RET=HDRS ENVID=envid-a|"
		"RCPT TO:<a@them.example> NOTIFY=FAILURE,DELAY ORCPT=rfc822;a@them.example|DATA|" },
	{ "letters beyond ASCII: SMTPUTF8, and ORCPT as they are", FULL | CAN_DSN | CAN_UTF8,
		"utf8 a\nadd a\nout MAIL FROM:<ra@us.example> RET=HDRS ENVID=envid-a BODY=8BITMIME SMTPUTF8|"
		"RCPT TO:<\xc3\xa9+a@them.example> NOTIFY=FAILURE,DELAY ORCPT=utf-8;\xc3\xa9\\x{2B}a@them.example|DATA|" },
	{ "MAIL refused: 503 for the rest, RSET before the next", FULL,
		"add a\nout " GROUP("a") "\ngrant a\nin 550 5.7.1 not you|503 5.5.1 no|503 5.5.1 no|\nend a mail 550\nadd b\nout RSET|" GROUP("b") "\n"
		"wait rset\nin 250 reset|\nwait mail" },
	{ "RCPT refused, DATA refused after it", FULL,
		"add a\nout " GROUP("a") "\ngrant a\nin 250 ok|550 5.1.1 no such user|554 5.5.1 no valid recipients|\nend a rcpt 550\n"
		"add b\nout RSET|" GROUP("b") },
	{ "RCPT refused and yet 354: a lone dot, without RSET after it", FULL,
		"add a\nout " GROUP("a") "\ngrant a\nin 250 ok|450 4.2.1 later|354 go|\nout .|\nnone\nwait dot\nin 554 no recipients|\nend a rcpt 450\n"
		"add b\nout " GROUP("b") },
	{ "a connection lost after the lone dot leaves nothing in doubt", FULL,
		"add a\nout " GROUP("a") "\ngrant a\nin 250 ok|450 4.2.1 later|354 go|\nout .|\nfail lost\nend a rcpt 450\nclosed" },
	{ "DATA refused", FULL, "add a\nout " GROUP("a") "\ngrant a\nin 250 ok|250 ok|451 4.3.0 busy|\nend a data 451\nopen" },
	{ "lock-step: RCPT refused, DATA is not asked", 0,
		"add a\nout MAIL FROM:<ra@us.example>|\nin 250 ok|\nout RCPT TO:<a@them.example>|\nin 550 no|\nend a rcpt 550\nout \n"
		"add b\nout RSET|MAIL FROM:<rb@us.example>|" },
	{ "4xx to the dot", FULL, "add a\nout " GROUP("a") "\ngrant a\n" OK3 "out A|.|\nin 452 4.3.1 full|\nend a dot 452\nopen" },

	{ "lost before any reply", FULL, "add a\nout " GROUP("a") "\nfail lost\nend a mail lost untouched\nclosed" },
	{ "lost after MAIL", FULL, "add a\nout " GROUP("a") "\nin 250 ok|\nfail lost\nend a rcpt lost" },
	{ "lost after 354, body not granted", FULL, "add a\nout " GROUP("a") "\n" OK3 "fail lost\nend a data lost" },
	{ "lost with half of the body written: not in doubt", FULL,
		"add a\nout " GROUP("a") "\ngrant a\n" OK3 "part 3\nwait block\nfail lost\nend a dot lost" },
	{ "lost with all but the last byte written: not in doubt", FULL, "add a\nout " GROUP("a") "\ngrant a\n" OK3 "part 5\nfail lost\nend a dot lost" },
	{ "lost after the dot: in doubt", FULL, "add a\nout " GROUP("a") "\ngrant a\n" OK3 "out A|.|\nfail lost\nend a dot lost doubt" },
	{ "no reply to the dot in time: in doubt", FULL, "add a\nout " GROUP("a") "\ngrant a\n" OK3 "out A|.|\nfail timeout\nend a dot timeout doubt" },
	{ "chained and lost: exactly the one with its dot out is in doubt", FULL,
		TAKE_A "add b\nadd c\nout " GROUP("b") "\ngrant b\ngrant c\n" OK3 "out B|.|" GROUP("c") "\nfail lost\n"
		"end b dot lost doubt reused\nend c mail lost untouched reused\nclosed" },
	{ "chained, b's reply came, c's 354 too, its dot did not leave", FULL,
		TAKE_A "add b\nadd c\nout " GROUP("b") "\ngrant b\ngrant c\n" OK3 "out B|.|" GROUP("c") "\n"
		"in 250 ok|250 ok|250 ok|354 go|\nend b dot 250\nfail lost\nend c dot lost" },
	{ "half a reply, then lost", FULL, "add a\nout " GROUP("a") "\ngrant a\n" OK3 "out A|.|\nin 250-2.0.0 O\nfail lost\nend a dot lost doubt" },

	{ "421 while idle", FULL, TAKE_A "in 421 4.4.2 idle too long|\nclosed\nnone" },
	{ "421 to the first command after idling: stale", FULL,
		TAKE_A "add b\nout " GROUP("b") "\nin 421 4.4.2 idle too long|\nend b mail 421 untouched reused\nclosed" },
	{ "421 to the dot is a refusal, and takes the next one with it", FULL,
		TAKE_A "add b\nadd c\nout " GROUP("b") "\ngrant b\n" OK3 "out B|.|" GROUP("c") "\nin 421 4.3.2 shutting down|\n"
		"end b dot 421\nend c mail closed untouched reused\nclosed" },
	{ "421 after 354 while the grant is awaited", FULL, "add a\nout " GROUP("a") "\n" OK3 "in 421 4.4.2 too slow|\nend a data 421\nclosed" },
	{ "421 to RCPT", FULL, "add a\nout " GROUP("a") "\nin 250 ok|421 4.7.0 go away|\nend a rcpt 421\nclosed" },

	{ "garbage instead of a reply", FULL, "add a\nout " GROUP("a") "\nin HTTP/1.1 400 Bad Request|\nend a mail garbage untouched\nclosed" },
	{ "garbage instead of the dot's reply: in doubt", FULL, "add a\nout " GROUP("a") "\ngrant a\n" OK3 "out A|.|\nin ok!|\nend a dot garbage doubt" },
	{ "a reply that nobody asked for", FULL, TAKE_A "in 250 hello|\nclosed\nnone" },
	{ "a reply too many in lock-step", 0, "add a\nout MAIL FROM:<ra@us.example>|\nin 250 ok|250 ok|\nend a rcpt garbage\nclosed" },
	{ "250 to the dot before the dot", FULL, "add a\nout " GROUP("a") "\ngrant a\n" OK3 "part 2\nin 250 taken|\nend a dot garbage\nclosed" },
	{ "552 before the dot: a refusal, and the connection is closed", FULL,
		"add a\nout " GROUP("a") "\ngrant a\n" OK3 "part 2\nin 552 5.3.4 too big|\nend a dot 552\nclosed" },
	{ "250 in place of 354", FULL, "add a\nout " GROUP("a") "\ngrant a\nin 250 ok|250 ok|250 ok|\nend a data garbage\nclosed" },
	{ "354 in place of 250 to the dot: in doubt", FULL, "add a\nout " GROUP("a") "\ngrant a\n" OK3 "out A|.|\nin 354 more|\nend a dot garbage doubt" },
	{ "354 to MAIL", FULL, "add a\nout " GROUP("a") "\nin 354 go|\nend a mail garbage untouched\nclosed" },
	{ "a reply before its command has left", FULL, "add a\npart 10\nin 250 ok|\nend a mail garbage untouched\nclosed" },
	{ "replies in pieces, of several lines", FULL,
		"add a\nout " GROUP("a") "\ngrant a\nin 250-one|25\nin 0 two|250\nin  ok|35\nin 4 go|\nout A|.|\nin 250-2.0.0 a|250 2.0.0 b|\nend a dot 250" },

	{ "forbidden after 354: the connection is closed without the dot", FULL,
		"add a\nout " GROUP("a") "\n" OK3 "forbid a\nend a data withdrawn\nclosed" },
	{ "forbidden before 354 came", FULL, "add a\nout " GROUP("a") "\nforbid a\nnone\n" OK3 "end a data withdrawn\nclosed" },
	{ "forbidden after its grant, before 354", FULL, "add a\nout " GROUP("a") "\ngrant a\nforbid a\n" OK3 "end a data withdrawn\nclosed" },
	{ "forbidden with half of the body out", FULL, "add a\nout " GROUP("a") "\ngrant a\n" OK3 "part 2\nforbid a\nend a dot withdrawn\nclosed" },
	{ "forbidden with the dot out: too late", FULL, "add a\nout " GROUP("a") "\ngrant a\n" OK3 "out A|.|\nforbid a\nnone\nin 250 ok|\nend a dot 250" },
	{ "forbidden in lock-step before DATA: RSET keeps the connection", 0,
		"add a\nout MAIL FROM:<ra@us.example>|\nforbid a\nin 250 ok|\nend a mail withdrawn\nadd b\nout RSET|MAIL FROM:<rb@us.example>|" },
	{ "the second one forbidden before a byte of it is out", 0,
		"add a\nout MAIL FROM:<ra@us.example>|\ngrant a\nin 250 ok|\nout RCPT TO:<a@them.example>|\nin 250 ok|\nout DATA|\nin 354 go|\n"
		"out A|.|\nin 250 ok|\nend a dot 250\nadd b\nadd c\nforbid c\nnone\ngrant b\nout MAIL FROM:<rb@us.example>|\nin 250 ok|\n"
		"out RCPT TO:<b@them.example>|\nin 250 ok|\nout DATA|\nin 354 go|\nout B|.|\nin 250 ok|\nend b dot 250\nend c mail withdrawn untouched reused\nout \nopen" },
	{ "the chained one forbidden: the one before it is waited for", FULL,
		TAKE_A "add b\nadd c\nout " GROUP("b") "\ngrant b\n" OK3 "out B|.|" GROUP("c") "\nforbid c\nnone\n"
		"in 250 ok|250 ok|250 ok|354 go|\nend b dot 250\nend c data withdrawn\nclosed" },

	{ "goodbye", FULL, TAKE_A "quit\nroom 0\nout QUIT|\nwait quit\nin 221 bye|\nclosed" },
	{ "goodbye, and the relay just hangs up", FULL, TAKE_A "quit\nout QUIT|\nfail lost\nclosed\nnone" },
};

/* --- the interpreter ---------------------------------------------------------------------------------------------- */

struct play {
	struct dialogue d;
	struct envelope mails[3];
	const struct dialogue_times *times;
};

static void expand(const char *s, struct buf *out)
{
	buf_reset(out);
	for (; *s; s++)
		if (*s == '|')
			buf_str(out, "\r\n");
		else
			buf_char(out, *s);
}

static struct envelope *mail_of(struct play *p, const char *arg)
{
	return &p->mails[arg[0] - 'a'];
}

static void expect_out(struct play *p, const char *arg)
{
	struct slice out = dialogue_output(&p->d);
	struct buf want = BUF_INIT;

	expand(arg, &want);
	if (out.len != want.len || memcmp(out.data, buf_cstr(&want), out.len) != 0)
		fail_msg("to be written: %.*s, expected: %s", (int)out.len, out.data, buf_cstr(&want));
	dialogue_written(&p->d, out.len, out.len);
	buf_clear(&want);
}

static enum trouble trouble_of(const char *word)
{
	static const struct {
		const char *word;
		enum trouble trouble;
	} words[] = {
		{ "lost", TROUBLE_LOST }, { "timeout", TROUBLE_TIMEOUT }, { "garbage", TROUBLE_GARBAGE }, { "closed", TROUBLE_CLOSED },
		{ "stopped", TROUBLE_STOPPED }, { "withdrawn", TROUBLE_WITHDRAWN },
	};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i].word, word) == 0)
			return words[i].trouble;
	fail_msg("no such trouble: %s", word);
	return TROUBLE_NONE;
}

static void expect_end(struct play *p, const char *arg)
{
	char mail[4], stage[16], what[16];
	struct dialogue_end end;
	int code;

	assert_int_equal(sscanf(arg, "%3s %15s %15s", mail, stage, what), 3);
	if (!dialogue_next_end(&p->d, &end))
		fail_msg("no end, expected: %s", arg);
	code = atoi(what);
	assert_ptr_equal(end.envelope, mail_of(p, mail));
	assert_string_equal(stage_names[end.stage], stage);
	assert_int_equal(end.trouble, code ? TROUBLE_NONE : trouble_of(what));
	assert_int_equal(end.reply.code, code);
	assert_int_equal(end.in_doubt, strstr(arg, "doubt") != NULL);
	if (!code || code == 421) {
		assert_int_equal(end.untouched, strstr(arg, "untouched") != NULL);
		if (end.untouched)
			assert_int_equal(end.reused, strstr(arg, "reused") != NULL);
	}
}

static void expect_wait(struct play *p, const char *arg)
{
	const struct dialogue_times *t = p->times;
	const struct {
		const char *word;
		int64_t us;
	} waits[] = {
		{ "mail", t->mail }, { "rcpt", t->rcpt }, { "data", t->data }, { "dot", t->dot }, { "rset", t->rset }, { "quit", t->quit },
		{ "block", t->block }, { "nothing", 0 },
	};
	size_t i;

	for (i = 0; strcmp(waits[i].word, arg) != 0; i++)
		assert_true(i + 1 < sizeof(waits) / sizeof(waits[0]));
	assert_int_equal(dialogue_timeout(&p->d, t), waits[i].us);
}

static void do_line(struct play *p, const char *verb, const char *arg)
{
	struct buf text = BUF_INIT;
	struct dialogue_end end;

	if (!strcmp(verb, "utf8")) {
		snprintf(mail_of(p, arg)->recipient, sizeof(p->mails[0].recipient), "\xc3\xa9+%c@them.example", arg[0]);
		mail_of(p, arg)->utf8 = true;
	} else if (!strcmp(verb, "add")) {
		dialogue_add(&p->d, mail_of(p, arg));
	} else if (!strcmp(verb, "grant")) {
		dialogue_grant(&p->d, mail_of(p, arg));
	} else if (!strcmp(verb, "forbid")) {
		dialogue_forbid(&p->d, mail_of(p, arg));
	} else if (!strcmp(verb, "out")) {
		expect_out(p, arg);
	} else if (!strcmp(verb, "part")) {
		dialogue_written(&p->d, (size_t)atoi(arg), (size_t)atoi(arg));
	} else if (!strcmp(verb, "in")) {
		expand(arg, &text);
		dialogue_input(&p->d, text.data, text.len);
	} else if (!strcmp(verb, "end")) {
		expect_end(p, arg);
	} else if (!strcmp(verb, "none")) {
		assert_false(dialogue_next_end(&p->d, &end));
	} else if (!strcmp(verb, "fail")) {
		dialogue_fail(&p->d, trouble_of(arg));
	} else if (!strcmp(verb, "quit")) {
		dialogue_quit(&p->d);
	} else if (!strcmp(verb, "closed") || !strcmp(verb, "open")) {
		assert_int_equal(dialogue_closed(&p->d), verb[0] == 'c');
	} else if (!strcmp(verb, "room")) {
		assert_int_equal(dialogue_room(&p->d), atoi(arg));
	} else if (!strcmp(verb, "wait")) {
		expect_wait(p, arg);
	} else {
		fail_msg("no such verb: %s", verb);
	}
	buf_clear(&text);
}

static void play_init(struct play *p, unsigned can)
{
	static const struct dialogue_times times = { .mail = 1, .rcpt = 2, .data = 3, .dot = 4, .rset = 5, .quit = 6, .block = 7 };
	int i;

	memset(p, 0, sizeof(*p));
	p->times = &times;
	dialogue_init(&p->d, can, 0);
	for (i = 0; i < 3; i++) {
		struct envelope *e = &p->mails[i];

		snprintf(e->return_path, sizeof(e->return_path), "r%c@us.example", 'a' + i);
		snprintf(e->recipient, sizeof(e->recipient), "%c@them.example", 'a' + i);
		snprintf(e->envid, sizeof(e->envid), "envid-%c", 'a' + i);
		buf_printf(&e->body, "%c\r\n", 'A' + i);
	}
}

static void play_clear(struct play *p)
{
	int i;

	dialogue_clear(&p->d);
	for (i = 0; i < 3; i++)
		buf_clear(&p->mails[i].body);
}

static void plays_as_written(void **state)
{
	const struct script *script = *state;
	const char *line, *end;
	char verb[16], arg[1024];
	struct play p;
	int n;

	play_init(&p, script->can);
	for (line = script->lines; *line; line = *end ? end + 1 : end) {
		end = strchrnul(line, '\n');
		n = (int)strcspn(line, " \n");
		snprintf(verb, sizeof(verb), "%.*s", n, line);
		n += line[n] == ' ';
		snprintf(arg, sizeof(arg), "%.*s", (int)(end - line) - n > 0 ? (int)(end - line) - n : 0, line + n);
		do_line(&p, verb, arg);
	}
	play_clear(&p);
}

/* Whatever comes, byte by byte or at once, ends the same. */
static void pieces_make_no_difference(void **state)
{
	static const char replies[] = "250-ok\r\n250 ok\r\n550 5.1.1 no\r\n354 go\r\n";
	struct dialogue_end ends[2];
	struct play p;
	size_t i;
	int way;

	for (way = 0; way < 2; way++) {
		play_init(&p, CAN_PIPELINE);
		dialogue_add(&p.d, &p.mails[0]);
		dialogue_written(&p.d, dialogue_output(&p.d).len, dialogue_output(&p.d).len);
		for (i = 0; way == 0 && i < sizeof(replies) - 1; i++)
			dialogue_input(&p.d, replies + i, 1);
		if (way == 1)
			dialogue_input(&p.d, replies, sizeof(replies) - 1);
		assert_int_equal(dialogue_output(&p.d).len, 3);
		dialogue_written(&p.d, 3, 3);
		dialogue_input(&p.d, "554 no\r\n", 8);
		assert_true(dialogue_next_end(&p.d, &ends[way]));
		play_clear(&p);
	}
	assert_int_equal(ends[0].reply.code, 550);
	assert_string_equal(ends[0].reply.text, ends[1].reply.text);
	assert_string_equal(ends[0].reply.enhanced, "5.1.1");
	assert_string_equal(ends[1].reply.enhanced, "5.1.1");
}

int main(void)
{
	struct CMUnitTest tests[sizeof(scripts) / sizeof(scripts[0]) + 1];
	size_t i, n = sizeof(scripts) / sizeof(scripts[0]);

	for (i = 0; i < n; i++)
		tests[i] = (struct CMUnitTest){ .name = scripts[i].name, .test_func = plays_as_written, .initial_state = (void *)(uintptr_t)&scripts[i] };
	tests[n] = (struct CMUnitTest)cmocka_unit_test(pieces_make_no_difference);
	return _cmocka_run_group_tests("dialogue", tests, n + 1, NULL, NULL);
}
