#!/bin/sh
# Copyright (c) 2026 The orchd authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.  The
# software is provided "as is", without warranty of any kind; see LICENSE.
#
# scene.sh: what a restart, an upgrade and a shutdown meet, sourced after
# lib.sh: an agent, a transition worker inside the edge with its gate's command,
# and a deploy hook, each at work until a file says that it may go on.

# run_of TASK KIND WORD: the number of its newest run of that kind whose role,
# gate or work is WORD.
run_of()
{
	ctl -j show "$1" | rows | grep "\"kind\": *\"$2\"" | grep "\"$3\"" |
	    tail -n 1 | json id
}

# runs_of TASK KIND WORD: how many of them there were.
runs_of()
{
	ctl -j show "$1" | rows | grep "\"kind\": *\"$2\"" | grep -c "\"$3\""
}

# lease_of TASK: who holds its edge, with the epoch.
lease_of()
{
	ctl -j lease | rows | grep "\"task\": *\"$1\"" | grep 'edge' |
	    grep -o '"\(owner\|epoch\)": *\("[^"]*"\|[0-9]*\)' | grep .
}

# scene_files: the project, the commands and the configuration.
scene_files()
{
	make_project
	cat >"$T/repo/staging" <<END
#!/bin/sh
# staging start|check: the check waits until it may go on.
[ "\$1" = check ] || exit 0
echo "the check waits"
i=0
until [ -e "$T/state/mirror/sample.git/go-edge" ] || [ \$i -gt 600 ]; do
	sleep 0.1
	i=\$((i + 1))
done
END
	git_repo commit -q -a -m "Wait" || bail "no slow staging"
	cat >"$T/bin/slow" <<END
#!/bin/sh
# slow: the developer of an item that says so waits until it may go on.
if grep -q "slow \$ORCH_ROLE" "\$ORCH_TASK_FILE"; then
	echo "the agent waits"
	until [ -e "$T/state/mirror/sample.git/go-agent" ]; do
		sleep 0.1
	done
	echo "the agent goes on"
fi
grep -q "hang \$ORCH_ROLE" "\$ORCH_TASK_FILE" && exec sleep 3600
exec "$T/bin/agent"
END
	cat >"$T/bin/held" <<END
#!/bin/sh
# held FOLDER: a hook that waits until it may go on.
echo "\$ORCH_WORK_ITEM \$ORCH_EXPECTED_REVISION" >>"\$1/calls"
echo \$\$ >"\$1/pid"
i=0
until [ -e "\$1/go" ] || [ \$i -gt 900 ]; do
	sleep 0.1
	i=\$((i + 1))
done
END
	chmod 755 "$T/bin/slow" "$T/bin/held"
	AGENT_COMMAND=$T/bin/slow
	AGENT="timeout 60"
	GLOBAL="serial_limit 9
max_concurrency 9
max_attempts 1
deploy_timeout_s 120
staging_check_timeout_s 120"
	PROJECT="deploy hook \"$T/bin/held\" \"$T/production\""
	write_conf
}

deployed()
{
	[ -s "$T/production/pid" ]
}

agent_waits()
{
	ctl log "$(run_of "$slow" agent developer)" 2>/dev/null |
	    grep -q "the agent waits"
}

gate_waits()
{
	gate=$(run_of "$edged" gate check_staging_status)
	[ -n "$gate" ] && ctl log "$gate" 2>/dev/null |
	    grep -q "the check waits"
}

# scene: the items $hooked, $edged and $slow at work, of a fresh database; also
# the numbers of their runs $hook, $gate, $worker, $agent, and $lease.
scene()
{
	chmod -R u+rwX "$T/state" 2>/dev/null
	rm -rf "$T/state" "$T/run" "$T/production"
	mkdir "$T/production"
	[ ! -f "$T/orchd.log" ] || mv "$T/orchd.log" "$T/orchd.log.1"
	start_orchd
	touch "$T/state/mirror/sample.git/go-edge"
	hooked=$(submit "Hooked becomes deployed")
	travel "$hooked" 150 &
	travellers=$!
	wait_for 60 deployed || bail "a deploy hook is at work"
	rm "$T/state/mirror/sample.git/go-edge"
	edged=$(submit "Edged becomes merged")
	travel "$edged" 150 &
	travellers="$travellers $!"
	slow=$(submit "Slow becomes done" "slow developer")
	travel "$slow" 150 &
	travellers="$travellers $!"
	wait_for 60 lease_of "$edged" || bail "a worker is inside the edge"
	wait_for 60 gate_waits || bail "its gate's command is at work"
	wait_for 60 agent_waits || bail "an agent is at work"
	agent=$(run_of "$slow" agent developer)
	worker=$(run_of "$edged" transition edge)
	hook=$(run_of "$hooked" hook '')
	lease=$(lease_of "$edged")
	note "agent $agent, gate $gate, worker $worker, hook $hook"
}

# scene_ends: all of them may go on to their end.
scene_ends()
{
	touch "$T/state/mirror/sample.git/go-edge" \
	    "$T/state/mirror/sample.git/go-agent" "$T/production/go"
}

# scene_held NAME: it has come to its end, and each effect happened once.
scene_held()
{
	wait $travellers
	assert_is "$1: the agent's item is done" done "$(stage_of "$slow")"
	assert_is "$1: the edge's item is done" done "$(stage_of "$edged")"
	assert_is "$1: the hook's item is done" done "$(stage_of "$hooked")"
	for id in $slow $edged $hooked; do
		assert_is "$1: $id: one merge" 1 "$(effects_done "$id" merge)"
		assert_is "$1: $id: one deploy" 1 \
		    "$(grep -c "^$id " "$T/production/calls")"
	done
	assert "$1: the database holds its invariants" ctl check
}
