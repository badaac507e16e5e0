#!/bin/sh
# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.
#
# What runs outlives a restart, a crash of the engine and a crash of the parent:
# it is adopted, not started again.  A shutdown ends agents, whose jobs wait for
# the next start; a deploy hook it leaves alone.

. "$(dirname "$0")/lib.sh"
. "$LIBDIR/scene.sh"

inodes()
{
	stat -c '%n %i' "$T/run/engine.sock" "$T/run/control.sock"
}

# alive PID ...: those that are.
alive()
{
	for pid in "$@"; do
		kill -0 "$pid" 2>/dev/null && echo "$pid"
	done
}

# left N: so many of the runners are.
left()
{
	[ "$(alive $runners | wc -l)" -eq "$1" ]
}

# told TEXT: the service manager has heard this line.
told()
{
	grep -qx -- "$1" "$T/told"
}

# manager: what a service manager hears, a line each, in $T/told.
manager()
{
	: >"$T/told"
	perl -MIO::Socket::UNIX -e '
	    $| = 1;
	    my $s = IO::Socket::UNIX->new(Type => SOCK_DGRAM,
		Local => $ARGV[0]) or die;
	    print "$b\n" while defined $s->recv($b, 4096)' \
	    "$T/notify" >>"$T/told" 2>&1 &
	manager=$!
	wait_for 5 [ -S "$T/notify" ] || bail "a service manager listens"
	NOTIFY_SOCKET=$T/notify
	export NOTIFY_SOCKET
}

# adopted NAME: nothing of it has ended, and the lease is as it was.
adopted()
{
	assert_is "$1: no run was touched" "$runners" "$(alive $runners)"
	# One of them is the worker, the other the daemon, which was.
	assert_is "$1: nor the worker" 1 "$(alive $finalizers | wc -l)"
	assert "$1: the hook goes on" kill -0 "$held"
	wait_for 20 lease_of "$edged"
	assert_is "$1: the lease has its owner and its epoch" "$lease" \
	    "$(lease_of "$edged")"
}

begin
scene_files
manager
scene
parent=$ORCHD_PID
engine=$(pid_of engine)
sockets=$(inodes)
runners=$(children runner)
finalizers=$(children finalizerd)
held=$(cat "$T/production/pid")
cp "$T/orchd.conf" "$T/good.conf"
sed -i "s,^state .*,state \"$T/other\"," "$T/orchd.conf"
assert_says "a restart does not change the folder" 1 "cannot change" \
    ctl restart
echo "no such option" >"$T/orchd.conf"
assert_says "nor does it take a configuration with a fault" 1 \
    "orchd.conf:1:" ctl restart
cp "$T/good.conf" "$T/orchd.conf"
: >"$T/told"
assert "orchctl restart" ctl restart
wait_orchd
assert "a restart: it serves again" wait_for 20 told READY=1
assert "the service manager heard of it" told RELOADING=1
assert_not "and of no stop" told STOPPING=1
assert_is "the parent is the same process" "$parent" "$(alive "$parent")"
assert_is "its sockets are the same" "$sockets" "$(inodes)"
assert_not "the engine is another" kill -0 "$engine"
adopted "a restart"
kill $manager
unset NOTIFY_SOCKET

kill_part engine
sleep 0.5
wait_orchd || bail "there is a new engine"
adopted "the engine's death"

kill_part parent
wait "$ORCHD_PID" 2>/dev/null
start_orchd
adopted "the parent's death"

scene_ends
scene_held "all of them"
assert_is "the agent was started once" 1 "$(runs_of "$slow" agent developer)"
assert_has "its log went on to its end" "the agent goes on" \
    "$(ctl log "$agent")"
stop_orchd

# Told to do without them, orchd knew no process by its pidfd's inode.
[ -z "${ORCHD_NO_PIDFD_INODE:-}" ] ||
    assert_is "no inode of a pidfd was seen" 0 "$(sqlite3 -readonly \
	"$T/state/orchd.db" "SELECT count(*) FROM run WHERE ident NOT LIKE \
	'% ino=0 %'")"

# A shutdown: the agent and the worker with its gate end, the hook does not.
scene
runners=$(children runner)
held=$(cat "$T/production/pid")
kill $travellers
wait $travellers 2>/dev/null
began=$(date +%s)
stop_orchd
took=$(($(date +%s) - began))
assert "a shutdown does not wait for the hook ($took s)" [ $took -lt 10 ]
# Who has been told that his result is on record still tidies up.
assert "it ends all but the hook's wrapper" wait_for 5 left 1
assert "the hook goes on" kill -0 "$held"
start_orchd
travellers=
for id in $slow $edged $hooked; do
	travel "$id" 60 &
	travellers="$travellers $!"
done
scene_ends
scene_held "a shutdown"
assert_is "the agent was started twice" 2 "$(runs_of "$slow" agent developer)"
finish
