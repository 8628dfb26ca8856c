//! A model of the dispatch protocol, checked exhaustively.
//!
//! One submission, two workers, a scheduler and a broker, each step as the code
//! takes it, and faults wherever they can strike, up to a small number of them.
//! In every state that can be reached: no result counts twice, a result is that
//! of the current attempt, and what is over stays as it is. From every state, once
//! nothing fails any more: the submission is judged.
//!
//! That the checker sees anything at all is shown by breaking the protocol: with
//! a fence, a guard or a confirm removed it must find the loss or the double.

mod checker;
mod model;

use checker::{Finding, check};
use model::{Faults, Model, Protocol};

const SOUND: Protocol = Protocol {
    confirms: true,
    guard: true,
    fence: true,
    report_before_ack: true,
    commit_before_ack: true,
    row_with_judgement: true,
    lease: true,
    lost_tasks: true,
};

/// Everything that may go wrong, a few times.
const ALL_FAULTS: Faults = Faults {
    number: 2,
    purges: true,
};

/// Everything but a broker that forgets what it confirmed.
const NO_PURGES: Faults = Faults {
    purges: false,
    ..ALL_FAULTS
};

fn finding(protocol: Protocol, faults: Faults) -> Result<usize, Finding> {
    check(&Model { protocol, faults })
}

#[test]
fn nothing_is_lost_and_nothing_counts_twice() {
    let states = finding(SOUND, ALL_FAULTS).unwrap();
    assert!(
        states > 100_000,
        "only {states} states: too few to prove anything"
    );
}

#[test]
fn a_sound_broker_needs_no_search_for_lost_tasks() {
    let protocol = Protocol {
        lost_tasks: false,
        ..SOUND
    };
    finding(protocol, NO_PURGES).unwrap();
}

/// Removes one part of the protocol and expects the checker to notice. The
/// search for lost tasks, which would find most losses again, is off.
fn mutant(protocol: Protocol, faults: Faults) -> Finding {
    match finding(protocol, faults) {
        Err(finding) => finding,
        Ok(states) => panic!("the checker is blind: nothing wrong in {states} states"),
    }
}

const NO_NET: Protocol = Protocol {
    lost_tasks: false,
    ..SOUND
};

#[test]
fn without_confirms_a_task_is_lost() {
    let protocol = Protocol {
        confirms: false,
        ..NO_NET
    };
    assert!(matches!(mutant(protocol, NO_PURGES), Finding::Lost(_)));
}

#[test]
fn without_an_outbox_row_in_the_same_transaction_a_submission_is_lost() {
    let protocol = Protocol {
        row_with_judgement: false,
        ..NO_NET
    };
    assert!(matches!(mutant(protocol, NO_PURGES), Finding::Lost(_)));
}

#[test]
fn with_tasks_acknowledged_before_the_report_one_is_lost() {
    let protocol = Protocol {
        report_before_ack: false,
        ..NO_NET
    };
    assert!(matches!(mutant(protocol, NO_PURGES), Finding::Lost(_)));
}

#[test]
fn with_reports_acknowledged_before_the_commit_one_is_lost() {
    let protocol = Protocol {
        commit_before_ack: false,
        ..NO_NET
    };
    assert!(matches!(mutant(protocol, NO_PURGES), Finding::Lost(_)));
}

#[test]
fn without_leases_a_purge_loses_a_running_judgement() {
    let protocol = Protocol {
        lease: false,
        ..SOUND
    };
    assert!(matches!(mutant(protocol, ALL_FAULTS), Finding::Lost(_)));
}

#[test]
fn without_the_search_for_lost_tasks_a_purge_loses_a_waiting_judgement() {
    assert!(matches!(mutant(NO_NET, ALL_FAULTS), Finding::Lost(_)));
}

#[test]
fn without_the_guard_a_result_counts_twice() {
    let protocol = Protocol {
        guard: false,
        ..SOUND
    };
    assert!(matches!(mutant(protocol, NO_PURGES), Finding::Doubled(_)));
}

#[test]
fn without_the_fence_an_old_attempt_decides() {
    let protocol = Protocol {
        fence: false,
        ..SOUND
    };
    assert!(matches!(mutant(protocol, NO_PURGES), Finding::Stale(_)));
}
