"""What a message of ours must look like on the wire: mail.md's rules as code, over raw bytes. Each complaint is a line."""
import base64
import re

ORDER = ["Date", "From", "Reply-To", "To", "Subject", "Message-ID", "In-Reply-To", "References", "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post",
         "Feedback-ID", "Precedence", "X-Auto-Response-Suppress", "X-Nurtured-ID", "X-Company", "MIME-Version", "Content-Type"]
ALWAYS = {"Date", "From", "Reply-To", "To", "Subject", "Message-ID", "X-Nurtured-ID", "MIME-Version", "Content-Type"}
BULK = {"List-Id", "Feedback-ID", "Precedence", "X-Auto-Response-Suppress"}
TOKEN = "[a-z2-7]{34}"
WORD = re.compile(rb"=\?([^?\s]+)\?([QqBb])\?([^?\s]*)\?=")
DATE = re.compile(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{1,2} (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d \+0000$")


def fields_of(header):
    """[(name, lines)] of a block of header lines without the empty one."""
    out = []
    for line in header.split(b"\r\n"):
        if line[:1] in (b" ", b"\t"):
            out[-1][1].append(line)
        else:
            name, _, rest = line.partition(b":")
            out.append((name.decode("latin-1"), [line]))
    return out


def value_of(lines):
    return b"".join(lines).split(b":", 1)[1].strip().decode("ascii", "replace")


def check_word(word, complain):
    charset, how, text = word.groups()
    if len(word.group(0)) > 75:
        complain("an encoded-word of %d characters" % len(word.group(0)))
    if charset != b"UTF-8":
        complain("charset %s" % charset)
    try:
        if how in b"Qq":
            raw = re.sub(rb"=([0-9A-F]{2})", lambda m: bytes([int(m.group(1), 16)]), text.replace(b"_", b" "))
        else:
            raw = base64.b64decode(text, validate=True)
        raw.decode("utf-8")
    except ValueError as e:
        complain("the encoded-word %s is no text of its own: %s" % (word.group(0), e))


def check_field(name, lines, utf8, complain):
    for i, line in enumerate(lines):
        if len(line) > 998:
            complain("%s: a line of %d" % (name, len(line)))
        # white space that could have been folded at, behind the beginning of the line
        if len(line) > 78 and re.search(rb"\S[ \t]+\S", line.partition(b":")[2] if i == 0 else line.lstrip()) and b'"' not in line:
            complain("%s: a line of %d that could be folded" % (name, len(line)))
        if i and not line.strip():
            complain("%s: a line of blanks alone" % name)
        if WORD.search(line) and len(line) > 76:
            complain("%s: a line of %d with an encoded-word" % (name, len(line)))
    whole = b"".join(lines)
    if re.search(rb"[\x00-\x1f\x7f]" if name == "To" and utf8 else rb"[\x00-\x1f\x7f-\xff]", whole):
        complain("%s: a control character or 8-bit" % name)
    for quoted in re.findall(rb'"(?:[^"\\]|\\.)*"', whole):
        if WORD.search(quoted):
            complain("%s: an encoded-word inside of quotes" % name)
    for angle in re.findall(rb"<[^>]*>", whole):
        if WORD.search(angle):
            complain("%s: an encoded-word inside of <>" % name)
    for word in WORD.finditer(whole):
        check_word(word, lambda text: complain("%s: %s" % (name, text)))


def check_headers(fields, case, complain):
    names = [name for name, _ in fields]
    have = {name: value_of(lines) for name, lines in fields}
    for name in set(names):
        if names.count(name) > 1:
            complain("%s is there %d times" % (name, names.count(name)))
        if name not in ORDER:
            complain("%s has no business here" % name)
    if [n for n in ORDER if n in have] != names:
        complain("order: %s" % names)
    for name in ALWAYS - set(names):
        complain("%s is missing" % name)
    for name, lines in fields:
        check_field(name, lines, case.get("utf8"), complain)
    sender = case["sender"]
    mark = re.escape(sender["separator"])
    rules = {
        "Date": DATE.pattern, "MIME-Version": r"1\.0$", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click$",
        "Message-ID": "<n1\\.%s@%s>$" % (TOKEN, re.escape(sender["domain"])), "Reply-To": "<r%s%s@%s>$" % (mark, TOKEN, re.escape(sender["reply_domain"])),
        "List-Unsubscribe": "<%s/u/%s>, *<mailto:u%s%s@%s\\?subject=unsubscribe>$" % (re.escape(sender["url"]), TOKEN, mark, TOKEN,
                                                                                      re.escape(sender["reply_domain"])),
        "X-Nurtured-ID": TOKEN + "$", "Feedback-ID": r"[A-Za-z0-9-]{1,50}:[A-Za-z0-9-]{1,50}:(drip|mailing|transactional):[a-z0-9]{5,15}$",
        "List-Id": r".*<nurture\.[a-z0-9.-]+>$", "Precedence": "bulk$", "In-Reply-To": "<[^<> ]+>$", "References": "(<[^<> ]+>( |$))+",
    }
    for name, rule in rules.items():
        if name in have and not re.match(rule, have[name]):
            complain("%s: `%s`" % (name, have[name]))
    if "X-Nurtured-ID" in have and have["X-Nurtured-ID"] not in have.get("Message-ID", ""):
        complain("X-Nurtured-ID and Message-ID differ")
    listed = not case.get("confirm")
    one_to_one = case.get("one_to_one", False)
    if listed != ("List-Unsubscribe" in have) or ("List-Unsubscribe" in have) != ("List-Unsubscribe-Post" in have):
        complain("List-Unsubscribe and its Post stand in each mail but the confirmation")
    for name in BULK & set(names) if one_to_one else []:
        complain("%s in a mail from a person" % name)
    if not one_to_one and "Feedback-ID" not in have:
        complain("no Feedback-ID")
    if bool(case.get("before")) != ("In-Reply-To" in have) or ("In-Reply-To" in have) != ("References" in have):
        complain("thread")
    if "References" in have and have["In-Reply-To"] != have["References"].split()[-1]:
        complain("In-Reply-To is not the last of References")


def split(data):
    header, _, body = data.partition(b"\r\n\r\n")
    return fields_of(header), body


def check_part(fields, body, complain, seen):
    have = {name: value_of(lines) for name, lines in fields}
    for name, lines in fields:
        check_field(name, lines, False, complain)
    kind = have.get("Content-Type", "")
    boundary = re.search(r'boundary="([^"]*)"', kind)
    if boundary:
        mark = boundary.group(1)
        if not re.match(r"=_n_[a-z2-7]{23,24}$", mark):
            complain("boundary `%s`" % mark)
        pieces = (b"\r\n" + body).split(b"\r\n--" + mark.encode())
        if len(pieces) < 4:
            complain("%s of %d parts: a level of one is none" % (kind, len(pieces) - 2))
        if pieces[-1] != b"--\r\n" or pieces[0].strip():
            complain("%s does not end where it should" % kind)
        return (kind.split(";")[0], [check_part(*split(p[2:]), complain, seen) for p in pieces[1:-1]])
    coding = have.get("Content-Transfer-Encoding")
    lines = body.split(b"\r\n")
    if coding not in ("quoted-printable", "base64"):
        complain("Content-Transfer-Encoding: %s" % coding)
    for line in lines:
        if len(line) > 76:
            complain("a body line of %d" % len(line))
        if coding == "quoted-printable" and (line.endswith((b" ", b"\t")) or re.search(rb"=(?![0-9A-F]{2}|$)", line)):
            complain("no quoted-printable: %r" % line)
    if coding == "base64":
        try:
            base64.b64decode(body.replace(b"\r\n", b""), validate=True)
        except ValueError as e:
            complain("base64: %s" % e)
    seen.append((kind.split(";")[0], have))
    return kind.split(";")[0]


def tree_of(case):
    """multipart/mixed{ multipart/alternative{ text/plain, multipart/related{ text/html, pictures } | text/html }, attachments }"""
    html = "text/html"
    if case.get("pictures"):
        html = ("multipart/related", ["text/html"] + ["image/png"] * case["pictures"])
    tree = ("multipart/alternative", ["text/plain", html])
    return ("multipart/mixed", [tree] + case["attachments"]) if case.get("attachments") else tree


def check(data, case, complain):
    if re.search(rb"\r(?!\n)|(?<!\r)\n", data):
        complain("a lone CR or LF")
    if re.search(rb"[\x80-\xff\x00]", re.sub(rb"\r\nTo: [^\r]*(\r\n [^\r]*)*", b"", data, 1) if case.get("utf8") else data):
        complain("8-bit")
    if re.search(rb"\r\n(\.|From )", data):
        complain("a line that begins with a dot or From")
    if not data.endswith(b"\r\n"):
        complain("no line end at the end")
    fields, body = split(data)
    check_headers(fields, case, complain)
    seen = []
    tree = check_part([f for f in fields if f[0] == "Content-Type"], body, complain, seen)
    if tree != tree_of(case):
        complain("the parts are %s, not %s" % (tree, tree_of(case)))
