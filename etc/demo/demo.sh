#!/bin/sh
# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.
#
# demo.sh: two work items travel from "To Analyse" to done, with nothing but
# this project on the machine.  `make demo` calls it.
#
#   demo.sh [-B build | -P prefix] [-a claude|codex] [folder]
#
# Started by root it installs into a new folder below /var/tmp and goes on
# there as the system user orchd-demo.

set -u
LC_ALL=C.UTF-8
export LC_ALL
here=$(cd "$(dirname "$0")" && pwd -P)
B= prefix= agent=script
limit=180

usage()
{
	echo "usage: demo.sh [-B build | -P prefix] [-a claude|codex]" \
	    "[folder]" >&2
	exit 2
}

while getopts B:P:a: opt; do
	case $opt in
	B) B=$(cd "$OPTARG" && pwd -P) || exit 1 ;;
	P) prefix=$OPTARG ;;
	a) agent=$OPTARG ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
[ $# -le 1 ] || usage

die()
{
	echo "orchd demo: $*" >&2
	exit 1
}

say()
{
	[ -t 1 ] && printf '\r\033[K'
	printf '%s\n' "$*"
}

key=
case $agent in
script) ;;
claude|codex)
	command -v $agent >/dev/null || die "AGENT=$agent: the program" \
	    "$agent is not installed (not found in PATH). Install it, or" \
	    "leave AGENT away to see the scripted agents."
	case $agent in
	claude) names="ANTHROPIC_API_KEY" ;;
	codex) names="CODEX_API_KEY OPENAI_API_KEY" ;;
	esac
	for name in $names; do
		if eval "[ -n \"\${$name:-}\" ]"; then
			key=$name
			break
		fi
	done
	[ -n "$key" ] || die "AGENT=$agent: the sandbox does not show it" \
	    "your login, so a key is needed in the environment: $names"
	limit=7200
	;;
*) die "AGENT=$agent is not known (claude, codex, or leave it away)" ;;
esac

# --- started by root: move into a folder and a user without privileges ------

if [ "$(id -u)" -eq 0 ]; then
	"$here/user.sh" || exit 1
	new=$(mktemp -d /var/tmp/orchd-demo.XXXXXX) || exit 1
	echo "started by root: installing into $new, going on as orchd-demo"
	make -s -C "$here/../.." install ${B:+B="$B"} DESTDIR= \
	    PREFIX="$new/orchd" >"$new/install.log" 2>&1 || {
		tail -n 20 "$new/install.log" >&2
		die "installing failed; see $new/install.log"
	}
	mkdir "$new/demo" && chown orchd-demo: "$new" "$new/demo" &&
	    chmod 755 "$new" || exit 1
	cd "$new" || exit 1
	exec setpriv --reuid orchd-demo --regid orchd-demo --clear-groups \
	    env HOME="$new" USER=orchd-demo LOGNAME=orchd-demo \
	    "$new/orchd/share/orchd/demo/demo.sh" -P "$new/orchd" \
	    -a $agent "$new/demo"
fi

# --- the folder --------------------------------------------------------------

if [ -n "$prefix" ]; then
	orchd=$prefix/sbin/orchd orchctl=$prefix/bin/orchctl
else
	[ -n "$B" ] || B=$(cd "$here/../../build" && pwd -P) || exit 1
	orchd=$B/orchd/orchd orchctl=$B/orchctl/orchctl
fi
[ -x "$orchd" ] && [ -x "$orchctl" ] || die "$orchd is not built (make)"

D=${1:-demo}
mkdir -p "$D" && D=$(cd "$D" && pwd -P) || exit 1
if [ -S "$D/run/control.sock" ] && [ -e "$D/orchd.conf" ] &&
    "$orchctl" -s "$D/run/control.sock" -j status >/dev/null 2>&1; then
	die "a demo runs in $D already; end it with" \
	    "$D/orchctl shutdown"
fi
if [ -e "$D/orchd.conf" ]; then
	rm -rf "$D.last" && mkdir "$D.last" &&
	    mv "$D"/* "$D.last" || die "$D cannot be emptied"
	say "the last demo's folder is now $D.last"
fi
# A socket's path has little room; a deep folder gets its sockets in /tmp.
run=$D/run
[ ${#D} -gt 80 ] && run=$(mktemp -d /tmp/orchd-demo.XXXXXX)
mkdir -p "$D/history" "$D/production" "$D/tmp" || exit 1
cp -R "$here/tally" "$here/agents" "$here/hooks" "$D" || exit 1

# --- small helpers -----------------------------------------------------------

ctl()
{
	"$orchctl" -s "$run/control.sock" "$@"
}

# first NAME: the first value of that name in the JSON on standard input.
first()
{
	awk -v key="\"$1\":" '
	    { text = text $0 " " }
	    END {
		i = index(text, key)
		if (i == 0)
			exit
		s = substr(text, i + length(key))
		sub(/^[ \t]+/, "", s)
		if (substr(s, 1, 1) != "\"") {
			sub(/[],}].*/, "", s)
			sub(/[ \t]+$/, "", s)
			print s
			exit
		}
		out = ""
		for (i = 2; i <= length(s); i++) {
			c = substr(s, i, 1)
			if (c == "\\") {
				i++
				c = substr(s, i, 1)
				out = out (c == "n" ? " " : c)
				continue
			}
			if (c == "\"")
				break
			out = out c
		}
		print out
	    }'
}

short()
{
	printf '%.7s' "$1"
}

# free_port: a port of the loopback address that nobody uses now.
free_port()
{
	"$D/tmp/tally" serve 0 >"$D/tmp/port" 2>&1 &
	server=$!
	i=0
	while [ ! -s "$D/tmp/port" ] && [ $i -lt 100 ]; do
		sleep 0.02
		i=$((i + 1))
	done
	kill $server 2>/dev/null
	wait $server 2>/dev/null
	sed -n 's/^listening on 127\.0\.0\.1://p' "$D/tmp/port"
	rm -f "$D/tmp/port"
}

# --- the agents --------------------------------------------------------------

# program NAME: the words that start it in the sandbox, where PATH is short: a
# script of node's is started by node.  binds NAME: the folders to show there,
# when it does not live in the system's own.
program()
{
	real=$(readlink -f "$(command -v "$1")")
	if head -n 1 "$real" | grep -q '^#!.*node'; then
		printf '"%s" ' "$(readlink -f "$(command -v node)")"
	fi
	printf '"%s"' "$real"
}

binds()
{
	{ program "$1"; echo; } | tr -d '"' | tr ' ' '\n' | while read -r real; do
		case $real in
		/usr/*|/bin/*) ;;
		*/node_modules/*)
			printf ' "%s"' "${real%%/node_modules/*}/node_modules"
			;;
		*) printf ' "%s"' "$(dirname "$real")" ;;
		esac
	done
}

agent_block()
{
	role=$1
	echo "agent $role {"
	case $agent in
	script)
		printf '\tcommand "%s"\n\tbind "%s"\n' "$D/agents/$role" \
		    "$D/agents"
		printf '\ttimeout 60\n\tnetwork none\n'
		;;
	claude)
		printf '\tcommand %s "-p" "{prompt}"' "$(program claude)"
		printf ' "--output-format" "stream-json" "--verbose"'
		printf ' "--permission-mode" "dontAsk" "--allowedTools"'
		printf ' "Bash Edit Write Read"\n'
		printf '\tenv {\n\t\t%s\n' "$key"
		printf '\t\tCLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC "1"\n'
		printf '\t}\n\ttimeout 1200\n\tresult claude\n'
		printf '\tnetwork open\n'
		[ -z "$(binds claude)" ] || echo "	bind$(binds claude)"
		;;
	codex)
		printf '\tcommand "%s" %s "exec" "--json" "-s"' \
		    "$D/agents/with-home" "$(program codex)"
		printf ' "danger-full-access" "{prompt}"\n'
		printf '\tenv {\n\t\t%s\n\t}\n' "$key"
		printf '\ttimeout 1200\n\tresult codex\n\tnetwork open\n'
		printf '\tbind "%s"%s\n' "$D/agents" "$(binds codex)"
		;;
	esac
	printf '}\n\n'
}

agent_timeout=60
[ "$agent" = script ] || agent_timeout=1200

# --- orchd, restarted when it dies as a service manager would ----------------

stopping=$D/tmp/stopping
supervise()
{
	trap '' INT TERM
	starts=0
	while :; do
		# A session of its own: Ctrl-C is for this script, which then
		# asks orchd to end; asked twice it would not wait for agents.
		setsid "$orchd" -f "$D/orchd.conf" >>"$D/orchd.log" 2>&1 &
		echo $! >"$D/tmp/orchd.pid"
		wait $!
		rc=$?
		if [ $rc -eq 0 ] || [ -e "$stopping" ]; then
			return 0
		fi
		starts=$((starts + 1))
		if [ $starts -gt 50 ]; then
			echo "orchd ended with $rc too often; see $D/orchd.log"
			return 1
		fi
		echo "orchd ended with $rc; started again"
		sleep 0.2
	done
}

# ours: processes of this demo that are alive, apart from this script.  What
# a person started to look at it (orchctl, less, a shell in the folder) is not.
ours()
{
	me=$(id -u)
	for p in /proc/[0-9]*; do
		pid=${p#/proc/}
		# orchd's programs are not dumpable: their folder is root's.
		[ "$pid" != $$ ] && grep -q "^Uid:[[:space:]]*$me[[:space:]]" \
		    "$p/status" 2>/dev/null || continue
		case cwd=$(readlink "$p/cwd" 2>/dev/null):exe=$(
		    readlink "$p/exe" 2>/dev/null):$(
		    { tr '\0' ' ' <"$p/cmdline"; } 2>/dev/null) in
		*demo.sh*|*:exe="$orchctl":*) ;;
		cwd="$D"/state/*|*:exe="$D"/*) echo "$pid" ;;
		*:*" -f $D/orchd.conf "*|*": $D/state"*|*" of $D/state"*)
			echo "$pid" ;;
		*:"$D"/agents/*|*:"$D"/hooks/*) echo "$pid" ;;
		*:*"sh $D"/agents/*|*:*"sh $D"/hooks/*) echo "$pid" ;;
		esac
	done
}

supervisor=
bring_down()
{
	[ -n "$supervisor" ] || return 0
	: >"$stopping"
	ctl -q shutdown >/dev/null 2>&1
	i=0
	while kill -0 "$supervisor" 2>/dev/null && [ $i -lt 300 ]; do
		sleep 0.1
		i=$((i + 1))
		# Nobody listened: the same by signal.
		[ $i -eq 50 ] && kill "$(cat "$D/tmp/orchd.pid")" 2>/dev/null
	done
	"$D/hooks/stop" "$D/production"
	kill -0 "$supervisor" 2>/dev/null || supervisor=
	# A runner that has reported its end needs a moment to be gone.
	i=0
	while [ -n "$(ours)" ] && [ $i -lt 20 ]; do
		sleep 0.1
		i=$((i + 1))
	done
}

finish()
{
	rc=$?
	trap '' INT TERM EXIT
	[ -n "$supervisor" ] && say "ending orchd ..."
	bring_down
	left=$(ours)
	if [ -n "$left" ]; then
		for pid in $left; do
			say "still alive, ended now: $pid $(
			    { tr '\0' ' ' <"/proc/$pid/cmdline"; } 2>/dev/null)"
		done
		kill -9 $left 2>/dev/null
		[ "$rc" -eq 0 ] && rc=1
	fi
	exit "$rc"
}

# --- what a person sees ------------------------------------------------------

# rows NAME: each object of that list in the JSON on standard input, a line.
rows()
{
	tr -d '\n' | sed "s/.*\"$1\": *\[//; s/}, *{/}\\n{/g" | grep '{'
}

# fresh NAME TASK: of the lines on standard input those that it has not
# printed at an earlier call.
fresh()
{
	cat >"$D/tmp/fresh"
	seen=$(cat "$D/tmp/$1.$2" 2>/dev/null || echo 0)
	wc -l <"$D/tmp/fresh" >"$D/tmp/$1.$2"
	tail -n +$((seen + 1)) "$D/tmp/fresh"
}

# moves TASK: print what has happened since the last call.  A red test moves
# nothing: the developer runs again.
moves()
{
	ctl -j gate "$1" 2>/dev/null | rows gates >"$D/tmp/gates"
	grep '"gate": *"check_tests_local"' "$D/tmp/gates" |
	    grep '"verdict": *"fail"' | fresh red "$1" |
	    while read -r row; do
		say "$1  development: red at" \
		    "$(short "$(echo "$row" | first commit)")," \
		    "the developer gets the log: $(echo "$row" |
		    first reason)"
	done
	ctl -j history "$1" 2>/dev/null | rows history | fresh moves "$1" |
	    while read -r row; do
		from=$(echo "$row" | first from)
		to=$(echo "$row" | first to)
		why=$(echo "$row" | first reason)
		[ "$to" = deploy ] && behind "$1"
		say "$1  ${from:+$from → }$to  ${why}"
	done
}

# behind TASK: was what landed a merge commit, and how was it tested?
behind()
{
	merged=$(grep '"gate": *"check_branch_mergeable"' "$D/tmp/gates" |
	    tail -n 1)
	how=$(echo "$merged" | first reason)
	case $how in
	''|"not repeated"*) return 0 ;;
	esac
	say "$1  was behind main: merge commit" \
	    "$(short "$(echo "$merged" | first commit)") tested again: $how"
}

# One line that stays in place, on a terminal only.
now_line()
{
	[ -t 1 ] || return 0
	width=$(stty size 2>/dev/null | cut -d' ' -f2)
	printf '\r\033[K%s' "$1" | cut -c "1-$((${width:-80} + 3))" |
	    tr -d '\n'
}

# person TASK SHOW: do what a person is asked for, after saying so.
person()
{
	gate=$(echo "$2" | first asked_gate)
	commit=$(echo "$2" | first asked_commit)
	case $gate in
	''|null) return 0 ;;
	esac
	[ "$commit" != null ] || commit=
	stage=$(echo "$2" | first stage)
	if [ "$stage" = deploy ]; then
		# One production: the next is confirmed when the last is done.
		[ -z "$deploying" ] || [ "$deploying" = "$1" ] || return 0
		[ "$deploying" = "$1" ] && return 0
		say "$1  waits for a person who wants $(short "$commit") in" \
		    "production:"
		say "  \$ orchctl confirm $1"
		ctl -q confirm "$1" 2>>"$D/tmp/errors" && deploying=$1
	else
		path=$(echo "$2" | first asked_path)
		say "$1  a person would now read ${path} at" \
		    "$(short "$commit") and approve it:"
		say "  \$ orchctl approve $1"
		ctl -q approve "$1" 2>>"$D/tmp/errors"
	fi
}

# step TASK: one look at a task; sets the variable named like its number.
step()
{
	show=$(ctl -j show "$1" 2>/dev/null) || return 1
	moves "$1"
	stage=$(echo "$show" | first stage)
	case $stage in
	done)
		[ "$deploying" = "$1" ] && deploying=
		case $show in
		*"post_deploy_status: HEALTHY"*)
			[ -e "$D/tmp/healthy.$1" ] ||
			    say "$1  watched: HEALTHY, $(echo "$show" |
			    grep -o '[0-9]* of [0-9]* probes ok' | head -n 1)"
			: >"$D/tmp/healthy.$1"
			finished="$finished $1"
			;;
		*"post_deploy_status: "*)
			die "$1 is deployed, but the monitor is not content:" \
			    "$D/orchctl show $1"
			;;
		esac
		;;
	cancelled)
		die "$1 was cancelled; see $D/history/$1.txt"
		;;
	*)
		if [ "$(echo "$show" | first parked)" = true ]; then
			ctl show "$1"
			die "$1 is parked: $(echo "$show" | first why)"
		fi
		[ "$stage" = deploy ] || [ "$deploying" != "$1" ] ||
		    deploying=
		person "$1" "$show"
		;;
	esac
	line="$line  $(echo "$show" | first why | cut -c1-52)"
}

travel()
{
	deploying= t0=$(date +%s) silent=0
	while :; do
		line= finished=
		for id in $tasks; do
			if step "$id"; then
				silent=0
			else
				silent=$((silent + 1))
			fi
		done
		all=yes
		for id in $tasks; do
			case "$finished " in
			*" $id "*) ;;
			*) all=no ;;
			esac
		done
		[ $all = yes ] && return 0
		now_line "${line#  }"
		spent=$(($(date +%s) - t0))
		if [ $spent -gt $limit ]; then
			ctl status
			for id in $tasks; do
				ctl why "$id"
			done
			die "not done after $spent s; look at $D/orchd.log"
		fi
		kill -0 "$supervisor" 2>/dev/null ||
		    die "orchd does not run; see $D/orchd.log"
		sleep 0.2
	done
}

# --- what must be true at the end --------------------------------------------

wrong=0
must()
{
	[ "$2" = "$3" ] && return 0
	say "WRONG: $1: $3 instead of $2"
	wrong=1
}

# effects NAME: how often it is on record as done, over both tasks.
effects()
{
	for id in $tasks; do
		ctl -j effect "$id"
	done | tr -d '\n' | sed 's/}, *{/}\n{/g' |
	    grep -c "\"name\": *\"$1\".*\"state\": *\"done\""
}

judge()
{
	mirror=$D/state/mirror/tally.git
	main=$(git --git-dir="$mirror" rev-parse refs/heads/main)
	merges=$(effects merge)
	deploys=$(wc -l <"$D/production/calls" | tr -d ' ')
	must "merges" 2 "$merges"
	must "calls of the deploy hook" 2 "$deploys"
	must "revision in production" "$main" \
	    "$(cat "$D/production/current" 2>/dev/null)"
	probe=$("$D/tmp/tally" health "$port" 2>&1)
	must "revision that the program reports" "$main" \
	    "$(echo "$probe" | first revision)"
	for id in $tasks; do
		ctl history "$id" >"$D/history/$id.txt" 2>&1
		ctl show "$id" >>"$D/history/$id.txt" 2>&1
		[ -s "$D/history/$id.txt" ] || must "history of $id" some none
		git --git-dir="$mirror" log --format=%s main |
		    grep -qF "$id" ||
		    must "commits of $id in main" some none
	done
	facts=check_tests_local
	# The scripted reviewer always finds something; a real one may not.
	[ $agent = script ] && facts="$facts REQUEST_CHANGES"
	for fact in $facts; do
		cat "$D"/history/*.txt | grep -q "$fact" ||
		    must "$fact in a history" some none
	done
	must "database check" 0 "$(ctl check >"$D/tmp/check.txt" 2>&1
	    echo $?)"
	runs=$(ctl -j show "${tasks%% *}"; ctl -j show "${tasks##* }")
	runs=$(echo "$runs" | grep -o '"attempt":' | wc -l)
	say ""
	say "the program that was deployed answers: $probe"
}

# --- go ----------------------------------------------------------------------

trap finish EXIT
trap 'say "interrupted"; exit 130' INT
trap 'exit 143' TERM

make -s -C "$D/tally" tally && mv "$D/tally/tally" "$D/tmp/tally" ||
    die "the demo's project does not build"
port=$(free_port) page=$(free_port)
[ -n "$port" ] && [ -n "$page" ] && [ "$port" != "$page" ] ||
    die "no free port on 127.0.0.1"

git_in() { git -C "$D/tally" -c user.name=demo -c user.email=demo@localhost \
    -c init.defaultBranch=main -c commit.gpgsign=false "$@"; }
git_in init -q -b main && git_in add -A &&
    git_in commit -q -m "tally 1.0" || die "no git repository in $D/tally"
tests=$(cat "$D"/tally/tests/*.t | grep -cE '^(is|exits) ')
say "project \"tally\" from $here/tally, a C program with $tests tests"
say "folder $D, agents: $agent"

{
	for role in analyst architect developer reviewer tester deployer; do
		agent_block $role
	done
} >"$D/tmp/agents"
sed -e "s|@RUN@|$run|g; s|@DEMO@|$D|g; s|@HOOKS@|$D/hooks|g" \
    -e "s|@PORT@|$port|g; s|@PAGE_PORT@|$page|g" \
    -e "s|@AGENT_TIMEOUT@|$agent_timeout|g" \
    -e "/^@AGENTS@/{r $D/tmp/agents
d}" "$here/orchd.conf.in" >"$D/orchd.conf"
"$orchd" -n -f "$D/orchd.conf" || die "its own configuration is refused"
printf '#!/bin/sh\nexec "%s" -s "%s" "$@"\n' "$orchctl" \
    "$run/control.sock" >"$D/orchctl"
chmod 755 "$D/orchctl"

supervise &
supervisor=$!
i=0
until ctl -j status >/dev/null 2>&1; do
	i=$((i + 1))
	if [ $i -gt 100 ] || ! kill -0 $supervisor 2>/dev/null; then
		tail -n 20 "$D/orchd.log"
		die "orchd did not start"
	fi
	sleep 0.1
done
begin=$(date +%s)
say "meanwhile, elsewhere:  $D/orchctl watch    http://127.0.0.1:$page/"

tasks=
for item in "$here"/items/*.md; do
	title=$(head -n 1 "$item")
	sed 1,2d "$item" >"$D/tmp/request"
	id=$(ctl -j submit -p tally -t "$title" -F "$D/tmp/request" |
	    first id)
	[ -n "$id" ] || die "\"$title\" was not taken"
	tasks="${tasks:+$tasks }$id"
	say "$id  $title"
done

travel
judge
took=$(($(date +%s) - begin))

for id in $tasks; do
	say ""
	ctl history "$id"
done
say ""
if [ -t 0 ] && [ -t 1 ]; then
	say "look around:   $D/orchctl history ${tasks%% *}" \
	    "    pages: http://127.0.0.1:$page/queue"
	say "the program:   http://127.0.0.1:$port/health" \
	    "    source: git --git-dir=$D/state/mirror/tally.git log --graph"
	printf 'Enter ends it. '
	read -r answer
fi

bring_down
left=$(ours)
orphans=$(echo $left | wc -w)
must "processes left over" 0 "$orphans"
if [ $wrong -ne 0 ]; then
	say "not everything is as it must be; look at $D/orchd.log"
	exit 1
fi
say "both done in $took s. $merges merges, $deploys deploys, $runs runs," \
    "$orphans orphans."
say "kept: $D (history/, orchd.log, state/, production/)"
# The user of a demo that root has started is not the one who reads this.
again=
[ -z "$prefix" ] || again="setpriv --reuid $(id -un) --regid $(id -gn) \
--clear-groups "
say "to look around in it again:  $again$orchd -f $D/orchd.conf"
say "and elsewhere:  $again$D/orchctl show ${tasks%% *}"
exit 0
