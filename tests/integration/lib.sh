# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.
#
# lib.sh: what the integration tests share.  A test sources this file, calls
# begin, make_project, write_conf and start_orchd, does its work with ctl and
# the wait_ and assert_ functions, and calls finish.  Each assertion prints one
# TAP line.  Everything lives in the folder $T; whatever was started ends with
# the test, and a process that is left over is a failure of it.

set -u
LC_ALL=C.UTF-8
export LC_ALL
PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
GIT_CONFIG_GLOBAL=/dev/null
export PATH GIT_CONFIG_GLOBAL

LIBDIR=${LIBDIR:-$(cd "$(dirname "$0")" && pwd -P)}
TOP=$(cd "$LIBDIR/../.." && pwd -P)
BUILD=${ORCHD_BUILD:-$TOP/build}
ORCHD=$BUILD/orchd/orchd
ORCHCTL=$BUILD/orchctl/orchctl

T=
PORT=
N=0
FAILED=0
ORCHD_PID=

# --- results -----------------------------------------------------------------

pass()
{
	N=$((N + 1))
	echo "ok $N - $*"
}

fail()
{
	N=$((N + 1))
	FAILED=$((FAILED + 1))
	echo "not ok $N - $*"
}

note()
{
	echo "# $*"
}

# bail WHY: this test cannot go on.
bail()
{
	fail "$*"
	evidence
	finish
}

# assert NAME COMMAND ...: the command succeeds.
assert()
{
	name=$1
	shift
	if "$@" >"$T/assert.out" 2>&1; then
		pass "$name"
	else
		fail "$name ($*: status $?)"
		sed 's/^/#   /' "$T/assert.out" | head -n 20
	fi
}

# assert_not NAME COMMAND ...: the command fails.
assert_not()
{
	name=$1
	shift
	if "$@" >"$T/assert.out" 2>&1; then
		fail "$name ($* succeeded)"
		sed 's/^/#   /' "$T/assert.out" | head -n 20
	else
		pass "$name"
	fi
}

# assert_is NAME WANTED GOT
assert_is()
{
	if [ "$2" = "$3" ]; then
		pass "$1"
	else
		fail "$1"
		note "wanted: $2"
		note "   got: $3"
	fi
}

# assert_has NAME TEXT HAYSTACK: the text occurs in it.
assert_has()
{
	case $3 in
	*"$2"*) pass "$1" ;;
	*)
		fail "$1"
		note "wanted: ...$2..."
		note "   got: $(echo "$3" | head -n 5)"
		;;
	esac
}

# assert_says NAME STATUS TEXT COMMAND ...: it ends so and says so.
assert_says()
{
	name=$1 status=$2 text=$3
	shift 3
	"$@" >"$T/said" 2>&1
	got=$?
	if [ $got -eq "$status" ] && grep -qF -- "$text" "$T/said"; then
		pass "$name"
	else
		fail "$name"
		note "wanted status $status and: $text"
		note "   got status $got and: $(head -n 5 "$T/said")"
	fi
}

# --- begin and end -----------------------------------------------------------

begin()
{
	T=$(mktemp -d "${TMPDIR:-/tmp}/orchd-test.XXXXXX") || exit 2
	T=$(cd "$T" && pwd -P)
	mkdir "$T/bin" "$T/production" "$T/canary"
	[ -x "$ORCHD" ] && [ -x "$ORCHCTL" ] || {
		echo "not ok 1 - $ORCHD and $ORCHCTL are built"
		exit 1
	}
	PORT=$(free_port)
	sed "s,@CANARY@,$T/canary,g; s,@RUN@,$T/run,g; s,@STATE@,$T/state,g
	    s,@BIN@,$T/bin,g; s,@PORT@,$PORT,g" "$LIBDIR/agents/agent" \
	    >"$T/bin/agent"
	cp "$LIBDIR/agents/deploy" "$T/bin/deploy"
	chmod 755 "$T/bin/agent" "$T/bin/deploy"
	trap cleanup EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
}

# owned FOLDER: is this process in /proc ours?  Its folder tells it only of
# processes that are dumpable; orchd's are not.
owned()
{
	grep -q "^Uid:[[:space:]]*$(id -u)[[:space:]]" "$1/status" 2>/dev/null
}

# free_port: a TCP port that nobody listens on now, below those that the system
# gives to clients.  Tests that start together have neighbouring pids: each has
# twenty ports to itself.
free_port()
{
	p=$((10000 + $$ % 1000 * 20))
	while grep -qi "$(printf ':%04X ' $p)" /proc/net/tcp; do
		p=$((p + 1))
	done
	echo $p
}

# Processes that belong to this test, apart from its own shells.
leftovers()
{
	for p in /proc/[0-9]*; do
		pid=${p#/proc/}
		[ "$pid" != $$ ] && owned "$p" || continue
		cmd=$(tr '\0' ' ' <"$p/cmdline" 2>/dev/null)
		case $cmd in
		'') continue ;;
		*"$LIBDIR/"[0-9]*) continue ;;
		esac
		case $cmd:$(readlink "$p/cwd" 2>/dev/null):$(
		    readlink "$p/exe" 2>/dev/null) in
		*"$T"*) echo "$pid" ;;
		esac
	done
}

# The last lines that matter, for whoever reads a red log.
evidence()
{
	[ -f "$T/orchd.log" ] || return 0
	note "end of orchd.log:"
	tail -n 30 "$T/orchd.log" | sed 's/^/#   /'
	if [ -S "$T/run/control.sock" ]; then
		timeout 5 "$ORCHCTL" -s "$T/run/control.sock" status 2>&1 |
		    sed 's/^/#   /'
	fi
}

cleanup()
{
	rc=$?
	trap '' EXIT INT TERM
	for pid in $ORCHD_PID $(leftovers); do
		kill -9 "$pid" 2>/dev/null
	done
	if [ "${KEEP:-0}" = 1 ]; then
		note "kept: $T"
	else
		chmod -R u+rwX "$T" 2>/dev/null
		rm -rf "$T"
	fi
	exit $rc
}

# finish: stop what runs, look for orphans, print the plan, exit.
finish()
{
	[ -n "$ORCHD_PID" ] && stop_orchd
	i=0
	while [ -n "$(leftovers)" ] && [ $i -lt 20 ]; do
		sleep 0.1
		i=$((i + 1))
	done
	left=$(leftovers)
	assert_is "no process is left over" "" "$left"
	for pid in $left; do
		note "$pid: $(tr '\0' ' ' <"/proc/$pid/cmdline")"
	done
	if grep -rqE 'Sanitizer: |runtime error: ' "$T/orchd.log" \
	    "$T/state/log" 2>/dev/null; then
		fail "a sanitizer has nothing to say"
		grep -rhE -A 8 'Sanitizer: |runtime error: ' "$T/orchd.log" \
		    "$T/state/log" | head -n 40 | sed 's/^/#   /'
	fi
	[ $FAILED -eq 0 ] || evidence
	echo "1..$N"
	[ $FAILED -eq 0 ]
	exit $?
}

# --- a small project ---------------------------------------------------------

# make_project: a repository with a test that can fail and a staging script.
make_project()
{
	mkdir -p "$T/repo/tests" || bail "no folder for the project"
	cat >"$T/repo/Makefile" <<'END'
check:
	@sh tests/run
END
	cat >"$T/repo/tests/run" <<'END'
# Every file NAME.t holds the word that the file NAME must hold.
report=${ORCH_REPORT_FILE:-/dev/null}
n=0 bad=0
for t in tests/*.t; do
	n=$((n + 1)) f=$(basename "$t" .t)
	if [ "$(cat "$f" 2>/dev/null)" = "$(cat "$t")" ]; then
		echo "ok $n - $f" | tee -a "$report"
	else
		bad=1
		echo "not ok $n - $f" | tee -a "$report"
	fi
done
echo "1..$n" | tee -a "$report"
exit $bad
END
	cat >"$T/repo/staging" <<'END'
#!/bin/sh
# staging start|check: start leaves a process that check finds alive.
case $1 in
start)
	sleep 60 </dev/null >/dev/null 2>&1 &
	echo $! >staging.pid
	;;
check)
	[ -e staging.bad ] && { echo "failed: [page]"; exit 1; }
	kill -0 "$(cat staging.pid)"
	;;
esac
END
	chmod 755 "$T/repo/staging"
	echo hello >"$T/repo/greeting"
	echo hello >"$T/repo/tests/greeting.t"
	echo /staging.pid >"$T/repo/.gitignore"
	git_repo init -q -b main && git_repo add -A &&
	    git_repo commit -q -m "Start" || bail "no repository"
}

git_repo()
{
	git -C "$T/repo" -c user.name=test -c user.email=test@localhost \
	    -c commit.gpgsign=false "$@"
}

mirror()
{
	git --git-dir="$T/state/mirror/sample.git" "$@"
}

# --- the configuration -------------------------------------------------------

# without LINES: standard input without the lines whose keyword LINES has.
without()
{
	LINES_ABOVE=$1 awk '
	    BEGIN {
		n = split(ENVIRON["LINES_ABOVE"], l, "\n")
		for (i = 1; i <= n; i++)
			if (split(l[i], w, " ") > 0)
				over[w[1]] = 1
	    }
	    !($1 in over)'
	echo "$1"
}

# write_conf: GLOBAL, PROJECT and AGENT (of one role: AGENT_role) hold lines
# for the three kinds of block; they take the place of the lines below with the
# same keyword.
write_conf()
{
	{
		without "${GLOBAL-}" <<END
state   "$T/state"
runtime "$T/run"
max_concurrency 2
serial_limit 2
kill_grace_s 1
reaper_interval_s 1
reaper_finalize_grace_s 5
reaper_max_running_s 2000
reconcile_interval_s 1
reconcile_grace_s 2
agent_timeout_s 30
test_timeout_s 30
merge_retest_timeout_s 30
coverage_run_timeout_s 30
security_timeout_s 30
image_build_timeout_s 30
staging_check_timeout_s 30
ci_wait_timeout_s 30
deploy_timeout_s 30
END
		for role in analyst architect developer reviewer tester; do
			echo "agent $role {"
			eval "lines=\${AGENT_$role-\${AGENT-}}"
			without "$lines" <<END
	command "${AGENT_COMMAND:-$T/bin/agent}"
	bind "$T/bin"
	network none
END
			echo "}"
		done
		echo "project sample {"
		without "${PROJECT-}" <<END
	prefix S
	forge local from "$T/repo"
	tracker local
	test report "make" "-s" "check"
	staging deploy "./staging" "start"
	staging check "./staging" "check"
	deploy hook "$T/bin/deploy" "$T/production"
	post_deploy_enabled no
END
		echo "}"
	} >"$T/orchd.conf"
}

# --- orchd -------------------------------------------------------------------

ctl()
{
	timeout 20 "$ORCHCTL" -s "$T/run/control.sock" "$@"
}

# start_orchd: and wait until it answers.
start_orchd()
{
	"$ORCHD" -f "$T/orchd.conf" >>"$T/orchd.log" 2>&1 </dev/null &
	ORCHD_PID=$!
	wait_orchd || bail "orchd starts"
}

wait_orchd()
{
	i=0
	until ctl -j status >/dev/null 2>&1; do
		i=$((i + 1))
		[ $i -le 100 ] || return 1
		kill -0 "$ORCHD_PID" 2>/dev/null || return 1
		sleep 0.1
	done
}

# stop_orchd: by orchctl, as a person would; it must end by itself.
stop_orchd()
{
	ctl -q shutdown >/dev/null 2>&1 || kill "$ORCHD_PID" 2>/dev/null
	i=0
	while kill -0 "$ORCHD_PID" 2>/dev/null && [ $i -lt 200 ]; do
		sleep 0.1
		i=$((i + 1))
	done
	if kill -0 "$ORCHD_PID" 2>/dev/null; then
		fail "orchd ends when it is told to"
		kill -9 "$ORCHD_PID"
	fi
	wait "$ORCHD_PID" 2>/dev/null
	ORCHD_PID=
}

# pid_of NAME: a child of this orchd, by the name of its program; "engine" is
# orchd itself with another duty.  Daemons are not dumpable: only what /proc
# shows to everybody tells who they are.
pid_of()
{
	case $1 in
	engine) comm=orchd ;;
	*) comm=$1 ;;
	esac
	for p in /proc/[0-9]*; do
		{ read -r stat <"$p/stat"; } 2>/dev/null || continue
		case $stat in
		*"($comm) "[!Z]" $ORCHD_PID "*)
			echo "${p#/proc/}"
			return 0
			;;
		esac
	done
	return 1
}

# children NAME: the processes of that program that this orchd started.
children()
{
	cat /proc/[0-9]*/stat 2>/dev/null |
	    sed -n "s/^\([0-9]*\) ($1) [^Z] $ORCHD_PID .*/\1/p"
}

# confined PID: the kernel holds it to a filter of calls, for good.
confined()
{
	grep -q "^Seccomp:[[:space:]]*2$" "/proc/$1/status" &&
	    grep -q "^NoNewPrivs:[[:space:]]*1$" "/proc/$1/status"
}

# kill_part NAME [SIGNAL]: one process, by its number; parent is orchd.
kill_part()
{
	case $1 in
	parent) victim=$ORCHD_PID ;;
	*) victim=$(pid_of "$1") || return 1 ;;
	esac
	kill "-${2:-KILL}" "$victim"
}

# --- tasks -------------------------------------------------------------------

# json KEY: its first value in the JSON on standard input.
json()
{
	awk -v key="\"$1\":" '
	    { text = text $0 " " }
	    END {
		i = index(text, key)
		if (i == 0)
			exit 1
		s = substr(text, i + length(key))
		sub(/^[ \t]+/, "", s)
		if (substr(s, 1, 1) != "\"") {
			sub(/[],}].*/, "", s)
			sub(/[ \t]+$/, "", s)
			print s
			exit
		}
		for (i = 2; i <= length(s); i++) {
			c = substr(s, i, 1)
			if (c == "\\") {
				i++
				c = substr(s, i, 1)
				out = out (c == "n" ? "\n" : c)
				continue
			}
			if (c == "\"")
				break
			out = out c
		}
		print out
	    }'
}

# submit TITLE [LINE ...]: the lines are the request; prints the id.
submit()
{
	title=$1
	shift
	{
		echo "Write the word that the title says."
		for l in "$@"; do
			echo "$l"
		done
	} >"$T/request"
	ctl -j submit -p sample -t "$title" -F "$T/request" | json id
}

stage_of()
{
	ctl -j show "$1" 2>/dev/null | json stage
}

# task_field TASK KEY
task_field()
{
	ctl -j show "$1" 2>/dev/null | json "$2"
}

# wait_for SECONDS COMMAND ...: until it succeeds.
wait_for()
{
	end=$(($(date +%s) + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$(date +%s)" -le "$end" ] || return 1
		sleep 0.1
	done
}

in_stage()
{
	[ "$(stage_of "$1")" = "$2" ]
}

# wait_stage TASK STAGE SECONDS: one TAP line when it does not come to it.
wait_stage()
{
	wait_for "$3" in_stage "$1" "$2" && return 0
	fail "$1 comes to $2 within $3 s (it is in $(stage_of "$1"):" \
	    "$(task_field "$1" why))"
	return 1
}

asked()
{
	[ "$(task_field "$1" asked_gate)" = "$2" ]
}

is_parked()
{
	[ "$(task_field "$1" parked)" = true ]
}

# wait_parked TASK SECONDS
wait_parked()
{
	wait_for "$2" is_parked "$1"
}

# wait_asked TASK SECONDS: until a person is asked for something.
has_question()
{
	case $(task_field "$1" asked_gate) in
	''|null) return 1 ;;
	esac
}

wait_asked()
{
	wait_for "$2" has_question "$1"
}

# travel TASK SECONDS: play the person at every gate until the task is done.
travel()
{
	end=$(($(date +%s) + $2))
	while :; do
		show=$(ctl -j show "$1" 2>/dev/null)
		case $(echo "$show" | json stage) in
		done) return 0 ;;
		cancelled) return 1 ;;
		deploy) verb=confirm ;;
		*) verb=approve ;;
		esac
		case $(echo "$show" | json asked_gate) in
		''|null) ;;
		*) ctl -q $verb "$1" >>"$T/person.log" 2>&1 ;;
		esac
		[ "$(date +%s)" -le "$end" ] || return 1
		sleep 0.1
	done
}

# rows: the objects of a JSON document, one a line.
rows()
{
	tr -d '\n' | sed 's/{/\n{/g'
}

# effects_done TASK NAME: how often it is on record as done.
effects_done()
{
	ctl -j effect "$1" | rows | grep "\"name\": *\"$2\"" |
	    grep -c '"state": *"done"'
}

# moves TASK: "from>to" for each transition, one a line.
moves()
{
	ctl -j history "$1" | tr -d '\n' | sed 's/}, *{/}\n{/g' |
	    sed -n 's/.*"from": *"\{0,1\}\([a-z-]*\)"\{0,1\}, *"to": *"\([a-z-]*\)".*/\1>\2/p'
}

# --- many tasks at once -------------------------------------------------------

# start_task ROLE WHAT: an item in which that role does WHAT; see id_of.
start_task()
{
	task=$(submit "Word$1$2 becomes $2" "agent $1: $2")
	[ -n "$task" ] || bail "$1 $2 is taken"
	echo "$task $1 $2" >>"$T/tasks"
}

# id_of ROLE WHAT
id_of()
{
	awk -v role="$1" -v what="$2" \
	    '$2 == role && $3 == what { print $1; exit }' "$T/tasks"
}

# task_states: "id stage parked waits" for each task.
task_states()
{
	ctl -j status -a | tr -d '\n' | sed 's/}, *{/}\n{/g' |
	    while read -r row || [ -n "$row" ]
	do
		id=$(echo "$row" | json id) || continue
		echo "$id $(echo "$row" | json stage)" \
		    "$(echo "$row" | json parked) $(echo "$row" | json waits)"
	done
}

# settle SECONDS: approve and confirm until each task of $T/tasks is parked
# or at its end.
settle()
{
	end=$(($(date +%s) + $1))
	while [ "$(date +%s)" -le "$end" ]; do
		moving=0
		task_states >"$T/states"
		while read -r id stage parked waits; do
			grep -q "^$id " "$T/tasks" || continue
			case $stage:$parked:$waits in
			done:*|cancelled:*|*:true:*) continue ;;
			deploy:*:person) ctl -q confirm "$id" ;;
			*:person) ctl -q approve "$id" ;;
			esac >/dev/null 2>&1
			moving=1
		done <"$T/states"
		[ $moving -eq 0 ] && return 0
		sleep 0.2
	done
	fail "all items come to rest within $1 s"
	sed 's/^/#   /' "$T/states"
	return 1
}

# parked_in NAME TASK STAGE PATTERN: it is parked there, and show and why have
# a reason that matches the pattern.
parked_in()
{
	ctl show "$2" >"$T/show" 2>&1
	ctl why "$2" >"$T/why" 2>&1
	if [ "$(stage_of "$2")" = "$3" ] && is_parked "$2" &&
	    tr '\n' ' ' <"$T/show" | tr -s ' ' | grep -qiE -- "$4" &&
	    grep -qiE -- "$4" "$T/why"; then
		pass "$1"
	else
		fail "$1"
		note "wanted in stage $3: $4"
		sed 's/^/#   /' "$T/show"
		sed 's/^/#   why: /' "$T/why"
	fi
}

deploy_calls()
{
	{ wc -l <"$T/production/calls"; } 2>/dev/null || echo 0
}
