-- Judgements beside the one that counts, which look again at another or confirm one, are few, and are listed by submission:
-- the only ones that are looked for so, beside the one that counts, which has an index. Not CONCURRENTLY, which would wait
-- for schedulers that wait for their turn to migrate: it takes one look at the table, and sorts nothing.
CREATE INDEX judgements_beside ON judgements (submission_id)
    WHERE COALESCE(escalates, scrutinizes, confirms) IS NOT NULL;
