-- In a transaction of its own: the one that exchanged the constraint held a lock against everybody.
ALTER TABLE runs VALIDATE CONSTRAINT runs_kill_cause_check;
