-- Whether another worker, heard of within so many seconds, takes all that this one takes: who is cordoned by a scheduler leaves
-- nothing without anybody who judges it. No two are looked at at the same time, or each could be the other's substitute.

CREATE FUNCTION worker_is_replaceable(worker workers, lease double precision) RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtextextended('assize.worker_is_replaceable', 0)) THEN
        RETURN false;
    END IF;
    RETURN EXISTS (
        SELECT FROM workers other
        WHERE other.name <> worker.name AND other.mode = 'run' AND other.stopped_at IS NULL
          AND other.last_seen_at > clock_timestamp() - make_interval(secs => lease)
          AND other.lanes @> worker.lanes
          AND NOT EXISTS (
              SELECT entry ->> 'id' FROM jsonb_array_elements(worker.languages) AS entry
              EXCEPT SELECT entry ->> 'id' FROM jsonb_array_elements(other.languages) AS entry));
END
$$;
