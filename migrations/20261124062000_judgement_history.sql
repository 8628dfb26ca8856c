-- What became of every judgement, step by step: written by the database itself, so that no statement can forget it.

CREATE TABLE judgement_history (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- No reference: the history outlives what it is about.
    judgement_id uuid NOT NULL,
    attempt integer NOT NULL,
    -- None when the judgement was made.
    from_state text,
    to_state text NOT NULL,
    lane text NOT NULL,
    worker_id uuid,
    -- Of the step: the failure of the attempt before, or the error that ended it.
    reason text,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE INDEX judgement_history_judgement ON judgement_history (judgement_id, id);

CREATE FUNCTION judgement_history_write() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO judgement_history (judgement_id, attempt, to_state, lane)
        VALUES (NEW.id, NEW.attempt, NEW.state, NEW.lane);
    ELSE
        INSERT INTO judgement_history (judgement_id, attempt, from_state, to_state, lane, worker_id, reason)
        VALUES (NEW.id, NEW.attempt, OLD.state, NEW.state, NEW.lane, NEW.worker_id,
            CASE WHEN NEW.failures > OLD.failures THEN COALESCE(NEW.error, NEW.last_failure) ELSE NEW.error END);
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER judgement_history_insert AFTER INSERT ON judgements
    FOR EACH ROW EXECUTE FUNCTION judgement_history_write();
CREATE TRIGGER judgement_history_update AFTER UPDATE ON judgements
    FOR EACH ROW WHEN (
        OLD.state <> NEW.state OR OLD.attempt <> NEW.attempt OR OLD.worker_id IS DISTINCT FROM NEW.worker_id
    ) EXECUTE FUNCTION judgement_history_write();

-- What is over stays as it is, and attempts only grow, whatever a statement says.
CREATE FUNCTION judgement_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'judgement % can''t go from % (attempt %) to % (attempt %)',
        OLD.id, OLD.state, OLD.attempt, NEW.state, NEW.attempt
        USING ERRCODE = 'check_violation', CONSTRAINT = 'judgements_legal_step';
END
$$;

CREATE TRIGGER judgements_legal_step BEFORE UPDATE ON judgements
    FOR EACH ROW WHEN (
        NEW.attempt < OLD.attempt OR NEW.attempt > OLD.attempt + 1
        OR (NEW.attempt > OLD.attempt AND NEW.state <> 'queued')
        OR (OLD.state = 'running' AND NEW.state = 'queued' AND NEW.attempt = OLD.attempt)
        OR (OLD.finished_at IS NOT NULL AND (
            NEW.state <> OLD.state OR NEW.attempt <> OLD.attempt OR NEW.verdict IS DISTINCT FROM OLD.verdict
        ))
    ) EXECUTE FUNCTION judgement_refuse();

CREATE FUNCTION judgement_history_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the history of judgements is only ever added to'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'judgement_history_append_only';
END
$$;

CREATE TRIGGER judgement_history_append_only BEFORE UPDATE OR DELETE ON judgement_history
    FOR EACH STATEMENT EXECUTE FUNCTION judgement_history_refuse();

-- Judgements of before.
INSERT INTO judgement_history (judgement_id, attempt, to_state, lane, worker_id, at)
SELECT id, attempt, state, lane, worker_id, created_at FROM judgements;
