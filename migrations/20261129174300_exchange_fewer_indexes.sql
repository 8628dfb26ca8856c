-- Applying a rejudging writes each of its judgements anew, into every index of them. Nothing needs this one any more.
DROP INDEX judgements_submission;
