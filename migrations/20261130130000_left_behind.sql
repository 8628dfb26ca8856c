-- Whose attempt another worker has taken up, which counted as a loss. Should it be heard of again, it had only lost its connection to the broker.

ALTER TABLE judgements ADD COLUMN left_behind uuid;
