# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.

"""What the stand-ins for a forge and a tracker share.

An HTTP server on loopback, the sender of webhooks, faults on demand, and the
endpoint /_standin/ through which a test orders them.  Nothing here knows what
a forge or a tracker is.

    GET    /_standin/log          every request: what it was, its status,
                                  whether it was acted on, the fault it met
    DELETE /_standin/log
    GET    /_standin/faults       the faults that wait
    POST   /_standin/faults       one fault or a list; see Fault
    DELETE /_standin/faults
    GET    /_standin/deliveries   every webhook: body, headers, what came back
    GET    /_standin/hooks        how webhooks are sent
    POST   /_standin/hooks        change it; see Sender
    POST   /_standin/hooks/flush  send what is held back
    POST   /_standin/hooks/wait   answer when nothing is on its way
    POST   /_standin/redeliver    {"id": N}: the same bytes as delivery N,
                                  with a new delivery id
    GET    /_standin/state        what the server holds, for assertions

All of it needs no token: it is for the test alone.
"""

import collections
import http.client
import http.server
import json
import os
import random
import re
import socket
import socketserver
import struct
import threading
import time
import urllib.parse

BODY_MAX = 256 << 20


class Answer(Exception):
    """An answer; raised or returned.  body: bytes, str, or JSON data."""

    def __init__(self, status, body=None, headers=None, ctype=None):
        super().__init__(status)
        self.status = status
        self.headers = dict(headers or {})
        if body is None:
            self.body = b''
        elif isinstance(body, bytes):
            self.body = body
        elif isinstance(body, str):
            self.body = body.encode()
        else:
            self.body = json.dumps(body, ensure_ascii=False,
                                   separators=(',', ':')).encode()
            ctype = ctype or 'application/json;charset=utf-8'
        if ctype:
            self.headers.setdefault('Content-Type', ctype)


class Fault:
    """One fault: which requests it meets, how often, and what it does.

    match   "METHOD /path" as a regular expression over the whole; ".*" of all
    skip    so many matching requests are let through first (0)
    times   so many are met then (1); -1: all
    chance  each one with this probability only (1.0); the seed is the server's
    kind    slow      acted on after "seconds"
            status    not acted on: "status", "headers", "body"
            lost      acted on, but the connection ends without an answer
            half      acted on; half of the answer's body, then the end
            drip      acted on; the answer comes a byte each "seconds"
            reset     not acted on, the connection is reset
            redirect  not acted on: "status" (307), "location"
            html      not acted on: 200 and a page, as a login proxy gives
            garbage   acted on; 200 and "body" in place of the answer
            after     acted on, then "status", "headers", "body"
    """

    KINDS = ('slow', 'status', 'lost', 'half', 'drip', 'reset', 'redirect',
             'html', 'garbage', 'after')
    KEYS = {'match': '.*', 'skip': 0, 'times': 1, 'chance': 1.0,
            'kind': None, 'seconds': 1.0, 'status': 500, 'headers': {},
            'body': None, 'location': None}

    def __init__(self, wish):
        for key in wish:
            if key not in self.KEYS:
                raise Answer(400, {'error': 'no such member: ' + key})
        for key, default in self.KEYS.items():
            setattr(self, key, wish.get(key, default))
        if self.kind not in self.KINDS:
            raise Answer(400, {'error': 'kind is one of ' +
                               ', '.join(self.KINDS)})
        if self.kind == 'redirect' and not self.location:
            raise Answer(400, {'error': 'where to? "location" says it'})
        if self.kind == 'redirect' and 'status' not in wish:
            self.status = 307
        self.pattern = re.compile(self.match)

    def meets(self, line, rng):
        if self.times == 0 or not self.pattern.fullmatch(line):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.chance < 1.0 and rng.random() >= self.chance:
            return False
        if self.times > 0:
            self.times -= 1
        return True

    def show(self):
        return {key: getattr(self, key) for key in self.KEYS}


class Sender(threading.Thread):
    """Sends webhooks, one after the other, and what a test wants done to them.

    enabled  False: nothing is sent, and nothing comes later
    hold     True: kept until a flush
    lose, double, late: probabilities.  A late one is sent after the next ones.
    only     a regular expression over "event action"; others pass untouched
    delay    seconds before each
    timeout  seconds for an answer
    retries  after a transport error (an HTTP answer counts as delivered)
    pause    seconds between retries, at most
    """

    KEYS = {'enabled': True, 'hold': False, 'lose': 0.0, 'double': 0.0,
            'late': 0.0, 'only': '.*', 'delay': 0.0, 'timeout': 5.0,
            'retries': 0, 'pause': 0.1}

    def __init__(self, seed, redeliver):
        super().__init__(daemon=True)
        self.rng = random.Random(seed)
        self.redeliver = redeliver      # delivery -> new headers
        self.cond = threading.Condition()
        self.queue = collections.deque()
        self.kept = []
        self.late_ones = []
        self.busy = False
        self.deliveries = []
        self.given_up = None            # called with the hook's key
        for key, value in self.KEYS.items():
            setattr(self, key, value)

    def set(self, wish):
        for key in wish:
            if key not in self.KEYS:
                raise Answer(400, {'error': 'no such member: ' + key})
        with self.cond:
            for key, value in wish.items():
                setattr(self, key, value)
            self.cond.notify_all()

    def show(self):
        return {key: getattr(self, key) for key in self.KEYS}

    def send(self, hook, url, headers, body, event, action=''):
        """Queue one; headers is a list of pairs."""
        with self.cond:
            one = {'id': len(self.deliveries) + 1, 'hook': hook, 'url': url,
                   'headers': headers, 'body': body, 'event': event,
                   'action': action, 'fate': '', 'status': None,
                   'tries': 0}
            self.deliveries.append(one)
            chosen = re.fullmatch(self.only, event + ' ' + action) is not None
            if not self.enabled:
                one['fate'] = 'not sent'
                return one
            if chosen and self.rng.random() < self.lose:
                one['fate'] = 'lost'
                return one
            twice = chosen and self.rng.random() < self.double
            late = chosen and self.rng.random() < self.late
            place = self.kept if self.hold else \
                self.late_ones if late else self.queue
            place.extend([one, one] if twice else [one])
            if late:
                one['fate'] = 'late'
            elif self.late_ones and not self.hold:
                self.queue.extend(self.late_ones)
                self.late_ones = []
            self.cond.notify_all()
            return one

    def flush(self, shuffle=False):
        with self.cond:
            if shuffle:
                self.rng.shuffle(self.kept)
            self.queue.extend(self.kept)
            self.queue.extend(self.late_ones)
            self.kept, self.late_ones = [], []
            self.cond.notify_all()

    def again(self, number):
        with self.cond:
            for old in self.deliveries:
                if old['id'] == number:
                    break
            else:
                raise Answer(404, {'error': 'no such delivery'})
        return self.send(old['hook'], old['url'], self.redeliver(old),
                         old['body'], old['event'], old['action'])

    def wait(self, seconds):
        end = time.monotonic() + seconds
        with self.cond:
            while self.queue or self.busy:
                left = end - time.monotonic()
                if left <= 0:
                    raise Answer(504, {'error': 'still sending'})
                self.cond.wait(left)

    def post(self, one, headers):
        url = urllib.parse.urlsplit(one['url'])
        conn = http.client.HTTPConnection(url.hostname, url.port or 80,
                                          timeout=self.timeout)
        try:
            path = url.path or '/'
            if url.query:
                path += '?' + url.query
            conn.putrequest('POST', path, skip_accept_encoding=True)
            for name, value in headers:
                conn.putheader(name, value)
            conn.putheader('Content-Length', str(len(one['body'])))
            conn.endheaders(one['body'])
            reply = conn.getresponse()
            reply.read(65536)
            return reply.status
        finally:
            conn.close()

    def deliver(self, one):
        headers = one['headers']
        for turn in range(self.retries + 1):
            if turn > 0:
                time.sleep(self.rng.random() * self.pause)
                headers = self.redeliver(one)
            one['tries'] += 1
            try:
                one['status'] = self.post(one, headers)
                return
            except (OSError, http.client.HTTPException) as e:
                one['fate'] = '%s: %s' % (type(e).__name__, e)
        if self.retries > 0 and self.given_up:
            self.given_up(one['hook'])

    def run(self):
        while True:
            with self.cond:
                self.busy = False
                self.cond.notify_all()
                while not self.queue:
                    self.cond.wait()
                one = self.queue.popleft()
                self.busy = True
            if self.delay:
                time.sleep(self.delay)
            self.deliver(one)


class Request:
    """A request as the servers of this folder see it."""

    def __init__(self, method, target, headers, body):
        self.method = method
        self.target = target
        parts = urllib.parse.urlsplit(target)
        self.raw_path = parts.path
        self.path = urllib.parse.unquote(parts.path)
        self.query = {}
        for name, value in urllib.parse.parse_qsl(parts.query,
                                                  keep_blank_values=True):
            self.query.setdefault(name, value)
        self.query_string = parts.query
        self.headers = headers
        self.body = body
        self.stream = None              # an answer that git writes itself

    def json(self):
        """The body as an object; an empty one is {}."""
        if not self.body:
            return {}
        data = json.loads(self.body)
        if not isinstance(data, dict):
            raise ValueError('no object')
        return data

    def number(self, name, default):
        try:
            return int(self.query.get(name, default))
        except ValueError:
            return default


class Standin:
    """A server: a sub-class has answer(request) -> Answer, and state()."""

    def __init__(self, host, port, seed):
        self.lock = threading.RLock()
        self.rng = random.Random(seed)
        self.faults = []
        self.log = []
        self.sender = Sender(seed, self.new_headers)
        owner = self

        class Handler(_Handler):
            standin = owner

        class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, request, client_address):
                pass

        self.server = Server((host, port), Handler)
        self.host, self.port = self.server.server_address[:2]
        self.base = 'http://%s:%d' % (host, self.port)

    def start(self):
        self.sender.start()
        threading.Thread(target=self.server.serve_forever,
                         kwargs={'poll_interval': 0.05}, daemon=True).start()
        return self

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def new_headers(self, delivery):
        raise NotImplementedError

    def answer(self, request):
        raise NotImplementedError

    def broken(self, error):
        """What this server says of a fault of its own."""
        return Answer(500, {'message': ''})

    def state(self):
        return {}

    def fault_for(self, line):
        with self.lock:
            for fault in self.faults:
                if fault.meets(line, self.rng):
                    return fault
        return None

    def control(self, request):
        name = request.path[len('/_standin/'):]
        call = request.method + ' ' + name
        wish = json.loads(request.body) if request.body else {}
        if call == 'GET log':
            return Answer(200, self.log)
        if call == 'DELETE log':
            self.log.clear()
        elif call == 'GET faults':
            return Answer(200, [f.show() for f in self.faults])
        elif call == 'POST faults':
            wishes = wish if isinstance(wish, list) else [wish]
            new = [Fault(w) for w in wishes]
            with self.lock:
                self.faults.extend(new)
        elif call == 'DELETE faults':
            with self.lock:
                self.faults.clear()
        elif call == 'GET deliveries':
            return Answer(200, [dict(d, body=d['body'].decode(
                'utf-8', 'replace')) for d in list(self.sender.deliveries)])
        elif call == 'GET hooks':
            return Answer(200, self.sender.show())
        elif call == 'POST hooks':
            self.sender.set(wish)
        elif call == 'POST hooks/flush':
            self.sender.flush(wish.get('shuffle', False))
        elif call == 'POST hooks/wait':
            self.sender.wait(wish.get('seconds', 10))
        elif call == 'POST redeliver':
            return Answer(200, {'id': self.sender.again(
                wish.get('id'))['id']})
        elif call == 'GET state':
            with self.lock:
                return Answer(200, self.state())
        else:
            return self.more_control(call, wish)
        return Answer(200, {})

    def more_control(self, call, wish):
        return Answer(404, {'error': 'no such order: ' + call})


class _Gone(Exception):
    """The connection ends here."""


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    server_version = 'standin'
    sys_version = ''
    timeout = 120
    disable_nagle_algorithm = True
    standin = None

    def log_message(self, *args):
        pass

    def body(self):
        if 'chunked' in self.headers.get('Transfer-Encoding', '').lower():
            whole = b''
            while True:
                size = int(self.rfile.readline(100).split(b';')[0], 16)
                if size == 0:
                    while self.rfile.readline(1000).strip():
                        pass
                    return whole
                whole += self.rfile.read(size)
                self.rfile.readline(10)
        size = int(self.headers.get('Content-Length') or 0)
        if size > BODY_MAX:
            raise _Gone()
        return self.rfile.read(size)

    def put(self, answer, part=None, drip=0):
        """Send it; part: only so much of the body, drip: slowly."""
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            for v in value if isinstance(value, list) else [value]:
                self.send_header(name, v)
        if answer.status != 204:
            self.send_header('Content-Length', str(len(answer.body)))
        self.end_headers()
        body = answer.body if self.command != 'HEAD' else b''
        if part is not None:
            self.wfile.write(body[:part])
            raise _Gone()
        if not drip:
            self.wfile.write(body)
            return
        for i in range(len(body)):
            self.wfile.write(body[i:i + 1])
            self.wfile.flush()
            time.sleep(drip)

    def act(self, request, entry):
        entry['acted'] = True
        try:
            return self.standin.answer(request)
        except Answer as answer:
            return answer
        except (ValueError, KeyError, TypeError, AttributeError) as e:
            entry['broken'] = '%s: %s' % (type(e).__name__, e)
            return self.standin.broken(e)

    def reset(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                   struct.pack('ii', 1, 0))
        raise _Gone()

    def with_fault(self, fault, request, entry):
        entry['fault'] = fault.kind
        given = Answer(fault.status, fault.body, fault.headers)
        if fault.kind == 'slow':
            time.sleep(fault.seconds)
            return self.put(self.note(self.act(request, entry), entry))
        if fault.kind == 'status':
            return self.put(self.note(given, entry))
        if fault.kind == 'reset':
            self.reset()
        if fault.kind == 'redirect':
            return self.put(self.note(Answer(fault.status, b'', {
                'Location': fault.location}), entry))
        if fault.kind == 'html':
            return self.put(self.note(Answer(
                200, '<!DOCTYPE html><title>Sign in</title>',
                ctype='text/html; charset=utf-8'), entry))
        done = self.note(self.act(request, entry), entry)
        if fault.kind == 'lost':
            raise _Gone()
        if fault.kind == 'half':
            return self.put(done, part=len(done.body) // 2)
        if fault.kind == 'drip':
            return self.put(done, drip=fault.seconds)
        if fault.kind == 'garbage':
            return self.put(Answer(200, fault.body or 'not json',
                                   ctype='application/json'))
        return self.put(given)

    def note(self, answer, entry):
        entry['status'] = answer.status
        return answer

    def serve(self):
        self.close_connection = True
        request = Request(self.command, self.path, self.headers, self.body())
        if request.path.startswith('/_standin/'):
            try:
                self.put(self.standin.control(request))
            except Answer as answer:
                self.put(answer)
            except (ValueError, re.error) as e:
                self.put(Answer(400, {'error': str(e)}))
            self.close_connection = False
            return
        entry = {'method': self.command, 'path': self.path, 'status': None,
                 'acted': False, 'fault': None, 'time': time.time()}
        self.standin.log.append(entry)
        line = self.command + ' ' + request.raw_path
        fault = self.standin.fault_for(line)
        if fault is not None:
            self.with_fault(fault, request, entry)
        else:
            self.put(self.note(self.act(request, entry), entry))
        self.close_connection = \
            self.headers.get('Connection', '').lower() == 'close'

    def handle_one(self):
        try:
            self.serve()
        except _Gone:
            self.close_connection = True
        except (OSError, ValueError):
            self.close_connection = True

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = handle_one
    do_OPTIONS = handle_one


def page_of(rows, page, limit):
    """One page of a list that begins with page 1."""
    start = (max(page, 1) - 1) * limit
    return rows[start:start + limit]


def run_until_killed(standin, ready=None):
    """Say where it listens, and serve until a signal."""
    standin.start()
    if ready:
        with open(ready + '.part', 'w') as f:
            f.write(standin.base + '\n')
        os.rename(ready + '.part', ready)
    print('ready ' + standin.base, flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        pass
