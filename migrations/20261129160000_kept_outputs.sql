-- What programs wrote, kept so that a mended answer or output validator is asked about it again without running them.

ALTER TABLE runs
    -- The hashes of what determines how the program runs, and of the output validator: parts of the key.
    ADD COLUMN program_key bytea,
    ADD COLUMN validator_key bytea,
    -- {"output_from": …, "changed": …} where an earlier judgement's output was validated again.
    ADD COLUMN validated_again jsonb;

-- The blobs that hold outputs of a judgement's runs, the latest first: its own, and those of earlier judgements whose runs it took over.
CREATE TABLE outputs (
    judgement_id uuid NOT NULL REFERENCES judgements,
    ordinal integer NOT NULL CHECK (ordinal >= 0),
    -- A blob of the store of outputs, which is not that of packages and sources.
    sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (judgement_id, ordinal)
);

CREATE INDEX outputs_blob ON outputs (sha256);
CREATE INDEX outputs_age ON outputs (created_at);
