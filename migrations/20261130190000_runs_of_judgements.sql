-- Runs come many in a statement. Whether their judgements are there is asked once for each statement: a foreign key
-- asked for each run, which took longer than storing it.

-- In the order in which reports lock: each by itself would take them the other way round.
LOCK TABLE judgements, runs IN ACCESS EXCLUSIVE MODE;

CREATE FUNCTION runs_refuse_strangers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT judgement_id FROM made) AS of_runs
        WHERE NOT EXISTS (SELECT FROM judgements j WHERE j.id = of_runs.judgement_id)
    ) THEN
        RAISE EXCEPTION 'a run is of no judgement'
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'runs_of_judgements';
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER runs_of_judgements AFTER INSERT ON runs
    REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION runs_refuse_strangers();

ALTER TABLE runs DROP CONSTRAINT runs_judgement_id_fkey;
