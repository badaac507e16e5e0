# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.

"""How Gitea and Forgejo say things: versions, errors, JSON, webhooks.

The shapes are those of the recorded payloads in tests/fixtures/gitea; where
versions differ, Version decides.
"""

import datetime
import hashlib
import hmac
import json
import re
import urllib.parse
import uuid

from common import Answer

NEVER = '0001-01-01T00:00:00Z'


class Version:
    """'1.26.1' is Gitea's; '12.0.1+gitea-1.22.0' is Forgejo's."""

    def __init__(self, text):
        self.text = text
        self.forgejo = '+gitea-' in text
        numbers = [int(n) for n in re.findall(r'\d+', text.split('+')[0])]
        self.numbers = tuple(numbers + [0, 0, 0])[:3]

    def gitea(self, *least):
        """Gitea of at least this version, and not Forgejo."""
        return not self.forgejo and self.numbers >= least

    def forge(self, *least):
        return self.forgejo and self.numbers >= least


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime(
        '%Y-%m-%dT%H:%M:%SZ')


def go_json(data, indent=None):
    """As Go's encoder writes it: < > & are escaped, the rest is UTF-8."""
    text = json.dumps(data, ensure_ascii=False, indent=indent,
                      separators=(',', ': ') if indent else (',', ':'))
    for c in '<>&\u2028\u2029':
        text = text.replace(c, '\\u%04x' % ord(c))
    return text.encode()


def reply(status, data, headers=None):
    return Answer(status, go_json(data) + b'\n', headers,
                  ctype='application/json;charset=utf-8')


class Words:
    """Errors and objects, in the words of one version."""

    def __init__(self, version, root):
        self.v = version
        self.root = root                # ROOT_URL, without a slash at its end

    # --- errors --------------------------------------------------------------

    def error(self, status, message, **more):
        body = {'message': message, 'url': self.root + '/api/swagger'}
        body.update(more)
        return reply(status, body)

    def not_found(self):
        old = self.v.forgejo or not self.v.gitea(1, 25)
        body = {'message': "The target couldn't be found." if old else
                'not found', 'url': self.root + '/api/swagger'}
        if not self.v.gitea(1, 27):
            body = {'errors': None, **body}
        return reply(404, body)

    def bad_token(self):
        if self.v.gitea(1, 25):
            return self.error(401, 'invalid username, password or token')
        return self.error(401, 'user does not exist [uid: 0, name: ]')

    def no_token(self):
        return self.error(401, 'token is required')

    def no_scope(self, scope):
        if self.v.gitea(1, 24):
            return self.error(403, 'token does not have at least one of '
                              'required scope(s), required=[%s], token scope='
                              'read:repository' % scope)
        return self.error(403, 'token does not have at least one of required '
                          'scope(s): [%s]' % scope)

    def archived(self):
        return self.error(423, 'Repo is archived')

    def blocked(self, reason):
        """A merge that the branch protection refuses."""
        if self.v.gitea(1, 24):
            return self.error(405, reason)
        return self.error(405, 'not allowed to merge [reason: %s]' % reason)

    def already_merged(self):
        return self.error(405, 'The PR is already merged' if
                          self.v.gitea(1, 24) else '')

    # --- objects -------------------------------------------------------------

    def user(self, u):
        return {'id': u.number, 'login': u.login, 'login_name': '',
                'source_id': 0, 'full_name': '',
                'email': u.login + '@noreply.localhost',
                'avatar_url': self.root + '/avatars/%d' % u.number,
                'html_url': self.root + '/' + u.login, 'language': '',
                'is_admin': False, 'last_login': NEVER,
                'created': '2024-01-01T00:00:00Z', 'restricted': False,
                'active': False, 'prohibit_login': False, 'location': '',
                'website': '', 'description': '', 'visibility': 'public',
                'followers_count': 0, 'following_count': 0,
                'starred_repos_count': 0, 'username': u.login}

    def repo(self, r, user=None):
        page = self.root + '/' + r.full_name
        admin = user is not None and user.may('admin')
        push = user is not None and user.may('write')
        return {
            'id': r.number, 'owner': self.user(r.owner), 'name': r.name,
            'full_name': r.full_name, 'description': '',
            'empty': r.git.branch(r.default_branch) is None,
            'private': r.private, 'fork': False, 'template': False,
            'parent': None, 'mirror': False, 'size': 26, 'language': '',
            'languages_url': '%s/api/v1/repos/%s/languages' %
                             (self.root, r.full_name),
            'html_url': page,
            'url': '%s/api/v1/repos/%s' % (self.root, r.full_name),
            'link': '', 'ssh_url': 'git@localhost:%s.git' % r.full_name,
            'clone_url': page + '.git', 'original_url': '', 'website': '',
            'stars_count': 0, 'forks_count': 0, 'watchers_count': 1,
            'open_issues_count': 0,
            'open_pr_counter': len([p for p in r.pulls.values()
                                    if p.state == 'open']),
            'release_counter': 0, 'default_branch': r.default_branch,
            'archived': r.archived, 'created_at': '2024-01-01T00:00:00Z',
            'updated_at': now(), 'archived_at': '1970-01-01T00:00:00Z',
            'permissions': {'admin': admin, 'push': push, 'pull': True},
            'has_issues': True, 'has_wiki': True,
            'has_pull_requests': r.has_pulls,
            'has_projects': True, 'has_releases': True,
            'has_packages': False, 'has_actions': False,
            'ignore_whitespace_conflicts': False,
            'allow_merge_commits': 'merge' in r.styles,
            'allow_rebase': 'rebase' in r.styles,
            'allow_rebase_explicit': 'rebase-merge' in r.styles,
            'allow_squash_merge': 'squash' in r.styles,
            'allow_fast_forward_only_merge':
                'fast-forward-only' in r.styles,
            'allow_rebase_update': True,
            'default_delete_branch_after_merge': False,
            'default_merge_style': 'merge',
            'default_allow_maintainer_edit': False, 'avatar_url': '',
            'internal': False, 'mirror_interval': '',
            'object_format_name': 'sha1', 'mirror_updated': NEVER}

    def pull(self, r, p, user=None):
        page = '%s/%s/pulls/%d' % (self.root, r.full_name, p.number)
        merger = self.user(p.merged_by) if p.merged_by else None
        there = p.head_there(r)
        repo = self.repo(r, user)
        base = r.git.branch(p.base)
        return {
            'id': 1000 + p.number, 'url': page, 'number': p.number,
            'user': self.user(p.user), 'title': p.title, 'body': p.body,
            'labels': [], 'milestone': None, 'assignee': None,
            'assignees': None, 'requested_reviewers': None,
            'requested_reviewers_teams': None,
            'state': 'open' if p.state == 'open' else 'closed',
            'draft': p.wip(), 'is_locked': p.locked,
            'comments': len(r.comments_of(p.number)),
            'review_comments': 0, 'html_url': page,
            'diff_url': page + '.diff', 'patch_url': page + '.patch',
            'mergeable': p.mergeable(r), 'merged': p.state == 'merged',
            'merged_at': p.merged_at, 'merge_commit_sha': p.merge_commit,
            'merged_by': merger, 'allow_maintainer_edit': False,
            'base': {'label': p.base, 'ref': p.base,
                     'sha': base or p.merge_base,
                     'repo_id': r.number, 'repo': repo},
            'head': {'label': p.head,
                     'ref': p.head if there else
                     'refs/pull/%d/head' % p.number,
                     'sha': p.head_id, 'repo_id': r.number, 'repo': repo},
            'merge_base': p.merge_base, 'due_date': None,
            'created_at': p.created_at, 'updated_at': p.updated_at,
            'closed_at': p.closed_at, 'pin_order': 0}

    def status(self, r, s):
        """REST: the state of a single status is under "status"."""
        return {'id': s.number, 'status': s.state,
                'target_url': s.target_url, 'description': s.description,
                'url': '%s/api/v1/repos/%s/statuses/%s' %
                       (self.root, r.full_name, s.sha),
                'context': s.context, 'creator': self.user(s.creator),
                'created_at': s.created_at, 'updated_at': s.created_at}

    def comment(self, r, c):
        page = '%s/%s/pulls/%d' % (self.root, r.full_name, c.issue)
        return {'id': c.number,
                'html_url': page + '#issuecomment-%d' % c.number,
                'pull_request_url': page, 'issue_url': '',
                'user': self.user(c.user), 'original_author': '',
                'original_author_id': 0, 'body': c.body, 'assets': [],
                'created_at': c.created_at, 'updated_at': c.updated_at}

    def commit(self, r, sha, webhook=False):
        """As in a push payload, and in a branch."""
        f = r.git.facts(sha)

        def person(who):
            return {'name': who[0], 'email': who[1], 'username': ''}

        return {'id': sha, 'message': f['message'],
                'url': '%s/%s/commit/%s' % (self.root, r.full_name, sha),
                'author': person(f['author']),
                'committer': person(f['committer']), 'verification': None,
                'timestamp': f['committer'][2],
                'added': f['added'] if webhook else None,
                'removed': f['removed'] if webhook else None,
                'modified': f['modified'] if webhook else None}

    def git_commit(self, r, sha):
        f = r.git.facts(sha)
        base = '%s/api/v1/repos/%s/git' % (self.root, r.full_name)

        def person(who):
            return {'name': who[0], 'email': who[1], 'date': who[2]}

        return {'url': base + '/commits/' + sha, 'sha': sha,
                'created': f['committer'][2],
                'html_url': '%s/%s/commit/%s' %
                            (self.root, r.full_name, sha),
                'commit': {'url': base + '/commits/' + sha,
                           'author': person(f['author']),
                           'committer': person(f['committer']),
                           'message': f['message'],
                           'tree': {'url': base + '/trees/' + f['tree'],
                                    'sha': f['tree'], 'created': NEVER},
                           'verification': None},
                'author': None, 'committer': None,
                'parents': [{'url': base + '/commits/' + p, 'sha': p,
                             'created': NEVER} for p in f['parents']],
                'files': [], 'stats': None}

    def branch(self, r, name, user=None):
        rule = r.rule_for(name)
        return {'name': name,
                'commit': self.commit(r, r.git.branch(name)),
                'protected': rule is not None,
                'required_approvals':
                    rule['required_approvals'] if rule else 0,
                'enable_status_check':
                    rule['enable_status_check'] if rule else False,
                'status_check_contexts':
                    rule['status_check_contexts'] if rule else [],
                'user_can_push': rule is None,
                'user_can_merge': r.lets_merge(name, user),
                'effective_branch_protection_name':
                    rule['rule_name'] if rule else ''}

    # --- the state of several statuses together --------------------------------

    def combined(self, r, sha, newest, page, limit):
        """GET /commits/{ref}/status: newest holds one status a context.
        The total is that of the page; the header has that of all."""
        shown = newest[(page - 1) * limit:page * limit]
        total = len(newest)
        if total == 0 and not self.v.gitea(1, 26):
            return {'state': '', 'sha': '', 'total_count': 0,
                    'statuses': None, 'repository': None, 'commit_url': '',
                    'url': ''}
        url = '%s/api/v1/repos/%s/commits/%s' % (self.root, r.full_name, sha)
        return {'state': self.combined_state([s.state for s in shown]),
                'sha': sha, 'total_count': len(shown),
                'statuses': [self.status(r, s) for s in shown] or None,
                'repository': self.repo(r), 'commit_url': url,
                'url': url + '/status'}

    def combined_state(self, states):
        if not states:
            return 'pending'
        if not self.v.gitea(1, 25):
            # The worst single one; an error is called failure.
            worst = min(states, key=('error', 'failure', 'warning', 'pending',
                                     'success', 'skipped').index)
            return 'failure' if worst == 'error' else worst
        bad = {'error', 'failure'}
        good = {'success', 'skipped'}
        (bad if self.v.gitea(1, 26) else good).add('warning')
        if bad & set(states):
            return 'failure'
        return 'success' if set(states) <= good else 'pending'


# --- webhooks -------------------------------------------------------------------

def hook_body(payload, form):
    """The bytes on the wire, and the bytes that are signed."""
    text = go_json(payload, 2)
    if not form:
        return text, text
    return ('payload=' + urllib.parse.quote_plus(text)).encode(), text


def hook_headers(version, event, event_type, signed, secret, form,
                 authorization=None):
    """All headers of a delivery; without a secret they are there and empty."""
    delivery = str(uuid.uuid4())
    sha256 = sha1 = ''
    if secret:
        sha256 = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
        sha1 = hmac.new(secret.encode(), signed, hashlib.sha1).hexdigest()
    shown = event
    if event_type == 'status' and not version.forgejo and \
            version.numbers in ((1, 23, 0), (1, 23, 1)):
        shown = ''
    names = ['Gitea', 'Gogs'] + (['Forgejo'] if version.forgejo else [])
    out = []
    for name in names:
        out += [('X-%s-Delivery' % name, delivery),
                ('X-%s-Event' % name, shown),
                ('X-%s-Event-Type' % name, event_type),
                ('X-%s-Signature' % name, sha256)]
    out += [('X-Hub-Signature', 'sha1=' + sha1),
            ('X-Hub-Signature-256', 'sha256=' + sha256),
            ('X-GitHub-Delivery', delivery), ('X-GitHub-Event', shown),
            ('X-GitHub-Event-Type', event_type),
            ('Content-Type', 'application/x-www-form-urlencoded' if form
             else 'application/json'),
            ('User-Agent', 'Go-http-client/1.1')]
    if authorization:
        out.append(('Authorization', authorization))
    return out


def fresh_headers(headers):
    """The same delivery sent again: a new id and the same bytes."""
    delivery = str(uuid.uuid4())
    return [(n, delivery if n.endswith('-Delivery') else v)
            for n, v in headers]
