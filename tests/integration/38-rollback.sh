#!/bin/sh
# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.
#
. "$(dirname "$0")/lib.sh"
# Two items whose second lands as a merge commit: what staging serves is built
# again for it.  The first one's deploy is found degraded: production is rolled
# back once, its commit is in quarantine, and the second waits for a person.
begin
make_project
cat >"$T/bin/stage" <<'END'
#!/bin/sh
# stage start|check: the project's staging, which says what it serves.
[ "$1" = check ] && printf 'commit %s\ntree %s\n' "$ORCH_COMMIT" \
    "$ORCH_CODE_TREE" >"$ORCH_IMAGE_FILE"
exec ./staging "$@"
END
printf '#!/bin/sh\necho "image of $ORCH_COMMIT"\n' >"$T/bin/image"
chmod 755 "$T/bin/stage" "$T/bin/image"
PROJECT="staging deploy \"$T/bin/stage\" \"start\"
staging check \"$T/bin/stage\" \"check\"
image build \"$T/bin/image\"
rollback hook \"$T/bin/deploy\" \"$T/production\"
post_deploy_enabled yes
post_deploy_base_url \"http://127.0.0.1:1/\"
post_deploy_interval_s 1
post_deploy_window_s 3
post_deploy_auto_rollback yes"
write_conf
start_orchd
one=$(submit "Alpha becomes alpha")
two=$(submit "Beta becomes beta")

# The second is let on to its deploy, and not confirmed before the freeze.
approve_until_deploy()
{
	until in_stage "$1" deploy; do
		asked "$1" check_analysis_approved &&
		    ctl -q approve "$1" >/dev/null 2>&1
		sleep 0.2
	done
}
approve_until_deploy "$two" &
approver=$!
assert "the first is deployed" travel "$one" 90
landed=$(task_field "$one" landed)
rolled_back()
{
	mirror show "orchd/records:docs/work-items/$one/16-post-deploy-log.md" |
	    grep -q "The rollback to"
}
assert "its rollback is in the records branch" wait_for 60 rolled_back
mirror show "orchd/records:docs/work-items/$one/16-post-deploy-log.md" \
    >"$T/log16"
assert "with what was done" grep -q "^action_taken: ROLLBACK$" "$T/log16"
assert "and how it ended" grep -q "The rollback to .* is done" "$T/log16"
assert_is "it stays done" done "$(stage_of "$one")"
assert_is "the hooks were called once each" 2 "$(deploy_calls)"
assert_is "the second one took the first one back" "$one $landed" \
    "$(awk 'NR == 2 { print $1, $3 }' "$T/production/calls")"
assert_is "production serves what it served before" \
    "$(awk 'NR == 1 { print $3 }' "$T/production/calls")" \
    "$(cat "$T/production/current")"
assert_is "its follow-up is open" "Follow up $one: Alpha becomes alpha" \
    "$(task_field "$one-f1" title)"

assert "the second lands" wait_stage "$two" deploy 90
kill $approver 2>/dev/null
wait $approver 2>/dev/null
assert "a person may confirm it" wait_for 20 ctl -q confirm "$two"
assert "it waits for the freeze" wait_for 20 sh -c \
    "$ORCHCTL -s $T/run/control.sock why $two | grep -q 'orchctl resume'"
assert_is "nothing is deployed into it" 2 "$(deploy_calls)"
ctl -j effect "$one" >"$T/e1"
ctl -j effect "$two" >"$T/e2"
assert_is "the image of the merge commit was built once" 1 \
    "$(cat "$T/e1" "$T/e2" | grep -o '"image-build"' | wc -l | tr -d ' ')"
assert_says "nothing is resumed without a reason" 1 "usage" ctl resume deploy
assert "an operator resumes the deploys" \
    ctl resume -p sample -r "the disk was full" deploy
assert "and the second is deployed" wait_stage "$two" done 60
ctl -q cancel "$one-f1" >/dev/null 2>&1
assert "the database holds its invariants" ctl check
finish
