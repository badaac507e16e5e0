#!/bin/sh
# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.
#
# The pages in a browser, where Chromium is there: the policy lets their style
# in and what somebody wrote into a title out, and nothing is complained of.

. "$(dirname "$0")/lib.sh"

browser=$(command -v chromium || command -v chromium-browser)

answers()
{
	curl -s -o /dev/null "http://127.0.0.1:$PORT/health"
}

# browse PATH [WIDTH]: its page after the browser has read it, and what it
# complains of: a style that the policy does not name is among that.
browse()
{
	HOME=$T timeout 60 "$browser" --headless --disable-gpu --no-sandbox \
	    --disable-dev-shm-usage --user-data-dir="$T/browser" \
	    --enable-logging=stderr --virtual-time-budget=1000 \
	    --window-size="${2:-1100},800" --dump-dom \
	    "http://127.0.0.1:$PORT$1" >"$T/dom" 2>"$T/console" </dev/null
}

begin
if [ -z "$browser" ]; then
	note "no Chromium here: the pages were not looked at"
	pass "no browser, nothing to look at"
	finish
fi
make_project
GLOBAL="listen page on 127.0.0.1 port $PORT"
write_conf
start_orchd
wait_for 10 answers || bail "the page answers"
id=$(submit "<img src=x onerror=document.title='owned'><script>1</script>")
wait_asked "$id" 30
for path in /status /queue /health; do
	browse $path
	assert_has "$path: the browser has read it all" "</footer>" \
	    "$(cat "$T/dom")"
	assert_not "$path: the policy refuses nothing of it" \
	    grep -q 'Content Security Policy' "$T/console"
	assert_not "$path: nothing runs in it" grep -qE \
	    '<img|<script|<title>owned' "$T/dom"
done
browse /status 400
assert_has "a narrow window has the task, too" "$id" "$(cat "$T/dom")"
assert_not "and nothing to complain of" \
    grep -q 'Content Security Policy' "$T/console"
stop_orchd
finish
