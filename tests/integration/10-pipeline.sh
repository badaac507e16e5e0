#!/bin/sh
# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.
#
# An item travels through every stage on the embedded defaults; then items
# that are sent back by a reviewer, by a red test, by a tester, by a person.

. "$(dirname "$0")/lib.sh"

straight="created>analysis
analysis>architecture
architecture>development
development>review
review>testing
testing>deploy-staging
deploy-staging>deploy
deploy>done"

begin
make_project
GLOBAL="serial_limit 5
coverage_tolerance 1"
write_conf
start_orchd

a=$(submit "Greeting becomes welcome")
assert_is "the first item is S-1" S-1 "$a"
assert "S-1 comes to done" travel "$a" 60
assert_is "it has taken each stage once" "$straight" "$(moves "$a")"
assert_is "the target holds the change" welcome \
    "$(mirror show main:greeting 2>&1)"
assert_is "the deploy hook was called once" 1 "$(deploy_calls)"
assert_is "what was deployed is the head of the target" \
    "$(mirror rev-parse main)" "$(cat "$T/production/current" 2>/dev/null)"
assert_has "a record of the deploy is kept" "deploy_status: SUCCESS" \
    "$(mirror show "orchd/records:docs/work-items/S-1/14-deploy-log.md" 2>&1)"
assert_not "the target does not hold the record" \
    mirror cat-file -e main:docs/work-items/S-1/14-deploy-log.md
assert "the database holds its invariants" ctl check

# Every transition has an actor and a reason, every gate result a commit.
rows=$(ctl -j history "$a" | tr -d '\n' | sed 's/}, *{/}\n{/g' |
    grep -c '"to":')
whole=$(ctl -j history "$a" | tr -d '\n' | sed 's/}, *{/}\n{/g' |
    grep '"to":' | grep '"actor": *"[^"]' | grep '"epoch": *[0-9]' |
    grep -c '"reason": *"[^"]')
assert_is "each transition names actor, epoch and reason" "$rows" "$whole"
gates=$(ctl -j gate "$a" | tr -d '\n' | sed 's/}, *{/}\n{/g' |
    grep -c '"verdict":')
named=$(ctl -j gate "$a" | tr -d '\n' | sed 's/}, *{/}\n{/g' |
    grep '"verdict":' | grep -c '"commit": *"[0-9a-f]\{40\}"')
assert_is "each gate result names the commit it judged" "$gates" "$named"

b=$(submit "Parting becomes goodbye" "agent reviewer: once")
assert "an item that the reviewer sends back comes to done" travel "$b" 60
assert_has "it went back to development" "review>development" "$(moves "$b")"
assert_is "it used one round" 1 "$(task_field "$b" round)"

c=$(submit "Thanks becomes merci" "agent developer: red")
assert "an item with a red test comes to done" travel "$c" 60
assert_is "the red test moved it nowhere" "$straight" "$(moves "$c")"
assert_is "the developer ran twice" 2 "$(ctl -j show "$c" | tr -d '\n' |
    sed 's/}, *{/}\n{/g' | grep '"kind": *"agent"' |
    grep -c '"role": *"developer"')"

d=$(submit "Colour becomes blue" "agent tester: bad")
wait_asked "$d" 20
assert "a person rejects the analysis" ctl reject -m "say which blue" "$d"
end=$(($(date +%s) + 60))
until is_parked "$d" || [ "$(date +%s)" -gt $end ]; do
	asked "$d" check_analysis_approved &&
	    ctl -q approve "$d" >/dev/null 2>&1
	sleep 0.2
done
assert "after three rounds the item is parked" is_parked "$d"
assert_is "it went back three times and no more" 3 \
    "$(moves "$d" | grep -c "^testing>development")"
assert_has "why says that it is parked" parked "$(ctl why "$d")"
assert_not "a parked item cannot be confirmed" ctl confirm "$d"
assert "a person lets it go on" ctl retry "$d"
assert_not "it is no longer parked" is_parked "$d"
assert "a person ends it" ctl cancel "$d"
assert "it is cancelled" wait_stage "$d" cancelled 20
assert_not "its branch is gone" sh -c "git --git-dir='$T/state/mirror/sample.git' \
    for-each-ref --format='%(refname)' 'refs/heads/feature/$d-*' | grep -q ."
assert_is "three deploys in all" 3 "$(deploy_calls)"
finish
