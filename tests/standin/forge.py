#!/usr/bin/env python3
# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.

"""A stand-in for Gitea and Forgejo.

    forge.py --root DIR [--host H] [--port P] [--version V] [--root-url URL]
             [--user LOGIN:TOKEN:SCOPES ...] [--repo OWNER/NAME[:BRANCH] ...]
             [--public] [--check SECONDS] [--authorization TEXT]
             [--seed N] [--ready FILE]

V is what GET /version says: 1.22.0 to 1.27.0 are Gitea, 12.0.1+gitea-1.22.0
is Forgejo 12; the answers and webhooks are those of that version.  Scopes are
read, write and admin, joined by commas.  --check is how long the conflict
check of a pull request runs.  --root-url is the address that the server
believes to have (Link headers, pages), which may be another one than that
which one uses.

REST below /api/v1, git over HTTP beside it (OWNER/NAME.git), faults and
orders below /_standin/ (see common.py), and more of those here:

    POST /_standin/repo   {"repo", "archived", "autodetect", "styles",
                          "pulls", "overtake"}: pulls false switches pull
                          requests off; a commit that overtakes is pushed to
                          the target of the next merge just before that
    POST /_standin/user   {"login", "scopes", "lacks"}: a token's new scopes;
                          of "issue" and "user" it may lack each
    POST /_standin/ci     {"repo", "sha", "context", "state", "description"}:
                          a status as a CI server would set it, and the
                          webhooks of a workflow run that go with it
"""

import argparse
import base64
import json
import re
import urllib.parse

from common import Answer, Standin, page_of, run_until_killed
from forge_events import Events
from forge_git import GitError, ZERO, backend
from forge_model import STYLES, Comment, Refused, Repo, Status, User
from forge_words import Version, Words, now, reply

PAGE, PAGE_MAX = 30, 50
STATES = ('pending', 'success', 'error', 'failure', 'warning')
RULE = {'rule_name': '', 'branch_name': '', 'enable_push': False,
        'enable_status_check': False, 'status_check_contexts': [],
        'required_approvals': 0, 'block_on_rejected_reviews': False,
        'block_on_outdated_branch': False, 'enable_merge_whitelist': False,
        'merge_whitelist_usernames': []}


class Forge(Events, Standin):
    def __init__(self, root, host='127.0.0.1', port=0, version='1.26.1',
                 root_url=None, check_s=0.0, seed=1, authorization=None):
        super().__init__(host, port, seed)
        self.root = root
        self.version = Version(version)
        self.words = Words(self.version, (root_url or self.base).rstrip('/'))
        self.check_s = check_s
        self.authorization = authorization
        self.users = {}
        self.repos = {}
        self.numbers = {'status': 0, 'comment': 0, 'hook': 0, 'review': 0,
                        'run': 0}
        self.routes = [(method, re.compile(pattern), name) for
                       method, pattern, name in ROUTES]

    def number(self, what):
        self.numbers[what] += 1
        return self.numbers[what]

    def add_user(self, login, token, scopes=('read', 'write', 'admin')):
        user = User(len(self.users) + 1, login, token, scopes)
        self.users[login] = user
        return user

    def add_repo(self, full_name, branch='main', private=True):
        owner, name = full_name.split('/')
        if owner not in self.users:
            self.add_user(owner, None)
        repo = Repo(self, len(self.repos) + 1, self.users[owner], name,
                    private, branch)
        self.repos[full_name.lower()] = repo
        return repo

    # --- answers -----------------------------------------------------------------

    def broken(self, error):
        return self.words.error(500 if not isinstance(
            error, json.JSONDecodeError) else 400, '')

    def who(self, request):
        """The user of a request; None without a token; raises 401."""
        header = request.headers.get('Authorization', '')
        kind, _, rest = header.partition(' ')
        tokens = []
        if kind.lower() in ('token', 'bearer'):
            tokens = [rest.strip()]
        elif kind.lower() == 'basic':
            try:
                tokens = base64.b64decode(rest).decode().split(':', 1)
            except ValueError:
                pass
        elif request.query.get('token') and not self.version.gitea(1, 23):
            tokens = [request.query['token']]
        if not header and not tokens:
            return None
        for user in self.users.values():
            if user.token and user.token in tokens:
                return user
        raise self.words.bad_token()

    def answer(self, request):
        if request.path.startswith('/api/v1/'):
            with self.lock:
                return self.rest(request, request.path[len('/api/v1'):])
        return self.git_http(request)

    def rest(self, request, path):
        request.user = self.who(request)
        for method, pattern, name in self.routes:
            m = pattern.fullmatch(path)
            if m is None or method != request.method:
                continue
            args = list(m.groups())
            if pattern.pattern.startswith('/repos/'):
                args = [self.repo_of(request, args[0], name)] + args[1:]
            return getattr(self, name)(request, *args)
        for method, pattern, name in self.routes:
            if pattern.fullmatch(path):
                return Answer(405)
        return self.words.not_found()

    def repo_of(self, request, full_name, name):
        repo = self.repos.get(full_name.lower())
        user = request.user
        writes = request.method != 'GET'
        if writes and user is None:
            raise self.words.no_token()
        if repo is None or (repo.private and user is None):
            raise self.words.not_found()
        if user is not None and not user.may('read'):
            raise self.words.no_scope('read:repository')
        if writes and (not user.may('write') or
                       'comment' in name and 'issue' in user.lacks):
            raise self.words.no_scope('write:issue' if 'comment' in name
                                      else 'write:repository')
        if 'protection' in name or 'hook' in name:
            if user is None or not user.may('admin'):
                raise self.words.error(
                    403, 'Must be a repository admin' if user else
                    'token is required')
        if writes and repo.archived:
            raise self.words.archived()
        return repo

    def listed(self, request, rows, show):
        limit = request.number('limit', PAGE)
        limit = PAGE if limit < 1 else min(limit, PAGE_MAX)
        page = max(request.number('page', 1), 1)
        last = max((len(rows) + limit - 1) // limit, 1)
        links = []

        def link(number, rel):
            query = dict(request.query, page=str(number), limit=str(limit))
            links.append('<%s%s?%s>; rel="%s"' % (
                self.words.root, request.raw_path,
                urllib.parse.urlencode(sorted(query.items())), rel))

        if page < last:
            link(page + 1, 'next')
            link(last, 'last')
        if page > 1:
            link(1, 'first')
            link(page - 1, 'prev')
        headers = {'X-Total-Count': str(len(rows)),
                   'Access-Control-Expose-Headers': 'Link, X-Total-Count'}
        if links:
            headers['Link'] = ','.join(links)
        return reply(200, [show(r) for r in page_of(rows, page, limit)],
                     headers)

    # --- the server ---------------------------------------------------------------

    def get_version(self, request):
        return reply(200, {'version': self.version.text})

    def get_settings(self, request):
        return reply(200, {'max_response_items': PAGE_MAX,
                           'default_paging_num': PAGE,
                           'default_git_trees_per_page': 1000,
                           'default_max_blob_size': 10485760,
                           'default_max_response_size': 104857600})

    def get_user(self, request):
        if request.user is None:
            return self.words.no_token()
        if 'user' in request.user.lacks:
            return self.words.no_scope('read:user')
        return reply(200, self.words.user(request.user))

    def get_repo(self, request, repo):
        return reply(200, self.words.repo(repo, request.user))

    # --- branches and commits -------------------------------------------------------

    def get_branches(self, request, repo):
        names = sorted(r[len('refs/heads/'):] for r in repo.git.refs()
                       if r.startswith('refs/heads/'))
        return self.listed(request, names,
                           lambda n: self.words.branch(repo, n,
                                                       request.user))

    def get_branch(self, request, repo, name):
        if repo.git.branch(name) is None:
            return self.words.not_found()
        return reply(200, self.words.branch(repo, name, request.user))

    def post_branch(self, request, repo):
        wish = request.json()
        name = wish.get('new_branch_name')
        old = wish.get('old_ref_name') or wish.get('old_branch_name') or \
            repo.default_branch
        start = repo.git.id_of(old)
        if not name:
            return self.words.error(422, '[BranchName]: Required')
        if start is None:
            return self.words.error(404, 'The old branch does not exist')
        if repo.git.branch(name):
            return self.words.error(409, 'The branch already exists.')
        before = repo.git.refs()
        repo.git.move('refs/heads/' + name, start, ZERO)
        repo.moved(before, request.user)
        return reply(201, self.words.branch(repo, name, request.user))

    def delete_branch(self, request, repo, name):
        wrong = self.branch_stays(repo, name)
        if wrong is not None:
            return wrong
        self.drop_branch(repo, name, request.user)
        return Answer(204)

    def branch_stays(self, repo, name):
        """Why a branch cannot be deleted, as an answer; None: it can."""
        if repo.git.branch(name) is None:
            return self.words.not_found()
        if name == repo.default_branch:
            return self.words.error(
                403, 'can not delete default or pull request target branch')
        if repo.rule_for(name):
            return self.words.error(403, 'branch protected')
        return None

    def drop_branch(self, repo, name, user):
        before = repo.git.refs()
        repo.git.run('update-ref', '-d', 'refs/heads/' + name)
        repo.moved(before, user)

    def get_git_ref(self, request, repo, ref):
        sha = repo.git.id_of('refs/' + ref)
        if sha is None:
            return self.words.not_found()
        return reply(200, [{'ref': 'refs/' + ref, 'url': '', 'object': {
            'type': 'commit', 'sha': sha, 'url': ''}}])

    def get_git_commit(self, request, repo, sha):
        full = repo.git.id_of(sha)
        if full is None:
            return self.words.not_found()
        return reply(200, self.words.git_commit(repo, full))

    # --- protection -------------------------------------------------------------------

    def get_protections(self, request, repo):
        return reply(200, repo.rules)

    def post_protection(self, request, repo):
        wish = request.json()
        name = wish.get('rule_name') or wish.get('branch_name')
        if not name:
            return self.words.error(422, 'both rule_name and branch_name '
                                    'are empty')
        rule = {key: wish.get(key, value) for key, value in RULE.items()}
        rule['rule_name'] = rule['branch_name'] = name
        repo.rules.append(rule)
        return reply(201, rule)

    def delete_protection(self, request, repo, name):
        if name not in [r['rule_name'] for r in repo.rules]:
            return self.words.not_found()
        repo.rules = [r for r in repo.rules if r['rule_name'] != name]
        return Answer(204)

    # --- hooks ------------------------------------------------------------------------

    def show_hook(self, hook):
        shown = dict(hook, config=dict(hook['config']))
        shown['config'].pop('secret', None)
        return shown

    def get_hooks(self, request, repo):
        return self.listed(request, list(repo.hooks.values()),
                           self.show_hook)

    def post_hook(self, request, repo):
        wish = request.json()
        config = wish.get('config') or {}
        if wish.get('type') not in ('gitea', 'forgejo', 'gogs'):
            return self.words.error(422, 'Invalid hook type: %s' %
                                    wish.get('type'))
        if not config.get('url') or config.get('content_type') not in (
                'json', 'form'):
            return self.words.error(422, 'Missing config option: url')
        hook = {'id': self.number('hook'), 'type': wish['type'],
                'branch_filter': '', 'config': config,
                'events': wish.get('events') or ['push'],
                'authorization_header': wish.get('authorization_header', ''),
                'active': bool(wish.get('active', False)),
                'updated_at': now(), 'created_at': now()}
        repo.hooks[hook['id']] = hook
        return reply(201, self.show_hook(hook))

    def patch_hook(self, request, repo, number):
        hook = repo.hooks.get(int(number))
        if hook is None:
            return self.words.not_found()
        wish = request.json()
        hook['config'].update(wish.get('config') or {})
        for key in ('events', 'active', 'authorization_header'):
            if key in wish:
                hook[key] = wish[key]
        return reply(200, self.show_hook(hook))

    def delete_hook(self, request, repo, number):
        if repo.hooks.pop(int(number), None) is None:
            return self.words.not_found()
        return Answer(204)

    # --- statuses ---------------------------------------------------------------------

    def post_status(self, request, repo, sha):
        if repo.git.id_of(sha) != sha:
            return self.words.error(500, '')
        wish = request.json()
        known = STATES + (('skipped',) if self.version.gitea(1, 25) else ())
        if wish.get('state') not in known:
            return self.words.error(422, '[State]: In')
        return reply(201, self.words.status(
            repo, self.add_status(repo, sha, request.user, wish)))

    def add_status(self, repo, sha, user, wish):
        s = Status(self.number('status'), sha, user, wish)
        repo.statuses.append(s)
        self.status_event(repo, s)
        for p in list(repo.pulls.values()):
            if p.state == 'open' and p.scheduled and p.head_id == sha:
                self.try_scheduled(repo, p)
        return s

    def get_statuses(self, request, repo, ref):
        sha = repo.git.id_of(ref)
        if sha is None:
            return self.words.not_found()
        rows = [s for s in reversed(repo.statuses) if s.sha == sha]
        return self.listed(request, rows,
                           lambda s: self.words.status(repo, s))

    def get_combined(self, request, repo, ref):
        sha = repo.git.id_of(ref)
        if sha is None:
            return self.words.not_found()
        newest = repo.newest_statuses(sha)
        limit = min(max(request.number('limit', PAGE), 1), PAGE_MAX)
        page = max(request.number('page', 1), 1)
        headers = {'X-Total-Count': str(len(newest))} if newest else {}
        return reply(200, self.words.combined(repo, sha, newest, page,
                                              limit), headers)

    # --- comments ---------------------------------------------------------------------

    def get_comments(self, request, repo, number):
        if int(number) not in repo.pulls:
            return self.words.not_found()
        return reply(200, [self.words.comment(repo, c) for c in
                           repo.comments_of(int(number))],
                     {'X-Total-Count':
                      str(len(repo.comments_of(int(number))))})

    def post_comment(self, request, repo, number):
        body = request.json().get('body')
        if not body:
            return self.words.error(422, '[Body]: Required')
        p = repo.pulls.get(int(number))
        if p is None:
            return self.words.not_found()
        if p.locked and not request.user.may('admin'):
            return self.words.error(403, '')
        c = Comment(self.number('comment'), p.number, request.user, body)
        repo.comments.append(c)
        self.comment_event(repo, c, 'created')
        return reply(201, self.words.comment(repo, c))

    def comment_of(self, repo, number):
        for c in repo.comments:
            if c.number == int(number):
                return c
        raise self.words.not_found()

    def patch_comment(self, request, repo, number):
        c = self.comment_of(repo, number)
        c.body = request.json().get('body', c.body)
        c.updated_at = now()
        self.comment_event(repo, c, 'edited')
        return reply(200, self.words.comment(repo, c))

    def delete_comment(self, request, repo, number):
        c = self.comment_of(repo, number)
        repo.comments.remove(c)
        self.comment_event(repo, c, 'deleted')
        return Answer(204)

    # --- pull requests ------------------------------------------------------------------

    def get_pulls(self, request, repo):
        rows = sorted(repo.pulls.values(), key=lambda p: -p.number)
        state = request.query.get('state', 'open')
        if state == 'open':
            rows = [p for p in rows if p.state == 'open']
        elif state == 'closed':
            rows = [p for p in rows if p.state != 'open']
        # Filters that a version does not know are ignored.
        q = request.query
        if self.version.gitea(1, 24) and q.get('base_branch'):
            rows = [p for p in rows if p.base == q['base_branch']]
        if self.version.forge(16):
            if q.get('base'):
                rows = [p for p in rows if p.base == q['base']]
            if q.get('head'):
                rows = [p for p in rows if p.head ==
                        q['head'].split(':')[-1]]
        return self.listed(request, rows, lambda p: self.words.pull(
            repo, p, request.user))

    def pull_of(self, repo, number):
        p = repo.pulls.get(int(number))
        if p is None:
            raise self.words.not_found()
        return p

    def get_pull(self, request, repo, number):
        return reply(200, self.words.pull(repo, self.pull_of(repo, number),
                                          request.user))

    def get_pull_of_branches(self, request, repo, base, head):
        """The oldest of the pair, whatever became of it."""
        head = head.split(':')[-1]
        for p in sorted(repo.pulls.values(), key=lambda p: p.number):
            if (p.base, p.head) == (base, head):
                return reply(200, self.words.pull(repo, p, request.user))
        return self.words.not_found()

    def post_pull(self, request, repo):
        wish = request.json()
        for key, name in (('head', 'Head'), ('base', 'Base'),
                          ('title', 'Title')):
            if not wish.get(key):
                return self.words.error(422, '[%s]: Required' % name)
        head = wish['head'].split(':')[-1]
        base = wish['base']
        if repo.git.branch(head) is None or repo.git.branch(base) is None:
            return self.words.not_found()
        old = repo.find_open(head, base)
        if old is not None:
            return self.words.error(
                409, 'pull request already exists for these targets [id: %d, '
                'issue_id: %d, head_repo_id: %d, base_repo_id: %d, '
                'head_branch: %s, base_branch: %s]' % (
                    old.number, 1000 + old.number, repo.number, repo.number,
                    head, base))
        if head == base:
            return self.words.error(422, 'Invalid PullRequest: There are no '
                                    'changes between the head and the base')
        p = repo.open_pull(request.user, head, base, wish['title'],
                           wish.get('body') or '')
        return reply(201, self.words.pull(repo, p, request.user))

    def patch_pull(self, request, repo, number):
        p = self.pull_of(repo, number)
        wish = request.json()
        state = wish.get('state')
        if p.state == 'merged' and state:
            return self.words.error(412, "cannot change state of this pull "
                                    "request, it was already merged")
        edited = False
        for key in ('title', 'body'):
            if key in wish and wish[key] != getattr(p, key):
                setattr(p, key, wish[key])
                edited = True
        if wish.get('base') and wish['base'] != p.base:
            if repo.git.branch(wish['base']) is None:
                return self.words.error(404, 'new base \'%s\' not exist' %
                                        wish['base'])
            p.base = wish['base']
            repo.look(p)
            edited = True
        p.updated_at = now()
        if state == 'closed' and p.state == 'open':
            repo.close(p, request.user)
        elif state == 'open' and p.state == 'closed':
            if not p.head_there(repo):
                return self.words.error(412, '')
            p.state, p.closed_at = 'open', None
            repo.look(p)
            self.pull_event(repo, p, request.user, 'reopened')
        elif edited:
            self.pull_event(repo, p, request.user, 'edited')
        return reply(201, self.words.pull(repo, p, request.user))

    def get_merged(self, request, repo, number):
        p = self.pull_of(repo, number)
        return Answer(204) if p.state == 'merged' else self.words.not_found()

    def get_reviews(self, request, repo, number):
        p = self.pull_of(repo, number)
        return self.listed(request, p.reviews, self.show_review)

    def show_review(self, r):
        return dict(r, user=self.words.user(r['user']))

    def post_review(self, request, repo, number):
        p = self.pull_of(repo, number)
        wish = request.json()
        state = {'APPROVE': 'APPROVED'}.get(wish.get('event'),
                                            wish.get('event'))
        if state not in ('APPROVED', 'REQUEST_CHANGES', 'COMMENT'):
            return self.words.error(422, 'unknown event')
        if state != 'COMMENT' and request.user is p.user:
            return self.words.error(422, 'approve your own pull is not '
                                    'allowed')
        review = {'id': self.number('review'), 'user': request.user,
                  'state': state, 'body': wish.get('body', ''),
                  'commit_id': p.head_id, 'stale': False, 'official': True,
                  'dismissed': False, 'comments_count': 0,
                  'submitted_at': now(),
                  'html_url': '', 'pull_request_url': ''}
        # A judgement takes the same person's earlier ones back.
        for old in p.reviews:
            if state != 'COMMENT' and old['user'] is request.user and \
                    old['state'] != 'COMMENT':
                old.update(dismissed=True, official=False)
        p.reviews.append(review)
        self.review_event(repo, p, request.user, state, review['body'])
        return reply(200, self.show_review(review))

    def post_dismissal(self, request, repo, number, review):
        for r in self.pull_of(repo, number).reviews:
            if r['id'] == int(review):
                r['dismissed'] = True
                return reply(200, self.show_review(r))
        return self.words.not_found()

    # --- merging ----------------------------------------------------------------------

    def merge_wish(self, request):
        """Form's fields; snake case is understood from Gitea 1.26 only."""
        wish = request.json()
        form = {'style': wish.get('Do'),
                'title': wish.get('MergeTitleField'),
                'message': wish.get('MergeMessageField')}
        if self.version.gitea(1, 26):
            form['style'] = form['style'] or wish.get('do')
            form['title'] = form['title'] or wish.get('merge_title_field')
            form['message'] = form['message'] or \
                wish.get('merge_message_field')
        form['head'] = wish.get('head_commit_id')
        form['delete'] = wish.get('delete_branch_after_merge')
        form['when'] = wish.get('merge_when_checks_succeed')
        form['force'] = wish.get('force_merge')
        form['commit'] = wish.get('MergeCommitID')
        return form

    def post_merge(self, request, repo, number):
        p = self.pull_of(repo, number)
        form = self.merge_wish(request)
        if not form['style']:
            return self.words.error(422, '[Do]: Required')
        if form['style'] not in STYLES + ('manually-merged',):
            return self.words.error(422, '[Do]: In')
        if p.state == 'merged':
            return self.words.already_merged()
        if p.state == 'closed':
            return self.words.not_found()
        if p.wip():
            return self.words.error(405, 'Work in progress PRs cannot be '
                                    'merged')
        if p.checking() or p.conflicting:
            return self.words.error(405, 'Please try again later')
        if not repo.lets_merge(p.base, request.user):
            return self.words.error(405, 'User not allowed to merge PR')
        try:
            repo.check_protection(p)
        except Refused as e:
            if form['when']:
                p.scheduled = dict(form, user=request.user)
                return Answer(201)
            if not (form['force'] and request.user.may('admin')):
                return self.words.blocked(str(e))
        return self.land(repo, p, request.user, form)

    def try_scheduled(self, repo, p):
        try:
            repo.check_protection(p)
        except Refused:
            return
        form = p.scheduled
        p.scheduled = None
        self.land(repo, p, form['user'], form)

    def land(self, repo, p, user, form):
        if form['style'] == 'manually-merged':
            if not form['commit'] or not repo.git.contains(
                    repo.git.branch(p.base), form['commit']):
                return self.words.error(405, 'Wrong commit ID')
            repo.landed(p, user, form['commit'])
            return Answer(200)
        if form['style'] not in repo.styles:
            return self.words.error(
                405, '%s is not allowed an allowed merge style for this '
                'repository' % form['style'])
        if form['head'] and form['head'] != p.head_id:
            return self.words.error(409, 'head out of date')
        message = '\n\n'.join(t for t in (form['title'] or "Merge pull "
                              "request '%s' (#%d) from %s into %s" % (
                                  p.title, p.number, p.head, p.base),
                              form['message']) if t)
        repo.overtaken(p.base)
        before = repo.git.refs()
        try:
            base, commit = repo.merge(p, user, form['style'], message)
            repo.git.move('refs/heads/' + p.base, commit, base)
        except ValueError:
            # Nothing in the server knows this refusal by name.
            return self.words.error(500, '')
        except GitError as e:
            return reply(409, {'Style': form['style'], 'StdOut': e.out,
                               'StdErr': e.err, 'Err': {}})
        repo.landed(p, user, commit)
        repo.moved(before, user, quiet=(p,))
        return self.after_merge(repo, p, user, form)

    def after_merge(self, repo, p, user, form):
        if not form['delete']:
            return Answer(200)
        wrong = self.branch_stays(repo, p.head)
        if wrong is None:
            self.drop_branch(repo, p.head, user)
        elif not self.version.gitea(1, 25):
            # It is merged all the same.
            return wrong
        return Answer(200)

    # --- git ----------------------------------------------------------------------------

    def git_http(self, request):
        m = re.fullmatch(r'/([^/]+/[^/]+?)(?:\.git)?(/(?:info/refs|HEAD|'
                         r'git-upload-pack|git-receive-pack|objects/.*))',
                         request.path)
        if m is None:
            return Answer(404, 'Not found.\n', ctype='text/plain')
        ask = {'WWW-Authenticate': 'Basic realm="Gitea"'}
        try:
            user = self.who(request)
        except Answer:
            return Answer(401, 'Unauthorized\n', ask, 'text/plain')
        repo = self.repos.get(m.group(1).lower())
        push = 'git-receive-pack' in (request.path + request.query_string)
        if user is None and (repo is None or repo.private or push):
            return Answer(401, 'Unauthorized\n', ask, 'text/plain')
        if repo is None:
            return Answer(404, 'Repository not found\n', {}, 'text/plain')
        if user is not None and not user.may('write' if push else 'read'):
            return Answer(403, 'Forbidden\n', {}, 'text/plain')
        if push and repo.archived:
            return Answer(403, 'This repo is archived. You can view files '
                          'and clone it, but cannot push or open '
                          'issues/pull-requests.', {}, 'text/plain')
        path = '/%s.git%s' % (repo.full_name, m.group(2))
        if request.method != 'POST' or not push:
            return backend(self.root, path, request,
                           user.login if user else None, [])
        with self.lock:
            before = repo.git.refs()
            answer = backend(self.root, path, request, user.login,
                             repo.no_pushes())
            repo.moved(before, user)
        return answer

    # --- orders of a test -----------------------------------------------------------------

    def more_control(self, call, wish):
        with self.lock:
            if call == 'POST user':
                user = self.users[wish['login']]
                user.scopes = tuple(wish.get('scopes', user.scopes))
                user.lacks = set(wish.get('lacks', ()))
                return Answer(200, {})
            repo = self.repos.get(str(wish.get('repo', '')).lower())
            if repo is None:
                raise Answer(404, {'error': 'no such repo'})
            if call == 'POST repo':
                for key in ('archived', 'autodetect', 'private'):
                    if key in wish:
                        setattr(repo, key, bool(wish[key]))
                if 'pulls' in wish:
                    repo.has_pulls = bool(wish['pulls'])
                if 'styles' in wish:
                    repo.styles = set(wish['styles'])
                if 'overtake' in wish:
                    repo.overtake = wish['overtake']
            elif call == 'POST ci':
                s = self.add_status(repo, wish['sha'], repo.owner, wish)
                self.run_event(repo, s)
            else:
                return super().more_control(call, wish)
        return Answer(200, {})

    def state(self):
        return {name: {
            'branches': {r[len('refs/heads/'):]: sha for r, sha in
                         repo.git.refs().items()
                         if r.startswith('refs/heads/')},
            'pulls': [{'number': p.number, 'state': p.state, 'head': p.head,
                       'base': p.base, 'head_id': p.head_id,
                       'title': p.title, 'merge_commit': p.merge_commit}
                      for p in repo.pulls.values()],
            'comments': [{'issue': c.issue, 'user': c.user.login,
                          'body': c.body} for c in repo.comments],
            'statuses': [{'sha': s.sha, 'context': s.context,
                          'state': s.state} for s in repo.statuses]}
            for name, repo in self.repos.items()}


R = r'/repos/([^/]+/[^/]+)'
ROUTES = [
    ('GET', r'/version', 'get_version'),
    ('GET', r'/settings/api', 'get_settings'),
    ('GET', r'/user', 'get_user'),
    ('GET', R, 'get_repo'),
    ('GET', R + r'/branches', 'get_branches'),
    ('POST', R + r'/branches', 'post_branch'),
    ('GET', R + r'/branches/(.+)', 'get_branch'),
    ('DELETE', R + r'/branches/(.+)', 'delete_branch'),
    ('GET', R + r'/git/refs/(.+)', 'get_git_ref'),
    ('GET', R + r'/git/commits/([^/]+)', 'get_git_commit'),
    ('GET', R + r'/branch_protections', 'get_protections'),
    ('POST', R + r'/branch_protections', 'post_protection'),
    ('DELETE', R + r'/branch_protections/(.+)', 'delete_protection'),
    ('GET', R + r'/hooks', 'get_hooks'),
    ('POST', R + r'/hooks', 'post_hook'),
    ('PATCH', R + r'/hooks/(\d+)', 'patch_hook'),
    ('DELETE', R + r'/hooks/(\d+)', 'delete_hook'),
    ('POST', R + r'/statuses/([^/]+)', 'post_status'),
    ('GET', R + r'/statuses/([^/]+)', 'get_statuses'),
    ('GET', R + r'/commits/(.+)/status', 'get_combined'),
    ('GET', R + r'/commits/(.+)/statuses', 'get_statuses'),
    ('GET', R + r'/issues/(\d+)/comments', 'get_comments'),
    ('POST', R + r'/issues/(\d+)/comments', 'post_comment'),
    ('PATCH', R + r'/issues/comments/(\d+)', 'patch_comment'),
    ('DELETE', R + r'/issues/comments/(\d+)', 'delete_comment'),
    ('GET', R + r'/pulls', 'get_pulls'),
    ('POST', R + r'/pulls', 'post_pull'),
    ('GET', R + r'/pulls/(\d+)', 'get_pull'),
    ('PATCH', R + r'/pulls/(\d+)', 'patch_pull'),
    ('GET', R + r'/pulls/(\d+)/merge', 'get_merged'),
    ('POST', R + r'/pulls/(\d+)/merge', 'post_merge'),
    ('GET', R + r'/pulls/(\d+)/reviews', 'get_reviews'),
    ('POST', R + r'/pulls/(\d+)/reviews', 'post_review'),
    ('POST', R + r'/pulls/(\d+)/reviews/(\d+)/dismissals',
     'post_dismissal'),
    ('GET', R + r'/pulls/([^/]+)/(.+)', 'get_pull_of_branches'),
]


def main():
    p = argparse.ArgumentParser(description='a stand-in for a forge')
    p.add_argument('--root', required=True)
    p.add_argument('--host', default='127.0.0.1')
    p.add_argument('--port', type=int, default=0)
    p.add_argument('--version', default='1.26.1')
    p.add_argument('--root-url')
    p.add_argument('--user', action='append', default=[])
    p.add_argument('--repo', action='append', default=[])
    p.add_argument('--public', action='store_true')
    p.add_argument('--check', type=float, default=0.0)
    p.add_argument('--authorization')
    p.add_argument('--seed', type=int, default=1)
    p.add_argument('--ready')
    a = p.parse_args()
    forge = Forge(a.root, a.host, a.port, a.version, a.root_url, a.check,
                  a.seed, a.authorization)
    for user in a.user:
        login, token, scopes = user.split(':')
        forge.add_user(login, token, tuple(scopes.split(',')))
    for repo in a.repo:
        name, _, branch = repo.partition(':')
        forge.add_repo(name, branch or 'main', not a.public)
    run_until_killed(forge, a.ready)


if __name__ == '__main__':
    main()
