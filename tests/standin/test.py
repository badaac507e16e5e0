#!/usr/bin/env python3
# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.


"""The stand-ins are what they stand for: each trap of the real servers, each
difference of their versions that is known, each fault.  TAP on standard
output; words on the command line select tests by name."""

import http.client
import os
import subprocess
import sys
import tempfile
import traceback
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, HERE)

import test_forge                                           # noqa: E402
import test_hooks                                           # noqa: E402
import test_plane                                           # noqa: E402
from testing import same, test, tests                       # noqa: E402

assert test_forge and test_hooks and test_plane


# --- as programs --------------------------------------------------------------------------------------

@test
def both_run_as_programs():
    with tempfile.TemporaryDirectory() as d:
        for args, path, header in (
                (['forge.py', '--root', d + '/forge', '--repo', 'a/b:trunk',
                  '--user', 'bot:tok:read,write'], '/api/v1/repos/a/b',
                 {'Authorization': 'token tok'}),
                (['plane.py', '--user', 'bot:key:+01:00', '--project',
                  'P:4af68566-94a4-4eb3-94aa-50dc9427067b', '--state',
                  'P:To Analyse:unstarted'],
                 '/api/v1/workspaces/team/projects/4af68566-94a4-4eb3-94aa-'
                 '50dc9427067b/states/', {'X-API-Key': 'key'})):
            ready = d + '/' + args[0]
            p = subprocess.Popen([sys.executable, os.path.join(
                HERE, args[0])] + args[1:] + ['--ready', ready],
                stdout=subprocess.PIPE, text=True)
            try:
                base = p.stdout.readline().split()[1]
                with open(ready) as f:
                    same(f.read().strip(), base)
                url = urllib.parse.urlsplit(base)
                conn = http.client.HTTPConnection(url.hostname, url.port,
                                                  timeout=10)
                conn.request('GET', path, headers=header)
                r = conn.getresponse()
                text = r.read().decode()
                same(r.status, 200, text)
                same('trunk' in text or 'To Analyse' in text, True, text)
                conn.close()
            finally:
                p.kill()
                p.wait()
                p.stdout.close()


def main():
    wanted = [fn for fn in tests if not sys.argv[1:] or
              any(w in fn.__name__ for w in sys.argv[1:])]
    failed = 0
    print('1..%d' % len(wanted))
    for n, fn in enumerate(wanted, 1):
        name = fn.__name__.replace('_', ' ')
        try:
            fn()
            print('ok %d - %s' % (n, name), flush=True)
        except Exception:
            failed += 1
            print('not ok %d - %s' % (n, name))
            for line in traceback.format_exc().splitlines():
                print('#   ' + line)
            sys.stdout.flush()
    return 1 if failed or not wanted else 0


if __name__ == '__main__':
    sys.exit(main())
