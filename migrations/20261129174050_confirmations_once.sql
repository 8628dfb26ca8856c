-- One confirmation of each judgement. In a transaction of its own, so that nobody who reads waits for it.
CREATE UNIQUE INDEX judgements_confirms ON judgements (confirms) WHERE confirms IS NOT NULL;
