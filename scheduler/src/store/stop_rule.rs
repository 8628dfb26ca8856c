//! When judging of a contest's or problem's submissions ends.

use assize_common::Stop;
use assize_common::api::{StopRule, StopRuleScope};
use assize_common::id::TokenId;

use super::{Store, StoreError, row};

impl Store {
    /// Sets a rule, in the place of the one there is; tasks that are published from
    /// now on carry it. False if it is about a problem that is not there. Contests
    /// exist as names only.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn stop_rule_set(
        &self,
        rule: &StopRule,
        set_by: TokenId,
    ) -> Result<bool, StoreError> {
        let set = sqlx::query!(
            "INSERT INTO stop_rules (scope, subject, stop, set_by)
             SELECT $1, $2, $3, $4
             WHERE $1 <> 'problem' OR EXISTS (SELECT FROM problems WHERE short_name = $2)
             ON CONFLICT (scope, subject) DO UPDATE
             SET stop = EXCLUDED.stop, set_by = EXCLUDED.set_by, set_at = now()",
            rule.scope.name(),
            row::text(&rule.subject),
            rule.stop.name(),
            set_by.as_uuid()
        )
        .execute(&self.pool)
        .await
        .map_err(StoreError::on("set when judging ends"))?;
        Ok(set.rows_affected() > 0)
    }

    /// Removes a rule. False if there was none.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn stop_rule_remove(
        &self,
        scope: StopRuleScope,
        subject: &str,
    ) -> Result<bool, StoreError> {
        let removed = sqlx::query!(
            "DELETE FROM stop_rules WHERE scope = $1 AND subject = $2",
            scope.name(),
            row::text(subject)
        )
        .execute(&self.pool)
        .await
        .map_err(StoreError::on("remove a rule about when judging ends"))?;
        Ok(removed.rows_affected() > 0)
    }

    /// Lists the rules.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn stop_rule_list(&self) -> Result<Vec<StopRule>, StoreError> {
        let rows =
            sqlx::query!("SELECT scope, subject, stop FROM stop_rules ORDER BY scope, subject")
                .fetch_all(&self.pool)
                .await
                .map_err(StoreError::on("list the rules about when judging ends"))?;
        rows.into_iter()
            .map(|row| {
                Ok(StopRule {
                    scope: row::named("the scope of a rule", &row.scope)?,
                    subject: row.subject,
                    stop: read(&row.stop)?,
                })
            })
            .collect()
    }
}

/// The column `stop`.
pub(super) fn read(stop: &str) -> Result<Stop, StoreError> {
    row::named("when judging ends", stop)
}
