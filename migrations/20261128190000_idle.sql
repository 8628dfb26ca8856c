-- A cause more for which jails end programs.
ALTER TABLE runs DROP CONSTRAINT runs_kill_cause_check;
ALTER TABLE runs ADD CONSTRAINT runs_kill_cause_check CHECK (
    kill_cause IN ('cpu_time', 'wall_time', 'idle', 'memory', 'output', 'processes', 'policy', 'cancelled')
) NOT VALID;
