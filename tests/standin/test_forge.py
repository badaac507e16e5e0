# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.


"""The forge: tokens, git, pull requests, merging, statuses, comments."""

import json
import time

from forge_words import Version, Words
from testing import (FIXTURES, FORGEJOS, GITEAS, Client, World, lower, same,
                     test)


# --- the forge: who may what ----------------------------------------------------

@test
def a_token_counts_in_each_form_and_a_wrong_one_in_none():
    with World() as w:
        for header in ('token tok-bot', 'Bearer tok-bot',
                       'Basic dG9rLWJvdDo=', 'Basic eDp0b2stYm90'):
            Client(w.forge, {'Authorization': header}, '/api/v1')(
                'GET', '/repos/acme/app', want=200)
        w.nobody('GET', '/repos/acme/app', want=404)
        w.nobody('POST', '/repos/acme/app/pulls', {}, 401)
        w.as_user('wrong')('GET', '/repos/acme/app', want=401)
        w.guest('GET', '/repos/acme/app', want=200)
        e = w.guest('POST', '/repos/acme/app/pulls', {}, 403)
        same('write:repository' in e['message'], True, e)
        w.bot('GET', '/repos/acme/app/branch_protections', want=403)
        w.bot('GET', '/repos/acme/nothing', want=404)


@test
def errors_are_those_of_the_version():
    for version in GITEAS + FORGEJOS:
        words = Words(Version(version), 'http://forge')
        e = json.loads(words.not_found().body)
        old = version in GITEAS[:3] + FORGEJOS
        same(e['message'], "The target couldn't be found." if old
             else 'not found', version)
        same('errors' in e, version != '1.27.0', version)
        e = json.loads(words.already_merged().body)
        same(e['message'], '' if version in GITEAS[:2] + FORGEJOS
             else 'The PR is already merged', version)
        e = json.loads(words.blocked('No').body)
        same(e['message'], 'not allowed to merge [reason: No]'
             if version in GITEAS[:2] + FORGEJOS else 'No', version)


@test
def an_archived_repository_takes_nothing():
    with World() as w:
        w.order('POST', 'repo', {'repo': 'acme/app', 'archived': True}, 200)
        w.bot('POST', '/repos/acme/app/pulls', {}, 423)
        w.bot('GET', '/repos/acme/app', want=200)
        w.git('push', w.url, 'main:other', fails=True)


# --- the forge: git ---------------------------------------------------------------

@test
def git_needs_the_token_and_pushes_the_right_to_write():
    with World() as w:
        bare = w.url.replace('x:tok-bot@', '')
        w.git('ls-remote', bare, fails=True)
        w.git('ls-remote', bare.replace('//', '//x:wrong@'), fails=True)
        w.git('ls-remote', bare.replace('//', '//x:tok-guest@'))
        w.git('push', bare.replace('//', '//x:tok-guest@'), 'main:b',
              fails=True)
        out = w.git('-c', 'http.extraHeader=Authorization: token tok-bot',
                    'ls-remote', bare)
        same('refs/heads/main' in out, True, out)
        w.push('main:nested/branch')
        w.git('push', w.url, 'main:refs/pull/9/head', fails=True)


@test
def a_protected_branch_takes_no_push_and_no_deletion():
    with World() as w:
        w.branch('release/1')
        w.protect(rule_name='release/*')
        sha = w.commit('late', 'late\n')
        said = w.git('push', w.url, 'release/1', fails=True)
        same('Not allowed to push to protected branch' in said, True, said)
        w.push('release/1:main')
        e = w.bot('DELETE', '/repos/acme/app/branches/release/1', want=403)
        same(e['message'], 'branch protected')
        e = w.bot('DELETE', '/repos/acme/app/branches/main', want=403)
        same(e['message'].startswith('can not delete default'), True, e)
        w.bot('DELETE', '/repos/acme/app/branches/none', want=404)
        w.bot('POST', '/repos/acme/app/branches',
              {'new_branch_name': 'b', 'old_branch_name': 'main'}, 201)
        b = w.bot('GET', '/repos/acme/app/branches/b', want=200)
        same(b['commit']['id'], sha)
        w.bot('DELETE', '/repos/acme/app/branches/b', want=204)
        rules = w.boss('GET', '/repos/acme/app/branch_protections', want=200)
        same([r['rule_name'] for r in rules], ['release/*'])


# --- the forge: pull requests -------------------------------------------------------

@test
def a_pull_request_has_the_recorded_members():
    with open(FIXTURES + '/gitea/api-pull-13-open.json') as f:
        want = set(json.load(f))
    with World() as w:
        n, sha = w.pull()
        p = w.bot('GET', '/repos/acme/app/pulls/%d' % n, want=200)
        same(want - set(p), set(), 'members that are missing')
        same((p['head']['sha'], p['head']['ref'], p['state'], p['merged']),
             (sha, 'feature', 'open', False))
        same(w.git('ls-remote', w.url, 'refs/pull/1/head').split()[0], sha)


@test
def a_second_one_of_a_pair_is_409_and_nothing_to_say_is_422():
    with World() as w:
        w.pull()
        e = w.bot('POST', '/repos/acme/app/pulls',
                  {'head': 'feature', 'base': 'main', 'title': 'T'}, 409)
        same('already exists' in e['message'], True, e)
        e = w.bot('POST', '/repos/acme/app/pulls', {'base': 'main'}, 422)
        same(e['message'], '[Head]: Required')
        w.bot('POST', '/repos/acme/app/pulls',
              {'head': 'main', 'base': 'main', 'title': 'T'}, 422)
        w.bot('POST', '/repos/acme/app/pulls',
              {'head': 'none', 'base': 'main', 'title': 'T'}, 404)


@test
def filters_that_a_version_does_not_know_are_ignored():
    known = {'1.23.1': (), '1.24.0': ('base_branch',),
             '1.27.0': ('base_branch',), FORGEJOS[1]: (),
             FORGEJOS[2]: ('base', 'head')}
    for version, names in known.items():
        with World(version) as w:
            w.branch('other')
            w.pull('one', file='1')
            w.pull('two', file='2')
            for name in ('head', 'base', 'base_branch'):
                value = 'one' if name == 'head' else 'other'
                rows = w.bot('GET', '/repos/acme/app/pulls?%s=%s' % (
                    name, value), want=200)
                want = 2 if name not in names else \
                    1 if name == 'head' else 0
                same(len(rows), want, version + ' ' + name)


@test
def the_pair_answers_with_its_oldest_pull_request():
    with World() as w:
        n, _ = w.pull('again')
        w.bot('PATCH', '/repos/acme/app/pulls/%d' % n, {'state': 'closed'},
              201)
        second, _ = w.pull('again', text='y\n')
        p = w.bot('GET', '/repos/acme/app/pulls/main/again', want=200)
        same((p['number'], p['state']), (n, 'closed'))
        rows = w.bot('GET', '/repos/acme/app/pulls?state=open', want=200)
        same([r['number'] for r in rows], [second])
        w.bot('GET', '/repos/acme/app/pulls/main/acme:again', want=200)
        w.bot('GET', '/repos/acme/app/pulls/main/none', want=404)


@test
def pages_have_a_total_and_links_of_another_address():
    with World(root_url='https://git.example') as w:
        for i in range(5):
            w.pull('b%d' % i, file=str(i))
        rows = w.bot('GET', '/repos/acme/app/pulls?limit=2&page=2', want=200)
        same([r['number'] for r in rows], [3, 2])
        h = lower(w.bot.reply)
        same(h['x-total-count'], '5')
        same('<https://git.example/api/v1/repos/acme/app/pulls?limit=2&page='
             '3>; rel="next"' in h['link'], True, h['link'])
        rows = w.bot('GET', '/repos/acme/app/pulls?limit=1000', want=200)
        same(len(rows), 5)
        s = w.bot('GET', '/settings/api', want=200)
        same((s['max_response_items'], s['default_paging_num']), (50, 30))
        same(w.bot('GET', '/version', want=200), {'version': '1.26.1'})


@test
def a_branch_that_is_gone_shows_in_the_label_alone():
    with World() as w:
        w.hook()
        n, sha = w.pull()
        w.bot('DELETE', '/repos/acme/app/branches/feature', want=204)
        p = w.bot('GET', '/repos/acme/app/pulls/%d' % n, want=200)
        same((p['state'], p['merged'], p['head']['ref'], p['head']['label'],
              p['head']['sha']), ('closed', False, 'refs/pull/1/head',
                                  'feature', sha))
        w.settle()
        same(w.listener.kinds()[-2:], ['delete', 'pull_request'])
        w.merge(n, 404)


# --- the forge: merging ----------------------------------------------------------------

@test
def a_merge_is_200_without_a_word():
    with World() as w:
        n, sha = w.pull()
        w.bot('GET', '/repos/acme/app/pulls/%d/merge' % n, want=404)
        same(w.merge(n, 200, head_commit_id=sha), None)
        p = w.bot('GET', '/repos/acme/app/pulls/%d' % n, want=200)
        same((p['merged'], p['state']), (True, 'closed'))
        tip = w.git('ls-remote', w.url, 'refs/heads/main').split()[0]
        same(p['merge_commit_sha'], tip)
        c = w.bot('GET', '/repos/acme/app/git/commits/' + tip, want=200)
        same([x['sha'] for x in c['parents']][1], sha)
        w.bot('GET', '/repos/acme/app/pulls/%d/merge' % n, want=204)
        w.merge(n, 405)


@test
def each_style_lands_what_it_says():
    with World() as w:
        for i, style in enumerate(('squash', 'rebase', 'rebase-merge',
                                   'merge')):
            w.git('checkout', '-q', 'main')
            n, sha = w.pull('s%d' % i, file='s%d' % i)
            w.merge(n, 200, style)
            w.git('fetch', '-q', w.url, 'main')
            parents = w.git('show', '-s', '--format=%P',
                            'FETCH_HEAD').split()
            same(len(parents), 2 if 'merge' in style else 1, style)
            w.git('cat-file', '-e', 'FETCH_HEAD:s%d' % i)
        w.git('checkout', '-q', 'main')
        w.git('reset', '-q', '--hard', 'FETCH_HEAD')
        n, sha = w.pull('ff', file='ff')
        w.merge(n, 200, 'fast-forward-only')
        same(w.git('ls-remote', w.url, 'refs/heads/main').split()[0], sha)


@test
def fast_forward_of_diverged_branches_is_a_500_and_changes_nothing():
    with World() as w:
        n, _ = w.pull()
        w.git('checkout', '-q', 'main')
        tip = w.commit('other', 'o\n')
        w.push('main')
        w.merge(n, 500, 'fast-forward-only')
        same(w.git('ls-remote', w.url, 'refs/heads/main').split()[0], tip)


@test
def what_a_merge_refuses_has_its_status():
    with World(check_s=0.5) as w:
        n, sha = w.pull()
        e = w.merge(n, 405)
        same(e['message'], 'Please try again later')
        same(w.bot('GET', '/repos/acme/app/pulls/%d' % n)['mergeable'], False)
        time.sleep(0.6)
        same(w.bot('GET', '/repos/acme/app/pulls/%d' % n)['mergeable'], True)
        e = w.merge(n, 409, head_commit_id='0' * 40)
        same(e['message'], 'head out of date')
        w.merge(n, 422, 'sideways')
        e = w.bot('POST', '/repos/acme/app/pulls/%d/merge' % n, {}, 422)
        same(e['message'], '[Do]: Required')
        w.merge(99, 404)
        w.order('POST', 'repo', {'repo': 'acme/app', 'styles': ['squash']})
        e = w.merge(n, 405)
        same('merge style' in e['message'], True, e)
        w.bot('PATCH', '/repos/acme/app/pulls/%d' % n, {'title': 'WIP: T'},
              201)
        e = w.merge(n, 405)
        same('Work in progress' in e['message'], True, e)
        w.bot('PATCH', '/repos/acme/app/pulls/%d' % n,
              {'state': 'closed'}, 201)
        w.merge(n, 404)


@test
def snake_case_is_understood_from_1_26_on():
    for version, style, title in (('1.25.0', 422, False),
                                  (FORGEJOS[1], 422, False),
                                  ('1.26.1', 200, True)):
        with World(version) as w:
            n, _ = w.pull()
            w.bot('POST', '/repos/acme/app/pulls/%d/merge' % n,
                  {'do': 'squash'}, style)
            if style == 200:
                continue
            w.merge(n, 200, 'squash', merge_title_field='Mine')
            w.git('fetch', '-q', w.url, 'main')
            subject = w.git('show', '-s', '--format=%s', 'FETCH_HEAD')
            same(subject == 'Mine', title, subject)


@test
def a_conflict_is_try_again_later_at_the_gate():
    with World() as w:
        n, _ = w.pull(file='README', text='two\n')
        w.git('checkout', '-q', 'main')
        w.commit('README', 'three\n')
        w.push('main')
        e = w.merge(n, 405)
        same(e['message'], 'Please try again later')
        same(w.bot('GET', '/repos/acme/app/pulls/%d' % n)['mergeable'], False)


@test
def a_conflict_that_comes_in_between_is_409_without_a_message():
    with World() as w:
        n, _ = w.pull(file='README', text='two\n')
        w.git('checkout', '-q', 'main')
        w.commit('README', 'three\n')
        w.push('main')
        # As if the check had run before the push.
        repo = w.forge.repos['acme/app']
        repo.pulls[n].conflicting = False
        e = w.merge(n, 409)
        same(set(e), {'Style', 'StdOut', 'StdErr', 'Err'}, e)
        same('README' in e['StdOut'], True, e)


@test
def protection_wants_checks_approvals_and_an_up_to_date_head():
    for version in ('1.22.0', '1.26.1', FORGEJOS[1]):
        with World(version) as w:
            w.protect(enable_status_check=True, required_approvals=1,
                      status_check_contexts=['ci/*'],
                      block_on_rejected_reviews=True,
                      block_on_outdated_branch=True)
            n, sha = w.pull()
            said = w.merge(n, 405)['message']
            same('status checks' in said, True, said)
            same(said.startswith('not allowed to merge [reason: '),
                 version != '1.26.1', version)
            w.bot('POST', '/repos/acme/app/statuses/' + sha,
                  {'state': 'success', 'context': 'ci/build'}, 201)
            said = w.merge(n, 405)['message']
            same('enough approvals' in said, True, said)
            w.bot('POST', '/repos/acme/app/pulls/%d/reviews' % n,
                  {'event': 'APPROVED'}, 422)
            w.boss('POST', '/repos/acme/app/pulls/%d/reviews' % n,
                   {'event': 'REQUEST_CHANGES', 'body': 'no'}, 200)
            w.boss('POST', '/repos/acme/app/pulls/%d/reviews' % n,
                   {'event': 'APPROVED'}, 200)
            w.forge.repos['acme/app'].rules[0]['enable_push'] = True
            w.git('checkout', '-q', 'main')
            w.commit('behind', 'b\n')
            w.push('main')
            said = w.merge(n, 405)['message']
            same('behind the base' in said, True, said)
            w.git('checkout', '-q', 'feature')
            w.git('merge', '-q', '-m', 'Up', 'main')
            w.push('feature')
            sha = w.git('rev-parse', 'HEAD')
            w.bot('POST', '/repos/acme/app/statuses/' + sha,
                  {'state': 'success', 'context': 'ci/build'}, 201)
            w.merge(n, 200)


@test
def a_scheduled_merge_is_201_and_lands_with_the_checks():
    with World() as w:
        w.protect(enable_status_check=True, status_check_contexts=['ci'])
        n, sha = w.pull()
        w.merge(n, 201, merge_when_checks_succeed=True)
        same(w.bot('GET', '/repos/acme/app/pulls/%d' % n)['merged'], False)
        w.bot('POST', '/repos/acme/app/statuses/' + sha,
              {'state': 'success', 'context': 'ci'}, 201)
        same(w.bot('GET', '/repos/acme/app/pulls/%d' % n)['merged'], True)


@test
def a_403_of_the_branch_deletion_can_hide_a_merge():
    for version, want in (('1.24.0', 403), (FORGEJOS[0], 403),
                          ('1.25.0', 200)):
        with World(version) as w:
            n, _ = w.pull()
            w.protect(rule_name='feature')
            w.merge(n, want, delete_branch_after_merge=True)
            p = w.bot('GET', '/repos/acme/app/pulls/%d' % n, want=200)
            same(p['merged'], True, version)
            same(p['head']['ref'], 'feature', version)
    with World() as w:
        n, _ = w.pull()
        w.merge(n, 200, delete_branch_after_merge=True)
        w.bot('GET', '/repos/acme/app/branches/feature', want=404)


@test
def a_push_by_hand_is_a_merge_only_where_the_server_looks_for_it():
    for look in (False, True):
        with World() as w:
            w.order('POST', 'repo', {'repo': 'acme/app', 'autodetect': look})
            n, sha = w.pull()
            w.push('feature:main')
            p = w.bot('GET', '/repos/acme/app/pulls/%d' % n, want=200)
            same(p['merged'], look)


# --- the forge: statuses -----------------------------------------------------------------

@test
def no_status_at_all_is_never_success():
    for version in GITEAS + FORGEJOS:
        with World(version) as w:
            sha = w.git('rev-parse', 'HEAD')
            c = w.bot('GET', '/repos/acme/app/commits/%s/status' % sha,
                      want=200)
            new = version in ('1.26.1', '1.27.0')
            same((c['state'], c['statuses'], c['total_count'],
                  c['sha'] == sha), ('pending' if new else '', None, 0, new),
                 version)
            same('x-total-count' in lower(w.bot.reply), False, version)


@test
def a_status_is_called_status_alone_and_state_together():
    with World() as w:
        sha = w.git('rev-parse', 'HEAD')
        s = w.bot('POST', '/repos/acme/app/statuses/' + sha,
                  {'state': 'failure', 'context': 'a'}, 201)
        same((s['status'], s.get('state')), ('failure', None))
        w.bot('POST', '/repos/acme/app/statuses/' + sha,
              {'state': 'success', 'context': 'a'}, 201)
        w.bot('POST', '/repos/acme/app/statuses/' + '1' * 40,
              {'state': 'success', 'context': 'a'}, 500)
        w.bot('POST', '/repos/acme/app/statuses/' + sha,
              {'state': 'splendid', 'context': 'a'}, 422)
        c = w.bot('GET', '/repos/acme/app/commits/main/status', want=200)
        same((c['state'], c['total_count'], len(c['statuses'])),
             ('success', 1, 1))
        rows = w.bot('GET', '/repos/acme/app/commits/main/statuses')
        same([r['status'] for r in rows], ['success', 'failure'])


@test
def the_state_together_is_that_of_the_version_and_of_its_page():
    for version, cases in {
            '1.24.0': (('error', 'success', 'failure'),
                       ('warning', 'success', 'warning'),
                       ('pending', 'success', 'pending')),
            '1.25.0': (('error', 'success', 'failure'),
                       ('warning', 'success', 'success'),
                       ('pending', 'success', 'pending')),
            '1.26.1': (('warning', 'success', 'failure'),
                       ('success', 'success', 'success')),
            FORGEJOS[1]: (('warning', 'success', 'warning'),)}.items():
        words = Words(Version(version), '')
        for one, two, want in cases:
            same(words.combined_state([one, two]), want, version + one)
    with World() as w:
        sha = w.git('rev-parse', 'HEAD')
        for i in range(3):
            w.bot('POST', '/repos/acme/app/statuses/' + sha, {
                'state': 'failure' if i == 2 else 'success',
                'context': 'c%d' % i}, 201)
        c = w.bot('GET', '/repos/acme/app/commits/%s/status?limit=2' % sha)
        same((c['state'], c['total_count']), ('success', 2))
        same(lower(w.bot.reply)['x-total-count'], '3')


# --- the forge: comments -------------------------------------------------------------------

@test
def comments_are_made_found_and_refused():
    with World() as w:
        w.hook()
        n, _ = w.pull()
        c = w.bot('POST', '/repos/acme/app/issues/%d/comments' % n,
                  {'body': 'a <b> & c'}, 201)
        same(c['body'], 'a <b> & c')
        rows = w.bot('GET', '/repos/acme/app/issues/%d/comments' % n)
        same([r['id'] for r in rows], [c['id']])
        w.bot('POST', '/repos/acme/app/issues/99/comments', {'body': 'x'},
              404)
        w.forge.repos['acme/app'].pulls[n].locked = True
        w.bot('POST', '/repos/acme/app/issues/%d/comments' % n,
              {'body': 'x'}, 403)
        w.settle()
        h, body = w.listener.got[-1]
        same((h['X-Gitea-Event'], h['X-Gitea-Event-Type']),
             ('issue_comment', 'pull_request_comment'))
        d = json.loads(body)
        same((d['is_pull'], d['comment']['body'],
              'pull_request' in d['issue']), (True, 'a <b> & c', True))
        same(b'a \\u003cb\\u003e \\u0026 c' in body, True, 'as Go writes it')
