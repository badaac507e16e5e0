# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.
"""A sender that floods a receiver with signed deliveries.

flood.py run PORT SECRET OUT SECONDS   many at once, each id once
flood.py again PORT SECRET OUT         ids on standard input, once each
flood.py burst PORT SECRET OUT COUNT   all of them at the same moment
flood.py commits WAL                   "salt commits" of a journal

OUT gets a line "STATUS ID" for each, STATUS 000 where no answer came.
"""

import hashlib
import hmac
import socket
import struct
import sys
import threading
import time

THREADS = 12
PAUSE = 0.02     # of each; so some are always under way


def request(secret, ident):
    body = ('{"ref":"refs/heads/main","before":"%s","after":"%s",'
            '"serial":"%s","repository":{"full_name":"team/sample"}}' % (
                "0" * 40, hashlib.sha1(ident.encode()).hexdigest(),
                ident)).encode()
    mac = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    head = ("POST /webhook/gitea HTTP/1.1\r\nHost: localhost\r\n"
            "Content-Type: application/json\r\nX-Gitea-Event: push\r\n"
            "X-Gitea-Event-Type: push\r\nX-Gitea-Delivery: %s\r\n"
            "X-Gitea-Signature: %s\r\nContent-Length: %d\r\n\r\n" % (
                ident, mac, len(body)))
    return head.encode() + body


def answer(conn):
    data = b""
    while True:
        more = conn.recv(4096)
        if not more:
            break
        data += more
    words = data.split(b" ", 2)
    return words[1].decode() if len(words) > 2 else "000"


def send(port, secret, ident):
    try:
        with socket.create_connection(("127.0.0.1", port), 10) as conn:
            conn.settimeout(10)
            conn.sendall(request(secret, ident))
            return answer(conn)
    except OSError:
        return "000"


class Flood:
    def __init__(self, port, secret, out):
        self.port, self.secret = port, secret
        self.out = open(out, "a")
        self.lock = threading.Lock()

    def one(self, ident):
        status = send(self.port, self.secret, ident)
        with self.lock:
            self.out.write("%s %s\n" % (status, ident))

    def worker(self, name, end):
        n = 0
        while time.monotonic() < end:
            n += 1
            self.one("flood-%d-%d" % (name, n))
            time.sleep(PAUSE)

    def run(self, seconds):
        end = time.monotonic() + seconds
        threads = [threading.Thread(target=self.worker, args=(i, end))
                   for i in range(THREADS)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()

    def burst(self, count):
        """All but the last byte of each, and then the last of all."""
        conns = []
        for i in range(count):
            ident = "burst-%d-%d" % (time.monotonic_ns(), i)
            text = request(self.secret, ident)
            conn = socket.create_connection(("127.0.0.1", self.port), 10)
            conn.settimeout(10)
            conn.sendall(text[:-1])
            conns.append((conn, ident, text[-1:]))
        time.sleep(0.1)
        for conn, ident, last in conns:
            conn.sendall(last)
        for conn, ident, last in conns:
            self.out.write("%s %s\n" % (answer(conn), ident))
            conn.close()


def commits(path):
    """Frames of the journal that end a transaction (SQLite's file format)."""
    with open(path, "rb") as f:
        data = f.read()
    size = struct.unpack(">I", data[8:12])[0]
    salt, n, at = data[16:24], 0, 32
    while at + 24 + size <= len(data) and data[at + 8:at + 16] == salt:
        n += data[at + 4:at + 8] != b"\0\0\0\0"
        at += 24 + size
    print(salt.hex(), n)


def main(argv):
    if argv[1] == "commits":
        commits(argv[2])
        return
    flood = Flood(int(argv[2]), argv[3], argv[4])
    if argv[1] == "run":
        flood.run(float(argv[5]))
    elif argv[1] == "burst":
        flood.burst(int(argv[5]))
    else:
        for line in sys.stdin:
            flood.one(line.strip())
    flood.out.close()


main(sys.argv)
