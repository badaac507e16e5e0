#!/bin/sh
# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.
#
# The stand-ins for forge and tracker, before others rely on them.

cd "$(dirname "$0")/../standin" || exit 2
if ! command -v python3 >/dev/null; then
	echo "not ok 1 - python3 is installed (apt-get install python3-minimal" \
	    "python3)"
	exit 1
fi
exec python3 ./test.py
