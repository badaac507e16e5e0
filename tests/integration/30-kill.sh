#!/bin/sh
# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.
#
# kill -9 of each process at many moments of a task's way: it comes to the
# same end, with one merge and one deploy.  Only a runner that is the wrapper
# of the deploy hook takes the hook's result with it: that deploy counts as
# failed (R-33), and the next round is merged and deployed, once as well.

. "$(dirname "$0")/lib.sh"

# kill_next PART: the next process of it that is there while the task travels.
kill_next()
{
	until kill_part "$1"; do
		[ -e "$T/killing" ] || return
		sleep 0.1
	done 2>/dev/null
	echo killed >>"$T/kills.$1"
}

# came_to_its_end WHO TASK CALLS FAILED: the task is done after so many deploys
# of others and failed ones of its own; each of its rounds that came so far was
# merged once, and nothing was deployed twice.
came_to_its_end()
{
	calls=$(deploy_calls)
	tail -n +$(($3 + 1)) "$T/production/calls" >"$T/calls"
	assert_is "$1 killed: done" done "$(stage_of "$2")"
	assert_is "$1 killed: one merge" $((1 + $4)) \
	    "$(effects_done "$2" merge)"
	assert_is "$1 killed: no revision is deployed twice" "" \
	    "$(cut -d ' ' -f 2 "$T/calls" | sort | uniq -d)"
	assert "$1 killed: one deploy" \
	    [ $((calls - $3)) -ge 1 -a $((calls - $3)) -le $((1 + $4)) ]
	assert_is "$1 killed: what was merged is deployed" \
	    "$(mirror rev-parse main)" "$(cat "$T/production/current")"
	assert "$1 killed: the database holds its invariants" ctl check
}

# lost_hooks TASK: how many of its deploys failed because the wrapper died.
lost_hooks()
{
	ctl history "$1" | grep -c 'FAILED: the hook ended without leaving'
}

# kills PART PAUSE: kill it again and again while a task travels; seven times,
# because what ends by itself is started later and later, at last after a
# minute.
kills()
{
	before=$(deploy_calls)
	id=$(submit "File$1 becomes $1" "agent reviewer: once")
	: >"$T/killing"
	(
		n=0
		while [ -e "$T/killing" ] && [ $n -lt 7 ]; do
			sleep "$2"
			kill_next "$1"
			n=$((n + 1))
		done
	) &
	killer=$!
	travel "$id" 120
	rm -f "$T/killing"
	wait $killer
	killed=$(wc -l <"$T/kills.$1" 2>/dev/null || echo 0)
	failed=0
	[ "$1" = runner ] && failed=$(lost_hooks "$id")
	assert "$1 was killed ($killed times)" [ "$killed" -gt 0 ]
	came_to_its_end "$1" "$id" "$before" "$failed"
}

# The parent: the test is the service manager.
kills_parent()
{
	before=$(deploy_calls)
	id=$(submit "Parent becomes new" "agent reviewer: once")
	n=0
	limit_at=$(($(date +%s) + 120))
	while [ "$(stage_of "$id")" != done ] && [ "$(date +%s)" -lt $limit_at ]; do
		kill_part parent
		wait "$ORCHD_PID" 2>/dev/null
		n=$((n + 1))
		start_orchd
		travel "$id" 1
	done
	note "parent was killed $n times"
	came_to_its_end parent "$id" "$before" 0
}

begin
make_project
GLOBAL="serial_limit 5
max_attempts 20
transient_max 50"
write_conf
start_orchd
# PART may be named alone in ONLY, to look at one of them.
for part in ${ONLY:-engine finalizerd reconciled reaperd runner parent}; do
	case $part in
	parent) kills_parent ;;
	engine) kills engine 0.7 ;;
	# A run that is killed waits longer each time: give it room.
	runner) kills runner 1.7 ;;
	*) kills "$part" 0.5 ;;
	esac
done
finish
