#!/bin/sh
# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.
#
# A flood of deliveries while receiver, engine and reconciled are killed again
# and again: each that got a 2xx is in the database once, and none twice.

. "$(dirname "$0")/lib.sh"

SECRET=the-secret-of-the-flood
WANTED=1500
LASTS=${LASTS:-20}

flood()
{
	what=$1
	shift
	python3 "$LIBDIR/flood.py" "$what" "$PORT" "$SECRET" "$@"
}

answers()
{
	[ "$(curl -s -o /dev/null -w '%{http_code}' --max-time 5 \
	    "http://127.0.0.1:$PORT/health")" = 200 ]
}

# copy_db: orchd keeps its database to itself.
copy_db()
{
	rm -rf "$T/copy" && mkdir "$T/copy" &&
	    cp "$T/state"/orchd.db* "$T/copy"
}

# commits: "salt n" of the journal as it is now.
commits()
{
	copy_db && python3 "$LIBDIR/flood.py" commits "$T/copy/orchd.db-wal"
}

# counted COUNT: commits that a burst of so many takes; 0 when the journal
# was begun anew meanwhile.
counted()
{
	set -- "$1" $(commits)
	flood burst "$T/burst" "$1" || return 1
	set -- "$1" "$2" "$3" $(commits)
	[ "$2" = "$4" ] && echo $(($5 - $3)) || echo 0
}

# kill_in_turn FILE: until FILE is there, one after the other; says which.
kill_in_turn()
{
	while :; do
		for who in webhookd engine reconciled; do
			sleep 1.1
			[ -e "$1" ] && return
			kill_part $who && echo $who >>"$T/kills"
		done
	done
}

begin
make_project
printf '%s\n' $SECRET >"$T/hook.secret"
printf 'a-token-that-nobody-asks-for\n' >"$T/token"
chmod 600 "$T/hook.secret" "$T/token"
GLOBAL="listen webhook on 127.0.0.1 port $PORT
webhook gitea secret file \"$T/hook.secret\""
# The forge is away: who is sent to look is not what is tried here.
PROJECT="forge gitea \"http://127.0.0.1:9\" repo \"team/sample\" read token file \"$T/token\" write token file \"$T/token\""
write_conf
start_orchd
wait_for 10 answers || bail "the receiver answers"

# Stored together: a commit, and its fsync, is for all that have come.
took=0
tries=0
while [ "$took" = 0 ] && [ $tries -lt 5 ]; do
	took=$(counted 30)
	tries=$((tries + 1))
done
note "30 deliveries at the same moment took $took commits"
assert "several deliveries share a commit" [ "$took" -gt 0 -a "$took" -le 15 ]
assert_is "and each has its answer" "$((30 * tries))" \
    "$(grep -c '^200 ' "$T/burst")"

# --- the flood ----------------------------------------------------------------

: >"$T/kills"
kill_in_turn "$T/over" &
killer=$!
t0=$(date +%s)
flood run "$T/codes" "$LASTS"
touch "$T/over"
wait $killer
spent=$(($(date +%s) - t0))
good=$(grep -c '^200 ' "$T/codes")
note "$good of $(wc -l <"$T/codes") got a 2xx in $spent s;" \
    "$(grep -c '^503 ' "$T/codes") a 503," \
    "$(grep -c '^000 ' "$T/codes") no answer"
for who in webhookd engine reconciled; do
	note "$who was killed $(grep -c "^$who\$" "$T/kills") times"
done
assert_is "each is killed in the flood, more than once" "3" \
    "$(sort "$T/kills" | uniq -d | wc -l)"
assert "deliveries get through all the same" [ "$good" -ge "$WANTED" ]
wait_for 20 answers || fail "all serve again"

copy_db
sqlite3 "$T/copy/orchd.db" "SELECT delivery FROM event" | sort >"$T/rows"
sed -n 's/^200 //p' "$T/codes" | sort >"$T/stored"
assert_is "none is in the database twice" "" "$(uniq -d "$T/rows" | head)"
assert_is "each that got a 2xx is there" "" \
    "$(comm -13 "$T/rows" "$T/stored" | head)"
sed 's/^[0-9]* //' "$T/codes" | sort >"$T/sent"
assert_is "and nothing that was not sent" "" \
    "$(grep '^flood-' "$T/rows" | comm -23 - "$T/sent" | head)"

# Who got no answer sends again, as people do by hand: then all is there once.
grep -v '^200 ' "$T/codes" | sed 's/^[0-9]* //' |
    flood again "$T/again"
assert_is "what is sent again is taken" "" \
    "$(grep -v '^200 ' "$T/again" 2>/dev/null | head)"
copy_db
sqlite3 "$T/copy/orchd.db" "SELECT delivery FROM event" |
    grep '^flood-' | sort >"$T/rows"
assert "then each is there, and once" cmp "$T/sent" "$T/rows"
assert_is "with a body of its own" "$(wc -l <"$T/sent")" \
    "$(sqlite3 "$T/copy/orchd.db" "SELECT count(DISTINCT sha256) FROM event
	WHERE delivery LIKE 'flood-%'")"
assert "the database holds its invariants" ctl check
stop_orchd
assert_is "the database is whole" ok \
    "$(sqlite3 "$T/state/orchd.db" 'PRAGMA integrity_check')"
finish
