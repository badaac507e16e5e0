#!/bin/sh
# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.

# A forge that makes the commit which lands: two items, of which the second one
# is behind the target of the first, by merge, squash and rebase.  What is
# deployed is what the forge made, and its tree is the one that was tested.
#
# Then somebody's push lands between the test and the merge, twice: the tree of
# the first merge is red and of the second green.

. "${LIBDIR:-$(dirname "$0")}/lib.sh"
. "$LIBDIR/remote.sh"

forge_git()
{
	git --git-dir="$T/forge.d/team/sample.git" "$@"
}

# parents COMMIT: how many it has.
parents()
{
	forge_git rev-list --no-walk --parents "$1" | awk '{ print NF - 1 }'
}

# of_pull KEY FIELD: of the pull request of an item's branch.
of_pull()
{
	forge_says "[p['$2'] for p in repo['pulls']
	    if p['head'].startswith('feature/$1-')][0]"
}

# landed: what became of both items.
landed()
{
	for key in "$a" "$b"; do
		made=$(of_pull "$key" merge_commit)
		tested=$(of_pull "$key" head_id)
		assert_is "$METHOD: $key: deployed is what the forge made" \
		    "$key $made" "$(grep "^$key " "$T/production/calls" |
		    cut -d ' ' -f 1,2)"
		assert_is "$METHOD: $key: its tree is the tested one" \
		    "$(forge_git rev-parse "$tested^{tree}")" \
		    "$(forge_git rev-parse "$made^{tree}")"
		assert "$METHOD: $key: main has it" forge_git merge-base \
		    --is-ancestor "$made" main
		case $METHOD in
		merge)
			assert_is "$METHOD: $key: a merge of the tested head" \
			    "$tested" "$(forge_git rev-parse "$made^2")"
			;;
		squash)
			assert_is "$METHOD: $key: one commit of its own" 1 \
			    "$(parents "$made")"
			;;
		esac
	done
	[ "$METHOD" = merge ] ||
	    assert_is "$METHOD: no merge is in the history of main" "" \
	    "$(forge_git rev-list --merges main)"
	assert_is "$METHOD: nothing landed untested" 0 \
	    "$(grep -c 'alert lane_frozen' "$T/orchd.log")"
}

# pushed FILE WORD BRANCH: anna puts a word into a file of main and the words
# that it must hold beside it; prints her commit, which stands at the branch.
pushed()
{
	git_repo fetch -q "$ANNA" main && git_repo checkout -q FETCH_HEAD &&
	    echo "$2" >"$T/repo/$1" && echo fine >"$T/repo/tests/$1.t" &&
	    git_repo add -A && git_repo commit -q -m "$1 is $2" &&
	    git_repo push -q "$ANNA" "HEAD:refs/heads/$3" &&
	    git_repo rev-parse HEAD
}

# overtakes COMMIT: it lands just before the next merge.
overtakes()
{
	order "$FORGE" repo "{\"repo\": \"team/sample\",
	    \"overtake\": \"$1\"}" >/dev/null
}

# frozen TIMES: so often was the lane of merges, by now.
frozen()
{
	[ "$(grep -c 'alert lane_frozen' "$T/orchd.log")" -ge "$1" ]
}

waits_for_thaw()
{
	ctl why "$1" | grep -q "that of sample is frozen: $2 landed"
}

# untested: a tree that nobody tested lands, red and then green.
untested()
{
	PROJECT="merge-method squash"
	POLL=2
	start_servers
	remote_conf
	start_orchd
	ANNA=$(echo "$FORGE" | sed 's,//,//anna:anna-token@,')/team/sample.git
	red=$(pushed extra broken others)
	overtakes "$red"
	people
	a=$(new_item "Greeting becomes hi")
	b=$(new_item "Parting becomes bye")
	person "$a" state_id "To Analyse" >/dev/null
	person "$b" state_id "To Analyse" >/dev/null
	wait_for 90 frozen 1 || bail "untested: the lane is frozen"
	first=$(sed -n 's/.*alert lane_frozen: sample: \([^ ]*\) landed.*/\1/p' \
	    "$T/orchd.log" | head -n 1)
	other=$b
	[ "$first" = "$a" ] || other=$a
	assert "untested: red: it goes back to development" wait_for 60 \
	    sh -c "'$ORCHCTL' -s '$T/run/control.sock' history '$first' |
	    grep -q 'that tree is not what was tested'"
	assert "untested: red: the other one waits" wait_for 60 \
	    waits_for_thaw "$other" "$first"
	assert "untested: the push of before the merge is kept" forge_git \
	    merge-base --is-ancestor "$red" main
	fixed=$(pushed extra fine main)
	overtakes "$(pushed late fine others2)"
	assert_is "untested: red: nobody goes on before a person says so" "" \
	    "$(cat "$T/production/calls" 2>/dev/null)"
	assert_says "untested: it takes a reason to resume" 1 usage \
	    ctl resume merge
	assert "untested: a person resumes" ctl resume -p sample \
	    -r "extra is fine again" merge
	assert "untested: green: the other one goes on" wait_for 90 \
	    all_done "$other"
	people_end
	assert "untested: green: it was frozen until it was tested" frozen 2
	assert "untested: green: its landed tree was tested" grep -q \
	    "task $other: deploy-staging -> deploy.*landed tree tested after" \
	    "$T/orchd.log"
	assert "untested: green: that ended it" grep -q \
	    "task $other: what it landed is tested" "$T/orchd.log"
	assert "untested: nobody's push is lost" forge_git merge-base \
	    --is-ancestor "$fixed" main
	assert "untested: the database holds its invariants" ctl check
	remote_end
}

begin
AFTER=landed
for METHOD in merge squash rebase; do
	PROJECT="merge-method $METHOD"
	scenario "$METHOD" 90 2
done
untested
finish
