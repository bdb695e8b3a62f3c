/* test_speech.c: words and forms by a small vocabulary. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../daemon/listen/lexicon.h"
#include "../../daemon/listen/speech.h"
#include "base/mem.h"

static struct arena *arena;

/* "[loschen] [sie] | [mich]": sentences parted by a full stop, clauses marked by what stands before the word. */
static const char *told(const char *text)
{
	struct buf out = BUF_INIT;
	struct token *tokens;
	size_t n = tokens_read(arena, text, strlen(text), 100, &tokens);
	const char *s;

	for (size_t i = 0; i < n; i++)
		buf_printf(&out, "%s%s%s%s%.*s", i ? " " : "", i && tokens[i].sentence != tokens[i - 1].sentence ? ". " : "", tokens[i].comma ? ", " : tokens[i].part ? "| " : "",
			tokens[i].quoted ? "'" : "", (int)tokens[i].text.len, tokens[i].text.data);
	s = arena_strdup(arena, buf_cstr(&out));
	buf_clear(&out);
	return s;
}

static void words_are_folded(void **state)
{
	static const char *const rows[][2] = {
		{ "Bitte L\xc3\xb6schen!", "bite loschen" },
		{ "Don't e-mail me", "dont email me" },
		{ "l'adresse d'Anne", "l adrese d ane" },
		{ "STOOOP writting", "stop writing" },
		{ "take me off", "take me off" },
		{ "\xc5\x81\xc3\xb3""d\xc5\xba", "lodz" },
		{ "\xd0\x95\xd1\x89\xd1\x91", "\xd0\xb5\xd1\x89\xd0\xb5" },
		{ "\xe9\x80\x80\xe8\xae\xa2\xe5\x90\xa7", "\xe9\x80\x80 \xe8\xae\xa2 \xe5\x90\xa7" },
		{ "ask info@a.example. Now", "ask @ . now" },
		{ "nr. 4, or No. Yes", "nr 4 , or no . yes" },
		{ "one (two) - three", "one | two | thre" },
		{ "he said \"go away\" and left", "he said | 'go 'away | and left" },
		{ "he said \xe2\x80\x9cgo away\xe2\x80\x9d and left", "he said | 'go 'away | and left" },
		{ "\xe2\x80\x9enie\xe2\x80\x9d i koniec", "| 'nie | i koniec" },
		{ "", "" },
		{ "\xff\xfe a", "a" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(told(rows[i][0]), rows[i][1]);
	assert_string_equal(told("a line that is as long as a mail program makes it before it breaks\nit goes on\nends\nhere"),
		"a line that is as long as a mail program makes it before it breaks it goes on . ends . here");
}

static json_t *vocabulary(void)
{
	json_t *v = json_pack("{s{ss} s{ss ss ss ss ss ss ss ss} s{ss ss ss ss ss ss}}",
		"all", "mails", "newsletter-",
		"en", "remove", "remov- take+off unsubscribe", "me", "me my_name", "not", "not dont", "thing", "meeting", "please", "please", "filler", "thanks hello", "send", "send", "common", "and from the",
		"de", "remove", "entfern- nehm-+raus", "me", "mich", "not", "nicht", "that", "dass", "send", "send- schick-", "want", "mochte");

	assert_non_null(v);
	return v;
}

struct row {
	const char *form, *text, *said;	/* NULL: not found */
};

static void forms_are_found(void **state)
{
	static const struct row rows[] = {
		{ "remove me", "Please remove me, thanks.", "remove me" },
		{ "remove me", "Entfernen Sie mich.", "Entfernen Sie mich" },
		{ "remove me", "Mich bitte entfernen.", "Mich bitte entfernen" },
		{ "remove me", "Nehmen Sie mich da raus.", "Nehmen Sie mich da raus" },
		{ "remove me", "Take me off.", "Take me off" },
		{ "remove me", "remove my name", "remove my name" },
		{ "remove me", "Remove, please, me.", "Remove, please, me" },
		{ "remove me", "Remove it, me I don't care.", NULL },
		{ "remove me", "I removed it. Me too.", NULL },
		{ "remove me", "remove mich", NULL },
		{ "remove , me", "Remove it, and me", "Remove it, and me" },
		{ "me > remove", "remove me", NULL },
		{ "me > remove", "me they remove", "me they remove" },
		{ "not >> remove", "do not ever remove", NULL },
		{ "not >> remove", "do not remove", "not remove" },
		{ "not > send", "Ich m\xc3\xb6""chte nicht, dass Sie senden", "nicht, dass Sie senden" },
		{ "not > send", "Not now, send it", NULL },
		{ "not send", "Not, send it", NULL },
		{ "remove !thing", "remove the meeting", NULL },
		{ "remove !thing", "remove it before the talk", "remove" },
		{ "=remove me", "Hello, please remove me, thanks", "remove me" },
		{ "=remove me", "Remove me from the team", NULL },
		{ "~remove me", "Hello, remove me of it", NULL },
		{ "~remove me", "and remove me from the", "remove me" },
		{ "~remove me", "remove me from the team", NULL },
		{ "|remove me", "In the team, please remove me", "remove me" },
		{ "|remove me", "remove me from it, please", NULL },
		{ "send . remove", "You send things. Remove it.", "send things. Remove" },
		{ "send . remove", "Remove it. You send things.", NULL },
		{ "send . remove", "You send things and remove them.", NULL },
		{ "send . remove", "You send it. And so on. And remove it.", "send it. And so on. And remove" },
		{ "send . remove", "You send it. And so on. And on. Remove it.", NULL },
		{ "send . =remove", "You send it. Remove.", "send it. Remove" },
		{ "send . =remove", "You send it. Remove the team.", NULL },
		{ "remove/send me", "send me", "send me" },
		{ "send mails", "sende Newsletter", "sende Newsletter" },
		{ "remove", "please unsubscrbe", "unsubscrbe" },
		{ "remove", "say \"unsubscribe\" there", NULL },
		{ "remove", "", NULL },
		{ "nothing", "remove", NULL },
		{ "please .remove", "please", NULL },
		{ "please. remove", "Please. Remove it.", NULL },
		{ "please . ", "Please. Remove it.", NULL },
		{ "!remove", "please", NULL },
		{ "send . !remove", "send. please", NULL },
		{ "", "please", NULL },
		{ ". remove", "Please. Remove it.", NULL },
	};
	json_t *v = vocabulary();
	struct lexicon *lexicon = lexicon_new(v);
	int bad = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *list = json_pack("[s]", rows[i].form);
		struct speech_forms *forms = speech_forms_new(lexicon, list);
		struct speech *speech = speech_read(lexicon, arena, rows[i].text, strlen(rows[i].text));
		struct speech_hit hit;
		bool found = speech_find(speech, forms, NULL, 0, &hit);
		const char *said = found ? arena_strndup(arena, rows[i].text + hit.from, hit.to - hit.from) : NULL;

		if (found != (rows[i].said != NULL) || (found && strcmp(said, rows[i].said))) {
			print_error("%s in \"%s\": %s, not %s\n", rows[i].form, rows[i].text, said ? said : "-", rows[i].said ? rows[i].said : "-");
			bad++;
		}
		speech_forms_free(&forms);
		json_decref(list);
	}
	lexicon_free(&lexicon);
	json_decref(v);
	assert_int_equal(bad, 0);
}

static void a_form_takes_another_back(void **state)
{
	static const char text[] = "Remove me from the meeting. Hello Ann, please remove me.";
	json_t *v = vocabulary(), *means = json_pack("[s]", "remove me"), *but_not = json_pack("[s]", "remove thing");
	struct lexicon *lexicon = lexicon_new(v);
	struct speech_forms *a = speech_forms_new(lexicon, means), *b = speech_forms_new(lexicon, but_not);
	struct speech *speech = speech_read(lexicon, arena, text, strlen(text));
	struct speech_hit hit;

	(void)state;
	assert_true(speech_find(speech, a, b, 0, &hit));
	assert_string_equal(text + hit.from, "remove me.");
	assert_string_equal(hit.language, "en");
	assert_string_equal(hit.form, "remove me");
	assert_false(speech_find(speech, a, b, hit.clause + 1, &hit));
	assert_non_null(speech_has(speech, b, 0, 5));
	assert_null(speech_has(speech, b, hit.from, hit.to));
	speech_forms_free(&a);
	speech_forms_free(&b);
	lexicon_free(&lexicon);
	json_decref(v);
	json_decref(means);
	json_decref(but_not);
}

/* MEANINGS_MAX of them, each of one word. */
static void many_meanings_are_told_apart(void **state)
{
	json_t *words = json_object(), *v, *list = json_pack("[s]", "=m1 m100");
	struct lexicon *lexicon;
	struct speech_forms *forms;
	struct speech_hit hit;

	(void)state;
	for (int i = 0; i < MEANINGS_MAX; i++) {
		char name[16], word[16];

		snprintf(name, sizeof(name), "m%d", i);
		snprintf(word, sizeof(word), "w%d", i);
		json_object_set_new(words, name, json_string(word));
	}
	v = json_pack("{so}", "en", words);
	lexicon = lexicon_new(v);
	forms = speech_forms_new(lexicon, list);
	assert_int_equal(lexicon_meaning(lexicon, "m127", 4), 127);
	assert_true(speech_find(speech_read(lexicon, arena, "w100 w1", 7), forms, NULL, 0, &hit));
	assert_false(speech_find(speech_read(lexicon, arena, "w36 w1", 6), forms, NULL, 0, &hit));
	assert_false(speech_find(speech_read(lexicon, arena, "w100 w1 w65", 11), forms, NULL, 0, &hit));
	speech_forms_free(&forms);
	lexicon_free(&lexicon);
	json_decref(v);
	json_decref(list);
}

static void nothing_is_a_vocabulary(void **state)
{
	struct lexicon *lexicon = lexicon_new(NULL);
	struct speech_forms *forms = speech_forms_new(lexicon, NULL);
	struct speech_hit hit;

	(void)state;
	assert_false(speech_find(speech_read(lexicon, arena, "remove me", 9), forms, forms, 0, &hit));
	speech_forms_free(&forms);
	lexicon_free(&lexicon);
}

static int start(void **state)
{
	(void)state;
	arena = arena_new(0);
	return 0;
}

static int end(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_folded),
		cmocka_unit_test(forms_are_found),
		cmocka_unit_test(a_form_takes_another_back),
		cmocka_unit_test(many_meanings_are_told_apart), cmocka_unit_test(nothing_is_a_vocabulary),
	};

	return cmocka_run_group_tests(tests, start, end);
}
