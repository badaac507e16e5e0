# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.


"""The forge's webhooks, and the faults that both servers know."""

import hashlib
import hmac
import http.client
import json
import time
import urllib.parse

from testing import FIXTURES, FORGEJOS, SECRET, World, same, test


# --- the forge: webhooks ---------------------------------------------------------------------

def signed_right(headers, body, secret=SECRET):
    mac = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    same(headers['X-Gitea-Signature'], mac)
    same(headers['X-Hub-Signature-256'], 'sha256=' + mac)
    same(headers['X-Hub-Signature'], 'sha1=' + hmac.new(
        secret.encode(), body, hashlib.sha1).hexdigest())


@test
def deliveries_are_signed_and_say_what_the_recorded_ones_say():
    with World() as w:
        w.hook()
        n, _ = w.pull()
        w.settle()
        same(w.listener.kinds(), ['create', 'push', 'pull_request'])
        for headers, body in w.listener.got:
            signed_right(headers, body)
            same(body.startswith(b'{\n  "'), True, 'indented by two')
            for name in ('X-Gogs-Event', 'X-GitHub-Event'):
                same(headers[name], headers['X-Gitea-Event'])
            same('X-Forgejo-Event' in headers, False)
        for kind, name in (('create', 'webhook-create-branch--goscm'),
                           ('push', 'webhook-push--goscm'),
                           ('pull_request',
                            'webhook-pr-closed-merged--woodpecker')):
            with open('%s/gitea/%s.json' % (FIXTURES, name)) as f:
                want = set(json.load(f))
            got = set(w.listener.bodies()[w.listener.kinds().index(kind)])
            same(want - got, set(), kind)


@test
def without_a_secret_the_signature_is_there_and_empty():
    with World() as w:
        w.hook(secret='')
        w.branch('b')
        w.settle()
        headers = w.listener.got[0][0]
        same((headers['X-Gitea-Signature'], headers['X-Hub-Signature-256']),
             ('', 'sha256='))


@test
def a_form_is_signed_over_its_decoded_value():
    with World() as w:
        w.hook(form=True)
        w.branch('b')
        w.settle()
        headers, body = w.listener.got[0]
        same(headers['Content-Type'], 'application/x-www-form-urlencoded')
        same(body.startswith(b'payload='), True)
        value = urllib.parse.parse_qs(body.decode())['payload'][0]
        signed_right(headers, value.encode())


@test
def each_event_has_its_two_names():
    with World() as w:
        w.hook()
        n, sha = w.pull()
        w.git('checkout', '-q', 'feature')
        w.commit('more', 'm\n')
        w.push('feature')
        w.boss('POST', '/repos/acme/app/pulls/%d/reviews' % n,
               {'event': 'APPROVED', 'body': 'fine'}, 200)
        w.bot('POST', '/repos/acme/app/statuses/' + sha,
              {'state': 'success', 'context': 'ci'}, 201)
        w.merge(n, 200)
        w.bot('DELETE', '/repos/acme/app/branches/feature', want=204)
        w.settle()
        got = [(h['X-Gitea-Event'], h['X-Gitea-Event-Type'],
                json.loads(b).get('action', '')) for h, b in
               w.listener.got]
        for want in (('pull_request', 'pull_request', 'opened'),
                     ('pull_request', 'pull_request_sync', 'synchronized'),
                     ('pull_request_approved',
                      'pull_request_review_approved', 'reviewed'),
                     ('status', 'status', ''),
                     ('pull_request', 'pull_request', 'closed'),
                     ('delete', 'delete', '')):
            same(want in got, True, '%s in %s' % (want, got))
        same(got[-1][1], 'delete', 'a deletion is no push')
        closed = [b for b in w.listener.bodies()
                  if b.get('action') == 'closed'][0]
        same(closed['pull_request']['merged'], True)


@test
def versions_differ_in_what_they_send():
    for version, status, types in (('1.22.0', None, ()),
                                   ('1.23.1', '', ()),
                                   ('1.24.0', 'status', ()),
                                   ('1.26.1', 'status', ('workflow_run',)),
                                   (FORGEJOS[1], None,
                                    ('action_run_success',))):
        with World(version) as w:
            w.hook()
            _, sha = w.pull()
            w.order('POST', 'ci', {'repo': 'acme/app', 'sha': sha,
                                   'context': 'ci', 'state': 'success'}, 200)
            w.settle()
            events = [h['X-Gitea-Event'] for h, b in w.listener.got
                      if h['X-Gitea-Event-Type'] == 'status']
            same(events, [] if status is None else [status], version)
            same([k for k in w.listener.kinds() if '_run' in k],
                 list(types), version)
            same('X-Forgejo-Event' in w.listener.got[0][0],
                 version in FORGEJOS, version)
            for b in w.listener.bodies():
                if 'workflow_run' in b:
                    same('head_branch' in b['workflow_run'], False)


@test
def commits_of_a_push_are_cut():
    for version, most in (('1.26.1', 5), (FORGEJOS[1], 15)):
        with World(version) as w:
            w.hook(['push'])
            for i in range(20):
                w.commit('n%d' % i, 'n\n')
            w.push('main')
            w.settle()
            b = w.listener.bodies()[0]
            same((len(b['commits']), b['total_commits'],
                  b['head_commit']['id']),
                 (most, 20, w.git('rev-parse', 'HEAD')), version)


@test
def before_and_after_of_new_commits_come_with_1_27():
    for version, there in (('1.26.1', False), ('1.27.0', True)):
        with World(version) as w:
            w.hook(['pull_request'])
            n, sha = w.pull()
            w.git('checkout', '-q', 'feature')
            new = w.commit('more', 'm\n')
            w.push('feature')
            w.settle()
            b = w.listener.bodies()[-1]
            same((b['action'], 'before' in b), ('synchronized', there))
            if there:
                same((b['before'], b['after']), (sha, new))


@test
def nothing_is_sent_twice_by_itself_whatever_is_answered():
    with World() as w:
        w.hook(status=500)
        w.branch('b')
        w.settle()
        time.sleep(0.2)
        same(len(w.listener.got), 2)
        d = w.order('GET', 'deliveries', want=200)
        same([x['status'] for x in d], [500, 500])


@test
def a_redelivery_has_a_new_id_and_the_same_bytes():
    with World() as w:
        w.hook(['push'])
        w.branch('b')
        w.settle()
        w.order('POST', 'redeliver', {'id': 1}, 200)
        w.settle()
        (h1, b1), (h2, b2) = w.listener.got
        same(b1, b2)
        same(h1['X-Gitea-Signature'], h2['X-Gitea-Signature'])
        same(h1['X-Gitea-Delivery'] == h2['X-Gitea-Delivery'], False)


@test
def webhooks_are_lost_doubled_held_and_turned_round_as_ordered():
    with World() as w:
        w.hook(['push'])
        w.order('POST', 'hooks', {'lose': 1.0}, 200)
        w.branch('a', file='a')
        w.order('POST', 'hooks', {'lose': 0.0, 'double': 1.0}, 200)
        w.branch('b', file='b')
        w.settle()
        refs = [b['ref'] for b in w.listener.bodies()]
        same(refs, ['refs/heads/b'] * 2)
        w.order('POST', 'hooks', {'double': 0.0, 'late': 1.0}, 200)
        w.branch('c', file='c')
        w.order('POST', 'hooks', {'late': 0.0}, 200)
        w.branch('d', file='d')
        w.settle()
        refs = [b['ref'] for b in w.listener.bodies()][2:]
        same(refs, ['refs/heads/d', 'refs/heads/c'])
        w.order('POST', 'hooks', {'hold': True}, 200)
        w.branch('e', file='e')
        w.settle()
        same(len(w.listener.got), 4)
        w.order('POST', 'hooks/flush', {'shuffle': True}, 200)
        w.settle()
        same(len(w.listener.got), 5)
        w.order('POST', 'hooks', {'hold': False, 'enabled': False}, 200)
        w.branch('f', file='f')
        w.settle()
        same(len(w.listener.got), 5)
        w.order('POST', 'hooks', {'nonsense': 1}, 400)


# --- faults ------------------------------------------------------------------------------------

def fault(w, **wish):
    w.order('POST', 'faults', wish, 200)


@test
def a_fault_that_is_not_acted_on_changes_nothing():
    with World() as w:
        w.branch('feature')
        wish = {'head': 'feature', 'base': 'main', 'title': 'T'}
        for kind in ('status', 'redirect', 'html', 'reset'):
            fault(w, kind=kind, match='POST .*/pulls', status=503,
                  location='http://127.0.0.1:1/')
            try:
                w.bot('POST', '/repos/acme/app/pulls', wish)
                said = w.bot.status
            except OSError:
                said = 'reset'
            same(said, {'status': 503, 'redirect': 503, 'html': 200,
                        'reset': 'reset'}[kind], kind)
            same(w.bot('GET', '/repos/acme/app/pulls'), [], kind)
        w.bot('POST', '/repos/acme/app/pulls', wish, 201)


@test
def a_lost_answer_hides_what_was_done():
    for kind in ('lost', 'half', 'garbage', 'after'):
        with World() as w:
            w.branch('feature')
            fault(w, kind=kind, match='POST .*/pulls', status=502)
            try:
                w.bot('POST', '/repos/acme/app/pulls',
                      {'head': 'feature', 'base': 'main', 'title': 'T'})
                heard = w.bot.status
            except (OSError, http.client.HTTPException):
                heard = None
            same(heard, {'garbage': 200, 'after': 502}.get(kind), kind)
            rows = w.bot('GET', '/repos/acme/app/pulls', want=200)
            same(len(rows), 1, kind)
            log = w.order('GET', 'log', want=200)
            hit = [e for e in log if e['fault']]
            same((len(hit), hit[0]['acted'], hit[0]['fault']),
                 (1, True, kind))


@test
def faults_count_skip_and_are_taken_back():
    with World() as w:
        fault(w, kind='status', status=429, times=2, skip=1,
              headers={'Retry-After': '7'}, match='GET .*/version',
              body={'message': 'slow down'})
        said = []
        for _ in range(4):
            w.bot('GET', '/version')
            said.append(w.bot.status)
        same(said, [200, 429, 429, 200])
        fault(w, kind='status', times=-1)
        w.bot('GET', '/version', want=500)
        w.order('DELETE', 'faults', want=200)
        w.bot('GET', '/version', want=200)
        fault(w, kind='slow', seconds=0.3)
        t0 = time.monotonic()
        w.bot('GET', '/version', want=200)
        same(time.monotonic() - t0 >= 0.3, True, 'slow')
        fault(w, kind='drip', seconds=0.02)
        same(w.bot('GET', '/version', want=200), {'version': '1.26.1'})
        fault(w, kind='status', chance=0.5, times=-1)
        said = set()
        for _ in range(40):
            w.bot('GET', '/version')
            said.add(w.bot.status)
        same(said, {200, 500})
        for wrong in ({'kind': 'odd'}, {'kind': 'redirect'},
                      {'kind': 'slow', 'secnds': 1},
                      {'kind': 'slow', 'match': '('}):
            w.order('POST', 'faults', wrong, 400)


@test
def a_push_can_be_lost_like_anything_else():
    with World() as w:
        sha = w.commit('late', 'l\n')
        fault(w, kind='lost', match='POST .*git-receive-pack')
        w.git('push', w.url, 'main', fails=True)
        same(w.git('ls-remote', w.url, 'refs/heads/main').split()[0], sha)
