-- What a flag asks for besides ptrace: how much is recorded, rules, or that the program is only observed.
ALTER TABLE flags ADD COLUMN scrutiny jsonb;
ALTER TABLE submissions ADD COLUMN flag_scrutiny jsonb;
ALTER TABLE judgements ADD COLUMN scrutiny jsonb;

-- The judgement that this one looks at again, by scrutiny. Unlike an escalation it never counts, and there may be many.
ALTER TABLE judgements ADD COLUMN scrutinizes uuid;
ALTER TABLE judgements ADD CONSTRAINT judgements_scrutinizes_fkey
    FOREIGN KEY (scrutinizes) REFERENCES judgements NOT VALID;
