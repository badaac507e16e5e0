#!/bin/sh
# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.
#
# run.sh: check the ownership protocol (ownership.pml, docs/ownership.md).
#
#   tests/model/run.sh
#
# Every state is visited.  The number of states is part of each result: a
# model that lost half of its behaviour still has no errors.  When a change
# of the model changes a number, look at what it says and write it here.  Each
# rule of the protocol is taken away once, and then the model must fail.
# SLOW=1 adds the run with two crashes and everything else at once (1 GB).

set -u
LC_ALL=C
export LC_ALL
here=$(cd "$(dirname "$0")" && pwd) || exit 2
dir=$(mktemp -d "${TMPDIR:-/tmp}/orchd-model.XXXXXX") || exit 2
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
bad=0 n=0

# build MACROS FLAGS [STATE]: the verifier; STATE is claimed never to be.
build()
{
	cd "$dir" && rm -f pan* out ./*.trail && : >out &&
	    { [ $# -lt 3 ] || echo "#define NEVER ($3)"; } >model.pml &&
	    cat "$here/ownership.pml" >>model.pml &&
	    spin -a $1 model.pml >spin.log 2>&1 &&
	    ${CC:-cc} -w $2 -o pan pan.c >>spin.log 2>&1 && return 0
	sed 's/^/# /' spin.log
	return 1
}

# tell STATUS NAME
tell()
{
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		bad=$((bad + 1))
		grep -E 'errors:|states, stored|violated|pan:|resource' out |
		    sed 's/^/#   /'
	fi
}

# The verdict is in the text; the exit status of pan says nothing.
sound()
{
	grep -q 'errors: 0$' out && ! grep -q 'Search not completed' out
}

# holds NAME STATES OPTIONS: no assertion fails, in exactly so many states.
holds()
{
	build "$3" "-O2 -DSAFETY -DNOCLAIM" && ./pan -m10000 >out 2>&1
	sound && [ "$(awk '/states, stored/ { print $1 }' out)" = "$2" ]
	tell $? "$1: $2 states"
}

# lives CLAIM STATES NAME: it comes, under weak fairness.
lives()
{
	./pan -m10000 -a -f -N "$1" >out 2>&1
	sound && [ "$(awk '/states, stored/ { print $1 }' out)" = "$2" ]
	tell $? "$3: $2 states"
}

# fails NAME WORDS OPTIONS: some assertion with these words is found false.
fails()
{
	build "-DCRASHES=1 $3" "-DSAFETY -DNOCLAIM" && ./pan -m10000 >out 2>&1
	grep 'assertion violated' out | grep -qF -- "$2"
	tell $? "$1"
}

# reached NAME STATE: it is not out of reach.
reached()
{
	build -DCRASHES=1 "-DSAFETY -DNOCLAIM" "$2" && ./pan -m10000 >out 2>&1
	grep -qF 'assertion violated  !(' out && ! sound
	tell $? "$1 is reached"
}

holds "one crash, release, mistaken start, cancel, moved target" \
    1647149 "-DCRASHES=1"
holds "three crashes, release, moved target" \
    673280 "-DCRASHES=3 -DSPURIOUS=0 -DCANCELS=0"
[ "${SLOW:-0}" = 1 ] &&
    holds "two crashes and everything else" 5665676 "-DCRASHES=2"

reached "done" "stage==DONE"
reached "back after a failed deploy" "stage==BACK&&merges>0"
reached "cancelled" "stage==CANCELLED"
reached "a deploy by a hook whose wrapper was killed" \
    "wrapper==H_DEAD&&deployed&&drow==D_FAILED"

build "-DLIVE -DCRASHES=1 -DSPURIOUS=0" "-O2 -DNFAIR=4"
lives owned 1065626 "nothing stays owned by the dead"
lives done 1099568 "a deploy that succeeded ends done"
lives rests 873361 "every task ends"

red="merges>0))&&(drow!=3"
fails "without the compare of the other side: a push is lost" \
    "target==" -DNO_CAS
fails "without the probe: landed, and back in development" "$red" -DNO_PROBE
fails "without the epoch: an old one commits" "newest" -DNO_EPOCH
fails "without the drain: landed after it was given up" "$red" -DNO_DRAIN
fails "without the hook's drain: it acts after its verdict" \
    "drow>=2)&&hook" -DNO_HOOK_DRAIN
fails "without the stage's compare: a stage is left twice" "from" \
    -DNO_STAGE_CAS
fails "without the lease: two owners" "$red" -DNO_LEASE
fails "release without kill and drain: landed after it was given up" \
    "$red" -DNO_KILL
fails "cancel without a look at the target: landed and cancelled" \
    "stage==4)&&(merges>0" -DNO_CANCEL_PROBE
fails "a word of reaperd believed unseen: a living owner replaced" "$red" \
    -DNO_RECHECK
build "-DLIVE -DPID_ONLY -DCRASHES=1 -DSPURIOUS=0" -DNFAIR=4 &&
    ./pan -m10000 -a -f -N owned >out 2>&1
grep -q 'acceptance cycle' out
tell $? "identity by pid only: a dead owner keeps its lease"

echo "1..$n"
exit $((bad > 0))
