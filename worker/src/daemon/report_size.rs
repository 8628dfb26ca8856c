//! Reports that broker and schedulers take. Messages have a largest size, and a
//! package may have any number of test cases whose validator says a lot.

use assize_common::message::{self, Judged, LARGEST_BYTES, Report, TicketedReport};

/// To how many bytes texts are shortened, one after the other, until a report is small enough.
const TEXT_BYTES: [usize; 3] = [1000, 100, 0];

/// Encodes a report. One that is too large loses the ends of what people said, and
/// in the end its verdict: it is a judging error then.
///
/// # Errors
/// When it can't be represented as JSON.
pub(super) fn encode(mut ticketed: TicketedReport) -> Result<Vec<u8>, serde_json::Error> {
    let mut encoded = message::encode(&ticketed)?;
    let size = encoded.len();
    for text_bytes in TEXT_BYTES {
        if encoded.len() <= LARGEST_BYTES {
            return Ok(encoded);
        }
        shorten(&mut ticketed.report.report, text_bytes);
        tracing::warn!(
            bytes = size,
            text_bytes,
            "a report is too large: its texts are shortened"
        );
        encoded = message::encode(&ticketed)?;
    }
    if encoded.len() > LARGEST_BYTES {
        give_up(&mut ticketed.report.report, size);
        encoded = message::encode(&ticketed)?;
    }
    Ok(encoded)
}

/// Makes a judging error of a report with a verdict that nobody takes.
pub(super) fn give_up(report: &mut Report, size: usize) {
    if let Report::Finished(finished) = report {
        let runs = match &finished.outcome {
            Judged::Verdict { runs, .. } => runs.len(),
            Judged::JudgingError { .. } => 0,
        };
        let reason = format!(
            "the report of {runs} runs is of {size} bytes, which is more than RabbitMQ takes: \
             the package has too many test cases, or max_message_size of RabbitMQ is too small"
        );
        tracing::error!(reason, "judging error");
        finished.outcome = Judged::JudgingError { reason };
    }
}

/// Shortens what compiler, validators and programs said.
fn shorten(report: &mut Report, bytes: usize) {
    let Report::Finished(finished) = report else {
        return;
    };
    match &mut finished.outcome {
        Judged::JudgingError { reason } => cut(reason, bytes.max(100)),
        Judged::Verdict {
            compile,
            runs,
            audit,
            ..
        } => {
            cut(&mut compile.output, bytes);
            for run in runs {
                run.transcripts.clear();
                for text in [&mut run.message, &mut run.team_message] {
                    text.as_mut().into_iter().for_each(|text| cut(text, bytes));
                    text.take_if(|text| text.is_empty());
                }
                if bytes == 0 {
                    // Then it is run again should it be rejudged.
                    run.key = None;
                    run.key_parts = None;
                }
            }
            if let Some(audit) = audit {
                // The whole audits are stored; these are only what is searched.
                let kept = bytes.min(audit.calls.len());
                audit.calls_dropped += (audit.calls.len() - kept) as u64;
                audit.calls.truncate(kept);
            }
        }
    }
}

fn cut(text: &mut String, bytes: usize) {
    text.truncate(text.floor_char_boundary(bytes));
}

#[cfg(test)]
mod tests {
    use assize_common::id::{JudgementId, WorkerId};
    use assize_common::message::{
        CompileReport, Exit, Finished, HeldJudgement, KeyParts, RunReport, Ticket, WorkerReport,
    };
    use assize_common::{ContentHash, Verdict};
    use chrono::Utc;

    use super::*;

    /// A report of so many runs, of each of which so much is said.
    fn report(runs: usize, message_bytes: usize) -> WorkerReport {
        let run = RunReport {
            testcase: "secret/1".into(),
            verdict: Verdict::Ac,
            cpu_time_ms: 1,
            wall_time_ms: 1,
            memory_bytes: 1,
            exit: Exit::Exited { code: 0 },
            kill_cause: None,
            // Six bytes each in JSON.
            message: Some("\u{1}".repeat(message_bytes)),
            team_message: Some("\u{1}".repeat(message_bytes)),
            award: None,
            failure: None,
            difference: None,
            transcripts: Vec::new(),
            key: Some(ContentHash::of(b"key")),
            reused_from: None,
            key_parts: Some(KeyParts {
                program: ContentHash::of(b"program"),
                validator: ContentHash::of(b"validator"),
            }),
            validated_again: None,
        };
        let outcome = Judged::Verdict {
            verdict: Verdict::Ac,
            compile: CompileReport {
                success: true,
                cached: false,
                cpu_time_ms: 1,
                wall_time_ms: 1,
                memory_bytes: 1,
                output: String::new(),
            },
            runs: vec![run; runs],
            score: None,
            groups: Vec::new(),
            audit: None,
            provenance: None,
            outputs: Vec::new(),
        };
        let judgement = HeldJudgement {
            judgement_id: JudgementId::generate(),
            attempt: 1,
        };
        WorkerReport {
            worker_id: WorkerId::generate(),
            report: Report::Finished(Box::new(Finished {
                judgement,
                started_at: Utc::now(),
                finished_at: Utc::now(),
                outcome,
            })),
        }
    }

    fn sent(report: WorkerReport) -> Judged {
        let tickets = vec![Ticket::new([1; 32])];
        let encoded = encode(TicketedReport { report, tickets }).unwrap();
        assert!(encoded.len() <= LARGEST_BYTES, "{}", encoded.len());
        let report: TicketedReport = message::decode(&encoded).unwrap();
        assert_eq!(report.tickets.len(), 1);
        let Report::Finished(finished) = report.report.report else {
            panic!("{report:?}");
        };
        finished.outcome
    }

    #[test]
    fn texts_are_shortened_as_little_as_need_be_and_no_run_is_left_out() {
        for (runs, said, heard) in [
            (10, 8192, 8192),
            (200, 8192, 1000),
            (2000, 8192, 100),
            (10_000, 8192, 0),
        ] {
            let Judged::Verdict { runs: found, .. } = sent(report(runs, said)) else {
                panic!("a verdict of {runs} runs");
            };
            assert_eq!(found.len(), runs);
            let message = found[runs - 1].message.as_deref().unwrap_or_default();
            assert_eq!(message.len(), heard, "{runs} runs");
        }
    }

    #[test]
    fn what_can_not_be_told_is_a_judging_error() {
        let Judged::JudgingError { reason } = sent(report(50_000, 0)) else {
            panic!("it is too large");
        };
        assert!(reason.contains("50000 runs"), "{reason}");
    }
}
