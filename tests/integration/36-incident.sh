#!/bin/sh
# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.
#
# The incident that orchd was written for, with the real programs.  The worker
# of an edge is slow beyond the reaper's grace, in a re-test that goes red when
# it runs twice at one time, because its port is in use then.  The reaper, the
# reconciler, a webhook, people and a second finalizer all come in.  One merge,
# one deploy, no way back; the others are refused with the owner's name.
#
# A second worker of one task cannot be queued; so that one comes in all the
# same, a fault is put into the database: without the index that forbids it, a
# trigger queues it when the first one has got its lease.
#
# With ORCHD_BUILD this is tried on another build; one without the lease fails.

. "$(dirname "$0")/lib.sh"

SECRET=one-secret
PUSH=$TOP/tests/fixtures/gitea/webhook-push-signed--buildbot.json
straight="created>analysis
analysis>architecture
architecture>development
development>review
review>testing
testing>deploy-staging
deploy-staging>deploy
deploy>done"

# make_slow: a re-test at the edge serves a port until somebody comes to it.
make_slow()
{
	cat >"$T/repo/tests/serve" <<'END'
use IO::Socket::INET;
my $s = IO::Socket::INET->new(Listen => 5, LocalAddr => "127.0.0.1",
    LocalPort => $ARGV[0], ReuseAddr => 1) or die "port in use: $!\n";
my $c = $s->accept() or die "accept: $!\n";
print $c "HTTP/1.0 200 OK\r\n\r\nready\n";
END
	cat >>"$T/repo/tests/run.head" <<END
if [ "\${ORCH_GATE:-}" = check_branch_mergeable ]; then
	perl tests/serve $SLOW || {
		echo "not ok 1 - port in use" | tee -a "\$ORCH_REPORT_FILE"
		exit 1
	}
fi
END
	cat "$T/repo/tests/run" >>"$T/repo/tests/run.head" &&
	    mv "$T/repo/tests/run.head" "$T/repo/tests/run" &&
	    git_repo add -A && git_repo commit -q -m "Serve a port" ||
	    bail "no slow re-test"
}

# let_a_second_in: the fault.
let_a_second_in()
{
	sqlite3 "$T/state/orchd.db" "DROP INDEX job_one_transition;
	    CREATE TRIGGER fault AFTER INSERT ON lease
	    WHEN NEW.work = 'edge' AND (SELECT count(*) FROM job
		WHERE task = NEW.task AND work = 'edge') < 2
	    BEGIN
		INSERT INTO job (task, project, kind, work, available_at,
		    created_at, stage_seq, commit_id)
		SELECT task, 'other', kind, work, available_at, created_at,
		    stage_seq, commit_id FROM job
		WHERE task = NEW.task AND work = 'edge';
	    END" || bail "the fault is made"
}

# owner WHAT: run or process of who owns the lease at the edge.
owner()
{
	ctl -j lease | tr -d '\n' | sed 's/}, *{/}\n{/g' |
	    grep "\"task\": *\"$id\"" | grep '(edge)' |
	    sed -n "s/.*$1\([0-9]*\) .*/\1/p" | grep .
}

# in_retest: the re-test serves its port.
in_retest()
{
	grep -qi "$(printf ' 0100007F:%04X 00000000:0000 0A ' "$SLOW")" \
	    /proc/net/tcp
}

# deliver N: a signed push of somebody.
deliver()
{
	sed "s/{/{\"number\":$1,/;q" "$PUSH" >"$T/push"
	sed 1d "$PUSH" >>"$T/push"
	curl -s -o "$T/body" -w '%{http_code}' --max-time 10 \
	    -H "Content-Type: application/json" -H "X-Gitea-Event: push" \
	    -H "X-Gitea-Event-Type: push" -H "X-Gitea-Delivery: d-$1" \
	    -H "X-Gitea-Signature: $(openssl dgst -sha256 -hmac $SECRET -r \
	    <"$T/push" | cut -d' ' -f1)" --data-binary "@$T/push" \
	    "http://127.0.0.1:$PORT/webhook/gitea"
}

# refusals: how often somebody did not get the lease because of this owner.
refusals()
{
	grep -c "task $id: run [0-9]* does not get the lease: run $run (edge" \
	    "$T/orchd.log"
}

refused_again()
{
	[ "$(refusals)" -gt "$seen" ]
}

results()
{
	ctl -j gate "$id" | tr -d '\n' | sed 's/}, *{/}\n{/g' |
	    grep -c '"gate": *"check_branch_mergeable"'
}

begin
SLOW=$((PORT + 1))
make_project
make_slow
printf '%s\n' $SECRET >"$T/secret" && chmod 600 "$T/secret"
GLOBAL="serial_limit 5
max_gate_runs 4
reaper_finalize_grace_s 2
merge_retest_skip_when_current_enabled no
listen webhook on 127.0.0.1 port $PORT
webhook gitea secret file \"$T/secret\""
PROJECT='gates network open'
write_conf
sed 's/^project sample {/project other {/; s/prefix S$/prefix O/
    /^project/,$!d' "$T/orchd.conf" >"$T/other"
cat "$T/other" >>"$T/orchd.conf"
start_orchd
mirror config core.logAllRefUpdates always
stop_orchd
let_a_second_in
start_orchd

id=$(submit "Incident becomes proof")
travel "$id" 120 &
traveller=$!
wait_for 60 in_retest || bail "the re-test runs"
run=$(owner '"run ') pid=$(owner ' pid=')
note "run $run, process $pid, is in its re-test"
seen=0
assert "a second worker is refused with the owner's name" \
    wait_for 20 refused_again

# Beyond each grace, also without a sign of life.
seen=$(refusals)
kill -STOP "$pid"
for n in 1 2 3; do
	assert_is "a webhook is taken" 200 "$(deliver $n)"
	for verb in approve confirm retry; do
		ctl -q $verb "$id" >>"$T/people.out" 2>&1
	done
	ctl -q reject -m "too slow" "$id" >>"$T/people.out" 2>&1
	sleep 1.2
done
"$BUILD/tests/integration/second" "$BUILD/finalizerd/finalizerd" \
    "$T/run/engine.sock" "$run" >"$T/second.out" 2>&1
assert "a finalizer that was started by hand ends" [ $? -lt 124 ]
assert "its key is wrong, so it gets nothing" \
    grep -q 'worker: refused: a wrong key' "$T/orchd.log"
assert_not "a second orchd does not start" \
    timeout 10 "$ORCHD" -f "$T/orchd.conf"
assert "the second worker comes again, and is refused again" \
    wait_for 30 refused_again
kill -CONT "$pid"
assert_is "the owner is the same" "$run $pid" \
    "$(owner '"run ') $(owner ' pid=')"
assert_is "the item is where it was" deploy-staging "$(stage_of "$id")"
assert_not "nobody called the owner dead" \
    grep -qE "run $run \(transition.*lost|lease of run $run .*taken back" \
    "$T/orchd.log"

assert_is "the re-test comes to its end" ready \
    "$(curl -s --max-time 10 "http://127.0.0.1:$SLOW/")"
wait $traveller
assert_is "the item is done" done "$(stage_of "$id")"
assert_is "it has taken each stage once: no way back" "$straight" \
    "$(moves "$id")"
assert_is "one re-test" 1 "$(results)"
assert_is "one merge, as git saw it" 1 \
    "$(wc -l <"$T/state/mirror/sample.git/logs/refs/heads/main" | tr -d ' ')"
assert_is "one deploy" 1 "$(deploy_calls | tr -d ' ')"
assert_is "the target holds the change" proof \
    "$(mirror show main:incident 2>&1)"
assert "the database holds its invariants" ctl check
note "the second worker was refused $(refusals) times"
finish
