-- The order in which waiting tasks are published, and lanes that can be paused.

-- A task's turn is a time: when it came, or later if the same team or contest has others that wait. The earliest turn is
-- published first, so that nothing waits for ever. An empty text stands for none.
ALTER TABLE outbox
    ADD COLUMN contest text NOT NULL DEFAULT '',
    ADD COLUMN team text NOT NULL DEFAULT '',
    ADD COLUMN contest_turn timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN turn timestamptz NOT NULL DEFAULT now();

CREATE INDEX outbox_turn ON outbox (lane, turn, id);
CREATE INDEX outbox_contest ON outbox (lane, contest, contest_turn) WHERE contest <> '';
CREATE INDEX outbox_team ON outbox (lane, contest, team, turn) WHERE team <> '';
DROP INDEX outbox_order;

-- What is published and not taken up: never more than a lane's window.
CREATE INDEX judgements_dispatched ON judgements (lane) WHERE state = 'queued' AND dispatched_at IS NOT NULL;

-- Lanes that are paused; the others have no row.
CREATE TABLE paused_lanes (
    lane text PRIMARY KEY CHECK (lane IN ('live', 'flagged', 'rejudge', 'batch', 'quarantine')),
    reason text NOT NULL CHECK (reason <> ''),
    paused_at timestamptz NOT NULL DEFAULT now(),
    paused_by uuid NOT NULL REFERENCES tokens
);
