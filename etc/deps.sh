#!/bin/sh
# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.
#
# deps.sh: find the Debian packages that are missing, name them, install them.
#
#   etc/deps.sh build|run|check ...
#
# Quiet when nothing is missing.  Root installs at once; a person is asked
# before sudo is used; ASSUME_YES=1 answers for a machine.  Without root and
# sudo the apt line is printed and the exit status is 1.

set -u
LC_ALL=C
export LC_ALL

build="gcc libc6-dev make pkg-config bison libevent-dev libsqlite3-dev
    libcurl4-openssl-dev libjansson-dev libbsd-dev libyaml-dev
    libseccomp-dev libssl-dev"
run="git bubblewrap ca-certificates"
check="check mandoc spin sqlite3 curl openssl procps iproute2 python3"

usage()
{
	echo "usage: deps.sh build|run|check ..." >&2
	exit 2
}

installed()
{
	case $(dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null) in
	ii*|hi*) return 0 ;;
	esac
	return 1
}

# Without dpkg nothing can be installed, but what is there may do.
foreign()
{
	lacks=
	for p in gcc make pkg-config bison git bwrap setpriv; do
		command -v "$p" >/dev/null 2>&1 || lacks="$lacks $p"
	done
	for p in libevent sqlite3 libcurl jansson libbsd yaml-0.1 \
	    libseccomp libcrypto; do
		pkg-config --exists "$p" 2>/dev/null || lacks="$lacks $p"
	done
	[ -z "$lacks" ] && exit 0
	echo "orchd: this is not Debian, so packages cannot be installed for" \
	    "you; not found:$lacks" >&2
	exit 1
}

# apt LOG ARGUMENT ...: one apt-get call that asks nothing.
apt()
{
	log=$1
	shift
	$root env DEBIAN_FRONTEND=noninteractive apt-get -y -q \
	    -o DPkg::Lock::Timeout=120 "$@" >>"$log" 2>&1
}

have_lists()
{
	for f in /var/lib/apt/lists/*_Packages*; do
		[ -e "$f" ] && return 0
	done
	return 1
}

install_all()
{
	log=$(mktemp) || exit 1
	fresh=no
	if ! have_lists; then
		apt "$log" update
		fresh=yes
	fi
	# shellcheck disable=SC2086
	if ! apt "$log" install --no-install-recommends $missing; then
		# Old lists name versions that the mirror no longer has.
		[ $fresh = no ] && apt "$log" update &&
		    apt "$log" install --no-install-recommends $missing
	fi
	for p in $missing; do
		installed "$p" && continue
		echo " failed" >&2
		tail -n 15 "$log" >&2
		echo "orchd: $p could not be installed; all of apt's output:" \
		    "$log" >&2
		exit 1
	done
	rm -f "$log"
}

[ $# -gt 0 ] || usage
want=
for set in "$@"; do
	case $set in
	build) want="$want $build" ;;
	run) want="$want $run" ;;
	check) want="$want $check" ;;
	*) usage ;;
	esac
done
command -v setpriv >/dev/null 2>&1 || want="$want util-linux"
command -v dpkg-query >/dev/null 2>&1 || foreign

missing=
for p in $want; do
	installed "$p" || missing="$missing $p"
done
missing=${missing# }
[ -n "$missing" ] || exit 0

line="apt-get install --no-install-recommends $missing"
root=
if [ "$(id -u)" -ne 0 ]; then
	if ! command -v sudo >/dev/null 2>&1; then
		printf 'orchd: needs %s\n' "$missing" >&2
		printf 'orchd: no root and no sudo here; as root run\n  %s\n' \
		    "$line" >&2
		exit 1
	fi
	if [ "${ASSUME_YES:-0}" = 1 ]; then
		root="sudo -n"
	elif [ -t 0 ] && [ -t 2 ]; then
		printf 'orchd: needs %s\nInstall with sudo? [Y/n] ' \
		    "$missing" >&2
		read -r answer
		case $answer in
		''|[Yy]*) root=sudo ;;
		*) printf 'orchd: nothing installed; as root run\n  %s\n' \
		    "$line" >&2
		    exit 1 ;;
		esac
		sudo -v || exit 1
	else
		printf 'orchd: needs %s\n' "$missing" >&2
		printf 'orchd: no terminal to ask on (ASSUME_YES=1 answers)' >&2
		printf '; or run\n  sudo %s\n' "$line" >&2
		exit 1
	fi
fi

printf 'orchd: needs %s (apt) ...' "$missing" >&2
t0=$(date +%s)
install_all
printf ' installed in %s s\n' $(($(date +%s) - t0)) >&2
