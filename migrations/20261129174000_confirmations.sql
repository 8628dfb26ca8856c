-- The judgement, a close call, that this one by another worker is to confirm. It never counts.
ALTER TABLE judgements ADD COLUMN confirms uuid;
ALTER TABLE judgements ADD CONSTRAINT judgements_confirms_fkey
    FOREIGN KEY (confirms) REFERENCES judgements NOT VALID;
