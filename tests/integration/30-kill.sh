#!/bin/sh
# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.
#
# kill -9 of each process at many moments of a task's way: it comes to the
# same end, with one merge and one deploy.

. "$(dirname "$0")/lib.sh"

# effects TASK NAME: how often it is on record as done.
effects()
{
	ctl -j effect "$1" | tr -d '\n' | sed 's/}, *{/}\n{/g' |
	    grep "\"name\": *\"$2\"" | grep -c '"state": *"done"'
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
			[ -e "$T/killing" ] && kill_part "$1" &&
			    echo killed >>"$T/kills.$1" && n=$((n + 1))
		done
	) &
	killer=$!
	travel "$id" 120
	rm -f "$T/killing"
	wait $killer
	killed=$(wc -l <"$T/kills.$1" 2>/dev/null || echo 0)
	assert "$1 was killed ($killed times)" [ "$killed" -gt 0 ]
	assert_is "$1 killed: done" done "$(stage_of "$id")"
	assert_is "$1 killed: one merge" 1 "$(effects "$id" merge)"
	assert_is "$1 killed: one deploy" $((before + 1)) "$(deploy_calls)"
	assert "$1 killed: the database holds its invariants" ctl check
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
	assert_is "parent killed $n times: done" done "$(stage_of "$id")"
	assert_is "parent killed: one merge" 1 "$(effects "$id" merge)"
	assert_is "parent killed: one deploy" $((before + 1)) \
	    "$(deploy_calls)"
	assert "parent killed: the database holds its invariants" ctl check
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
