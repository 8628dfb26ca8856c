-- What a verdict depends on beside package, sources and sandbox: compiler, program, rules, limits and host, as the worker
-- reported it with the verdict.
ALTER TABLE judgements ADD COLUMN provenance jsonb;
