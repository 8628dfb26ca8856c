-- Whom and what admins want a closer look at, and judgements that are one.

-- Flags of submissions are with the submissions.
CREATE TABLE flags (
    scope text NOT NULL CHECK (scope IN ('problem', 'team')),
    -- The problem's short name, or the team as submissions name it.
    subject text NOT NULL CHECK (subject <> ''),
    reason text NOT NULL CHECK (reason <> ''),
    flagged_at timestamptz NOT NULL DEFAULT now(),
    flagged_by uuid NOT NULL REFERENCES tokens,
    PRIMARY KEY (scope, subject)
);

CREATE INDEX submissions_flagged ON submissions (id DESC) WHERE flag IS NOT NULL;

-- The judgement under unshare that this one looks at again under ptrace. It does not count.
ALTER TABLE judgements ADD COLUMN escalates uuid REFERENCES judgements;
CREATE UNIQUE INDEX judgements_escalates ON judgements (escalates) WHERE escalates IS NOT NULL;
