//! When judging ends where neither contest nor problem says: as the package's
//! format has it.

use super::grading::{GraderGroup, GraderMember, Grading, OnReject};
use super::{FormatVersion, Package};
use crate::Stop;

impl Package {
    /// What the format says. `legacy` has `on_reject`: who sets it to `continue`
    /// wants to see all. DMOJ goes on with the next batch. The others leave it open,
    /// and here judging is as short as it can be.
    #[must_use]
    pub fn stop(&self) -> Stop {
        match &self.grading {
            Grading::Grader(grader) if grader.root.on_reject == OnReject::Continue => {
                if breaks(&grader.root) {
                    Stop::GroupFailure
                } else {
                    Stop::End
                }
            }
            _ if self.format == FormatVersion::Dmoj => Stop::GroupFailure,
            Grading::PassFail | Grading::Scoring(_) | Grading::Grader(_) => Stop::FirstFailure,
        }
    }
}

/// Whether a rejected test case ends this group, or one within.
fn breaks(group: &GraderGroup) -> bool {
    group.on_reject == OnReject::Break
        || group.members.iter().any(|member| match member {
            GraderMember::Testcase(_) => false,
            GraderMember::Group(group) => breaks(group),
        })
}

#[cfg(test)]
mod tests {
    use super::super::test_package::TestPackage;
    use super::*;

    fn legacy(settings: &str, of_group: &str) -> Stop {
        let package = TestPackage::empty()
            .with("problem.yaml", "name: x\n")
            .with(".timelimit", "1\n")
            .with("data/testdata.yaml", settings)
            .with("data/secret/a/testdata.yaml", of_group)
            .with("data/secret/a/1.in", "")
            .with("data/secret/a/1.ans", "");
        Package::read(package.path()).unwrap().stop()
    }

    #[test]
    fn legacy_packages_say_how_far_to_go() {
        assert_eq!(legacy("{}\n", "{}\n"), Stop::FirstFailure);
        assert_eq!(legacy("on_reject: continue\n", "{}\n"), Stop::End);
        assert_eq!(
            legacy("on_reject: continue\n", "on_reject: break\n"),
            Stop::GroupFailure
        );
        // The first failure is the result, so nothing later counts.
        let first = "on_reject: continue\ngrader_flags: first_error\n";
        assert_eq!(legacy(first, "{}\n"), Stop::FirstFailure);
    }

    #[test]
    fn problems_of_dmoj_go_on_with_the_next_batch() {
        let package = TestPackage::empty()
            .with("init.yml", "test_cases: [{in: 1.in, out: 1.out}]\n")
            .with(".timelimit", "1\n")
            .with("1.in", "")
            .with("1.out", "");
        let package = Package::read(package.path()).unwrap();
        assert_eq!(package.stop(), Stop::GroupFailure);
    }
}
