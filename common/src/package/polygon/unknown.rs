//! Attributes and elements that judging would have to know.
//!
//! Only what is said of judging is looked at: what Polygon writes elsewhere is for other
//! purposes, and grows.

use roxmltree::Node;

use super::{FILE, listed};

/// Elements with their attributes and what may be within them.
struct Known {
    attributes: &'static [&'static str],
    children: &'static [&'static str],
}

const JUDGING: Known = Known {
    attributes: &[
        "cpu-name",
        "cpu-speed",
        "input-file",
        "output-file",
        "run-count",
        "treat-points-from-checker-as-percent",
    ],
    children: &["testset"],
};
const TESTSET: Known = Known {
    attributes: &["name"],
    children: &[
        "time-limit",
        "memory-limit",
        "test-count",
        "input-path-pattern",
        "output-path-pattern",
        "answer-path-pattern",
        "tests",
        "groups",
    ],
};
const TEST: Known = Known {
    attributes: &[
        "method",
        "cmd",
        "from-file",
        "description",
        "sample",
        "group",
        "points",
    ],
    children: &[],
};
const GROUP: Known = Known {
    attributes: &["name", "points", "points-policy", "feedback-policy"],
    children: &["dependencies"],
};

/// Warns of what is not known, once each.
pub(super) fn find(judging: Node<'_, '_>, set: Node<'_, '_>, warnings: &mut Vec<String>) {
    let mut found = Vec::new();
    compare(judging, &JUDGING, &mut found);
    compare(set, &TESTSET, &mut found);
    for test in listed(set, "tests", "test") {
        compare(test, &TEST, &mut found);
    }
    for group in listed(set, "groups", "group") {
        compare(group, &GROUP, &mut found);
    }
    for warning in found {
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }
}

fn compare(node: Node<'_, '_>, known: &Known, found: &mut Vec<String>) {
    let element = node.tag_name().name();
    for attribute in node.attributes() {
        let name = attribute.name();
        if !known.attributes.contains(&name) {
            found.push(format!(
                "{FILE}: unknown attribute `{name}` of <{element}> is ignored"
            ));
        }
    }
    for child in node.children().filter(Node::is_element) {
        let name = child.tag_name().name();
        if !known.children.contains(&name) {
            found.push(format!(
                "{FILE}: unknown element <{name}> in <{element}> is ignored"
            ));
        }
    }
}
