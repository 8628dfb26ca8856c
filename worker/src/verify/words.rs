//! Advice in the words of the package's own format.

use assize_common::package::{FormatVersion, Package};

/// What to do, in a package of each kind.
#[derive(Debug, Clone, Copy)]
pub(super) struct Advice {
    pub(super) icpc: &'static str,
    pub(super) polygon: &'static str,
    pub(super) dmoj: &'static str,
}

impl Advice {
    /// The one for `package`.
    pub(super) const fn to(self, package: &Package) -> &'static str {
        match package.format {
            FormatVersion::Polygon => self.polygon,
            FormatVersion::Dmoj => self.dmoj,
            FormatVersion::Legacy
            | FormatVersion::LegacyIcpc
            | FormatVersion::Draft2023_07
            | FormatVersion::V2025_09 => self.icpc,
        }
    }
}

pub(super) const NO_INPUT_VALIDATOR: Advice = Advice {
    icpc: "add a program to input_validators/ that exits with 42 for valid inputs, else with 43",
    polygon: "add a validator to <validators> of problem.xml",
    dmoj: "check them by other means: the format has no input validators",
};

pub(super) const NOTHING_EXPECTED: Advice = Advice {
    icpc: "state it in submissions.yaml, or move the submission to submissions/accepted or a sibling",
    polygon: "give it a tag in problem.xml that expects something",
    dmoj: "move the submission to submissions/accepted or a sibling",
};

pub(super) const NOT_AS_EXPECTED: Advice = Advice {
    icpc: "correct the submission, or move it to where its verdict is expected",
    polygon: "correct the solution, or its tag in problem.xml",
    dmoj: "correct the submission, or move it to where its verdict is expected",
};

pub(super) const WRONG_MODEL: Advice = Advice {
    icpc: "correct it, or offer another one as the model (model_solution in submissions.yaml)",
    polygon: "correct it, or give the tag `main` to another one in problem.xml",
    dmoj: "correct it, or offer another one as the model (model_solution in submissions.yaml)",
};

pub(super) const NO_ACCEPTED: Advice = Advice {
    icpc: "add one that solves the problem to submissions/accepted",
    polygon: "add a solution with the tag `main` to problem.xml",
    dmoj: "add one that solves the problem to submissions/accepted",
};

pub(super) const NO_WRONG: Advice = Advice {
    icpc: "add wrong ones to submissions/wrong_answer and its siblings",
    polygon: "add solutions with tags such as `wrong-answer` to problem.xml",
    dmoj: "add wrong ones to submissions/wrong_answer and its siblings",
};

pub(super) const LIMIT_TOO_LOW: Advice = Advice {
    icpc: "raise limits.time_limit, or make the slow submission faster",
    polygon: "raise <time-limit>, or make the slow solution faster",
    dmoj: "raise the limit in .timelimit, or make the slow submission faster",
};
