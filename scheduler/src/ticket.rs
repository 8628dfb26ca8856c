//! Tickets: only whoever was given the task of an attempt may report on it.
//!
//! A ticket is an HMAC of judgement and attempt, so that nothing is stored for
//! each of them. All schedulers of an installation share the key, a row in Postgres.

use std::collections::HashSet;
use std::fmt;

use assize_common::message::{
    HeldJudgement, MOST_SLOTS, Report, Ticket, TicketedReport, WorkerReport,
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// The key that tickets are made with.
#[derive(Clone, Copy)]
pub(crate) struct TicketKey([u8; 32]);

impl fmt::Debug for TicketKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TicketKey(hidden)")
    }
}

impl TicketKey {
    /// The key of these bytes.
    pub(crate) const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The ticket of an attempt.
    pub(crate) fn ticket(&self, held: HeldJudgement) -> Ticket {
        // A shorter key is filled up by zeros: that is what HMAC does, too.
        let mut key = [0; 64];
        key[..self.0.len()].copy_from_slice(&self.0);
        let mut mac = Hmac::<Sha256>::new(&key.into());
        mac.update(held.judgement_id.as_uuid().as_bytes());
        mac.update(&held.attempt.to_be_bytes());
        Ticket::new(mac.finalize().into_bytes().into())
    }

    /// A report in so far as its tickets cover it, with the number of judgements
    /// that they do not. Nothing is left of a report on a single one of these.
    pub(crate) fn check(&self, received: TicketedReport) -> (Option<WorkerReport>, usize) {
        let TicketedReport {
            mut report,
            tickets,
        } = received;
        // A set with a random hash: that takes the same time for a ticket that is nearly
        // right. Whoever shows more than a worker can have shows too much.
        let tickets = tickets.iter().take(MOST_SLOTS.into());
        let tickets: HashSet<&[u8; 32]> = tickets.map(Ticket::as_bytes).collect();
        let shown = |held: &HeldJudgement| tickets.contains(self.ticket(*held).as_bytes());
        let judgements = report.report.judgements();
        let unproven = judgements.iter().filter(|held| !shown(held)).count();
        if unproven == 0 {
            return (Some(report), 0);
        }
        let Report::Heartbeat { held } = &mut report.report else {
            return (None, unproven);
        };
        held.retain(shown);
        (Some(report), unproven)
    }
}

#[cfg(test)]
mod tests {
    use assize_common::Verdict;
    use assize_common::id::{JudgementId, WorkerId};

    use super::*;
    use crate::fixture::finished;

    const KEY: TicketKey = TicketKey::new([1; 32]);

    fn attempt(attempt: u32) -> HeldJudgement {
        HeldJudgement {
            judgement_id: JudgementId::generate(),
            attempt,
        }
    }

    fn shown(report: WorkerReport, tickets: Vec<Ticket>) -> (Option<WorkerReport>, usize) {
        KEY.check(TicketedReport { report, tickets })
    }

    #[test]
    fn a_report_shows_the_ticket_of_its_very_attempt() {
        let held = attempt(2);
        let report = finished(WorkerId::generate(), held, Verdict::Ac);
        let right = KEY.ticket(held);
        assert_eq!(
            shown(report.clone(), vec![right.clone()]),
            (Some(report.clone()), 0)
        );
        let of_another_attempt = KEY.ticket(HeldJudgement { attempt: 1, ..held });
        let of_another_key = TicketKey::new([2; 32]).ticket(held);
        let of_another_judgement = KEY.ticket(attempt(2));
        let wrong = [of_another_attempt, of_another_key, of_another_judgement];
        assert_eq!(shown(report.clone(), wrong.to_vec()), (None, 1));
        assert_eq!(shown(report.clone(), Vec::new()), (None, 1));
        // Whoever has several shows them in any order.
        let many = [wrong.to_vec(), vec![right]].concat();
        assert_eq!(shown(report.clone(), many), (Some(report), 0));
    }

    #[test]
    fn of_a_heartbeat_counts_what_is_shown() {
        let (mine, other) = (attempt(1), attempt(1));
        let heartbeat = |held| WorkerReport {
            worker_id: WorkerId::generate(),
            report: Report::Heartbeat { held },
        };
        let (left, unproven) = shown(heartbeat(vec![other, mine]), vec![KEY.ticket(mine)]);
        assert_eq!(unproven, 1);
        assert_eq!(left.unwrap().report.judgements(), [mine]);
        // No worker has so many, and so nobody looks through them.
        let padding = vec![KEY.ticket(other); MOST_SLOTS.into()];
        let many = [padding, vec![KEY.ticket(mine)]].concat();
        assert_eq!(shown(heartbeat(vec![mine]), many).1, 1);
        let idle = heartbeat(Vec::new());
        assert_eq!(shown(idle.clone(), Vec::new()), (Some(idle), 0));
    }
}
