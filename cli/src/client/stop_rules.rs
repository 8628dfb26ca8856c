//! The calls about when judging ends.

use assize_common::api::{StopRule, StopRuleList, StopRuleScope};
use reqwest::Method;

use super::{Api, ClientError};

const PATH: [&str; 3] = ["api", "v1", "stop-rules"];

impl Api {
    /// All rules.
    ///
    /// # Errors
    /// When it does not answer or refuses.
    pub async fn stop_rules(&self) -> Result<StopRuleList, ClientError> {
        self.get("list the rules about when judging ends", &["stop-rules"])
            .await
    }

    /// Sets a rule.
    ///
    /// # Errors
    /// When it does not answer, or there is no such problem.
    pub async fn set_stop_rule(&self, rule: &StopRule) -> Result<(), ClientError> {
        let attempt = format!("set when judging ends for {} {}", rule.scope, rule.subject);
        let request = self.request(Method::PUT, &PATH).json(rule);
        self.success(&attempt, request).await.map(drop)
    }

    /// Removes a rule.
    ///
    /// # Errors
    /// When it does not answer, or there is none.
    pub async fn remove_stop_rule(
        &self,
        scope: StopRuleScope,
        subject: &str,
    ) -> Result<(), ClientError> {
        let attempt = format!("remove the rule for {scope} {subject}");
        let request = self.request(Method::DELETE, &PATH);
        let request = request.query(&[("scope", scope.name()), ("subject", subject)]);
        self.success(&attempt, request).await.map(drop)
    }
}
