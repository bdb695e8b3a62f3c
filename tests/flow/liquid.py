#!/usr/bin/env python3
"""Our Liquid against Shopify's (Debian's ruby-liquid): random templates and data, compared byte by byte, refusals included; and
what `nurturectl template print` makes of each is the same program.

LIQUID_CASES (default 12000) says how many, LIQUID_SEED where they begin. A case that differs is made smaller before it is shown.
"""
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "lib"))
import liquid_cases  # noqa: E402

BUILD = os.environ.get("BUILD", os.path.join(HERE, "..", "..", "build"))
COUNT = int(os.environ.get("LIQUID_CASES", "12000"))
FIRST = int(os.environ.get("LIQUID_SEED", "1"))
SHOWN = int(os.environ.get("LIQUID_SHOW", "12"))


class Engine:
    """A program that answers a case a line."""

    def __init__(self, *command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8")

    def answers(self, cases):
        """Of all of them, in order; the pipes hold what a handful makes."""
        for at in range(0, len(cases), 4):
            part = cases[at:at + 4]
            self.process.stdin.write("".join(json.dumps(dict(c, template="".join(c["pieces"]), pieces=None)) + "\n" for c in part))
            self.process.stdin.flush()
            for c in part:
                line = self.process.stdout.readline()
                if not line:
                    raise SystemExit("%s ended at %s" % (self.process.args, json.dumps(c)))
                yield json.loads(line)

    def end(self):
        self.process.stdin.close()
        return self.process.wait()


# README names these limits; theirs goes on
LIMITS = ("the template makes too much text", "more than 100000 steps", "more than 1048576 bytes of output")


def differs(one, other):
    if "printed" in one:
        return True
    if one.get("refused", "").startswith(LIMITS):
        return False
    if "refused" in one or "refused" in other:
        return ("refused" in one) != ("refused" in other)
    return one["out"] != other["out"]


def smaller(case):
    """The case with something left out, in many ways."""
    pieces = case["pieces"]
    for i in range(len(pieces)):
        if len(pieces) > 1:
            yield dict(case, pieces=pieces[:i] + pieces[i + 1:])
    text = "".join(pieces)
    for size in (40, 20, 10, 5, 3, 2, 1):
        for at in range(0, len(text), max(1, size // 2)):
            yield dict(case, pieces=[text[:at] + text[at + size:]])
    for name, value in case["data"].items():
        yield dict(case, data={k: v for k, v in case["data"].items() if k != name})
        if isinstance(value, list):
            for i in range(len(value)):
                yield dict(case, data=dict(case["data"], **{name: value[:i] + value[i + 1:]}))
        if isinstance(value, dict):
            for key in value:
                yield dict(case, data=dict(case["data"], **{name: {k: v for k, v in value.items() if k != key}}))
    for name in case["templates"]:
        for size in (20, 8, 3, 1):
            part = case["templates"][name]
            for at in range(0, len(part), size):
                yield dict(case, templates=dict(case["templates"], **{name: part[:at] + part[at + size:]}))


def kind(*answers):
    return ["printed" in a or a.get("refused", "-")[:16] for a in answers]


def shrink(case, ours, theirs, same):
    """As small as it gets while the two still differ, and still in the same way."""
    for _ in range(400):
        for candidate in smaller(case):
            a, b = next(ours.answers([candidate])), next(theirs.answers([candidate]))
            if differs(a, b) and kind(a, b) == same:
                case = candidate
                break
        else:
            return case
    return case


def check_all_are_made():
    """Every tag and filter of theirs is one that cases are made of, but for the tags that we do not have."""
    names = json.loads(subprocess.check_output(["ruby", os.path.join(HERE, "lib", "liquid.rb"), "--names"]))
    missing = set(names["filters"]) - set(liquid_cases.FILTERS)
    missing |= set(names["tags"]) - liquid_cases.TAGS - {"include", "tablerow", "ifchanged", "increment", "decrement"}
    if missing:
        sys.exit("nothing is made of: %s" % ", ".join(sorted(missing)))


def main():
    check_all_are_made()
    ours = Engine(BUILD + "/tests/language/batch")
    theirs = Engine("ruby", os.path.join(HERE, "lib", "liquid.rb"))
    refused = different = 0
    for at in range(0, COUNT, 64):
        cases = [liquid_cases.case(seed) for seed in range(FIRST + at, FIRST + min(at + 64, COUNT))]
        pairs = list(zip(cases, ours.answers(cases), theirs.answers(cases)))
        for case, a, b in pairs:
            refused += "refused" in b
            if not differs(a, b):
                continue
            different += 1
            print("seed %d" % case["seed"])
            if different <= SHOWN:
                least = shrink(case, ours, theirs, kind(a, b))
                print(json.dumps({k: least[k] for k in ("seed", "pieces", "data", "templates") if least[k]}, ensure_ascii=False))
                print("   ours: ", json.dumps(next(ours.answers([least])), ensure_ascii=False))
                print("   theirs:", json.dumps(next(theirs.answers([least])), ensure_ascii=False))
    if ours.end() or theirs.end():
        print("an engine did not end well")
        return 1
    print("| %d templates, %d of them refused by both, %d different" % (COUNT, refused, different))
    return 1 if different else 0


sys.exit(main())
