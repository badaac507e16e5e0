#!/bin/sh
# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.

# Two items travel through a Gitea and a Plane whose answers are lost and late
# now and then, while the engine, the daemons and the workers are killed in
# turn.  One merge and one deploy each, and nothing said twice.

. "${LIBDIR:-$(dirname "$0")}/lib.sh"
. "$LIBDIR/remote.sh"

# Answers of both are lost after the server acted, or come late.
unreliable()
{
	for server in "$FORGE" "$TRACKER"; do
		order "$server" faults '[
		    {"match": ".* /api/.*", "chance": 0.05, "times": -1,
		     "kind": "lost"},
		    {"match": ".* /api/.*", "chance": 0.05, "times": -1,
		     "kind": "slow", "seconds": 0.5}]' >/dev/null
	done
	: >"$T/killing"
	killer &
	KILLER=$!
}

# Three times each of them, and then no more: what failed is tried again later
# and later.  The newest finalizerd is a worker, when there is one.
killer()
{
	for turn in 1 2 3; do
		for part in finalizerd engine worker reconciled webhookd; do
			sleep 0.8
			[ -e "$T/killing" ] || return
			case $part in
			worker) victim=$(children finalizerd | tail -n 1) ;;
			*) victim=$(pid_of $part) ;;
			esac
			[ -n "$victim" ] && kill -9 "$victim" 2>/dev/null &&
			    echo $part >>"$T/kills"
		done
	done
}

no_killer()
{
	rm -f "$T/killing"
	wait "$KILLER"
	sort "$T/kills" | uniq -c | tr '\n' ' ' | sed 's/^/# killed: /'
	echo
}

begin
GLOBAL="max_attempts 20
transient_max 50"
WRONG=unreliable AFTER=no_killer
scenario "answers lost and processes killed" 240 1
finish
