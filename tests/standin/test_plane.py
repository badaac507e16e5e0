# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.


"""The tracker."""

import hashlib
import hmac
import http.client
import json
import time

from testing import (FIXTURES, SECRET, STATES, Client, Team, lower, same,
                     test)


@test
def no_key_is_401_and_a_wrong_one_403():
    with Team() as t:
        e = Client(t.plane)('GET', t.base + 'states/', want=401)
        same(e, {'detail': 'Authentication credentials were not provided.'})
        e = t.as_key('no')('GET', t.base + 'states/', want=403)
        same(e, {'detail': 'Given API token is not valid'})
        e = t.bot('GET', t.base.replace('team', 'other') + 'states/',
                  want=403)
        same('permission' in e['detail'], True, e)


@test
def a_path_without_its_slash_is_a_redirect():
    with Team() as t:
        t.bot('GET', t.base + 'states?per_page=1', want=301)
        same(lower(t.bot.reply)['location'], t.base + 'states/?per_page=1')


@test
def next_cursor_is_always_set():
    with Team() as t:
        seen, cursor = [], None
        while True:
            page = t.bot('GET', t.base + 'states/?per_page=2' + (
                '&cursor=' + cursor if cursor else ''), want=200)
            seen += [s['name'] for s in page['results']]
            same(bool(page['next_cursor']), True)
            if not cursor:
                same(page['prev_cursor'], '2:-1:1')
            cursor = page['next_cursor']
            if not page['next_page_results']:
                break
        same(seen, [s[0] for s in STATES])
        same((page['total_results'], page['total_pages'], page['count']),
             (5, 3, 1))
        with open(FIXTURES + '/plane/api-states-list-page3.json') as f:
            want = json.load(f)
        same(set(want), set(page))
        same(set(want['results'][0]), set(page['results'][0]))
        t.bot('GET', t.base + 'states/?cursor=x', want=400)
        t.bot('GET', t.base + 'states/?per_page=1001', want=400)


@test
def an_item_is_ids_in_rest_and_objects_in_a_webhook():
    with Team() as t:
        t.hook()
        i = t.item()
        r = t.bot('GET', t.base + 'work-items/%s/' % i, want=200)
        same(r['state'], t.state('Backlog'))
        with open(FIXTURES + '/plane/api-work-item.json') as f:
            same(set(json.load(f)) - set(r), set())
        t.settle()
        headers, body = t.listener.got[0]
        d = json.loads(body)
        same(d['data']['state']['name'], 'Backlog')
        same((d['event'], d['action'], d['activity']['field']),
             ('issue', 'created', None))
        with open(FIXTURES + '/plane/webhook-v1-issue-created--derived.json')\
                as f:
            want = json.load(f)
        same(set(want['data']) - set(d['data']), set())
        same(set(want['activity']), set(d['activity']))
        same(headers['X-Plane-Signature'], hmac.new(
            SECRET.encode(), body, hashlib.sha256).hexdigest())
        same(headers['User-Agent'], 'Autopilot')
        r = t.bot('GET', t.base + 'work-items/%s/?expand=state&fields=state'
                  % i, want=200)
        same(r['state']['name'], 'Backlog')
        same(list(r), ['state'])
        r = t.bot('GET', '/api/v1/workspaces/team/work-items/ORCH-1/',
                  want=200)
        same(r['id'], i)
        t.bot('GET', t.base + 'work-items/none/', want=404)


@test
def bodies_are_as_python_writes_them():
    with Team() as t:
        t.hook()
        t.item('Gr\u00f6\u00dfe \U0001f680')
        t.settle()
        body = t.listener.got[0][1]
        same(b'"name": "Gr\\u00f6\\u00dfe \\ud83d\\ude80"' in body, True)


@test
def the_web_says_state_id_and_rest_says_state():
    for version, echo in (('1.2.0', False), ('1.3.0', True)):
        with Team(version) as t:
            i = t.item()
            t.hook()
            t.ui('state_id', 'Todo', i)
            t.bot('PATCH', t.base + 'issues/%s/' % i,
                  {'state': t.state('Done')}, 200)
            t.settle()
            got = [(b['activity']['field'], b['activity']['new_value'])
                   for b in t.listener.bodies()]
            want = [('state_id', t.state('Todo'))]
            if echo:
                want.append(('state', t.state('Done')))
            same(got, want, version)


@test
def old_versions_say_each_change_twice_and_new_ones_no_deletion():
    with Team('0.24.0') as t:
        i = t.item()
        t.hook()
        t.ui('state_id', 'Todo', i)
        t.ui('delete', None, i)
        t.settle()
        a = [b['activity'] for b in t.listener.bodies()]
        same([x['field'] for x in a], ['state_id', 'state', None])
        same((a[1]['new_value'], a[1]['new_identifier']),
             ('Todo', t.state('Todo')))
    with Team() as t:
        i = t.item()
        t.hook()
        t.ui('delete', None, i)
        t.settle()
        same(t.listener.got, [])


@test
def work_items_are_there_from_1_1_and_issues_always():
    for version, there in (('0.27.0', False), ('1.0.0', False),
                           ('1.1.0', True)):
        with Team(version) as t:
            i = t.item()
            t.bot('GET', t.base + 'issues/%s/' % i, want=200)
            t.bot('GET', t.base + 'work-items/%s/' % i,
                  want=200 if there else 404)


@test
def one_delivery_for_each_field():
    with Team() as t:
        i = t.item()
        t.hook()
        t.bot('PATCH', t.base + 'issues/%s/' % i,
              {'name': 'New', 'priority': 'high', 'state': t.state('Todo')},
              200)
        t.settle()
        same(sorted(b['activity']['field'] for b in t.listener.bodies()),
             ['name', 'priority', 'state'])
        # The data is read when it is sent and may be newer.
        for b in t.listener.bodies():
            same(b['data']['name'], 'New')


@test
def a_repeated_external_pair_is_409_with_the_first_id():
    with Team() as t:
        i = t.item()
        wish = {'comment_html': '<p>x</p>', 'external_id': 'k1',
                'external_source': 'orchd'}
        c = t.bot('POST', t.base + 'issues/%s/comments/' % i, wish, 201)
        e = t.bot('POST', t.base + 'issues/%s/comments/' % i, wish, 409)
        same(e['id'], c['id'])
        wish['external_id'] = 'k2'
        t.bot('POST', t.base + 'issues/%s/comments/' % i, wish, 201)
        page = t.bot('GET', t.base + 'issues/%s/comments/' % i, want=200)
        same(page['total_results'], 2)
        with open(FIXTURES + '/plane/api-comment-created.json') as f:
            same(set(json.load(f)), set(c))
        wish = {'name': 'n', 'external_id': 'k', 'external_source': 's'}
        first = t.bot('POST', t.base + 'issues/', wish, 201)
        e = t.bot('POST', t.base + 'issues/', wish, 409)
        same(e['id'], first['id'])


@test
def wrong_words_are_400_in_the_form_of_the_framework():
    with Team() as t:
        i = t.item()
        e = t.bot('PATCH', t.base + 'issues/%s/' % i,
                  {'state': '00000000-0000-4000-8000-000000000000'}, 400)
        same(e, {'non_field_errors': ['State is not valid please pass a '
                                      'valid state_id']})
        e = t.bot('POST', t.base + 'issues/', {}, 400)
        same(e, {'name': ['This field is required.']})
        e = t.bot('GET', t.base + 'issues/x/', want=404)
        same(e, {'error': 'The requested resource does not exist.'})
        t.bot('PUT', t.base + 'issues/', {}, 405)


@test
def the_limit_has_headers_and_its_429_has_not():
    with Team(per_minute=3) as t:
        for left in ('2', '1', '0'):
            t.bot('GET', t.base + 'states/', want=200)
            same(lower(t.bot.reply)['x-ratelimit-remaining'], left)
        e = t.bot('GET', t.base + 'states/', want=429)
        same(e, {'error_code': 5900, 'error_message': 'RATE_LIMIT_EXCEEDED'})
        h = lower(t.bot.reply)
        same('x-ratelimit-remaining' in h, False)
        same(1 <= int(h['retry-after']) <= 61, True, h)
        t.as_key('plane_api_far')('GET', t.base + 'states/', want=200)


@test
def times_are_in_the_zone_of_the_keys_owner():
    with Team() as t:
        i = t.item()
        r = t.as_key('plane_api_far')('GET', t.base + 'issues/%s/' % i)
        same(r['created_at'].endswith('+05:30'), True, r['created_at'])
        r = t.bot('GET', t.base + 'issues/%s/' % i)
        same(r['created_at'].endswith('Z'), True, r['created_at'])


@test
def an_http_answer_is_a_delivery_and_a_transport_error_is_retried():
    with Team() as t:
        t.hook(500)
        t.item()
        t.settle()
        same(len(t.listener.got), 1)
        t.listener.stop()
        t.order('POST', 'hooks', {'pause': 0.01, 'timeout': 1}, 200)
        t.item('Second')
        t.settle()
        d = t.order('GET', 'deliveries', want=200)
        same((d[-1]['tries'], d[-1]['status']), (6, None))
        time.sleep(0.1)
        same(t.order('GET', 'webhook')['active'], False, 'switched off')
        t.listener = None


@test
def a_retry_has_a_new_id_and_the_same_signature():
    with Team() as t:
        t.hook()
        t.item()
        t.settle()
        t.order('POST', 'redeliver', {'id': 1}, 200)
        t.settle()
        (h1, b1), (h2, b2) = t.listener.got
        same((b1, h1['X-Plane-Signature']), (b2, h2['X-Plane-Signature']))
        same(h1['X-Plane-Delivery'] == h2['X-Plane-Delivery'], False)


@test
def states_are_renamed_added_and_taken_away():
    with Team() as t:
        t.order('POST', 'states', {'project': 'ORCH', 'name': 'In Review',
                                   'group': 'started'}, 200)
        t.order('POST', 'states', {'project': 'ORCH', 'name': 'Todo',
                                   'rename': 'To Do'}, 200)
        t.order('POST', 'states', {'project': 'ORCH', 'name': 'Backlog',
                                   'delete': True}, 200)
        page = t.bot('GET', t.base + 'states/', want=200)
        same([s['name'] for s in page['results']],
             ['To Do', 'In Progress', 'Done', 'Cancelled', 'In Review'])


@test
def faults_are_the_trackers_too():
    with Team() as t:
        i = t.item()
        t.order('POST', 'faults', {'kind': 'lost',
                                   'match': 'POST .*/comments/'}, 200)
        wish = {'comment_html': '<p>x</p>', 'external_id': 'k',
                'external_source': 'orchd'}
        try:
            t.bot('POST', t.base + 'issues/%s/comments/' % i, wish)
            heard = True
        except (OSError, http.client.HTTPException):
            heard = False
        same(heard, False)
        t.bot('POST', t.base + 'issues/%s/comments/' % i, wish, 409)
        s = t.order('GET', 'state', want=200)
        same([c['external_id'] for c in s['items']['ORCH-1']['comments']],
             ['k'])


@test
def a_comment_of_a_person_comes_as_the_recorded_one():
    with Team() as t:
        i = t.item()
        t.hook()
        t.ui('comment', '<p>please continue</p>', i)
        t.settle()
        b = t.listener.bodies()[0]
        with open(FIXTURES + '/plane/webhook-v1-comment-created--derived'
                  '.json') as f:
            want = json.load(f)
        same(set(want['data']), set(b['data']))
        same((b['event'], b['data']['issue'], b['activity']['actor']
              ['display_name']), ('issue_comment', i, 'pat'))
