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
#
# Called as "51-page.sh elsewhere FOLDER PORT" it is the part that runs in a
# network namespace of its own, where orchd has an address that is not
# loopback.

. "$(dirname "$0")/lib.sh"

TOKEN=read-me-7f3a9c
SECRET=hook-secret-51
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
printf '%s\n' $TOKEN >"$T/read.token"
printf '%s\n' $SECRET >"$T/hook.secret"
chmod 600 "$T/read.token" "$T/hook.secret"
HOOK_PORT=$((PORT + 1))
GLOBAL="serial_limit 2
read token file \"$T/read.token\"
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
assert_is "the page takes no POST" 405 "$(get /status -d x)"
assert_is "it takes no deliveries" 404 "$(get /webhook/gitea -d x)"
assert_is "there is nothing else" 404 "$(get /orchd.conf)"
assert_is "nor above it" 404 "$(get /../orchd.conf --path-as-is)"
assert_is "the receiver has no /status" 404 "$(curl -s -o /dev/null \
    -w '%{http_code}' "http://127.0.0.1:$HOOK_PORT/status")"
for path in /status /queue /health; do
	get $path >/dev/null && cat "$T/body"
	get $path -H 'Accept: text/html' >/dev/null && cat "$T/body"
done >"$T/all"
assert_not "no secret is in any of it" grep -qE "$TOKEN|$SECRET" "$T/all"
assert_not "nor in the log" grep -qE "$TOKEN|$SECRET" "$T/orchd.log"

kill_part engine
assert_is "the engine dies: a request is held and answered" 200 \
    "$(get /status)"
kill -STOP "$(pid_of engine)"
assert_is "the engine stands still: 503" 503 "$(get /status)"
assert_has "with a time to come back" "Retry-After" "$(cat "$T/head")"
kill -CONT "$(pid_of engine)"
wait_for 10 answers
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
