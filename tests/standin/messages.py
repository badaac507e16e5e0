#!/usr/bin/env python3
# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.

"""A stand-in for those who take messages: Telegram's Bot API and a receiver
of Standard Webhooks.

    messages.py --token TOKEN --secret SECRET [--seed N] [--ready FILE]

    POST /botTOKEN/sendMessage  as Telegram answers it
    POST /hook                  200 to a signed message, 401 to another
    POST /said                  200, whatever it is: for commands

Faults and orders below /_standin/ (see common.py); /_standin/state has what
was taken, in its order: {"telegram": [text], "hook": [{"id", "body"}],
"said": [text]}.
"""

import argparse
import base64
import hashlib
import hmac
import json
import time

from common import Answer, Standin, run_until_killed

TEXT_MAX = 4096                 # UTF-16 units
TOLERANCE_S = 300


class Messages(Standin):
    def __init__(self, host, port, token, secret, seed):
        super().__init__(host, port, seed)
        self.token = token
        self.key = base64.b64decode(secret.removeprefix('whsec_'))
        self.taken = {'telegram': [], 'hook': [], 'said': []}

    def broken(self, error):
        return Answer(400, {'ok': False, 'error_code': 400,
                            'description': 'Bad Request: ' + str(error)})

    @staticmethod
    def refuse(code, why):
        return Answer(code, {'ok': False, 'error_code': code,
                             'description': why})

    def telegram(self, request):
        if request.path.split('/')[1] != 'bot' + self.token:
            return self.refuse(401, 'Unauthorized')
        wish = request.json()
        text = wish.get('text', '')
        if not text or len(text.encode('utf-16-le')) // 2 > TEXT_MAX:
            return self.refuse(400, 'Bad Request: message is too long'
                               if text else 'Bad Request: text is empty')
        with self.lock:
            self.taken['telegram'].append(text)
            number = len(self.taken['telegram'])
        return Answer(200, {'ok': True, 'result': {'message_id': number}})

    def hook(self, request):
        head = request.headers
        name, when = head.get('webhook-id', ''), head.get(
            'webhook-timestamp', '0')
        mac = hmac.new(self.key, b'%s.%s.%s' % (
            name.encode(), when.encode(), request.body),
            hashlib.sha256).digest()
        want = 'v1,' + base64.b64encode(mac).decode()
        if want not in head.get('webhook-signature', '').split() or abs(
                time.time() - int(when)) > TOLERANCE_S:
            return Answer(401, {'error': 'signature'})
        with self.lock:
            self.taken['hook'].append({'id': name,
                                       'body': request.json()})
        return Answer(200, {})

    def answer(self, request):
        if request.method != 'POST':
            return Answer(405)
        if request.path == '/hook':
            return self.hook(request)
        if request.path == '/said':
            with self.lock:
                self.taken['said'].append(request.body.decode())
            return Answer(200, {})
        if request.path.endswith('/sendMessage'):
            return self.telegram(request)
        return self.refuse(404, 'Not Found')

    def new_headers(self, one):
        return one['headers']

    def state(self):
        return self.taken


def main():
    p = argparse.ArgumentParser(description='a stand-in for messengers')
    p.add_argument('--host', default='127.0.0.1')
    p.add_argument('--port', type=int, default=0)
    p.add_argument('--token', required=True)
    p.add_argument('--secret', required=True)
    p.add_argument('--seed', type=int, default=1)
    p.add_argument('--ready')
    a = p.parse_args()
    run_until_killed(Messages(a.host, a.port, a.token, a.secret, a.seed),
                     a.ready)


if __name__ == '__main__':
    main()
