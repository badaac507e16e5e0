#!/bin/sh
# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.
#
# The page says what orchctl says, free to this machine and to nobody else
# without the token, as JSON or as HTML that loads nothing and escapes all.
# It does one thing: release a lease, for who has the administrator's token.
#
# Called as "51-page.sh elsewhere FOLDER PORT" it is the part that runs in a
# network namespace of its own, where orchd has an address that is not
# loopback.

. "$(dirname "$0")/lib.sh"

TOKEN=read-me-7f3a9c
SECRET=hook-secret-51
ADMIN=release-me-5d81e0
ELSEWHERE=192.0.2.51

# get PATH [CURL-ARGUMENT ...]: the status; head and body are files.
get()
{
	path=$1
	shift
	curl -s -D "$T/head" -o "$T/body" -w '%{http_code}' --max-time 10 \
	    "$@" "http://$ADDRESS:$PORT$path"
}

answers()
{
	[ "$(get /health)" = 200 ]
}

# without_times: what changes from one second to the next is left out.
without_times()
{
	tr -d ' \n' | sed 's/"[a-z_]*age_s":[0-9.]*//g
	    s/"available_in_s":[0-9]*//g; s/"last_run_ts":[0-9]*//g
	    s/[0-9][0-9]*\(s\|min\|h\)ago//g; s/"why":"[^"]*"//g'
}

# Both are asked; in between something may have happened.
both_say()
{
	get "/$1" >/dev/null
	without_times <"$T/body" >"$T/page.json"
	ctl -j "$1" | without_times >"$T/ctl.json"
	cmp "$T/page.json" "$T/ctl.json"
}

same_as_orchctl()
{
	assert_is "/$1 is served" 200 "$(get "/$1")"
	assert_has "/$1 is JSON" "application/json" "$(cat "$T/head")"
	assert "/$1 is what orchctl -j $1 prints" wait_for 5 both_say "$1"
}

is_html()
{
	assert_is "$1 as HTML" 200 "$(get "$1" -H \
	    'Accept: text/html,application/xhtml+xml,*/*;q=0.8')"
	assert_has "$1: it is called HTML" "text/html" "$(cat "$T/head")"
	assert_has "$1: a policy that lets nothing in" "default-src 'none'" \
	    "$(grep -i '^content-security-policy:' "$T/head")"
	sed 's/href="data:[^"]*"//g' "$T/body" >"$T/page"
	assert_not "$1: no script, no address of another place" \
	    grep -qiE '<script|(src|href)="?[a-z]+:|@import|url\(' "$T/page"
	assert_not "$1: a title does not become markup" \
	    grep -qF '<b id=evil>' "$T/body"
}

# --- releasing a lease ----------------------------------------------------------

# release QUERY [CURL-ARGUMENT ...]: the status, as get.
release()
{
	query=$1
	shift
	get "/transition-lease/release$query" -X POST "$@"
}

# worker_of TASK: the process that owns its lease; 1 when none does.
worker_of()
{
	ctl -j lease | tr -d '\n' | sed 's/}, *{/}\n{/g' |
	    grep "\"task\": *\"$1\"" | grep '(edge)' |
	    sed -n 's/.* pid=\([0-9]*\) .*/\1/p' | grep .
}

is_gone()
{
	! kill -0 "$1"
}

refused_count()
{
	ctl -j queue | json admin_refused_total
}

# Who may not release, and what is no order: nothing changes.
no_release()
{
	assert_is "without a token nobody releases, here neither" 401 \
	    "$(release "?work_item=$1&force=1")"
	assert_has "it says which token" "WWW-Authenticate: Bearer" \
	    "$(cat "$T/head")"
	assert_is "the readers' token is another one" 401 \
	    "$(release "?work_item=$1" -H "Authorization: Bearer $TOKEN")"
	assert_is "what a browser adds by itself is no token" 401 \
	    "$(release "?work_item=$1" -u "admin:$ADMIN")"
	assert_is "wrong ones are counted" 3 "$(refused_count)"
	set -- "$1" -H "Authorization: Bearer $ADMIN"
	id=$1
	shift
	assert_is "another site's page orders nothing" 403 \
	    "$(release "?work_item=$id&force=1" "$@" \
	    -H "Origin: https://evil.example")"
	assert_is "an unknown item" 404 "$(release "?work_item=S-99" "$@")"
	assert_is "no item" 400 "$(release "" "$@")"
	assert_is "a word that is no parameter" 400 \
	    "$(release "?work_item=$id&now=1" "$@")"
	assert_is "a GET" 405 \
	    "$(get "/transition-lease/release?work_item=$id" "$@")"
	assert_has "which is allowed" "Allow: POST" "$(cat "$T/head")"
	assert_is "a living owner keeps its lease" 409 \
	    "$(release "?work_item=$id" "$@")"
	assert_has "and is named" "run " "$(cat "$T/body")"
}

# A stopped worker keeps its lease until an administrator takes it away.
releases()
{
	id=$(submit "Stuck becomes free")
	travel "$id" 60 &
	traveller=$!
	wait_for 40 worker_of "$id" || bail "a worker is inside the edge"
	worker=$(worker_of "$id")
	kill -STOP "$worker"
	no_release "$id"
	assert_is "it is still the owner" "$worker" "$(worker_of "$id")"
	assert_is "by force the lease is released" 200 \
	    "$(release "?work_item=$id&force=1" \
	    -H "Authorization: Bearer $ADMIN")"
	assert_has "a sentence says so" '{"status":"'"$id: run " \
	    "$(cat "$T/body")"
	assert "the stopped worker is ended" wait_for 10 is_gone "$worker"
	wait $traveller
	assert_is "its work was taken up again" done "$(stage_of "$id")"
	assert_is "nobody has a lease then" 409 \
	    "$(release "?work_item=$id&force=1" \
	    -H "Authorization: Bearer $ADMIN")"
	assert_has "the log says who released it" \
	    "released by an administrator at 127.0.0.1" \
	    "$(cat "$T/orchd.log")"
}

# reload_all: until the page's process is another, which counts from nothing.
reload_all()
{
	old=$(children webhookd)
	ctl reload >/dev/null
	for pid in $old; do
		wait_for 20 is_gone "$pid"
	done
	wait_for 10 answers
}

# Another token counts from the reload on, and none when none is named.
changes()
{
	id=$1
	printf '%s\n' "$ADMIN-2" >"$T/admin.token"
	reload_all
	assert_is "after a reload the old token is refused" 401 \
	    "$(release "?work_item=$id" -H "Authorization: Bearer $ADMIN")"
	assert_is "and the new one is right" 409 \
	    "$(release "?work_item=$id" -H "Authorization: Bearer $ADMIN-2")"
	for i in 1 2 3 4 5; do
		release "?work_item=$id" -H "Authorization: Bearer $i" \
		    >/dev/null
	done
	assert_is "after wrong ones the right one waits" 429 \
	    "$(release "?work_item=$id" -H "Authorization: Bearer $ADMIN-2")"
	assert_has "as long as it says" "Retry-After: 1" "$(cat "$T/head")"
	sleep 1.2
	sed /^admin/d "$T/orchd.conf" >"$T/without" &&
	    cat "$T/without" >"$T/orchd.conf"
	reload_all
	assert_is "without a configured token there is no such thing" 404 \
	    "$(release "?work_item=$id" -H "Authorization: Bearer $ADMIN-2")"
	assert_has "and it says how there is" "admin token file" \
	    "$(cat "$T/body")"
}

# --- the part with an address of its own --------------------------------------

# The token is needed here: prints TAP lines without their numbers' plan.
elsewhere()
{
	T=$1 PORT=$2 ADDRESS=$ELSEWHERE
	"$ORCHD" -f "$T/orchd.conf" >>"$T/orchd.log" 2>&1 </dev/null &
	ORCHD_PID=$!
	wait_orchd && wait_for 10 answers || bail "orchd starts elsewhere"
	assert_is "from elsewhere /health is free" 200 "$(get /health)"
	assert_is "from elsewhere /status needs a token" 401 "$(get /status)"
	assert_has "it says which kind" "WWW-Authenticate: Bearer" \
	    "$(cat "$T/head")"
	assert_not "and nothing about the work" grep -q S-1 "$T/body"
	assert_is "a wrong token is refused" 401 \
	    "$(get /status -H "Authorization: Bearer wrong")"
	assert_is "half the token is refused" 401 \
	    "$(get /queue -H "Authorization: Bearer ${TOKEN%???}")"
	assert_is "a Host of this machine does not help" 401 \
	    "$(get /status -H "Host: 127.0.0.1")"
	assert_is "the token opens /status" 200 \
	    "$(get /status -H "Authorization: Bearer $TOKEN")"
	assert_has "with the task" S-1 "$(cat "$T/body")"
	assert_is "and /queue" 200 \
	    "$(get /queue -H "Authorization: Bearer $TOKEN")"
	assert_is "from elsewhere /metrics needs a token" 401 \
	    "$(get /metrics)"
	assert_is "which opens it" 200 \
	    "$(get /metrics -H "Authorization: Bearer $TOKEN")"
	assert_is "a browser is asked for it" 401 \
	    "$(get /status -H 'Accept: text/html')"
	assert_has "by its own dialogue" "WWW-Authenticate: Basic" \
	    "$(cat "$T/head")"
	assert_is "and lets the reader in" 200 \
	    "$(get /status -H 'Accept: text/html' -u "reader:$TOKEN")"
	assert_not "the token is not in the page" grep -q "$TOKEN" "$T/body"
	stop_orchd
}

if [ "${1:-}" = elsewhere ]; then
	ip link set lo up && ip addr add $ELSEWHERE/32 dev lo || exit 3
	# From here on without the rights of the namespace's owner.
	exec setpriv --inh-caps=-all --ambient-caps=-all --bounding-set=-all \
	    "$0" drop "$2" "$3"
fi
if [ "${1:-}" = drop ]; then
	elsewhere "$2" "$3"
	exit 0
fi

begin
ADDRESS=127.0.0.1
make_project
# Staging takes a while, so that a worker can be met inside its lease.
sed 's/^check)/&\n\tsleep 2/' "$T/repo/staging" >"$T/staging" &&
    cat "$T/staging" >"$T/repo/staging" &&
    git_repo commit -q -a -m "Take time" || bail "no slow staging"
printf '%s\n' $TOKEN >"$T/read.token"
printf '%s\n' $SECRET >"$T/hook.secret"
printf '%s\n' $ADMIN >"$T/admin.token"
chmod 600 "$T/read.token" "$T/hook.secret" "$T/admin.token"
HOOK_PORT=$((PORT + 1))
GLOBAL="serial_limit 2
read token file \"$T/read.token\"
admin token file \"$T/admin.token\"
listen page on 127.0.0.1 port $PORT
listen webhook on 127.0.0.1 port $HOOK_PORT
webhook gitea secret file \"$T/hook.secret\""
write_conf
start_orchd
wait_for 10 answers || bail "the page answers"

id=$(submit "Say <b id=evil>&amp; \"hello\"</b>")
wait_asked "$id" 30
assert_is "/health" 200 "$(get /health)"
assert_has "it says ok" '"ok"' "$(cat "$T/body")"
same_as_orchctl status
same_as_orchctl queue
assert_is "/ is the status" 200 "$(get /)"
assert_has "with the task" "\"$id\"" "$(cat "$T/body")"
is_html /status
assert_has "the sentence of why is in it" "waits for a person" \
    "$(cat "$T/body")"
is_html /queue
is_html /health
rm -f "$T/body"
assert_is "HEAD is answered" 200 "$(get /status -X HEAD)"
assert_not "without a body" test -s "$T/body"

assert_is "through a proxy this machine is anybody: /status" 401 \
    "$(get /status -H "X-Forwarded-For: 198.51.100.7")"
assert_is "/queue too" 401 "$(get /queue -H "Forwarded: for=198.51.100.7")"
assert_is "but not with the token" 200 "$(get /status \
    -H "X-Forwarded-For: 198.51.100.7" -H "Authorization: Bearer $TOKEN")"
assert_is "a name that only points here is not this machine" 401 \
    "$(get /status -H "Host: rebound.example")"
assert_is "pages take no POST" 405 "$(get /status -d x)"
assert_is "it takes no deliveries" 404 "$(get /webhook/gitea -d x)"
assert_is "there is nothing else" 404 "$(get /orchd.conf)"
assert_is "nor above it" 404 "$(get /../orchd.conf --path-as-is)"
assert_is "the receiver has no /status" 404 "$(curl -s -o /dev/null \
    -w '%{http_code}' "http://127.0.0.1:$HOOK_PORT/status")"
releases
for path in /status /queue /health; do
	get $path >/dev/null && cat "$T/body"
	get $path -H 'Accept: text/html' >/dev/null && cat "$T/body"
done >"$T/all"
assert_not "no secret is in any of it" grep -qE "$TOKEN|$SECRET|$ADMIN" \
    "$T/all"
assert_not "nor in the log" grep -qE "$TOKEN|$SECRET|$ADMIN" "$T/orchd.log"

for pid in $(children webhookd); do
	assert "a process that faces the network is held to its calls" \
	    confined "$pid"
done
kill_part engine
assert_is "the engine dies: a request is held and answered" 200 \
    "$(get /status)"
kill -STOP "$(pid_of engine)"
assert_is "the engine stands still: 503" 503 "$(get /status)"
assert_has "with a time to come back" "Retry-After" "$(cat "$T/head")"
kill -CONT "$(pid_of engine)"
wait_for 10 answers
changes "$id"
assert_not "no token is in the log" grep -qE "$TOKEN|$SECRET|$ADMIN" \
    "$T/orchd.log"
assert "the database holds its invariants" ctl check
stop_orchd

sed "s/^listen page on 127.0.0.1/listen page on $ELSEWHERE/
    /^listen webhook/d" "$T/orchd.conf" >"$T/elsewhere.conf"
sed /^read/d "$T/elsewhere.conf" >"$T/open.conf"
assert_says "a page for others without a token is refused" 1 \
    "open.conf:$(grep -n '^listen page' "$T/open.conf" | cut -d: -f1):" \
    "$ORCHD" -n -f "$T/open.conf"
mv "$T/elsewhere.conf" "$T/orchd.conf"
if unshare --map-current-user --keep-caps --net true 2>/dev/null; then
	unshare --map-current-user --keep-caps --net "$0" elsewhere "$T" \
	    "$PORT" >"$T/elsewhere" 2>&1
	while IFS= read -r line; do
		case $line in
		"ok "*) pass "${line#* - }" ;;
		"not ok "*) fail "${line#* - }" ;;
		*) echo "$line" ;;
		esac
	done <"$T/elsewhere"
	assert "the part from elsewhere ran" \
	    [ "$(grep -c '^ok' "$T/elsewhere")" -ge 14 ]
else
	note "no network namespace can be made here: the part with an" \
	    "address that is not loopback did not run"
fi
finish
