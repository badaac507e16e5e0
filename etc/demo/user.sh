#!/bin/sh
# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.
#
# user.sh: make sure that the system user orchd-demo exists.  Started by root
# only: demo and tests then run as that user, never as root.

name=orchd-demo
getent passwd $name >/dev/null && exit 0
echo "orchd: creating the system user $name (no home, no login)" \
    "to run the demo and the tests without privileges" >&2
nologin=/usr/sbin/nologin
[ -x $nologin ] || nologin=/bin/false
if ! useradd --system --user-group --no-create-home \
    --home-dir /nonexistent --shell $nologin $name; then
	echo "orchd: the user $name could not be created; start this as a" \
	    "person instead of root" >&2
	exit 1
fi
