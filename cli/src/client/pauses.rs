//! The calls about what is not judged since judging of it failed.

use assize_common::api::PauseList;
use reqwest::Method;

use super::{Api, ClientError};

impl Api {
    /// All pauses that are not ended.
    ///
    /// # Errors
    /// When it does not answer or refuses.
    pub async fn pauses(&self) -> Result<PauseList, ClientError> {
        self.get("list what is paused", &["pauses"]).await
    }

    /// Ends the pause of exactly this problem and language.
    ///
    /// # Errors
    /// When it does not answer, or there is none.
    pub async fn end_pause(
        &self,
        problem: Option<&str>,
        language: Option<&str>,
    ) -> Result<(), ClientError> {
        let request = self.request(Method::DELETE, &["api", "v1", "pauses"]);
        let request = request.query(&[("problem", problem), ("language", language)]);
        self.success("end a pause", request).await.map(drop)
    }
}
