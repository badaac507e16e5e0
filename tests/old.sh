#!/bin/sh
# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.
#
# old.sh BUILD: the programs of an earlier commit, which speak an older minor
# version of the protocol, in BUILD/old/NAME/NAME: what an upgrade is tested
# with (integration test 37).  They are built once.  Where the history is not
# there nothing is built and nothing fails here: the test itself then fails,
# and says what to do.

set -eu
# The last commit that spoke version 1.0.
commit=c4a58837a44fdf32072fd1f63ac99d44b93d48c2
cd "$(dirname "$0")/.."
case ${1:?} in
/*) out=$1/old ;;
*) out=$PWD/$1/old ;;
esac
[ "$(cat "$out/commit" 2>/dev/null)" = $commit ] && exit 0
rm -rf "$out"
if ! git cat-file -e "$commit^{commit}" 2>/dev/null; then
	echo "  OLD  commit $commit is not in this clone: not built"
	exit 0
fi
echo "  OLD  $commit"
mkdir -p "$out/tree"
git archive $commit | tar -xf - -C "$out/tree"
# Neither sanitizers nor the compiler of the new ones: what was installed then.
env -u MAKEFLAGS -u MFLAGS -u CFLAGS -u CPPFLAGS make -s -j2 \
    -C "$out/tree" B=b CC=cc SAN= OPT=-O1 WERROR= Q=@ all >"$out/log" 2>&1 ||
{
	tail -n 20 "$out/log"
	echo "the programs of commit $commit do not build: $out/log"
	exit 1
}
for p in orchd orchctl webhookd reaperd reconciled finalizerd runner; do
	mkdir -p "$out/$p"
	cp "$out/tree/b/$p/$p" "$out/$p/$p"
done
rm -rf "$out/tree" "$out/log"
echo $commit >"$out/commit"
