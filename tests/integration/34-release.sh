#!/bin/sh
# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.
#
# A stopped worker keeps its lease, because a stopped process is alive.  An
# operator takes it away by force: the worker is killed, another one goes on
# from the journal, and the item is merged and deployed once.

. "$(dirname "$0")/lib.sh"

# worker_of TASK: the process that owns its lease; 1 when none does.
worker_of()
{
	ctl -j lease | tr -d '\n' | sed 's/}, *{/}\n{/g' |
	    grep "\"task\": *\"$1\"" | grep '(edge)' |
	    sed -n 's/.* pid=\([0-9]*\) .*/\1/p' | grep .
}

is_gone()
{
	! kill -0 "$1"
}

begin
make_project
# Staging takes a while, so that the worker can be met inside its lease.
sed 's/^check)/&\n\tsleep 2/' "$T/repo/staging" >"$T/staging" &&
    cat "$T/staging" >"$T/repo/staging" &&
    git_repo commit -q -a -m "Take time" || bail "no slow staging"
write_conf
start_orchd
id=$(submit "Stuck becomes free")
travel "$id" 60 &
traveller=$!
wait_for 40 worker_of "$id" || bail "a worker is inside the edge"
worker=$(worker_of "$id")
kill -STOP "$worker"
sleep 3
assert_is "a stopped worker keeps its lease" "$worker" "$(worker_of "$id")"
assert_says "without force nothing is changed" 1 "owns the lease" \
    ctl lease release "$id"
assert "by force it is released" ctl lease release -f "$id"
assert "the stopped worker is ended" wait_for 10 is_gone "$worker"
wait $traveller
assert_is "its work was taken up again" done "$(stage_of "$id")"
assert_is "one merge" 1 "$(ctl -j effect "$id" | tr -d '\n' |
    sed 's/}, *{/}\n{/g' | grep '"name": *"merge"' |
    grep -c '"state": *"done"')"
assert_is "one deploy" 1 "$(deploy_calls | tr -d ' ')"
assert "the database holds its invariants" ctl check
finish
