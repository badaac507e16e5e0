#!/bin/sh
# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.
#
# What a monitoring system reads: every sample in the format, the numbers those
# of /queue, counters that never fall over a crash; and the deliveries that it
# counts, which orchctl lists, shows and replays.

. "$(dirname "$0")/lib.sh"

TOKEN=read-me-53a1
SECRET=hook-secret-53
PUSH=$TOP/tests/fixtures/gitea/webhook-push-signed--buildbot.json

# get PATH [CURL-ARGUMENT ...]: the status; head and body are files.
get()
{
	path=$1
	shift
	curl -s -D "$T/head" -o "$T/body" -w '%{http_code}' --max-time 10 \
	    "$@" "http://127.0.0.1:$PORT$path"
}

answers()
{
	[ "$(get /health)" = 200 ]
}

# metric SAMPLE: its value in the last answer.
metric()
{
	awk -v s="$1" '$1 == s { print $2; n++ } END { exit n != 1 }' \
	    "$T/body"
}

# deliver FILE ID: a signed delivery; the status.
deliver()
{
	curl -s -o /dev/null -w '%{http_code}' --max-time 10 \
	    -H "Content-Type: application/json" -H "X-Gitea-Event: push" \
	    -H "X-Gitea-Event-Type: push" -H "X-Gitea-Delivery: $2" \
	    -H "X-Gitea-Signature: $(openssl dgst -sha256 -hmac $SECRET -r \
	    <"$1" | cut -d' ' -f1)" --data-binary "@$1" \
	    "http://127.0.0.1:$HOOK_PORT/webhook/gitea"
}

# total BLOCK NAME: a number of that block of /queue.
total()
{
	ctl -j queue | python3 -c '
import json, sys
print(json.load(sys.stdin)[sys.argv[1]][sys.argv[2]])' "$1" "$2"
}

# Each total of each block has its metric, with the same number.
same_as_queue()
{
	ctl -j queue >"$T/queue.json" && [ "$(get /metrics)" = 200 ] &&
	    python3 - "$T/queue.json" "$T/body" <<-'EOF'
	import json, sys
	queue = json.load(open(sys.argv[1]))
	lines = {}
	for l in open(sys.argv[2]):
	    if not l.startswith("#"):
	        name, value = l.rsplit(" ", 1)
	        name = name.split("{")[0]
	        lines[name] = lines.get(name, 0) + float(value)
	n = 0
	for block, members in queue.items():
	    if not isinstance(members, dict) or block == "budget":
	        continue
	    for name, value in members.items():
	        if not name.endswith("_total"):
	            continue
	        metric = "orchd_%s_%s" % (block, name)
	        if block == "reaper" and name == "lease_reclaimed_total":
	            metric = "orchd_transition_lease_reclaimed_total"
	        if metric not in lines:
	            sys.exit("%s is in /queue only" % metric)
	        if lines[metric] != value:
	            sys.exit("%s: %s, in /queue %s" % (metric,
	                lines[metric], value))
	        n += 1
	sys.exit(0 if n > 15 else "only %d totals" % n)
	EOF
}

well_formed()
{
	python3 "$LIBDIR/exposition.py" "$@" <"$T/body"
}

promtool_takes()
{
	promtool check metrics <"$T/body" >"$T/promtool" 2>&1
}

# --- deliveries ---------------------------------------------------------------

events()
{
	assert_is "a delivery about no project of ours is taken" 200 \
	    "$(deliver "$PUSH" d-53-a)"
	sed 's/{/{"evil":"\\u001b[31m\\u202ered",/;q' "$PUSH" >"$T/evil"
	sed 1d "$PUSH" >>"$T/evil"
	assert_is "another too" 200 "$(deliver "$T/evil" d-53-b)"
	assert_is "and one again" 200 "$(deliver "$PUSH" d-53-a)"
	get /metrics >/dev/null
	assert_is "those that are ignored are counted" 2 "$(metric \
	    'orchd_events_total{source="gitea",result="ignored"}')"
	assert_is "and the double" 1 "$(metric \
	    'orchd_events_total{source="gitea",result="double"}')"
	assert_is "orchctl lists them" 2 "$(ctl event | grep -c ' push ')"
	assert_is "by source" 0 "$(ctl event -S plane | grep -c ' push ')"
	assert_is "by state" 2 "$(ctl event -t ignored | grep -c ' push ')"
	assert_is "one of them" 1 "$(ctl event -n 1 | grep -c ' push ')"
	assert_is "as JSON" 2 "$(ctl -j event | grep -o '"id"' | wc -l)"
	ctl event show d-53-b >"$T/shown"
	assert_has "one is shown with its body laid out" '  "ref": ' \
	    "$(cat "$T/shown")"
	assert_not "no escape of it reaches the terminal" \
	    grep -q "$(printf '\033')" "$T/shown"
	assert_has "but can be seen" 'u001B' "$(cat "$T/shown")"
	assert_has "as a direction mark can" 'u202e' "$(cat "$T/shown")"
	assert "and replayed" ctl event replay d-53-b
	assert_has "which is kept with it" "by $(id -un): ignored" \
	    "$(ctl event show d-53-b)"
	assert_has "and in the log" "replayed by $(id -un)" \
	    "$(cat "$T/orchd.log")"
	assert_says "one that is not there" 1 "there is no delivery 4711" \
	    ctl event replay 4711
	assert_says "a replay is written in full" 1 "usage: orchctl event" \
	    ctl event repl d-53-b
}

begin
make_project
printf '%s\n' $TOKEN >"$T/read.token"
printf '%s\n' $SECRET >"$T/hook.secret"
chmod 600 "$T/read.token" "$T/hook.secret"
HOOK_PORT=$((PORT + 1))
GLOBAL="read token file \"$T/read.token\"
listen page on 127.0.0.1 port $PORT
listen webhook on 127.0.0.1 port $HOOK_PORT
webhook gitea secret file \"$T/hook.secret\""
write_conf
start_orchd
wait_for 10 answers || bail "the page answers"

assert_is "/metrics is served" 200 "$(get /metrics -H \
    'Accept: text/html,application/openmetrics-text;version=1.0.0,*/*;q=0.1')"
assert_has "as version 0.0.4 of the text format" \
    "Content-Type: text/plain; version=0.0.4; charset=utf-8" \
    "$(cat "$T/head")"
assert "in that format" well_formed
id=$(submit "Count the \"words\\of it")
travel "$id" 90
assert_is "a task has gone its way" done "$(stage_of "$id")"
assert "what /queue counts is counted" wait_for 5 same_as_queue
assert "in the format" well_formed
assert_is "tasks by stage" 1 \
    "$(metric "orchd_tasks{project=\"sample\",stage=\"done\"}")"
assert_is "the merge" 1 "$(metric \
    'orchd_effects{effect="merge",class="CAS",state="done"}')"
assert_is "the deploy" 1 "$(metric "orchd_deploys_total{project=\
\"sample\",kind=\"deploy\",outcome=\"success\"}")"
for d in webhookd page reconciled finalizerd reaperd; do
	assert_is "$d is up" 1 "$(metric "orchd_daemon_up{daemon=\"$d\"}")"
done
assert_not "no task is named" grep -q "$id" "$T/body"
if command -v promtool >/dev/null 2>&1; then
	assert "promtool accepts it and has nothing to remark" promtool_takes
	assert_not "nothing at all" test -s "$T/promtool"
	assert "promtool accepts the rules and how to scrape" \
	    promtool check config "$TOP/etc/prometheus/orchd.yml"
else
	note "promtool is not installed: the format was checked, not by it"
fi
cp "$T/body" "$T/before"
assert_is "through a proxy it needs the token" 401 \
    "$(get /metrics -H "X-Forwarded-For: 198.51.100.7")"
assert_is "and has it" 200 "$(get /metrics \
    -H "X-Forwarded-For: 198.51.100.7" -H "Authorization: Bearer $TOKEN")"
assert_is "it takes no POST" 405 "$(get /metrics -d x)"
assert_is "HEAD" 200 "$(get /metrics -I)"
assert_is "the receiver does not have it" 404 "$(curl -s -o /dev/null \
    -w '%{http_code}' "http://127.0.0.1:$HOOK_PORT/metrics")"

events
kill_part engine
wait_for 10 answers
kill_part reaperd
assert_is "after a crash it answers" 200 "$(get /metrics)"
assert "no counter has fallen" well_formed "$T/before"
# Its first start, the next engine, its second start.
restarted()
{
	get /metrics >/dev/null
	[ "$(metric 'orchd_daemon_connections_total{daemon="reaperd"}')" = 3 ]
}
assert "the daemon's starts are counted" wait_for 10 restarted
assert "the database holds its invariants" ctl check
stop_orchd
finish
