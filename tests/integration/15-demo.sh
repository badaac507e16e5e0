#!/bin/sh
# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.
#
# The demo, as `make demo` runs it: two items on the embedded defaults; and with
# AGENT=codex, at the same time.

. "$(dirname "$0")/lib.sh"

begin
(cd "$TOP" && exec etc/demo/demo.sh -B "$ORCHD_BUILD") >"$T/demo.log" 2>&1 \
    </dev/null &
demo=$!

# With AGENT=codex: a program of npm's shape in its place, whose words are a
# real one's and whose work is the scripted agents'.
package=$T/opt/node_modules/codex
mkdir -p "$package/bin" "$T/opt/node_modules/helper" "$T/path"
: >"$T/opt/node_modules/helper/words"
cat >"$package/bin/codex.js" <<END
#!/bin/sh
test -e "\$(dirname "\$0")/../../helper/words" || exit 3
case "\$*" in
*"This is your task"*) ;;
*) exit 4 ;;
esac
"$T/demo/agents/\$ORCH_ROLE" >&2 || exit 5
echo '{"type":"thread.started","thread_id":"t-1"}'
echo '{"type":"turn.completed","usage":{"input_tokens":1,"output_tokens":1}}'
END
chmod 755 "$package/bin/codex.js"
ln -s ../opt/node_modules/codex/bin/codex.js "$T/path/codex"
(cd "$T" && PATH=$T/path:$PATH CODEX_API_KEY=sk-of-the-test \
    "$TOP/etc/demo/demo.sh" -B "$ORCHD_BUILD" -a codex "$T/demo") \
    >"$T/codex.log" 2>&1 </dev/null
assert_is "the demo with a real agent's block comes to its end" 0 $?
assert_has "and its items are done too" "2 merges, 2 deploys" \
    "$(tail -n 4 "$T/codex.log")"

wait $demo
assert_is "the demo comes to its end" 0 $?
assert_has "both items are done, merged and deployed once" \
    "2 merges, 2 deploys" "$(tail -n 4 "$T/demo.log")"
assert_has "and nothing is left over" "0 orphans" "$(tail -n 4 "$T/demo.log")"
finish
