#!/bin/sh
# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.

# Two items travel through a Gitea and a Plane: with webhooks alone, with every
# webhook lost, and with a Forgejo, which has none for the state of CI.  The same
# end, the same effects once.

. "${LIBDIR:-$(dirname "$0")}/lib.sh"
. "$LIBDIR/remote.sh"

no_hooks()
{
	for server in "$FORGE" "$TRACKER"; do
		order "$server" hooks '{"enabled": false}' >/dev/null
	done
}

begin

# Polls once an hour: what moves, moved by webhooks.
scenario "webhooks alone" 60 3600

WRONG=no_hooks
scenario "every webhook lost" 90 1

WRONG=
scenario "Forgejo" 90 2 --version 12.0.1+gitea-1.22.0
finish
