/*
 * return_date.c: a date without a year is the next one; a week day is the next such day. What lies in the
 * past or far away is an old signature or a misreading, and no date at all. Names of months, days, units and
 * numbers are tables of patterns, one row for what is named, all languages in it.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/patterns.h"
#include "return_date.h"

#define LOOK_AT 1500
#define MOST_AWAY (180 * US_DAY)
#define MOST_NOT_NOW (400 * US_DAY)

/* --- names ----------------------------------------------------------------------------------------------- */

#define JAN "jan(?:uar[iy]?|vier|eiro|u[aá]r[ai]?)?|ene(?:ro)?|gen(?:naio)?|stycz(?:nia|eń|niu)|led(?:en|na|nu)|янв(?:ар[ьяе])?|tammikuu\\p{L}*"
#define FEB "feb(?:r(?:uar[iy]?|aio|ero))?|f[ée]v(?:rier|ereiro)?|lut(?:y|ego|ym)|únor[au]?|фев(?:рал[ьяе])?|helmikuu\\p{L}*"
#define MAR "mar(?:ch|[sz]o|ço|s|ts|ca|zec|cu)?|märz|maerz|maart|mrt|břez(?:en|na|nu)|март[ае]?|maaliskuu\\p{L}*"
#define APR "apr(?:ile?)?|avr(?:il)?|abr(?:il)?|kwie(?:cień|tnia|tniu)|dub(?:en|na|nu)|апр(?:ел[ьяе])?|huhtikuu\\p{L}*"
#define MAY "ma[yij]|mei|mayo|maio|mag(?:gio)?|maj[au]|květ(?:en|na|nu)|мая|май|мае|toukokuu\\p{L}*"
#define JUN "jun(?:e|i|io|ho)?|juin|giu(?:gno)?|czerw(?:iec|ca|cu)|červ(?:en|na|nu)|июн[ьяе]|kesäkuu\\p{L}*"
#define JUL "jul(?:y|i|io|ho)?|juil(?:let)?|lug(?:lio)?|lip(?:iec|ca|cu)|červen(?:ec|ce|ci)|июл[ьяе]|heinäkuu\\p{L}*"
#define AUG "aug(?:ust(?:us|i)?)?|ao[uû]t|ago(?:sto)?|sierp(?:ień|nia|niu)|srp(?:en|na|nu)|авг(?:уст[ае]?)?|elokuu\\p{L}*"
#define SEP "sep(?:t(?:ember|embre|iembre)?)?|set(?:embro|tembre|iembre)?|wrze(?:sień|śnia|śniu)|září|сен(?:т(?:ябр[ьяе])?)?|syyskuu\\p{L}*"
#define OCT "o[ck]t(?:ober|obre|ubre)?|out(?:ubro)?|ott(?:obre)?|październik\\p{L}*|říj(?:en|na|nu)|окт(?:ябр[ьяе])?|lokakuu\\p{L}*"
#define NOV "nov(?:ember|embre|iembre|embro)?|listopad\\p{L}*|ноя(?:бр[ьяе])?|marraskuu\\p{L}*"
#define DEC "de[cz](?:ember|embre|embro)?|des(?:ember)?|d[ée]c(?:embre)?|dic(?:iembre|embre)?|grud(?:zień|nia|niu)|prosin(?:ec|ce|ci)|дек(?:абр[ьяе])?|joulukuu\\p{L}*"
#define MONTH "(?:" JAN "|" FEB "|" MAR "|" APR "|" MAY "|" JUN "|" JUL "|" AUG "|" SEP "|" OCT "|" NOV "|" DEC ")(?!\\p{L})"
#define IS(names) PATTERN("\\A(?:" names ")\\z")

static struct pattern months[] = { IS(JAN), IS(FEB), IS(MAR), IS(APR), IS(MAY), IS(JUN), IS(JUL), IS(AUG), IS(SEP), IS(OCT), IS(NOV), IS(DEC) };

/* The words of Czech and Polish for autumn months change places: listopad is November in Polish, and in Czech too. */
#define SUN "sunday|sonntags?|dimanche|domingo|domenica|zondag|niedziel\\p{L}*|söndag|søndag|sunnuntai\\p{L}*|neděl[ie]|воскресень[ея]|日曜日?|(?:周|星期)[日天]"
#define MON "monday|montags?|lundi|lunes|luned[iì]|segunda(?:-feira)?|maandag|poniedział\\p{L}*|måndag|mandag|maanantai\\p{L}*|pondělí|понедельник[ае]?|月曜日?|(?:周|星期)一"
#define TUE "tuesday|dienstags?|mardi|martes|marted[iì]|terça(?:-feira)?|dinsdag|wtor\\p{L}+|tisdag|tirsdag|tiistai\\p{L}*|úter[ýk]\\p{L}*|вторник[ае]?|火曜日?|(?:周|星期)二"
#define WED "wednesday|mittwochs?|mercredi|miércoles|mercoled[iì]|quarta(?:-feira)?|woensdag|środ\\p{L}+|onsdag|keskiviik\\p{L}*|střed[ua]|сред[ауы]|水曜日?|(?:周|星期)三"
#define THU "thursday|donnerstags?|jeudi|jueves|gioved[iì]|quinta(?:-feira)?|donderdag|czwart\\p{L}+|torsdag|torstai\\p{L}*|čtvrt(?:ek|ku|ka)|четверг[ае]?|木曜日?|(?:周|星期)四"
#define FRI "friday|freitags?|vendredi|viernes|venerd[iì]|sexta(?:-feira)?|vrijdag|piąt\\p{L}+|fredag|perjantai\\p{L}*|pát(?:ek|ku)|пятниц[ауы]|金曜日?|(?:周|星期)五"
#define SAT "saturday|samstags?|sonnabends?|samedi|sábado|sabato|zaterdag|sobot\\p{L}+|lördag|lørdag|lauantai\\p{L}*|суббот[ауы]|土曜日?|(?:周|星期)六"
#define WEEK_DAY "(?:" SUN "|" MON "|" TUE "|" WED "|" THU "|" FRI "|" SAT ")(?!\\p{Latin})"

static struct pattern days[] = { IS(SUN), IS(MON), IS(TUE), IS(WED), IS(THU), IS(FRI), IS(SAT) };

#define DAYS "days?|tag(?:en|e)?|jours?|d[íi]as?|giorn[oi]|dag(?:en|ar|e)?|dni|dn[íůy]|дн(?:я|ей)|päivän|日"
#define WEEKS "weeks?|wochen?|semaines?|semanas?|settiman[ae]|weken|tydzie[ńn]|tygodni\\p{L}*|veck(?:an?|or)|ug(?:e|er)|uk(?:e|er)|viik\\p{L}+|t[ýy]d(?:en|n)\\p{L}*|недел\\p{L}+|週間?|周|星期"
#define MONTHS "months?|monat(?:en?|s)?|mois|mes(?:es)?|mes[ei]|m[eê]s|maand(?:en)?|miesi[ąę]c\\p{L}*|m[åa]nad(?:en|er)?|m[åa]ned(?:en|er)?|kuukau\\p{L}+|kuussa|m[ěe]s[íi]c\\p{L}*|месяц\\p{L}*|[ヶかカケ]月|[个個]?月"
#define QUARTERS "quarters?|quartal(?:en|e|s)?|trimestres?|kwarta[łl]\\p{L}*|kwartaal|kvart[aá]l\\p{L}*|квартал\\p{L}*|四半期|季度?"
#define YEARS "years?|jahr(?:en?|es)?|ans?|ann[ée]es?|a[ñn]os?|ann[oi]|anos?|jaar|rok\\p{L}*|lat|år(?:et)?|vuo\\p{L}+|год\\p{L}*|лет|年"
#define UNIT "(?:" DAYS "|" WEEKS "|" MONTHS "|" QUARTERS "|" YEARS ")(?!\\p{Latin}|\\p{Cyrillic})"

enum unit { UNIT_DAY, UNIT_WEEK, UNIT_MONTH, UNIT_QUARTER, UNIT_YEAR, UNITS };

static struct pattern units[UNITS] = { IS(DAYS), IS(WEEKS), IS(MONTHS), IS(QUARTERS), IS(YEARS) };

static struct pattern numbers_named[] = {
	IS("an?|one|eine[mnr]?|ein|une?|una?|uno|um|uma|een|één|en|ett|et|jeden|jedną|yhden|jeden|один|одну|[一1]"),
	IS("two|a couple of|zwei|zwo|deux|dos|due|dois|duas|twee|dwa|dwie|två|to|kahden|dva|dvě|два|две|[二两兩]"),
	IS("three|a few|few|some|drei|ein paar|einigen|trois|quelques|tres|unos|unas|tre|qualche|alcuni|três|alguns|algumas|drie|een paar|enkele|trzy|kilka|några|noen|nogle|tři|pár|три|несколько|kolmen|三|几|数"),
	IS("four|vier|quatre|cuatro|quattro|quatro|cztery|fyra|fire|neljän|čtyři|четыре|四"),
	IS("five|fünf|cinq|cinco|cinque|vijf|pięć|fem|viiden|pět|пять|五"),
	IS("six|sechs|seis|sei|zes|sześć|sex|seks|kuuden|šest|шесть|半|六"),
	IS("seven|sieben|sept|siete|sette|sete|zeven|siedem|sju|syv|七"),
	IS("eight|acht|huit|ocho|otto|oito|osiem|åtta|otte|åtte|八"),
	IS("nine|neun|neuf|nueve|nove|negen|九"),
	IS("ten|zehn|dix|diez|dieci|dez|tien|十"),
	IS("eleven|elf|onze|once"),
	IS("twelve|zwölf|douze|doce|dodici|doze|twaalf"),
};

#define NUMBER "\\d{1,2}|a few|few|a couple of|ein paar|een paar|[\\p{Latin}\\p{Cyrillic}]{1,10}|[一二三四五六七八九十半几数两兩]"

/* The place in the table, from 1; 0: it is none of them. */
static int named(struct pattern *table, size_t count, struct slice s)
{
	for (size_t i = 0; s.data && i < count; i++)
		if (pattern_find(&table[i], s.data, s.len, 0, NULL))
			return (int)i + 1;
	return 0;
}

#define NAMED(table, s) named(table, sizeof(table) / sizeof((table)[0]), s)

static int number_of(struct slice s)
{
	return s.len && isdigit((unsigned char)s.data[0]) ? (int)strtol(s.data, NULL, 10) : 0;
}

/* --- days ------------------------------------------------------------------------------------------------ */

struct day {
	int year, month, mday;	/* year 0: not said */
};

static int64_t at_day(int year, int month, int mday)
{
	struct tm tm = { .tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = mday };

	return (int64_t)timegm(&tm) * US_SECOND;
}

static struct tm today(int64_t now)
{
	time_t t = (time_t)(now / US_SECOND);
	struct tm tm;

	gmtime_r(&t, &tm);
	return tm;
}

static int64_t at_or_after(struct day d, int64_t now)
{
	int year = d.year ? d.year : today(now).tm_year + 1900;
	int64_t at;

	if (d.year > 2100 || d.month < 1 || d.month > 12 || d.mday < 1 || d.mday > 31)
		return 0;
	if (year < 100)
		year += 2000;
	at = at_day(year, d.month, d.mday);
	if (!d.year && at + US_DAY < now)
		at = at_day(year + 1, d.month, d.mday);
	return at;
}

static int64_t months_ahead(int64_t now, int count)
{
	struct tm tm = today(now);

	return at_day(tm.tm_year + 1900, tm.tm_mon + 1 + count, tm.tm_mday);
}

static int64_t midnight(int64_t now)
{
	struct tm tm = today(now);

	return at_day(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
}

static int64_t next_week_day(int day, int64_t now)
{
	return midnight(now) + ((day - today(now).tm_wday + 6) % 7 + 1) * US_DAY;
}

static int64_t next_unit(enum unit unit, int64_t now)
{
	struct tm tm = today(now);

	switch (unit) {
	case UNIT_DAY:
		return midnight(now) + US_DAY;
	case UNIT_WEEK:
		return next_week_day(1, now);
	case UNIT_MONTH:
		return at_day(tm.tm_year + 1900, tm.tm_mon + 2, 1);
	case UNIT_QUARTER:
		return at_day(tm.tm_year + 1900, (tm.tm_mon / 3 + 1) * 3 + 1, 1);
	default:
		return at_day(tm.tm_year + 1901, 1, 1);
	}
}

static int64_t ahead(int64_t now, int count, enum unit unit)
{
	switch (unit) {
	case UNIT_DAY:
		return now + count * US_DAY;
	case UNIT_WEEK:
		return now + count * 7 * US_DAY;
	case UNIT_MONTH:
		return months_ahead(now, count);
	case UNIT_QUARTER:
		return months_ahead(now, 3 * count);
	default:
		return months_ahead(now, 12 * count);
	}
}

/* --- a date as it is written ----------------------------------------------------------------------------- */

#define ISO "20\\d\\d[-./]\\d{1,2}[-./]\\d{1,2}"
#define NUMBERS "\\d{1,2}[./-]\\s?\\d{1,2}(?:[./-]\\s?(?:20)?\\d\\d|\\.)?(?!\\d)"
#define YEAR "(?:\\.?,?\\s+(?:de\\s+|del\\s+)?20\\d\\d)?"
#define DAY_MONTH "\\d{1,2}(?:st|nd|rd|th|er|e|º|°|\\.|:?an|-?го)?\\s+(?:of\\s+|de\\s+|di\\s+)?" MONTH YEAR
#define MONTH_DAY MONTH "\\.?\\s+(?:the\\s+)?\\d{1,2}(?!\\d|:|\\s?h)(?:st|nd|rd|th)?(?:,?\\s+20\\d\\d)?"
#define EAST "(?:20\\d\\d\\s?[年년]\\s?)?\\d{1,2}\\s?[月월](?!間|间)(?:\\s?\\d{1,2}\\s?[日号號일])?"
#define WRITTEN "(?:" ISO "|" NUMBERS "|" DAY_MONTH "|" MONTH_DAY "|" MONTH YEAR "|" EAST ")"

/* 3.5., 3/5/26 */
static int64_t read_numbers(int a, int b, int year, bool slash, bool month_first, int64_t now)
{
	if ((month_first && slash && a <= 12) || b > 12)
		return at_or_after((struct day){ year, a, b }, now);
	return at_or_after((struct day){ year, b, a }, now);
}

static int64_t read_written(struct slice text, int64_t now, bool month_first)
{
	static struct pattern iso = PATTERN("\\A(20\\d\\d)[-./](\\d{1,2})[-./](\\d{1,2})\\z");
	static struct pattern numbers = PATTERN("\\A(\\d{1,2})([./-])\\s?(\\d{1,2})(?:[./-]\\s?((?:20)?\\d\\d))?\\.?\\z");
	static struct pattern east = PATTERN("\\A(?:(20\\d\\d)\\s?[年년]\\s?)?(\\d{1,2})\\s?[月월](?:\\s?(\\d{1,2}))?");
	static struct pattern words = PATTERN("(?:\\A(\\d{1,2})[^\\d]{1,10}?)?(" MONTH ")(?:\\.?\\s+(?:the\\s+)?(\\d{1,2})(?!\\d))?(?:\\D{1,8}(20\\d\\d))?");
	struct pattern_hit h;

	if (pattern_find(&iso, text.data, text.len, 0, &h))
		return at_or_after((struct day){ number_of(h.group[1]), number_of(h.group[2]), number_of(h.group[3]) }, now);
	if (pattern_find(&numbers, text.data, text.len, 0, &h))
		return read_numbers(number_of(h.group[1]), number_of(h.group[3]), number_of(h.group[4]), h.group[2].data[0] == '/', month_first, now);
	if (pattern_find(&east, text.data, text.len, 0, &h))
		return at_or_after((struct day){ number_of(h.group[1]), number_of(h.group[2]), h.group[3].data ? number_of(h.group[3]) : 1 }, now);
	if (pattern_find(&words, text.data, text.len, 0, &h)) {
		int mday = h.group[1].data ? number_of(h.group[1]) : h.group[3].data ? number_of(h.group[3]) : 1;

		return at_or_after((struct day){ number_of(h.group[4]), NAMED(months, h.group[2]), mday }, now);
	}
	return 0;
}

/* --- the end of an absence ------------------------------------------------------------------------------- */

#define NEXT "next|coming|nächste[nmrs]?|kommende[nmrs]?|prochaine?|pr[óo]xim[oa]|prossim[oa]|volgende?|komende?|przyszł\\p{L}+|następn\\p{L}+|nästa|næste|neste|ensi|příští\\p{L}*|следующ\\p{L}+"
#define NEXT_BEHIND "prochaine?|que viene|pr[óo]xim[oa]|prossim[oa]|que vem|qui vient"

static struct pattern next_named = PATTERN("(?<!\\p{L})(?:(?:" NEXT ")\\s+(" UNIT ")|(?<![\\p{L}\\d])(" UNIT ")\\s+(?:" NEXT_BEHIND ")(?!\\p{L})|来(週|月|年)|下[个個]?(周|週|星期|月|季度)|明(年))");

static int64_t read_next(const char *text, size_t n, int64_t now)
{
	struct pattern_hit h;

	if (!pattern_find(&next_named, text, n, 0, &h))
		return 0;
	for (int i = 1; i <= 5; i++) {
		int unit = NAMED(units, h.group[i]);

		if (unit)
			return next_unit((enum unit)(unit - 1), now);
	}
	return 0;
}

static int64_t read_any(struct slice s, int64_t now, bool month_first)
{
	static struct pattern tomorrow = PATTERN("\\A(?:tomorrow|morgen|demain|mañana|domani|amanhã|jutro|i ?morgon|i ?morgen|huomenna|zítra|завтра|明日|明天)\\z");
	static struct pattern day = PATTERN("(" WEEK_DAY ")\\z");
	struct pattern_hit h;

	if (pattern_find(&tomorrow, s.data, s.len, 0, NULL))
		return midnight(now) + US_DAY;
	if (pattern_find(&day, s.data, s.len, 0, &h))
		return next_week_day(NAMED(days, h.group[1]) - 1, now);
	return read_next(s.data, s.len, now) ? read_next(s.data, s.len, now) : read_written(s, now, month_first);
}

#define STRONG "until|till?|through|thru|back|return\\w*|bis|wieder|zurück|erreichbar|jusqu'?(?:au|à|en)?|retour|hasta|regres\\w+|vuelvo|vuelta|partir|fino|rientr\\w+|torn\\w+|" \
	"tot|t/m|terug|weer|até|volto|wracam|powrót|tillbaka|tilbage|tilbake|asti|saakka|palaan|zpět|vrátím|до|вернусь|выйду"
#define DIRECT "to|ab|zum|au|d[èe]s|al?|dal|vanaf|od|do|till|fra|från|с"
#define ARTICLE "(?:(?:the|den|dem|le|la|el|il|de|på|op|on)\\s+)?"
#define SPOKEN "tomorrow|demain|mañana|domani|amanhã|jutro|i ?morgon|i morgen|huomenna|zítra|завтра|明日|明天|next week|nächste[rn]? woche|(?:la )?semaine prochaine|la próxima semana|" \
	"la settimana prossima|volgende week|来週|下周|(?:(?:next|nächste[nr]?|kommenden)\\s+)?" WEEK_DAY

int64_t return_date_of_absence(const char *text, int64_t now, bool month_first)
{
	static struct pattern end = PATTERN("(?:(?<!\\p{L})(?:(?:" STRONG ")(?!\\p{L})[^.?!\\n\\d]{0,30}?|(?:" DIRECT ")\\s+" ARTICLE ")|(?<!\\d\\d\\d\\d)(?<!\\d\\d\\d\\d-\\d\\d)[-–—]\\s?|から\\s?|[至到]\\s?)"
		"(?:" WEEK_DAY "\\.?,?\\s+" ARTICLE ")?(?<date>" WRITTEN "|" SPOKEN ")|(" EAST ")\\s?(?:まで|に戻|より|为止|之前|回来|까지)");
	size_t n = strlen(text), at = 0;
	int64_t latest = 0;
	struct pattern_hit hit;

	if (n > LOOK_AT)
		n = LOOK_AT;
	while (pattern_find(&end, text, n, at, &hit)) {
		struct slice said = hit.date.data ? hit.date : hit.group[2];
		int64_t date = said.data ? read_any(said, now, month_first) : 0;

		if (date >= now - US_DAY && date <= now + MOST_AWAY && date > latest)
			latest = date;
		at = (size_t)(hit.group[0].data - text) + (hit.group[0].len ? hit.group[0].len : 1);
	}
	return latest;
}

/* --- "in three months", "Q3", "after the summer" -------------------------------------------------------- */

static int64_t start_of(int month, int64_t now)
{
	return at_or_after((struct day){ 0, month, 1 }, now);
}

static int64_t read_count(const char *text, size_t n, int64_t now)
{
	static struct pattern count = PATTERN("(?<!\\p{L})(?:in|after|within|nach|dans|d'ici|après|en|dentro de|tra|fra|dopo|over|em|daqui a|za|om|efter|etter|через|за|después de|depois de|après)\\s+(" NUMBER ")\\s+(" UNIT ")"
		"|(?<![\\p{L}\\d])(" NUMBER ")\\s?(" UNIT ")(?:\\s+(?:later|from now|kuluttua|päästä|später)|[後后]|以[後后])|(?<!\\p{L})через\\s+(" UNIT ")");
	struct pattern_hit h;
	size_t at = 0;

	while (pattern_find(&count, text, n, at, &h)) {
		struct slice number = h.group[1].data ? h.group[1] : h.group[3], unit = h.group[1].data ? h.group[2] : h.group[4];
		int many = number_of(number) ? number_of(number) : NAMED(numbers_named, number), kind = NAMED(units, unit);

		if (h.group[5].data)
			return ahead(now, 1, (enum unit)(NAMED(units, h.group[5]) - 1));
		if (many && kind)
			return ahead(now, many, (enum unit)(kind - 1));
		at = (size_t)(h.group[0].data - text) + h.group[0].len;
	}
	return 0;
}

static int64_t read_quarter(const char *text, size_t n, int64_t now)
{
	static struct pattern quarter = PATTERN("(?<![\\p{L}\\d])(?:q|t)([1-4])(?![\\d\\p{L}])(?:\\s*/?\\s*(20\\d\\d))?|(?<!\\d)([1-4])(?:\\.|st|nd|rd|th|er|e|º|°|ème)?\\s?(?:" QUARTERS ")|第([1-4一二三四])(?:四半期|季度)");
	static struct pattern worded = PATTERN("(?<!\\p{L})(first|erste[nsmr]?|premier|primer|primo|primeiro|eerste|pierwsz\\p{L}+)\\s+(?:" QUARTERS ")|(?<!\\p{L})(second|zweite[nsmr]?|deuxième|segundo|secondo|tweede)\\s+(?:" QUARTERS ")|"
		"(?<!\\p{L})(third|dritte[nsmr]?|troisième|tercer|terzo|terceiro|derde)\\s+(?:" QUARTERS ")|(?<!\\p{L})(fourth|last|vierte[nsmr]?|quatrième|cuarto|quarto|vierde)\\s+(?:" QUARTERS ")");
	struct pattern_hit h;

	if (pattern_find(&quarter, text, n, 0, &h)) {
		struct slice which = h.group[1].data ? h.group[1] : h.group[3].data ? h.group[3] : h.group[4];
		int month = ((number_of(which) ? number_of(which) : NAMED(numbers_named, which)) - 1) * 3 + 1;

		return h.group[2].data ? at_day(number_of(h.group[2]), month, 1) : start_of(month, now);
	}
	if (pattern_find(&worded, text, n, 0, &h))
		for (int i = 1; i <= 4; i++)
			if (h.group[i].data)
				return start_of((i - 1) * 3 + 1, now);
	return 0;
}

static int64_t read_season(const char *text, size_t n, int64_t now)
{
	static struct pattern word = PATTERN("(?<!\\p{L})(in|after|until|till|before|next|by|over|im|nach|vor|ab|bis|zum|en|après|à|au|cet|cette|en|después del?|tras|el|la|dopo|in|a|da|na|depois d[oa]|no|efter|i|til|till|etter|po|w|на|после|nästa|næste)\\s+"
		"(?:(?:the|dem|den|der|les?|la|l'|el|il|o|de|het|this|diesem|next|nächste[nr]?|unseren|our|vacances de)\\s*)*"
		"(spring|summer|autumn|fall|winter|new\\s+year|easter|christmas|frühling|frühjahr|sommer(?:pause|ferien)?|herbst|jahreswechsel|weihnachten|ostern|neujahr|neuen jahr|printemps|été|automne|hiver|rentrée|primavera|verano|otoño|invierno|estate|autunno|inverno|verão|outono|inverno|voorjaar|lente|zomer|herfst|najaar|wios\\p{L}+|lecie|lato|wakacj\\p{L}+|jesieni\\p{L}*|våren?|sommar(?:en)?|sommer(?:en)?|høst(?:en)?|hösten?|лет[оа]м?|осен\\p{L}+)(?!\\p{L})|(夏|秋|春|冬)(?:休み|季)?(?:の?後|以降|过后|之后)?");
	static struct {
		struct pattern name; int month;
	} seasons[] = {
		{ IS("spring|frühling|frühjahr|printemps|primavera|voorjaar|lente|wios\\p{L}+|våren?|春"), 3 },
		{ IS("summer|sommer\\p{L}*|été|verano|estate|verão|zomer|lecie|lato|wakacj\\p{L}+|sommar(?:en)?|лет[оа]м?|夏"), 6 },
		{ IS("autumn|fall|herbst|automne|otoño|autunno|outono|herfst|najaar|rentrée|jesieni\\p{L}*|høst(?:en)?|hösten?|осен\\p{L}+|秋"), 9 },
		{ IS("winter|hiver|invierno|inverno|冬"), 12 },
		{ IS("new\\s+year|jahreswechsel|neujahr|neuen jahr|christmas|weihnachten"), 1 },
		{ IS("easter|ostern"), 4 },
	};
	static struct pattern behind = PATTERN("\\A(?:after|nach|après|después del?|tras|dopo|na|depois d[oa]|efter|etter|po|после)\\z");
	struct pattern_hit h;

	if (!pattern_find(&word, text, n, 0, &h))
		return 0;
	for (size_t i = 0; i < sizeof(seasons) / sizeof(seasons[0]); i++) {
		struct slice name = h.group[2].data ? h.group[2] : h.group[3];
		int month = seasons[i].month;

		if (!pattern_find(&seasons[i].name, name.data, name.len, 0, NULL))
			continue;
		if (month % 3 == 0 && h.group[1].data && pattern_find(&behind, h.group[1].data, h.group[1].len, 0, NULL))
			month = (month + 2) % 12 + 1;
		return start_of(month, now);
	}
	return 0;
}

/* Its beginning, its middle, its end; of a month that is named without a day. */
static int64_t part_of(int64_t month, bool end, bool middle)
{
	struct tm tm = today(month);

	return end ? at_day(tm.tm_year + 1900, tm.tm_mon + 2, 0) : middle ? month + 14 * US_DAY : month;
}

static int64_t read_named_day(const char *text, size_t n, int64_t now, bool month_first)
{
	static struct pattern date = PATTERN("(?:(?<!\\p{L})(?:(?:until|till?|before|after|on|in|from|by|around|ab|bis|nach|im|am|zum|erst|en|à|dès|après|jusqu'?(?:en|au|à)?|le|au|desde|hasta|del?|el|al?|da|dopo|dal|il|na|naar|vanaf|"
		"tot|op|em|até|w|we|od|do|po|i(?!\\s+may)|den|efter|till|til|fra|etter|в|после|до|с|v|ve|przed|before)\\s+)" ARTICLE "|(?<=\\A|[,.;!?] )|(?=\\d{1,2}\\s?[月월])|(?=20\\d\\d-))"
		"(?:(?:(end|ende|fin(?:ales)?|fine|eind|konie?c\\p{L}*|slutet|slutningen|konc\\p{L}+|конц\\p{L}+|late)|(mid|mitte|mi|mediados|metà|meados|medio|midden|połow\\p{L}+|mitten|середин\\p{L}+)|"
		"(?:beginning|start|early|anfang|début|principios|inizio|início|begin|począt\\p{L}+|början|starten|начал\\p{L}+))(?:\\s*-\\s*|\\s+)(?:(?:of|de|di|do|da|av|af|du|d[ei]l|van|i)\\s+)?)?(?<date>" WRITTEN ")");
	struct pattern_hit h;
	size_t at = 0;

	while (pattern_find(&date, text, n, at, &h)) {
		int64_t day = read_written(h.date, now, month_first);

		if (day)
			return part_of(day, h.group[1].data != NULL, h.group[2].data != NULL);
		at = (size_t)(h.group[0].data - text) + (h.group[0].len ? h.group[0].len : 1);
	}
	return 0;
}

static int64_t read_week_day(const char *text, size_t n, int64_t now)
{
	static struct pattern day = PATTERN("(?<!\\p{L})(?:on|next|until|till|am|bis|nächste[nr]?|kommenden|le|el|il|lo|op|på|w|we|v|ve|в|во|after|before|by|já na)\\s+(" WEEK_DAY ")|(" WEEK_DAY ")(?:\\s+prochain)");
	struct pattern_hit h;

	if (!pattern_find(&day, text, n, 0, &h))
		return 0;
	return next_week_day(NAMED(days, h.group[1].data ? h.group[1] : h.group[2]) - 1, now);
}

int64_t return_date_of_not_now(const char *text, int64_t now, bool month_first)
{
	size_t n = strlen(text);
	int64_t at;

	if (n > LOOK_AT)
		n = LOOK_AT;
	at = read_count(text, n, now);
	if (!at)
		at = read_quarter(text, n, now);
	if (!at)
		at = read_named_day(text, n, now, month_first);
	if (!at)
		at = read_season(text, n, now);
	if (!at)
		at = read_next(text, n, now);
	if (!at)
		at = read_week_day(text, n, now);
	return at >= now && at <= now + MOST_NOT_NOW ? at : 0;
}
