-- Two more lanes, and what workers died of.

ALTER TABLE judgements DROP CONSTRAINT judgements_lane_check;
ALTER TABLE judgements ADD CONSTRAINT judgements_lane_check
    CHECK (lane IN ('live', 'flagged', 'rejudge', 'batch', 'quarantine')) NOT VALID;
ALTER TABLE judgements VALIDATE CONSTRAINT judgements_lane_check;

ALTER TABLE outbox DROP CONSTRAINT outbox_lane_check;
ALTER TABLE outbox ADD CONSTRAINT outbox_lane_check
    CHECK (lane IN ('live', 'flagged', 'rejudge', 'batch', 'quarantine')) NOT VALID;
ALTER TABLE outbox VALIDATE CONSTRAINT outbox_lane_check;

-- Workers that were lost while they had it: each may have died of it.
ALTER TABLE judgements ADD COLUMN losses integer NOT NULL DEFAULT 0 CHECK (losses >= 0);
