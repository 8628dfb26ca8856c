-- Judgements, their runs, and the outbox that asks workers for them.

CREATE TABLE judgements (
    id uuid PRIMARY KEY,
    submission_id uuid NOT NULL REFERENCES submissions,
    package_id uuid NOT NULL REFERENCES packages,
    -- The one that counts. A rejudging makes further judgements beside it and switches when it is applied.
    is_current boolean NOT NULL,
    lane text NOT NULL CHECK (lane IN ('live', 'flagged', 'rejudge')),
    sandbox_mode text NOT NULL CHECK (sandbox_mode IN ('unshare', 'ptrace')),
    sandbox_reason text NOT NULL,
    state text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'done', 'error')),
    -- The fencing token: a report of another attempt moves nothing.
    attempt integer NOT NULL DEFAULT 1 CHECK (attempt > 0),
    -- Attempts that were lost or ended in a judging error. Attempts handed back are not among them.
    failures integer NOT NULL DEFAULT 0 CHECK (failures >= 0 AND failures <= attempt),
    -- Why the latest such attempt failed.
    last_failure text,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- Of the current attempt: when it was asked for, when the broker confirmed its task, when a worker took it up.
    queued_at timestamptz NOT NULL DEFAULT now(),
    dispatched_at timestamptz,
    started_at timestamptz,
    finished_at timestamptz,
    -- No reference: reports overtake each other, and a worker's first task may arrive before its registration.
    worker_id uuid,
    lease_until timestamptz,
    testcases_done integer NOT NULL DEFAULT 0 CHECK (testcases_done >= 0),
    testcases_total integer NOT NULL CHECK (testcases_total > 0),
    verdict text CHECK (verdict IN ('AC', 'WA', 'PE', 'TLE', 'MLE', 'OLE', 'RTE', 'SV', 'CE')),
    error text,
    compile jsonb,
    max_cpu_time_ms bigint CHECK (max_cpu_time_ms >= 0),
    max_memory_bytes bigint CHECK (max_memory_bytes >= 0),
    -- Provenance, beside package, sandbox and worker.
    worker_version text,
    compiler_version text,
    CONSTRAINT judgements_verdict_when_done CHECK ((state = 'done') = (verdict IS NOT NULL)),
    CONSTRAINT judgements_error_when_error CHECK ((state = 'error') = (error IS NOT NULL)),
    CONSTRAINT judgements_finished_when_final CHECK ((state IN ('done', 'error')) = (finished_at IS NOT NULL)),
    CONSTRAINT judgements_lease_when_running CHECK ((state = 'running') = (lease_until IS NOT NULL)),
    CONSTRAINT judgements_started_when_running
        CHECK (state <> 'running' OR (started_at IS NOT NULL AND worker_id IS NOT NULL)),
    CONSTRAINT judgements_fresh_when_queued
        CHECK (state <> 'queued' OR (started_at IS NULL AND worker_id IS NULL AND testcases_done = 0)),
    CONSTRAINT judgements_compile_when_done CHECK ((state = 'done') = (compile IS NOT NULL)),
    CONSTRAINT judgements_progress CHECK (testcases_done <= testcases_total)
);

CREATE UNIQUE INDEX judgements_one_current ON judgements (submission_id) WHERE is_current;
CREATE INDEX judgements_submission ON judgements (submission_id);
-- What the reconciler looks for: a few rows among many finished ones.
CREATE INDEX judgements_lease ON judgements (lease_until) WHERE state = 'running';
CREATE INDEX judgements_queued ON judgements (lane, (COALESCE(dispatched_at, queued_at))) WHERE state = 'queued';
CREATE INDEX judgements_started ON judgements (lane, started_at DESC) WHERE started_at IS NOT NULL;

-- Runs of the attempt that decided. The attempt is part of the key as a second line of defence: even without the
-- guarded update two reports of one attempt could not both be stored.
CREATE TABLE runs (
    judgement_id uuid NOT NULL REFERENCES judgements,
    attempt integer NOT NULL CHECK (attempt > 0),
    ordinal integer NOT NULL CHECK (ordinal >= 0),
    testcase text NOT NULL,
    verdict text NOT NULL CHECK (verdict IN ('AC', 'WA', 'PE', 'TLE', 'MLE', 'OLE', 'RTE', 'SV', 'CE')),
    cpu_time_ms bigint NOT NULL CHECK (cpu_time_ms >= 0),
    wall_time_ms bigint NOT NULL CHECK (wall_time_ms >= 0),
    memory_bytes bigint NOT NULL CHECK (memory_bytes >= 0),
    exit_how text NOT NULL CHECK (exit_how IN ('exited', 'signalled', 'killed')),
    -- The exit code or the signal's number.
    exit_value integer,
    kill_cause text CHECK (
        kill_cause IN ('cpu_time', 'wall_time', 'memory', 'output', 'processes', 'policy', 'cancelled')
    ),
    message text,
    PRIMARY KEY (judgement_id, attempt, ordinal),
    CONSTRAINT runs_value_unless_killed CHECK ((exit_how = 'killed') = (exit_value IS NULL))
);

-- Tasks to be published. A row goes when the broker has confirmed its task. It only names the attempt: the task
-- itself is put together when it is published, so that its form is that of the scheduler that publishes it.
CREATE TABLE outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    judgement_id uuid NOT NULL REFERENCES judgements,
    attempt integer NOT NULL CHECK (attempt > 0),
    lane text NOT NULL CHECK (lane IN ('live', 'flagged', 'rejudge')),
    created_at timestamptz NOT NULL DEFAULT now(),
    not_before timestamptz NOT NULL DEFAULT now(),
    UNIQUE (judgement_id, attempt)
);

CREATE INDEX outbox_order ON outbox (lane, id);
