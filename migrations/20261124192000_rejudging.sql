-- Rejudging: new judgements beside those that count, switched as one.

CREATE TABLE rejudgings (
    id uuid PRIMARY KEY,
    reason text NOT NULL CHECK (reason <> ''),
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by uuid NOT NULL REFERENCES tokens,
    -- As it was asked for, for people; what it came to are the members.
    selection jsonb NOT NULL,
    overrides jsonb NOT NULL,
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'applied', 'cancelled', 'undone')),
    paused_at timestamptz,
    closed_at timestamptz,
    submissions integer NOT NULL CHECK (submissions > 0),
    -- Judgements for each submission: more than one finds verdicts that change from run to run.
    repetitions integer NOT NULL CHECK (repetitions > 0),
    sandbox_mode text CHECK (sandbox_mode IN ('unshare', 'ptrace')),
    -- Members up to this submission have their judgements; the others are yet to be asked for.
    fed_through uuid,
    fed boolean NOT NULL DEFAULT false,
    last_fed_at timestamptz,
    -- Submissions for which its judgement counts, or did until it was undone.
    applied integer NOT NULL DEFAULT 0 CHECK (applied BETWEEN 0 AND submissions),
    idempotency_key text CHECK (idempotency_key <> ''),
    request_sha256 bytea CHECK (octet_length(request_sha256) = 32),
    CONSTRAINT rejudgings_idempotency_key_with_hash CHECK ((idempotency_key IS NULL) = (request_sha256 IS NULL)),
    CONSTRAINT rejudgings_idempotency UNIQUE (created_by, idempotency_key),
    CONSTRAINT rejudgings_closed_unless_open CHECK ((state = 'open') = (closed_at IS NULL)),
    CONSTRAINT rejudgings_paused_while_open CHECK (state = 'open' OR paused_at IS NULL)
);

CREATE INDEX rejudgings_open ON rejudgings (created_at) WHERE state = 'open';

-- What a rejudging is about: written when it is made, never changed. Without references, here and below: a hundred
-- thousand rows are written at once, and each would be looked up.
CREATE TABLE rejudging_members (
    rejudging_id uuid NOT NULL,
    submission_id uuid NOT NULL,
    -- The judgement that counted then.
    old_judgement_id uuid NOT NULL,
    -- The package of the new one.
    package_id uuid NOT NULL,
    PRIMARY KEY (rejudging_id, submission_id)
);

-- Members that are still open: a submission is in one open rejudging at most. Rows go when their rejudging is applied,
-- cancelled or undone.
CREATE TABLE rejudging_claims (
    submission_id uuid PRIMARY KEY,
    rejudging_id uuid NOT NULL
);

CREATE INDEX rejudging_claims_rejudging ON rejudging_claims (rejudging_id);

-- What admins did: only ever added to.
CREATE TABLE admin_actions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    token_id uuid NOT NULL REFERENCES tokens,
    action text NOT NULL CHECK (action <> ''),
    -- What it was done to, such as a rejudging's id.
    subject text NOT NULL,
    details jsonb NOT NULL
);

CREATE INDEX admin_actions_subject ON admin_actions (subject, id);

-- Each change of the judgement that counts, in the order in which readers saw them: only ever added to.
CREATE TABLE result_changes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- The action it was part of; all changes of one action became visible at once.
    action_id bigint NOT NULL,
    rejudging_id uuid NOT NULL,
    submission_id uuid NOT NULL,
    from_judgement_id uuid NOT NULL,
    to_judgement_id uuid NOT NULL
);

CREATE INDEX result_changes_rejudging ON result_changes (rejudging_id);

CREATE FUNCTION append_only_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is only ever added to', TG_TABLE_NAME
        USING ERRCODE = 'check_violation', CONSTRAINT = TG_TABLE_NAME || '_append_only';
END
$$;

CREATE TRIGGER admin_actions_append_only BEFORE UPDATE OR DELETE ON admin_actions
    FOR EACH STATEMENT EXECUTE FUNCTION append_only_refuse();
CREATE TRIGGER result_changes_append_only BEFORE UPDATE OR DELETE ON result_changes
    FOR EACH STATEMENT EXECUTE FUNCTION append_only_refuse();

ALTER TABLE judgements
    -- The rejudging that asked for it; none for a submission's first judgement.
    ADD COLUMN rejudging_id uuid REFERENCES rejudgings,
    ADD COLUMN repetition integer NOT NULL DEFAULT 1 CHECK (repetition > 0);

CREATE UNIQUE INDEX judgements_rejudging ON judgements (rejudging_id, submission_id, repetition)
    WHERE rejudging_id IS NOT NULL;
