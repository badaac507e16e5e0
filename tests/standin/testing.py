# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.


"""What the tests of the stand-ins share: a client, a taker of webhooks, a
forge with a repository and a work tree, a tracker with a project."""

import http.client
import http.server
import json
import os
import subprocess
import tempfile
import threading

from forge import Forge
from plane import STATES, Plane

HERE = os.path.dirname(os.path.abspath(__file__))
FIXTURES = os.path.join(HERE, '..', 'fixtures')
GITEAS = ('1.22.0', '1.23.1', '1.24.0', '1.25.0', '1.26.1', '1.27.0')
FORGEJOS = ('9.0.0+gitea-1.22.0', '12.0.1+gitea-1.22.0',
            '16.0.0+gitea-1.22.0')
SECRET = 'a secret of this test'
tests = []


def test(fn):
    tests.append(fn)
    return fn


def same(got, want, what=''):
    if got != want:
        raise AssertionError('%s: wanted %r, got %r' % (what, want, got))


class Client:
    """A client that follows no redirect and hides nothing."""

    def __init__(self, server, headers=None, prefix=''):
        self.server = server
        self.headers = headers or {}
        self.prefix = prefix
        self.reply = {}

    def __call__(self, method, path, data=None, want=None, headers=None,
                 timeout=10):
        conn = http.client.HTTPConnection(self.server.host, self.server.port,
                                          timeout=timeout)
        try:
            body = None if data is None else json.dumps(data)
            conn.request(method, self.prefix + path, body,
                         dict(self.headers, **(headers or {})))
            r = conn.getresponse()
            text = r.read()
            self.reply = dict(r.getheaders())
            self.status = r.status
        finally:
            conn.close()
        if want is not None and r.status != want:
            raise AssertionError('%s %s: wanted %d, got %d %r' % (
                method, path, want, r.status, text[:300]))
        try:
            return json.loads(text) if text else None
        except ValueError:
            return text


class Listener:
    """Takes webhooks."""

    def __init__(self, status=200):
        outer = self
        self.got = []
        self.status = status

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                size = int(self.headers['Content-Length'])
                outer.got.append((dict(self.headers.items()),
                                  self.rfile.read(size)))
                self.send_response(outer.status)
                self.send_header('Content-Length', '0')
                self.end_headers()

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0),
                                                      Handler)
        self.url = 'http://127.0.0.1:%d/hook' % self.server.server_port
        threading.Thread(target=self.server.serve_forever,
                         kwargs={'poll_interval': 0.02}, daemon=True).start()

    def kinds(self):
        return [h['X-Gitea-Event-Type'] for h, _ in self.got]

    def bodies(self):
        return [json.loads(b) for _, b in self.got]

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class World:
    """A forge with a repository, its users, and a work tree beside it."""

    def __init__(self, version='1.26.1', **more):
        self.dir = tempfile.TemporaryDirectory()
        self.forge = Forge(self.dir.name + '/forge', version=version,
                           **more).start()
        self.forge.add_user('bot', 'tok-bot', ('write',))
        self.forge.add_user('boss', 'tok-boss', ('admin',))
        self.forge.add_user('guest', 'tok-guest', ('read',))
        self.forge.add_repo('acme/app')
        self.bot = self.as_user('tok-bot')
        self.boss = self.as_user('tok-boss')
        self.guest = self.as_user('tok-guest')
        self.nobody = Client(self.forge, prefix='/api/v1')
        self.order = Client(self.forge, prefix='/_standin/')
        self.tree = self.dir.name + '/tree'
        self.url = 'http://x:tok-bot@127.0.0.1:%d/acme/app.git' % \
            self.forge.port
        self.listener = None
        self.git('init', '-q', '-b', 'main', self.tree, where=None)
        self.commit('README', 'one\n')
        self.git('push', '-q', self.url, 'main')

    def as_user(self, token):
        return Client(self.forge, {'Authorization': 'token ' + token},
                      '/api/v1')

    def git(self, *args, where='tree', fails=False):
        env = dict(os.environ, GIT_CONFIG_GLOBAL='/dev/null',
                   GIT_CONFIG_NOSYSTEM='1', GIT_TERMINAL_PROMPT='0',
                   GIT_AUTHOR_NAME='A', GIT_AUTHOR_EMAIL='a@localhost',
                   GIT_COMMITTER_NAME='A', GIT_COMMITTER_EMAIL='a@localhost')
        if where:
            args = ('-C', self.tree) + args
        p = subprocess.run(('git',) + args, env=env, text=True,
                           capture_output=True)
        if (p.returncode != 0) != fails:
            raise AssertionError('git %s: %s' % (args, p.stderr))
        return p.stderr if fails else p.stdout.strip()

    def commit(self, name, text, branch=None):
        if branch:
            self.git('checkout', '-q', '-B', branch)
        with open(os.path.join(self.tree, name), 'w') as f:
            f.write(text)
        self.git('add', '-A')
        self.git('commit', '-q', '-m', 'Change ' + name)
        return self.git('rev-parse', 'HEAD')

    def push(self, *refs, force=False):
        self.git('push', '-q', *(['-f'] if force else []), self.url, *refs)

    def branch(self, name, file='f', text='x\n'):
        """A branch with one commit on main, pushed; its id."""
        self.git('checkout', '-q', 'main')
        sha = self.commit(file, text, name)
        self.push(name, force=True)
        return sha

    def pull(self, name='feature', **more):
        sha = self.branch(name, **more)
        p = self.bot('POST', '/repos/acme/app/pulls',
                     {'head': name, 'base': 'main', 'title': 'T'}, 201)
        return p['number'], sha

    def merge(self, number, want, style='merge', who=None, **more):
        return (who or self.bot)(
            'POST', '/repos/acme/app/pulls/%d/merge' % number,
            dict({'Do': style}, **more), want)

    def hook(self, events=('*',), secret=SECRET, form=False, status=200):
        self.listener = Listener(status)
        self.boss('POST', '/repos/acme/app/hooks', {
            'type': 'gitea', 'active': True, 'events': list(events),
            'config': {'url': self.listener.url, 'secret': secret,
                       'content_type': 'form' if form else 'json'}}, 201)
        return self.listener

    def settle(self):
        self.order('POST', 'hooks/wait', {'seconds': 10}, 200)

    def protect(self, **rule):
        self.boss('POST', '/repos/acme/app/branch_protections',
                  dict({'rule_name': 'main'}, **rule), 201)

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.forge.stop()
        if self.listener:
            self.listener.stop()
        self.dir.cleanup()


def lower(headers):
    return {k.lower(): v for k, v in headers.items()}


class Team:
    def __init__(self, version='1.3.1', states=STATES, **more):
        self.plane = Plane(version=version, **more).start()
        self.plane.add_user('bot', 'plane_api_bot')
        self.pat = self.plane.add_user('pat')
        self.far = self.plane.add_user('far', 'plane_api_far', '+05:30')
        self.project = self.plane.add_project('ORCH', states=states)
        self.bot = self.as_key('plane_api_bot')
        self.order = Client(self.plane, prefix='/_standin/')
        self.base = '/api/v1/workspaces/team/projects/%s/' % self.project.id
        self.listener = None

    def as_key(self, key):
        return Client(self.plane, {'X-API-Key': key})

    def hook(self, status=200):
        self.listener = Listener(status)
        self.order('POST', 'webhook', {'url': self.listener.url,
                                       'secret': SECRET}, 200)

    def ui(self, field, value=None, item=None, want=200):
        return self.order('POST', 'ui', {'user': 'pat', 'field': field,
                                         'value': value, 'item': item}, want)

    def item(self, name='First'):
        return self.ui('create', {'project': 'ORCH', 'name': name})['id']

    def state(self, name):
        return [s['id'] for s in self.project.states.values()
                if s['name'] == name][0]

    def settle(self):
        self.order('POST', 'hooks/wait', {'seconds': 10}, 200)

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.plane.stop()
        if self.listener:
            self.listener.stop()
