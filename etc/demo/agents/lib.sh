# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.
#
# What the scripted agents of the demo share.  An agent starts in its clone,
# on its branch; ORCH_TASK_FILE tells it what to do.

set -eu
: "${ORCH_TASK_FILE:?} ${ORCH_WORK_ITEM:?} ${ORCH_ROLE:?} ${ORCH_HEAD:?}"
LC_ALL=C
export LC_ALL

ID=$ORCH_WORK_ITEM
DIR=docs/work-items/$ID
ROUND=${ORCH_ROUND:-0}

# One line for the log, at a pace that a person can follow.
say()
{
	echo "$ORCH_ROLE: $*"
	sleep "${TALLY_AGENT_PAUSE:-0.3}"
}

fail()
{
	echo "$ORCH_ROLE: $*" >&2
	exit 1
}

# task_key KEY: a value of the task file's front matter.
task_key()
{
	awk -v key="$1" '
	    NR == 1 && /^---/ { head = 1; next }
	    head && /^(---|\.\.\.)/ { exit }
	    head && index($0, key ":") == 1 {
		v = substr($0, length(key) + 2)
		gsub(/^[ \t"]+|[ \t"]+$/, "", v)
		print v
		exit
	    }' "$ORCH_TASK_FILE"
}

# task_section NAME: the quoted text below "## NAME", quote marks taken away.
task_section()
{
	awk -v name="## $1" '
	    $0 == name { in_it = 1; next }
	    in_it && /^## / { exit }
	    in_it && sub(/^> ?/, "") { print }' "$ORCH_TASK_FILE"
}

# The commit where this branch left the target.
task_base()
{
	target=$(task_key target)
	git merge-base HEAD "origin/${target:-main}" 2>/dev/null ||
	    task_key base
}

# The acceptance criteria, one a line: "AC-1 text".
criteria()
{
	sed -n 's/^- \(AC-[0-9]*\): /\1 /p' "$DIR/03-acceptance-criteria.md"
}

# Put standard input below, above or in the place of the first line of a file
# that matches: FILE PATTERN.
insert_after() { edit "$1" "$2" after; }
insert_before() { edit "$1" "$2" before; }
replace_line() { edit "$1" "$2" instead; }

edit()
{
	cat >"$TMPDIR/edit.$$"
	EDIT_PATTERN=$2 EDIT_WHERE=$3 EDIT_NEW=$TMPDIR/edit.$$ awk '
	    BEGIN {
		pattern = ENVIRON["EDIT_PATTERN"]
		where = ENVIRON["EDIT_WHERE"]
		new = ENVIRON["EDIT_NEW"]
	    }
	    !done && $0 ~ pattern {
		if (where == "after")
			print
		while ((getline line < new) > 0)
			print line
		if (where == "before")
			print
		done = 1
		next
	    }
	    { print }
	    END { exit !done }' "$1" >"$TMPDIR/whole.$$" ||
	    fail "$1: no line matches $2; the code is not what I know"
	cat "$TMPDIR/whole.$$" >"$1"
	rm -f "$TMPDIR/edit.$$" "$TMPDIR/whole.$$"
}

TMPDIR=${TMPDIR:-/tmp}
mkdir -p "$DIR"
