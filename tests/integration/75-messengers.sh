#!/bin/sh
# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.

# An item's questions, its end and an alert with its recovery reach Telegram, a
# signed webhook and a command, each once, though each fails at first.

. "${LIBDIR:-$(dirname "$0")}/lib.sh"
. "$LIBDIR/remote.sh"

SECRET=whsec_$(printf 'a key of twenty-four by.' | base64)

# took EXPRESSION: of what was taken: telegram, hook and said are lists of text.
took()
{
	order "$MESSAGES" state | python3 -c '
import json, sys
taken = json.load(sys.stdin)
telegram, said = taken["telegram"], taken["said"]
hook = [h["body"]["data"]["text"] for h in taken["hook"]]
print(eval(sys.argv[1]))' "$1"
}

# heard TEXT: has each of the three heard it, once?
heard()
{
	[ "$(took "[sum('$1' in t for t in l) for l in
	    (telegram, hook, said)]")" = "[1, 1, 1]" ]
}

# all_hear NAME TEXT: once, within a while.
all_hear()
{
	if wait_for 20 heard "$2"; then
		pass "$1"
	else
		fail "$1 ($2)"
		order "$MESSAGES" state | sed 's/^/#   /'
	fi
}

begin
standin messages --token 1:abc --secret "$SECRET"
MESSAGES=$(cat "$T/messages")
order "$MESSAGES" faults '[
    {"match": "POST /bot.*", "kind": "status", "status": 429,
     "body": {"ok": false, "error_code": 429, "description":
      "Too Many Requests: retry after 1", "parameters": {"retry_after": 1}}},
    {"match": "POST /hook", "kind": "status", "status": 503},
    {"match": "POST /hook", "kind": "reset"},
    {"match": "POST /said", "kind": "status", "status": 500}]' >/dev/null
secret telegram "$MESSAGES/bot1:abc"
secret hook "$SECRET"
cat >"$T/bin/tell" <<'END'
#!/bin/sh
# tell URL: what a command of a team's own might do.
{
	echo "$ORCH_MESSAGE_KIND ${ORCH_WORK_ITEM:-nothing} $ORCH_MESSAGE_KEY"
	cat
} | curl -fsS --data-binary @- "$1"
END
chmod 755 "$T/bin/tell"
make_project
GLOBAL="watch_cooldown_s 60
notify phone telegram chat -100123 token file \"$T/telegram\"
notify web webhook \"$MESSAGES/hook\" secret file \"$T/hook\"
notify bell exec \"$T/bin/tell\" \"$MESSAGES/said\""
write_conf
start_orchd
a=$(submit "Greeting becomes hi" "agent developer: nothing")
all_hear "what waits for a person is asked" "approve the analysis"
ctl -q approve "$a"
all_hear "an alert says what, where and what to do" "orchctl retry $a"
ctl -q retry "$a"
all_hear "that an alert is over is said" "Over: alert parked, $a"
ctl -q cancel "$a"
all_hear "the end of an item is told" "$a is cancelled"

# asked TASK: how often the webhook has taken the question of it.
asked()
{
	took "sum(t.startswith('$1 waits') for t in hook)"
}

is_asked()
{
	[ "$(asked "$1")" = 1 ]
}

# parked: so many messages to the webhook are.
parked()
{
	ctl -j queue | python3 -c '
import json, sys
print(sum(d["parked"] for d in json.load(sys.stdin)["outbox"]["destinations"]
    if d["dest"] == "notify:web"))'
}

is_parked()
{
	[ "$(parked)" -gt 0 ]
}

order "$MESSAGES" faults '[{"match": "POST /hook", "kind": "status",
    "status": 400, "times": -1}]' >/dev/null
b=$(submit "Farewell becomes bye" "agent developer: nothing")
wait_for 60 is_parked
assert "what is refused for what it says is parked soon" is_parked
curl -s -m 5 -X DELETE "$MESSAGES/_standin/faults" >/dev/null
assert_says "an alert says what it was and what to do" 0 \
    "orchctl queue retry notify:web" ctl alert
ctl -q cancel "$b"
all_hear "what comes after it goes on" "$b is cancelled"
assert_is "and that one was not taken" 0 "$(asked "$b")"
assert "it is tried again by an operator's word" \
    ctl queue retry notify:web
wait_for 20 is_asked "$b"
assert_is "and is taken" 1 "$(asked "$b")"
assert_says "to repeat that is no error" 0 \
    "no message to notify:web is parked" ctl queue retry notify:web
assert_says "nor to drop what there is not" 0 \
    "no message to notify:web is parked" ctl queue drop notify:web
kill "$STANDIN_PID"
finish
