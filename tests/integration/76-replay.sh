#!/bin/sh
# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.

# A delivery that is replayed has what it is about looked at as it is now: what
# a person did since, of which no webhook told, is seen by it.  The status page
# leads to the item and to the pull request.

. "${LIBDIR:-$(dirname "$0")}/lib.sh"
. "$LIBDIR/remote.sh"

hooks()
{
	for server in "$FORGE" "$TRACKER"; do
		order "$server" hooks "{\"enabled\": $1}" >/dev/null
	done
}

is_asked()
{
	[ "$(task_field "$1" asked_gate)" = "$2" ]
}

has_left()
{
	[ "$(stage_of "$1")" != "$2" ]
}

# page_says TEXT: does the page of /status have it?
page_says()
{
	curl -s -m 10 -H 'Accept: text/html' \
	    "http://127.0.0.1:$PAGE_PORT/status" >"$T/page" &&
	    grep -qF "$1" "$T/page"
}

begin
POLL=3600
start_servers
PAGE_PORT=$((HOOK_PORT + 1))
GLOBAL="listen page on 127.0.0.1 port $PAGE_PORT"
remote_conf
start_orchd
a=$(new_item "Greeting becomes hi")
person "$a" state_id "To Analyse" >/dev/null
wait_for 40 is_asked "$a" check_analysis_approved ||
    bail "an item begins: $(ctl why "$a" 2>&1)"
assert "the page leads to the item" page_says \
    "href=\"$TRACKER/team/projects/$PLANE_PROJECT/issues/"

# What our own status causes there is to be over first.
wait_for 20 tracker_says "$a" "In Review" || bail "the tracker shows it"
sleep 3
hooks false
person "$a" state_id "Approved" >/dev/null
sleep 4
assert_is "without a webhook and a poll nobody knows of the approval" \
    analysis "$(stage_of "$a")"
event=$(ctl -j event -S plane -p sample -t told -n 1 | json id)
assert "a delivery about the item is on record" [ "${event:-0}" -gt 0 ]
assert "it can be replayed" ctl event replay "$event"
assert "then the approval is seen" wait_for 30 has_left "$a" analysis
assert_has "who replayed it is kept" "by $(id -un): told" \
    "$(ctl event show "$event")"
assert "twice does nothing more" ctl event replay "$event"

hooks true
assert "the page leads to the pull request, too" wait_for 60 page_says \
    "href=\"$FORGE/team/sample/pulls/"
assert "the database holds its invariants" ctl check
remote_end
finish
