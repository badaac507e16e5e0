#!/bin/sh
# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.
#
# Starting where it must not: a clear refusal, and the data stay as they are.

. "$(dirname "$0")/lib.sh"

sum()
{
	cksum <"$T/state/orchd.db" 2>&1
}

# refused NAME TEXT [FILE]: orchd ends at once, with status 1 and that text.
refused()
{
	timeout 20 "$ORCHD" -f "${3:-$T/orchd.conf}" >"$T/said" 2>&1 </dev/null
	got=$?
	if [ $got -eq 1 ] && grep -qiE -- "$2" "$T/said"; then
		pass "$1"
	else
		fail "$1"
		note "wanted: $2; status $got and:"
		head -n 5 "$T/said" | sed 's/^/#   /'
	fi
}

# untouched NAME TEXT: refused, and the database is what it was.
untouched()
{
	before=$(sum)
	refused "$1" "$2"
	assert_is "... and it was not touched" "$before" "$(sum)"
	rm -rf "$T/state/orchd.db"
	cp "$T/good.db" "$T/state/orchd.db"
}

# bytes OFFSET COUNT: random ones, in the database.
bytes()
{
	dd if=/dev/urandom of="$T/state/orchd.db" bs=1 seek="$1" count="$2" \
	    conv=notrunc 2>/dev/null
}

begin
make_project
write_conf

# --- configurations ----------------------------------------------------------

sed 's/forge local/forge locale/' "$T/orchd.conf" >"$T/wrong.conf"
line=$(grep -n 'forge locale' "$T/wrong.conf" | cut -d: -f1)
assert_not "a wrong configuration is refused by -n" \
    "$ORCHD" -n -f "$T/wrong.conf"
refused "a wrong configuration: file and line are named" \
    "wrong.conf:$line: " "$T/wrong.conf"
refused "a missing configuration is named" "none.conf" "$T/none.conf"
mkfifo "$T/fifo.conf"
refused "a fifo is no configuration" "fifo.conf: is not a regular file" \
    "$T/fifo.conf"
refused "a folder is no configuration" "is a directory" "$T/bin"
head -c 3000 /dev/urandom >"$T/bytes.conf"
refused "random bytes are no configuration" "bytes.conf" "$T/bytes.conf"
cp "$T/orchd.conf" "$T/open.conf" && chmod 666 "$T/open.conf"
refused "a configuration that all can write is refused" \
    "open.conf: can be written by others" "$T/open.conf"
sed "s,$T/run,$T/$(printf '%0100d' 1)," "$T/orchd.conf" >"$T/long.conf"
refused "a socket's path that is too long: its length and the limit" \
    "long.conf:2: .* bytes, a socket's may have 107" "$T/long.conf"
{
	cat "$T/orchd.conf"
	echo "listen webhook on 127.0.0.1 port $PORT"
	echo "webhook gitea secret file \"$T/hook.secret\""
} >"$T/hook.conf"
line=$(($(wc -l <"$T/hook.conf")))
refused "a missing secret: file and line" \
    "hook.conf:$line: .*hook.secret.*No such file" "$T/hook.conf"
: >"$T/hook.secret"
refused "an empty secret" "hook.secret\" is empty" "$T/hook.conf"
rm "$T/hook.secret" && mkfifo "$T/hook.secret"
refused "a fifo for a secret" "hook.secret\" is not a regular file" \
    "$T/hook.conf"
sed 's/reaper_max_running_s .*/reaper_max_running_s 40/' "$T/orchd.conf" \
    >"$T/short.conf"
refused "a ceiling below the sum of limits: the numbers" \
    "reaper_max_running_s.*40" "$T/short.conf"
assert_not "of all this nothing was made" test -e "$T/state"

# --- folders and addresses ---------------------------------------------------

mkdir "$T/closed" && chmod 555 "$T/closed"
sed "s,$T/state,$T/closed/state," "$T/orchd.conf" >"$T/closed.conf"
refused "a folder that cannot be made" "closed/state: Permission denied" \
    "$T/closed.conf"
echo x >"$T/state"
refused "a file in the place of the state folder" "state: Not a directory"
rm "$T/state" && mkdir "$T/elsewhere" && ln -s "$T/elsewhere" "$T/state"
refused "a symbolic link in its place" "state is a symbolic link"
assert_is "nothing was put where it leads to" "" "$(ls "$T/elsewhere")"
rm "$T/state"
{ cat "$T/orchd.conf"; echo "listen page on 127.0.0.1 port $PORT"; } \
    >"$T/port.conf"
perl -MIO::Socket::INET -e 'my $s = IO::Socket::INET->new(Listen => 1,
    LocalAddr => "127.0.0.1:$ARGV[0]") or die; sleep 60' "$PORT" "$T" &
taker=$!
wait_for 5 grep -qi "$(printf ':%04X ' "$PORT")" /proc/net/tcp
refused "a port in use: file, line and port" \
    "port.conf:[0-9]*: listen on 127.0.0.1 port $PORT: Address already" \
    "$T/port.conf"
kill $taker
wait $taker 2>/dev/null

# --- a second orchd ----------------------------------------------------------

start_orchd
id=$(submit "Greeting becomes welcome")
wait_asked "$id" 30
refused "a second orchd on the same state is refused, with the first's pid" \
    "another orchd, pid $ORCHD_PID,? holds $T/state/lock"
sed "s,$T/state,$T/state2," "$T/orchd.conf" >"$T/second.conf"
refused "one on the same runtime folder too" \
    "pid $ORCHD_PID,? holds $T/run/lock" "$T/second.conf"
assert "the first goes on" ctl status
stop_orchd

# --- databases ---------------------------------------------------------------

cp "$T/state/orchd.db" "$T/good.db"
assert_says "orchd -C finds a good database sound" 0 sound \
    "$ORCHD" -C "$T/state/orchd.db"
sqlite3 "$T/state/orchd.db" 'PRAGMA user_version = 9999' ||
    bail "sqlite3 sets the version"
untouched "a database of a newer version is refused" \
    "version 9999.*start the newer orchd"
bytes 0 64
untouched "a database with another head is refused" "not a database"
bytes 4096 64
assert_not "orchd -C finds it damaged" "$ORCHD" -C "$T/state/orchd.db"
untouched "flipped bytes are refused" "is damaged .*restore a backup"
truncate -s 65536 "$T/state/orchd.db"
untouched "half a database is refused" "malformed.*restore a backup"
truncate -s 50 "$T/state/orchd.db"
untouched "a piece of a database is refused" "restore a backup|not a database"
: >"$T/state/orchd.db"
untouched "an empty database beside earlier work is refused" \
    "missing or empty, but .* holds the logs"
rm "$T/state/orchd.db"
untouched "a missing database beside earlier work is refused" \
    "missing or empty, but .* holds the logs"
rm "$T/state/orchd.db"
sqlite3 "$T/state/orchd.db" 'CREATE TABLE x (a)'
untouched "a database of something else is refused" "something else than orchd"
rm "$T/state/orchd.db" && ln -s "$T/good.db" "$T/state/orchd.db"
untouched "a symbolic link to a database is refused" "not a regular file"
rm "$T/state/orchd.db" && mkfifo "$T/state/orchd.db"
refused "a fifo in its place is refused" "not a regular file"
rm "$T/state/orchd.db" && cp "$T/good.db" "$T/state/orchd.db"
chmod 666 "$T/state/orchd.db"
untouched "a database that all can write is refused" "mode 0666.*chmod 600"
chmod 400 "$T/state/orchd.db"
untouched "a database that cannot be written is refused" \
    "mode 0400.*chmod 600"
chmod 500 "$T/state"
refused "a state folder that cannot be written is refused" \
    "cannot be written .mode 0500"
assert_is "its mode stays" 500 "$(stat -c %a "$T/state")"
chmod 700 "$T/state"

start_orchd
assert_is "with its own database it goes on where it was" analysis \
    "$(stage_of "$id")"
assert "the database holds its invariants" ctl check
finish
