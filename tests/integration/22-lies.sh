#!/bin/sh
# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.
#
# Agents whose work lies: verdicts that are none, artifacts of other roles,
# repositories that are not what they were.  Each is sent back or parked with
# a reason that names the place; nothing planted is executed outside.

. "$(dirname "$0")/lib.sh"

begin
make_project
GLOBAL="max_attempts 1
max_developer_retries 1
transient_max 1
serial_limit 60
max_concurrency 4
max_gate_runs 4
test_timeout_s 6"
write_conf
start_orchd

# What takes longest goes first.
start_task developer slowtest
for what in lie stale older twice broken link code; do
	start_task reviewer $what
done
start_task reviewer prose
start_task tester twice
start_task tester prose
start_task developer late
start_task developer trespass
start_task analyst trespass
start_task analyst empty
for what in rewrite unroot gitlink submodule oddname plant crashtest \
    notest; do
	start_task developer $what
done
start_task analyst plant
start_task reviewer plant
settle 100

r=12-review.md t=13-test-report.md
parked_in "a verdict that is none: file, line and word" \
    "$(id_of reviewer lie)" review "$r:4: .*LGTM"
parked_in "a verdict for no commit: file and line" \
    "$(id_of reviewer stale)" review "$r:6: "
parked_in "a verdict for the commit before the code: file and line" \
    "$(id_of reviewer older)" review "$r:6: "
parked_in "a key twice: file and line" "$(id_of reviewer twice)" review \
    "$r:5: .*twice|$r:5: .*duplicate"
parked_in "front matter without an end: the file" \
    "$(id_of reviewer broken)" review "$r"
parked_in "a symbolic link for a verdict: the file" \
    "$(id_of reviewer link)" review "$r"
parked_in "a reviewer that changes code: the file" \
    "$(id_of reviewer code)" review "greeting"
parked_in "prose does not outvote the front matter of a review" \
    "$(id_of reviewer prose)" review "$r:4: .*REQUEST_CHANGES"
assert_has "it was sent back to development" "review>development" \
    "$(moves "$(id_of reviewer prose)")"
parked_in "a result twice: file and line" "$(id_of tester twice)" testing \
    "$t:5: .*twice|$t:5: .*duplicate"
parked_in "prose does not outvote the front matter of a test report" \
    "$(id_of tester prose)" testing "$t:4: .*FAIL"
id=$(id_of developer late)
assert_has "PASS in the report while the tests are red: sent back" \
    "testing>development" "$(moves "$id")"
assert_has "and the history says which test" "1 of 1 failed: late" \
    "$(ctl history "$id")"
parked_in "a developer that changes the criteria: the file" \
    "$(id_of developer trespass)" development "03-acceptance-criteria"
parked_in "an analyst that changes code: the file" \
    "$(id_of analyst trespass)" analysis "Makefile"
parked_in "an empty artifact: the file" "$(id_of analyst empty)" analysis \
    "03-acceptance-criteria"
parked_in "a repository of its own: said" "$(id_of developer rewrite)" \
    development "could not commit or bundle|bundle was refused|descend"
parked_in "a branch of another root: said" "$(id_of developer unroot)" \
    development "descend"
parked_in "no repository: said" "$(id_of developer gitlink)" development \
    "repository is unusable|left no commit|could not|no commit"
parked_in "a submodule: its path" "$(id_of developer submodule)" \
    development "sub.*submodules are not taken"
parked_in "tests without end: could not run, its time" \
    "$(id_of developer slowtest)" development \
    "check_tests_local could not run.*time of 6 s"
parked_in "tests that crash: could not run, the signal" \
    "$(id_of developer crashtest)" development \
    "check_tests_local could not run.*(signal 11|no report)"
parked_in "tests that report nothing: could not run, no report" \
    "$(id_of developer notest)" development \
    "check_tests_local could not run.*report"
assert_is "nothing of a test is left" "" "$(leftovers | while read -r p; do
    tr '\0' ' ' <"/proc/$p/cmdline" | grep -F "$T/canary"; done)"
id=$(id_of developer oddname)
assert_is "odd names of files: the work counts" done "$(stage_of "$id")"
for role in analyst developer reviewer; do
	assert_is "hooks, filters and configuration of the $role: it counts" \
	    done "$(stage_of "$(id_of $role plant)")"
done
assert_is "nothing planted was executed outside" "" "$(ls "$T/canary")"
assert "all workspaces are removed" wait_for 10 \
    sh -c "[ -z \"\$(ls '$T/state/ws')\" ]"
assert "the mirror is whole" mirror fsck --strict --no-dangling
assert_is "the mirror has orchd's configuration only" "" \
    "$(git config -f "$T/state/mirror/sample.git/config" -l |
    grep "$T/canary")"
assert "the database holds its invariants" ctl check
finish
