-- A statement makes many judgements, and their history by one insert instead of one for each.

CREATE OR REPLACE FUNCTION judgement_history_write() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO judgement_history (judgement_id, attempt, from_state, to_state, lane, worker_id, reason)
    VALUES (NEW.id, NEW.attempt, OLD.state, NEW.state, NEW.lane, NEW.worker_id,
        CASE WHEN NEW.failures > OLD.failures THEN COALESCE(NEW.error, NEW.last_failure) ELSE NEW.error END);
    RETURN NULL;
END
$$;

CREATE FUNCTION judgement_history_begin() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO judgement_history (judgement_id, attempt, to_state, lane)
    SELECT id, attempt, state, lane FROM made;
    RETURN NULL;
END
$$;

DROP TRIGGER judgement_history_insert ON judgements;
CREATE TRIGGER judgement_history_insert AFTER INSERT ON judgements
    REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION judgement_history_begin();
