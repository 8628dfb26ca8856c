-- When judging ends early, for a contest or a problem; without a rule as the package's format has it.
CREATE TABLE stop_rules (
    scope text NOT NULL CHECK (scope IN ('contest', 'problem')),
    -- The contest as submissions name it, or the problem's short name.
    subject text NOT NULL CHECK (subject <> ''),
    stop text NOT NULL CHECK (stop IN ('first-failure', 'group-failure', 'end')),
    set_at timestamptz NOT NULL DEFAULT now(),
    set_by uuid NOT NULL REFERENCES tokens,
    PRIMARY KEY (scope, subject)
);
