#!/bin/sh
# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.
#
# A running agent outlives a restart, a crash of the engine and a crash of the
# parent: it is adopted, not started again.  A shutdown ends it and its job
# waits for the next start.

. "$(dirname "$0")/lib.sh"

# runs_of TASK ROLE: how often an agent was started.
runs_of()
{
	ctl -j show "$1" | tr -d '\n' | sed 's/{/\n{/g' |
	    grep '"kind": *"agent"' | grep -c "\"role\": *\"$2\""
}

# running ROLE TASK: until such an agent is at work.
running()
{
	i=0
	until ctl why "$2" 2>/dev/null | grep -q "runs: $1"; do
		i=$((i + 1))
		[ $i -lt 300 ] || return 1
		sleep 0.1
	done
	sleep 0.3
}

begin
make_project
cat >"$T/bin/slow" <<'END'
#!/bin/sh
# slow: the developer takes its time.
[ "$ORCH_ROLE" = developer ] && sleep 3
exec "$(dirname "$0")/agent"
END
chmod 755 "$T/bin/slow"
AGENT_COMMAND=$T/bin/slow
GLOBAL="serial_limit 5"
write_conf
start_orchd

id=$(submit "Restart becomes new")
travel "$id" 60 &
traveller=$!
running developer "$id" || bail "the developer runs"
assert "orchctl restart" ctl restart
wait_orchd
wait $traveller
assert_is "after a restart: done" done "$(stage_of "$id")"
assert_is "the agent was started once" 1 "$(runs_of "$id" developer)"

id=$(submit "Engine becomes new")
travel "$id" 60 &
traveller=$!
running developer "$id" || bail "the developer runs"
kill_part engine
wait $traveller
assert_is "after the engine's death: done" done "$(stage_of "$id")"
assert_is "the agent was started once" 1 "$(runs_of "$id" developer)"

id=$(submit "Parent becomes new")
travel "$id" 60 &
traveller=$!
running developer "$id" || bail "the developer runs"
kill_part parent
wait "$ORCHD_PID" 2>/dev/null
start_orchd
wait $traveller
assert_is "after the parent's death: done" done "$(stage_of "$id")"
assert_is "the agent was started once" 1 "$(runs_of "$id" developer)"

id=$(submit "Shutdown becomes new")
travel "$id" 60 &
traveller=$!
running developer "$id" || bail "the developer runs"
kill $traveller
wait $traveller 2>/dev/null
stop_orchd
left=$(leftovers)
assert_is "a shutdown ends the agent" "" "$left"
start_orchd
travel "$id" 60
assert_is "its job goes on after the next start" done "$(stage_of "$id")"
assert_is "the agent was started twice" 2 "$(runs_of "$id" developer)"
assert "the database holds its invariants" ctl check
finish
