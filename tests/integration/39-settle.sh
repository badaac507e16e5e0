#!/bin/sh
# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.
#
. "$(dirname "$0")/lib.sh"
# The wrapper of a deploy hook is gone before anybody could read who the hook
# is: that is said at once, nothing is started again, and an operator settles
# it with what he has seen.
begin
make_project
cat >"$T/bin/slow" <<'END'
#!/bin/sh
# slow FOLDER: a hook that is at work while its wrapper is gone.
echo "$ORCH_EXPECTED_REVISION" >>"$1/calls"
echo $$ >"$1/pid"
sleep 3
echo "$ORCH_EXPECTED_REVISION" >"$1/current"
END
chmod 755 "$T/bin/slow"
PROJECT="deploy hook \"$T/bin/slow\" \"$T/production\"
deploy_require_manual_approve no"
write_conf
start_orchd
id=$(submit "Slow becomes slow")
travel "$id" 90 &
traveller=$!
wait_for 90 [ -s "$T/production/pid" ] || bail "the hook starts"
hook=$(cat "$T/production/pid")
read -r stat <"/proc/$hook/stat"
set -- ${stat##*) }
# What a wrapper of the version before left when it was killed in the instant
# between start and identity: it did not hold its hook meanwhile.
kill -9 "$2"
sed -i 's/ held$//' "$T"/state/result/*.started
rm -f "$T"/state/result/*.session
in_doubt()
{
	ctl why "$id" | grep -q "orchctl effect settle $id deploy:$id:"
}
assert "the doubt is told, with what to do" wait_for 10 in_doubt
assert "and as an alert" sh -c \
    "$ORCHCTL -s $T/run/control.sock alert | grep -q effect_blind"
kill $traveller 2>/dev/null
wait $traveller 2>/dev/null
key=deploy:$id:$(task_field "$id" landed)
ctl effect >"$T/effects"
assert "it stands among the effects that are not done" \
    grep -q doubt "$T/effects"
assert_says "a start is never repeated" 1 "never started again" \
    ctl effect settle "$id" "$key" retry -r "nothing happened"
wait_for 20 [ -s "$T/production/current" ]
assert_is "the hook went on by itself" "$(task_field "$id" landed)" \
    "$(cat "$T/production/current")"
assert_is "its deploy is open until somebody says so" deploy \
    "$(stage_of "$id")"
assert "an operator says what he saw" ctl effect settle -r \
    "production serves it" "$id" "$key" done
assert "the task is done" wait_stage "$id" done 30
assert_says "that is decided once" 1 "not in doubt" \
    ctl effect settle -r "no" "$id" "$key" failed
assert_is "the hook was called once" 1 "$(deploy_calls)"
assert "his words are kept" sh -c \
    "$ORCHCTL -s $T/run/control.sock -j show $id | grep -q 'production serves it'"
assert "the database holds its invariants" ctl check
finish
