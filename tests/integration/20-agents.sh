#!/bin/sh
# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.
#
# Agents whose processes misbehave: a clear reason in orchctl show, no orphan,
# nothing of theirs outside the sandbox, and orchd goes on.

. "$(dirname "$0")/lib.sh"

# The program's processes and all that they started have $T in their words.
strays()
{
	for p in $(leftovers); do
		tr '\0' ' ' <"/proc/$p/cmdline" 2>/dev/null |
		    grep -F -e "$T/bin/agent" -e "$T/canary"
	done
}

begin
make_project
cp "$ORCHCTL" "$T/bin/orchctl"
GLOBAL="max_attempts 1
max_developer_retries 1
transient_max 1
serial_limit 40
max_concurrency 4
listen page on 127.0.0.1 port $PORT"
# Of the role that hangs: what others do well may take longer.
AGENT_analyst="	timeout 6"
write_conf
start_orchd
before=$(pid_of engine)

start_task developer reach
start_task developer mess
start_task analyst daemon
for what in hang stubborn flood freeze nothing fail suicide; do
	start_task analyst $what
done
settle 55
# By itself, because it has much to write within its time.
start_task analyst line
settle 30

parked_in "it does nothing: no commit" "$(id_of analyst nothing)" \
    analysis "left no commit"
parked_in "it fails: its exit code and its last words" \
    "$(id_of analyst fail)" analysis "exit code 3.*something is wrong"
ctl log "$(id_of analyst fail)" >"$T/its.log" 2>&1
assert "its escapes are shown, not obeyed" grep -qF 'x1b[2J' "$T/its.log"
cat "$T/show" >>"$T/its.log"
assert_not "no ESC is in log or show" \
    grep -q "$(printf '\033')" "$T/its.log"
parked_in "it hangs: its time limit" "$(id_of analyst hang)" analysis \
    "ran out of its time of 6 s"
parked_in "it ignores SIGTERM: its time limit" "$(id_of analyst stubborn)" \
    analysis "ran out of its time of 6 s"
flooded="time of 6 s"
[ -z "$(find "$T/state/log" -size +30M)" ] || flooded="$flooded.*its log\
 reached the limit and [0-9]* bytes were dropped"
parked_in "it floods its log: the time limit, and what was dropped" \
    "$(id_of analyst flood)" analysis "$flooded"
parked_in "it stops itself: its time limit" "$(id_of analyst freeze)" \
    analysis "ran out of its time of 6 s"
# A busy machine may need longer for it than the time limit.
parked_in "a line of 1 GiB: its exit code" "$(id_of analyst line)" analysis \
    "exit code 3|time of 6 s"
ctl log "$(id_of analyst line)" 2>&1 | tail -c 3000 >"$T/its.log"
assert "and its log says what was dropped" \
    grep -qE 'line cut, [0-9]{7,} bytes dropped' "$T/its.log"
parked_in "it kills all that it sees: the signal" \
    "$(id_of analyst suicide)" analysis "signal 9"
assert_is "it leaves a daemon: the work counts" done \
    "$(stage_of "$(id_of analyst daemon)")"
assert_is "fifo, setuid, closed and deep folders: the work counts" done \
    "$(stage_of "$(id_of developer mess)")"
assert_is "no setuid file came along" "" "$(mirror ls-tree -r main |
    grep -v '^100644\|^100755\|^120000')"
assert_is "network, sockets, other processes: nothing is reached" \
    nothing "$(mirror show "main:reached" 2>&1 | tr -d ' ')"
assert_is "nothing was executed outside" "" "$(ls "$T/canary")"
assert_is "nothing of an agent is left" "" "$(strays)"
assert "all workspaces are removed" wait_for 10 \
    sh -c "[ -z \"\$(ls '$T/state/ws')\" ]"
big=$(find "$T/state/log" -size +33M)
assert_is "no log is larger than its limit" "" "$big"
assert_is "it is still the first engine" "$before" "$(pid_of engine)"
assert "the database holds its invariants" ctl check

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
parked_in "missing program: its name is in the reason" "$id" analysis \
    no-such-agent
cp "$T/bin/agent" "$AGENT_COMMAND"
ctl -q retry "$id"
assert "missing program: once it is there, retry goes on" wait_asked "$id" 20
finish
