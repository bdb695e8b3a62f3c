/*
 * test_return_date.c: dates that people name, seen from Monday 2 November 2026, 10:00 UTC.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "../../daemon/listen/return_date.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"

#define NOW (INT64_C(1793613600) * US_SECOND)

struct row {
	const char *text, *day;	/* "" : none */
	bool month_first;
};

static void compare(const struct row *rows, size_t count,
	int64_t (*read)(const char *text, int64_t now, bool month_first))
{
	int bad = 0;

	for (size_t i = 0; i < count; i++) {
		int64_t at = read(rows[i].text, NOW, rows[i].month_first);
		struct buf b = BUF_INIT;

		if (at)
			text_time(&b, at);
		if (strncmp(buf_cstr(&b), rows[i].day, *rows[i].day ? strlen(rows[i].day) : 1)) {
			print_error("%s: [%s] not [%s]\n", rows[i].text, buf_cstr(&b), rows[i].day);
			bad++;
		}
		buf_clear(&b);
	}
	assert_int_equal(bad, 0);
}

static void absence(void **state)
{
	static const struct row rows[] = {
		{"I am away until 12 November.", "2026-11-12", false},
		{"Back on November 12th, 2026", "2026-11-12", false},
		{"Back on Thursday.", "2026-11-05", false},
		{"I return next week.", "2026-11-09", false},
		{"Ich bin bis zum 12.11. nicht im Haus.", "2026-11-12", false},
		{"Ich bin ab dem 03.02.2027 wieder da.", "2027-02-03", false},
		{"Je suis absente jusqu'au 15 janvier.", "2027-01-15", false},
		{"Fuera hasta el 3 de diciembre.", "2026-12-03", false},
		{"until 2026-12-24", "2026-12-24", false},
		{"until 12/03", "2026-12-03", true},
		{"until 12/03", "2027-03-12", false},
		{"until 12/24/2026", "2026-12-24", false}, /* only a month can be 12 */
		{"from 5 November to 9 November, back on 10 November", "2026-11-10", false},
		{"until 12 March 2019", "", false},   /* long gone */
		{"until 12 October 2028", "", false}, /* too far */
		{"I am back on Monday, 16 November.", "2026-11-16", false},
		{"I am on leave from 5 to 19 November.", "2026-11-19", false},
		{"Out of office 5-19 November", "2026-11-19", false},
		{"I will return on the 9th of November 2026.", "2026-11-09", false},
		{"back tomorrow", "2026-11-03", false},
		{"I'm away through Friday", "2026-11-06", false},
		{"until Jan 4", "2027-01-04", false},
		{"Ich bin vom 5. bis 19. November nicht im Büro.", "2026-11-19", false},
		{"Ab dem 9. Dezember bin ich wieder erreichbar.", "2026-12-09", false},
		{"Ich bin am Donnerstag wieder da, also wieder am Donnerstag.", "2026-11-05", false},
		{"bis einschließlich 20.11.2026", "2026-11-20", false},
		{"Absent du 5 au 19 novembre inclus.", "2026-11-19", false},
		{"Je serai de retour le 1er décembre.", "2026-12-01", false},
		{"de retour lundi", "2026-11-09", false},
		{"Estaré fuera del 5 al 19 de noviembre.", "2026-11-19", false},
		{"Vuelvo el lunes 16 de noviembre", "2026-11-16", false},
		{"Sono assente dal 5 al 19 novembre.", "2026-11-19", false},
		{"Rientro il 7 gennaio", "2027-01-07", false},
		{"Estou fora até 20 de novembro.", "2026-11-20", false},
		{"Estarei ausente até segunda-feira.", "2026-11-09", false},
		{"Ik ben afwezig tot en met 20 november.", "2026-11-20", false},
		{"Ik ben terug op maandag 16 november.", "2026-11-16", false},
		{"Jestem nieobecny do 20 listopada.", "2026-11-20", false},
		{"Wracam w poniedziałek.", "2026-11-09", false},
		{"Jag är tillbaka den 20 november.", "2026-11-20", false},
		{"Jag har semester till och med 12/12.", "2026-12-12", false},
		{"Jeg er tilbage den 20. november.", "2026-11-20", false},
		{"Jeg er tilbake mandag 16. november.", "2026-11-16", false},
		{"Palaan 20.11.2026", "2026-11-20", false},
		{"Jsem mimo kancelář do 20. listopadu.", "2026-11-20", false},
		{"Буду в отпуске до 20 ноября.", "2026-11-20", false},
		{"Я в отпуске с 5 по 19 ноября, вернусь 20 ноября", "2026-11-20", false},
		{"11月20日まで不在です。", "2026-11-20", false},
		{"11月5日から11月19日まで休暇をいただきます。", "2026-11-19", false},
		{"我休假到11月20日。", "2026-11-20", false},
		{"I left in March and never return.", "", false},
		{"bis 31.12.2019", "", false},
		{"until 31/31", "", false},
		{"I am out of the office.", "", false},
	};

	(void)state;
	compare(rows, sizeof(rows) / sizeof(rows[0]), return_date_of_absence);
}

static void not_now(void **state)
{
	static const struct row rows[] = {
		{ "Try me again in 3 months.", "2027-02-02", false },
		{ "in two weeks", "2026-11-16", false },
		{ "in a few months", "2027-02-02", false },
		{ "next quarter", "2027-01-01", false },
		{ "next month please", "2026-12-01", false },
		{ "next year", "2027-01-01", false },
		{ "next week", "2026-11-09", false },
		{ "not until Q3", "2027-07-01", false },
		{ "Q1 2028", "", false }, /* more than 400 days ahead */
		{ "circle back in September", "2027-09-01", false },
		{ "under contract until 15 March 2027", "2027-03-15", false },
		{ "after the summer", "2027-09-01", false },
		{ "in spring", "2027-03-01", false },
		{ "in the new year", "2027-01-01", false },
		{ "erst im Februar wieder", "2027-02-01", false },
		{ "end of May", "2027-05-31", false }, { "mid March please", "2027-03-15", false }, { "early in January", "2027-01-01", false },
		{ "Please ask again on 15 January.", "2027-01-15", false }, { "after 3/5", "2027-03-05", true }, { "after 3/5", "2027-05-03", false },
		{ "after 2027-02-01", "2027-02-01", false }, { "in six months", "2027-05-02", false }, { "in a year", "2027-11-02", false },
		{ "in 6 weeks", "2026-12-14", false }, { "third quarter", "2027-07-01", false }, { "in Q1", "2027-01-01", false },
		{ "on Thursday", "2026-11-05", false }, { "next Friday", "2026-11-06", false }, { "after Christmas", "2027-01-01", false },
		{ "three weeks from now", "2026-11-23", false }, { "I may be late", "", false }, { "in 2 years", "", false }, { "in May 2031", "", false },
		{ "Melden Sie sich in drei Monaten.", "2027-02-02", false }, { "Ende Mai", "2027-05-31", false }, { "Anfang Februar wieder", "2027-02-01", false },
		{ "nach dem Sommer", "2027-09-01", false }, { "im nächsten Quartal", "2027-01-01", false }, { "nächstes Jahr", "2027-01-01", false },
		{ "nächste Woche", "2026-11-09", false }, { "in zwei Wochen", "2026-11-16", false }, { "ab 15.1.", "2027-01-15", false }, { "am 3. März", "2027-03-03", false },
		{ "im dritten Quartal", "2027-07-01", false }, { "im 2. Quartal", "2027-04-01", false }, { "im Frühjahr", "2027-03-01", false }, { "nach den Sommerferien", "2027-09-01", false },
		{ "dans trois mois", "2027-02-02", false }, { "fin mai", "2027-05-31", false }, { "en septembre", "2027-09-01", false }, { "après l'été", "2027-09-01", false },
		{ "la semaine prochaine", "2026-11-09", false }, { "l'année prochaine", "2027-01-01", false }, { "au T2", "2027-04-01", false }, { "à la rentrée", "2027-09-01", false },
		{ "début janvier", "2027-01-01", false }, { "le 15 janvier", "2027-01-15", false }, { "dans deux semaines", "2026-11-16", false },
		{ "en tres meses", "2027-02-02", false }, { "a finales de mayo", "2027-05-31", false }, { "en septiembre", "2027-09-01", false }, { "después del verano", "2027-09-01", false },
		{ "la semana que viene", "2026-11-09", false }, { "el próximo año", "2027-01-01", false }, { "el 15 de enero", "2027-01-15", false }, { "dentro de dos semanas", "2026-11-16", false },
		{ "tra tre mesi", "2027-02-02", false }, { "a fine maggio", "2027-05-31", false }, { "a settembre", "2027-09-01", false }, { "dopo l'estate", "2027-09-01", false },
		{ "la settimana prossima", "2026-11-09", false }, { "il 15 gennaio", "2027-01-15", false }, { "il prossimo anno", "2027-01-01", false },
		{ "daqui a três meses", "2027-02-02", false }, { "em setembro", "2027-09-01", false }, { "depois do verão", "2027-09-01", false }, { "no próximo ano", "2027-01-01", false },
		{ "na próxima semana", "2026-11-09", false }, { "em 15 de janeiro", "2027-01-15", false },
		{ "over drie maanden", "2027-02-02", false }, { "eind mei", "2027-05-31", false }, { "in september", "2027-09-01", false }, { "na de zomer", "2027-09-01", false },
		{ "volgende week", "2026-11-09", false }, { "volgend jaar", "2027-01-01", false }, { "op 15 januari", "2027-01-15", false },
		{ "za trzy miesiące", "2027-02-02", false }, { "we wrześniu", "2027-09-01", false }, { "po wakacjach", "2027-09-01", false }, { "w przyszłym roku", "2027-01-01", false },
		{ "w przyszłym tygodniu", "2026-11-09", false }, { "po 15 stycznia", "2027-01-15", false },
		{ "om tre månader", "2027-02-02", false }, { "i september", "2027-09-01", false }, { "efter sommaren", "2027-09-01", false }, { "nästa år", "2027-01-01", false },
		{ "nästa vecka", "2026-11-09", false }, { "den 15 januari", "2027-01-15", false },
		{ "om tre måneder", "2027-02-02", false }, { "efter sommeren", "2027-09-01", false }, { "næste år", "2027-01-01", false }, { "i januar", "2027-01-01", false },
		{ "neste år", "2027-01-01", false }, { "etter sommeren", "2027-09-01", false }, { "neste uke", "2026-11-09", false },
		{ "kolmen kuukauden kuluttua", "2027-02-02", false }, { "ensi vuonna", "2027-01-01", false }, { "ensi viikolla", "2026-11-09", false }, { "15. tammikuuta", "2027-01-15", false },
		{ "za tři měsíce", "2027-02-02", false }, { "v září", "2027-09-01", false }, { "příští rok", "2027-01-01", false }, { "příští týden", "2026-11-09", false },
		{ "через три месяца", "2027-02-02", false }, { "в сентябре", "2027-09-01", false }, { "после лета", "2027-09-01", false }, { "в следующем году", "2027-01-01", false },
		{ "на следующей неделе", "2026-11-09", false }, { "через месяц", "2026-12-02", false },
		{ "3ヶ月後にご連絡ください", "2027-02-02", false }, { "9月にお願いします", "2027-09-01", false }, { "来週", "2026-11-09", false }, { "来月", "2026-12-01", false }, { "来年", "2027-01-01", false }, { "1月15日以降", "2027-01-15", false },
		{ "三个月后", "2027-02-02", false }, { "明年", "2027-01-01", false }, { "下周", "2026-11-09", false }, { "下个月", "2026-12-01", false }, { "9月份", "2027-09-01", false }, { "第三季度", "2027-07-01", false },
		{ "not now", "", false },
		{ "until 2040-01-01", "", false },
	};

	(void)state;
	compare(rows, sizeof(rows) / sizeof(rows[0]), return_date_of_not_now);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(absence), cmocka_unit_test(not_now) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
