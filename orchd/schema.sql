-- The engine's database, version 1.  Only orchd opens it, with one connection.
-- Times are milliseconds since 1970 (UTC), for people; ownership is never
-- decided by time.  Commit ids are 40 hex digits, '' means none.

CREATE TABLE task (
	id		INTEGER PRIMARY KEY,
	key		TEXT NOT NULL UNIQUE,		-- DEMO-1
	project		TEXT NOT NULL,
	title		TEXT NOT NULL,
	request		TEXT NOT NULL,
	author		TEXT NOT NULL DEFAULT '',
	priority	INTEGER NOT NULL DEFAULT 0,
	stage		TEXT NOT NULL CHECK (stage IN ('created', 'analysis',
			    'architecture', 'development', 'review', 'testing',
			    'deploy-staging', 'deploy', 'done', 'cancelled')),
	stage_seq	INTEGER NOT NULL DEFAULT 1,	-- the CAS of R-10
	stage_since	INTEGER NOT NULL,
	round		INTEGER NOT NULL DEFAULT 0,	-- only grows
	rework		INTEGER NOT NULL DEFAULT 0,	-- the counter of R-2
	epoch		INTEGER NOT NULL DEFAULT 0,	-- last lease epoch
	branch		TEXT NOT NULL DEFAULT '',
	branch_round	INTEGER NOT NULL DEFAULT 0,	-- round that named it
	head		TEXT NOT NULL DEFAULT '',
	tree		TEXT NOT NULL DEFAULT '',	-- code tree of head
	published	TEXT NOT NULL DEFAULT '',	-- head in the forge
	landed		TEXT NOT NULL DEFAULT '',	-- merged commit
	landed_tree	TEXT NOT NULL DEFAULT '',
	previous	TEXT NOT NULL DEFAULT '',	-- target before it
	agent_due	INTEGER NOT NULL DEFAULT 0,
	feedback	TEXT NOT NULL DEFAULT '',	-- for the next run
	parked		TEXT NOT NULL DEFAULT ''
			    CHECK (parked IN ('', 'needs_input', 'blocked')),
	parked_reason	TEXT NOT NULL DEFAULT '',
	cancel_requested_at INTEGER,
	asked_gate	TEXT NOT NULL DEFAULT '',	-- what a person is asked
	asked_commit	TEXT NOT NULL DEFAULT '',
	asked_at	INTEGER,
	waits		TEXT NOT NULL DEFAULT '',
	why		TEXT NOT NULL DEFAULT '',
	drive_at	INTEGER,			-- look again then
	retries		INTEGER NOT NULL DEFAULT 0,	-- of infrastructure
	errors_from	INTEGER NOT NULL DEFAULT 0,	-- gate results up to it
						-- do not count as errors
	tracker_status	TEXT NOT NULL DEFAULT '',
	created_at	INTEGER NOT NULL
) STRICT;
CREATE INDEX task_stage ON task (project, stage);
CREATE INDEX task_drive ON task (drive_at) WHERE drive_at IS NOT NULL;

-- Append-only: no statement of orchd updates or deletes a row (a trigger
-- refuses it).
CREATE TABLE transition (
	id	INTEGER PRIMARY KEY,
	task	INTEGER NOT NULL REFERENCES task (id),
	seq	INTEGER NOT NULL,		-- stage_seq that it made
	from_stage TEXT NOT NULL,
	to_stage TEXT NOT NULL,
	actor	TEXT NOT NULL,
	epoch	INTEGER NOT NULL,
	reason	TEXT NOT NULL,
	at	INTEGER NOT NULL,
	UNIQUE (task, seq)			-- one move per sequence number
) STRICT;
CREATE TRIGGER transition_no_update BEFORE UPDATE ON transition
BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;
CREATE TRIGGER transition_no_delete BEFORE DELETE ON transition
BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;

CREATE TABLE dependency (
	task	INTEGER NOT NULL REFERENCES task (id),
	needs	INTEGER NOT NULL REFERENCES task (id),
	PRIMARY KEY (task, needs),
	CHECK (task <> needs)
) STRICT;

CREATE TABLE job (
	id		INTEGER PRIMARY KEY,
	task		INTEGER NOT NULL REFERENCES task (id),
	project		TEXT NOT NULL,
	kind		TEXT NOT NULL CHECK (kind IN ('agent', 'gate',
			    'import', 'clean', 'transition', 'hook',
			    'monitor', 'exec')),
	role		TEXT NOT NULL DEFAULT '',
	gate		TEXT NOT NULL DEFAULT '',
	work		TEXT NOT NULL DEFAULT '',	-- of a transition
	status		TEXT NOT NULL DEFAULT 'queued' CHECK (status IN
			    ('queued', 'running', 'done', 'failed',
			    'cancelled')),
	priority	INTEGER NOT NULL DEFAULT 0,
	attempt		INTEGER NOT NULL DEFAULT 0,	-- counted at claim
	transient	INTEGER NOT NULL DEFAULT 0,
	available_at	INTEGER NOT NULL,
	created_at	INTEGER NOT NULL,
	ended_at	INTEGER,
	stage_seq	INTEGER NOT NULL,
	commit_id	TEXT NOT NULL DEFAULT '',
	for_run		INTEGER NOT NULL DEFAULT 0, -- import: the agent's run;
						-- gate: the worker's run
	args		TEXT NOT NULL DEFAULT '',	-- NAME=value, by kind
	reason		TEXT NOT NULL DEFAULT ''
) STRICT;
-- The claim query: without this index the queue is read whole.
CREATE INDEX job_ready ON job (priority DESC, created_at, id)
	WHERE status = 'queued';
CREATE INDEX job_task ON job (task, status);
-- One agent at a time works on a task, and one transition.
CREATE UNIQUE INDEX job_one_agent ON job (task)
	WHERE kind = 'agent' AND status IN ('queued', 'running');
CREATE UNIQUE INDEX job_one_transition ON job (task)
	WHERE kind = 'transition' AND status IN ('queued', 'running');
CREATE UNIQUE INDEX job_one_import ON job (for_run)
	WHERE kind = 'import' AND status <> 'cancelled';

CREATE TABLE run (
	id		INTEGER PRIMARY KEY AUTOINCREMENT, -- never reused
	job		INTEGER NOT NULL REFERENCES job (id),
	task		INTEGER NOT NULL REFERENCES task (id),
	kind		TEXT NOT NULL,
	role		TEXT NOT NULL DEFAULT '',
	gate		TEXT NOT NULL DEFAULT '',
	work		TEXT NOT NULL DEFAULT '',
	status		TEXT NOT NULL DEFAULT 'starting' CHECK (status IN
			    ('starting', 'running', 'exited', 'done',
			    'lost')),
	key_hash	TEXT NOT NULL,
	ident		TEXT NOT NULL DEFAULT '',	-- libcommon/ident.h
	attempt		INTEGER NOT NULL DEFAULT 0,
	stage_seq	INTEGER NOT NULL,
	base		TEXT NOT NULL DEFAULT '',
	started_at	INTEGER NOT NULL,
	go_at		INTEGER,
	exited_at	INTEGER,
	ended_at	INTEGER,
	exit_code	INTEGER,
	signal		INTEGER,
	timed_out	INTEGER NOT NULL DEFAULT 0,
	reason		TEXT NOT NULL DEFAULT '',
	tokens_in	INTEGER NOT NULL DEFAULT 0,
	tokens_out	INTEGER NOT NULL DEFAULT 0,
	cost_micros	INTEGER NOT NULL DEFAULT 0,
	session		TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX run_live ON run (status)
	WHERE status IN ('starting', 'running', 'exited');
CREATE INDEX run_task ON run (task);
-- One live run a job.
CREATE UNIQUE INDEX run_one_live ON run (job)
	WHERE status IN ('starting', 'running', 'exited');

-- Who is inside the side-effectful part of a task's transition.  The primary
-- key is the rule: one live owner a task.
CREATE TABLE lease (
	task	INTEGER PRIMARY KEY REFERENCES task (id),
	run	INTEGER NOT NULL REFERENCES run (id),
	epoch	INTEGER NOT NULL,
	work	TEXT NOT NULL,
	gate	TEXT NOT NULL DEFAULT '',	-- evaluated at the moment
	released INTEGER NOT NULL DEFAULT 0,	-- by a person: its run is fenced
	since	INTEGER NOT NULL
) STRICT;

-- One landing a repository at a time; owned under a transition lease.
CREATE TABLE merge_lease (
	project	TEXT PRIMARY KEY,
	task	INTEGER NOT NULL UNIQUE REFERENCES task (id),
	epoch	INTEGER NOT NULL,
	since	INTEGER NOT NULL
) STRICT;

-- The journal of irreversible effects (R-15): one row a key.
CREATE TABLE effect (
	id	INTEGER PRIMARY KEY,
	task	INTEGER NOT NULL REFERENCES task (id),
	name	TEXT NOT NULL,
	key	TEXT NOT NULL UNIQUE,
	class	INTEGER NOT NULL CHECK (class BETWEEN 1 AND 4),
	state	TEXT NOT NULL CHECK (state IN ('intent', 'done', 'conflict',
		    'failed')),
	epoch	INTEGER NOT NULL,		-- of the last writer
	evidence TEXT NOT NULL DEFAULT '',
	at	INTEGER NOT NULL
) STRICT;
CREATE INDEX effect_task ON effect (task);

CREATE TABLE gate_result (
	id		INTEGER PRIMARY KEY,
	task		INTEGER NOT NULL REFERENCES task (id),
	round		INTEGER NOT NULL,
	stage_seq	INTEGER NOT NULL,
	gate		TEXT NOT NULL,
	commit_id	TEXT NOT NULL,		-- what was judged
	tree		TEXT NOT NULL DEFAULT '',
	verdict		TEXT NOT NULL CHECK (verdict IN ('pass', 'fail',
			    'wait', 'error')),
	cause		INTEGER NOT NULL DEFAULT 0,
	reason		TEXT NOT NULL DEFAULT '',
	run		INTEGER NOT NULL DEFAULT 0,
	started_at	INTEGER NOT NULL,
	duration_ms	INTEGER NOT NULL DEFAULT 0,
	text		TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX gate_result_task ON gate_result (task, gate, id);

CREATE TABLE approval (
	id	INTEGER PRIMARY KEY,
	task	INTEGER NOT NULL REFERENCES task (id),
	stage_seq INTEGER NOT NULL,
	gate	TEXT NOT NULL,
	decision TEXT NOT NULL CHECK (decision IN ('approved', 'rejected')),
	actor	TEXT NOT NULL,
	commit_id TEXT NOT NULL,
	text	TEXT NOT NULL DEFAULT '',
	at	INTEGER NOT NULL
) STRICT;
CREATE INDEX approval_task ON approval (task, id);

-- Pull requests of the local forge: the row is the pull request.
CREATE TABLE pull (
	number	INTEGER PRIMARY KEY,
	task	INTEGER NOT NULL REFERENCES task (id),
	project	TEXT NOT NULL,
	branch	TEXT NOT NULL,
	target	TEXT NOT NULL,
	title	TEXT NOT NULL,
	head	TEXT NOT NULL,
	landed	TEXT NOT NULL DEFAULT '',
	state	TEXT NOT NULL CHECK (state IN ('open', 'merged', 'closed')),
	at	INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX pull_one_open ON pull (project, branch)
	WHERE state = 'open';

-- One row a deploy; the hook's start is on record before it runs.
CREATE TABLE deploy (
	id	INTEGER PRIMARY KEY,
	task	INTEGER NOT NULL REFERENCES task (id),
	project	TEXT NOT NULL,
	stage_seq INTEGER NOT NULL,
	key	TEXT NOT NULL UNIQUE,		-- of the effect
	job	INTEGER NOT NULL REFERENCES job (id),
	revision TEXT NOT NULL,
	tree	TEXT NOT NULL,
	previous TEXT NOT NULL,
	exit_code INTEGER,			-- NULL: not ended
	evidence TEXT NOT NULL DEFAULT '',
	started_at INTEGER NOT NULL,
	ended_at INTEGER,
	UNIQUE (task, stage_seq)
) STRICT;
-- One deploy a project at a time.
CREATE UNIQUE INDEX deploy_one ON deploy (project) WHERE exit_code IS NULL;

CREATE TABLE record (
	id	INTEGER PRIMARY KEY,
	task	INTEGER NOT NULL REFERENCES task (id),
	round	INTEGER NOT NULL,
	name	TEXT NOT NULL,
	text	TEXT NOT NULL,
	at	INTEGER NOT NULL,
	UNIQUE (task, round, name)
) STRICT;

CREATE TABLE baseline (
	project	TEXT PRIMARY KEY,
	percent	REAL NOT NULL,
	commit_id TEXT NOT NULL,
	at	INTEGER NOT NULL
) STRICT;

CREATE TABLE outbox (
	id	INTEGER PRIMARY KEY,
	dest	TEXT NOT NULL,
	task	INTEGER REFERENCES task (id),
	kind	TEXT NOT NULL,
	key	TEXT NOT NULL UNIQUE,
	text	TEXT NOT NULL,
	state	TEXT NOT NULL DEFAULT 'pending'
		    CHECK (state IN ('pending', 'done', 'parked')),
	attempts INTEGER NOT NULL DEFAULT 0,
	available_at INTEGER NOT NULL,
	error	TEXT NOT NULL DEFAULT '',
	at	INTEGER NOT NULL
) STRICT;
CREATE INDEX outbox_due ON outbox (dest, id) WHERE state = 'pending';

-- The local tracker.
CREATE TABLE item (
	task	INTEGER PRIMARY KEY REFERENCES task (id),
	status	TEXT NOT NULL,
	at	INTEGER NOT NULL
) STRICT;
CREATE TABLE item_comment (
	id	INTEGER PRIMARY KEY,
	task	INTEGER NOT NULL REFERENCES task (id),
	key	TEXT NOT NULL UNIQUE,
	author	TEXT NOT NULL,
	text	TEXT NOT NULL,
	at	INTEGER NOT NULL
) STRICT;

CREATE TABLE event (
	id	INTEGER PRIMARY KEY,
	source	TEXT NOT NULL,
	delivery TEXT NOT NULL,
	kind	TEXT NOT NULL,
	sha256	TEXT NOT NULL,
	body	BLOB NOT NULL,
	at	INTEGER NOT NULL,
	UNIQUE (source, delivery),
	UNIQUE (source, sha256)		-- the id is not signed, the body is
) STRICT;

CREATE TABLE alert (
	id	INTEGER PRIMARY KEY,
	kind	TEXT NOT NULL,
	subject	TEXT NOT NULL,
	text	TEXT NOT NULL,
	since	INTEGER NOT NULL,
	count	INTEGER NOT NULL DEFAULT 1,
	cleared_at INTEGER
) STRICT;
CREATE UNIQUE INDEX alert_open ON alert (kind, subject)
	WHERE cleared_at IS NULL;

CREATE TABLE counter (
	name	TEXT PRIMARY KEY,
	value	INTEGER NOT NULL
) STRICT;
CREATE TABLE setting (
	name	TEXT PRIMARY KEY,
	value	TEXT NOT NULL
) STRICT;
