/*
 * test_people.c: mails that people write, and those that machines write for them, made of words and of the forms in which mail programs send them.
 * The words speak of absence, of automatic things, of bounces and of spam, as people do; the forms carry the fields that misled others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"

#include "shipped.h"

#define RECEIVED (INT64_C(1793613600) * US_SECOND)
#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

#define MOST_FALSE_AUTO 0.0025
#define LEAST_AUTO 0.98
#define LEAST_CLOSE 0.93
#define LEAST_BARE 0.85	/* only the subject and the words say it */

struct shape {
	const char *fields;
	const char *before, *after;	/* of the words in the body */
};

static const struct shape forms[] = {
	{ "X-Auto-Response-Suppress: All\nX-MS-Has-Attach: \nThread-Topic: Our guide\nContent-Type: text/plain; charset=utf-8\n", "",
		"\n\nBest regards\nKim\n\n-----Original Message-----\nFrom: Ana <ana@example.test>\nSent: Monday, November 2, 2026 9:00 AM\nTo: Kim\nSubject: Our guide\n\nHello Kim, here is our guide.\n" },
	{ "X-Auto-Response-Suppress: DR, OOF, AutoReply\nX-Originating-IP: [192.0.2.3]\nContent-Type: text/html; charset=utf-8\n", "<html><body><p>",
		"</p><p>Kim Muster<br>Head of IT</p><div style=\"border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0in 0in 0in\"><p><b>From:</b> Ana<br><b>Sent:</b> Monday</p></div><p>Hello Kim, here is our guide.</p></body></html>\n" },
	{ "Content-Type: text/plain; charset=utf-8\n", "", "\n\nOn Mon, Nov 2, 2026 at 9:00 AM Ana <ana@example.test> wrote:\n\n> Hello Kim, here is our guide.\n> Unsubscribe: https://mail.example.test/u/x\n" },
	{ "Content-Type: text/html; charset=utf-8\n", "<div dir=\"ltr\">", "</div><br><div class=\"gmail_quote\"><div>On Mon, Ana wrote:</div><blockquote>Hello Kim, here is our guide.</blockquote></div>\n" },
	{ "X-Mailer: Apple Mail (2.3731)\nMime-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n", "", "\n\nSent from my iPhone\n\n> On 2 Nov 2026, at 09:00, Ana <ana@example.test> wrote:\n> \n> Hello Kim, here is our guide.\n" },
	{ "User-Agent: Mozilla Thunderbird\nContent-Type: text/plain; charset=utf-8; format=flowed\n", "Am 02.11.26 um 09:00 schrieb Ana:\n> Hello Kim, here is our guide.\n\n", "\n\n-- \nKim Muster\n" },
	{ "Precedence: bulk\nList-Id: <team.people.test>\nContent-Type: text/plain; charset=utf-8\n", "", "\n_______________________________________________\nteam mailing list\nteam@people.test\nhttps://people.test/listinfo/team\n" },
	{ "X-Auto-Response-Suppress: All\nContent-Type: text/plain; charset=utf-8\n", "", "\n\nKim\n\nThis e-mail and its attachments are confidential and intended solely for the addressee. If you are not the intended recipient, please notify the sender "
		"and delete it from your system; any copying, distribution or use of what it holds is forbidden and may be unlawful. We scan mails for viruses but accept no liability for damage caused by them.\n" },
};

static const char *const subjects[] = { "Re: Our guide", "AW: Our guide", "RE: Our guide", "Re: Our guide", "Re: Our guide", "Re: Our guide", "Re: [team] Our guide", "Antw: Our guide" };

static const char *const words[] = {
	"I was out of the office last week, sorry for the late answer. What does it cost?",
	"Could you set up an automatic reply in your tool that says we are on vacation?",
	"Our vacation responder answered your last mail, this is really me.",
	"I will be on holiday from Friday, so let us talk before.",
	"Are you out of office next week, or can we meet?",
	"Your mail bounced from my old address, please use this one.",
	"How do you treat a bounce? We see many 'undelivered mail returned to sender'.",
	"Thank you for your message. We will look at it within the team and call you soon.",
	"We have received your e-mail and like it a lot. Who is behind it?",
	"My colleague is no longer with the company, I took over her desk.",
	"Does the product send auto-replies? Ours are a mess.",
	"Spam complaints are our main problem; is there a chapter on them?",
	"I get an automatic response each time I write to Peter. Is he away?",
	"I'm away from my desk a lot, mobile is best: 0151 555.",
	"Ticket 48213 is about the same thing; can you look at it, Ana?",
	"Ich war letzte Woche im Urlaub und antworte erst jetzt. Was kostet das?",
	"Kann Ihr Werkzeug Abwesenheitsnotizen erkennen?",
	"Meine automatische Antwort war noch an, bitte entschuldigen Sie.",
	"Herr Maier ist nicht mehr im Unternehmen, ich bin jetzt zuständig.",
	"Vielen Dank für Ihre Nachricht, ich lese sie heute Abend in Ruhe.",
	"Ihre Mail kam als unzustellbar zurück, hier die neue Adresse.",
	"Ich bin ab Montag im Urlaub, können wir vorher sprechen?",
	"J'étais en congés, désolé pour le retard. Combien ça coûte ?",
	"Votre outil reconnaît-il les réponses automatiques ?",
	"Merci pour votre message, je le lis ce soir.",
	"Je serai absent la semaine prochaine, appelons-nous avant.",
	"Mon ancienne collègue ne travaille plus ici, c'est moi maintenant.",
	"Estuve de vacaciones, perdone la demora. ¿Cuánto cuesta?",
	"¿Reconocen las respuestas automáticas?",
	"Gracias por su mensaje, lo leo hoy.",
	"La semana que viene estoy fuera de la oficina, hablemos antes.",
	"Ero in ferie, scusi il ritardo. Quanto costa?",
	"Riconoscete le risposte automatiche?",
	"Grazie per il messaggio, lo leggo stasera.",
	"Sarò fuori ufficio da lunedì, ci sentiamo prima?",
	"Ik was met vakantie, sorry voor het late antwoord. Wat kost het?",
	"Herkennen jullie automatische antwoorden?",
	"Bedankt voor uw bericht, ik lees het vanavond.",
	"Volgende week ben ik afwezig, bellen we daarvoor?",
	"Estive de férias, desculpe a demora. Quanto custa?",
	"Reconhecem respostas automáticas?",
	"Obrigado pela mensagem, leio hoje.",
	"Byłem na urlopie, przepraszam za zwłokę. Ile to kosztuje?",
	"Czy rozpoznajecie automatyczne odpowiedzi?",
	"Dziękuję za wiadomość, przeczytam wieczorem.",
	"Jag var på semester, förlåt det sena svaret. Vad kostar det?",
	"Känner ni igen autosvar?",
	"Tack för mejlet, jag läser det i kväll.",
	"I set my status to OOO but I do read mail. Tell me more.",
	"The delivery of the printed book has failed twice, by the way.",
};

static const char *const machines[][2] = {
	{ "Automatic reply: Our guide", "I am out of the office until 12 November with limited access to e-mail." },
	{ "Out of Office: Our guide", "I am currently on annual leave and back on Monday." },
	{ "Out of the office Re: Our guide", "Thank you for your email. I am away from 2 to 9 November." },
	{ "Auto: Our guide", "I'm on parental leave until March. Please contact Tom." },
	{ "OOO Re: Our guide", "I'm OOO this week." },
	{ "Automatische Antwort: Our guide", "Ich bin bis zum 12.11. nicht im Büro." },
	{ "Abwesenheitsnotiz: Our guide", "Vielen Dank für Ihre Nachricht. Ich bin ab dem 16.11. wieder erreichbar." },
	{ "Abwesend: Our guide", "Ich bin im Urlaub." },
	{ "Réponse automatique : Our guide", "Je suis absente du bureau jusqu'au 12 novembre." },
	{ "Absence du bureau : Our guide", "Je suis actuellement en congés." },
	{ "Respuesta automática: Our guide", "Estoy fuera de la oficina hasta el 12 de noviembre." },
	{ "Fuera de la oficina: Our guide", "Estaré de vacaciones." },
	{ "Risposta automatica: Our guide", "Sono fuori ufficio fino al 12 novembre." },
	{ "Fuori sede: Our guide", "Sono in ferie." },
	{ "Resposta automática: Our guide", "Estou de férias até 12 de novembro." },
	{ "Automatisch antwoord: Our guide", "Ik ben afwezig tot 12 november." },
	{ "Afwezig: Our guide", "Ik ben met vakantie." },
	{ "Automatyczna odpowiedź: Our guide", "Jestem na urlopie do 12 listopada." },
	{ "Nieobecność: Our guide", "Poza biurem." },
	{ "Autosvar: Our guide", "Jag är på semester till 12 november." },
	{ "Frånvarande: Our guide", "Jag är frånvarande." },
	{ "Automatisk svar: Our guide", "Jeg er på ferie til 12. november." },
	{ "Fraværende: Our guide", "Jeg er ikke på kontoret." },
	{ "Automaattinen vastaus: Our guide", "Olen lomalla 12.11. asti." },
	{ "Poissaolo: Our guide", "Olen poissa." },
	{ "Автоответ: Our guide", "Я в отпуске до 12 ноября." },
	{ "自動応答: Our guide", "11月12日まで不在です。" },
	{ "自动回复: Our guide", "我在休假，11月12日回来。" },
	{ "Automatic reply: Our guide", "Kim no longer works at this company. Please write to office@people.test." },
	{ "Automatische Antwort: Our guide", "Kim arbeitet nicht mehr im Unternehmen." },
	{ "Réponse automatique : Our guide", "Kim ne travaille plus dans notre société." },
	{ "Automatic reply: Our guide", "This mailbox is no longer monitored." },
	{ "Automatic reply: Our guide", "My address has changed to kim@new.test, please update your records." },
	{ "[Ticket #48213] Our guide", "We have received your request. Ticket ID: 48213. We will answer within 24 hours." },
	{ "Re: Our guide [Case 10233]", "Thank you for contacting support. We will get back to you shortly. Case number 10233." },
	{ "Your request has been received", "Your request (12345) has been received and is being reviewed by our support staff." },
	{ "Automatic reply: Our guide", "Thank you for your message. We will reply soon." },
	{ "Automatyczna odpowiedź: Our guide", "Dziękujemy za wiadomość, odpowiemy wkrótce." },
	{ "Automatic response: Our guide", "The school is closed for the holidays." },
	{ "Vacation reply", "I am on vacation until 12 November." },
};

/* As programs sign them: the standard's field, and those of Exchange. */
static const char *const signs[] = { "Auto-Submitted: auto-replied\nPrecedence: bulk\n", "Auto-Submitted: auto-generated\nX-Auto-Response-Suppress: All\nReturn-Path: <>\n" };

static void make(struct buf *out, const char *subject, const char *fields, const char *before, const char *text, const char *after)
{
	buf_reset(out);
	buf_printf(out, "From: Kim <kim@people.test>\nTo: Ana <ana@example.test>\nSubject: %s\nDate: Mon, 02 Nov 2026 09:30:00 +0100\n"
		"Message-ID: <1@people.test>\nIn-Reply-To: <2@example.test>\nMIME-Version: 1.0\n%s\n%s%s%s\n", subject, fields, before, text, after);
}

static enum reading_class class_of(const struct buf *raw)
{
	const struct reading_setting setting = { .rules = shipped_rules() };
	struct mail_reading r;
	enum reading_class class;

	reading_make(&r, raw->data, raw->len, RECEIVED, &setting);
	class = r.class;
	reading_clear(&r);
	return class;
}

/* Each words in four of the forms. */
static void people_are_people(void **state)
{
	struct buf raw = BUF_INIT;
	int count = 0, automatic = 0, worse = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(words); i++) {
		for (size_t k = 0; k < 4; k++) {
			size_t f = (i * 3 + k * 2 + (k > 1)) % COUNT(forms);
			enum reading_class class;

			make(&raw, subjects[f], forms[f].fields, forms[f].before, words[i], forms[f].after);
			class = class_of(&raw);
			count++;
			automatic += class == READING_AUTO;
			worse += class != READING_AUTO && class != READING_HUMAN;
			if (class != READING_HUMAN)
				print_message("%s, form %zu: \"%s\"\n", reading_class_name(class), f, words[i]);
		}
	}
	buf_clear(&raw);
	print_message("| of %d mails that people wrote %d are taken for automatic, %d for something else\n", count, automatic, worse);
	assert_true(automatic <= MOST_FALSE_AUTO * count);
	assert_int_equal(worse, 0);
}

/* More of them, each in two of the forms. */
static void many_people_are_people(void **state)
{
	FILE *f = fopen("tests/listen/words/people.txt", "r");
	struct buf raw = BUF_INIT;
	char line[2000];
	int count = 0, automatic = 0;
	size_t i = 0;

	(void)state;
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		const char *text = strchr(line, '\t');

		if (*line == '#')
			continue;
		assert_non_null(text);
		line[strcspn(line, "\n")] = '\0';
		for (size_t k = 0; k < 2; k++, i++) {
			size_t form = (i * 3 + k * 2) % COUNT(forms);

			make(&raw, subjects[form], forms[form].fields, forms[form].before, text + 1, forms[form].after);
			count++;
			if (class_of(&raw) == READING_HUMAN)
				continue;
			automatic++;
			print_message("%s, form %zu: \"%s\"\n", reading_class_name(class_of(&raw)), form, text + 1);
		}
	}
	fclose(f);
	buf_clear(&raw);
	print_message("| of %d more mails that people wrote %d are taken for something else\n", count, automatic);
	assert_true(automatic <= MOST_FALSE_AUTO * count);
}

static void machines_are_machines(void **state)
{
	struct buf raw = BUF_INIT;
	int count = 0, found = 0, bare = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(machines); i++) {
		for (size_t k = 0; k < COUNT(signs); k++) {
			enum reading_class class;

			make(&raw, machines[i][0], signs[k], "", machines[i][1], "");
			class = class_of(&raw);
			count++;
			found += class == READING_AUTO;
			if (class != READING_AUTO)
				print_message("%s: \"%s\"\n", reading_class_name(class), machines[i][0]);
		}
	}
	print_message("| of %d mails that machines wrote %d are found automatic\n", count, found);
	for (size_t i = 0; i < COUNT(machines); i++) {
		make(&raw, machines[i][0], "Content-Type: text/plain; charset=utf-8\n", "", machines[i][1], "");
		bare += class_of(&raw) == READING_AUTO;
	}
	print_message("| without any field that says so: %d of %zu\n", bare, COUNT(machines));
	buf_clear(&raw);
	assert_true(found >= LEAST_AUTO * count);
	assert_true(bare >= LEAST_BARE * (int)COUNT(machines));
}

/* "a\\nb" is two lines. */
static void add_lines(struct buf *out, const char *s)
{
	for (; *s; s++) {
		bool line = s[0] == '\\' && s[1] == 'n';

		buf_char(out, line ? '\n' : *s);
		s += line;
	}
}

static void mail_of(struct buf *raw, const char *subject, const char *fields, const char *text)
{
	buf_reset(raw);
	buf_printf(raw, "%sTo: ana@example.test\nSubject: %s\nMessage-ID: <1@people.test>\nIn-Reply-To: <1@example.test>\nDate: Mon, 02 Nov 2026 10:00:00 +0000\n",
		strstr(fields, "From:") ? "" : "From: Kim <kim@people.test>\n", subject);
	if (*fields) {
		add_lines(raw, fields);
		buf_char(raw, '\n');
	}
	buf_str(raw, "Content-Type: text/plain; charset=utf-8\n\n");
	add_lines(raw, text);
	buf_char(raw, '\n');
}

/* People who write as machines do, and machines whose fields were lost on the way. */
static void close_calls(void **state)
{
	FILE *f = fopen("tests/listen/words/machines.txt", "r");
	struct buf raw = BUF_INIT;
	char line[4000];
	int count[2] = { 0 }, good[2] = { 0 };

	(void)state;
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		char *part[4], *rest = line;
		bool machine;

		if (*line == '#')
			continue;
		line[strcspn(line, "\n")] = '\0';
		for (int i = 0; i < 4; i++)
			assert_non_null(part[i] = strsep(&rest, "\t"));
		machine = !strcmp(part[0], "auto");
		mail_of(&raw, part[1], part[2], part[3]);
		count[machine]++;
		if ((class_of(&raw) == READING_AUTO) == machine)
			good[machine]++;
		else
			print_message("%s: %s | %s\n", part[0], part[1], part[3]);
	}
	fclose(f);
	buf_clear(&raw);
	print_message("| close calls: %d of %d people, %d of %d machines\n", good[0], count[0], good[1], count[1]);
	assert_true(good[0] >= (1 - MOST_FALSE_AUTO) * count[0]);
	assert_true(good[1] >= LEAST_CLOSE * count[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(people_are_people), cmocka_unit_test(many_people_are_people), cmocka_unit_test(machines_are_machines), cmocka_unit_test(close_calls) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
