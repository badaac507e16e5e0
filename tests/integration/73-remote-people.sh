#!/bin/sh
# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.

# What people do in a Gitea and a Plane: stop an item and begin it afresh,
# block it and let it go on, close its pull request and open it again, approve
# it there and take that back, and say that it is to be done once more when it
# is done.

. "${LIBDIR:-$(dirname "$0")}/lib.sh"
. "$LIBDIR/remote.sh"

# sets ITEM STATUS: anna does.
sets()
{
	person "$1" state_id "$2" >/dev/null
}

# shows NAME SECONDS ITEM STATUS: the tracker comes to show it.
shows()
{
	if wait_for "$2" tracker_says "$3" "$4"; then
		pass "$1"
	else
		fail "$1: $3 is not $4: $(ctl why "$3" 2>&1)"
		ctl status -a | sed 's/^/#   /'
	fi
}

# said ITEM TEXT: does a comment of orchd say so?
said()
{
	order "$TRACKER" state | python3 -c '
import json, sys
item = json.load(sys.stdin)["items"][sys.argv[1]]
sys.exit(not any(sys.argv[2] in c["text"] for c in item["comments"]
                 if c["actor"] == "orchd"))' "$@"
}

# is_asked TASK GATE: is a person asked for it?
is_asked()
{
	[ "$(task_field "$1" asked_gate)" = "$2" ]
}

# pull_of TASK FIELD: of its pull request, as orchctl shows it.
pull_of()
{
	ctl -j show "$1" | python3 -c '
import json, sys
print((json.load(sys.stdin)["pull"] or {}).get(sys.argv[1], ""))' "$2"
}

pull_is()
{
	[ "$(pull_of "$1" state)" = "$2" ]
}

# green TASK: CI says so of its head.
green()
{
	order "$FORGE" ci "{\"repo\": \"team/sample\",
	    \"sha\": \"$(ctl -j show "$1" | json head)\",
	    \"context\": \"ci/build\", \"state\": \"success\"}" >/dev/null
}

# until_green TASK: CI judges whatever its head is, until a review is due.
until_green()
{
	green "$1"
	is_asked "$1" check_review_approved
}

# pull METHOD PATH JSON: anna's request about the pull request.
pull()
{
	api anna-token "$1" "/repos/team/sample/pulls/$2" "$3"
}

begin
POLL=2
PROJECT="review approval required"
start_servers
remote_conf
start_orchd

a=$(new_item "Greeting becomes hi")
sets "$a" "To Analyse"
shows "handed in: it asks for the analysis" 30 "$a" "In Review"
sets "$a" Stop
shows "stopped: it is cancelled" 20 "$a" Cancelled
assert_is "stopped: no branch is left at the forge" "" "$(forge_says '
" ".join(b for b in repo["branches"] if "feature" in b)')"
sets "$a" "To Analyse"
shows "afresh: it asks for the analysis" 30 "$a" "In Review"
t=$a-t2
assert_is "afresh: as another task" analysis "$(stage_of "$t")"
assert_is "afresh: the first one is as it was" cancelled "$(stage_of "$a")"
assert "afresh: a comment says so" wait_for 10 said "$a" "begins again as $t"
sets "$a" Blocked
wait_for 10 is_parked "$t"
assert_is "blocked: it is parked" true "$(task_field "$t" parked)"
sets "$a" "In Progress"
shows "in progress: it asks again" 10 "$a" "In Review"
sets "$a" "Confirm Deploy"
shows "confirmed too early: nothing but the status" 15 "$a" "Confirm Deploy"
assert_is "confirmed too early: it is where it was" analysis \
    "$(stage_of "$t")"
sets "$a" Approved
assert "approved: it comes to development" \
    wait_for 30 in_stage "$t" development
wait_for 30 pull_is "$t" open
n=$(pull_of "$t" number)
assert_is "its pull request has the number of the forge" \
    "$(forge_says 'max(p["number"] for p in repo["pulls"])')" "$n"
assert_has "and its page" "/team/sample/pulls/$n" "$(pull_of "$t" page)"
assert_has "orchctl shows them" "PR $n open, http" "$(ctl show "$t")"

pull PATCH "$n" '{"state": "closed"}' >/dev/null
shows "closed by hand: it is parked" 20 "$a" "Needs Input"
assert_has "closed by hand: it says what to do" "open it again" \
    "$(ctl why "$t")"
pull PATCH "$n" '{"state": "open"}' >/dev/null
shows "open again: it goes on" 20 "$a" "In Progress"
green "$t"
assert "green: it waits for a review" \
    wait_for 30 is_asked "$t" check_review_approved

# A judgement that is taken back is none.
r=$(pull POST "$n/reviews" '{"event": "REQUEST_CHANGES", "body":
    "say it louder"}' | json id)
assert "changes requested: back to development" \
    wait_for 20 in_stage "$t" development
assert_is "changes requested: a round by a person" "1 0" \
    "$(task_field "$t" round) $(task_field "$t" rework)"
wait_for 30 pull_is "$t" open
assert "and it comes back with another commit" wait_for 60 until_green "$t"
pull POST "$n/reviews" '{"event": "APPROVED"}' >/dev/null
wait_for 30 is_asked "$t" check_deploy_status
assert_is "approved at the forge: it asks for the deploy" deploy \
    "$(stage_of "$t")"
assert_has "approved at the forge: the history says by whom" \
    "anna at the forge" "$(ctl show "$t")"
shows "it asks in the tracker too" 10 "$a" "In Review"
sets "$a" Approved
assert "approved once more: nothing happens" wait_for 10 tracker_says "$a" \
    Approved
assert_not "nothing is deployed by it" test -s "$T/production/calls"
sets "$a" Stop
assert "stopped too late: a comment says why" wait_for 10 said "$a" \
    "a merge cannot be cancelled"
sets "$a" "Confirm Deploy"
shows "confirmed: it is done" 30 "$a" Done
assert_is "one deploy" 1 "$(grep -c . "$T/production/calls")"
sets "$a" "To Analyse"
assert "handed in again: a comment says that it stays done" \
    wait_for 10 said "$a" "is done and stays so"
assert_is "no third task" 2 "$(ctl -j status -a | rows |
    grep -c "\"id\": *\"$a")"
assert_is "no comment stands twice" "" "$(told_twice)"
assert "the database holds its invariants" ctl check
remote_end
finish
