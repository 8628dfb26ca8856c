-- What schedulers make tickets of attempts with: a random key, the same for all of them.

CREATE TABLE ticket_key (
    -- There is one.
    id smallint PRIMARY KEY DEFAULT 1 CHECK (id = 1),
    key bytea NOT NULL CHECK (octet_length(key) = 32)
);

-- Two random UUIDs hold 244 bits of randomness.
INSERT INTO ticket_key (key) VALUES (sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())));
