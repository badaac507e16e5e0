#!/bin/sh
# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.
#
# Sockets that a service manager has opened and passes along, as systemd does.

. "$(dirname "$0")/lib.sh"

# free_after PORT: one that nobody listens on, above it.
free_after()
{
	p=$(($1 + 1))
	while grep -qi "$(printf ':%04X ' $p)" /proc/net/tcp; do
		p=$((p + 1))
	done
	echo $p
}

# The part of a service manager: opens what PASS lists ("NAME KIND PORT"),
# waits for the file GO, and becomes orchd.
manager()
{
	cat >"$T/bin/manager.py" <<'END'
import os, socket, sys, time
names, held = [], []
for line in open(sys.argv[1]):
    name, kind, port = line.split()
    s = socket.socket(socket.AF_INET,
        socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("0.0.0.0" if kind == "any" else "127.0.0.1", int(port)))
    if kind in ("tcp", "any"):
        s.listen(64)
    names.append(name)
    held.append(os.dup2(s.fileno(), 100 + len(held), inheritable=False))
open(sys.argv[2] + ".open", "w").close()
while not os.path.exists(sys.argv[2]):
    time.sleep(0.05)
for i, fd in enumerate(held):
    os.dup2(fd, 3 + i)
os.environ["LISTEN_PID"] = str(os.getpid())
os.environ["LISTEN_FDS"] = str(len(held))
os.environ["LISTEN_FDNAMES"] = ":".join(names)
os.execv(sys.argv[3], sys.argv[3:])
END
	cat >"$T/bin/manager" <<END
#!/bin/sh
exec python3 "$T/bin/manager.py" "$T/pass" "$T/go" "$ORCHD" "\$@"
END
	chmod 755 "$T/bin/manager"
}

health()
{
	curl -s -o "$T/body" -w '%{http_code}' --max-time "${2:-5}" \
	    "http://127.0.0.1:$1/health"
}

answers()
{
	[ "$(health "$1")" = 200 ]
}

# refused NAME TEXT: with what PASS lists it does not start, and says so.
refused()
{
	: >"$T/go"
	assert_says "$1" 1 "$2" timeout 20 "$T/bin/manager" \
	    -f "$T/orchd.conf"
	rm -f "$T/go"
}

begin
make_project
manager
command -v python3 >/dev/null || bail "python3 is there"
HOOK=$PORT
PAGE=$(free_after "$HOOK")
OTHER=$(free_after "$PAGE")
GLOBAL="listen webhook on 127.0.0.1 port $HOOK
listen page on 127.0.0.1 port $PAGE"
write_conf

# The page's socket is on another port than its line: its name tells.
printf 'orchd.socket tcp %s\npage tcp %s\n' "$HOOK" "$OTHER" >"$T/pass"
real=$ORCHD
ORCHD=$T/bin/manager
"$ORCHD" -f "$T/orchd.conf" >>"$T/orchd.log" 2>&1 </dev/null &
ORCHD_PID=$!
wait_for 10 test -e "$T/go.open" || bail "the sockets are opened"
{ health "$HOOK" 30 >"$T/early"; } &
early=$!
sleep 0.3
: >"$T/go"
wait_orchd || bail "orchd starts with what it is passed"
wait $early
assert_is "who came before orchd did is answered" 200 "$(cat "$T/early")"
assert_is "the receiver has the socket of its address" 200 "$(health "$HOOK")"
assert_is "the page that of its name" 200 "$(health "$OTHER")"
assert_is "and binds none itself" 000 "$(health "$PAGE")"
assert "a reload keeps them" ctl -q reload
wait_for 10 answers "$HOOK" && wait_for 10 answers "$OTHER" ||
    fail "they answer after the reload"
assert "a restart in place" ctl -q restart
sleep 0.2
wait_for 15 answers "$HOOK" && wait_for 10 answers "$OTHER" ||
    fail "they answer after the restart"
assert_is "keeps them" "200 200" "$(health "$HOOK") $(health "$OTHER")"
sed -i '/^listen webhook/d' "$T/orchd.conf"
assert_says "a line is not taken away while its socket is passed" 1 \
    "no listen line is for it" ctl reload
assert_is "and goes on" 200 "$(health "$HOOK")"
write_conf
stop_orchd
ORCHD=$real
rm -f "$T/go"

printf 'a tcp %s\nb tcp %s\n' "$HOOK" "$OTHER" >"$T/pass"
refused "a socket that is for no line is refused" \
    "a socket on 127.0.0.1 port $OTHER (named \"b\") was passed to orchd"
printf 'page tcp %s\n' "$HOOK" >"$T/pass"
refused "one whose name says otherwise than its line" "named page"
printf 'webhook udp %s\n' "$HOOK" >"$T/pass"
refused "one that is no TCP socket" "is no listening TCP socket"
printf 'webhook bound %s\n' "$HOOK" >"$T/pass"
refused "one that does not listen" "is no listening TCP socket"

# What others reach is not taken for loopback because the line says so.
GLOBAL="listen page on 127.0.0.1 port $PAGE"
write_conf
printf 'page any %s\n' "$OTHER" >"$T/pass"
: >"$T/go"
ORCHD=$T/bin/manager
start_orchd
wait_for 10 answers "$OTHER"
assert_is "a page that others reach needs its token" 401 \
    "$(curl -s -o /dev/null -w '%{http_code}' --max-time 5 \
    "http://127.0.0.1:$OTHER/status")"
finish
