-- Messages that nobody could read or finish, kept until an admin decides.

CREATE TABLE dead_letters (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- The queue that it came from.
    queue text NOT NULL CHECK (queue <> ''),
    reason text NOT NULL CHECK (reason <> ''),
    message bytea NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'retrying', 'retried', 'dropped')),
    decided_at timestamptz,
    decided_by uuid REFERENCES tokens,
    CONSTRAINT dead_letters_decision CHECK ((state = 'waiting') = (decided_at IS NULL))
);

CREATE INDEX dead_letters_open ON dead_letters (state, id) WHERE state IN ('waiting', 'retrying');
