#!/bin/sh
# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.

# What orchd says while an item travels: statuses and comments at the forge,
# and messages to people by a webhook and by a command that fails at first.

. "${LIBDIR:-$(dirname "$0")}/lib.sh"
. "$LIBDIR/remote.sh"

# Takes messages and keeps them, one a line; the first two of the command and
# all to /dead are refused.
receiver()
{
	cat >"$T/receiver.py" <<'END'
import http.server, json, sys
refused = 0
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        global refused
        body = self.rfile.read(int(self.headers['Content-Length']))
        no = self.path == '/dead'
        if self.path == '/exec' and refused < 2:
            refused, no = refused + 1, True
        if not no:
            with open(sys.argv[1], 'a') as out:
                print(json.dumps([self.path, self.headers.get('webhook-id'),
                                  body.decode()]), file=out)
        self.send_response(503 if no else 204)
        self.end_headers()
    def log_message(self, *args):
        pass
server = http.server.HTTPServer(('127.0.0.1', 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
END
	: >"$T/heard"
	python3 "$T/receiver.py" "$T/heard" >"$T/receiver.port" &
	RECEIVER_PID=$!
	wait_for 10 test -s "$T/receiver.port" || bail "the receiver starts"
	RECEIVER=http://127.0.0.1:$(cat "$T/receiver.port")
}

# heard EXPRESSION: of the list of [path, id, text] that came.
heard()
{
	python3 -c '
import json, sys
heard = [json.loads(line) for line in open(sys.argv[1])]
print(eval(sys.argv[2]))' "$T/heard" "$1"
}

heard_end()
{
	[ "$(heard 'sum("is done: " in h[2] for h in heard)')" = 2 ]
}

merged_is_told()
{
	[ "$(forge_says 'sum("is deployed:" in c["body"]
	    for c in repo["comments"])')" = 1 ]
}

begin
receiver
start_servers
secret people.key whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=
GLOBAL="notify out webhook \"$RECEIVER/webhook\" secret file \"$T/people.key\"
notify dead webhook \"$RECEIVER/dead\" secret file \"$T/people.key\"
notify slow exec \"/bin/sleep\" \"47\"
notify pager exec \"/usr/bin/curl\" \"-sf\" \"--data-binary\" \"@-\" \"$RECEIVER/exec\""
POLL=1 remote_conf
start_orchd
people
a=$(new_item "Greeting becomes hi")
person "$a" state_id "To Analyse" >/dev/null
if wait_for 90 all_done "$a"; then
	pass "the item is done, though nobody takes messages at one address"
else
	fail "the item is done within 90 s"
	ctl status -a | sed 's/^/#   /'
	evidence
fi
people_end
wait_for 30 heard_end
assert_is "the end is told by the webhook and by the command" \
    "['/exec', '/webhook']" \
    "$(heard 'sorted(h[0] for h in heard if "is done: " in h[2])')"
assert_is "nothing is told twice" 0 \
    "$(heard 'len(heard) - len(set(map(tuple, heard)))')"
assert_is "both hear the same number of messages" True \
    "$(heard 'len(set(sum(h[0] == p for h in heard)
    for p in ("/exec", "/webhook"))) == 1')"
assert_is "a person is asked for Confirm Deploy, and told what does not" True \
    "$(heard 'any("Confirm Deploy" in h[2] and "does not deploy" in h[2]
    for h in heard)')"
assert_is "what failed twice comes first all the same" True \
    "$(heard '[json.loads(h[2])["data"]["text"] for h in heard
    if h[0] == "/webhook"] == [h[2].rstrip("\n") for h in heard
    if h[0] == "/exec"]')"
wait_for 30 merged_is_told
assert_is "the pull request hears of the merge and the deploy" "1 1" \
    "$(forge_says '"%d %d" % (sum("is merged as" in c["body"]
    for c in repo["comments"]), sum("is deployed:" in c["body"]
    for c in repo["comments"]))')"
head=$(forge_says 'repo["pulls"][0]["merge_commit"]')
assert_is "what landed shows the gates that it passed" True \
    "$(forge_says "{'orchd/check_branch_mergeable'} <= {s['context']
    for s in repo['statuses'] if s['sha'] == '$head'
    and s['state'] == 'success'}")"
assert_is "no gate's last status is pending or red" "[]" \
    "$(forge_says "[k for k, v in {(s['sha'], s['context']): s['state']
    for s in repo['statuses'] if s['context'].startswith('orchd/')}.items()
    if v != 'success']")"
assert_is "who does not answer keeps its messages" True \
    "$(ctl -j queue | python3 -c '
import json, sys
print(json.load(sys.stdin)["outbox"]["pending"] > 0)')"
# carriers: commands of the slow one that run.
carriers()
{
	pgrep -cu "$(id -u)" -x -f '/bin/sleep 47'
}

is_carried_once_by_another()
{
	now=$(pgrep -u "$(id -u)" -x -f '/bin/sleep 47')
	[ -n "$now" ] && [ "$(carriers)" = 1 ] && [ "$now" != "$carrier" ]
}

wait_for 10 test "$(carriers)" -gt 0
carrier=$(pgrep -u "$(id -u)" -x -f '/bin/sleep 47')
kill -9 "$(pid_of engine)"
wait_for 20 is_carried_once_by_another
assert "after a crash of the engine one command carries it, another one" \
    is_carried_once_by_another
assert_says "what nobody has heard of is not tried again" 1 \
    "no such destination" ctl queue retry notify:nobody
assert_says "nor is it an error of a destination that is known" 0 \
    "no message to notify:out is parked" ctl queue retry notify:out
assert_says "which is written in full" 1 "usage: orchctl queue" \
    ctl queue ret notify:nobody

# A person deletes an item while orchd works on it.
is_begun()
{
	ctl -q show "$b" >/dev/null 2>&1
}

is_gone()
{
	ctl alert | tr -s '\n ' ' ' | grep -q "is gone from the tracker"
}

b=$(new_item "Farewell becomes bye")
person "$b" state_id "To Analyse" >/dev/null
wait_for 30 is_begun
person "$b" delete "" >/dev/null
wait_for 60 is_gone
assert "what is for an item that was deleted is parked, with a sentence" \
    is_gone
assert "and given up by an operator's word" ctl queue drop tracker
assert "the database holds its invariants" ctl check
kill "$RECEIVER_PID"
remote_end
finish
