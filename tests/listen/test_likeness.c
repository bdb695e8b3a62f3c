/* test_likeness.c: what the learned weights make of texts that no form knows, and which words they name for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "config/plan.h"

#include "../../daemon/listen/intake_program.h"
#include "../../daemon/listen/lexicon.h"
#include "../../daemon/listen/likeness.h"
#include "../../daemon/listen/speech.h"

static struct lexicon *lexicon;
static struct arena *arena;
static struct likeness shipped;

static struct likeness_reading read_bytes(const char *text, size_t n)
{
	struct likeness_reading r;

	likeness_read(&shipped, arena, speech_read(lexicon, arena, text, n), &r);
	return r;
}

static struct likeness_reading read_text(const char *text)
{
	return read_bytes(text, strlen(text));
}

static void wishes_are_told_from_other_things(void **state)
{
	static const char *const wishes[] = {
		"please take my address off whatever list this is", "bitte keine weiteren Mails an diese Adresse", "merci de ne plus rien m'envoyer",
		"no quiero recibir mas publicidad de ustedes", "non voglio più ricevere le vostre mail", "proszę nie wysyłać mi więcej wiadomości",
		"今後メールは送らないでください。", "больше не присылайте мне письма",
	};
	static const char *const others[] = {
		"Could you send me the price list, please?", "Wann erscheint der nächste Newsletter?", "Merci pour le guide, très utile !",
		"¿Podemos cambiar la reunión al jueves?", "Il link non si apre, me lo rimanda?", "Dziękuję, przekażę koledze.",
		"資料を拝見しました。見積もりをお願いします。", "Сколько стоит лицензия на десять человек?",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wishes) / sizeof(*wishes); i++) {
		assert_true(read_text(wishes[i]).value > 0.3);
		assert_true(read_text(others[i]).value < -0.3);
	}
}

static void the_words_that_told_most_are_named(void **state)
{
	struct likeness_reading r = read_text("the blue crate is here. please do not send me any more of your mails");

	(void)state;
	assert_true(r.value > 0);
	assert_non_null(strstr(r.why, " +"));
	assert_true(strstr(r.why, "send ") || strstr(r.why, "more ") || strstr(r.why, "mails "));
	assert_null(strstr(r.why, "crate"));
}

/* A wish at the end of a long mail counts as much as one alone; a call of a word means what the rest says. */
static void sentences_count_by_themselves(void **state)
{
	static const char wish[] = "Please do not send me any more of your mails.";
	char *mail = xasprintf("Thanks for the guide. The chapter on pumps was of use to our workshop. We have ordered two of them from the shop in town.\n%s", wish);
	struct likeness_reading alone = read_text(wish), r = read_text(mail);

	(void)state;
	assert_true(r.value >= alone.value - 0.001);
	assert_int_equal(r.from, strlen(mail) - strlen(wish));
	assert_true(r.to <= strlen(mail) && r.to > r.from);
	free(mail);
	r = read_text("Stop! The truck is not loaded yet, the driver has to wait until ten.");
	assert_true(r.value < 0);
}

/* A number of the vocabulary is another when meanings are added: they go by their names. */
static void other_meanings_change_nothing(void **state)
{
	const char *text = "please remove me from the list";
	json_t *both[2];
	double value[2];

	(void)state;
	both[0] = json_pack("{s:{s:s,s:s,s:s}}", "en", "please", "please", "remove", "remove", "me", "me");
	both[1] = json_pack("{s:{s:s},s:{s:s,s:s,s:s,s:s}}", "xx", "whatever", "zzyzx", "en", "me", "me", "more", "quux", "remove", "remove", "please", "please");
	for (int i = 0; i < 2; i++) {
		struct lexicon *l = lexicon_new(both[i]);
		struct likeness_reading r;

		likeness_read(&shipped, arena, speech_read(l, arena, text, strlen(text)), &r);
		value[i] = r.value;
		lexicon_free(&l);
		json_decref(both[i]);
	}
	assert_true(value[0] > value[1] - 1e-9 && value[0] < value[1] + 1e-9);
}

/* Rules that ask for no likeness have 9 and -9: wishes in many languages behind each other came to more. */
static void no_text_goes_beyond_the_limits(void **state)
{
	signed char *weights = xmalloc(LIKENESS_PLACES);
	struct likeness most = { .scale = 1, .weights = weights };
	static const char text[] = "remove me, and do not write to me again";
	struct likeness_reading r;

	(void)state;
	memset(weights, 127, LIKENESS_PLACES);
	likeness_read(&most, arena, speech_read(lexicon, arena, text, strlen(text)), &r);
	assert_true(r.value > 8 && r.value < 9);
	memset(weights, -127, LIKENESS_PLACES);
	likeness_read(&most, arena, speech_read(lexicon, arena, text, strlen(text)), &r);
	assert_true(r.value < -8 && r.value > -9);
	free(weights);
}

/* A word without an end is told by its beginning. */
static void words_are_named_in_short(void **state)
{
	static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz";
	struct buf b = BUF_INIT;
	struct likeness_reading r;

	(void)state;
	while (b.len < 8192)
		buf_str(&b, alphabet);
	r = read_bytes(b.data, b.len);
	assert_true(*r.why && strlen(r.why) < 100);
	buf_clear(&b);
}

static void nothing_and_everything_is_read(void **state)
{
	size_t n = 200000;
	char *bytes = xmalloc(n + 1);

	(void)state;
	assert_string_equal(read_text("").why, "");
	assert_true(read_text("").value < 0.3);
	assert_string_equal(read_text("...").why, "");
	for (size_t i = 0; i < n; i++)
		bytes[i] = (char)(i * i * 31 % 251);
	bytes[n] = '\0';
	read_bytes(bytes, n);
	memset(bytes, 'x', n);
	read_bytes(bytes, n);
	for (size_t i = 0; i < n; i += 2)
		bytes[i] = '.';
	read_bytes(bytes, n);
	/* the words are limited, and their memory with them */
	assert_true(arena_used(arena) < (size_t)64 << 20);
	free(bytes);
}

static int set_up(void **state)
{
	(void)state;
	arena = arena_new(0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(wishes_are_told_from_other_things, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_words_that_told_most_are_named, set_up, tear_down),
		cmocka_unit_test_setup_teardown(sentences_count_by_themselves, set_up, tear_down),
		cmocka_unit_test_setup_teardown(other_meanings_change_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_text_goes_beyond_the_limits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(words_are_named_in_short, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nothing_and_everything_is_read, set_up, tear_down),
	};
	struct plan *plan = plan_of_replies();
	json_t *setting = intake_setting(plan);
	int failed;

	lexicon = lexicon_new(json_object_get(json_object_get(setting, "replies"), "vocabulary"));
	shipped = likeness_shipped();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	lexicon_free(&lexicon);
	json_decref(setting);
	plan_unref(&plan);
	return failed;
}
