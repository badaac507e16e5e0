#!/bin/sh
# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.
#
# conf.sh: what `orchd -n` says of tests/conf/NAME.conf.  NAME.ok beside it:
# it is accepted, and the printed form (-nv) parses again to the same.
# NAME.err: it is refused, and each line of NAME.err is part of the message.
# NAME.warn: it is accepted, and each line of NAME.warn is part of the message.

cd "$(dirname "$0")/.." || exit 2
orchd=${ORCHD_BUILD:-build}/orchd/orchd
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT

# says NAME: the name of the case and why it fails, if it does.
accepted()
{
	"$orchd" -nv -f "$1" >"$tmp/1.conf" 2>"$tmp/err" || {
		echo "refused: $(head -n 1 "$tmp/err")"
		return
	}
	"$orchd" -nv -f "$tmp/1.conf" >"$tmp/2.conf" 2>"$tmp/err" || {
		echo "the printed form is refused: $(head -n 1 "$tmp/err")"
		return
	}
	cmp -s "$tmp/1.conf" "$tmp/2.conf" ||
	    echo "the printed form changes when it is read again"
}

# said FILE: what of its lines the message lacks.
said()
{
	while read -r line; do
		grep -qF -- "$line" "$tmp/out" && continue
		echo "\"$line\" is not said, but: $(head -n 1 "$tmp/out")"
		return
	done <"$1"
}

refused()
{
	if "$orchd" -n -f "$1" >"$tmp/out" 2>&1; then
		echo "accepted"
		return
	fi
	said "${1%.conf}.err"
}

warned()
{
	"$orchd" -n -f "$1" >"$tmp/out" 2>&1 || {
		echo "refused: $(head -n 1 "$tmp/out")"
		return
	}
	said "${1%.conf}.warn"
}

n=0
for c in tests/conf/*.conf etc/orchd.conf.example; do
	[ -f "$c" ] || continue
	n=$((n + 1))
	case $c in
	*.example) why=$(accepted "$c") ;;
	*) if [ -f "${c%.conf}.ok" ]; then
		why=$(accepted "$c")
	   elif [ -f "${c%.conf}.err" ]; then
		why=$(refused "$c")
	   elif [ -f "${c%.conf}.warn" ]; then
		why=$(warned "$c")
	   else
		continue
	   fi ;;
	esac
	if [ -z "$why" ]; then
		echo "ok $n - $c"
	else
		echo "not ok $n - $c: $why"
	fi
done
