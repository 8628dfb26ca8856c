//! The languages that submissions may be written in.

use assize_common::api::LanguageInfo;
use assize_common::language::LanguageTable;

use super::{Store, StoreError, row};

impl Store {
    /// Makes the languages of `table` the enabled ones. Others stay, disabled,
    /// because submissions refer to them.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn language_list_replace(&self, table: &LanguageTable) -> Result<(), StoreError> {
        let attempt = "store the languages";
        let mut transaction = self.begin().await?;
        // Schedulers that start together take turns; updates in different
        // orders would deadlock.
        sqlx::query!("LOCK TABLE languages IN SHARE ROW EXCLUSIVE MODE")
            .execute(&mut *transaction)
            .await
            .map_err(StoreError::on(attempt))?;
        sqlx::query!("UPDATE languages SET enabled = false WHERE enabled")
            .execute(&mut *transaction)
            .await
            .map_err(StoreError::on(attempt))?;
        for (ordinal, language) in table.iter().enumerate() {
            sqlx::query!(
                "INSERT INTO languages (id, name, code, extensions, ordinal, enabled)
                 VALUES ($1, $2, $3, $4, $5, true)
                 ON CONFLICT (id) DO UPDATE SET
                     name = excluded.name,
                     code = excluded.code,
                     extensions = excluded.extensions,
                     ordinal = excluded.ordinal,
                     enabled = true,
                     updated_at = now()",
                language.id,
                language.name,
                language.code,
                &language.extensions,
                row::column::<i32, _>("the number of languages", ordinal)?
            )
            .execute(&mut *transaction)
            .await
            .map_err(StoreError::on(attempt))?;
        }
        Self::commit(transaction).await
    }

    /// Lists the enabled languages in the order of the table.
    ///
    /// # Errors
    /// When the database can't be reached.
    pub async fn language_list(&self) -> Result<Vec<LanguageInfo>, StoreError> {
        sqlx::query_as!(
            LanguageInfo,
            "SELECT id, name, extensions FROM languages WHERE enabled ORDER BY ordinal, id"
        )
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::on("list the languages"))
    }
}
