#!/bin/sh
# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.
#
# How long an item takes from submit to done when agents, tests and the person
# take no time: what is left is orchd itself.  ITEMS=10 by default.

LIBDIR=$(cd "$(dirname "$0")/../integration" && pwd -P)
. "$LIBDIR/lib.sh"

# Hundredths of a second since boot.
ticks()
{
	read -r up idle </proc/uptime
	echo "${up%.*}${up#*.}"
}

begin
make_project
write_conf
start_orchd
n=0
begun=$(ticks)
while [ $n -lt "${ITEMS:-10}" ]; do
	n=$((n + 1))
	id=$(submit "Word$n becomes w$n")
	t0=$(ticks)
	travel "$id" 60 || bail "$id comes to done"
	echo "$(($(ticks) - t0))" >>"$T/times"
done
all=$(($(ticks) - begun))
sort -n "$T/times" | awk -v all=$all '
    { t[NR] = $1 }
    END {
	printf "# %d items in %.2f s; one: median %.2f s, worst %.2f s\n",
	    NR, all / 100, t[int((NR + 1) / 2)] / 100, t[NR] / 100
    }'
pass "$n items came to done"
finish
