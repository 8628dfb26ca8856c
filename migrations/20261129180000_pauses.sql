-- What judging fails on is found and not judged any more until an admin says so.

-- Attempts that ended in a judging error, for as long as they say something about what they were of.
CREATE TABLE judging_failures (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    judgement_id uuid NOT NULL REFERENCES judgements,
    -- The one it was judged in.
    language_id text NOT NULL,
    worker_id uuid,
    reason text NOT NULL
);

CREATE INDEX judging_failures_at ON judging_failures (at);

-- Of what no task is published: a package in all languages, a language, or one in the other. Rows stay when they end.
CREATE TABLE pauses (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- A version of a problem's package and not the problem: the next one may be the repair.
    package_id uuid REFERENCES packages,
    language_id text,
    reason text NOT NULL CHECK (reason <> ''),
    since timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at timestamptz,
    ended_by uuid REFERENCES tokens,
    CONSTRAINT pauses_of_something CHECK (package_id IS NOT NULL OR language_id IS NOT NULL),
    CONSTRAINT pauses_ended_by_somebody CHECK ((ended_at IS NULL) = (ended_by IS NULL))
);

CREATE UNIQUE INDEX pauses_one_open ON pauses
    ((COALESCE(package_id, '00000000-0000-0000-0000-000000000000')), (COALESCE(language_id, '')))
    WHERE ended_at IS NULL;
