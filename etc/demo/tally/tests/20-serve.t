# The server, on a port that the system picks.
exits "a port out of range is refused" 2 $TALLY serve 65536
$TALLY serve 0 >"$tmp/port" 2>&1 &
server=$!
i=0
while [ $i -lt 50 ] && ! [ -s "$tmp/port" ]; do
	sleep 0.02
	i=$((i + 1))
done
port=$(sed -n 's/^listening on 127\.0\.0\.1://p' "$tmp/port")
is "/health says ok" ok \
    "$($TALLY health "$port" | sed -n 's/.*"status":"\([a-z]*\)".*/\1/p')"
kill $server
wait $server 2>/dev/null
exits "no server is not healthy" 1 $TALLY health "$port"
