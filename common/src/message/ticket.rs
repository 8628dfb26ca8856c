//! Tickets: who shows one was given the task of an attempt, and may report on it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::WorkerReport;

/// Proof that somebody was given the task of an attempt. Only schedulers can make
/// one. Never shows in logs.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Ticket([u8; 32]);

/// A text that is no ticket.
#[derive(Debug, thiserror::Error)]
#[error("not a ticket: expected 64 hexadecimal digits")]
pub struct InvalidTicket;

impl Ticket {
    /// A ticket of these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ticket(hidden)")
    }
}

impl From<Ticket> for String {
    fn from(ticket: Ticket) -> Self {
        hex::encode(ticket.0)
    }
}

impl TryFrom<String> for Ticket {
    type Error = InvalidTicket;

    fn try_from(text: String) -> Result<Self, InvalidTicket> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| InvalidTicket)?;
        Ok(Self(bytes))
    }
}

/// A report as it travels: with a ticket for each judgement that it is about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TicketedReport {
    /// The report with its sender.
    #[serde(flatten)]
    pub report: WorkerReport,
    /// The tickets, in any order. Those of tasks from schedulers of the release
    /// before are missing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tickets: Vec<Ticket>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_goes_as_hexadecimal_and_never_shows() {
        let ticket = Ticket::new([0xab; 32]);
        assert_eq!(format!("{ticket:?}"), "Ticket(hidden)");
        let text = serde_json::to_string(&ticket).unwrap();
        assert_eq!(text, format!("\"{}\"", "ab".repeat(32)));
        assert_eq!(serde_json::from_str::<Ticket>(&text).unwrap(), ticket);
        for bad in ["\"\"", "\"ab\"", "1"] {
            assert!(serde_json::from_str::<Ticket>(bad).is_err(), "{bad}");
        }
    }
}
