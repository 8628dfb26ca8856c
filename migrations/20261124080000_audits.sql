-- What the tracer saw of judgements under ptrace: which blobs hold it, and the calls to be searched.

CREATE TABLE audits (
    judgement_id uuid PRIMARY KEY REFERENCES judgements,
    -- The one that decided.
    attempt integer NOT NULL CHECK (attempt > 0),
    -- As the submission has them: what is usual is asked by them.
    problem_id uuid NOT NULL REFERENCES problems,
    language_id text NOT NULL REFERENCES languages,
    -- Different calls that did not fit into the report.
    calls_dropped bigint NOT NULL CHECK (calls_dropped >= 0),
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX audits_language ON audits (language_id, judgement_id DESC);
CREATE INDEX audits_age ON audits (created_at);

CREATE TABLE audit_runs (
    judgement_id uuid NOT NULL REFERENCES audits ON DELETE CASCADE,
    ordinal integer NOT NULL CHECK (ordinal >= 0),
    testcase text NOT NULL,
    pass integer NOT NULL CHECK (pass > 0),
    -- A blob of the store of audits, which is not that of packages and sources.
    sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
    size_bytes bigint NOT NULL CHECK (size_bytes >= 0),
    PRIMARY KEY (judgement_id, ordinal)
);

CREATE INDEX audit_runs_blob ON audit_runs (sha256);

-- The calls of a judgement's runs, alike ones once.
CREATE TABLE audit_calls (
    judgement_id uuid NOT NULL REFERENCES audits ON DELETE CASCADE,
    ordinal integer NOT NULL CHECK (ordinal >= 0),
    syscall text NOT NULL,
    path text,
    decision text NOT NULL CHECK (decision IN ('kill', 'observe', 'deny', 'allow')),
    rule text NOT NULL,
    times bigint NOT NULL CHECK (times > 0),
    testcase text NOT NULL,
    PRIMARY KEY (judgement_id, ordinal)
);

CREATE INDEX audit_calls_syscall ON audit_calls (syscall, judgement_id DESC);
-- For a path and all below it.
CREATE INDEX audit_calls_path ON audit_calls (path text_pattern_ops) WHERE path IS NOT NULL;
CREATE INDEX audit_calls_refused ON audit_calls (judgement_id DESC) WHERE decision <> 'allow';
