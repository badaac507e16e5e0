#!/bin/sh
# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.
#
. "$(dirname "$0")/lib.sh"
# The deploy hook's wrapper is killed while the hook works: the hook goes on,
# its deploy is not called failed before it has ended, and is not begun again.
begin
make_project
cat >"$T/bin/slow" <<'END'
#!/bin/sh
# slow FOLDER: a hook that works for a while after its wrapper is gone.
echo "$ORCH_EXPECTED_REVISION" >>"$1/calls"
echo $$ >"$1/pid"
i=0
while [ $i -lt 30 ]; do
	sleep 0.1
	i=$((i + 1))
done
echo "$ORCH_EXPECTED_REVISION" >"$1/ended"
END
chmod 755 "$T/bin/slow"
PROJECT="deploy hook \"$T/bin/slow\" \"$T/production\"
deploy_require_manual_approve no"
write_conf
start_orchd
id=$(submit "Slow becomes slow")
travel "$id" 60 &
traveller=$!
i=0
until [ -s "$T/production/pid" ] || [ $i -gt 600 ]; do
	sleep 0.1
	i=$((i + 1))
done
hook=$(cat "$T/production/pid")
read -r stat <"/proc/$hook/stat"
set -- ${stat##*) }
wrapper=$2
kill -9 "$wrapper"
sleep 1.2
assert "the hook outlives its wrapper" kill -0 "$hook"
assert_is "while it works nothing is decided" deploy "$(stage_of "$id")"
i=0
until [ "$(stage_of "$id")" != deploy ] || [ $i -gt 100 ]; do
	sleep 0.1
	i=$((i + 1))
done
kill $traveller 2>/dev/null
wait $traveller 2>/dev/null
assert "the hook ended by itself" [ -s "$T/production/ended" ]
assert_is "without a result it counts as failed" development \
    "$(stage_of "$id")"
assert_is "it was started once" 1 "$(wc -l <"$T/production/calls" | tr -d ' ')"
assert "the database holds its invariants" ctl check
finish
