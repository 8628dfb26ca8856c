-- In a transaction of its own: the one that exchanged the constraint held a lock against everybody.
ALTER TABLE submission_files VALIDATE CONSTRAINT submission_files_name_check;
