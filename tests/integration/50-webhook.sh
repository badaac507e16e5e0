#!/bin/sh
# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.
#
# Signed deliveries reach the database: each that got a 2xx is there once,
# also when engine and receiver are killed in the middle of a flood.  What is
# not signed, not ours or too large leaves no trace.

. "$(dirname "$0")/lib.sh"

FIXTURES=$TOP/tests/fixtures/gitea
SECRET=one-secret
OLD=the-secret-before
PLANE=the-secret-of-the-tracker

# hmac KEY: of standard input, as bare hex.
hmac()
{
	openssl dgst -sha256 -hmac "$1" -r | cut -d' ' -f1
}

# url PATH
url()
{
	echo "http://127.0.0.1:$PORT$1"
}

# http_code [CURL-ARGUMENT ...]: the status, the body in $T/body.
http_code()
{
	curl -s -o "$T/body" -w '%{http_code}' --max-time 10 "$@"
}

# deliver FILE DELIVERY SIGNATURE [KIND [EVENT]]
deliver()
{
	http_code -H "Content-Type: application/json" \
	    -H "X-Gitea-Event: ${5:-${4:-push}}" \
	    -H "X-Gitea-Event-Type: ${4:-push}" \
	    ${2:+-H "X-Gitea-Delivery: $2"} -H "X-Gitea-Signature: $3" \
	    --data-binary "@$1" "$(url /webhook/gitea)"
}

# header FILE NAME: its value in a recorded delivery.
header()
{
	sed -n "s/^$2: //p" "$1" | tr -d '\r'
}

# sql STATEMENT: asked of a copy, because orchd keeps its database to itself.
sql()
{
	rm -rf "$T/copy" && mkdir "$T/copy" &&
	    cp "$T/state"/orchd.db* "$T/copy" &&
	    sqlite3 "$T/copy/orchd.db" "$1"
}

# events [WHERE]: rows of the database.
events()
{
	sql "SELECT count(*) FROM event ${1:+WHERE $1}"
}

answers()
{
	[ "$(http_code "$(url /health)")" = 200 ]
}

# --- what is accepted, what is refused ----------------------------------------

accepts_recorded()
{
	n=0
	for f in "$FIXTURES"/webhook-*.json; do
		h=${f%.json}.headers
		n=$((n + 1))
		code=$(deliver "$f" "recorded-$n" "$(hmac $SECRET <"$f")" \
		    "$(header "$h" X-Gitea-Event-Type)" \
		    "$(header "$h" X-Gitea-Event)")
		[ "$code" = 200 ] || note "$(basename "$f"): $code"
	done
	assert_is "each recorded delivery is stored" "$n" "$(events)"
	sha256sum "$FIXTURES"/webhook-*.json | awk '
	    { print "gitea|recorded-" NR "|" $1 "|" $1 }' >"$T/wanted"
	sql "SELECT id, source, delivery, sha256 FROM event ORDER BY id" |
	    while IFS='|' read -r row source id sum; do
		sql "SELECT writefile('$T/stored', body) FROM event
		    WHERE id = $row" >/dev/null
		echo "$source|$id|$sum|$(sha256sum <"$T/stored" |
		    cut -d' ' -f1)"
	done >"$T/got"
	assert "with its source, its id, its bytes and their hash" \
	    cmp "$T/wanted" "$T/got"
	assert_is "a push is called push" push "$(sql "SELECT kind FROM event
	    WHERE sha256 = '$(sha256sum <"$push" | cut -d' ' -f1)'")"
}

refuses_replays()
{
	before=$(events)
	assert_is "the same delivery again gets a 2xx" 200 \
	    "$(deliver "$push" recorded-1 "$(hmac $SECRET <"$push")")"
	assert_has "it is called a duplicate" duplicate "$(cat "$T/body")"
	assert_is "the same body under another id is a duplicate too" 200 \
	    "$(deliver "$push" another-id "$(hmac $SECRET <"$push")")"
	assert_is "no replay makes a row" "$before" "$(events)"
}

# refuses_signature NAME SIGNATURE
refuses_signature()
{
	assert_is "$1: 401" 401 "$(deliver "$T/new" "forged" "$2")"
	cat "$T/body" >>"$T/refusals"
}

refuses_forgeries()
{
	before=$(events)
	sed 's/{/{"new":1,/;q' "$push" >"$T/new"
	sed 1d "$push" >>"$T/new"
	good=$(hmac $SECRET <"$T/new")
	refuses_signature "no signature" ""
	refuses_signature "another secret's signature" \
	    "$(hmac wrong <"$T/new")"
	refuses_signature "a flipped byte" "$(sed 's/"new":1/"new":2/' \
	    "$T/new" | hmac $SECRET)"
	refuses_signature "upper case" "$(echo "$good" | tr a-f A-F)"
	refuses_signature "half a signature" "$(echo "$good" | cut -c1-32)"
	refuses_signature "a prefix" "sha256=$good"
	assert_is "all refusals say the same" 1 \
	    "$(sort -u "$T/refusals" | wc -l)"
	assert_is "two signatures: 401" 401 "$(http_code \
	    -H "Content-Type: application/json" -H "X-Gitea-Event: push" \
	    -H "X-Gitea-Event-Type: push" -H "X-Gitea-Signature: $good" \
	    -H "X-Gitea-Signature: $good" --data-binary "@$T/new" \
	    "$(url /webhook/gitea)")"
	printf '{"a":' >"$T/broken"
	assert_is "signed, but no JSON: 400" 400 "$(deliver "$T/broken" b1 \
	    "$(hmac $SECRET <"$T/broken")")"
	assert_is "signed, but of another kind than it says: 400" 400 \
	    "$(deliver "$T/new" b2 "$good" issues)"
	assert_is "nothing of that was stored" "$before" "$(events)"
	assert_is "the secret before is good while it is changed" 200 \
	    "$(deliver "$T/new" rotated "$(hmac $OLD <"$T/new")")"
	assert_is "and that one is stored" $((before + 1)) "$(events)"
}

refuses_requests()
{
	before=$(events)
	assert_is "GET of the receiver: 405" 405 \
	    "$(http_code "$(url /webhook/gitea)")"
	assert_is "POST to /health: 405" 405 \
	    "$(http_code -d x "$(url /health)")"
	assert_is "another path: 404" 404 "$(http_code "$(url /status)")"
	assert_is "a path that is only alike: 404" 404 \
	    "$(http_code "$(url /webhook/gitea/)")"
	assert_is "/health of the receiver" 200 "$(http_code "$(url /health)")"
	{ printf '{"fill":"'; head -c 70000 /dev/zero | tr '\0' x
	    printf '"}'; } >"$T/large"
	assert_is "more than webhook_body_max_kb: 413" 413 \
	    "$(deliver "$T/large" large "$(hmac $SECRET <"$T/large")")"
	head -c 60000 "$T/large" | sed 's/$/"}/' >"$T/fits"
	assert_is "less is read (and is no event that is known)" 200 \
	    "$(deliver "$T/fits" fits "$(hmac $SECRET <"$T/fits")" star)"
	assert_is "a form, where none is configured: 415" 415 "$(http_code \
	    --data-urlencode "payload@$push" \
	    -H "X-Gitea-Signature: $(hmac $SECRET <"$push")" \
	    -H "X-Gitea-Event: push" "$(url /webhook/gitea)")"
}

# plane FILE SIGNATURE: to the other endpoint, with the recording's own event.
plane()
{
	http_code -H "Content-Type: application/json" \
	    -H "X-Plane-Event: $(header "${1%.json}.headers" X-Plane-Event)" \
	    -H "X-Plane-Delivery: $(od -An -N8 -tx8 /dev/urandom |
	    tr -d ' ')" -H "X-Plane-Signature: $2" \
	    --data-binary "@$1" "$(url /webhook/plane)"
}

accepts_plane()
{
	bad= n=0
	for f in "$TOP/tests/fixtures/plane"/webhook-*.json; do
		n=$((n + 1))
		good=$(hmac $PLANE <"$f")
		[ "$(plane "$f" "$(hmac $SECRET <"$f")")" = 401 ] &&
		    [ "$(plane "$f" "$good")" = 200 ] &&
		    ! grep -q duplicate "$T/body" &&
		    [ "$(plane "$f" "$good")" = 200 ] &&
		    grep -q duplicate "$T/body" ||
		    bad="$bad $(basename "$f")"
	done
	assert_is "each of Plane is stored, a repetition is none," \
	    "$n:" "$n:$bad"
	assert_is "and once in the database" "$n" "$(events "source = 'plane'")"
}

# said REPOSITORY N: the answer to a push of it.
said()
{
	printf '{"ref":"refs/heads/main","before":"%s","after":"b",
"repository":{"full_name":"%s","clone_url":"http://127.0.0.1:%s/x.git",
"html_url":"http://127.0.0.1:%s/"},"sender":{"login":"admin"}}' \
	    "$2" "$1" "$LURE" "$LURE" >"$T/said.body"
	echo "$(deliver "$T/said.body" "said-$2" \
	    "$(hmac $SECRET <"$T/said.body")"): $(cat "$T/body")"
}

# Who may sign learns nothing of what else there is, and sends nobody anywhere.
ignores_others()
{
	LURE=$((PORT + 1))
	while grep -qi "$(printf ':%04X ' $LURE)" /proc/net/tcp; do
		LURE=$((LURE + 1))
	done
	python3 - "$LURE" "$T/lured" <<'END' &
import socket, sys
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", int(sys.argv[1])))
s.listen(8)
open(sys.argv[2] + ".ready", "w").close()
s.accept()
open(sys.argv[2], "w").close()
END
	lure=$!
	wait_for 10 test -e "$T/lured.ready"
	first=$(said other/one 1)
	assert_is "a repository of no project is ignored" \
	    '200: {"status":"ignored"}' "$first"
	assert_is "another one gets the same answer" "$first" \
	    "$(said 'other/two' 2)"
	assert_is "and so does one with a strange name" "$first" \
	    "$(said '../../etc/passwd' 3)"
	assert_is "each leaves a line" 3 "$(grep -c \
	    'delivery said-.* which no project is: ignored' "$T/orchd.log")"
	sleep 1
	assert_not "no address in a delivery is fetched" test -e "$T/lured"
	kill $lure
	wait $lure 2>/dev/null
}

# --- a flood, and somebody dies -----------------------------------------------

# flood NAME FROM TO: deliveries with bodies of their own; "code id" of each.
flood()
{
	n=$2
	while [ "$n" -le "$3" ]; do
		cat >"$T/flood.$1" <<END
{"ref":"refs/heads/main","before":"$n","after":"$((n + 1))",
"serial":"$1-$n",
"repository":{"id":1,"full_name":"sample/sample"}}
END
		sig=$(hmac $SECRET <"$T/flood.$1")
		code=$(curl -s -o /dev/null -w '%{http_code}' --max-time 8 \
		    -H "Content-Type: application/json" \
		    -H "X-Gitea-Event: push" -H "X-Gitea-Event-Type: push" \
		    -H "X-Gitea-Delivery: $1-$n" \
		    -H "X-Gitea-Signature: $sig" \
		    --data-binary "@$T/flood.$1" "$(url /webhook/gitea)")
		echo "$code $1-$n" >>"$T/codes.$1"
		n=$((n + 1))
	done
}

# killed_in_flood WHO: three times.
killed_in_flood()
{
	who=$1
	flood "$who-a" 1 60 &
	one=$!
	flood "$who-b" 1 60 &
	two=$!
	kills=0
	while kill -0 $one 2>/dev/null && [ $kills -lt 3 ]; do
		sleep 0.4
		kill_part "$who" && kills=$((kills + 1))
	done
	wait $one $two
	cat "$T/codes.$who-a" "$T/codes.$who-b" >"$T/codes"
	good=$(grep -c '^200 ' "$T/codes")
	note "$who: $kills kills, $good of $(wc -l <"$T/codes") got a 2xx"
	assert "$who is killed in the flood" [ $kills -gt 0 ]
	assert "deliveries get through all the same" [ "$good" -gt 60 ]
	wait_for 10 answers
	sql "SELECT delivery FROM event" >"$T/rows"
	lost=$(sed -n 's/^200 //p' "$T/codes" | while read -r id; do
		[ "$(grep -cx "$id" "$T/rows")" = 1 ] || echo "$id"
	done)
	assert_is "$who killed: what got a 2xx is in the database once" "" \
	    "$lost"
	# Whoever got no 2xx sends again: once each, in the end.
	grep -v '^200 ' "$T/codes" | while read -r code id; do
		flood "${id%-*}" "${id##*-}" "${id##*-}"
	done
	assert_is "$who killed: after all is sent again all is there once" \
	    "120|120|120" "$(sql "SELECT count(*), count(DISTINCT delivery),
	    count(DISTINCT sha256) FROM event WHERE delivery LIKE '$who-%'")"
}

begin
make_project
push=$FIXTURES/webhook-push-signed--buildbot.json
printf '%s\n' $SECRET >"$T/hook.secret"
printf '%s\n' $OLD >"$T/hook.old"
printf '%s\n' $PLANE >"$T/hook.plane"
chmod 600 "$T/hook.secret" "$T/hook.old" "$T/hook.plane"
GLOBAL="webhook_body_max_kb 64
listen webhook on 127.0.0.1 port $PORT
webhook gitea secret file \"$T/hook.secret\" secret file \"$T/hook.old\"
webhook plane secret file \"$T/hook.plane\""
write_conf
start_orchd
wait_for 10 answers || bail "the receiver answers"

assert "the receiver is held to its list of calls" confined \
    "$(pid_of webhookd)"
accepts_recorded
refuses_replays
refuses_forgeries
refuses_requests
accepts_plane
ignores_others
killed_in_flood engine
killed_in_flood webhookd

before=$(events)
kill -STOP "$(pid_of engine)"
t0=$(date +%s)
sed 's/{/{"held":1,/;q' "$push" >"$T/held"
sed 1d "$push" >>"$T/held"
assert_is "while the engine is away it is held, then 503" 503 \
    "$(deliver "$T/held" held "$(hmac $SECRET <"$T/held")")"
spent=$(($(date +%s) - t0))
assert "after some three seconds ($spent)" [ $spent -ge 2 ]
kill -CONT "$(pid_of engine)"
wait_for 10 answers
# What the kernel sends to who makes another call.
victim=$(pid_of webhookd)
kill -SYS "$victim"
wait_for 10 grep -qF "webhookd (pid $victim) was killed by its own sandbox \
(SIGSYS)" "$T/orchd.log" || fail "the sandbox's kill is in the log in words"
wait_for 20 answers || fail "the next one serves"
assert "the next one is held to the list as well" confined \
    "$(pid_of webhookd)"
assert "the database holds its invariants" ctl check
assert_not "no secret is in the log" grep -q "$SECRET" "$T/orchd.log"
assert_is "every refusal is in the log" 1 \
    "$(grep -q 'bad signature' "$T/orchd.log" && echo 1)"
stop_orchd
assert_is "the database is whole" ok \
    "$(sqlite3 "$T/state/orchd.db" 'PRAGMA integrity_check')"
finish
