-- Why a program failed and where its output differs first, for the jury.

ALTER TABLE runs
    ADD COLUMN failure text CHECK (
        failure IN ('out_of_memory', 'stack_overflow', 'panic', 'uncaught_exception')
    ),
    -- {"line": …, "offset_bytes": …, "expected": …, "got": …}.
    ADD COLUMN difference jsonb;
