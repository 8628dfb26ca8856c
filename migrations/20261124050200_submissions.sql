-- What teams sent.

CREATE TABLE submissions (
    -- UUID version 7: sorts by time.
    id uuid PRIMARY KEY,
    problem_id uuid NOT NULL REFERENCES problems,
    language_id text NOT NULL REFERENCES languages,
    entry_point text,
    contest text,
    team text,
    -- Why it is suspicious, if it is.
    flag text,
    submitted_at timestamptz NOT NULL DEFAULT now(),
    submitted_by uuid NOT NULL REFERENCES tokens,
    idempotency_key text CHECK (idempotency_key <> ''),
    -- Of the request that the key came with: the same key with another request is a client's mistake.
    request_sha256 bytea CHECK (octet_length(request_sha256) = 32),
    CONSTRAINT submissions_idempotency_key_with_hash CHECK ((idempotency_key IS NULL) = (request_sha256 IS NULL)),
    CONSTRAINT submissions_idempotency UNIQUE (submitted_by, idempotency_key)
);

CREATE INDEX submissions_problem ON submissions (problem_id, id DESC);
CREATE INDEX submissions_team ON submissions (team, id DESC) WHERE team IS NOT NULL;
CREATE INDEX submissions_contest ON submissions (contest, id DESC) WHERE contest IS NOT NULL;

CREATE TABLE submission_files (
    submission_id uuid NOT NULL REFERENCES submissions,
    ordinal integer NOT NULL CHECK (ordinal >= 0),
    -- A plain name: the API refuses others, and so does this.
    name text NOT NULL CHECK (name ~ '^[A-Za-z0-9_][A-Za-z0-9_.+-]{0,254}$'),
    sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
    size_bytes bigint NOT NULL CHECK (size_bytes >= 0),
    PRIMARY KEY (submission_id, ordinal),
    UNIQUE (submission_id, name)
);
