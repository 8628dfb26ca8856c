//! Which test case to run next, and which results count.
//!
//! Test cases may run in any order, but their results are taken in the order of
//! judging, and one that would have been left out there is left out here, whatever
//! came of it. So the outcome does not depend on how many run at once.

use assize_common::package::Package;

use crate::grading::{Graded, Grading, GradingError, Results, Test, TestResult};
use assize_common::Stop;

/// The test cases of one judgement; `T` is what running one comes to.
pub(super) struct Schedule<'a, T> {
    grading: Grading<'a>,
    stop: Stop,
    order: Vec<Test>,
    places: Vec<Place<T>>,
    /// How long test cases took, by the package's list; empty if that is unknown
    /// or does not matter.
    weights: Vec<u64>,
    samples: Vec<bool>,
    /// What was taken so far.
    results: Results,
    /// The first place in the order that was not taken or left out.
    due: usize,
}

/// What became of a test case.
enum Place<T> {
    Waiting,
    Running,
    Ended(T),
    Taken,
}

impl<'a, T> Schedule<'a, T> {
    pub(super) fn new(
        grading: Grading<'a>,
        package: &Package,
        stop: Stop,
        weights: Vec<u64>,
    ) -> Self {
        let order = grading.order();
        let is_sample = |test: &Test| match test {
            Test::Testcase(index) => package.testcases[*index].is_sample(),
            Test::Static(_) => false,
        };
        Self {
            grading,
            stop,
            places: order.iter().map(|_| Place::Waiting).collect(),
            samples: order.iter().map(is_sample).collect(),
            order,
            weights,
            results: Results::none(package),
            due: 0,
        }
    }

    /// How many test cases there are.
    pub(super) const fn len(&self) -> usize {
        self.order.len()
    }

    /// What the results that were taken come to.
    pub(super) fn grade(&self) -> Result<Graded, GradingError> {
        self.grading.grade(&self.results)
    }

    /// The test case to run now, with its place and name: samples first, then the
    /// longest, then in order.
    pub(super) fn start(&mut self) -> Option<(usize, Test, String)> {
        let waiting = (self.due..self.order.len())
            .filter(|index| matches!(self.places[*index], Place::Waiting))
            .filter(|index| self.is_needed(*index));
        let best = if self.weights.is_empty() {
            let mut waiting = waiting;
            waiting.next()
        } else {
            waiting.min_by_key(|index| {
                let weight = match self.order[*index] {
                    Test::Testcase(testcase) => self.weights.get(testcase).copied(),
                    Test::Static(_) => None,
                };
                let long = std::cmp::Reverse(weight.unwrap_or_default());
                (!self.samples[*index], long, *index)
            })
        }?;
        self.places[best] = Place::Running;
        let test = self.order[best];
        Some((best, test, self.grading.name(test)))
    }

    /// A test case that was started has ended.
    pub(super) fn end(&mut self, index: usize, outcome: T) {
        if let Some(place @ Place::Running) = self.places.get_mut(index) {
            *place = Place::Ended(outcome);
        }
    }

    /// The next outcome in the order of judging, if it is there; then call
    /// [`Schedule::set`].
    pub(super) fn take_due(&mut self) -> Option<(Test, T)> {
        while self.due < self.order.len() {
            let index = self.due;
            if self.is_needed(index) {
                if !matches!(self.places[index], Place::Ended(_)) {
                    return None;
                }
                self.due += 1;
                let place = std::mem::replace(&mut self.places[index], Place::Taken);
                if let Place::Ended(outcome) = place {
                    return Some((self.order[index], outcome));
                }
            }
            self.due += 1;
        }
        None
    }

    /// The result of a test case that was taken.
    pub(super) fn set(&mut self, test: Test, result: TestResult) {
        self.results.set(test, result);
    }

    /// Whether nothing is left to be taken.
    pub(super) const fn is_complete(&self) -> bool {
        self.due >= self.order.len()
    }

    /// Nothing is started any more.
    pub(super) fn close(&mut self) {
        self.due = self.order.len();
    }

    fn is_needed(&self, index: usize) -> bool {
        let test = self.order[index];
        let is_wanted = match self.stop {
            Stop::FirstFailure => false,
            Stop::GroupFailure => !self.grading.has_failed_beside(test, &self.results),
            Stop::End => true,
        };
        is_wanted || self.grading.needs(test, &self.results)
    }
}
