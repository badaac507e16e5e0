#!/bin/sh
# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.
#
# Agents that misbehave: a clear reason in orchctl show, no orphan, nothing of
# theirs executed outside the sandbox, and orchd goes on.

. "$(dirname "$0")/lib.sh"

# misbehave WHAT PATTERN SECONDS: the developer does WHAT; the item does not
# come to review, and orchctl show has a reason that matches PATTERN.
misbehave()
{
	id=$(submit "Word$1 becomes $1" "agent developer: $1")
	if ! wait_asked "$id" 30; then
		fail "$1: the item comes to its approval"
		return
	fi
	ctl -q approve "$id"
	wait_parked "$id" "$3" ||
	    note "$1: $(task_field "$id" why)"
	assert "$1: the item is parked" is_parked "$id"
	assert_is "$1: it is in development" development "$(stage_of "$id")"
	if ctl show "$id" | grep -qiE -- "$2"; then
		pass "$1: the reason is shown"
	else
		fail "$1: the reason is shown"
		note "wanted: $2"
		ctl show "$id" | sed 's/^/#   /'
	fi
	left=$(pgrep -u "$(id -u)" -f "$T/bin/agent" | tr '\n' ' ')
	assert_is "$1: nothing of the agent is left" "" "$left"
	ctl -q cancel "$id"
	wait_stage "$id" cancelled 20
}

begin
make_project
GLOBAL="max_attempts 1
max_developer_retries 1
transient_max 1"
AGENT="	timeout 4"
write_conf
start_orchd

misbehave nothing "no (new )?commit|without (a )?commit|nothing" 30
misbehave fail "exit(ed)?( with| status| code)? 3|status 3" 30
misbehave hang "time|limit" 40
misbehave stubborn "time|limit" 40
misbehave flood "time|limit|log" 40
misbehave trespass "03-acceptance-criteria" 30

# What lives on in the background dies with the sandbox; the work counts.
id=$(submit "Daemon becomes gone" "agent developer: daemon")
assert "an agent that leaves a daemon: its item comes to done" \
    travel "$id" 60
assert_is "the daemon is gone" "" \
    "$(pgrep -u "$(id -u)" -f 'sleep 3600' | tr '\n' ' ')"

# Verdicts that lie, or speak of another commit, are not believed.
for what in lie stale; do
	id=$(submit "Review$what becomes $what" "agent reviewer: $what")
	wait_asked "$id" 30 && ctl -q approve "$id"
	wait_parked "$id" 40
	assert_is "reviewer, $what: the item stays in review" review \
	    "$(stage_of "$id")"
	assert_has "reviewer, $what: the file is named" 12-review.md \
	    "$(ctl show "$id")"
	ctl -q cancel "$id"
	wait_stage "$id" cancelled 20
done

# Hooks, filters and configuration planted in the clone.
id=$(submit "Plant becomes tree" "agent developer: plant" \
    "agent analyst: plant" "agent reviewer: plant")
travel "$id" 60
assert_is "planted: the item comes to done" done "$(stage_of "$id")"
assert_is "planted: nothing was executed outside" "" "$(ls "$T/canary")"

stop_orchd
rm -rf "$T/state"
AGENT_COMMAND=$T/bin/no-such-agent
write_conf
assert_says "missing program: the configuration is refused" 1 \
    no-such-agent "$ORCHD" -n -f "$T/orchd.conf"
cp "$T/bin/agent" "$AGENT_COMMAND"
start_orchd
rm "$AGENT_COMMAND"
id=$(submit "Nobody becomes there")
wait_parked "$id" 30
assert "missing program: the item is parked" is_parked "$id"
assert_has "missing program: its name is in the reason" no-such-agent \
    "$(ctl show "$id")"
finish
