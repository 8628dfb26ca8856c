-- In a transaction of its own: the one that added the constraint held a lock against everybody.
ALTER TABLE judgements VALIDATE CONSTRAINT judgements_confirms_fkey;
