#!/bin/sh
# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.
#
# What a person may type who does not know orchd: each wrong word gets a
# sentence and status 1 and changes nothing.  And an item is cancelled in
# each of its stages.

. "$(dirname "$0")/lib.sh"

# refuses NAME TEXT ARGUMENT ...: orchctl does, with status 1.
refuses()
{
	name=$1 text=$2
	shift 2
	assert_says "$name" 1 "$text" ctl "$@"
}

# cancels STAGE LINE: an item with that line of request is cancelled there.
cancels()
{
	id=$(submit "Cancel$1 becomes off" "$2")
	wait_for 30 reach "$id" "$1" || {
		fail "an item comes to $1: $(task_field "$id" why)"
		return
	}
	assert "cancel in $1" ctl cancel "$id"
	wait_for 15 in_stage "$id" cancelled
	assert_is "cancel in $1: it ends" cancelled "$(stage_of "$id")"
	assert_is "cancel in $1: no branch is left" "" \
	    "$(mirror for-each-ref --format='%(refname)' \
	    "refs/heads/feature/$id-*")"
	assert_has "cancel in $1: why says so" "is cancelled" "$(ctl why "$id")"
}

# reach TASK STAGE: approve what it asks for until it is there.
reach()
{
	in_stage "$1" "$2" && return 0
	has_question "$1" && ctl -q approve "$1"
	in_stage "$1" "$2"
}

agents()
{
	for p in $(leftovers); do
		tr '\0' ' ' <"/proc/$p/cmdline" 2>/dev/null |
		    grep -F -e "$T/bin/agent"
	done
}

begin
make_project
GLOBAL="serial_limit 3
agent_timeout_s 300"
PROJECT="	gate \"slow\" in testing command \"sh\" \"-c\" \"[ ! -e slow ] || sleep 300\""
write_conf
start_orchd

# --- words that name nothing -------------------------------------------------

for verb in show why history gate approve confirm retry cancel effect job; do
	refuses "$verb of no such task" "there is no task NOPE-7" $verb NOPE-7
done
refuses "log of no such task" "no such run" log NOPE-7
refuses "log of no such run" "no such run" log 99999
refuses "no task at all" "which task?" show ''
refuses "a quote is no task" "there is no task S-1' OR 1=1" \
    show "S-1' OR 1=1"
refuses "an ESC is shown, not obeyed" '\x1b[31m' show "$(printf '\033[31m')"
refuses "no such verb: those that are" "status, submit" nosuchverb
refuses "a piece of a verb that must be whole" "written in full" app S-1
refuses "a verb that could be two" "could be show, shutdown" s
refuses "an option that a verb does not have" "usage: orchctl status" \
    status -z
assert_says "orchctl says where no orchd is" 2 "no orchd at" \
    "$ORCHCTL" -s "$T/none.sock" status

# --- titles and requests -----------------------------------------------------

refuses "an empty title" "a title is needed" submit -t '' -m x
refuses "a blank title" "a title is needed" submit -t '   ' -m x
refuses "a title of 10 KiB" "at most 500 bytes" \
    submit -t "$(head -c 10240 /dev/zero | tr '\0' a)" -m x
refuses "a title with an ESC" "one line of plain text" \
    submit -t "$(printf 'esc\033[31mred')" -m x
refuses "a title of two lines" "one line of plain text" \
    submit -t "$(printf 'two\nlines')" -m x
refuses "a title that is not UTF-8" "one line of plain text" \
    submit -t "$(printf 'bad\377')" -m x
refuses "a title that turns the line round" "one line of plain text" \
    submit -t "$(printf 'rtl\342\200\256evil')" -m x
refuses "an unknown project: those that are" "nosuch in the configuration, but sample" \
    submit -p nosuch -t x
refuses "a priority out of range" "-1000 to 1000" submit -n 5000 -t x
refuses "a dependency that is not there" "there is no task S-99" \
    submit -t x -d S-99
assert_is "of all this nothing was taken" "" \
    "$(ctl -j status -a | json id)"
for title in "'); DROP TABLE task; --" "-rf / \$(touch $T/canary/x) \`id\`" \
    "../../etc/passwd" "日本語のタイトル"; do
	id=$(ctl -q submit -t "$title" -m x)
	assert_has "a title with odd words is kept as it is" "$title" \
	    "$(ctl show "$id")"
	ctl -q cancel "$id"
	wait_for 10 in_stage "$id" cancelled
done
assert_is "no word of a title was executed" "" "$(ls "$T/canary")"

# --- deciding what is not asked ----------------------------------------------

a=$(submit "Greeting becomes welcome" "agent architect: hang")
refuses "approve before anything is asked" "asks nobody for anything" \
    approve "$a"
refuses "reject without a reason" "say why with -m" reject "$a"
refuses "reject with a blank reason" "say why with -m" reject -m ' ' "$a"
wait_asked "$a" 20
refuses "confirm in analysis" "confirm is for stage deploy" confirm "$a"
refuses "approve another commit" "asks about commit" \
    approve -c deadbeef "$a"
refuses "approve what is no commit" "is no commit id" approve -c zzz "$a"
refuses "retry what is not parked" "is not parked: waits for a person" \
    retry "$a"
assert_is "nothing was changed" "analysis check_analysis_approved" \
    "$(stage_of "$a") $(task_field "$a" asked_gate)"
assert "approve the commit that is asked about" \
    ctl approve -c "$(task_field "$a" head)" "$a"

# --- dependencies ------------------------------------------------------------

b=$(submit "Blue becomes b")
c=$(submit "Cyan becomes c" "agent analyst: hang")
d=$(submit "Dark becomes d")
e=$(submit "Ebony becomes e")
refuses "depend on oneself" "circle" depend "$d" "$d"
assert "depend on another" ctl depend "$e" "$d"
refuses "a circle" "circle" depend "$d" "$e"
assert_has "why says what it waits for" "needs $d to be done" \
    "$(ctl why "$e")"
refuses "depend when it is too late" "before analysis only" depend "$a" "$d"

# --- log -f, and narrow terminals --------------------------------------------

wait_for 20 in_stage "$a" architecture
wait_for 10 sh -c "timeout 5 '$ORCHCTL' -s '$T/run/control.sock' log $a |
    grep -q 'architect hang'"
timeout 30 "$ORCHCTL" -s "$T/run/control.sock" log -f "$a" >"$T/followed" &
follower=$!
wait_for 5 grep -q "architect hang" "$T/followed"
assert "log -f shows what the agent says" grep -q "architect hang" \
    "$T/followed"
assert "log -f goes on while it runs" kill -0 $follower
for n in 200 80 40 10 1; do
	for v in status queue "show $a"; do
		script -qec "stty cols $n 2>/dev/null; $ORCHCTL -s \
		    $T/run/control.sock $v" /dev/null >"$T/narrow" 2>&1 ||
		    fail "orchctl $v in a terminal of $n columns"
	done
done
for n in 120 80 60 40; do
	script -qec "stty cols $n; $ORCHCTL -s $T/run/control.sock status" \
	    /dev/null | sed 's/\x1b\[[0-9;]*m//g; /^agents /d' |
	    tr -d '\r' >"$T/narrow"
	assert "status fits into a terminal of $n columns" \
	    [ "$(wc -L <"$T/narrow")" -le $n ]
done

# --- cancel in each stage ----------------------------------------------------

ctl -q cancel "$a"
assert "a cancelled agent's log ends log -f" wait_for 10 \
    sh -c "! kill -0 $follower 2>/dev/null"
for id in "$b" "$c" "$d" "$e"; do
	ctl -q cancel "$id"
done
assert "what had not begun is cancelled too" wait_for 20 \
    sh -c "! timeout 5 '$ORCHCTL' -s '$T/run/control.sock' -j status |
    grep -q '\"stage_seq\"'"
cancels analysis "agent analyst: hang"
cancels architecture "agent architect: hang"
cancels development "agent developer: stubborn"
cancels review "agent reviewer: freeze"
cancels testing "agent tester: hang"
assert_is "no agent is left" "" "$(agents)"
refuses "cancel what is cancelled" "is cancelled already" cancel "$id"
refuses "retry what is cancelled" "open a new item" retry "$id"
refuses "approve what is cancelled" "asks nobody" approve "$id"
id=$(submit "Merged becomes merged")
wait_for 40 reach "$id" deploy
refuses "cancel after the merge: what can be done" "orchctl reject" \
    cancel "$id"
refuses "approve does not deploy" "approved-on-deploy-noop" approve "$id"
assert_is "nothing is deployed without a confirmation" 0 "$(deploy_calls)"
assert "refuse the deploy" ctl reject -m "not on a Friday" "$id"
wait_for 10 in_stage "$id" development
assert_has "it is back in development with the words" "not on a Friday" \
    "$(ctl show "$id")"
ctl -q cancel "$id"
wait_for 20 in_stage "$id" cancelled
assert "the database holds its invariants" ctl check
finish
