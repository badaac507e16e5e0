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
	cksum <"$T/state/orchd.db"
}

# refused NAME TEXT: orchd ends at once, with that text.
refused()
{
	timeout 20 "$ORCHD" -f "${3:-$T/orchd.conf}" >"$T/said" 2>&1 </dev/null
	got=$?
	if [ $got -ne 0 ] && [ $got -ne 124 ] &&
	    grep -qiE -- "$2" "$T/said"; then
		pass "$1"
	else
		fail "$1"
		note "wanted: $2; status $got and:"
		head -n 5 "$T/said" | sed 's/^/#   /'
	fi
}

begin
make_project
write_conf

sed 's/forge local/forge locale/' "$T/orchd.conf" >"$T/wrong.conf"
line=$(grep -n 'forge locale' "$T/wrong.conf" | cut -d: -f1)
assert_not "a wrong configuration is refused by -n" \
    "$ORCHD" -n -f "$T/wrong.conf"
refused "a wrong configuration: file and line are named" \
    "wrong.conf:$line: " "$T/wrong.conf"
assert_not "nothing was made" test -e "$T/state"
refused "a missing configuration is named" "none.conf" "$T/none.conf"

start_orchd
id=$(submit "Greeting becomes welcome")
wait_asked "$id" 30
refused "a second orchd on the same state is refused" \
    "runs|another|lock|already"
assert "the first goes on" ctl status
stop_orchd

before=$(sum)
cp "$T/state/orchd.db" "$T/good.db"
sqlite3 "$T/state/orchd.db" 'PRAGMA user_version = 9999' ||
    bail "sqlite3 sets the version"
before=$(sum)
refused "a database of a newer version is refused" "version|newer"
assert_is "it was not touched" "$before" "$(sum)"

cp "$T/good.db" "$T/state/orchd.db"
dd if=/dev/urandom of="$T/state/orchd.db" bs=1 seek=0 count=64 \
    conv=notrunc 2>/dev/null
before=$(sum)
refused "a corrupt database is refused" "not a database|corrupt|malformed"
assert_is "it was not touched either" "$before" "$(sum)"

cp "$T/good.db" "$T/state/orchd.db"
chmod 500 "$T/state"
refused "a state folder that cannot be written is refused" \
    "permission|writable|cannot"
chmod 700 "$T/state"

start_orchd
assert_is "with its own database it goes on where it was" analysis \
    "$(stage_of "$id")"
assert "the database holds its invariants" ctl check
assert_says "orchctl says what is not running" 2 "no orchd at" \
    "$ORCHCTL" -s "$T/none.sock" status
assert_says "what is not asked for is refused" 1 "$id" ctl confirm "$id"
finish
