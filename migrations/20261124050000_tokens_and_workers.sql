-- Who may call the API, and who judges.

CREATE TABLE tokens (
    id uuid PRIMARY KEY,
    name text NOT NULL CHECK (name <> ''),
    -- The secret itself is shown once, at creation, and kept nowhere.
    secret_sha256 bytea NOT NULL CHECK (octet_length(secret_sha256) = 32),
    scopes text[] NOT NULL
        CHECK (scopes <@ ARRAY['admin', 'read', 'submit', 'worker'] AND cardinality(scopes) > 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz
);

-- One row per start of a worker daemon, kept for good: a judgement's provenance leads here.
CREATE TABLE workers (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    version text NOT NULL,
    slots integer NOT NULL CHECK (slots > 0),
    lanes text[] NOT NULL,
    -- [{"id": "cpp20", "version": "g++ 12.2.0"}, …] as the worker found them.
    languages jsonb NOT NULL,
    registered_at timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now(),
    stopped_at timestamptz
);

CREATE INDEX workers_last_seen ON workers (last_seen_at DESC);
