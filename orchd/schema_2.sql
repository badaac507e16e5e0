-- The step from version 1 of the engine's database to version 2.

-- Effects that nobody can tell the end of, and rollbacks.

-- What an operator decided about one (append-only): history, with the actor.
CREATE TABLE settlement (
	id	INTEGER PRIMARY KEY,
	task	INTEGER NOT NULL REFERENCES task (id),
	key	TEXT NOT NULL,			-- of the effect
	outcome	TEXT NOT NULL CHECK (outcome IN ('done', 'failed', 'retry')),
	actor	TEXT NOT NULL,
	reason	TEXT NOT NULL,
	at	INTEGER NOT NULL
) STRICT;
CREATE INDEX settlement_task ON settlement (task);
CREATE TRIGGER settlement_no_update BEFORE UPDATE ON settlement
BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;
CREATE TRIGGER settlement_no_delete BEFORE DELETE ON settlement
BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;

-- A rollback is a deploy of what served before; doubt_at: its wrapper was
-- killed before it wrote down who the hook is.
ALTER TABLE deploy ADD COLUMN kind TEXT NOT NULL DEFAULT 'deploy'
	CHECK (kind IN ('deploy', 'rollback'));
ALTER TABLE deploy ADD COLUMN doubt_at INTEGER;

-- A commit that was rolled back (R-86), one a task.  frozen: no deploy of the
-- project until an operator resumes it; cleared_at: this commit may be
-- deployed again.
CREATE TABLE quarantine (
	id	INTEGER PRIMARY KEY,
	task	INTEGER NOT NULL UNIQUE REFERENCES task (id),
	project	TEXT NOT NULL,
	commit_id TEXT NOT NULL,
	previous TEXT NOT NULL,			-- what is served instead
	state	TEXT NOT NULL DEFAULT 'due'	-- of its rollback
		    CHECK (state IN ('due', 'ended', 'recorded')),
	reason	TEXT NOT NULL,			-- the measurements
	after	INTEGER NOT NULL,		-- last deploy row before it
	frozen	INTEGER NOT NULL DEFAULT 1,
	at	INTEGER NOT NULL,
	cleared_at INTEGER,
	resumed_by TEXT NOT NULL DEFAULT '',
	resumed_why TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX quarantine_project ON quarantine (project);

-- What a forge made of a merge itself and nobody has tested (R-24): no other
-- task of the project lands until it is.
CREATE TABLE untested (
	project	TEXT PRIMARY KEY,
	task	INTEGER NOT NULL REFERENCES task (id),
	commit_id TEXT NOT NULL,		-- what landed
	merged	TEXT NOT NULL,			-- the head that was tested
	at	INTEGER NOT NULL
) STRICT;

-- What the staged artifact says it was built from (R-28); '' nothing.
ALTER TABLE gate_result ADD COLUMN image_commit TEXT NOT NULL DEFAULT '';
ALTER TABLE gate_result ADD COLUMN image_tree TEXT NOT NULL DEFAULT '';

-- When the owner of a lease was last heard of inside it, and when it was asked
-- to give its merge lane back.
ALTER TABLE lease ADD COLUMN active_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE lease ADD COLUMN asked_at INTEGER;

-- What the reaper wants of a run (R-50), and since when: 1 its end waits for
-- the owner of its task's lease, 2 it was asked to end, 3 past the ceiling.
ALTER TABLE run ADD COLUMN reap INTEGER NOT NULL DEFAULT 0
	CHECK (reap BETWEEN 0 AND 3);
ALTER TABLE run ADD COLUMN reap_at INTEGER;

-- What verdicts belong to (R-80): the artifacts that a gate or a person judged,
-- by a hash over their paths and blobs; '' is not known, and equals nothing.
ALTER TABLE gate_result ADD COLUMN artifacts TEXT NOT NULL DEFAULT '';
ALTER TABLE approval ADD COLUMN round INTEGER NOT NULL DEFAULT 0;
ALTER TABLE approval ADD COLUMN tree TEXT NOT NULL DEFAULT '';
ALTER TABLE approval ADD COLUMN artifacts TEXT NOT NULL DEFAULT '';
-- A person was asked after a gate of the same stage.
UPDATE approval SET round = ifnull((SELECT max(g.round) FROM gate_result g
	WHERE g.task = approval.task AND g.stage_seq = approval.stage_seq),
	(SELECT t.round FROM task t WHERE t.id = approval.task)),
	tree = ifnull((SELECT max(g.tree) FROM gate_result g
	WHERE g.task = approval.task AND g.commit_id = approval.commit_id), '');
-- Those of the task's head, by the role that writes them.
CREATE TABLE artifact (
	task	INTEGER NOT NULL REFERENCES task (id),
	role	TEXT NOT NULL,
	hash	TEXT NOT NULL,
	PRIMARY KEY (task, role)
) STRICT;

-- Tasks of a tracker elsewhere: its id of the item, and the status that was
-- acted on last, so that one that is seen again does nothing again.
ALTER TABLE task ADD COLUMN item TEXT NOT NULL DEFAULT '';
ALTER TABLE task ADD COLUMN item_status TEXT NOT NULL DEFAULT '';
ALTER TABLE task ADD COLUMN item_ms INTEGER NOT NULL DEFAULT 0;
CREATE UNIQUE INDEX task_item ON task (project, item) WHERE item <> '';
-- The item of a cancelled task that another task was begun for.
ALTER TABLE task ADD COLUMN item_was TEXT NOT NULL DEFAULT '';
CREATE INDEX task_item_was ON task (project, item_was) WHERE item_was <> '';

-- Pull requests of a forge elsewhere, as they were seen last.
CREATE TABLE pull_seen (
	project	TEXT NOT NULL,
	branch	TEXT NOT NULL,
	number	INTEGER NOT NULL,
	state	INTEGER NOT NULL,		-- enum orch_pull_state
	head	TEXT NOT NULL,
	landed	TEXT NOT NULL,
	page	TEXT NOT NULL,
	at	INTEGER NOT NULL,
	PRIMARY KEY (project, branch)
) STRICT;

-- What CI of a forge said of a commit last; since: that it says so.
CREATE TABLE ci (
	project	TEXT NOT NULL,
	commit_id TEXT NOT NULL,
	state	INTEGER NOT NULL,		-- enum orch_ci
	text	TEXT NOT NULL,
	at	INTEGER NOT NULL,
	PRIMARY KEY (project, commit_id)
) STRICT;

-- Of a review at a forge: its id there; void: it was dismissed since.
ALTER TABLE approval ADD COLUMN review INTEGER NOT NULL DEFAULT 0;
ALTER TABLE approval ADD COLUMN void INTEGER NOT NULL DEFAULT 0;

-- Reviews of a forge that were acted on, once each; approved: enum orch_review.
CREATE TABLE review (
	project	TEXT NOT NULL,
	id	INTEGER NOT NULL,
	task	INTEGER NOT NULL REFERENCES task (id),
	approved INTEGER NOT NULL,
	author	TEXT NOT NULL,
	commit_id TEXT NOT NULL,
	at	INTEGER NOT NULL,
	PRIMARY KEY (project, id, approved)
) STRICT;

-- Whether the mirror has the forge's branches as of now: the next agent of a
-- project whose forge is elsewhere starts on nothing older.
ALTER TABLE task ADD COLUMN fetched INTEGER NOT NULL DEFAULT 0;

-- What a message is about beside its task: the project of one without a task,
-- the branch whose pull request is commented, the commit of a status.
ALTER TABLE outbox ADD COLUMN project TEXT NOT NULL DEFAULT '';
ALTER TABLE outbox ADD COLUMN branch TEXT NOT NULL DEFAULT '';
ALTER TABLE outbox ADD COLUMN commit_id TEXT NOT NULL DEFAULT '';
-- How often what it says was refused, whatever else failed in between.
ALTER TABLE outbox ADD COLUMN refused INTEGER NOT NULL DEFAULT 0;
-- Is there an older one of the same task?  Asked of each that is due.
CREATE INDEX outbox_order ON outbox (dest, task, id) WHERE state = 'pending';

-- When people were told of it last (watch_cooldown_s); NULL: not yet.
ALTER TABLE alert ADD COLUMN told_at INTEGER;
CREATE INDEX alert_told ON alert (kind, subject);

-- What a delivery is about, so that it can be looked at again (R-97): in the
-- words of its source, and as a project of the configuration.  told: what it
-- is about was looked at; kept: nobody was there to look, the next poll does;
-- ignored: no project is it, or it is about nothing.
ALTER TABLE event ADD COLUMN about TEXT NOT NULL DEFAULT '';
ALTER TABLE event ADD COLUMN object TEXT NOT NULL DEFAULT '';
ALTER TABLE event ADD COLUMN project TEXT NOT NULL DEFAULT '';
ALTER TABLE event ADD COLUMN state TEXT NOT NULL DEFAULT 'ignored'
	CHECK (state IN ('told', 'kept', 'ignored'));
CREATE INDEX event_at ON event (at);
CREATE INDEX event_source ON event (source, at);
-- Who had it done again.
CREATE TABLE event_replay (
	id	INTEGER PRIMARY KEY,
	event	INTEGER NOT NULL REFERENCES event (id),
	actor	TEXT NOT NULL,
	state	TEXT NOT NULL,			-- what came of it
	at	INTEGER NOT NULL
) STRICT;
CREATE INDEX event_replay_event ON event_replay (event);

-- How long tasks have waited, by what they waited for (R-89).  Whoever changes
-- task.waits says when in waits_since.
ALTER TABLE task ADD COLUMN waits_since INTEGER NOT NULL DEFAULT 0;
CREATE TABLE waited (
	task	INTEGER NOT NULL REFERENCES task (id),
	waits	TEXT NOT NULL,
	ms	INTEGER NOT NULL,
	PRIMARY KEY (task, waits)
) STRICT;
CREATE TRIGGER task_waited AFTER UPDATE OF waits ON task
WHEN OLD.waits <> NEW.waits AND OLD.waits NOT IN ('', 'run')
	AND OLD.waits_since > 0
BEGIN
	INSERT INTO waited (task, waits, ms) VALUES (OLD.id, OLD.waits,
		max(0, NEW.waits_since - OLD.waits_since))
	ON CONFLICT (task, waits) DO UPDATE SET ms = ms + excluded.ms;
END;

-- What is counted whenever somebody looks.
CREATE INDEX job_counted ON job (status, kind);
CREATE INDEX job_ended ON job (ended_at DESC, id DESC)
	WHERE ended_at IS NOT NULL;
CREATE INDEX effect_counted ON effect (name, class, state);
CREATE INDEX outbox_counted ON outbox (state, dest);
CREATE INDEX outbox_delivered ON outbox (at) WHERE state = 'done';
CREATE INDEX alert_cleared ON alert (cleared_at) WHERE cleared_at IS NOT NULL;

-- Totals of tables that only grow, kept beside them: who asks for them does
-- not read those tables whole.
CREATE TABLE total (
	name	TEXT NOT NULL,
	a	TEXT NOT NULL,
	b	TEXT NOT NULL DEFAULT '',
	c	TEXT NOT NULL DEFAULT '',
	value	INTEGER NOT NULL,
	PRIMARY KEY (name, a, b, c)
) STRICT, WITHOUT ROWID;
INSERT INTO total SELECT 'transition', t.project, r.from_stage, r.to_stage,
	count(*) FROM transition r JOIN task t ON t.id = r.task GROUP BY 2, 3, 4;
CREATE TRIGGER transition_total AFTER INSERT ON transition
BEGIN
	INSERT INTO total SELECT 'transition', project, NEW.from_stage,
		NEW.to_stage, 1 FROM task WHERE id = NEW.task
	ON CONFLICT DO UPDATE SET value = value + 1;
END;
INSERT INTO total SELECT 'gate', t.project, g.gate, g.verdict, count(*)
	FROM gate_result g JOIN task t ON t.id = g.task GROUP BY 2, 3, 4;
CREATE TRIGGER gate_total AFTER INSERT ON gate_result
BEGIN
	INSERT INTO total SELECT 'gate', project, NEW.gate, NEW.verdict, 1
		FROM task WHERE id = NEW.task
	ON CONFLICT DO UPDATE SET value = value + 1;
END;
INSERT INTO total SELECT 'job', kind, status, '', count(*) FROM job
	WHERE status NOT IN ('queued', 'running') GROUP BY 2, 3;
CREATE TRIGGER job_total AFTER UPDATE OF status ON job
WHEN OLD.status IN ('queued', 'running')
	AND NEW.status NOT IN ('queued', 'running')
BEGIN
	INSERT INTO total VALUES ('job', NEW.kind, NEW.status, '', 1)
	ON CONFLICT DO UPDATE SET value = value + 1;
END;
INSERT INTO total SELECT 'transient', '', '', '', ifnull(sum(transient), 0)
	FROM job;
CREATE TRIGGER transient_total AFTER UPDATE OF transient ON job
WHEN NEW.transient > OLD.transient
BEGIN
	INSERT INTO total VALUES ('transient', '', '', '',
		NEW.transient - OLD.transient)
	ON CONFLICT DO UPDATE SET value = value + excluded.value;
END;
INSERT INTO total SELECT 'delivered', dest, '', '', count(*) FROM outbox
	WHERE state = 'done' GROUP BY 2;
CREATE TRIGGER outbox_total AFTER UPDATE OF state ON outbox
WHEN OLD.state = 'pending' AND NEW.state = 'done'
BEGIN
	INSERT INTO total VALUES ('delivered', NEW.dest, '', '', 1)
	ON CONFLICT DO UPDATE SET value = value + 1;
END;
INSERT INTO total SELECT 'run', kind, role, status, count(*) FROM run
	WHERE ended_at IS NOT NULL GROUP BY 2, 3, 4;
INSERT INTO total SELECT 'run_ms', kind, role, '',
	sum(max(0, ended_at - started_at)) FROM run
	WHERE ended_at IS NOT NULL GROUP BY 2, 3;
CREATE TRIGGER run_total AFTER UPDATE OF ended_at ON run
WHEN OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL
BEGIN
	INSERT INTO total VALUES ('run', NEW.kind, NEW.role, NEW.status, 1)
	ON CONFLICT DO UPDATE SET value = value + 1;
	INSERT INTO total VALUES ('run_ms', NEW.kind, NEW.role, '',
		max(0, NEW.ended_at - NEW.started_at))
	ON CONFLICT DO UPDATE SET value = value + excluded.value;
END;
INSERT INTO total SELECT 'tokens', t.project, r.role, 'in', sum(r.tokens_in)
	FROM run r JOIN task t ON t.id = r.task WHERE r.tokens_in > 0
	GROUP BY 2, 3;
INSERT INTO total SELECT 'tokens', t.project, r.role, 'out', sum(r.tokens_out)
	FROM run r JOIN task t ON t.id = r.task WHERE r.tokens_out > 0
	GROUP BY 2, 3;
INSERT INTO total SELECT 'cost', t.project, r.role, '', sum(r.cost_micros)
	FROM run r JOIN task t ON t.id = r.task WHERE r.cost_micros > 0
	GROUP BY 2, 3;
-- What a run says it has used only grows.
CREATE TRIGGER usage_total AFTER UPDATE OF tokens_in, tokens_out, cost_micros
ON run WHEN NEW.tokens_in > OLD.tokens_in OR NEW.tokens_out > OLD.tokens_out
	OR NEW.cost_micros > OLD.cost_micros
BEGIN
	INSERT INTO total SELECT 'tokens', project, NEW.role, 'in',
		max(0, NEW.tokens_in - OLD.tokens_in)
		FROM task WHERE id = NEW.task
	ON CONFLICT DO UPDATE SET value = value + excluded.value;
	INSERT INTO total SELECT 'tokens', project, NEW.role, 'out',
		max(0, NEW.tokens_out - OLD.tokens_out)
		FROM task WHERE id = NEW.task
	ON CONFLICT DO UPDATE SET value = value + excluded.value;
	INSERT INTO total SELECT 'cost', project, NEW.role, '',
		max(0, NEW.cost_micros - OLD.cost_micros)
		FROM task WHERE id = NEW.task
	ON CONFLICT DO UPDATE SET value = value + excluded.value;
END;
