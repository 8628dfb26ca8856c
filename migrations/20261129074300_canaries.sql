-- What canaries take on each slot of a worker, and which workers have become slower.

CREATE TABLE canaries (
    worker_id uuid NOT NULL REFERENCES workers,
    slot integer NOT NULL,
    program text NOT NULL,
    -- CPU times: the first few, and the last few.
    first_ms bigint[] NOT NULL,
    latest_ms bigint[] NOT NULL,
    ran_at timestamptz NOT NULL,
    -- When it last took about as long as at first.
    good_at timestamptz NOT NULL,
    PRIMARY KEY (worker_id, slot, program)
);

ALTER TABLE workers
    -- Why it is in its mode, if that is not an admin's doing.
    ADD COLUMN mode_reason text,
    -- What it judged meanwhile is not to be trusted; until now without an end.
    ADD COLUMN suspect_since timestamptz,
    ADD COLUMN suspect_until timestamptz;
