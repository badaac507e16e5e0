#!/bin/sh
# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.

# orchctl doctor remote: with every right all is well; each right that is
# missing has its line with what to do; a server that is dead or hangs is a
# line and no wait; nothing is left at the other side.

. "${LIBDIR:-$(dirname "$0")}/lib.sh"
. "$LIBDIR/remote.sh"

# doctor: a line each to $T/doctor, with verdict, project, place, what and
# text; its exit status the same.
doctor()
{
	ctl -j doctor remote >"$T/doctor.json" 2>"$T/doctor"
	status_is=$?
	python3 -c '
import json, sys
rows = json.load(open(sys.argv[1]))["rows"]
for r in rows:
    print(r["verdict"].replace("fail", "FAIL"), r["project"] or "-",
          r["subject"], r["what"], r["text"])' "$T/doctor.json" >>"$T/doctor"
	return $status_is
}

# finds NAME STATUS PATTERN ...: this exit status, and a line of each pattern.
finds()
{
	name=$1
	status=$2
	shift 2
	doctor
	assert_is "$name: the exit status" "$status" $?
	for pattern in "$@"; do
		if grep -Eq "$pattern" "$T/doctor"; then
			pass "$name: $pattern"
		else
			fail "$name: $pattern"
			sed 's/^/#   /' "$T/doctor"
		fi
	done
}

# forge_user JSON, role N: what a token may from now on.
forge_user()
{
	order "$FORGE" user "$1" >/dev/null
}

role()
{
	order "$TRACKER" role "{\"user\": \"orchd\", \"role\": $1}" >/dev/null
}

state_order()
{
	order "$TRACKER" states "{\"project\": \"S\", $1}" >/dev/null
}

writes()
{
	forge_user "{\"login\": \"orchd\", \"scopes\": [$1], \"lacks\": [$2]}"
}

reads()
{
	forge_user "{\"login\": \"reader\", \"scopes\": [$1], \"lacks\": [$2]}"
}

# What both servers hold, without what they count of requests.
held()
{
	order "$FORGE" state
	order "$TRACKER" state
}

# A messenger that takes webhooks: the tracker's address will do, since no
# request comes; and one whose certificate nobody has signed.
messengers()
{
	# The receiver's is free until orchd starts.
	TLS_PORT=$((HOOK_PORT + 1))
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -keyout "$T/tls.key" -out "$T/tls.crt" -days 90 -subj "/CN=localhost" \
	    -addext "subjectAltName=DNS:localhost,IP:127.0.0.1" 2>"$T/err" ||
		bail "openssl makes a certificate"
	chmod 600 "$T/tls.key"
	secret messenger "a secret of sixteen"
	GLOBAL="listen page on 127.0.0.1 port $TLS_PORT tls certificate file \"$T/tls.crt\" key file \"$T/tls.key\"
notify plain webhook \"$TRACKER/in\" secret file \"$T/messenger\""
}

begin
start_servers
messengers
POLL=3600 remote_conf
# Its polls have seen it before rights are taken away.
start_orchd
reads '"read", "admin"' ''
writes '"read", "write", "admin"' ''
person "$(new_item "An item that is not handed in")" priority high >/dev/null
api anna-token POST /repos/team/sample/branches \
    '{"new_branch_name": "other"}' >/dev/null
wait_for 10 ctl event >/dev/null 2>&1

# --- all is well --------------------------------------------------------------

held >"$T/before"
finds "every right" 0 \
    "^ok +sample +forge, to read +server +Gitea 1.26.1" \
    "^ok +sample +forge, to read +token +it is of the user reader" \
    "^ok +sample +forge, to read +hook +http://127.0.0.1:$HOOK_PORT/webhook" \
    "^ok +sample +forge, to write +merge style" \
    "^ok +sample +forge, to write +target +the bot user may merge into main" \
    "^ok +sample +forge, to write +push" \
    "^ok +sample +forge, to write +pull requests" \
    "^ok +sample +forge, to write +comments" \
    "^ok +sample +forge, to write +own branches" \
    "^ok +sample +tracker +key +it is of the user orchd" \
    "^ok +sample +tracker +status To Analyse" \
    "^ok +sample +tracker +status Confirm Deploy" \
    "^ok +sample +tracker +changes" \
    "^ok +sample +deliveries +gitea +the last one" \
    "^ok +sample +deliveries +plane +the last one" \
    "^ok +- +notify:plain +server +it takes connections"
assert "every right: no line is anything but ok" \
    sh -c "! grep -Eq '^(warn|FAIL)' '$T/doctor'"
held >"$T/after"
assert "nothing is left at the other side" cmp "$T/before" "$T/after"
ctl doctor remote >"$T/text" 2>&1
assert "for people: what was found, by place" grep -q "^sample: tracker" \
    "$T/text"
assert "and a sum" grep -Eq "^[0-9]+ ok, 0 to look at, 0 failed" "$T/text"
assert_is "no token is shown" "" "$(grep -E '0123456789' "$T/doctor")"
ctl -j doctor remote sample >"$T/doctor.json" 2>&1
assert_is "JSON: its verdict and its rows" "True True" "$(python3 -c '
import json, sys
d = json.load(open(sys.argv[1]))
print(d["ok"], all(sorted(r) == ["by", "project", "subject", "text",
    "verdict", "what"] and r["verdict"] == "ok" for r in d["rows"]))' "$T/doctor.json")"
assert_says "a project that is not there" 1 "there is no project nowhere" \
    ctl doctor remote nowhere
assert_says "another doctor" 1 "usage: orchctl doctor" ctl doctor house

# --- each right that is missing -----------------------------------------------

reads '"read"' ''
finds "to read only" 0 "^warn +sample +forge, to read +hook +only an admin"
reads '"read"' '"user"'
finds "a token without read:user" 1 \
    "^FAIL +sample +forge, to read +token .*read:repository and read:user"
reads '"read", "admin"' ''

writes '"read"' ''
finds "a token that only reads" 1 \
    "^FAIL .*to write +repository +the bot user may only read" \
    "^FAIL .*to write +target .*merge allowlist" \
    "^FAIL .*to write +push +HTTP 403" \
    "^FAIL .*to write +pull requests +HTTP 403.*write:repository, write:issue" \
    "^FAIL .*to write +comments +HTTP 403"
writes '"read", "write"' '"issue"'
finds "a token without write:issue" 1 \
    "^FAIL .*to write +comments +HTTP 403.*write:issue" \
    "^ok .*to write +pull requests"
writes '"read", "write", "admin"' ''

secret forge.write another-token
ctl reload >/dev/null
finds "a token that is unknown" 1 \
    "^FAIL .*to write +token +HTTP 401.*Settings, Applications" \
    "^ok .*to read +token"
secret forge.write write-token-0123456789
ctl reload >/dev/null

order "$FORGE" repo '{"repo": "team/sample", "styles": ["merge"],
    "pulls": false}' >/dev/null
finds "settings of the repository" 1 \
    "^FAIL .*merge style +fast-forward-only is switched off" \
    "^FAIL .*repository +pull requests are switched off"
order "$FORGE" repo '{"repo": "team/sample", "pulls": true,
    "styles": ["merge", "fast-forward-only"], "archived": true}' >/dev/null
finds "an archived repository" 1 "^FAIL .*repository .* is archived"
order "$FORGE" repo '{"repo": "team/sample", "archived": false}' >/dev/null

api anna-token POST /repos/team/sample/branch_protections \
    '{"rule_name": "main", "enable_merge_whitelist": true,
    "merge_whitelist_usernames": ["anna"]}' >/dev/null
api anna-token POST /repos/team/sample/branch_protections \
    '{"rule_name": "orchd/*"}' >/dev/null
finds "protection of branches" 1 \
    "^FAIL .*target +the protection of main does not let the bot user merge" \
    "^FAIL .*own branches +the protection rule \"orchd/\*\""
api anna-token DELETE /repos/team/sample/branch_protections/main
api anna-token DELETE "/repos/team/sample/branch_protections/orchd/*"
api anna-token POST /repos/team/sample/branch_protections \
    '{"rule_name": "main", "required_approvals": 2}' >/dev/null
finds "approvals of people" 0 "^warn .*target .*wants 2 approval"
api anna-token DELETE /repos/team/sample/branch_protections/main

hook=$(json id <"$T/hook.json")
api anna-token PATCH "/repos/team/sample/hooks/$hook" \
    '{"events": ["push"]}' >/dev/null
finds "a hook without events" 0 \
    "^warn .*hook .*does not send pull_request, .*status"
api anna-token PATCH "/repos/team/sample/hooks/$hook" \
    '{"active": false}' >/dev/null
finds "a hook that is switched off" 0 "^warn .*hook .*is switched off"
api anna-token DELETE "/repos/team/sample/hooks/$hook"
finds "no hook" 0 "^warn .*hook +none leads to"

state_order '"name": "Confirm Deploy", "delete": true'
state_order '"name": "Stop", "rename": "stop"'
finds "statuses" 1 \
    "^FAIL .*status Confirm Deploy +\"Confirm Deploy\" is missing, so nothing is deployed" \
    "^FAIL .*status Stop +there is \"stop\", but \"Stop\" is missing"
state_order '"name": "Confirm Deploy", "group": "started"'
state_order '"name": "stop", "rename": "Stop"'

role 5
finds "a guest of the project" 1 "^FAIL .*changes +HTTP 403.*make it a Member"
role 0
finds "no member of the project" 1 "^FAIL .*project +HTTP 403.*Members"
role 15
finds "a member" 0 "^ok .*changes"

# --- servers that are slow, wrong or gone -------------------------------------

cp "$T/orchd.conf" "$T/orchd.conf.before"
{
	echo "notify unsigned webhook \"https://127.0.0.1:$TLS_PORT/in\" secret file \"$T/messenger\""
	echo "notify deaf webhook \"https://127.0.0.1:$HOOK_PORT/in\" secret file \"$T/messenger\""
	cat "$T/orchd.conf.before"
} >"$T/orchd.conf"
assert "more messengers" ctl reload
finds "certificates" 1 \
    "^FAIL +- +notify:unsigned .*certificate.*update-ca-certificates" \
    "^FAIL +- +notify:deaf .*does it speak TLS there" \
    "^ok +- +notify:plain"
cp "$T/orchd.conf.before" "$T/orchd.conf"
ctl reload >/dev/null

order "$FORGE" faults '{"match": "GET /api/v1/version", "kind": "redirect",
    "status": 301, "location": "http://127.0.0.1:1/"}' >/dev/null
order "$TRACKER" faults '{"match": ".*users/me.*", "kind": "html",
    "times": -1}' >/dev/null
finds "another address" 1 \
    "^FAIL .*to read +server +HTTP 301.*never follows with a token" \
    "^FAIL .*tracker +key +HTTP 200, but"
curl -s -X DELETE "$FORGE/_standin/faults" >/dev/null
curl -s -X DELETE "$TRACKER/_standin/faults" >/dev/null

kill -STOP "$TRACKER_PID"
began=$(date +%s)
finds "a server that hangs" 1 "^FAIL .*tracker +key .*no answer within 15 s" \
    "^ok .*to write +push"
assert "and is waited for 15 s only" test $(($(date +%s) - began)) -le 19
kill -CONT "$TRACKER_PID"
kill "$FORGE_PID"
wait "$FORGE_PID" 2>/dev/null
finds "a server that is dead" 1 \
    "^FAIL .*to read +server +http://127.0.0.1:[0-9]+ cannot be reached" \
    "^FAIL .*to write +repository +http://127.0.0.1:[0-9]+ cannot be reached" \
    "^ok .*tracker +key"
stop_orchd
kill "$TRACKER_PID"
wait "$TRACKER_PID" 2>/dev/null
finish
