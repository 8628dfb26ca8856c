-- Scores of submissions, of their groups, and what validators gave and said for the team.

ALTER TABLE judgements
    ADD COLUMN score numeric,
    -- [{"name": …, "score": …}], the outermost group last.
    ADD COLUMN groups jsonb;

ALTER TABLE judgements ADD CONSTRAINT judgements_score_when_done
    CHECK (state = 'done' OR (score IS NULL AND groups IS NULL)) NOT VALID;
ALTER TABLE judgements VALIDATE CONSTRAINT judgements_score_when_done;

ALTER TABLE runs
    ADD COLUMN team_message text,
    -- {"points": …} or {"multiplier": …}.
    ADD COLUMN award jsonb;
