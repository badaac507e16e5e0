#!/bin/sh
# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.
#
# lint.sh: what a reader of the sources may rely on, each as one test:
# calls that are never used, who includes whom, sizes, licences, manuals.

set -u
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/.." || exit 2
n=0 failed=0

programs="orchd webhookd reaperd reconciled finalizerd runner orchctl"
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT

for d in $programs libcommon proto tests etc/demo; do
	find "$d" -name '*.[chy]' -o -name '*.def' 2>/dev/null
done | sort >"$tmp/all"
grep -v '^etc/demo/' "$tmp/all" >"$tmp/c"
grep -v '^tests/' "$tmp/c" >"$tmp/own"

# The sources of $1 without comments and strings, as FILE:LINE:TEXT.
bare()
{
	xargs awk '
	    FNR == 1 { in_comment = 0 }
	    {
		s = $0; out = ""
		while (s != "") {
			if (in_comment) {
				i = index(s, "*/")
				if (i == 0) { s = ""; break }
				s = substr(s, i + 2); in_comment = 0
				continue
			}
			if (match(s, /"([^"\\]|\\.)*"|\/\*/) == 0) {
				out = out s; break
			}
			out = out substr(s, 1, RSTART - 1)
			t = substr(s, RSTART, RLENGTH)
			s = substr(s, RSTART + RLENGTH)
			if (t == "/*") in_comment = 1; else out = out "\"\""
		}
		print FILENAME ":" FNR ":" out
	    }' <"$1"
}

# none NAME: $tmp/faults lists the faults; there should be none.
none()
{
	n=$((n + 1))
	if [ ! -s "$tmp/faults" ]; then
		echo "ok $n - $1"
		return
	fi
	failed=$((failed + 1))
	echo "not ok $n - $1: $(wc -l <"$tmp/faults" | tr -d ' ') times"
	head -n 20 "$tmp/faults" | sed 's/^/#   /'
}

bare "$tmp/c" >"$tmp/bare"
banned='gets|strcpy|strcat|sprintf|vsprintf|strncpy|strtok|atoi|atol'
banned="$banned|system|popen|alloca|mktemp|tmpnam|rand|signal"
grep -E "(^|[^A-Za-z0-9_>.])($banned)[[:space:]]*\(" "$tmp/bare" >"$tmp/faults"
none "no call that is never used"
grep -E ':[^:]*//' "$tmp/bare" >"$tmp/faults"
none "no // comments"

{
	grep -n 'SET stage\b' orchd/statements.def | tail -n +2
	grep -nw Q_TASK_MOVE orchd/*.c | grep -v '^orchd/transition\.c:'
} >"$tmp/faults"
none "one statement moves a task, and one function runs it"
{
	grep -n 'MUTANT_' Makefile | grep -vE '^[0-9]+:(	@echo .*|	\$\(Q\)\$\$\(CC\) .* )-DMUTANT_\$\(1\)'
	grep -nE 'define[[:space:]]+MUTANT_NO_' $(cat "$tmp/own")
} >"$tmp/faults"
none "a rule is taken away for a test of it alone"
xargs grep -nE 'include.*sqlite3\.h' <"$tmp/own" | grep -v '^orchd/' >"$tmp/faults"
none "only orchd includes SQLite"
for p in $programs; do
	xargs grep -nE "#include \"$p/" <"$tmp/own" | grep -v "^$p/"
done >"$tmp/faults"
none "no program includes another"
grep -E '^(libcommon|proto)/' "$tmp/own" | xargs grep -nE '#include "' |
    grep -vE '#include "(libcommon|proto)/' |
    grep -vE ':#include "[a-z_0-9]+\.(h|def)"' >"$tmp/faults"
none "libcommon and proto include nobody above them"
grep -E '^proto/' "$tmp/own" | xargs grep -nE '#include "libcommon/' >"$tmp/faults"
none "proto does not need libcommon"

while read -r f; do
	head -n 25 "$f" | grep -q 'Copyright (c)' || echo "$f"
done <"$tmp/all" >"$tmp/faults"
none "each source carries its licence"
while read -r f; do
	lines=$(wc -l <"$f")
	[ "$lines" -le 900 ] || echo "$f: $lines lines"
done <"$tmp/c" >"$tmp/faults"
none "no file is longer than 900 lines"

# In this style a function ends at the first } in column one.
awk -F: '{ print }' "$tmp/bare" | awk '
    {
	p = index($0, ":"); file = substr($0, 1, p - 1)
	rest = substr($0, p + 1); p = index(rest, ":")
	line = substr(rest, 1, p - 1); text = substr(rest, p + 1)
	if (text ~ /^[A-Za-z_].*\(/ && text !~ /;/) { name = text; from = line }
	if (text ~ /^\{/) { start = line }
	if (text ~ /^\}/ && start > 0) {
		if (line - start > 91)
			print file ":" start ": " line - start - 1 " lines: " name
		start = 0
	}
    }' >"$tmp/faults"
none "no function is longer than 90 lines"

# The licence's lines apart, 80 columns with tabs of 8.
while read -r f; do
	expand "$f" | awk -v f="$f" 'length($0) > 80 { print f ":" NR }'
done <"$tmp/own" >"$tmp/faults"
none "no line is wider than 80 columns"

cat "$tmp/all" >"$tmp/text"
find etc man docs tests README.md Makefile -type f ! -name '*.[ch]' \
    ! -path 'tests/fixtures/*' ! -path tests/lint.sh 2>/dev/null \
    >>"$tmp/text"
unfinished='TO''DO|FIX''ME|X''XX'
xargs grep -nIE "(^|[^A-Za-z_])($unfinished)([^A-Za-z]|\$)" <"$tmp/text" |
    grep -vE 'XXXXXX|# TO''DO' >"$tmp/faults"
none "nothing is left to be done later"
grep -E '\.sh$|^etc/demo/(agents|hooks)/|^etc/rc' "$tmp/text" |
    while read -r f; do
	sh -n "$f" 2>&1
done >"$tmp/faults"
none "each script parses"

for page in man/*.[1-9]; do
	[ -f "$page" ] || continue
	mandoc -Tlint -W style "$page" 2>/dev/null | grep -v 'referenced manual not found'
done >"$tmp/faults"
none "mandoc finds nothing in the manual pages"

# What nothing reads: an option without effect, which the manual has to name.
# conf.c's question about transition leases counts when somebody asks it.
inert()
{
	readers=$(ls orchd/*.c | grep -vE '/(options|conf|conf_check|conf_limits|query.*)\.c$')
	grep -qE 'conf_transition_lease_on\(' $readers &&
	    asked='transition_lease_(enabled|repos)' || asked='^$'
	tr -s '\n\t ' ' ' <orchd/options.def |
	    grep -o 'ORCH_OPTION([A-Z_0-9]*, [a-z_0-9]*,' |
	    sed 's/.*(//; s/,//g; /^ID /d' | while read -r id name; do
		case $name in
		agent_timeout_s|reconcile_grace_s|merge_gate_*) continue ;;
		esac
		echo "$name" | grep -qE "$asked" && continue
		grep -qw "OPT_$id" $readers && continue
		grep -qF "\"$name\"" webhookd/*.c reaperd/*.c \
		    reconciled/*.c finalizerd/*.c && continue
		echo "$name"
	done
}
inert | sort >"$tmp/inert"
sed -n '/^\.Sh CAVEATS/,/^So it is with/s/^\.Ic \([a-z_]*_[a-z_]*\).*/\1/p' \
    man/orchd.conf.5 | sort >"$tmp/named"
diff "$tmp/inert" "$tmp/named" | grep '^[<>]' >"$tmp/faults"
none "orchd.conf(5) names each option that nothing reads"

# A file of this tree that a document names is there; a module is its header.
grep -ohE '`(etc|docs|tests|man|proto|[a-z]+d|runner|orchctl|libcommon)/[A-Za-z0-9_./-]*`' \
    README.md docs/*.md docs/decisions/*.md | tr -d '`' | sort -u |
    while read -r f; do
	[ -e "$f" ] || [ -e "$f.h" ] || echo "$f"
done >"$tmp/faults"
none "each file that a document names is there"

echo "1..$n"
[ "$failed" -eq 0 ]
