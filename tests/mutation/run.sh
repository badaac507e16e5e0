#!/bin/sh
# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.
#
# run.sh: does a test notice when a rule of ownership is taken away?  Each line
# of `table' is a mutation (libcommon/mutant.h), a test that notices it, and a
# part of what that test then says; the mutated test was built by the Makefile.
#
#   tests/mutation/run.sh [-a] [-B build] [NAME ...]
#
# Each is tried as on this kernel and as on one without inodes of pidfds; a
# test that asks for no identity as on the older one only.
#
# With -a every test that the mutated objects belong to, the crash points and
# the simulator, built here; what noticed is shown, and all that `noticed'
# names must be among it.  Hours.

set -u
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.." || exit 2
B=${ORCHD_BUILD:-build}
all=0
while getopts aB: opt; do
	case $opt in
	a) all=1 ;;
	B) B=$OPTARG ;;
	*) echo "usage: run.sh [-a] [-B build] [NAME ...]" >&2; exit 2 ;;
	esac
done
shift $((OPTIND - 1))
names=$*
here=tests/mutation
tmp=$(mktemp -d) || exit 2
log=$tmp/log
n=0 failed=0
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

wanted()
{
	[ -z "$names" ] && return 0
	for w in $names; do
		[ "$w" = "$1" ] && return 0
	done
	return 1
}

# A test that fails half-way leaves processes behind, some in a session of
# their own: those of this program, and no others.
end_strays()
{
	for exe in /proc/[0-9]*/exe; do
		[ "$exe" -ef "$1" ] || continue
		pid=${exe#/proc/}
		kill -9 "${pid%/exe}" 2>/dev/null
	done
}

# run_mutant NAME PROGRAM LIMIT: its exit status; what it said is in $log.
run_mutant()
{
	prog=$B/mutant/$1/$2
	case $2 in
	crash) [ $all = 1 ] && set -- "$prog" -k ||
	    set -- "$prog" -k -o merge -t 10 ;;
	sim) set -- "$prog" -n "${SEEDS:-200}" ;;
	*) set -- "$prog" ;;
	esac
	mkdir "$tmp/home"
	HOME=$tmp/home TMPDIR=$tmp/home timeout -k 5 "${limit:-120}" "$@" \
	    >"$log" 2>&1 </dev/null
	rc=$?
	# The crash points have nobody but who removes their folder at the end.
	[ "${prog##*/}" = crash ] || end_strays "$prog"
	chmod -R u+rwX "$tmp/home" && rm -rf "$tmp/home"
	return $rc
}

# The first test that failed, or the first line that says so.
first_fault()
{
	sed -n 's/^[^ ]*:[FE]:[^:]*:\([^:]*\):.*/\1/p; s/^not ok [0-9]* - //p;
	    s/^# .*: \(lost\|repeated\|corrupt\|other\): .*/\1/p' "$log" |
	    head -n 1
}

# Each mutation by the test that the table names.
check_table()
{
	while IFS='	' read -r name test text; do
		case $name in
		''|'#'*) continue ;;
		esac
		wanted "$name" || continue
		case $test in
		finalizerd_*|crash) ;;
		*) check_one "$name" "$test" "$text" ;;
		esac
		ORCHD_NO_PIDFD_INODE=1 check_one "$name" "$test" "$text"
	done <$here/table
}

check_one()
{
	kernel=${ORCHD_NO_PIDFD_INODE:+, older kernel}
	n=$((n + 1))
	run_mutant "$1" "$2"
	rc=$?
	if [ $rc -ne 0 ] && [ $rc -lt 124 ] && grep -qF "$3" "$log"; then
		echo "ok $n - $1$kernel: $2 fails: $3"
		return
	fi
	failed=$((failed + 1))
	echo "not ok $n - $1$kernel: $2 ended with status $rc and does not" \
	    "say \"$3\""
	sed 's/^/#   /' "$log" | tail -n 30
}

# The programs that hold code of mutation $1, or all for libcommon's.
programs_of()
{
	areas=$(grep -lE "MUTANT(_OR)?\\($1[,)]" ./*/*.c | cut -d / -f 2 |
	    sort -u)
	case $areas in
	*libcommon*) areas='[a-z]*' ;;
	esac
	for a in $areas; do
		for t in tests/unit/${a}_*_test.c; do
			[ -f "$t" ] && basename "$t" .c
		done
		case $a in
		orchd|'[a-z]*') echo crash ;;
		esac
	done
	echo sim
}

check_all()
{
	sed -n 's/^\([A-Z_]*\)	.*/\1/p' $here/table | uniq |
	    while read -r name; do
		wanted "$name" || continue
		for test in $(programs_of "$name"); do
			make -s B="$B" "$B/mutant/$name/$test" \
			    >"$tmp/make" 2>&1 || {
				sed 's/^/#   /' "$tmp/make"
				continue
			}
			limit=900 run_mutant "$name" "$test" ||
			    printf '%s\t%s\t%s\n' "$name" "$test" \
			    "$(first_fault)"
			rm -f "$B/mutant/$name/$test"
		done
	done | tee "$tmp/seen"
	cut -f 1,2 "$tmp/seen" | grep -v '^#' | sort >"$tmp/noticed"
	grep -v '^#' $here/noticed | while read -r name test; do
		wanted "$name" && printf '%s\t%s\n' "$name" "$test"
	done | sort >"$tmp/known"
	comm -13 "$tmp/noticed" "$tmp/known" >"$tmp/gone"
	n=1
	if [ -s "$tmp/gone" ]; then
		failed=1
		echo "not ok 1 - not noticed any more:"
		sed 's/^/#   /' "$tmp/gone"
	else
		echo "ok 1 - each that \`noticed' names was noticed"
	fi
}

if [ $all = 1 ]; then
	check_all
else
	check_table
fi
echo "1..$n"
[ "$failed" -eq 0 ] && [ "$n" -gt 0 ]
