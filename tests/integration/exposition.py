#!/usr/bin/env python3
# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.

"""exposition.py [EARLIER]: Prometheus' text format 0.0.4, strictly.

Reads standard input and says on standard error what is wrong with it, by the
page "Exposition formats" of Prometheus and what promtool complains of.  With
the text of an earlier look, no counter may be less than it was or be gone.
"""

import re
import sys

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*"'
SAMPLE = re.compile(r"(%s)(?:\{((?:%s)(?:,%s)*)?\})? (\S+)" %
    (NAME, LABEL, LABEL))


class Wrong(Exception):
    pass


def parse(text):
    """{(name, labels): value}, {name: type}"""
    samples, types, helped, now = {}, {}, set(), None
    if not text.endswith("\n"):
        raise Wrong("the last line has no end")
    for n, line in enumerate(text[:-1].split("\n"), 1):
        where = "line %d: %s: " % (n, line)
        if line.startswith("# HELP "):
            m = re.fullmatch(r"# HELP (%s) ((?:[^\\]|\\[\\n])+)" % NAME, line)
            if m is None or m[1] in helped:
                raise Wrong(where + "no help, or a second one")
            now = m[1]
            helped.add(now)
        elif line.startswith("# TYPE "):
            m = re.fullmatch(r"# TYPE (%s) (counter|gauge)" % NAME, line)
            if m is None or m[1] != now or now in types:
                raise Wrong(where + "not the type of what was explained")
            if (m[2] == "counter") != now.endswith("_total"):
                raise Wrong(where + "a counter ends in _total, a gauge not")
            types[now] = m[2]
        else:
            m = SAMPLE.fullmatch(line)
            if m is None:
                raise Wrong(where + "no sample")
            if m[1] != now or now not in types:
                raise Wrong(where + "not in its family")
            labels = tuple(sorted(re.findall(LABEL, m[2] or "")))
            keys = [label.split("=")[0] for label in labels]
            if len(set(keys)) != len(keys):
                raise Wrong(where + "a label twice")
            if (now, labels) in samples:
                raise Wrong(where + "the same sample twice")
            samples[now, labels] = float(m[3])
    return samples, types


def main():
    try:
        samples, types = parse(sys.stdin.buffer.read().decode("utf-8"))
        if len(sys.argv) > 1:
            with open(sys.argv[1], encoding="utf-8") as f:
                earlier, _ = parse(f.read())
            for (name, labels), value in earlier.items():
                if types.get(name) == "counter" and \
                    samples.get((name, labels), -1) < value:
                    raise Wrong("%s%s was %g and is %s" % (name, labels,
                        value, samples.get((name, labels))))
    except (Wrong, UnicodeDecodeError, ValueError) as e:
        print("exposition: %s" % e, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
