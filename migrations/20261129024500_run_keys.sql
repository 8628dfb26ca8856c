-- Runs that need not be run again: by what determines them, and where they were run first.
ALTER TABLE runs
    -- The hash of all that determines the result.
    ADD COLUMN key bytea,
    -- The judgement in which it was run, if not in this one. No reference: thousands of rows are written at once.
    ADD COLUMN reused_from uuid;
