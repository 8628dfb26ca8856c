-- Applying a rejudging rewrites two judgements for each of its submissions, a hundred thousand at once.

-- A trigger BEFORE an update makes Postgres lock each row and log that, whatever is changed. AFTER one, what is illegal is
-- refused as surely, and what changes nothing that the rule is about is not looked at.
CREATE OR REPLACE TRIGGER judgements_legal_step AFTER UPDATE OF state, attempt, verdict, finished_at ON judgements
    FOR EACH ROW WHEN (
        NEW.attempt < OLD.attempt OR NEW.attempt > OLD.attempt + 1
        OR (NEW.attempt > OLD.attempt AND NEW.state <> 'queued')
        OR (OLD.state = 'running' AND NEW.state = 'queued' AND NEW.attempt = OLD.attempt)
        OR (OLD.finished_at IS NOT NULL AND (
            NEW.state <> OLD.state OR NEW.attempt <> OLD.attempt OR NEW.verdict IS DISTINCT FROM OLD.verdict
        ))
    ) EXECUTE FUNCTION judgement_refuse();

-- A UUID of version 7, as our programs make them: rows that come together are together in indexes, too. A random one of
-- version 4, with the time in its first six bytes and two more bits of the version set.
CREATE FUNCTION uuid_v7() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE AS $$
    SELECT encode(
        set_bit(set_bit(
            overlay(uuid_send(gen_random_uuid())
                PLACING substring(int8send(floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
                FROM 1 FOR 6),
            52, 1), 53, 1),
        'hex')::uuid
$$;
