#!/bin/sh
# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.
#
# A storm: processes of orchd, chosen by a seed, are killed or stopped for a
# while at any moment, while several items travel.  Nothing is lost, nothing
# happens twice, nothing is left over.  STORM is the number of signals, SEED
# repeats the draws (not the timing, and so not who is met).  storm.c sends the
# signals; here is looked at what it leaves.  A storm that fails keeps its
# folder.

. "$(dirname "$0")/lib.sh"

# Sanitizers make everything slow.
case $BUILD in
*san*) STORM=${STORM:-100} ;;
*) STORM=${STORM:-300} ;;
esac
SEED=${SEED:-$(date +%s)}
DRIVER=$BUILD/tests/integration/storm
DB=

sql()
{
	sqlite3 -readonly "$DB" "$1"
}

# The bit of the driver's status is not set.
not_said()
{
	[ $(($said & $1)) -eq 0 ]
}

# landings: what the target was moved to, by its reflog.
landings()
{
	awk '{ print $2 }' "$T/state/mirror/sample.git/logs/refs/heads/main"
}

# Items whose word is not in the target.
missing()
{
	sql "SELECT key, title FROM task WHERE stage = 'done'" |
	    while IFS='|' read -r id title; do
		file=$(echo "${title%% *}" | tr A-Z a-z)
		[ "$(mirror show "main:$file" 2>/dev/null)" = \
		    "${title##* }" ] || echo "$id: $file"
	done
}

begin
[ -x "$DRIVER" ] || bail "$DRIVER is built (make units)"
make_project
GLOBAL="serial_limit 20
max_concurrency 4
max_gate_runs 4
max_attempts 50
transient_max 100
merge_infra_max_retries 30
reaper_finalize_grace_s 2"
write_conf
# Long enough to be met.
echo 1.5 >"$T/production/delay"
start_orchd
# Each move of the target leaves a line, written by git and not by orchd.
mirror config core.logAllRefUpdates always
stop_orchd
note "STORM=$STORM SEED=$SEED"

"$DRIVER" -f "$T/orchd.conf" -o "$ORCHD" -r "$T/run/control.sock" \
    -l "$T/orchd.log" -n "$STORM" -s "$SEED" -i "${ITEMS:-14}" \
    -g "${GAP:-180}" -w "${WAIT:-120}" >"$T/storm.out" 2>&1
said=$?
cat "$T/storm.out"
assert "the storm was one" [ $said -ne 1 -a $said -lt 32 ]
assert "as many signals as were asked for found a process" not_said 16
assert "every item came to its end" not_said 2
assert "orchd ended only when it was told to, and well" not_said 8
assert "no process was left over" not_said 4

DB=$T/state/orchd.db
assert "the database is sound and holds its invariants" "$ORCHD" -C "$DB"
note "$(sql "SELECT count(*) || ' items, ' || sum(stage = 'done') ||
    ' done, ' || sum(round) || ' rounds more' FROM task")," \
    "$(landings | wc -l) landings, $(deploy_calls) deploys," \
    "$(sql "SELECT count(*) FROM run WHERE status = 'lost'") of" \
    "$(sql "SELECT count(*) FROM run") runs lost"
assert_is "each item is done" "" \
    "$(sql "SELECT key, stage, parked_reason FROM task WHERE stage <> 'done'")"
# A hook whose wrapper was killed leaves no result: its item goes back, and
# comes again with another merge of another round.
assert_is "each item was merged once a round that came to the merge" "" \
    "$(sql "SELECT key, m, r FROM (SELECT t.key,
    (SELECT count(*) FROM effect e WHERE e.task = t.id AND e.name = 'merge'
	AND e.state = 'done') AS m,
    (SELECT count(*) FROM transition x WHERE x.task = t.id
	AND x.to_stage = 'deploy') AS r FROM task t) WHERE m <> r")"
assert_is "the target was moved once for each" \
    "$(sql "SELECT count(*) FROM transition WHERE to_stage = 'deploy'")" \
    "$(landings | wc -l | tr -d ' ')"
assert_is "and never to the same commit twice" "" "$(landings | sort | uniq -d)"
sql "SELECT revision FROM deploy ORDER BY revision" >"$T/revisions"
cut -d' ' -f2 "$T/production/calls" | sort >"$T/called"
assert_is "no commit was deployed twice" "" "$(uniq -d "$T/called")"
assert_is "the hook was called for nothing that no deploy asked for" "" \
    "$(comm -13 "$T/revisions" "$T/called")"
sql "SELECT landed FROM task WHERE stage = 'done' ORDER BY landed" \
    >"$T/landed"
assert_is "the hook got what each item landed, once" "" \
    "$(comm -23 "$T/landed" "$T/called")"
assert_is "the work of each item is in the target" "" "$(missing)"
start_orchd
assert "orchd starts again, and its database holds its invariants" ctl check
[ $FAILED -eq 0 ] || KEEP=1
finish
