//! The feedback directory: what validators say beyond their exit code.

use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::path::{Path, PathBuf};

use assize_common::Award;
use assize_common::message::Difference;
use assize_common::package::grading::{Grading, ScoredGroup};
use assize_common::package::{Package, Testcase};
use assize_sandbox::{Collected, FileOut};
use bytesize::ByteSize;

use crate::verdict::Answer;

/// Where validators find it.
pub(crate) const DIRECTORY: &str = "/feedback/";
/// Beside it, so that it is not among what it holds.
pub(super) const STATE: &str = "/state/feedback.tar";
/// A message is for people; what comes after this is cut off.
pub(super) const MESSAGE_KEPT: u64 = 8 << 10;

/// What of a validator's feedback counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Meaning {
    /// Whether its scores count.
    pub(crate) scores: Scores,
    /// Whether it may ask for another pass.
    pub(crate) multi_pass: bool,
}

impl Meaning {
    /// What counts on a test case of `package`, or of its validators' tests.
    pub(crate) fn on(package: &Package, testcase: &Testcase) -> Self {
        // Samples of the package format are in no group; those of Polygon and DMOJ
        // give points.
        Self::where_counts(package, |secret| {
            let mut testcases = package.testcases.iter();
            testcases
                .position(|other| other.name == testcase.name)
                .is_some_and(|index| secret.has_testcase(index))
        })
    }

    /// What counts on a static test case of `package`.
    pub(crate) fn on_static(package: &Package, sample: bool) -> Self {
        Self::where_counts(package, |_| !sample)
    }

    fn where_counts(package: &Package, counts: impl FnOnce(&ScoredGroup) -> bool) -> Self {
        let scores = match &package.grading {
            Grading::Scoring(secret) if counts(secret) => Scores::Strict,
            Grading::Scoring(_) => Scores::Ignored,
            Grading::Grader(grader) if grader.scoring.is_some() => Scores::Legacy,
            Grading::Grader(_) | Grading::PassFail => Scores::None,
        };
        Self {
            scores,
            multi_pass: package.passes > 1,
        }
    }
}

/// Whether scores of validators count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scores {
    /// No: the problem has none.
    None,
    /// No, not on this test case; validators may give some all the same.
    Ignored,
    /// `score.txt`, whatever the answer.
    Legacy,
    /// `score.txt` or `score_multiplier.txt`, of accepted outputs only.
    Strict,
}

/// What was in the directory.
#[derive(Debug, Default)]
pub(crate) struct Feedback {
    pub(crate) judge_message: Option<String>,
    pub(crate) team_message: Option<String>,
    pub(crate) award: Option<Award>,
    /// Where an output differs first, if that is known.
    pub(crate) difference: Option<Difference>,
    /// The input of the next pass, if there is one.
    pub(crate) next_pass: Option<NextPass>,
}

/// What another pass begins with.
#[derive(Debug)]
pub(crate) struct NextPass {
    /// The submission's input.
    pub(crate) input: File,
    /// The rest of the directory.
    pub(crate) state: File,
}

/// The files to take out of the jail.
pub(super) fn files(meaning: Meaning, max_size: ByteSize) -> Vec<FileOut> {
    let mut names = vec!["judgemessage.txt", "teammessage.txt"];
    if matches!(meaning.scores, Scores::Legacy | Scores::Strict) {
        names.push("score.txt");
    }
    if meaning.scores == Scores::Strict {
        names.push("score_multiplier.txt");
    }
    if meaning.multi_pass {
        names.push("nextpass.in");
    }
    let mut files: Vec<FileOut> = names
        .into_iter()
        .map(|name| FileOut {
            path: Path::new(DIRECTORY).join(name),
            max_size,
        })
        .collect();
    if meaning.multi_pass {
        files.push(FileOut {
            path: STATE.into(),
            // The names and padding of a tar come on top.
            max_size: ByteSize(max_size.as_u64() * 2 + (1 << 20)),
        });
    }
    files
}

impl Feedback {
    /// Reads what was taken out, and what else was there; the error says what the validator did wrong.
    pub(super) fn read(
        collected: Vec<Collected>,
        unfit: &[PathBuf],
        answer: Answer,
        meaning: Meaning,
    ) -> Result<Self, String> {
        // Messages are for people. What decides must not be missed.
        let names = unfit.iter().filter_map(|path| path.file_name()?.to_str());
        let mut decisive = names.filter(|name| !name.ends_with("message.txt"));
        if let Some(name) = decisive.next() {
            return Err(format!("left a {name} that is no plain file, or too large"));
        }
        let mut feedback = Self::default();
        let (mut input, mut state) = (None, None);
        for Collected { path, content, .. } in collected {
            let mut file = File::from(content);
            let name = path.file_name().and_then(|name| name.to_str());
            match name.unwrap_or_default() {
                "judgemessage.txt" => feedback.judge_message = message(file)?,
                "teammessage.txt" => feedback.team_message = message(file)?,
                "nextpass.in" => {
                    file.rewind().map_err(unreadable)?;
                    input = Some(file);
                }
                "feedback.tar" => state = Some(file),
                name => {
                    let award = award(name, &text(file)?, answer, meaning)?;
                    if feedback.award.replace(award).is_some() {
                        return Err("wrote both score.txt and score_multiplier.txt".to_owned());
                    }
                }
            }
        }
        if input.is_some() && answer != Answer::Accepted {
            return Err("wrote nextpass.in without accepting this pass".to_owned());
        }
        feedback.next_pass = match (input, state) {
            (None, _) => None,
            (Some(input), Some(state)) => Some(NextPass { input, state }),
            (Some(_), None) => {
                return Err("its feedback directory could not be kept for the next pass".to_owned());
            }
        };
        Ok(feedback)
    }
}

/// What a validator that gave no proper answer left for the jury.
pub(super) fn judge_message(collected: Vec<Collected>) -> Option<String> {
    let is_message = |file: &Collected| file.path.ends_with("judgemessage.txt");
    let found = collected.into_iter().find(is_message)?;
    message(File::from(found.content)).ok().flatten()
}

fn award(name: &str, text: &str, answer: Answer, meaning: Meaning) -> Result<Award, String> {
    if answer != Answer::Accepted && meaning.scores == Scores::Strict {
        return Err(format!("wrote {name} without accepting the output"));
    }
    let score = text
        .trim()
        .parse()
        .map_err(|error| format!("wrote into {name}: {error}"))?;
    Ok(if name == "score.txt" {
        Award::Points(score)
    } else {
        Award::Multiplier(score)
    })
}

fn text(file: File) -> Result<String, String> {
    let mut bytes = Vec::new();
    file.take(MESSAGE_KEPT)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn message(file: File) -> Result<Option<String>, String> {
    let text = text(file)?;
    let text = text.trim_end();
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

fn unreadable(error: std::io::Error) -> String {
    format!("left feedback that can't be read: {error}")
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    const SCORING: Meaning = Meaning {
        scores: Scores::Strict,
        multi_pass: true,
    };

    fn read(files: &[(&str, &str)], answer: Answer, meaning: Meaning) -> Result<Feedback, String> {
        let collected = files
            .iter()
            .map(|(name, content)| {
                let mut file = tempfile::tempfile().unwrap();
                file.write_all(content.as_bytes()).unwrap();
                file.rewind().unwrap();
                Collected {
                    path: Path::new(DIRECTORY).join(name),
                    content: file.into(),
                    size: ByteSize(content.len() as u64),
                }
            })
            .collect();
        Feedback::read(collected, &[], answer, meaning)
    }

    #[test]
    fn what_decides_must_be_a_plain_file() {
        let read = |name: &str| {
            let unfit = [Path::new(DIRECTORY).join(name)];
            Feedback::read(Vec::new(), &unfit, Answer::Accepted, SCORING)
        };
        for name in ["nextpass.in", "score.txt", "score_multiplier.txt"] {
            let error = read(name).unwrap_err();
            assert!(error.contains(name), "{error}");
        }
        assert!(read("judgemessage.txt").is_ok());
    }

    #[test]
    fn messages_and_scores() {
        let files = [
            ("judgemessage.txt", "seven\n"),
            ("teammessage.txt", "\n"),
            ("score_multiplier.txt", " 0.25\n"),
        ];
        let feedback = read(&files, Answer::Accepted, SCORING).unwrap();
        assert_eq!(feedback.judge_message.as_deref(), Some("seven"));
        assert_eq!(feedback.team_message, None);
        assert_eq!(
            feedback.award,
            Some(Award::Multiplier("0.25".parse().unwrap()))
        );
    }

    #[test]
    fn what_validators_must_not_write() {
        let both = [("score.txt", "1"), ("score_multiplier.txt", "1")];
        let score = [("score.txt", "1")];
        let odd = [("score.txt", "many")];
        let next = [("nextpass.in", ""), ("feedback.tar", "")];
        for (files, answer, part) in [
            (&both[..], Answer::Accepted, "both"),
            (&score, Answer::Wrong, "without accepting"),
            (&odd, Answer::Accepted, "\"many\""),
            (&next, Answer::Wrong, "without accepting this pass"),
            (&next[..1], Answer::Accepted, "could not be kept"),
        ] {
            let error = read(files, answer, SCORING).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
        let legacy = Meaning {
            scores: Scores::Legacy,
            multi_pass: false,
        };
        let feedback = read(&score, Answer::Wrong, legacy).unwrap();
        assert_eq!(feedback.award, Some(Award::Points(1.into())));
        assert!(
            read(&next, Answer::Accepted, SCORING)
                .unwrap()
                .next_pass
                .is_some()
        );
    }

    #[test]
    fn what_is_taken_out_is_what_counts() {
        let count =
            |scores, multi_pass| files(Meaning { scores, multi_pass }, ByteSize::mib(1)).len();
        assert_eq!(count(Scores::None, false), 2);
        assert_eq!(count(Scores::Ignored, false), 2);
        assert_eq!(count(Scores::Legacy, false), 3);
        assert_eq!(count(Scores::Strict, true), 6);
    }
}
