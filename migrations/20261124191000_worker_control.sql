-- What admins want of workers, and news for schedulers to pass on.

ALTER TABLE workers
    -- Takes tasks; takes none for now; finishes what it has and ends.
    ADD COLUMN mode text NOT NULL DEFAULT 'run' CHECK (mode IN ('run', 'cordon', 'drain')),
    ADD COLUMN mode_since timestamptz NOT NULL DEFAULT now();

-- A worker that is at an attempt which is over has better things to do: whatever ended it, cancelled or taken from a
-- worker that seemed dead. Of no use when the worker itself said so, but then it harms nothing.
CREATE FUNCTION judgement_tell_worker() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('assize_control', json_build_object('kind', 'cancel', 'judgement_id', OLD.id,
        'attempt', OLD.attempt)::text);
    RETURN NULL;
END
$$;

CREATE TRIGGER judgements_tell_worker AFTER UPDATE ON judgements
    FOR EACH ROW WHEN (OLD.state = 'running' AND (NEW.state = 'error' OR NEW.attempt <> OLD.attempt))
    EXECUTE FUNCTION judgement_tell_worker();
