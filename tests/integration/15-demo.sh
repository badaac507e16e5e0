#!/bin/sh
# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.
#
# The demo, as `make demo` runs it: two items on the embedded defaults.

. "$(dirname "$0")/lib.sh"

begin
(cd "$TOP" && etc/demo/demo.sh -B "$ORCHD_BUILD") >"$T/demo.log" 2>&1 </dev/null
assert_is "the demo comes to its end" 0 $?
assert_has "both items are done, merged and deployed once" \
    "2 merges, 2 deploys" "$(tail -n 4 "$T/demo.log")"
assert_has "and nothing is left over" "0 orphans" "$(tail -n 4 "$T/demo.log")"
finish
