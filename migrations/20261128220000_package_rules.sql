-- Whether a package has rules for system calls, which need a tracer. A scheduler of the release before reads no such rules.
ALTER TABLE packages ADD COLUMN has_rules boolean NOT NULL DEFAULT false;
