#!/bin/sh
# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.
#
# A storm: processes of orchd, chosen by a seed, are killed or stopped for a
# while at moments chosen by it, while several items travel.  Nothing is lost,
# nothing happens twice, nothing is left over.  STORM is the number of signals,
# SEED repeats the choices (not the timing).

. "$(dirname "$0")/lib.sh"

STORM=${STORM:-60}
SEED=${SEED:-$(date +%s)}

# choices: one line a signal: victim, signal, pause before it in seconds.
choices()
{
	awk -v seed="$SEED" -v n="$STORM" 'BEGIN {
		srand(seed)
		v = split("engine engine engine finalizerd finalizerd " \
		    "finalizerd runner runner runner reconciled reaperd " \
		    "parent", victims, " ")
		for (i = 0; i < n; i++) {
			who = victims[1 + int(rand() * v)]
			how = rand() < 0.75 || who == "parent" ? "KILL" : "STOP"
			printf "%s %s %.2f\n", who, how, 0.1 + rand() * 0.5
		}
	}'
}

# pids_of NAME: all children of that name, workers and daemons alike.
pids_of()
{
	case $1 in
	engine) comm=orchd ;;
	*) comm=$1 ;;
	esac
	cat /proc/[0-9]*/stat 2>/dev/null |
	    awk -v comm="($comm)" -v parent="$ORCHD_PID" \
		'$2 == comm && $4 == parent && $3 != "Z" { print $1 }'
}

# strike NAME SIGNAL NUMBER: one of that name; 1 when there is none.
strike()
{
	if [ "$1" = parent ]; then
		kill -9 "$ORCHD_PID"
		wait "$ORCHD_PID" 2>/dev/null
		start_orchd
		return 0
	fi
	victim=$(pids_of "$1" | awk -v k="$3" '{ p[NR] = $0 }
	    END { if (NR > 0) print p[1 + k % NR] }')
	[ -n "$victim" ] && kill "-$2" "$victim" 2>/dev/null || return 1
	if [ "$2" = STOP ]; then
		sleep 0.3
		kill -CONT "$victim" 2>/dev/null
	fi
	return 0
}

# more: keep four items under way.
more()
{
	open=$(ctl -j status 2>/dev/null | grep -o '"stage_seq"' | wc -l)
	[ "$open" -ge 4 ] && return 0
	number=$((number + 1))
	id=$(submit "Storm$number becomes word$number")
	# A reply that was lost with the engine: the item may be there.
	[ -n "$id" ] || number=$((number + 1))
}

# people: somebody who approves and confirms what is asked, all the time.
people()
{
	while [ -e "$T/people" ]; do
		task_states >"$T/states.people" 2>/dev/null
		while read -r id stage parked waits; do
			case $stage:$parked:$waits in
			done:*|cancelled:*) ;;
			*:true:*) ctl -q retry "$id" ;;
			deploy:*:person) ctl -q confirm "$id" ;;
			*:person) ctl -q approve "$id" ;;
			esac >/dev/null 2>&1
		done <"$T/states.people"
		sleep 0.3
	done
}

all_done()
{
	task_states >"$T/states"
	[ -s "$T/states" ] && ! grep -v ' done ' "$T/states"
}

# often NAME: where done effects of that name are not one for each time that
# the item came through (a deploy hook whose wrapper was killed has no result:
# its item goes back and comes again, with another merge).
often()
{
	while read -r id rest; do
		n=$(ctl -j effect "$id" | tr -d '\n' |
		    sed 's/}, *{/}\n{/g' | grep "\"name\": *\"$1\"" |
		    grep -c '"state": *"done"')
		back=$(moves "$id" | grep -c '^deploy>development$')
		[ "$n" -eq $((back + 1)) ] || echo "$id: $n, back $back"
	done <"$T/states"
}

# deployed: items whose landed commit the hook did not get exactly once.
deployed()
{
	while read -r id rest; do
		n=$(grep -c " $(task_field "$id" landed) " \
		    "$T/production/calls")
		[ "$n" -eq 1 ] || echo "$id: $n"
	done <"$T/states"
}

begin
make_project
GLOBAL="serial_limit 6
max_attempts 50
transient_max 100
merge_infra_max_retries 10"
write_conf
start_orchd
note "STORM=$STORM SEED=$SEED"
: >"$T/people"
people &
crowd=$!
number=0 struck=0 parent=0
choices >"$T/choices"
while read -r who how pause; do
	sleep "$pause"
	more
	strike "$who" "$how" "$struck" || continue
	struck=$((struck + 1))
done <"$T/choices"
note "$struck signals found a process"
assert "most of the signals found a process" [ $struck -gt $((STORM / 2)) ]
assert "every item is done" wait_for 180 all_done
rm -f "$T/people"
wait $crowd
sed 's/^/#   /' "$T/states" | grep -v ' done '
tasks=$(wc -l <"$T/states" | tr -d ' ')
note "$tasks items"
assert_is "each item was merged once a round" "" "$(often merge)"
assert_is "each deploy was begun once" "" "$(often deploy-start)"
assert_is "the hook got what each item landed, once" "" "$(deployed)"
assert_is "no commit was deployed twice" "" \
    "$(sort "$T/production/calls" | uniq -d)"
while read -r id rest; do
	word=$(task_field "$id" title | sed 's/.* //')
	file=$(task_field "$id" title | awk '{ print tolower($1) }')
	[ "$(mirror show "main:$file" 2>/dev/null)" = "$word" ] ||
	    echo "$id: $file"
done <"$T/states" >"$T/missing"
assert_is "the work of each item is in the target" "" "$(cat "$T/missing")"
assert "the database holds its invariants" ctl check
finish
