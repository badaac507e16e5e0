#!/bin/sh
# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.
#
# clients.sh [FORGE-VERSION]: the stand-ins against clients that others wrote
# for the real servers, so that they are no misunderstanding of our own.  Not
# a part of make check: it needs node and takes the clients from npm, or from
# the folder that CLIENTS names (with node_modules in it).

set -u
here=$(cd "$(dirname "$0")" && pwd -P)
dir=$(mktemp -d) || exit 2
pids=
# shellcheck disable=SC2154
trap 'kill $pids 2>/dev/null; rm -rf "$dir"' EXIT
GIT_CONFIG_GLOBAL=/dev/null
PYTHONDONTWRITEBYTECODE=1
export GIT_CONFIG_GLOBAL PYTHONDONTWRITEBYTECODE

project=4af68566-94a4-4eb3-94aa-50dc9427067b
clients=${CLIENTS:-$dir}
if [ ! -d "$clients/node_modules" ]; then
	(cd "$dir" && echo '{}' >package.json && npm install --no-audit \
	    --no-fund --ignore-scripts gitea-js@1.23.0 \
	    @llamaduck/forgejo-ts@15.0.9 \
	    @makeplane/plane-node-sdk@0.2.12) >&2 || exit 2
fi

python3 "$here/forge.py" --root "$dir/forge" --version "${1:-1.26.1}" \
    --repo acme/app --user bot:tok:admin --ready "$dir/f" >/dev/null &
pids="$pids $!"
python3 "$here/plane.py" --user bot:plane_api_key \
    --project "ORCH:$project" --ready "$dir/p" >/dev/null &
pids="$pids $!"
i=0
until [ -e "$dir/f" ] && [ -e "$dir/p" ]; do
	i=$((i + 1))
	[ $i -le 100 ] || exit 2
	sleep 0.1
done
forge=$(cat "$dir/f")

change()
{
	echo "$1" >"$dir/tree/$1" && git -C "$dir/tree" add -A &&
	    git -C "$dir/tree" -c user.name=a -c user.email=a@localhost \
	    commit -q -m "$1" && git -C "$dir/tree" push -q \
	    "http://x:tok@${forge#http://}/acme/app.git" "$2"
}

git init -q -b main "$dir/tree" && change one main &&
    git -C "$dir/tree" checkout -q -b feature && change two feature || exit 2
cd "$clients" && node "$here/clients.mjs" "$forge" "$(cat "$dir/p")" \
    "$project" "$(git -C "$dir/tree" rev-parse HEAD)"
