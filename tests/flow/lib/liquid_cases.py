"""Random Liquid: templates with their data, over every tag and filter that ours and Shopify's Liquid 5.4 both have.

case(seed) gives one; the same seed gives the same one. What README names under "Where our Liquid differs" is not made here.
"""
import random

TEXTS = [
    "", " ", "a", "b", "abc", "Abc def", "hello world", "one two  three four five", " padded ", "line\nbreak", "two\r\nlines\nhere", "tab\there",
    "a,b,c", "a,,b,", ",", "x-y_z", "5", "-7", "3.25", "12abc", "0", "007", "1_000", "+4", " 42 ", "1.5.2", ".5", "1e3", "-0.5", "9.", "true", "nil", "<b>bold</b>",
    "a < b & c > \"d\" 'e'", "&amp; &lt;x&gt; &#39; &copy", "<p>one</p><script>var x = '<b>';</script><style>p{}</style><!-- c -->two", "50%", "a%20b+c", "%C3%BC%", "ümläut Ñandú",
    "ΑΒΓ αβγ", "Привет мир", "straße", "日本語テキスト", "🙂 smile 🙃", "é", "aXbXc", "AbC", "zebra", "Zebra", "YWJj", "YWI=", "YWI", "_-8", "a-b", "title", "k", "b c", "size", "first", "ǅ ﬁ ŉ", "x\u00a0y\u2003z",
]
FORMATS = [
    "%Y-%m-%d", "%d.%m.%y", "%H:%M:%S", "%e %B %Y", "%a %b %-d", "%A, %d %^b", "%j", "%s", "%L", "%N", "%3N", "%6N", "%p %P %I %l %k", "%u %w", "%U %W %V %G %g", "%C", "%D %F %T %R %r", "%c", "%x %X", "%%", "%z",
    "%:z", "%::z", "%Z", "%-m/%-d/%-y", "%_m|%05d|%^A|%#p|%10Y|%-H|%_H|%010s", "%n%t", "%h", "%v", "%+", "plain", "%", "%Q", "a%Eb", "%Oe", "%3d", "%-3d", "%_5e", "%012N", "%^10a", "%-l", "%#b", "%#B", "%08.3f",
]
DATES = [
    "2024-02-29", "2023-12-31 23:59:59", "2021-06-15T12:30:45Z", "2021-06-15T12:30:45+02:00", "2019-01-01T00:00:00.250-0500", "March 14, 2016", "14 March 2016", "Mar 14 2016", "Mon, 14 Mar 2016 10:20:30 +0100",
    "1999/07/04", "1999/07/04 5:06", "1152098955", "0", "2016-03-14 10:20:30 UTC", "2016-03-14 10:20:30 +0530", "not a date", "", "14-Mar-2016", "1 Jan 2000 1:02:03",
]
NAMES = ["a", "b", "c", "d", "e", "s", "t", "n", "m", "f", "l", "o", "p", "z", "nothing"]
KEYS = ["k", "title", "a", "b c", "size", "first", "n", "x-y", "q?"]
PROPERTIES = ["k", "title", "a", "size", "first", "last", "n", "x-y", "q?", "missing"]
LOOPS = ["i", "item", "x", "a"]

TAGS = {"assign", "break", "capture", "case", "comment", "continue", "cycle", "echo", "for", "if", "#", "liquid", "raw", "render", "unless"}
# name: what each argument may be; a '?' makes it and what follows optional
FILTERS = {
    "abs": "", "append": "t", "at_least": "n", "at_most": "n", "base64_decode": "", "base64_encode": "", "base64_url_safe_decode": "",
    "base64_url_safe_encode": "", "capitalize": "", "ceil": "", "compact": "?k", "concat": "l", "date": "d", "default": "?v", "divided_by": "n",
    "downcase": "", "escape": "", "escape_once": "", "first": "", "floor": "", "h": "", "join": "?t", "last": "", "lstrip": "", "map": "k",
    "minus": "n", "modulo": "n", "newline_to_br": "", "plus": "n", "prepend": "t", "remove": "t", "remove_first": "t", "remove_last": "t",
    "replace": "t?t", "replace_first": "t?t", "replace_last": "tt", "reverse": "", "round": "?i", "rstrip": "", "size": "", "slice": "i?i",
    "sort": "?k", "sort_natural": "?k", "split": "t", "strip": "", "strip_html": "", "strip_newlines": "", "times": "n", "truncate": "?i?t",
    "truncatewords": "?i?t", "uniq": "?k", "upcase": "", "url_decode": "", "url_encode": "", "where": "k?v",
}
FOR_LISTS = ["compact", "concat", "first", "join", "last", "map", "reverse", "size", "slice", "sort", "sort_natural", "uniq", "where"]
FOR_NUMBERS = ["abs", "at_least", "at_most", "ceil", "divided_by", "floor", "minus", "modulo", "plus", "round", "times", "append"]
ANY = [f for f in FILTERS if f != "date"]
FOR_TEXTS = [f for f in ANY if f not in FOR_LISTS and f not in FOR_NUMBERS or f in ("size", "slice", "append")]


class Maker:
    def __init__(self, seed):
        self.r = random.Random(seed)
        self.loops = []
        self.partials = {}
        self.in_partial = False
        self.captured = []
        self.cases = 0  # around: what stands in one does not change what it looks at

    def chance(self, p):
        return self.r.random() < p

    # --- data -------------------------------------------------------------------------------------------------

    def number(self):
        r = self.r
        return r.choice([0, 1, 2, 3, -1, -5, 7, 10, 42, 100, 1234, 99999, -273, 2 ** 31 - 1, 2 ** 40, 2 ** 62, r.randint(-50, 50), 0.5, 1.5, 2.5, -2.5, 3.14159, 10.1, 0.1, 0.2, 1e-5, 0.0, 123456.789, 1e10, 1e15, 1.5e15, 123456789012345.67, 1e20, -0.75, round(r.uniform(-100, 100), r.randint(1, 6))])

    def scalar(self):
        x = self.r.random()
        if x < 0.5:
            return self.r.choice(TEXTS)
        if x < 0.85:
            return self.number()
        return self.r.choice([None, True, False])

    def object(self, depth):
        return {k: self.datum(depth + 1) if self.chance(0.3) else self.scalar() for k in self.r.sample(KEYS, self.r.randint(0, 4))}

    def list(self, depth):
        n = self.r.choice([0, 1, 2, 3, 3, 4, 6])
        kind = self.r.random()
        if kind < 0.25:
            return [self.number() for _ in range(n)]
        if kind < 0.5:
            return [self.r.choice(TEXTS) for _ in range(n)]
        if kind < 0.75:
            return [self.object(depth + 1) for _ in range(n)]
        if kind < 0.85:
            return [self.r.randint(-9, 9) for _ in range(n)] + [None]
        return [self.datum(depth + 1) for _ in range(n)]

    def datum(self, depth=0):
        x = self.r.random()
        if depth > 2 or x < 0.45:
            return self.scalar()
        return self.list(depth) if x < 0.75 else self.object(depth)

    def data(self):
        data = {name: self.datum() for name in NAMES[:5]}
        data.update(s=self.r.choice(TEXTS), t=self.r.choice(TEXTS), n=self.r.randint(-20, 20), m=self.r.randint(0, 6), f=self.number(), z=None)
        data.update(l=self.list(0), o=self.object(0), p=[self.object(1) for _ in range(self.r.randint(0, 4))])
        return data

    # --- expressions ------------------------------------------------------------------------------------------

    def quoted(self, text):
        if "'" in text and '"' in text:
            return '"plain"'
        text = text.replace("}", "")
        return '"%s"' % text if "'" in text or self.chance(0.5) and '"' not in text else "'%s'" % text

    def shown(self, number):
        text = "%.10f" % number if isinstance(number, float) and "e" in repr(number) else repr(number)
        return text.rstrip("0") + "0" if "." in text and text.endswith("00") else text

    def name(self):
        r = self.r
        if self.loops and self.chance(0.35):
            if self.chance(0.4):
                parent = "parentloop." if self.chance(0.15) else ""
                return "forloop." + parent + r.choice(["index", "index0", "rindex", "rindex0", "first", "last", "length", "name"])
            return r.choice(self.loops)
        if self.captured and self.chance(0.1):
            return r.choice(self.captured)
        return r.choice(NAMES)

    def path(self):
        text = self.name()
        if text.startswith("forloop"):
            return text
        while self.chance(0.3):
            x = self.r.random()
            if x < 0.55:
                text += "." + self.r.choice(PROPERTIES)
            elif x < 0.75:
                text += "[%d]" % self.r.randint(-3, 4)
            elif x < 0.9:
                text += "[%s]" % self.quoted(self.r.choice(KEYS))
            else:
                text += "[%s]" % self.r.choice(["s", "n", "m", "z", "nothing", "o.k"])
        return text

    def range(self):
        def end():
            return str(self.r.randint(-3, 6)) if self.chance(0.7) else self.r.choice(["n", "m", "z", "nothing", "1.5", "'3'"])
        return self.r.choice(["(%s..%s)", "( %s .. %s )", "(%s ..%s)"]) % (end(), end())

    def tight(self):
        """A value for the tags that Liquid cuts at spaces."""
        text = self.value()
        return text.replace(" ", "") if text.startswith("(") else text

    def value(self, kind="v"):
        r = self.r
        if kind == "t" and self.chance(0.75):
            return self.quoted(r.choice(TEXTS))
        if kind == "n" and self.chance(0.75):
            return self.shown(self.number())
        if kind == "i" and self.chance(0.85):
            return str(r.randint(-3, 12))
        if kind == "k" and self.chance(0.9):
            return self.quoted(r.choice(KEYS))
        if kind == "d" and self.chance(0.95):
            return self.quoted(r.choice(FORMATS))
        if kind == "l" and self.chance(0.8):
            return r.choice(["l", "p", "a", "b"])
        if kind in "kd":
            return r.choice(["z", "nothing"])
        x = r.random()
        if x < 0.5:
            return self.path()
        if x < 0.7:
            return self.quoted(r.choice(TEXTS))
        if x < 0.85:
            return self.shown(self.number())
        if x < 0.93:
            return r.choice(["true", "false", "nil", "null", "empty", "blank"])
        if x < 0.97:
            return self.range()
        return "[%s]" % self.quoted(r.choice(NAMES))

    def filter(self, pool):
        name = self.r.choice(pool)
        arguments, optional = [], False
        for kind in FILTERS[name]:
            if kind == "?":
                optional = True
            elif optional and self.chance(0.5):
                break
            else:
                arguments.append(self.value(kind))
        if name.startswith("replace") and len(arguments) > 1 and "\\" in arguments[1]:
            arguments[1] = "'x'"
        if name == "default" and arguments and self.chance(0.3):
            arguments.insert(self.r.randint(0, len(arguments)), "allow_false: " + self.r.choice(["true", "false", "z", "n"]))
        text = name
        if arguments:
            text += self.r.choice([": ", ":", " : "]) + self.r.choice([", ", ",", " , "]).join(arguments)
        return self.r.choice([" | ", "|", " |"]) + text

    def filtered(self):
        r = self.r
        x = r.random()
        if x < 0.3:
            start, pool = self.value("t"), FOR_TEXTS
        elif x < 0.5:
            start, pool = self.value("n"), FOR_NUMBERS
        elif x < 0.7:
            start, pool = r.choice(["l", "p", "l", "p", "a", "b", "o", self.range()]), FOR_LISTS
        elif x < 0.76:
            date = self.quoted(r.choice(DATES)) if self.chance(0.8) else str(r.randint(-10 ** 9, 2 * 10 ** 9))
            return "%s | date: %s" % (date, self.quoted(r.choice(FORMATS)))
        else:
            start, pool = self.value(), ANY
        text = start
        while self.chance(0.6):
            text += self.filter(pool if self.chance(0.7) else ANY)
        return text

    def comparison(self):
        x = self.r.random()
        if x < 0.3:
            return self.value()
        if x < 0.75:
            return self.value() + self.r.choice([" == ", " != ", " <> ", "==", " contains "]) + self.value()
        a, b = (self.value("n"), self.value("n")) if self.chance(0.7) else (self.value("t"), self.value("t"))
        return a + self.r.choice([" < ", " <= ", " > ", " >= ", "<", ">"]) + b

    def condition(self):
        text = self.comparison()
        while self.chance(0.3):
            text += self.r.choice([" and ", " or "]) + self.comparison()
        return text

    # --- tags -------------------------------------------------------------------------------------------------

    def text(self):
        return self.r.choice(["", " ", "\n", "  \n ", "word", " two words ", "x", ", ", "{ ", "}}", "%}", "é", "-", "<p>", "\t", ".\n"])

    def marked(self, inner):
        a = "-" if self.chance(0.15) else ""
        b = "-" if self.chance(0.15) else ""
        space = " " if self.chance(0.9) or a or b else ""
        return "{%%%s%s%s%s%s%%}" % (a, space, inner, " " if b or inner.endswith("-") else space, b)

    def output(self):
        a = "-" if self.chance(0.1) else ""
        b = "-" if self.chance(0.1) else ""
        return "{{%s %s %s}}" % (a, self.filtered(), b)

    def body(self, depth):
        return "".join(self.piece(depth + 1) for _ in range(self.r.choice([0, 1, 1, 2, 3])))

    def some_if(self, depth):
        word = self.r.choice(["if", "if", "unless"])
        text = self.marked("%s %s" % (word, self.condition())) + self.body(depth)
        while self.chance(0.25):
            text += self.marked("elsif " + self.condition()) + self.body(depth)
        if self.chance(0.4):
            text += self.marked("else") + self.body(depth)
        return text + self.marked("end" + word)

    def some_case(self, depth):
        text = self.marked("case " + self.tight()) + self.r.choice(["", " ", "\n", "lost"])
        self.cases += 1
        for _ in range(self.r.randint(1, 3)):
            whens = [self.tight() for _ in range(self.r.choice([1, 1, 2, 3]))]
            text += self.marked("when " + self.r.choice([", ", " or "]).join(whens)) + self.body(depth)
            if self.chance(0.1):
                text += self.marked("else") + self.body(depth)
        if self.chance(0.4):
            text += self.marked("else") + self.body(depth)
        self.cases -= 1
        return text + self.marked("endcase")

    def some_for(self, depth):
        r = self.r
        name = r.choice(LOOPS)
        over = r.choice(["l", "p", "o", "a", "s", "l", "p", self.range(), self.range(), self.path()])
        head = "for %s in %s" % (name, over)
        if self.chance(0.2):
            head += " reversed"
        options = []
        if self.chance(0.25):
            options.append("limit: " + (str(r.randint(-1, 4)) if self.chance(0.8) else r.choice(["n", "m", "z", "'2'", "s"])))
        if self.chance(0.25):
            options.append("offset: " + r.choice([str(r.randint(-1, 3)), str(r.randint(0, 2)), "n", "m", "z", "'1'", "nothing", "continue", "continue", "continue"]))
        r.shuffle(options)
        text = self.marked(" ".join([head] + options))
        self.loops.append(name)
        text += self.body(depth)
        if self.chance(0.2):
            text += self.marked("if " + self.condition()) + self.marked(r.choice(["break", "continue"])) + self.marked("endif")
            text += self.text()
        self.loops.pop()
        if self.chance(0.25):
            text += self.marked("else") + self.body(depth)
        return text + self.marked("endfor")

    def some_capture(self, depth):
        name = self.r.choice(["c", "s", "kept", "a"])
        text = self.marked("capture " + name) + self.body(depth) + self.marked("endcapture")
        self.captured.append(name)
        return text

    def some_assign(self, depth):
        name = self.r.choice(["a", "b", "c", "kept", "i", "l", "x-y"])
        self.captured.append(name)
        return self.marked("assign %s = %s" % (name, self.filtered()))

    def some_cycle(self, depth):
        group = self.r.choice(["", "", "'g': ", "1: ", "s: ", "n: "])
        if group:
            values = [self.tight() for _ in range(self.r.randint(1, 3))]
        else:
            values = [self.r.choice(["'a'", "'b'", "1", "2", "true", "nil", "1.5", '"a"']) for _ in range(self.r.randint(1, 3))]
        if any("," in v or ":" in v or ".." in v for v in values):
            values = ["'a'", "n"]
        return self.marked("cycle " + group + ", ".join(values))

    def some_comment(self, depth):
        return self.marked("comment") + self.r.choice(["", "words", "{{ a }} %}", "{% if a %}x{% endif %}", "{% raw %}{{ a }}{% endraw %}", "{% comment %}x{% endcomment %}"]) + self.marked("endcomment")

    def some_raw(self, depth):
        return "{% raw %}" + self.r.choice(["", "{{ x }}", "{% if %}", " a {{ b }", "}} %}", "{% endif %}\n"]) + "{% endraw %}"

    def some_inline(self, depth):
        return self.marked("# " + self.r.choice(["a remark", "'quote", "\n # more", "if x"]))

    def line(self, depth):
        """A tag, on a line of {% liquid %}, with what belongs to it."""
        x = self.r.random()
        if x < 0.35:
            return ["echo " + self.filtered().replace("\n", " ")]
        if x < 0.55:
            return ["assign %s = %s" % (self.r.choice(["a", "b", "kept"]), self.filtered().replace("\n", " "))]
        if x < 0.65:
            return ["# words"]
        if x < 0.7:
            return ["", "assign kept = n"]
        if depth > 3:
            return ["echo 'deep'"]
        inner = self.line(depth + 1) + (self.line(depth + 1) if self.chance(0.4) else [])
        if x < 0.85:
            word = self.r.choice(["if", "unless"])
            other = ["else"] + self.line(depth + 1) if self.chance(0.3) else []
            return [word + " " + self.condition().replace("\n", " ")] + inner + other + ["end" + word]
        if x < 0.95:
            self.loops.append("i")
            lines = ["for i in " + self.r.choice(["l", "p", "(1..3)", "a"])] + self.line(depth + 1) + ["endfor"]
            self.loops.pop()
            return lines
        return ["case n", "when 1, 2"] + inner + ["else"] + inner + ["endcase"]

    def some_liquid(self, depth):
        lines = [line for _ in range(self.r.randint(1, 4)) for line in self.line(0)]
        a = "-" if self.chance(0.15) else ""
        b = "-" if self.chance(0.15) else ""
        return "{%%%s liquid\n  %s\n%s%%}" % (a, "\n  ".join(lines), b)

    def some_echo(self, depth):
        return self.marked("echo " + self.filtered())

    def some_render(self, depth):
        if self.in_partial:
            return self.text()
        name = "part%d" % len(self.partials)
        loops, self.loops, self.in_partial = self.loops, [], True
        captured, self.captured = self.captured, [name]
        self.partials[name] = self.body(2)
        self.loops, self.in_partial, self.captured = loops, False, captured
        text = "render '%s'" % name
        x = self.r.random()
        if x < 0.2:
            text += " with " + self.path()
        elif x < 0.4:
            text += " for " + self.r.choice(["l", "p", "o", "a", "s", "z"])
        if x < 0.4 and self.chance(0.5):
            text += " as " + self.r.choice(["a", "b", "item"])
        for key in self.r.sample(["a", "b", "s", "n", "l"], self.r.randint(0, 3)):
            text += ", %s: %s" % (key, self.path() if self.chance(0.5) else self.quoted(self.r.choice(["x", "y z", "5"])))
        return self.marked(text)

    def piece(self, depth=0):
        x = self.r.random()
        if x < 0.3:
            return self.text()
        if x < 0.62 or depth > 3:
            return self.output()
        made = self.r.choices(
            [self.some_if, self.some_case, self.some_for, self.some_capture, self.some_assign, self.some_cycle, self.some_comment, self.some_raw,
             self.some_inline, self.some_liquid, self.some_echo, self.some_render],
            [8, 4, 9, 3, 7, 2, 1, 1, 1, 2, 1, 2])[0]
        if self.cases and made in (self.some_assign, self.some_capture, self.some_liquid):
            made = self.some_echo
        return made(depth)

    # --- what is refused --------------------------------------------------------------------------------------

    def broken(self):
        """A template with one fault that Liquid refuses, or one that only looks like it."""
        v, w = self.value(), self.value()
        return self.r.choice([
            "{{ %s %s }}" % (v, w), "{{ %s | }}" % v, "{{ | upcase }}", "{{ %s" % v, "{% if", "{{ %s | append }}" % v, "{{ %s | upcase: 1 }}" % v,
            "{{ %s | replace: 1, 2, 3 }}" % v, "{{ %s | date }}" % v, "{{ %s | truncate: 1, 2, 3 }}" % v, "{{ %s. }}" % v, "{{ n[ }}", "{{ n[0 }}", "{{ (1..2 }}", "{{ (1.2) }}",
            "{%% if %s %%}x" % v, "{%% if %s %%}x{%% endunless %%}" % v, "{% if %}x{% endif %}", "{%% if %s == %%}x{%% endif %%}" % v,
            "{%% if %s = %s %%}x{%% endif %%}" % (v, w), "{%% if %s and %%}x{%% endif %%}" % v, "{%% if %s == %s == 1 %%}x{%% endif %%}" % (v, w),
            "{%% unless %s %%}x{%% endif %%}" % v, "{% unless %}x{% endunless %}", "{%% case %s %%}x" % v, "{% case %}x{% endcase %}", "{%% case %s %%}{%% when %%}{%% endcase %%}" % v,
            "{% for %}x{% endfor %}", "{% for i %}x{% endfor %}", "{% for i in %}x{% endfor %}", "{%% for i of %s %%}x{%% endfor %%}" % v, "{% for i in l limit %}x{% endfor %}",
            "{% for i in l limt: 2 %}x{% endfor %}", "{% for i in l %}x", "{% for i in l %}x{% endif %}", "{% for i in l %}{% else %}{% else %}{% endfor %}",
            "{% assign %}", "{% assign a %}", "{%% assign a %s %%}" % v, "{% assign = 1 %}", "{% assign a = b c %}", "{% assign a = b | append %}", "{% capture %}x{% endcapture %}", "{% capture a %}x", "{% cycle %}",
            "{% comment %}x", "{% raw %}x", "{% endraw %}", "{% endcomment %}", "{% else %}", "{% elsif a %}", "{% when 1 %}", "{% endif %}", "{% endfor %}", "{% nosuch %}", "{% nosuch a %}x{% endnosuch %}",
            "{% liquid\n if a\n%}x{% endif %}", "{% liquid\n nosuch\n%}", "{% liquid\n echo a b\n%}", "{% if a %}{% liquid\n endif\n%}", "{% liquid\n for i in l\n echo i\n%}{% endfor %}", "{% liquid if a %}", "{% echo a b %}", "{% render %}",
            "{% render a %}", "{% render 'nosuch' %}", "{% # a\n b %}", "{% if a %}{% else %}{% elsif b %}{% endif %}", "{% if1 %}{% endif %}", "{% else1 %}", "{{ 'a }}", "{{ \"a }}", "{{ a | 'b' }}", "{{ a | upcase | }}",
            "{{ a.b.0 }}", "{{ a..b }}", "{{ -a }}", "{{ 1..2 }}", "{{ a | join: , }}", "{{ a, b }}", "{{ a: b }}", "{{ 1 | divided_by: 0 }}", "{{ 1 | modulo: 0 }}", "{{ 1.0 | divided_by: 0 }}", "{{ 1 | divided_by: 0.0 }}", "{{ 1 | modulo: 0.0 }}",
            "{%% if 1 < %s %%}x{%% endif %%}" % self.quoted("a"), "{% if a & b %}{% endif %}", "{{ a | upcase: a: 1 }}", "{{ a | append: 'x', b: 1 }}", "{%if a%}x{%endif%}", "{%-if a-%}x{%-endif-%}",
            "{{a}}{{-a-}}", "{{ }}", "{{}}", "{%%}", "{% %}", "{%- -%}", "{{-}}", "{% if a %}{% endif a %}", "{% endif a %}", "{% if a %}{% else b %}{% endif %}", "{% case a %}{% else b %}{% endcase %}", "{% for i in l %}{% endfor i %}", "{% capture a %}{% endcapture a %}",
            "{% break %}x", "x{% continue %}y", "{% if a %}{% break %}{% endif %}x", "{% raw x %}{% endraw %}", "{% raw %}{% endraw x %}", "{% comment x %}{% endcomment x %}", "{% echo %}", "{%liquid echo a%}", "{% liquid %}", "{% render 'x' with %}", "{% case a %}{% when 1 %}{% case b %}{% when 2 %}{% endcase %}",
        ])


def case(seed):
    maker = Maker(seed)
    data = maker.data()
    if maker.chance(0.08):
        pieces = [maker.broken()]
    else:
        pieces = [maker.piece() for _ in range(maker.r.choice([1, 2, 2, 3, 4, 6]))]
    if maker.partials:
        pieces.append(".")  # a -%} at the very end reaches into partials, there
        maker.partials = {name: text + "." for name, text in maker.partials.items()}
    return {"seed": seed, "pieces": pieces, "data": data, "templates": maker.partials}
