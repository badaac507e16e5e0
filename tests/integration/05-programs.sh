#!/bin/sh
# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.
#
# What every program that is installed is built like, and that its usage is
# what its manual's SYNOPSIS says.

. "$(dirname "$0")/lib.sh"

programs="orchd orchctl webhookd reaperd reconciled finalizerd runner"

begin
command -v readelf >/dev/null || bail "readelf is installed (binutils)"

# elf OPTION PROGRAM: what readelf says of it.
elf()
{
	LC_ALL=C readelf -W "$1" "$BUILD/$2/$2" 2>&1
}

hardened()
{
	p=$1
	elf -l "$p" >"$T/l" && elf -d "$p" >"$T/d" &&
	    elf --dyn-syms "$p" >"$T/s" || bail "readelf reads $p"
	assert "$p is position independent (PIE)" \
	    grep -q 'FLAGS_1.*PIE' "$T/d"
	assert "$p is a program, not a library" grep -q 'INTERP' "$T/l"
	assert "$p has a read-only GOT (RELRO)" grep -q 'GNU_RELRO' "$T/l"
	assert "$p binds everything at start (NOW)" \
	    grep -q 'FLAGS_1.*NOW' "$T/d"
	assert_has "$p has no executable stack (NX)" "RW " \
	    "$(grep GNU_STACK "$T/l" | sed 's/0x[0-9a-f]*//g')"
	assert_not "$p has no writable code" \
	    grep -qE 'LOAD.* (RWE|WE) ' "$T/l"
	assert "$p has stack canaries" grep -q '__stack_chk_fail' "$T/s"
	grep -q __asan_ "$T/s" ||
	    assert "$p has checked calls (FORTIFY)" grep -q '_chk@' "$T/s"
	assert_not "$p looks for libraries nowhere else (RPATH)" \
	    grep -qE 'R(UN)?PATH' "$T/d"
	assert_not "$p has no relocations in code" grep -q TEXTREL "$T/d"
	assert_is "$p is not set-uid or set-gid" "" \
	    "$(find "$BUILD/$p/$p" -perm /6000)"
	case $(grep 'NEEDED.*sqlite' "$T/d"):$p in
	:orchd) fail "orchd links SQLite" ;;
	:*) pass "$p does not link SQLite" ;;
	*:orchd) pass "orchd alone links SQLite" ;;
	*) fail "$p does not link SQLite" ;;
	esac
}

# The synopsis of a manual page, a blank between words, a line a form.
synopsis()
{
	mandoc -T ascii -O width=400 "$1" | sed 's/.\x08//g' |
	    awk '/^SYNOPSIS/ { on = 1; next } /^[A-Z]/ { on = 0 }
		on && NF { $1 = $1; print }'
}

# What the program prints: from "usage:", and what is indented like it.
usage()
{
	"$BUILD/$1/$1" -Z 2>&1 </dev/null | awk '
	    /^usage: / { on = 1; sub(/^usage: /, ""); print; next }
	    on && /^       [^ ]/ { $1 = $1; print; next }
	    { on = 0 }'
}

status_of_wrong_use()
{
	"$BUILD/$1/$1" -Z >/dev/null 2>&1 </dev/null
	echo $?
}

for p in $programs; do
	hardened "$p"
	assert_is "usage of $p is its manual's SYNOPSIS" \
	    "$(synopsis "$TOP/man/$p.8")" "$(usage "$p")"
	assert_is "a wrong option of $p is refused" 1 \
	    "$(status_of_wrong_use "$p")"
done
finish
