# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.


"""What the forge stand-in tells by webhook, and in which words."""

from forge_git import ZERO
from forge_words import fresh_headers, hook_body, hook_headers


class Events:
    """For a server that has words, version, authorization and a sender."""

    def new_headers(self, delivery):
        return fresh_headers(delivery['headers'])

    def fire(self, repo, event, event_type, payload, action=''):
        for hook in repo.hooks.values():
            wanted = set(hook['events'])
            if not hook['active'] or not wanted & {
                    '*', event_type, event, event_type.split('_')[0],
                    'pull_request' if event_type.startswith('pull_request')
                    else event_type}:
                continue
            form = hook['config'].get('content_type') == 'form'
            body, signed = hook_body(payload, form)
            headers = hook_headers(
                self.version, event, event_type, signed,
                hook['config'].get('secret'), form,
                hook.get('authorization_header') or self.authorization)
            self.sender.send(hook['id'], hook['config']['url'], headers, body,
                             event_type, action)

    def ref_event(self, repo, ref, kind, user):
        kinds = {'refs/heads/': 'branch', 'refs/tags/': 'tag'}
        for prefix, ref_type in kinds.items():
            if ref.startswith(prefix):
                short = ref[len(prefix):]
                break
        payload = {'ref': ref if self.version.gitea(1, 25) else short,
                   'ref_type': ref_type}
        if kind == 'create':
            payload = {'sha': repo.git.id_of(ref), **payload,
                       'default_branch': repo.default_branch}
        else:
            payload['pusher_type'] = 'user'
        payload['repository'] = self.words.repo(repo)
        payload['sender'] = self.words.user(user)
        self.fire(repo, kind, kind, payload)

    def push_event(self, repo, ref, old, new, user):
        commits = []
        if new != ZERO and ref.startswith('refs/heads/'):
            start = old if old != ZERO else repo.git.branch(
                repo.default_branch)
            commits = repo.git.between(start, new) if start and start != new \
                else []
        most = 15 if self.version.forgejo else 5
        url = '%s/%s/compare/%s...%s' % (self.words.root, repo.full_name,
                                         old, new)
        payload = {'ref': ref, 'before': old, 'after': new,
                   'compare_url': url if old != ZERO else
                   self.words.root + '/',
                   'commits': [self.words.commit(repo, c, True)
                               for c in commits[:most]],
                   'total_commits': len(commits),
                   'head_commit': self.words.commit(repo, new, True)
                   if new != ZERO and ref.startswith('refs/heads/') else None,
                   'repository': self.words.repo(repo),
                   'pusher': self.words.user(user),
                   'sender': self.words.user(user)}
        self.fire(repo, 'push', 'push', payload)

    def pull_event(self, repo, p, user, action, **more):
        event_type = {'synchronized': 'pull_request_sync'}.get(
            action, 'pull_request')
        payload = {'action': action, 'number': p.number}
        if more and self.version.gitea(1, 27):
            payload.update(more)
        payload.update({'pull_request': self.words.pull(repo, p),
                        'requested_reviewer': None,
                        'repository': self.words.repo(repo, user),
                        'sender': self.words.user(user),
                        'commit_id': '', 'review': None})
        self.fire(repo, 'pull_request', event_type, payload, action)

    def review_event(self, repo, p, user, state, body):
        kind = {'APPROVED': 'approved', 'REQUEST_CHANGES': 'rejected',
                'COMMENT': 'comment'}[state]
        payload = {'action': 'reviewed', 'number': p.number,
                   'pull_request': self.words.pull(repo, p),
                   'requested_reviewer': None,
                   'repository': self.words.repo(repo, user),
                   'sender': self.words.user(user), 'commit_id': '',
                   'review': {'type': 'pull_request_review_' + kind,
                              'content': body}}
        self.fire(repo, 'pull_request_' + kind,
                  'pull_request_review_' + kind, payload, 'reviewed')

    def comment_event(self, repo, c, action):
        p = repo.pulls[c.issue]
        issue = self.words.pull(repo, p)
        for key in ('base', 'head', 'mergeable', 'merge_base', 'diff_url',
                    'patch_url', 'merge_commit_sha', 'merged_by'):
            issue.pop(key, None)
        issue['pull_request'] = {'merged': issue.pop('merged'),
                                 'merged_at': issue.pop('merged_at'),
                                 'draft': p.wip(),
                                 'html_url': issue['html_url']}
        payload = {'action': action, 'issue': issue,
                   'comment': self.words.comment(repo, c),
                   'repository': self.words.repo(repo, c.user),
                   'sender': self.words.user(c.user), 'is_pull': True}
        self.fire(repo, 'issue_comment', 'pull_request_comment', payload,
                  action)

    def status_event(self, repo, s):
        if not self.version.gitea(1, 23):
            return
        payload = {'commit': self.words.commit(repo, s.sha, True),
                   'context': s.context, 'created_at': s.created_at,
                   'description': s.description, 'id': s.number,
                   'repository': self.words.repo(repo),
                   'sender': self.words.user(s.creator), 'sha': s.sha,
                   'state': s.state, 'target_url': s.target_url,
                   'updated_at': None}
        self.fire(repo, 'status', 'status', payload, s.state)

    def run_event(self, repo, s):
        """The run of a workflow, told in the way of the version."""
        user = s.creator
        done = s.state in ('success', 'failure', 'error')
        ending = 'success' if s.state == 'success' else 'failure'
        run = {'id': self.number('run'), 'html_url': s.target_url,
               'display_title': s.context, 'path': 'ci.yml@refs/heads/x',
               'event': 'push', 'run_attempt': 1,
               'run_number': self.numbers['run'], 'head_sha': s.sha,
               'status': 'completed' if done else 'in_progress',
               'conclusion': ending if done else '',
               'actor': self.words.user(user),
               'repository': self.words.repo(repo)}
        for p in repo.pulls.values():
            if p.head_id == s.sha:
                # A run that a pull request started has no head_branch.
                run['event'] = 'pull_request'
                run['path'] = 'ci.yml@refs/pull/%d/head' % p.number
        if run['event'] == 'push':
            run['head_branch'] = repo.default_branch
        common = {'repository': self.words.repo(repo),
                  'sender': self.words.user(user)}
        if self.version.gitea(1, 25):
            self.fire(repo, 'workflow_run', 'workflow_run', {
                'action': 'completed' if done else 'in_progress',
                'workflow': {'id': 'ci.yml', 'name': 'ci',
                             'path': '.gitea/workflows/ci.yml',
                             'state': 'active'},
                'workflow_run': run, **common}, s.state)
        elif self.version.forgejo and done:
            event = 'action_run_' + ending
            self.fire(repo, event, event, {'action': ending, 'run': run,
                                           **common}, s.state)
