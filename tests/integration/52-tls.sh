#!/bin/sh
# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.
#
# Senders and browsers through TLS: a certificate from files, one that is
# replaced while deliveries come, and pairs that do not fit.

. "$(dirname "$0")/lib.sh"

SECRET=one-secret-for-tls
BODY='{"ref":"refs/heads/main","before":"a","after":"b",'
BODY="$BODY"'"repository":{"full_name":"o/r"},"n":'

# certificate NAME [DAYS]: a pair for localhost in $T.
certificate()
{
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -keyout "$T/$1.key" -out "$T/$1.crt" -days "${2:-30}" -subj /CN=localhost \
	    -addext subjectAltName=DNS:localhost >/dev/null 2>&1 &&
	    chmod 600 "$T/$1.key"
}

hmac()
{
	openssl dgst -sha256 -hmac "$SECRET" -r | cut -d' ' -f1
}

# request N: the whole of a signed delivery, as bytes.
request()
{
	body="$BODY$1}"
	printf 'POST /webhook/gitea HTTP/1.1\r\nHost: localhost\r\n'
	printf 'Content-Type: application/json\r\nX-Gitea-Event: push\r\n'
	printf 'X-Gitea-Delivery: tls-%s\r\nX-Gitea-Signature: %s\r\n' "$1" \
	    "$(printf %s "$body" | hmac)"
	printf 'Content-Length: %s\r\n\r\n%s' ${#body} "$body"
}

# code N CA [CURL-ARGUMENT ...]: the status of a delivery through TLS.
code()
{
	n=$1 ca=$2
	shift 2
	body="$BODY$n}"
	curl -s -o "$T/body" -w '%{http_code}' --max-time 10 \
	    --cacert "$T/$ca.crt" -H "Content-Type: application/json" \
	    -H "X-Gitea-Event: push" -H "X-Gitea-Delivery: tls-$n" \
	    -H "X-Gitea-Signature: $(printf %s "$body" | hmac)" \
	    --data-binary "$body" "$@" "https://localhost:$PORT/webhook/gitea"
}

answers()
{
	[ "$(curl -s -o /dev/null -w '%{http_code}' --max-time 5 \
	    --cacert "$T/$1.crt" "https://localhost:$PORT/health")" = 200 ]
}

# speaks VERSION: does a handshake come about?
speaks()
{
	echo | timeout 5 openssl s_client -connect "localhost:$PORT" "-$1" \
	    -cipher DEFAULT@SECLEVEL=0 -CAfile "$T/one.crt" \
	    -verify_return_error >"$T/s_client" 2>&1
}

write_with()
{
	GLOBAL="listen webhook on 0.0.0.0 port $PORT \
tls certificate file \"$T/$1\" key file \"$T/$2\"
webhook gitea secret file \"$T/hook.secret\""
	write_conf
}

# alerted WORDS: is there an alert of a certificate that says so?
alerted()
{
	ctl alert | grep '[[:space:]]certificate[[:space:]]\|^certificate' |
	    grep -qF -- "$1"
}

begin
make_project
printf '%s\n' $SECRET >"$T/hook.secret"
chmod 600 "$T/hook.secret"
certificate one && certificate two || bail "certificates are made"
cp "$TOP/tests/conf/tls-over.crt" "$T/over.crt"
cp "$TOP/tests/conf/tls.key" "$T/over.key"
chmod 600 "$T/over.key"
ln -s one.crt "$T/live.crt"
ln -s one.key "$T/live.key"

write_with one.crt two.key
assert_says "a key of another certificate is refused" 1 \
    "orchd.conf:$(grep -n '^listen' "$T/orchd.conf" | cut -d: -f1): certificate file" \
    "$ORCHD" -n -f "$T/orchd.conf"
assert_has "it says why" "not that of the first" "$(cat "$T/said")"
write_with over.crt over.key
assert_says "one that is over is a warning" 0 "the certificate is over" \
    "$ORCHD" -n -f "$T/orchd.conf"
write_with one.crt one.key
assert "one that is good for 30 days is none" test -z \
    "$("$ORCHD" -n -f "$T/orchd.conf" 2>&1 | grep -i certificate)"
write_with live.crt live.key
start_orchd
wait_for 10 answers one || bail "the receiver answers through TLS"

assert_is "a delivery through TLS is stored" 200 "$(code 1 one)"
assert_has "the answer comes whole" '{"status":"ignored"}' "$(cat "$T/body")"
assert_is "who knows another authority is not served" 000 "$(code 2 two)"
assert_is "plain HTTP gets no answer" 000 "$(curl -s -o "$T/plain" \
    -w '%{http_code}' --max-time 5 "http://localhost:$PORT/health")"
assert "it is in the log in words" grep -q "no TLS: http request" \
    "$T/orchd.log"
assert "TLS 1.3 is spoken" speaks tls1_3
assert "TLS 1.2 is spoken" speaks tls1_2
assert_not "TLS 1.1 is not" speaks tls1_1
assert_not "TLS 1.0 is not" speaks tls1
assert_is "after all that it is served as before" 200 "$(code 3 one)"

# Half of a delivery before the certificate is replaced, half after it.
request 4 >"$T/half"
{
	head -c 300 "$T/half"
	wait_for 10 test -e "$T/reloaded"
	tail -c +301 "$T/half"
	sleep 2
} | timeout 20 openssl s_client -quiet -connect "localhost:$PORT" \
    -CAfile "$T/one.crt" >"$T/half.out" 2>/dev/null &
half=$!
sleep 0.5
ln -sf two.crt "$T/live.crt"
ln -sf two.key "$T/live.key"
old=$(pid_of webhookd)
assert "a reload takes a new certificate" ctl -q reload
touch "$T/reloaded"
wait_for 10 answers two || fail "the new certificate is in force"
assert_not "the receiver is another process" test "$old" = \
    "$(pid_of webhookd)"
assert_is "a delivery with the new one" 200 "$(code 5 two)"
assert_is "the old one is gone" 000 "$(code 6 one)"
wait $half
assert_has "what was half done at the reload has its answer" \
    "HTTP/1.1 200 " "$(head -n 1 "$T/half.out")"

ln -sf one.key "$T/live.key"
assert_says "a pair that does not fit changes nothing" 1 \
    "not that of the first" ctl reload
assert_is "the one before is served" 200 "$(code 7 two)"
assert_not "nor is there a restart with it" ctl -q restart
ln -sf two.key "$T/live.key"
assert "a restart in place keeps the socket" ctl -q restart
wait_for 15 answers two || fail "it answers after the restart"
assert_is "and what it speaks" 200 "$(code 8 two)"

certificate soon 5
ln -sf soon.crt "$T/live.crt"
ln -sf soon.key "$T/live.key"
assert "one that ends soon is taken" ctl -q reload
wait_for 10 alerted "$T/live.crt" || fail "there is an alert of its file"
assert "which says when and what to do" alerted \
    " UTC, 4 days from now; after that senders refuse it. Renew it there"
ln -sf two.crt "$T/live.crt"
ln -sf two.key "$T/live.key"
assert "a renewed one is taken" ctl -q reload
alert_is_over()
{
	! alerted ""
}
wait_for 10 alert_is_over || fail "then the alert is over"
wait_for 10 answers two || fail "and what was renewed is served"

mkdir "$T/copy" && cp "$T/state"/orchd.db* "$T/copy"
for n in 1 3 4 5 7 8; do
	echo "$n:$(sqlite3 "$T/copy/orchd.db" \
	    "SELECT count(*) FROM event WHERE delivery = 'tls-$n'")"
done >"$T/rows"
assert_is "each is in the database once" "1:1 3:1 4:1 5:1 7:1 8:1" \
    "$(tr '\n' ' ' <"$T/rows" | sed 's/ $//')"
assert_not "no key is in the log" grep -qE 'PRIVATE KEY|one-secret' \
    "$T/orchd.log"
finish
