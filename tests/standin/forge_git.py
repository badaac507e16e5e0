# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.

"""Git, as the forge stand-in needs it: bare repositories, merges without a
work tree, and `git http-backend` behind the same server."""

import os
import subprocess
import tempfile

from common import Answer

ZERO = '0' * 40

# Runs in the repository for each push; what it refuses is said by the names
# in its environment, so that the rules stay in one place.
PRE_RECEIVE = '''#!/bin/sh
while read -r old new ref; do
	case $ref in
	refs/pull/*)
		echo "Gitea: the ref $ref is not for pushes" >&2
		exit 1
		;;
	esac
	for rule in $STANDIN_PROTECTED; do
		case $ref in
		refs/heads/$rule)
			echo "Gitea: Not allowed to push to protected branch" \\
			    "${ref#refs/heads/}" >&2
			exit 1
			;;
		esac
	done
done
'''


class GitError(Exception):
    def __init__(self, out, err):
        super().__init__(err.strip() or out.strip())
        self.out = out
        self.err = err


class Git:
    def __init__(self, path):
        self.path = path

    ENV = {'PATH': os.environ.get('PATH', '/usr/bin:/bin'),
           'HOME': '/nonexistent', 'LC_ALL': 'C',
           'GIT_CONFIG_NOSYSTEM': '1', 'GIT_CONFIG_GLOBAL': '/dev/null',
           'GIT_AUTHOR_NAME': 'Forge', 'GIT_AUTHOR_EMAIL': 'forge@localhost',
           'GIT_COMMITTER_NAME': 'Forge',
           'GIT_COMMITTER_EMAIL': 'forge@localhost'}

    def run(self, *args, stdin=None, who=None, check=True):
        env = dict(self.ENV)
        if who:
            env['GIT_AUTHOR_NAME'] = env['GIT_COMMITTER_NAME'] = who
        p = subprocess.run(['git', '--git-dir=' + self.path] + list(args),
                           input=stdin, env=env, text=True,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if check and p.returncode != 0:
            raise GitError(p.stdout, p.stderr)
        return p.stdout.strip() if check else p

    @classmethod
    def create(cls, path, branch):
        git = cls(path)
        os.makedirs(path, exist_ok=True)
        git.run('init', '-q', '--bare', '--initial-branch=' + branch, path)
        git.run('config', 'http.receivepack', 'true')
        git.run('config', 'uploadpack.allowAnySHA1InWant', 'true')
        hook = os.path.join(path, 'hooks', 'pre-receive')
        os.makedirs(os.path.dirname(hook), exist_ok=True)
        with open(hook, 'w') as f:
            f.write(PRE_RECEIVE)
        os.chmod(hook, 0o755)
        return git

    def refs(self):
        """{name: id} of branches and tags."""
        out = self.run('for-each-ref', '--format=%(refname) %(objectname)',
                       'refs/heads', 'refs/tags')
        return dict(line.split(' ') for line in out.splitlines())

    def id_of(self, ref):
        p = self.run('rev-parse', '--verify', '-q', ref + '^{commit}',
                     check=False)
        return p.stdout.strip() if p.returncode == 0 else None

    def branch(self, name):
        return self.id_of('refs/heads/' + name)

    def contains(self, commit, other):
        """Is other an ancestor of commit?"""
        return self.run('merge-base', '--is-ancestor', other, commit,
                        check=False).returncode == 0

    def merge_base(self, a, b):
        p = self.run('merge-base', a, b, check=False)
        return p.stdout.strip() if p.returncode == 0 else ''

    def between(self, old, new):
        """Commits of new that old has not, newest first."""
        return self.run('rev-list', new, '^' + old).split()

    def conflicts(self, a, b):
        """The tree of a merge, or raise GitError with what git says."""
        p = self.run('merge-tree', '--write-tree', a, b, check=False)
        if p.returncode != 0:
            raise GitError(p.stdout, p.stderr)
        return p.stdout.split()[0]

    def move(self, ref, new, old):
        self.run('update-ref', ref, new, old)

    def commit(self, tree, parents, message, who):
        args = ['commit-tree', tree]
        for p in parents:
            args += ['-p', p]
        return self.run(*args, stdin=message, who=who)

    def rebased(self, base, head, who):
        """head's own commits on top of base; raises GitError."""
        with tempfile.TemporaryDirectory() as d:
            env = dict(self.ENV, GIT_COMMITTER_NAME=who)
            work = os.path.join(d, 'w')

            def git(*args):
                p = subprocess.run(['git'] + list(args), env=env, text=True,
                                   stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
                if p.returncode != 0:
                    raise GitError(p.stdout, p.stderr)
                return p.stdout.strip()

            git('--git-dir=' + self.path, 'worktree', 'add', '-q',
                '--detach', work, head)
            try:
                git('-C', work, 'rebase', '-q', base)
                return git('-C', work, 'rev-parse', 'HEAD')
            finally:
                git('--git-dir=' + self.path, 'worktree', 'remove', '-f',
                    work)

    def facts(self, commit):
        """What a payload says of a commit."""
        out = self.run('show', '-s', '--format=%an%x00%ae%x00%aI%x00%cn%x00'
                       '%ce%x00%cI%x00%T%x00%P%x00%B', commit)
        an, ae, ad, cn, ce, cd, tree, parents, message = out.split('\0')
        files = {'A': [], 'D': [], 'M': []}
        changed = self.run('diff-tree', '--root', '--no-commit-id', '-r',
                           '-m', '--first-parent', '--name-status',
                           '--no-renames', commit)
        for line in changed.splitlines():
            kind, name = line.split('\t', 1)
            files.get(kind[0], files['M']).append(name)
        return {'id': commit, 'author': (an, ae, ad),
                'committer': (cn, ce, cd), 'tree': tree,
                'parents': parents.split(), 'message': message + '\n',
                'added': files['A'], 'removed': files['D'],
                'modified': files['M']}


def backend(root, path, request, user, protected):
    """Let git http-backend answer; path is below root."""
    env = dict(Git.ENV, GIT_PROJECT_ROOT=root, GIT_HTTP_EXPORT_ALL='1',
               PATH_INFO=path, QUERY_STRING=request.query_string,
               REQUEST_METHOD=request.method, REMOTE_ADDR='127.0.0.1',
               CONTENT_TYPE=request.headers.get('Content-Type', ''),
               CONTENT_LENGTH=str(len(request.body)),
               STANDIN_PROTECTED=' '.join(protected))
    if user:
        env['REMOTE_USER'] = user
    if request.headers.get('Content-Encoding'):
        env['HTTP_CONTENT_ENCODING'] = request.headers['Content-Encoding']
    if request.headers.get('Git-Protocol'):
        env['GIT_PROTOCOL'] = request.headers['Git-Protocol']
    # A name in the list is a pattern for the hook's shell, not for this one.
    p = subprocess.run(['git', 'http-backend'], input=request.body, env=env,
                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    head, _, body = p.stdout.partition(b'\r\n\r\n')
    status, headers = 200, {}
    for line in head.decode('latin-1').split('\r\n'):
        name, _, value = line.partition(': ')
        if name.lower() == 'status':
            status = int(value.split()[0])
        elif name:
            headers[name] = value
    return Answer(status, body, headers)
