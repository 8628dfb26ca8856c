-- Submissions that are outputs: to which problems, in no language, with names that have directories.
ALTER TABLE packages ADD COLUMN takes_outputs boolean NOT NULL DEFAULT false;

INSERT INTO languages (id, name, code, extensions, ordinal, enabled)
VALUES ('none', 'Outputs', 'none', '{}', -1, false);

ALTER TABLE submission_files DROP CONSTRAINT submission_files_name_check;
ALTER TABLE submission_files ADD CONSTRAINT submission_files_name_check CHECK (
    name ~ '^[A-Za-z0-9_][A-Za-z0-9_.+-]{0,254}(/[A-Za-z0-9_][A-Za-z0-9_.+-]{0,254}){0,7}$' AND length(name) < 256
) NOT VALID;
