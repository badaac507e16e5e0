#!/bin/sh
# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.

# The same two items with every webhook doubled and disordered, and with the
# tracker down half of the time.

. "${LIBDIR:-$(dirname "$0")}/lib.sh"
. "$LIBDIR/remote.sh"

disorder()
{
	for server in "$FORGE" "$TRACKER"; do
		order "$server" hooks '{"double": 1.0, "late": 0.5}' >/dev/null
	done
}

# Two seconds down, in each way that a server can be, then two up.
half_down()
{
	while :; do
		order "$TRACKER" faults '[
		    {"match": ".* /api/.*", "chance": 0.3, "times": -1,
		     "kind": "lost"},
		    {"match": ".* /api/.*", "chance": 0.3, "times": -1,
		     "kind": "half"},
		    {"match": ".* /api/.*", "chance": 0.3, "times": -1,
		     "kind": "reset"},
		    {"match": ".* /api/.*", "chance": 0.3, "times": -1,
		     "kind": "html"},
		    {"match": ".* /api/.*", "times": -1,
		     "kind": "status", "status": 503}]'
		sleep 2
		curl -s -m 5 -X DELETE "$TRACKER/_standin/faults"
		sleep 2
	done >/dev/null 2>&1 &
	FLAPPER=$!
}

begin

WRONG=disorder
scenario "doubled and disordered" 90 5

WRONG=half_down
scenario "tracker down half of the time" 240 1
kill "$FLAPPER"
finish
