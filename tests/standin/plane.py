#!/usr/bin/env python3
# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.

"""A stand-in for Plane, community edition.

    plane.py [--host H] [--port P] [--version V] [--workspace SLUG]
             [--project IDENTIFIER[:UUID] ...] [--user NAME:KEY[:ZONE] ...]
             [--state PROJECT:NAME:GROUP ...] [--per-minute N]
             [--hook URL --secret KEY] [--seed N] [--ready FILE]

V is 0.23.0 to 1.3.1.  ZONE is a user's offset ("+05:30"), in which REST tells
times.  A user without a key is a member who uses the web only.  Projects have
Plane's five states unless --state names others.

REST below /api/v1, faults and orders below /_standin/ (see common.py), and
more of those here:

    POST /_standin/ui       {"user", "item", "field", "value"}: what a person
                            does in the web interface; field state_id, name,
                            priority, description_html, label_ids,
                            assignee_ids, or comment, or "create" with value
                            {"project", "name", ...}, or "delete"
    POST /_standin/webhook  {"url", "secret", "active"}: the workspace's hook
    POST /_standin/role     {"user", "role"}: 20 Admin, 15 Member, 5 Guest of
                            all projects; 0 of none
    POST /_standin/states   {"project", "name", "group"}: one more state;
                            with "rename" instead of "group" another name,
                            with "delete" none
    GET  /_standin/webhook  the hook, and whether Plane has switched it off
"""

import argparse
import datetime
import hashlib
import hmac
import html
import json
import re
import time
import uuid

from common import Answer, Standin, run_until_killed

STATES = (('Backlog', 'backlog', '#60646C'), ('Todo', 'unstarted', '#60646C'),
          ('In Progress', 'started', '#F59E0B'),
          ('Done', 'completed', '#46A758'),
          ('Cancelled', 'cancelled', '#9AA4BC'))
PER_PAGE = 1000
UTC = datetime.timezone.utc
PRIORITIES = ('urgent', 'high', 'medium', 'low', 'none')


def version_of(text):
    return tuple(([int(n) for n in re.findall(r'\d+', text)] + [0, 0])[:3])


def zone_of(text):
    m = re.fullmatch(r'([+-])(\d\d):(\d\d)', text or '+00:00')
    minutes = int(m.group(2)) * 60 + int(m.group(3))
    return datetime.timezone(datetime.timedelta(
        minutes=minutes if m.group(1) == '+' else -minutes))


def stripped(text):
    return html.unescape(re.sub(r'<[^>]*>', '', text or ''))


class User:
    def __init__(self, rng, name, key, zone):
        self.id = new_id(rng)
        self.name = name
        self.key = key
        self.zone = zone_of(zone)
        self.role = 20

    def short(self):
        return {'id': self.id, 'first_name': self.name, 'last_name': '',
                'email': self.name + '@example.com', 'avatar': '',
                'avatar_url': None, 'display_name': self.name}


def new_id(rng):
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


class Project:
    def __init__(self, rng, identifier, pid, user):
        self.id = pid or new_id(rng)
        self.identifier = identifier
        self.created_by = user
        self.states = {}
        self.labels = {}
        self.sequence = 0


class Item:
    """An issue, or work item as it is called now."""

    FIELDS = {'name': '', 'description_html': '<p></p>', 'priority': 'none',
              'start_date': None, 'target_date': None, 'parent': None,
              'point': None, 'estimate_point': None, 'is_draft': False,
              'archived_at': None, 'external_source': None,
              'external_id': None}

    def __init__(self, rng, project, user):
        project.sequence += 1
        self.id = new_id(rng)
        self.project = project
        self.sequence_id = project.sequence
        self.created_by = user
        self.updated_by = None
        self.created_at = self.updated_at = datetime.datetime.now(UTC)
        self.completed_at = None
        self.state = None
        self.labels = []
        self.assignees = []
        self.f = dict(self.FIELDS)


class Comment:
    def __init__(self, rng, item, user, text):
        self.id = new_id(rng)
        self.item = item
        self.actor = user
        self.comment_html = text
        self.access = 'INTERNAL'
        self.external_source = self.external_id = None
        self.created_at = self.updated_at = datetime.datetime.now(UTC)
        self.edited_at = None


class Plane(Standin):
    def __init__(self, host='127.0.0.1', port=0, version='1.3.1',
                 workspace='team', per_minute=60, seed=1):
        super().__init__(host, port, seed)
        self.v = version_of(version)
        self.slug = workspace
        self.workspace_id = new_id(self.rng)
        self.per_minute = per_minute
        self.users = {}
        self.projects = {}
        self.items = {}
        self.comments = {}
        self.calls = {}                 # key -> times of the last minute
        self.hook = None
        self.sender.timeout = 30.0
        self.sender.retries = 5
        self.sender.given_up = self.switch_off
        self.routes = [(re.compile(p), d) for p, d in ROUTES]

    def add_user(self, name, key=None, zone=None):
        user = User(self.rng, name, key, zone)
        self.users[name] = user
        return user

    def add_project(self, identifier, pid=None, states=STATES):
        owner = next(iter(self.users.values()))
        project = Project(self.rng, identifier, pid, owner)
        self.projects[project.id] = project
        for row in states:
            self.add_state(project, *row)
        return project

    def add_state(self, project, name, group, color='#60646C'):
        state = {'id': new_id(self.rng), 'name': name, 'group': group,
                 'color': color, 'sequence':
                 15000.0 + 10000 * len(project.states),
                 'default': not project.states}
        project.states[state['id']] = state
        return state

    # --- webhooks --------------------------------------------------------------

    def set_hook(self, url, secret, active=True):
        self.hook = {'id': new_id(self.rng), 'url': url, 'secret': secret,
                     'active': active, 'version': 'v1'}

    def switch_off(self, hook):
        if self.hook:
            self.hook['active'] = False

    def new_headers(self, delivery):
        """Each attempt has an id of its own and the same signature."""
        return [(n, str(uuid.uuid4()) if n == 'X-Plane-Delivery' else v)
                for n, v in delivery['headers']]

    def fire(self, event, action, data, user, field=None, new=None, old=None,
             old_ident=None, new_ident=None):
        if not self.hook or not self.hook['active']:
            return
        payload = {'event': event, 'action': action,
                   'webhook_id': self.hook['id'],
                   'workspace_id': self.workspace_id, 'data': data,
                   'activity': {'field': field, 'new_value': new,
                                'old_value': old, 'actor': user.short(),
                                'old_identifier': old_ident,
                                'new_identifier': new_ident}}
        body = json.dumps(payload).encode()
        headers = [('Content-Type', 'application/json'),
                   ('User-Agent', 'Autopilot'),
                   ('X-Plane-Delivery', str(uuid.uuid4())),
                   ('X-Plane-Event', event)]
        if self.hook['secret']:
            headers.append(('X-Plane-Signature', hmac.new(
                self.hook['secret'].encode(), body,
                hashlib.sha256).hexdigest()))
        self.sender.send(self.hook['id'], self.hook['url'], headers, body,
                         event, action)

    def item_created(self, item, user):
        self.fire('issue', 'created', self.item_data(item), user)

    def item_changed(self, item, user, changes, from_web):
        """One delivery for each field; changes: (key, old, new)."""
        if not from_web and self.v < (1, 3, 0):
            return
        for key, old, new in changes:
            data = self.item_data(item)
            self.fire('issue', 'updated', data, user, key, new, old)
            if (0, 20) <= self.v[:2] <= (0, 26) and key == 'state_id':
                names = [item.project.states[i]['name'] if i else None
                         for i in (old, new)]
                self.fire('issue', 'updated', data, user, 'state', names[1],
                          names[0], old, new)

    # --- objects ----------------------------------------------------------------

    @staticmethod
    def utc(when):
        return when and when.astimezone(UTC).strftime(
            '%Y-%m-%dT%H:%M:%S.%fZ')

    @staticmethod
    def local(when, user):
        """A time as REST tells it: in the zone of the key's owner."""
        if when is None:
            return None
        if user.zone.utcoffset(None):
            return when.astimezone(user.zone).isoformat(
                timespec='microseconds')
        return Plane.utc(when)

    def common_fields(self, item, time_of):
        return {'created_at': time_of(item.created_at),
                'updated_at': time_of(item.updated_at), 'deleted_at': None,
                'point': item.f['point'], 'name': item.f['name'],
                'description_html': item.f['description_html'],
                'description_binary': None, 'priority': item.f['priority'],
                'start_date': item.f['start_date'],
                'target_date': item.f['target_date'],
                'sequence_id': item.sequence_id, 'sort_order': 265535.0,
                'completed_at': time_of(item.completed_at),
                'archived_at': item.f['archived_at'],
                'is_draft': item.f['is_draft'],
                'external_source': item.f['external_source'],
                'external_id': item.f['external_id'],
                'created_by': item.created_by.id,
                'updated_by': item.updated_by and item.updated_by.id,
                'project': item.project.id, 'workspace': self.workspace_id,
                'parent': item.f['parent']}

    def item_data(self, item):
        """In a webhook: state, labels and assignees are objects."""
        state = item.project.states.get(item.state)
        return {'id': item.id,
                'labels': [{k: item.project.labels[i][k] for k in
                            ('id', 'name', 'color')} for i in item.labels],
                'assignees': [self.user_of(i).short()
                              for i in item.assignees],
                'state': state and {k: state[k] for k in
                                    ('id', 'name', 'color', 'group')},
                'description': {}, **self.common_fields(item, self.utc),
                'description_json': {},
                'description_stripped':
                    stripped(item.f['description_html']),
                'estimate_point': item.f['estimate_point'], 'type': None}

    def item_rest(self, request, item):
        """In REST: ids, unless "expand" asks for more."""
        shown = {'id': item.id, 'type_id': None,
                 **self.common_fields(item, lambda t: self.local(
                     t, request.user)),
                 'state': item.state,
                 'estimate_point': item.f['estimate_point'], 'type': None,
                 'assignees': list(item.assignees),
                 'labels': list(item.labels)}
        expand = request.query.get('expand', '').split(',')
        if 'state' in expand and item.state:
            state = item.project.states[item.state]
            shown['state'] = {k: state[k] for k in
                              ('id', 'name', 'color', 'group')}
        if 'project' in expand:
            shown['project'] = {'id': item.project.id,
                                'identifier': item.project.identifier,
                                'name': item.project.identifier}
        if request.query.get('fields'):
            keep = request.query['fields'].split(',')
            shown = {k: v for k, v in shown.items() if k in keep}
        return shown

    def state_rest(self, request, project, state):
        when = self.local(datetime.datetime(2026, 5, 1, 8, tzinfo=UTC),
                          request.user)
        return {'id': state['id'], 'created_at': when, 'updated_at': when,
                'deleted_at': None, 'name': state['name'], 'description': '',
                'color': state['color'],
                'slug': state['name'].lower().replace(' ', '-'),
                'sequence': state['sequence'], 'group': state['group'],
                'is_triage': False, 'default': state['default'],
                'external_source': None, 'external_id': None,
                'created_by': project.created_by.id, 'updated_by': None,
                'project': project.id, 'workspace': self.workspace_id}

    def comment_shown(self, c, time_of):
        return {'id': c.id, 'created_at': time_of(c.created_at),
                'updated_at': time_of(c.updated_at), 'deleted_at': None,
                'comment_html': c.comment_html, 'attachments': [],
                'access': c.access, 'external_source': c.external_source,
                'external_id': c.external_id,
                'edited_at': time_of(c.edited_at),
                'created_by': c.actor.id, 'updated_by': None,
                'project': c.item.project.id,
                'workspace': self.workspace_id, 'description': None,
                'issue': c.item.id, 'actor': c.actor.id, 'parent': None}

    def project_rest(self, project):
        return {'id': project.id, 'name': project.identifier,
                'identifier': project.identifier, 'description': '',
                'network': 2, 'is_member': True, 'member_role': 20,
                'module_view': True, 'cycle_view': True,
                'issue_views_view': True, 'page_view': True,
                'inbox_view': False, 'archive_in': 0, 'close_in': 0,
                'created_by': project.created_by.id,
                'workspace': self.workspace_id, 'default_state': None}

    def user_of(self, uid):
        for user in self.users.values():
            if user.id == uid:
                return user
        raise Answer(400, {'assignees': ['Invalid pk "%s" - object does not '
                                         'exist.' % uid]})

    # --- answers -------------------------------------------------------------------

    def broken(self, error):
        if isinstance(error, json.JSONDecodeError):
            return Answer(400, {'detail': 'JSON parse error - %s' % error})
        return Answer(500, {'error': 'Something went wrong please try again '
                                     'later'})

    def missing(self):
        return Answer(404, {'error': 'The requested resource does not '
                                     'exist.'})

    def who(self, request):
        key = request.headers.get('X-API-Key')
        if not key:
            raise Answer(401, {'detail': 'Authentication credentials were '
                                         'not provided.'})
        for user in self.users.values():
            if user.key == key:
                return user
        raise Answer(403, {'detail': 'Given API token is not valid'})

    def limit(self, user):
        """Headers of the limit; raises 429, which has Retry-After alone."""
        at = time.time()
        calls = [t for t in self.calls.get(user.key, []) if t > at - 60]
        self.calls[user.key] = calls
        if len(calls) >= self.per_minute:
            raise Answer(429, {'error_code': 5900, 'error_message':
                               'RATE_LIMIT_EXCEEDED'},
                         {'Retry-After': str(int(calls[0] + 60 - at) + 1)})
        calls.append(at)
        return {'X-RateLimit-Remaining': str(self.per_minute - len(calls)),
                'X-RateLimit-Reset': str(int(calls[0] + 60))}

    def answer(self, request):
        if not request.path.startswith('/api/'):
            return Answer(404, '<!doctype html><title>Not Found</title>',
                          ctype='text/html')
        if not request.raw_path.endswith('/'):
            query = '?' + request.query_string if request.query_string else ''
            return Answer(301, '', {'Location':
                                    request.raw_path + '/' + query})
        with self.lock:
            request.user = self.who(request)
            headers = self.limit(request.user)
            try:
                answer = self.rest(request)
            except Answer as said:
                answer = said
        answer.headers.update(headers)
        return answer

    def rest(self, request):
        for pattern, calls in self.routes:
            m = pattern.fullmatch(request.path)
            if m is None:
                continue
            if 'work-items' in request.path and self.v < (1, 1, 0):
                return Answer(404, {'error': 'Page not found.'})
            if request.method not in calls:
                return Answer(405, {'detail': 'Method "%s" not allowed.' %
                                    request.method})
            args = m.groupdict()
            if args.pop('slug', self.slug) != self.slug:
                return Answer(403, {'detail': 'You do not have permission to '
                                              'perform this action.'})
            if 'pid' in args:
                args['project'] = self.projects.get(args.pop('pid'))
                if args['project'] is None:
                    return Answer(403, {'detail': 'You do not have '
                                        'permission to perform this action.'})
            if 'project' in args and (request.user.role == 0 or (
                    request.user.role < 15 and request.method != 'GET')):
                return Answer(403, {'detail': 'You do not have permission to '
                                              'perform this action.'})
            if 'item' in args:
                args['item'] = self.item_of(args.get('project'),
                                            args['item'])
            return getattr(self, calls[request.method])(request, **args)
        return Answer(404, {'error': 'Page not found.'})

    def item_of(self, project, iid):
        item = self.items.get(iid)
        if item is None or (project and item.project is not project):
            raise self.missing()
        return item

    def paged(self, request, rows, show):
        per_page = request.number('per_page', PER_PAGE)
        if not 1 <= per_page <= PER_PAGE:
            raise Answer(400, {'detail': 'Invalid per_page value. Cannot '
                               'exceed %d.' % PER_PAGE})
        cursor = request.query.get('cursor', '%d:0:0' % per_page)
        m = re.fullmatch(r'(\d+):(-?\d+):(-?\d+)', cursor)
        if m is None:
            raise Answer(400, {'detail': 'Invalid cursor parameter.'})
        page = max(int(m.group(2)), 0)
        start = page * per_page
        shown = rows[start:start + per_page]
        more = start + per_page < len(rows)
        return Answer(200, {
            'grouped_by': None, 'sub_grouped_by': None,
            'total_count': len(rows),
            'next_cursor': '%d:%d:0' % (per_page, page + 1),
            'prev_cursor': '%d:%d:1' % (per_page, page - 1),
            'next_page_results': more, 'prev_page_results': page > 0,
            'count': len(shown),
            'total_pages': max((len(rows) + per_page - 1) // per_page, 1),
            'total_results': len(rows), 'extra_stats': None,
            'results': [show(r) for r in shown]})

    # --- projects, states, labels ---------------------------------------------------

    def get_me(self, request):
        return Answer(200, request.user.short())

    def get_projects(self, request):
        return self.paged(request, list(self.projects.values()),
                          self.project_rest)

    def get_project(self, request, project):
        return Answer(200, self.project_rest(project))

    def get_members(self, request, project):
        return Answer(200, [u.short() for u in self.users.values()])

    def get_states(self, request, project):
        return self.paged(request, list(project.states.values()), lambda s:
                          self.state_rest(request, project, s))

    def post_state(self, request, project):
        wish = request.json()
        if not wish.get('name'):
            return Answer(400, {'name': ['This field is required.']})
        for state in project.states.values():
            if state['name'] == wish['name']:
                return Answer(409, {'error': 'State with the same name '
                                    'already exists in the project',
                                    'id': state['id']})
        state = self.add_state(project, wish['name'],
                               wish.get('group', 'backlog'),
                               wish.get('color', ''))
        return Answer(200, self.state_rest(request, project, state))

    def get_labels(self, request, project):
        return self.paged(request, list(project.labels.values()),
                          lambda x: x)

    def post_label(self, request, project):
        wish = request.json()
        label = {'id': new_id(self.rng), 'name': wish.get('name', ''),
                 'color': wish.get('color', ''), 'project': project.id,
                 'workspace': self.workspace_id, 'parent': None}
        project.labels[label['id']] = label
        return Answer(201, label)

    # --- items --------------------------------------------------------------------------

    def items_in(self, project):
        return sorted((i for i in self.items.values()
                       if i.project is project),
                      key=lambda i: i.created_at, reverse=True)

    def get_items(self, request, project):
        rows = self.items_in(project)
        q = request.query
        if q.get('external_id') and q.get('external_source'):
            rows = [i for i in rows if
                    i.f['external_id'] == q['external_id'] and
                    i.f['external_source'] == q['external_source']]
            if not rows:
                return self.missing()
            return Answer(200, self.item_rest(request, rows[0]))
        order = q.get('order_by', '-created_at')
        if order.lstrip('-') == 'updated_at':
            rows.sort(key=lambda i: i.updated_at)
        elif order.lstrip('-') == 'created_at':
            rows.sort(key=lambda i: i.created_at)
        if order.startswith('-'):
            rows.reverse()
        return self.paged(request, rows,
                          lambda i: self.item_rest(request, i))

    def post_item(self, request, project):
        wish = request.json()
        if not wish.get('name'):
            return Answer(400, {'name': ['This field is required.']})
        same = self.same_external(self.items_in(project), wish)
        if same:
            return Answer(409, {'error': 'Issue with the same external id '
                                'and external source already exists',
                                'id': same.id})
        item = self.make_item(project, request.user, wish)
        return Answer(201, self.item_rest(request, item))

    @staticmethod
    def same_external(rows, wish):
        pair = wish.get('external_id'), wish.get('external_source')
        for row in rows:
            have = (row.f['external_id'], row.f['external_source']) if \
                isinstance(row, Item) else \
                (row.external_id, row.external_source)
            if all(pair) and have == pair:
                return row
        return None

    def make_item(self, project, user, wish):
        item = Item(self.rng, project, user)
        item.state = next((s['id'] for s in project.states.values()
                           if s['default']), None)
        self.change(item, user, wish)
        item.updated_by = None
        self.items[item.id] = item
        self.item_created(item, user)
        return item

    def get_item(self, request, project, item):
        return Answer(200, self.item_rest(request, item))

    def patch_item(self, request, project, item):
        wish = request.json()
        same = self.same_external([i for i in self.items_in(project)
                                   if i is not item], wish)
        if same:
            return Answer(409, {'error': 'Issue with the same external id '
                                'and external source already exists',
                                'id': same.id})
        changes = self.change(item, request.user, wish)
        self.item_changed(item, request.user, changes, False)
        return Answer(200, self.item_rest(request, item))

    def delete_item(self, request, project, item):
        self.remove(item, request.user)
        return Answer(204)

    def remove(self, item, user):
        del self.items[item.id]
        self.comments = {k: c for k, c in self.comments.items()
                         if c.item is not item}
        if self.v < (0, 27, 0):
            self.fire('issue', 'deleted', {'id': item.id}, user)

    def get_item_by_key(self, request, ident, number):
        for item in self.items.values():
            if item.project.identifier == ident and \
                    item.sequence_id == int(number):
                return Answer(200, self.item_rest(request, item))
        return self.missing()

    def change(self, item, user, wish):
        """Take the fields; all are checked before any is taken."""
        state = wish.get('state', wish.get('state_id'))
        if state is not None and state not in item.project.states:
            raise Answer(400, {'non_field_errors': [
                'State is not valid please pass a valid state_id']})
        if 'priority' in wish and wish['priority'] not in PRIORITIES:
            raise Answer(400, {'priority': ['"%s" is not a valid choice.' %
                                            wish['priority']]})
        changes = []
        for key, value in wish.items():
            if key in ('state', 'state_id'):
                old, item.state = item.state, value
                group = item.project.states[value]['group'] if value else ''
                item.completed_at = datetime.datetime.now(UTC) if \
                    group == 'completed' else None
            elif key in ('labels', 'label_ids'):
                known = item.project.labels
                old, item.labels = item.labels, [v for v in value
                                                 if v in known]
            elif key in ('assignees', 'assignee_ids'):
                old, item.assignees = item.assignees, [
                    self.user_of(v).id for v in value]
            elif key in item.f:
                old, item.f[key] = item.f[key], value
            else:
                continue
            if old != value:
                changes.append((key, old, value))
        item.updated_by = user
        item.updated_at = datetime.datetime.now(UTC)
        return changes

    # --- comments -----------------------------------------------------------------------

    def comments_of(self, item):
        return sorted((c for c in self.comments.values() if c.item is item),
                      key=lambda c: c.created_at, reverse=True)

    def get_comments(self, request, project, item):
        return self.paged(request, self.comments_of(item), lambda c:
                          self.comment_shown(c, lambda t: self.local(
                              t, request.user)))

    def post_comment(self, request, project, item):
        wish = request.json()
        if not wish.get('comment_html'):
            return Answer(400, {'comment_html': ['This field is required.']})
        # Of all items of the project.
        same = self.same_external((c for c in self.comments.values()
                                   if c.item.project is project), wish)
        if same:
            return Answer(409, {'error': 'Work item comment with the same '
                                'external id and external source already '
                                'exists', 'id': same.id})
        c = self.make_comment(item, request.user, wish['comment_html'])
        c.external_id = wish.get('external_id')
        c.external_source = wish.get('external_source')
        c.access = wish.get('access', c.access)
        self.comment_created(c)
        return Answer(201, self.comment_shown(c, lambda t: self.local(
            t, request.user)))

    def make_comment(self, item, user, text):
        c = Comment(self.rng, item, user, text)
        self.comments[c.id] = c
        # Noted as activity, which touches the item, not who edited it.
        item.updated_at = max(item.updated_at, c.created_at)
        return c

    def comment_created(self, c):
        self.fire('issue_comment', 'created',
                  self.comment_shown(c, self.utc), c.actor)

    def comment_of(self, item, cid):
        c = self.comments.get(cid)
        if c is None or c.item is not item:
            raise self.missing()
        return c

    def get_comment(self, request, project, item, comment):
        return Answer(200, self.comment_shown(
            self.comment_of(item, comment),
            lambda t: self.local(t, request.user)))

    def patch_comment(self, request, project, item, comment):
        c = self.comment_of(item, comment)
        wish = request.json()
        old = c.comment_html
        c.comment_html = wish.get('comment_html', old)
        c.updated_at = c.edited_at = datetime.datetime.now(UTC)
        if self.v >= (1, 3, 0):
            self.fire('issue_comment', 'updated',
                      self.comment_shown(c, self.utc), request.user,
                      'comment_html', c.comment_html, old)
        return Answer(200, self.comment_shown(c, lambda t: self.local(
            t, request.user)))

    def delete_comment(self, request, project, item, comment):
        del self.comments[self.comment_of(item, comment).id]
        return Answer(204)

    # --- orders of a test --------------------------------------------------------------

    def key_of(self, item):
        return '%s-%d' % (item.project.identifier, item.sequence_id)

    def item_named(self, name):
        for item in self.items.values():
            if name in (item.id, self.key_of(item)):
                return item
        raise Answer(404, {'error': 'no such item: %s' % name})

    def project_named(self, name):
        for project in self.projects.values():
            if name in (project.id, project.identifier):
                return project
        raise Answer(404, {'error': 'no such project: %s' % name})

    def by_web(self, wish):
        user = self.users[wish['user']]
        field, value = wish['field'], wish.get('value')
        if field == 'create':
            value = dict(value)
            project = self.project_named(value.pop('project'))
            self.by_name(project, value)
            item = self.make_item(project, user, value)
            return Answer(200, {'id': item.id, 'key': self.key_of(item)})
        item = self.item_named(wish['item'])
        if field == 'delete':
            self.remove(item, user)
        elif field == 'comment':
            self.comment_created(self.make_comment(item, user, value))
        else:
            change = {field: value}
            self.by_name(item.project, change)
            changes = self.change(item, user, change)
            self.item_changed(item, user, changes, True)
        return Answer(200, {'id': item.id, 'key': self.key_of(item)})

    @staticmethod
    def by_name(project, change):
        """A test may say a state by its name."""
        for state in project.states.values():
            if change.get('state_id') == state['name']:
                change['state_id'] = state['id']

    def state_order(self, wish):
        project = self.project_named(wish['project'])
        state = next((s for s in project.states.values()
                      if s['name'] == wish['name']), None)
        if 'rename' in wish:
            state['name'] = wish['rename']
        elif wish.get('delete'):
            del project.states[state['id']]
        else:
            state = self.add_state(project, wish['name'], wish['group'])
        return Answer(200, {'id': state['id']})

    def more_control(self, call, wish):
        with self.lock:
            if call == 'POST ui':
                return self.by_web(wish)
            if call == 'POST states':
                return self.state_order(wish)
            if call == 'POST role':
                self.users[wish['user']].role = int(wish['role'])
                return Answer(200, {})
            if call == 'POST webhook':
                self.set_hook(wish['url'], wish.get('secret'),
                              wish.get('active', True))
                return Answer(200, self.hook)
            if call == 'GET webhook':
                return Answer(200, self.hook)
        return super().more_control(call, wish)

    def state(self):
        return {'workspace_id': self.workspace_id,
                'users': {u.name: u.id for u in self.users.values()},
                'projects': {p.identifier: {
                    'id': p.id, 'states': {s['name']: s['id'] for s in
                                           p.states.values()}}
                    for p in self.projects.values()},
                'items': {self.key_of(i): {
                    'id': i.id, 'name': i.f['name'],
                    'state': i.state and i.project.states.get(
                        i.state, {}).get('name'),
                    'comments': [{'actor': c.actor.name,
                                  'text': stripped(c.comment_html),
                                  'external_id': c.external_id}
                                 for c in reversed(self.comments_of(i))]}
                    for i in self.items.values()}}


P = r'/api/v1/workspaces/(?P<slug>[^/]+)/projects/(?P<pid>[^/]+)/'
I = P + r'(?:work-items|issues)/'
C = I + r'(?P<item>[^/]+)/comments/'
ROUTES = [
    (r'/api/v1/users/me/', {'GET': 'get_me'}),
    (r'/api/v1/workspaces/(?P<slug>[^/]+)/projects/',
     {'GET': 'get_projects'}),
    (P, {'GET': 'get_project'}),
    (P + r'states/', {'GET': 'get_states', 'POST': 'post_state'}),
    (P + r'members/', {'GET': 'get_members'}),
    (P + r'labels/', {'GET': 'get_labels', 'POST': 'post_label'}),
    (I, {'GET': 'get_items', 'POST': 'post_item'}),
    (I + r'(?P<item>[^/]+)/', {'GET': 'get_item', 'PATCH': 'patch_item',
                               'DELETE': 'delete_item'}),
    (C, {'GET': 'get_comments', 'POST': 'post_comment'}),
    (C + r'(?P<comment>[^/]+)/', {'GET': 'get_comment',
                                  'PATCH': 'patch_comment',
                                  'DELETE': 'delete_comment'}),
    (r'/api/v1/workspaces/(?P<slug>[^/]+)/(?:work-items|issues)/'
     r'(?P<ident>[A-Za-z0-9]+)-(?P<number>\d+)/',
     {'GET': 'get_item_by_key'}),
]


def main():
    p = argparse.ArgumentParser(description='a stand-in for Plane')
    p.add_argument('--host', default='127.0.0.1')
    p.add_argument('--port', type=int, default=0)
    p.add_argument('--version', default='1.3.1')
    p.add_argument('--workspace', default='team')
    p.add_argument('--user', action='append', default=[])
    p.add_argument('--project', action='append', default=[])
    p.add_argument('--state', action='append', default=[])
    p.add_argument('--per-minute', type=int, default=60)
    p.add_argument('--hook')
    p.add_argument('--secret')
    p.add_argument('--seed', type=int, default=1)
    p.add_argument('--ready')
    a = p.parse_args()
    plane = Plane(a.host, a.port, a.version, a.workspace, a.per_minute,
                  a.seed)
    for user in a.user or ['admin:plane_api_admin']:
        name, key, zone = (user.split(':', 2) + ['', ''])[:3]
        plane.add_user(name, key or None, zone)
    for project in a.project:
        ident, _, pid = project.partition(':')
        states = [s.split(':')[1:] for s in a.state
                  if s.split(':')[0] == ident]
        plane.add_project(ident, pid or None, states or STATES)
    if a.hook:
        plane.set_hook(a.hook, a.secret)
    run_until_killed(plane, a.ready)


if __name__ == '__main__':
    main()
