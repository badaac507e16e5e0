# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.

"""What the forge stand-in holds: users, repositories, pull requests,
statuses, comments, hooks and branch protection; and what follows when
branches move."""

import fnmatch
import os
import time

from forge_git import Git, GitError, ZERO
from forge_words import now

STYLES = ('merge', 'rebase', 'rebase-merge', 'squash', 'fast-forward-only')


class User:
    """scopes: some of read, write, admin; each includes those before it."""

    def __init__(self, number, login, token, scopes):
        self.number = number
        self.login = login
        self.token = token
        self.scopes = scopes
        self.lacks = set()              # of "issue" and "user"

    def may(self, what):
        order = ('read', 'write', 'admin')
        return any(order.index(s) >= order.index(what) for s in self.scopes)


class Status:
    def __init__(self, number, sha, creator, wish):
        self.number = number
        self.sha = sha
        self.creator = creator
        self.state = wish.get('state', 'pending') or 'pending'
        self.context = wish.get('context') or 'default'
        self.description = wish.get('description', '') or ''
        self.target_url = wish.get('target_url', '') or ''
        self.created_at = now()


class Comment:
    def __init__(self, number, issue, user, body):
        self.number = number
        self.issue = issue
        self.user = user
        self.body = body
        self.created_at = self.updated_at = now()


class Pull:
    def __init__(self, number, user, head, base, title, body):
        self.number = number
        self.user = user
        self.head = head
        self.base = base
        self.title = title
        self.body = body
        self.state = 'open'             # open, closed, merged
        self.head_id = None
        self.merge_base = ''
        self.merge_commit = None
        self.merged_by = None
        self.merged_at = self.closed_at = None
        self.created_at = self.updated_at = now()
        self.checked_until = 0.0        # the conflict check runs so long
        self.conflicting = False
        self.locked = False
        self.scheduled = None           # a merge when the checks succeed
        self.reviews = []

    def wip(self):
        return self.title.upper().startswith(('WIP:', '[WIP]'))

    def head_there(self, repo):
        return repo.git.branch(self.head) is not None

    def checking(self):
        return time.monotonic() < self.checked_until

    def mergeable(self, repo):
        """False while it is looked at; without a meaning once merged."""
        return not self.checking() and not self.conflicting

    def approvals(self):
        last = {}
        for r in self.reviews:
            if r['state'] in ('APPROVED', 'REQUEST_CHANGES'):
                last[r['user'].login] = r
        return list(last.values())


class Refused(Exception):
    """The branch protection does not let a merge happen."""


class Repo:
    def __init__(self, forge, number, owner, name, private, branch):
        self.forge = forge
        self.number = number
        self.owner = owner
        self.name = name
        self.full_name = owner.login + '/' + name
        self.private = private
        self.default_branch = branch
        self.archived = False
        self.autodetect = False         # a push may be a manual merge
        self.styles = set(STYLES)
        self.overtake = None    # a commit: see overtaken()
        self.has_pulls = True
        self.rules = []
        self.pulls = {}
        self.issues = 0
        self.statuses = []
        self.comments = []
        self.hooks = {}
        self.git = Git.create(os.path.join(forge.root, owner.login,
                                           name + '.git'), branch)

    def comments_of(self, issue):
        return [c for c in self.comments if c.issue == issue]

    # --- protection ------------------------------------------------------------

    def rule_for(self, branch):
        for rule in self.rules:
            if rule['rule_name'] == branch:
                return rule
        for rule in self.rules:
            if fnmatch.fnmatchcase(branch, rule['rule_name']):
                return rule
        return None

    def lets_merge(self, branch, user):
        rule = self.rule_for(branch)
        return user is not None and user.may('write') and (
            rule is None or not rule['enable_merge_whitelist'] or
            user.login in rule['merge_whitelist_usernames'])

    def no_pushes(self):
        return [r['rule_name'] for r in self.rules if not r['enable_push']]

    def newest_statuses(self, sha):
        """One a context, the newest, in the order of their contexts' birth."""
        last = {}
        for s in self.statuses:
            if s.sha == sha:
                last[s.context] = s
        return list(last.values())

    def check_protection(self, p):
        rule = self.rule_for(p.base)
        if rule is None:
            return
        if rule['enable_status_check'] and not self.checks_pass(
                rule, self.newest_statuses(p.head_id)):
            raise Refused('Not all required status checks successful')
        granted = [r for r in p.approvals() if r['state'] == 'APPROVED']
        if len(granted) < rule['required_approvals']:
            raise Refused('Does not have enough approvals')
        if rule['block_on_rejected_reviews'] and \
                len(granted) < len(p.approvals()):
            raise Refused('There are requested changes')
        base = self.git.branch(p.base)
        if rule['block_on_outdated_branch'] and \
                not self.git.contains(p.head_id, base):
            raise Refused('The head branch is behind the base branch')

    @staticmethod
    def checks_pass(rule, newest):
        wanted = rule['status_check_contexts']
        if not wanted:
            return bool(newest) and all(s.state == 'success' for s in newest)
        return all(any(fnmatch.fnmatchcase(s.context, w) and
                       s.state == 'success' for s in newest)
                   for w in wanted)

    # --- pull requests -----------------------------------------------------------

    def look(self, p):
        """Its head and target have moved: the server looks at it again."""
        head = self.git.branch(p.head)
        base = self.git.branch(p.base)
        if head is None or base is None:
            return
        p.head_id = head
        p.merge_base = self.git.merge_base(base, head)
        p.checked_until = time.monotonic() + self.forge.check_s
        try:
            self.git.conflicts(base, head)
            p.conflicting = False
        except GitError:
            p.conflicting = True
        self.git.run('update-ref', 'refs/pull/%d/head' % p.number, head)

    def open_pull(self, user, head, base, title, body):
        self.issues += 1
        p = Pull(self.issues, user, head, base, title, body)
        self.pulls[p.number] = p
        self.look(p)
        self.forge.pull_event(self, p, user, 'opened')
        return p

    def find_open(self, head, base):
        for p in self.pulls.values():
            if p.state == 'open' and (p.head, p.base) == (head, base):
                return p
        return None

    def close(self, p, user):
        p.state = 'closed'
        p.closed_at = p.updated_at = now()
        self.forge.pull_event(self, p, user, 'closed')

    def landed(self, p, user, commit):
        p.state = 'merged'
        p.merge_commit = commit
        p.merged_by = user
        p.merged_at = p.closed_at = p.updated_at = now()
        self.forge.pull_event(self, p, user, 'closed')

    def merge(self, p, user, style, message):
        """The commit that lands; raises GitError on a conflict."""
        base = self.git.branch(p.base)
        head = p.head_id
        who = user.login
        if style == 'fast-forward-only':
            if not self.git.contains(head, base):
                raise ValueError('diverging')
            return base, head
        if style in ('rebase', 'rebase-merge'):
            top = self.git.rebased(base, head, who)
            if style == 'rebase':
                return base, top
            return base, self.git.commit(top + '^{tree}', [base, top],
                                         message, who)
        tree = self.git.conflicts(base, head)
        parents = [base] if style == 'squash' else [base, head]
        return base, self.git.commit(tree, parents, message, who)

    # --- branches move -------------------------------------------------------------

    def overtaken(self, base):
        """A push of somebody's that the client of a merge did not see."""
        commit, self.overtake = self.overtake, None
        if commit:
            before = self.git.refs()
            ref = 'refs/heads/' + base
            self.git.move(ref, commit, before[ref])
            self.moved(before, self.owner)

    def moved(self, before, user, quiet=()):
        """Refs have changed since before: tell everybody whom it concerns."""
        after = self.git.refs()
        for ref in sorted(set(before) | set(after)):
            old, new = before.get(ref, ZERO), after.get(ref, ZERO)
            if old != new:
                self.ref_moved(ref, old, new, user, quiet)
        return after

    def ref_moved(self, ref, old, new, user, quiet):
        forge = self.forge
        if new == ZERO:
            forge.ref_event(self, ref, 'delete', user)
            if ref.startswith('refs/tags/'):
                forge.push_event(self, ref, old, new, user)
                return
            for p in list(self.pulls.values()):
                if p.state == 'open' and 'refs/heads/' + p.head == ref:
                    self.close(p, user)
            return
        if old == ZERO:
            forge.ref_event(self, ref, 'create', user)
        forge.push_event(self, ref, old, new, user)
        name = ref[len('refs/heads/'):]
        for p in list(self.pulls.values()):
            if p.state != 'open' or not ref.startswith('refs/heads/'):
                continue
            if p.head == name:
                before = p.head_id
                p.updated_at = now()
                self.look(p)
                forge.pull_event(self, p, user, 'synchronized',
                                 before=before, after=new)
            elif p.base == name and p not in quiet:
                self.look(p)
                if self.autodetect and self.git.contains(new, p.head_id):
                    self.landed(p, user, new)
