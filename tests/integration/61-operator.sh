#!/bin/sh
# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.
#
# What orchd(8) and orchd-pipeline(7) tell an operator to do: reload, decide
# about a deploy, back up and restore.

. "$(dirname "$0")/lib.sh"

# says TEXT: it is in the log.
says()
{
	grep -qF -- "$1" "$T/orchd.log"
}

told()
{
	[ "$(ctl -j status | json outbox)" = 0 ]
}

approvals()
{
	ctl -j show "$1" | tr -d '\n' | sed 's/}, *{/}\n{/g' |
	    grep -c '"gate": *"check_deploy_status"'
}

begin
make_project
GLOBAL="serial_limit 1"
PROJECT='	status { "In Review" "Waiting" }'
write_conf
start_orchd

# A task at a time goes past created; then a reload lets the second one in.
a=$(submit "Greeting becomes welcome")
wait_asked "$a" 30
assert_is "asked: the status is that of waiting, by the project's name" \
    Waiting "$(task_field "$a" tracker_status)"
b=$(submit "Parting becomes goodbye")
assert_is "serial_limit 1: the second item waits" created "$(stage_of "$b")"
assert_has "and says what for" serial_limit "$(ctl why "$b")"
c=$(submit "Thanks becomes merci")
assert "the third one is to wait for the second" ctl depend "$c" "$b"
assert_has "and says so" "needs $b" "$(ctl why "$c")"
assert_says "a circle of dependencies is refused" 1 circle \
    ctl depend "$b" "$c"
assert_says "a task that does not wait any more gets none" 1 \
    "stage analysis" ctl depend "$a" "$b"
cp "$T/orchd.conf" "$T/good.conf"
sed 's/forge local/forge locale/; s/serial_limit 1/serial_limit 2/' \
    "$T/good.conf" >"$T/orchd.conf"
line=$(grep -n 'forge locale' "$T/orchd.conf" | cut -d: -f1)
assert_says "a reload with a fault is refused by file and line" 1 \
    "orchd.conf:$line: project \"sample\": forge \"locale\"" ctl reload
kill -HUP "$ORCHD_PID"
assert "so it is by SIGHUP" wait_for 5 says \
    "reload refused, the old configuration stays"
assert_is "the second item still waits" created "$(stage_of "$b")"
sed 's/serial_limit 1/serial_limit 2/' "$T/good.conf" >"$T/orchd.conf"
kill -HUP "$ORCHD_PID"
assert "a good one is put into force by SIGHUP" wait_stage "$b" analysis 10
assert_is "by the same process" "$ORCHD_PID" "$(cat "$T/state/lock")"

# In deploy only confirm deploys, and once.
ctl -q approve "$a"
assert "the first item comes to deploy" wait_stage "$a" deploy 30
wait_for 10 asked "$a" check_deploy_status
assert_has "it asks for a confirmation" '"Approved" does not deploy' \
    "$(ctl why "$a")"
assert_says "approve does nothing there" 1 approved-on-deploy-noop \
    ctl approve "$a"
assert_says "nor does a confirmation of another commit" 1 "Nothing was changed" \
    ctl confirm -c 1234567890123456789012345678901234567890 "$a"
assert_is "nothing was deployed" 0 "$(deploy_calls 2>/dev/null)"
assert_says "cancel is refused after the merge" 1 "orchctl reject $a" \
    ctl cancel "$a"
assert "confirm deploys" ctl confirm "$a"
ctl -q confirm "$a" >/dev/null 2>&1
assert "it is done" wait_stage "$a" done 30
assert_is "one deploy" 1 "$(deploy_calls)"
assert_says "a confirmation in done is refused" 1 "$a" ctl confirm "$a"

# The backup of orchd(8), taken while the second item waits for its approval.
wait_asked "$b" 30
stop_orchd
tar -C "$T/state" -cf "$T/backup.tar" --exclude=./ws . || bail "tar"
assert_says "a database that nobody uses is checked" 0 sound \
    "$ORCHD" -C "$T/state/orchd.db"
start_orchd
assert "later the second item is done" travel "$b" 60
wait_asked "$c" 30
assert "the tracker hears of everything" wait_for 10 told
stop_orchd
assert_is "two items are Done, and the third one waits" \
    "Done Done Waiting" "$(sqlite3 "$T/state/orchd.db" \
    'SELECT status FROM item ORDER BY task' | tr '\n' ' ' | sed 's/ $//')"
mkdir "$T/damaged" && mv "$T/state"/* "$T/damaged"
tar -C "$T/state" -xpf "$T/backup.tar" || bail "tar"
assert_says "the restored database is sound" 0 sound \
    "$ORCHD" -C "$T/state/orchd.db"
start_orchd
assert_is "restored: the first item is done" done "$(stage_of "$a")"
assert_is "restored: the second one is where it was" analysis \
    "$(stage_of "$b")"
assert_is "restored: the third one waits for it" created "$(stage_of "$c")"
d=$(ctl -j submit -p sample -t "Fourth becomes last" -m "x" -d "$c" | json id)
assert "restored: it is done again" travel "$b" 60
assert "and the third one begins" wait_stage "$c" analysis 10
ctl -q cancel "$c"
wait_stage "$c" cancelled 20
assert_has "a cancelled dependency keeps the fourth one waiting" \
    "$c, which was cancelled" "$(ctl why "$d")"
assert_has "with an alert" "$c, which was cancelled" "$(ctl alert)"
assert_is "in its stage" created "$(stage_of "$d")"
assert "the database holds its invariants" ctl check
stop_orchd

# Without its database the folder is not begun anew (orchd(8), DIAGNOSTICS).
rm "$T/state/orchd.db"
assert_says "a lost database is no reason to begin at 1" 1 \
    "restore a backup" "$ORCHD" -f "$T/orchd.conf"

# deploy_require_manual_approve no: the same hook, nobody is asked.
rm -rf "$T/state" "$T/production"
mkdir "$T/production"
GLOBAL="deploy_require_manual_approve no"
write_conf
start_orchd
c=$(submit "Colour becomes green")
wait_asked "$c" 30 && ctl -q approve "$c"
assert "without confirmation: it is done" wait_stage "$c" done 30
assert_is "without confirmation: nobody decided" 0 "$(approvals "$c")"
assert_is "without confirmation: one deploy" 1 "$(deploy_calls)"
finish
