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

begin
AFTER=landed
for METHOD in merge squash rebase; do
	PROJECT="merge-method $METHOD"
	scenario "$METHOD" 90 2
done
finish
