#!/usr/bin/env python3
# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.

"""The people and the CI of a team, at the stand-ins for Gitea and Plane.

    people.py --forge URL --repo OWNER/NAME --plane URL --user NAME
              [--no-ci] [--seconds N]

The person reads the tracker and nothing else: where an item is "In Review",
the newest comment that asks for a status is answered by setting it, once.
The CI sets a green status on the head of each open pull request that has
none of CI's.  A line is printed for everything that is done.
"""

import argparse
import json
import re
import sys
import time
import urllib.error
import urllib.request

CONTEXT = 'ci/build'
ASKS = re.compile(r'status "([^"]+)"')


def call(url, wish=None):
    data = None if wish is None else json.dumps(wish).encode()
    request = urllib.request.Request(
        url, data, {'Content-Type': 'application/json'})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read() or b'{}')


def say(*words):
    print('%.1f' % time.time(), *words, flush=True)


class People:
    def __init__(self, a):
        self.a = a
        self.answered = set()

    def question(self, key, item):
        """The status that the newest open question asks for."""
        for comment in reversed(item['comments']):
            m = ASKS.search(comment['text'])
            if comment['actor'] != self.a.user and m:
                which = (key, comment['external_id'] or comment['text'])
                return None if which in self.answered else (m.group(1), which)
        return None

    def answer_questions(self):
        for key, item in call(self.a.plane + '/_standin/state')[
                'items'].items():
            asked = item['state'] == 'In Review' and self.question(key, item)
            if not asked:
                continue
            say(self.a.user, 'sets', key, 'to', asked[0])
            call(self.a.plane + '/_standin/ui', {
                'user': self.a.user, 'item': key, 'field': 'state_id',
                'value': asked[0]})
            self.answered.add(asked[1])

    def build(self):
        repo = call(self.a.forge + '/_standin/state')[self.a.repo]
        judged = {s['sha'] for s in repo['statuses']
                  if s['context'] == CONTEXT}
        for pull in repo['pulls']:
            if pull['state'] != 'open' or pull['head_id'] in judged:
                continue
            say('CI: pull', pull['number'], pull['head_id'][:7], 'is green')
            call(self.a.forge + '/_standin/ci', {
                'repo': self.a.repo, 'sha': pull['head_id'],
                'context': CONTEXT, 'state': 'success',
                'description': 'built'})


def main():
    p = argparse.ArgumentParser(description='people at the stand-ins')
    p.add_argument('--forge', required=True)
    p.add_argument('--repo', required=True)
    p.add_argument('--plane', required=True)
    p.add_argument('--user', required=True)
    p.add_argument('--no-ci', action='store_true')
    p.add_argument('--seconds', type=float, default=600)
    a = p.parse_args()
    people = People(a)
    end = time.monotonic() + a.seconds
    while time.monotonic() < end:
        try:
            people.answer_questions()
            if not a.no_ci:
                people.build()
        except (OSError, urllib.error.HTTPError, ValueError) as e:
            say('people:', e)
        time.sleep(0.2)
    sys.exit(1)


if __name__ == '__main__':
    main()
