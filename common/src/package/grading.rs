//! How the results of test cases become the result of a submission, as the
//! package says. What follows from it is computed by the worker.

use crate::Score;

/// How results combine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grading {
    /// Every test case must be accepted; the first that is not decides.
    PassFail,
    /// Points by groups: `2025-09`, `2023-07-draft`, Polygon and DMOJ.
    Scoring(ScoredGroup),
    /// The default grader of `legacy`, with or without scores.
    Grader(Grader),
}

impl Grading {
    /// Whether submissions get a score.
    #[must_use]
    pub const fn gives_scores(&self) -> bool {
        match self {
            Self::PassFail => false,
            Self::Scoring(_) => true,
            Self::Grader(grader) => grader.scoring.is_some(),
        }
    }
}

/// A group of test cases that is worth points; the outermost one is `secret`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScoredGroup {
    /// The path below `data/`, such as `secret/group1`.
    pub name: String,
    /// How the points of its members combine.
    pub aggregation: Aggregation,
    /// The most points it can give; unbounded if `None`.
    pub max_score: Option<Score>,
    /// Groups, test cases or `sample` that must be accepted as a whole, or the
    /// group is not judged and gives nothing. They come earlier.
    pub require_pass: Vec<String>,
    /// What it consists of, in the order of judging.
    pub members: Vec<ScoredMember>,
}

impl ScoredGroup {
    /// Whether the test case at this place of the package's list gives points here.
    #[must_use]
    pub fn has_testcase(&self, wanted: usize) -> bool {
        self.members.iter().any(|member| match member {
            ScoredMember::Testcase { index, .. } => *index == wanted,
            ScoredMember::StaticTest { .. } => false,
            ScoredMember::Group(group) => group.has_testcase(wanted),
        })
    }
}

/// A part of a [`ScoredGroup`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScoredMember {
    /// A test case.
    Testcase {
        /// Its place in the package's list.
        index: usize,
        /// The points of an accepted output; unbounded if `None`, and then the
        /// validator says how many.
        max_score: Option<Score>,
    },
    /// A test case of the static validator.
    StaticTest {
        /// Its place in the package's list of them.
        index: usize,
        /// As for test cases.
        max_score: Option<Score>,
    },
    /// A group within the group.
    Group(ScoredGroup),
}

/// How the points of a group's members combine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aggregation {
    /// All points of the group when everything in it is accepted, else none.
    PassFail,
    /// Their sum.
    Sum,
    /// The least of them.
    Min,
}

/// The grading of a `legacy` package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grader {
    /// The group `data`, whose members are `sample` and `secret`.
    pub root: GraderGroup,
    /// What is wanted of the score; without it, verdicts alone are graded.
    pub scoring: Option<Objective>,
}

/// What the best score is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Objective {
    /// The greatest.
    Maximize,
    /// The least.
    Minimize,
}

/// A test data group of a `legacy` package with the settings that hold in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraderGroup {
    /// The path below the package, such as `data/secret/group1`.
    pub name: String,
    /// Test cases and groups in the order of judging.
    pub members: Vec<GraderMember>,
    /// What follows when a member is not accepted.
    pub on_reject: OnReject,
    /// How verdicts combine.
    pub verdict_mode: VerdictMode,
    /// Whether one accepted member is enough.
    pub accept_if_any_accepted: bool,
    /// Whether the first member (`sample`) does not count; only for `data`.
    pub ignore_sample: bool,
    /// How scores combine.
    pub score_mode: ScoreMode,
    /// The score of an accepted test case whose validator gives none.
    pub accept_score: Score,
    /// The score of a test case that is not accepted.
    pub reject_score: Score,
    /// What scores the group may have.
    pub range: ScoreRange,
}

impl GraderGroup {
    /// Whether nothing after the member at `index` is judged once that is rejected. A sample that
    /// does not count decides nothing.
    #[must_use]
    pub fn breaks_at(&self, index: usize) -> bool {
        self.on_reject == OnReject::Break && !(self.ignore_sample && index == 0)
    }
}

/// A part of a [`GraderGroup`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GraderMember {
    /// A test case: its place in the package's list.
    Testcase(usize),
    /// A group within the group.
    Group(Box<GraderGroup>),
}

/// What follows when a test case or group is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnReject {
    /// The rest of the group counts as absent.
    Break,
    /// The rest is judged as well.
    Continue,
}

/// How a grader combines verdicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VerdictMode {
    /// The worst one, by the order of the format.
    WorstError,
    /// The first that is not accepted.
    FirstError,
    /// Always accepted.
    AlwaysAccept,
}

/// How a grader combines scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScoreMode {
    /// Their sum.
    Sum,
    /// Their mean.
    Average,
    /// The least of them.
    Min,
    /// The greatest of them.
    Max,
}

/// An inclusive range of scores, open where there is no bound.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScoreRange {
    /// The least score.
    pub min: Option<Score>,
    /// The greatest score.
    pub max: Option<Score>,
}

impl ScoreRange {
    /// Whether `score` is in it.
    #[must_use]
    pub fn contains(&self, score: &Score) -> bool {
        self.min.as_ref().is_none_or(|min| score >= min)
            && self.max.as_ref().is_none_or(|max| score <= max)
    }
}
