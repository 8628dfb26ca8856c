-- An escalation's verdict may replace the one that it looks at again, where the scheduler's settings say so.

-- No admin does that: the action that it is noted as has no token, and its change no rejudging.
ALTER TABLE admin_actions ALTER COLUMN token_id DROP NOT NULL;
ALTER TABLE result_changes ALTER COLUMN rejudging_id DROP NOT NULL;
