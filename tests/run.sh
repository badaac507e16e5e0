#!/bin/sh
# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.
#
# run.sh: build nothing, run everything, sum it up.  `make check` calls it.
#
#   tests/run.sh [-B build] [-u|-i|-k|-m|-c|-s|-x|-X|-l|-b] [word ...]
#
# Only unit tests (-u), integration tests (-i), tests of identity as on an old
# kernel (-k), the model of the ownership protocol (-m), crash points (-c), the
# simulator (-s),
# mutations (-x), lint (-l) or measurements (-b);
# a word selects the tests whose name contains it.  Logs stay in build/check.
# The last line is "N passed, N failed"; the exit status is 0 only if something
# ran and nothing failed.
#
# As root the tests run as the system user orchd-demo in a copy below
# /var/tmp, because neither orchd nor bubblewrap is to be tried as root.

set -u
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/.." || exit 2
top=$PWD
B=build
kinds="unit config integration kernel model mutation crash sim lint"
unit_limit=300
script_limit=300
crash_limit=1800
[ "${SLOW:-0}" = 1 ] && unit_limit=900 script_limit=1800
script_limit=${SCRIPT_LIMIT:-$script_limit}

while getopts B:uikmcsxXlb opt; do
	case $opt in
	B) B=$OPTARG ;;
	u) kinds=unit ;;
	i) kinds=integration ;;
	k) kinds=kernel ;;
	m) kinds=model ;;
	c) kinds=crash ;;
	s) kinds=sim ;;
	x) kinds=mutation ;;
	X) kinds=mutants ;;
	l) kinds=lint ;;
	b) kinds=bench ;;
	*) echo "usage: run.sh [-B build] [-u|-i|-k|-m|-c|-s|-x|-X|-l|-b] [word ...]" >&2
	   exit 2 ;;
	esac
done
shift $((OPTIND - 1))
words=$*

logs=$top/$B/check
mkdir -p "$logs" && rm -f "$logs"/*.log || exit 2
passed=0 failed=0 nfolders=0 lanes=

# Centiseconds since boot, for durations only.
ticks()
{
	read -r up idle </proc/uptime
	echo "${up%.*}${up#*.}"
}

wanted()
{
	[ -z "$words" ] && return 0
	for w in $words; do
		case $1 in
		*"$w"*) return 0 ;;
		esac
	done
	return 1
}

# How many tests a log speaks of: Check's summary lines, else TAP lines.
# $2 is the exit status; a program that died, or that ran nothing, has failed.
count_log()
{
	awk -v rc="$2" '
	    /^[0-9]+%: Checks: / {
		line = $0
		gsub(/[:,]/, "", line)
		split(line, w, " ")
		checks += w[3]; bad += w[5] + w[7]
		next
	    }
	    /^ok / && !/# SKIP/ { checks++ }
	    /^not ok / { checks++; bad++ }
	    END {
		if ((rc != 0 && bad == 0) || checks == 0) { checks++; bad++ }
		print checks - bad, bad + 0
	    }' "$1"
}

# report KIND NAME LOG STATUS CENTISECONDS
report()
{
	spent=$5
	set -- "$1" "$2" "$3" "$4" $(count_log "$3" "$4")
	passed=$((passed + $5))
	failed=$((failed + $6))
	printf '%-12s %-36s %4d passed' "$1" "$2" "$5"
	[ "$6" -gt 0 ] && printf ', %d FAILED' "$6"
	printf '  %d.%02d s\n' $((spent / 100)) $((spent % 100))
	[ "$6" -eq 0 ] && return
	{
		case $4 in
		124|137) echo "    it ran out of time" ;;
		0) ;;
		*) echo "    exit status $4" ;;
		esac
		grep -hE '^not ok |:[FE]:|runtime error|ERROR: ' "$3" |
		    head -n 20 | sed 's/^/    /'
		echo "    $3"
	} >"$scratch/why"
	cat "$scratch/why"
	{ echo "$2:"; cat "$scratch/why"; } >>"$scratch/failed"
}

# keep NAME FOLDER: what a test left in it on purpose (KEEP in lib.sh).
keep()
{
	for kept in "$2"/orchd-test.*; do
		[ -d "$kept" ] || continue
		rm -rf "$logs/$1.kept"
		mv "$kept" "$logs/$1.kept" && echo "    kept: $logs/$1.kept"
	done
}

# run_one NUMBER NAME LIMIT COMMAND ...: as the test user, in a folder of its
# own; status and time go to a file.
run_one()
{
	# Short, because the path of a socket has little room.
	number=$1 folder=$scratch/$1 log=$logs/$2.log limit=$3
	shift 3
	t0=$(ticks)
	mkdir "$folder" || exit 2
	[ -n "$as" ] && chown orchd-demo: "$folder"
	(
		cd "$tree" && exec $as env -u ORCH_REPORT_FILE \
		    --default-signal=INT,QUIT HOME="$folder" TMPDIR="$folder" \
		    ORCHD_BUILD="$tree/$B" timeout -k 10 "$limit" "$@"
	) >"$log" 2>&1 </dev/null
	rc=$?
	echo "$rc $(($(ticks) - t0))" >"$scratch/ended.$number.new"
	mv "$scratch/ended.$number.new" "$scratch/ended.$number"
}

# ended KIND NAME NUMBER: wait for its end, and say it.
ended()
{
	until [ -e "$scratch/ended.$3" ] || [ -e "$scratch/over" ]; do
		sleep 0.1
	done
	# A lane that died says nothing.
	[ -e "$scratch/ended.$3" ] || echo 1 0 >"$scratch/ended.$3"
	read -r rc spent <"$scratch/ended.$3"
	report "$1" "$2" "$logs/$2.log" "$rc" "$spent"
	keep "$2" "$scratch/$3"
	rm -rf "${scratch:?}/$3"
}

# try KIND NAME LIMIT COMMAND ...: one alone, after what is planned.
try()
{
	wanted "$2" || return 0
	run_plan
	kind=$1 name=$2
	shift
	nfolders=$((nfolders + 1))
	run_one $nfolders "$@"
	ended "$kind" "$name" $nfolders
}

# plan KIND NAME LIMIT COMMAND: one of those that run side by side.
plan()
{
	wanted "$2" || return 0
	nfolders=$((nfolders + 1))
	echo "$nfolders $*" >>"$scratch/plan"
}

# A lane takes what no other has taken, until nothing is left.
lane()
{
	while read -r number kind name limit command; do
		mkdir "$scratch/taken.$number" 2>/dev/null || continue
		run_one "$number" "$name" "$limit" $command
	done <"$scratch/plan"
}

# What is planned: one more at the same time than there are processors, since
# each test waits now and then.
run_plan()
{
	[ -e "$scratch/plan" ] || return 0
	(
		for i in $(seq 0 "$(nproc 2>/dev/null || echo 1)"); do
			lane &
		done
		wait
		: >"$scratch/over"
	) &
	lanes=$!
	while read -r number kind name rest; do
		ended "$kind" "$name" "$number"
	done <"$scratch/plan"
	wait $lanes
	lanes=
	rm -f "$scratch/plan" "$scratch/over"
}

# The tree that the tests see, and who they are.
tree=$top as= scratch=
end_tree()
{
	for child in $(pgrep -P "$1"); do
		end_tree "$child"
	done
	kill "$1" 2>/dev/null
}

cleanup()
{
	[ -n "$lanes" ] && end_tree "$lanes"
	[ -n "$scratch" ] && rm -rf "$scratch"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

prepare()
{
	scratch=$(mktemp -d "/var/tmp/orchd-check.XXXXXX") || exit 2
	[ "$(id -u)" -eq 0 ] && [ "$kinds" != lint ] || return 0
	etc/demo/user.sh || exit 1
	as="setpriv --reuid orchd-demo --regid orchd-demo --clear-groups --"
	tree=$scratch/tree
	chmod 711 "$scratch"
	mkdir -p "$tree/$B"
	# Some tests read sources: which statement writes a stage?
	cp -R tests etc man orchd Makefile "$tree"
	[ "$kinds" != mutants ] || cp -R finalizerd libcommon orchctl proto \
	    reaperd reconciled runner webhookd "$tree"
	(cd "$B" && find . -type f -perm -u+x ! -path './check/*' |
	    tar -cf - -T - | tar -xf - -C "$tree/$B")
	chown -R orchd-demo: "$tree"
}

run_unit()
{
	for t in "$B"/tests/unit/*_test; do
		[ -x "$t" ] || continue
		plan unit "$(basename "$t")" $unit_limit "$t"
	done
}

run_config()
{
	[ -d tests/conf ] || return 0
	plan config conf $script_limit tests/conf.sh
}

run_integration()
{
	for t in tests/integration/[0-9]*.sh; do
		[ -x "$t" ] || continue
		plan integration "$(basename "$t" .sh)" $script_limit "$t"
	done
}

# As on a kernel before Linux 6.5, which does not tell who a peer is and has
# no inodes of pidfds: the unit tests are built so, the programs are told so.
run_kernel()
{
	for t in "$B"/kernel/*_test; do
		[ -x "$t" ] || continue
		plan kernel "kernel-$(basename "$t")" $unit_limit "$t"
	done
	plan kernel kernel-33-adopt $script_limit env ORCHD_NO_PIDFD_INODE=1 \
	    tests/integration/33-adopt.sh
	plan kernel kernel-30-kill $script_limit env ORCHD_NO_PIDFD_INODE=1 \
	    ONLY=runner tests/integration/30-kill.sh
}

run_model()
{
	# Half a minute of one processor, more where others want it too.
	plan model model $((2 * script_limit)) tests/model/run.sh
}

# The crash points, with as many lanes as there are processors; a build with
# sanitizers tries a sample of them.
run_crash()
{
	[ -x "$B/tests/crash/crash" ] || return 0
	case $B in
	*san*) every=10 ;;
	*) every=1 ;;
	esac
	try crash crash $crash_limit "$B/tests/crash/crash" -t $every \
	    -j "$(nproc 2>/dev/null || echo 1)"
}

# The simulator; a build with sanitizers tries few seeds.
run_sim()
{
	[ -x "$B/tests/sim/sim" ] || return 0
	case $B in
	*san*) seeds=30 ;;
	*) seeds=500 ;;
	esac
	try sim sim $crash_limit "$B/tests/sim/sim" -n $seeds \
	    -j "$(nproc 2>/dev/null || echo 1)"
}

# Each rule taken away once, and the test that has to notice.
run_mutation()
{
	plan mutation mutation $script_limit tests/mutation/run.sh
}

# Each rule taken away and every test tried: what noticed is shown.  Hours; it
# builds in the copy.
run_mutants()
{
	try mutants mutants 86400 tests/mutation/run.sh -a
	cat "$logs/mutants.log"
}

# Measurements: their figures are shown, and kept beside the logs.
run_bench()
{
	for t in tests/bench/[0-9]*.sh; do
		[ -x "$t" ] || continue
		try bench "$(basename "$t" .sh)" $script_limit "$t"
		cat "$logs/$(basename "$t" .sh).log"
	done
}

# Lint reads the sources, so it runs here, as whoever asked.
run_lint()
{
	wanted lint || return 0
	t0=$(ticks)
	tests/lint.sh >"$logs/lint.log" 2>&1
	report lint lint "$logs/lint.log" $? $(($(ticks) - t0))
}

prepare
for k in $kinds; do
	run_$k
done
run_plan

# What failed stands at the end as well: the end is what is read.
[ "$failed" -gt 0 ] && sed 's/^[^ ]/failed: &/' "$scratch/failed"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
