//! From the list of init.yml to test cases and points.

use super::super::error::PackageError;
use super::super::grading::{Aggregation, Grading, ScoredGroup, ScoredMember};
use super::super::model::Testcase;
use super::cases::{Case, Content, Item};
use super::data::Data;
use crate::Score;

/// The test cases in order, and what they give.
pub(super) fn grading(
    items: &[Item],
    data: &mut Data<'_>,
) -> Result<(Vec<Testcase>, Grading), PackageError> {
    let mut builder = Builder {
        testcases: Vec::new(),
        members: vec![Vec::new()],
        gates: Vec::new(),
        data,
    };
    let (mut number, mut batch, mut pretest) = (0, 0, 0);
    for item in items {
        let place = |count: &mut usize, prefix: &str| {
            *count += 1;
            format!("secret/{prefix}{count:02}")
        };
        match &item.content {
            Content::Case(case) => {
                let name = if item.is_pretest {
                    place(&mut pretest, "pretest-")
                } else {
                    place(&mut number, "")
                };
                builder.case(name, case, &item.points)?;
            }
            Content::Batch {
                cases,
                dependencies,
            } => {
                let name = if item.is_pretest {
                    place(&mut pretest, "pretest-")
                } else {
                    batch += 1;
                    format!("secret/batch{batch}")
                };
                let require_pass = dependencies
                    .iter()
                    .map(|number| format!("secret/batch{number}"))
                    .collect();
                builder.batch(name, cases, &item.points, require_pass)?;
            }
        }
    }
    let total: Score = items.iter().map(|item| &item.points).sum();
    let members = builder.close();
    let testcases = builder.testcases;
    let secret = ScoredGroup {
        name: "secret".to_owned(),
        aggregation: Aggregation::Sum,
        max_score: Some(total),
        require_pass: Vec::new(),
        members,
    };
    Ok((testcases, Grading::Scoring(secret)))
}

struct Builder<'d, 't> {
    testcases: Vec<Testcase>,
    /// The members of `secret`, then those of the group after each gate.
    members: Vec<Vec<ScoredMember>>,
    /// Test cases and batches without points: once one fails, nothing after it is judged.
    gates: Vec<String>,
    data: &'d mut Data<'t>,
}

impl Builder<'_, '_> {
    fn case(&mut self, name: String, case: &Case, points: &Score) -> Result<(), PackageError> {
        let member = self.testcase(name.clone(), case, points)?;
        self.add(member);
        self.gate(name, points);
        Ok(())
    }

    fn gate(&mut self, name: String, points: &Score) {
        if points.is_zero() {
            self.gates.push(name);
            self.members.push(Vec::new());
        }
    }

    /// A batch gives what its worst test case does.
    fn batch(
        &mut self,
        name: String,
        cases: &[Case],
        points: &Score,
        require_pass: Vec<String>,
    ) -> Result<(), PackageError> {
        let mut members = Vec::with_capacity(cases.len());
        for (at, case) in cases.iter().enumerate() {
            let name = format!("{name}/{:02}", at + 1);
            members.push(self.testcase(name, case, points)?);
        }
        self.add(ScoredMember::Group(ScoredGroup {
            name: name.clone(),
            aggregation: Aggregation::Min,
            max_score: Some(points.clone()),
            require_pass,
            members,
        }));
        self.gate(name, points);
        Ok(())
    }

    fn testcase(
        &mut self,
        name: String,
        case: &Case,
        points: &Score,
    ) -> Result<ScoredMember, PackageError> {
        let input = self.data.place(case.input.as_deref(), case.is_binary)?;
        let answer = self.data.place(case.output.as_deref(), case.is_binary)?;
        self.testcases.push(Testcase::new(name, input, answer));
        Ok(ScoredMember::Testcase {
            index: self.testcases.len() - 1,
            max_score: Some(points.clone()),
        })
    }

    fn add(&mut self, member: ScoredMember) {
        if let Some(members) = self.members.last_mut() {
            members.push(member);
        }
    }

    /// Puts what comes after each gate into a group that requires it.
    fn close(&mut self) -> Vec<ScoredMember> {
        while let Some(gate) = self.gates.pop() {
            let after = self.members.pop().unwrap_or_default();
            if after.is_empty() {
                continue;
            }
            self.add(ScoredMember::Group(ScoredGroup {
                name: gate.replacen("secret/", "secret/after-", 1),
                aggregation: Aggregation::Sum,
                max_score: None,
                require_pass: vec![gate],
                members: after,
            }));
        }
        self.members.pop().unwrap_or_default()
    }
}
