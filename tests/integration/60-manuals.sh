#!/bin/sh
# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.
#
# What the manuals and tests/requirements.md say is so: the example of
# orchd.conf(5) is accepted, and each test that is named exists.

. "$(dirname "$0")/lib.sh"

begin

# The first literal display of a page's EXAMPLES, as a reader sees it.
example()
{
	awk '/^\.Sh EXAMPLES/ { on = 1 }
	    on && /^\.Ed/ { exit }
	    show { gsub(/\\e/, "\\"); print }
	    on && /^\.Bd -literal/ { show = 1 }' "$1"
}

home=$T/home
mkdir -p "$home/agents" "$home/bin" "$home/src/tally" || exit 2
for f in agents/analyst agents/architect agents/reviewer agents/tester \
    bin/deploy-tally; do
	printf '#!/bin/sh\n' >"$home/$f" && chmod 755 "$home/$f"
done
echo key-of-the-example >"$home/anthropic.key"
chmod 600 "$home/anthropic.key"
example "$TOP/man/orchd.conf.5" | sed "s,/home/me,$home,g" \
    >"$home/orchd.conf"
assert_is "orchd.conf(5) has a whole example" 1 \
    "$(grep -c '^project ' "$home/orchd.conf")"
assert_says "orchd accepts it" 0 "configuration OK" \
    "$ORCHD" -n -f "$home/orchd.conf"
"$ORCHD" -nv -f "$home/orchd.conf" >"$T/printed.conf" 2>"$T/err"
assert_has "and understands its command" "deploy-tally\" \"$home\"" \
    "$(cat "$T/printed.conf")"
assert "and what it prints is a configuration" \
    "$ORCHD" -n -f "$T/printed.conf"
sed 's/forge local/forge locale/' "$home/orchd.conf" >"$home/wrong.conf"
assert_says "a fault in it is named by file and line" 1 "wrong.conf:$(
    grep -n 'forge locale' "$home/wrong.conf" | cut -d: -f1): project \"tally\"" \
    "$ORCHD" -n -f "$home/wrong.conf"

# The same of orchd-remote(7), with its files of tokens.
mkdir -p "$home/secrets" && printf '#!/bin/sh\n' >"$home/agents/developer" &&
    chmod 755 "$home/agents/developer"
for f in forge.hook plane.hook telegram forge.read forge.write plane.key; do
	(umask 077 && echo "$f of the example" >"$home/secrets/$f")
done
example "$TOP/man/orchd-remote.7" | sed "s,/home/me,$home,g" \
    >"$home/remote.conf"
assert_is "orchd-remote(7) has a whole example" 1 \
    "$(grep -c 'tracker plane' "$home/remote.conf")"
"$ORCHD" -n -f "$home/remote.conf" >"$T/said" 2>&1
assert_is "and orchd accepts it, without a warning" "0 configuration OK" \
    "$? $(cat "$T/said")"

# The same of orchd-agents(7); its programs need not be installed here.
for f in openai.key gemini.key; do
	(umask 077 && echo "$f of the example" >"$home/$f")
done
example "$TOP/man/orchd-agents.7" | sed "s,/home/me,$home,g" \
    >"$home/agents.conf"
assert_is "orchd-agents(7) has each program" "claude codex gemini opencode" \
    "$(sed -n 's/^	result //p' "$home/agents.conf" | sort -u | xargs)"
"$ORCHD" -n -f "$home/agents.conf" >"$T/said" 2>&1
assert_is "and orchd accepts it, with programs that are missing at most" \
    "0 configuration OK" \
    "$? $(grep -v 'is in none of /usr/local/bin' "$T/said")"

# tests/requirements.md: | R-1 | `file: name`, `file` | state | what is missing |
list=$TOP/tests/requirements.md
grep '^| R-' "$list" >"$T/rows"
assert_is "each requirement has one row" "" \
    "$(cut -d'|' -f2 "$T/rows" | sort | uniq -d)"
assert_is "each row has a state" "" \
    "$(awk -F'|' '$4 !~ /^ (proven|partly|planned) $/ { print $2 }' "$T/rows")"
assert_is "what is proven or partly names a test" "" \
    "$(awk -F'|' '$4 !~ /planned/ && $3 !~ /`/ { print $2 }' "$T/rows")"
assert_is "what is not proven says what is missing" "" \
    "$(awk -F'|' '$4 !~ /proven/ && $5 !~ /[a-z]/ { print $2 }' "$T/rows")"
: >"$T/missing"
cut -d'|' -f3 "$T/rows" | grep -o '`[^`]*`' | tr -d '`' | sort -u |
    while IFS=: read -r file name; do
	path=$(find "$TOP/tests" -name "$file" -type f | head -n 1)
	name=${name# }
	if [ -z "$path" ]; then
		echo "$file"
	elif [ -n "$name" ] && ! grep -qF -- "$name" "$path"; then
		echo "$file: $name"
	fi
done >"$T/missing"
assert_is "each test that is named exists" "" "$(cat "$T/missing")"
finish
