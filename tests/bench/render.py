#!/usr/bin/env python3
"""Our rendering against handlebars and liquidjs of npm: one mail (bench_render.c), the same output byte by byte, the engines in turns in
one run. Prints medians and ratios.
"""
import json
import os
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get("BUILD", os.path.join(HERE, "..", "..", "build"))
FOLDER = os.path.join(BUILD, "bench-npm")	# where npm/build.sh has put the two
ROUNDS = 15
RENDERS = {"ours": 20000, "handlebars": 2000, "liquidjs": 500}	# about as long for each


class Engine:
    def __init__(self, *command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=FOLDER,
                                        env=dict(os.environ, NODE_PATH=os.path.abspath(FOLDER) + "/node_modules"))

    def line(self):
        return self.process.stdout.readline().strip()

    def measure(self, renders):
        self.process.stdin.write("%d\n" % renders)
        self.process.stdin.flush()
        return float(self.line())

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def ours(what):
    return subprocess.run([BUILD + "/tests/bench/bench_render", what], stdout=subprocess.PIPE, text=True, check=True).stdout


def main():
    for name in ("liquid", "handlebars", "data"):
        with open(os.path.join(FOLDER, name), "w") as f:
            f.write(ours("--" + name))
    want = ours("--output")
    engines = {
        "ours": Engine(BUILD + "/tests/bench/bench_render", "--serve"),
        "handlebars": Engine("node", HERE + "/npm/engine.js", "handlebars", "handlebars", "data"),
        "liquidjs": Engine("node", HERE + "/npm/engine.js", "liquidjs", "liquid", "data"),
    }
    for name in ("handlebars", "liquidjs"):
        if json.loads(engines[name].line()) != want:
            sys.exit("%s gives something else" % name)
    times = {name: [] for name in engines}
    for round in range(ROUNDS + 3):	# the first ones warm up
        for name, engine in engines.items():
            took = engine.measure(RENDERS[name])
            if round >= 3:
                times[name].append(took / 1000)
    for engine in engines.values():
        engine.end()
    median = {name: statistics.median(t) for name, t in times.items()}
    for name in engines:
        print("render: %-10s %7.2f us (%.2f to %.2f), %.1f times ours" % (name, median[name], min(times[name]), max(times[name]), median[name] / median["ours"]))


main()
