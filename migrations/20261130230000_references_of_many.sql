-- Submissions come many in a statement, each with a judgement, files and a task. Whether what they refer to is there is
-- asked once for each statement: foreign keys asked seven times for each of them, a third of what storing it took.
-- What is referred to is never deleted, and no row is given to another.
-- Statements lock these tables in orders of their own: whoever has work goes on, before Postgres looks for deadlocks.
SET LOCAL lock_timeout = '200ms';
LOCK TABLE submissions, submission_files, judgements, runs, outbox, problems, packages, languages, tokens
    IN ACCESS EXCLUSIVE MODE;

CREATE FUNCTION submissions_refuse_strangers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT problem_id, language_id, submitted_by FROM made) AS of_new
        WHERE NOT EXISTS (SELECT FROM problems WHERE id = of_new.problem_id)
            OR NOT EXISTS (SELECT FROM languages WHERE id = of_new.language_id)
            OR NOT EXISTS (SELECT FROM tokens WHERE id = of_new.submitted_by)
    ) THEN
        RAISE EXCEPTION 'a submission is of no problem, language or token'
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'submissions_refer';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER submissions_refer AFTER INSERT ON submissions
    REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION submissions_refuse_strangers();

CREATE FUNCTION submission_files_refuse_strangers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT submission_id FROM made) AS of_new
        WHERE NOT EXISTS (SELECT FROM submissions WHERE id = of_new.submission_id)
    ) THEN
        RAISE EXCEPTION 'a file is of no submission'
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'submission_files_refer';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER submission_files_refer AFTER INSERT ON submission_files
    REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION submission_files_refuse_strangers();

CREATE FUNCTION judgements_refuse_strangers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM made WHERE NOT EXISTS (SELECT FROM submissions WHERE id = made.submission_id)
    ) OR EXISTS (
        SELECT FROM (SELECT DISTINCT package_id FROM made) AS of_new
        WHERE NOT EXISTS (SELECT FROM packages WHERE id = of_new.package_id)
    ) THEN
        RAISE EXCEPTION 'a judgement is of no submission or by no package'
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'judgements_refer';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER judgements_refer AFTER INSERT ON judgements
    REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION judgements_refuse_strangers();

CREATE FUNCTION outbox_refuse_strangers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM made WHERE NOT EXISTS (SELECT FROM judgements WHERE id = made.judgement_id)
    ) THEN
        RAISE EXCEPTION 'a task is of no judgement'
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'outbox_refers';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER outbox_refers AFTER INSERT ON outbox
    REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION outbox_refuse_strangers();

CREATE FUNCTION referred_to_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % stay, since others refer to them', TG_TABLE_NAME
        USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'referred_to_stays';
END
$$;
CREATE TRIGGER problems_stay BEFORE DELETE OR UPDATE OF id OR TRUNCATE ON problems
    FOR EACH STATEMENT EXECUTE FUNCTION referred_to_stays();
CREATE TRIGGER packages_stay BEFORE DELETE OR UPDATE OF id OR TRUNCATE ON packages
    FOR EACH STATEMENT EXECUTE FUNCTION referred_to_stays();
CREATE TRIGGER languages_stay BEFORE DELETE OR UPDATE OF id OR TRUNCATE ON languages
    FOR EACH STATEMENT EXECUTE FUNCTION referred_to_stays();
CREATE TRIGGER tokens_stay BEFORE DELETE OR UPDATE OF id OR TRUNCATE ON tokens
    FOR EACH STATEMENT EXECUTE FUNCTION referred_to_stays();
CREATE TRIGGER submissions_stay BEFORE DELETE OR UPDATE OF id, problem_id, language_id, submitted_by OR TRUNCATE ON submissions
    FOR EACH STATEMENT EXECUTE FUNCTION referred_to_stays();
CREATE TRIGGER judgements_stay BEFORE DELETE OR UPDATE OF id, submission_id, package_id OR TRUNCATE ON judgements
    FOR EACH STATEMENT EXECUTE FUNCTION referred_to_stays();
CREATE TRIGGER submission_files_stay BEFORE UPDATE OF submission_id ON submission_files
    FOR EACH STATEMENT EXECUTE FUNCTION referred_to_stays();
CREATE TRIGGER runs_stay BEFORE UPDATE OF judgement_id ON runs
    FOR EACH STATEMENT EXECUTE FUNCTION referred_to_stays();
CREATE TRIGGER outbox_stays BEFORE UPDATE OF judgement_id ON outbox
    FOR EACH STATEMENT EXECUTE FUNCTION referred_to_stays();

ALTER TABLE submissions
    DROP CONSTRAINT submissions_problem_id_fkey,
    DROP CONSTRAINT submissions_language_id_fkey,
    DROP CONSTRAINT submissions_submitted_by_fkey;
ALTER TABLE submission_files DROP CONSTRAINT submission_files_submission_id_fkey;
ALTER TABLE judgements
    DROP CONSTRAINT judgements_submission_id_fkey,
    DROP CONSTRAINT judgements_package_id_fkey;
ALTER TABLE outbox DROP CONSTRAINT outbox_judgement_id_fkey;
