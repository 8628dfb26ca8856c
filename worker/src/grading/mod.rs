//! The result of a submission from the results of its test cases, as the package
//! says. Pure: nothing is run here.
//!
//! The verdict is that of the first test case, in the order of judging, that is
//! not accepted and counts. Test cases that can't change the result need not be
//! judged ([`Grading::needs`]); leaving them out never changes it.

mod grader;
mod scoring;
#[cfg(test)]
mod tests;

use assize_common::package::grading::Grading as Rules;
use assize_common::package::{Package, StaticTest, Testcase};
use assize_common::{Award, GroupScore, Score, Verdict};

/// The result of one test case, as far as grading is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestResult {
    /// The verdict.
    pub verdict: Verdict,
    /// What the validator gave for it.
    pub award: Option<Award>,
}

/// A test case: its place in the package's lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Test {
    /// One with input and answer.
    Testcase(usize),
    /// One of the static validator.
    Static(usize),
}

/// The results so far; `None` for what was not judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Results {
    /// By the place of the test case.
    pub testcases: Vec<Option<TestResult>>,
    /// By the place of the static test.
    pub static_tests: Vec<Option<TestResult>>,
}

impl Results {
    /// No results yet for a package's test cases.
    #[must_use]
    pub fn none(package: &Package) -> Self {
        let static_tests = package.static_validator.as_ref();
        Self {
            testcases: vec![None; package.testcases.len()],
            static_tests: vec![None; static_tests.map_or(0, |validator| validator.tests.len())],
        }
    }

    /// The result of a test case, if it was judged.
    #[must_use]
    pub fn of(&self, test: Test) -> Option<&TestResult> {
        match test {
            Test::Testcase(index) => self.testcases.get(index)?.as_ref(),
            Test::Static(index) => self.static_tests.get(index)?.as_ref(),
        }
    }

    /// Sets the result of a test case of the package.
    pub fn set(&mut self, test: Test, result: TestResult) {
        let (list, index) = match test {
            Test::Testcase(index) => (&mut self.testcases, index),
            Test::Static(index) => (&mut self.static_tests, index),
        };
        if let Some(place) = list.get_mut(index) {
            *place = Some(result);
        }
    }

    fn verdict(&self, test: Test) -> Option<Verdict> {
        self.of(test).map(|result| result.verdict)
    }
}

/// The result of a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Graded {
    /// The verdict.
    pub verdict: Verdict,
    /// The score, in problems that give one.
    pub score: Option<Score>,
    /// The scores of groups, the outermost one last.
    pub groups: Vec<GroupScore>,
}

/// Why there is no result: the fault of the package or of ourselves.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GradingError {
    /// The validator gave points where it must not, or too many.
    #[error("the validator's score of {test} is wrong: {problem}")]
    Award {
        /// The test case.
        test: String,
        /// What is wrong.
        problem: String,
    },
    /// The points of a group are not what they may be.
    #[error("group {group} gets {score} points, which is {problem}")]
    Group {
        /// The group.
        group: String,
        /// Its points.
        score: Score,
        /// What is wrong with them.
        problem: String,
    },
    /// A test case that counts was not judged.
    #[error("{test} counts and was not judged")]
    NotJudged {
        /// The test case.
        test: String,
    },
}

/// The grading of one package.
#[derive(Debug, Clone, Copy)]
pub struct Grading<'a> {
    rules: &'a Rules,
    testcases: &'a [Testcase],
    static_tests: &'a [StaticTest],
}

impl<'a> Grading<'a> {
    /// The grading that `package` asks for.
    #[must_use]
    pub fn of(package: &'a Package) -> Self {
        Self {
            rules: &package.grading,
            testcases: &package.testcases,
            static_tests: package
                .static_validator
                .as_ref()
                .map(|validator| validator.tests.as_slice())
                .unwrap_or_default(),
        }
    }

    /// All test cases in the order of judging: a group's static test comes before
    /// its first test case.
    #[must_use]
    pub fn order(&self) -> Vec<Test> {
        let mut statics: Vec<usize> = (0..self.static_tests.len()).collect();
        let mut order = Vec::with_capacity(statics.len() + self.testcases.len());
        for (index, testcase) in self.testcases.iter().enumerate() {
            statics.retain(|&at| {
                let group = self.static_tests[at].group.as_str();
                // As test cases are sorted: name by name.
                let is_behind = testcase.name.split('/').gt(group.split('/'));
                let begins = is_within(&testcase.name, group) || is_behind;
                if begins {
                    order.push(Test::Static(at));
                }
                !begins
            });
            order.push(Test::Testcase(index));
        }
        order.extend(statics.into_iter().map(Test::Static));
        order
    }

    /// Whether the result of `test` may still change the result of the submission.
    #[must_use]
    pub fn needs(&self, test: Test, results: &Results) -> bool {
        match self.rules {
            Rules::PassFail => {
                let earlier = self.order().into_iter().take_while(|other| *other != test);
                !earlier
                    .filter_map(|earlier| results.verdict(earlier))
                    .any(|verdict| verdict != Verdict::Ac)
            }
            Rules::Scoring(secret) => scoring::needs(self, secret, test, results),
            Rules::Grader(grader) => grader::needs(&grader.root, test, results),
        }
    }

    /// Whether a test case of the same directory as `test`, before it in the order of
    /// judging, was not accepted.
    #[must_use]
    pub fn has_failed_beside(&self, test: Test, results: &Results) -> bool {
        let group = self.group(test);
        self.order()
            .into_iter()
            .take_while(|other| *other != test)
            .filter(|other| self.group(*other) == group)
            .filter_map(|other| results.verdict(other))
            .any(|verdict| verdict != Verdict::Ac)
    }

    /// The directory that a test case is in.
    fn group(&self, test: Test) -> &'a str {
        match test {
            Test::Testcase(index) => {
                let name = self.testcases.get(index).map(|testcase| &*testcase.name);
                let split = name.and_then(|name| name.rsplit_once('/'));
                split.map_or("", |(group, _)| group)
            }
            Test::Static(index) => {
                let group = self.static_tests.get(index).map(|test| &*test.group);
                group.unwrap_or_default()
            }
        }
    }

    /// The result of the submission.
    ///
    /// # Errors
    /// [`GradingError`] when validators gave points they must not give, or test
    /// cases that count were not judged.
    pub fn grade(&self, results: &Results) -> Result<Graded, GradingError> {
        match self.rules {
            Rules::PassFail => Ok(Graded {
                verdict: self.first_failure(self.order(), results)?,
                score: None,
                groups: Vec::new(),
            }),
            Rules::Scoring(secret) => scoring::grade(self, secret, results),
            Rules::Grader(grader) => grader::grade(self, grader, results),
        }
    }

    /// The verdict of the first of `tests` that is not accepted. What comes before
    /// it must have been judged.
    fn first_failure(
        &self,
        tests: impl IntoIterator<Item = Test>,
        results: &Results,
    ) -> Result<Verdict, GradingError> {
        for test in tests {
            match results.verdict(test) {
                Some(Verdict::Ac) => {}
                Some(verdict) => return Ok(verdict),
                None => return Err(self.not_judged(test)),
            }
        }
        Ok(Verdict::Ac)
    }

    fn not_judged(&self, test: Test) -> GradingError {
        GradingError::NotJudged {
            test: self.name(test),
        }
    }

    /// What people call a test case.
    #[must_use]
    pub fn name(&self, test: Test) -> String {
        match test {
            Test::Testcase(index) => {
                let testcase = self.testcases.get(index);
                testcase.map_or_else(String::new, |testcase| testcase.name.clone())
            }
            Test::Static(index) => {
                let group = self.static_tests.get(index).map(|test| test.group.as_str());
                format!("{} (static validation)", group.unwrap_or_default())
            }
        }
    }

    /// The test cases that a name below `data/` stands for: one, or all of a group.
    fn tests_of(&self, name: &str) -> impl Iterator<Item = Test> {
        let testcases = self
            .testcases
            .iter()
            .enumerate()
            .filter_map(move |(index, testcase)| {
                let meant = testcase.name == name || is_within(&testcase.name, name);
                meant.then_some(Test::Testcase(index))
            });
        let statics = self
            .static_tests
            .iter()
            .enumerate()
            .filter_map(move |(index, test)| {
                let meant = test.group == name || is_within(&test.group, name);
                meant.then_some(Test::Static(index))
            });
        statics.chain(testcases)
    }
}

/// Whether `path` lies in the directory `group`.
fn is_within(path: &str, group: &str) -> bool {
    path.strip_prefix(group)
        .is_some_and(|rest| rest.starts_with('/'))
}
