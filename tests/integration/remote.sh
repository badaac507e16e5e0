# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.

# A forge and a tracker as a team has them, beside orchd: the stand-ins for
# Gitea and Plane, their hooks, tokens and statuses, and the people and the CI
# that act in them.  Sourced after lib.sh.

STANDIN=$TOP/tests/standin
FORGE=			# addresses, and their processes
TRACKER=
FORGE_PID=
TRACKER_PID=
HOOK_PORT=
PEOPLE_PID=

# standin NAME ARGUMENT ...: start one; its address is in $T/NAME.
standin()
{
	name=$1
	shift
	python3 "$STANDIN/$name.py" --ready "$T/$name" "$@" \
	    >>"$T/$name.log" 2>&1 </dev/null &
	STANDIN_PID=$!
	wait_for 10 test -s "$T/$name" || bail "the stand-in $name starts"
}

# order SERVER WHAT JSON: an order of the test to a stand-in; prints the
# answer.
order()
{
	curl -s -m 10 -H 'Content-Type: application/json' \
	    ${3:+-d "$3"} "$1/_standin/$2"
}

# api TOKEN METHOD PATH JSON: a request to the forge, as a program of the team.
api()
{
	curl -s -m 10 -H "Authorization: token $1" -X "$2" \
	    -H 'Content-Type: application/json' ${4:+-d "$4"} \
	    "$FORGE/api/v1$3"
}

secret()
{
	(umask 077 && printf '%s\n' "$2" >"$T/$1")
}

# start_servers [FORGE-ARGUMENT ...]: the forge with the project's repository,
# the tracker with its statuses, and their hooks on orchd's receiver.
start_servers()
{
	HOOK_PORT=$(free_port)
	make_project
	mkdir -p "$T/forge.d"
	standin forge --root "$T/forge.d" --repo team/sample \
	    --user anna:anna-token:read,write,admin \
	    --user orchd:write-token-0123456789:read,write \
	    --user reader:read-token-0123456789:read "$@"
	FORGE=$(cat "$T/forge")
	FORGE_PID=$STANDIN_PID
	git_repo push -q "$(echo "$FORGE" | sed 's,//,//anna:anna-token@,')/team/sample.git" main ||
	    bail "the project is pushed to the forge"
	api anna-token POST /repos/team/sample/hooks "{\"type\": \"gitea\",
	    \"active\": true, \"events\": [\"push\", \"create\", \"delete\",
	    \"pull_request\", \"pull_request_sync\", \"pull_request_review\",
	    \"issue_comment\", \"status\", \"workflow_run\"],
	    \"config\": {\"content_type\": \"json\",
	    \"secret\": \"forge hook secret\",
	    \"url\": \"http://127.0.0.1:$HOOK_PORT/webhook/gitea\"}}" \
	    >"$T/hook.json"
	grep -q '"id"' "$T/hook.json" || bail "the forge takes the hook"
	standin plane --per-minute 6000 --workspace team --project S \
	    --user orchd:plane_api_0123456789abcdef --user anna: \
	    --state S:Backlog:backlog --state "S:To Analyse:unstarted" \
	    --state "S:In Progress:started" --state "S:In Review:started" \
	    --state "S:Approved:started" --state "S:Rejected:started" \
	    --state "S:Confirm Deploy:started" \
	    --state "S:Needs Input:started" --state S:Blocked:started \
	    --state S:Stop:cancelled --state S:Done:completed \
	    --state S:Cancelled:cancelled \
	    --hook "http://127.0.0.1:$HOOK_PORT/webhook/plane" \
	    --secret "plane_wh_0123456789abcdef0123456789abcdef"
	TRACKER=$(cat "$T/plane")
	TRACKER_PID=$STANDIN_PID
	secret forge.read read-token-0123456789
	secret forge.write write-token-0123456789
	secret forge.hook "forge hook secret"
	secret plane.key plane_api_0123456789abcdef
	secret plane.hook plane_wh_0123456789abcdef0123456789abcdef
	PLANE_PROJECT=$(order "$TRACKER" state | python3 -c '
import json, sys
print(json.load(sys.stdin)["projects"]["S"]["id"])')
}

# remote_conf: write_conf for the servers; polls are as often as POLL says,
# in seconds.
remote_conf()
{
	GLOBAL="${GLOBAL-}
reconcile_interval_s ${POLL:-2}
forge_poll_interval_s ${POLL:-2}
listen webhook on 127.0.0.1 port $HOOK_PORT
webhook gitea secret file \"$T/forge.hook\"
webhook plane secret file \"$T/plane.hook\""
	PROJECT="${PROJECT-}
forge gitea \"$FORGE\" repo \"team/sample\" read token file \"$T/forge.read\" write token file \"$T/forge.write\"
tracker plane \"$TRACKER\" workspace \"team\" project \"$PLANE_PROJECT\" token file \"$T/plane.key\""
	write_conf
}

# person ITEM FIELD VALUE: what anna does in the tracker's pages.
person()
{
	order "$TRACKER" ui "{\"user\": \"anna\", \"item\": \"$1\",
	    \"field\": \"$2\", \"value\": \"$3\"}"
}

# new_item TITLE: an item that anna writes, in Backlog; prints its key.
new_item()
{
	order "$TRACKER" ui "{\"user\": \"anna\", \"field\": \"create\",
	    \"value\": {\"project\": \"S\", \"name\": \"$1\",
	    \"description_html\": \"<p>Write the word that the title says.</p>\"}}" |
	    json key
}

# people: they look at the tracker and the forge and do their part, until
# people_end.
people()
{
	python3 "$STANDIN/people.py" --forge "$FORGE" --repo team/sample \
	    --plane "$TRACKER" --user anna "$@" >>"$T/people.log" 2>&1 &
	PEOPLE_PID=$!
}

people_end()
{
	[ -z "$PEOPLE_PID" ] || kill "$PEOPLE_PID" 2>/dev/null
	wait "$PEOPLE_PID" 2>/dev/null
	PEOPLE_PID=
}

# tracker_says ITEM STATUS: is it in this status?
tracker_says()
{
	order "$TRACKER" state | python3 -c '
import json, sys
items = json.load(sys.stdin)["items"]
sys.exit(items[sys.argv[1]]["state"] != sys.argv[2])' "$@"
}

# all_done KEY ...: does the tracker say so of each?
all_done()
{
	for key in "$@"; do
		tracker_says "$key" Done || return 1
	done
}

# forge_says EXPRESSION: of its state, where repo is the repository.
forge_says()
{
	order "$FORGE" state | python3 -c '
import json, sys
repo = json.load(sys.stdin)["team/sample"]
print(eval(sys.argv[1]))' "$1"
}

# told_twice: comments that stand twice in the tracker, or that have no key.
told_twice()
{
	order "$TRACKER" state | python3 -c '
import collections, json, sys
for key, item in json.load(sys.stdin)["items"].items():
    ids = collections.Counter(c["external_id"] for c in item["comments"]
                              if c["actor"] == "orchd")
    for text, n in ids.items():
        if n > 1 or text is None:
            print(key, n, text)'
}

# once NAME KEY ...: what must be of items that are done.
once()
{
	name=$1
	shift
	for key in "$@"; do
		assert_is "$name: $key: one merge" 1 \
		    "$(effects_done "$key" merge)"
		assert_is "$name: $key: one deploy" 1 \
		    "$(grep -c "^$key " "$T/production/calls")"
	done
	assert_is "$name: the forge merged as many pulls as there are items" \
	    $# "$(forge_says 'sum(1 for p in repo["pulls"] if p["merge_commit"])')"
	assert_is "$name: and has no other" $# \
	    "$(forge_says 'len(repo["pulls"])')"
	assert_is "$name: no comment stands twice in the tracker" "" \
	    "$(told_twice)"
	assert_is "$name: nor on a pull" "" "$(forge_says '"".join(
	    c["body"] for c in repo["comments"]
	    if sum(d["body"] == c["body"] and d["issue"] == c["issue"]
	    for d in repo["comments"]) > 1)')"
	assert "$name: the database holds its invariants" ctl check
}

# play NAME SECONDS: two items, from To Analyse to Done; stops the people.
play()
{
	people
	a=$(new_item "Greeting becomes hi")
	b=$(new_item "Parting becomes bye")
	person "$a" state_id "To Analyse" >/dev/null
	person "$b" state_id "To Analyse" >/dev/null
	began=$(date +%s)
	if wait_for "$2" all_done "$a" "$b"; then
		pass "$1: both items are done"
		note "$1: $(($(date +%s) - began)) s"
	else
		fail "$1: both items are done within $2 s"
		ctl status -a | sed 's/^/#   /'
		tail -n 20 "$T/people.log" | sed 's/^/#   /'
		evidence
	fi
	people_end
	${AFTER:-:}
	once "$1" "$a" "$b"
}

# protect_target: whoever pushes to it directly is refused; the forge merges.
protect_target()
{
	api anna-token POST /repos/team/sample/branch_protections \
	    '{"rule_name": "main", "enable_push": false}' >"$T/rule.json"
	grep -q '"rule_name"' "$T/rule.json" || bail "main is protected"
}

# scenario NAME SECONDS POLL [FORGE-ARGUMENT ...]: fresh servers and a fresh
# orchd, then play; what is to be wrong is in $WRONG, a function that is called
# before the items come, and $AFTER one for their end.
scenario()
{
	scene=$1 within=$2 POLL=$3
	shift 3
	start_servers "$@"
	protect_target
	remote_conf
	start_orchd
	${WRONG:-:}
	play "$scene" "$within"
	remote_end
}

# remote_end: orchd and the servers end, and nothing is left of them.
remote_end()
{
	stop_orchd
	kill "$FORGE_PID" "$TRACKER_PID"
	wait "$FORGE_PID" "$TRACKER_PID" 2>/dev/null
	chmod -R u+rwX "$T/state"
	rm -rf "$T/state" "$T/run" "$T/repo" "$T/forge.d" "$T/forge" \
	    "$T/plane" "$T/production/calls"
	mv "$T/orchd.log" "$T/orchd.log.$(date +%s)"
	GLOBAL= PROJECT=
}
