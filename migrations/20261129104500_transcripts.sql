-- What submission and validator of an interactive problem said to each other, for the jury: a list of
-- {"pass": …, "start": […], "left_out_bytes": …, "end": […]}.

ALTER TABLE runs ADD COLUMN transcripts jsonb;
