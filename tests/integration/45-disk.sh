#!/bin/sh
# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.
#
# A full disk: what cannot be stored is refused in words, what was accepted
# is kept, and with room again all goes on by itself.
#
# The disk is a small tmpfs in namespaces of this test's own: first as root of
# one that may mount, then as oneself again.

DISK=${ORCHD_TEST_DISK:-}
if [ -z "$DISK" ]; then
	DISK=$(mktemp -d "${TMPDIR:-/tmp}/orchd-disk.XXXXXX") || exit 2
	ORCHD_TEST_DISK=$DISK
	export ORCHD_TEST_DISK
	unshare -Urm sh -c '
	    mount -t tmpfs -o size=12m,mode=700 tmpfs "$1" || exit 99
	    exec unshare -U --map-user="$2" --map-group="$3" "$0"' \
	    "$0" "$DISK" "$(id -u)" "$(id -g)"
	rc=$?
	rmdir "$DISK"
	[ $rc -ne 99 ] || {
		echo "ok 1 - # SKIP no namespace to mount a small disk in"
		echo "1..1"
		rc=0
	}
	exit $rc
fi

. "$(dirname "$0")/lib.sh"

# fill: until not a byte is free.
fill()
{
	dd if=/dev/zero of="$DISK/ballast" bs=64k 2>/dev/null
	dd if=/dev/zero of="$DISK/ballast2" bs=1k 2>/dev/null
}

drain()
{
	rm -f "$DISK/ballast" "$DISK/ballast2"
}

count_tasks()
{
	ctl -j status -a | tr -d '\n' | sed 's/}, *{/}\n{/g' |
	    grep -c '"stage_seq":'
}

# hand_in N: a request of 60 KiB; what was said is in $T/said.
hand_in()
{
	ctl -q submit -p sample -t "Large$1 becomes large" \
	    -F "$T/large" >"$T/said" 2>&1
}

begin
make_project
GLOBAL="state \"$DISK/state\"
max_attempts 1
transient_max 20"
write_conf
head -c 61440 /dev/zero | tr '\0' x >"$T/large"
start_orchd
before=$(pid_of engine)
a=$(submit "Greeting becomes welcome")
wait_asked "$a" 30
tasks=$(count_tasks)

fill
n=0
while hand_in $n && [ $n -lt 300 ]; do
	n=$((n + 1))
done
assert_has "a request that cannot be stored is refused: why and what then" \
    "disk full" "$(cat "$T/said")"
hand_in again
assert_is "the exit status says so" 1 $?
assert "what is stored can be read" ctl show "$a"
assert_is "what was taken is there, what was refused is not" \
    $((tasks + n)) "$(count_tasks)"
ctl approve "$a" >"$T/said" 2>&1
sleep 2
assert_is "the engine lives" "$before" "$(pid_of engine)"

drain
assert "with room again it takes requests" wait_for 10 hand_in more
assert_is "it took that one once" $((tasks + n + 1)) "$(count_tasks)"
assert "the item comes to done by itself" travel "$a" 40
assert_is "it is still the first engine" "$before" "$(pid_of engine)"
assert "the database holds its invariants" ctl check

# No room for a run, and none for what it hands in: not the agent's fault.
b=$(ctl -j status | tr -d '\n' | sed 's/}, *{/}\n{/g' |
    grep -v '"stage": *"created"' | json id)
assert "the next one comes to its question" wait_asked "$b" 30
chmod 500 "$DISK/state/ws"
ctl -q approve "$b"
wait_for 10 sh -c "timeout 5 '$ORCHCTL' -s '$T/run/control.sock' show $b |
    grep -qi 'denied'"
assert_has "without a workspace: why" "Permission denied" "$(ctl show "$b")"
assert_not "it is not parked for that" is_parked "$b"
fill
sleep 1
chmod 700 "$DISK/state/ws"
sleep 1
drain
assert "with room again it comes to done" travel "$b" 40

# Start with a full disk.
stop_orchd
fill
sum=$(cksum <"$DISK/state/orchd.db")
: >"$T/orchd.log"
start_orchd
assert "on a full disk it starts and shows what it has" ctl show "$a"
hand_in full
assert_has "it takes nothing, and says why" "disk full" "$(cat "$T/said")"
assert_is "the log says so, once" 1 \
    "$(grep -c "the disk is full: nothing can be stored" "$T/orchd.log")"
assert_is "the database was not touched" "$sum" \
    "$(cksum <"$DISK/state/orchd.db")"
drain
assert "with room again it takes requests" wait_for 10 hand_in last
sleep 2
ctl -q cancel "$(ctl -j status | json id)"
assert "the log says that too" grep -q "writes work again" "$T/orchd.log"
assert_is "nothing was lost or taken twice" $((tasks + n + 2)) \
    "$(count_tasks)"
assert "the database holds its invariants still" ctl check
finish
