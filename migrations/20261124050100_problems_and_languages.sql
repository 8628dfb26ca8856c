-- What can be submitted to, and in which languages.

CREATE TABLE problems (
    id uuid PRIMARY KEY,
    short_name text NOT NULL UNIQUE CHECK (short_name ~ '^[a-z0-9][a-z0-9_-]{0,63}$'),
    created_at timestamptz NOT NULL DEFAULT now()
);

-- The versions of a problem's package: never changed, never deleted. What may change is which one is current.
CREATE TABLE packages (
    id uuid PRIMARY KEY,
    problem_id uuid NOT NULL REFERENCES problems,
    version integer NOT NULL CHECK (version > 0),
    -- Over the files' names and contents: tells versions apart, however they were zipped.
    content_hash bytea NOT NULL CHECK (octet_length(content_hash) = 32),
    -- The blob that workers fetch.
    archive_sha256 bytea NOT NULL CHECK (octet_length(archive_sha256) = 32),
    archive_bytes bigint NOT NULL CHECK (archive_bytes > 0),
    name text NOT NULL,
    time_limit_us bigint NOT NULL CHECK (time_limit_us > 0),
    memory_limit_bytes bigint NOT NULL CHECK (memory_limit_bytes > 0),
    code_limit_bytes bigint NOT NULL CHECK (code_limit_bytes > 0),
    testcases integer NOT NULL CHECK (testcases > 0),
    -- Language codes of the package format that submissions may be written in; all when null.
    language_codes text[],
    is_current boolean NOT NULL,
    imported_at timestamptz NOT NULL DEFAULT now(),
    imported_by uuid REFERENCES tokens,
    UNIQUE (problem_id, version),
    UNIQUE (problem_id, content_hash)
);

CREATE UNIQUE INDEX packages_one_current ON packages (problem_id) WHERE is_current;

-- The languages that the latest started scheduler was configured with. Those of earlier days stay, disabled, because
-- submissions refer to them.
CREATE TABLE languages (
    id text PRIMARY KEY CHECK (id <> ''),
    name text NOT NULL,
    code text NOT NULL,
    extensions text[] NOT NULL,
    -- The place in the language table.
    ordinal integer NOT NULL,
    enabled boolean NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
);
