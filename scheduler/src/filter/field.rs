//! What can be asked of a submission.

/// What a field's values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Any text.
    Text,
    /// One of a few names.
    Name(&'static [&'static str]),
    /// A number.
    Number,
    /// A time span, such as `1.5s` or `900ms`.
    Span,
    /// A size, such as `64MiB`.
    Size,
    /// A moment.
    Time,
    /// `true` or `false`.
    Truth,
    /// A UUID.
    Id,
}

/// Where a filter is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// On submissions with the judgement that counts.
    Submissions,
    /// On a rejudging's members, which have a new judgement, too.
    Members,
}

const RESULTS: &[&str] = &[
    "AC", "WA", "PE", "TLE", "MLE", "OLE", "RTE", "SV", "CE", "JE", "open",
];
const STATES: &[&str] = &["queued", "running", "done", "error"];
const SANDBOXES: &[&str] = &["unshare", "ptrace"];
const LANES: &[&str] = &["live", "flagged", "rejudge", "batch", "quarantine"];

macro_rules! fields {
    ($($(#[doc = $doc:literal])* $field:ident = $name:literal, $kind:expr;)*) => {
        /// A property of a submission or of a judgement of it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Field {
            $($(#[doc = $doc])* $field,)*
        }

        impl Field {
            /// Every field.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$field,)*];

            /// The name in filters.
            pub(crate) const fn name(self) -> &'static str {
                match self {
                    $(Self::$field => $name,)*
                }
            }

            pub(super) const fn kind(self) -> Kind {
                match self {
                    $(Self::$field => $kind,)*
                }
            }
        }
    };
}

fields! {
    /// The submission's id.
    Submission = "submission", Kind::Id;
    /// The contest.
    Contest = "contest", Kind::Text;
    /// The problem's short name.
    Problem = "problem", Kind::Text;
    /// The team.
    Team = "team", Kind::Text;
    /// The language's id.
    Language = "language", Kind::Text;
    /// Why it is flagged.
    Flag = "flag", Kind::Text;
    /// When it was submitted.
    Submitted = "submitted", Kind::Time;
    /// The result that counts.
    Verdict = "verdict", Kind::Name(RESULTS);
    /// The score that counts.
    Score = "score", Kind::Number;
    /// Where the judgement that counts is in its life.
    State = "state", Kind::Name(STATES);
    /// When it was judged.
    Judged = "judged", Kind::Time;
    /// The version of the package it was judged by.
    Package = "package", Kind::Number;
    /// Whether the problem has another current package by now.
    Outdated = "outdated", Kind::Truth;
    /// The sandbox.
    Sandbox = "sandbox", Kind::Name(SANDBOXES);
    /// The lane.
    Lane = "lane", Kind::Name(LANES);
    /// The worker, by name or id.
    Worker = "worker", Kind::Text;
    /// Whether the worker had become slower by then.
    Suspect = "suspect", Kind::Truth;
    /// Whether another worker, asked since it was a close call, came to another verdict.
    Disputed = "disputed", Kind::Truth;
    /// The worker's version.
    WorkerVersion = "worker_version", Kind::Text;
    /// What the compiler said of its version.
    Compiler = "compiler", Kind::Text;
    /// The largest CPU time of a run.
    CpuTime = "cpu_time", Kind::Span;
    /// The largest memory peak of a run.
    Memory = "memory", Kind::Size;
    /// The largest CPU time as a share of the limit.
    TimeShare = "time_share", Kind::Number;
    /// The largest memory peak as a share of the limit.
    MemoryShare = "memory_share", Kind::Number;
    /// How many attempts it took.
    Attempts = "attempts", Kind::Number;
    /// The rejudging that made the judgement that counts.
    Rejudging = "rejudging", Kind::Id;
    /// The result of the new judgement.
    NewVerdict = "new_verdict", Kind::Name(RESULTS);
    /// The score of the new judgement.
    NewScore = "new_score", Kind::Number;
}

impl Field {
    /// Whether it can be asked there.
    pub(super) fn is_in(self, scope: Scope) -> bool {
        scope == Scope::Members || !matches!(self, Self::NewVerdict | Self::NewScore)
    }
}
