//! Control groups: whether they are there, and what they can tell.

use super::kernel::at_least;
use super::{Finding, read};
use crate::cgroup::Layout;
use crate::protocol::Failure;

pub(super) fn findings() -> Vec<Finding> {
    let usable = Layout::detect().and_then(|layout| {
        layout.require_rights()?;
        Ok(layout)
    });
    match usable {
        Ok(layout) => vec![
            Finding::good("cgroup", layout.describe()),
            peaks(&layout),
            swap(&layout),
        ],
        Err(Failure::Unfit { problem, fix, .. }) => vec![Finding::unfit("cgroup", problem, fix)],
        Err(failure) => vec![Finding::unfit(
            "cgroup",
            format!("not to be found out: {failure:?}"),
            "mount /proc and /sys/fs/cgroup",
        )],
    }
}

fn peaks(layout: &Layout) -> Finding {
    let release = read("/proc/sys/kernel/osrelease").unwrap_or_default();
    if layout.is_unified() && !at_least(&release, (5, 19)) {
        return Finding::warning(
            "cgroup.memory_peak",
            format!("Linux {release} does not tell the peak of memory in version 2 groups"),
            "the memory that submissions are said to use is an estimate; the limit is exact",
            "install Linux 5.19 or later, or boot with version 1 groups",
        );
    }
    if at_least(&release, (6, 12)) || (layout.is_unified() && at_least(&release, (6, 7))) {
        return Finding::good(
            "cgroup.memory_peak",
            "peaks of memory and processes are told",
        );
    }
    Finding::warning(
        "cgroup.memory_peak",
        format!("Linux {release} tells the peak of memory but not of processes"),
        "facts of runs lack the latter",
        "install Linux 6.12 or later",
    )
}

/// A program must not be slow instead of over its limit, nor slow others.
fn swap(layout: &Layout) -> Finding {
    let swaps = read("/proc/swaps").unwrap_or_default();
    let areas = swaps.lines().count().saturating_sub(1);
    match (areas, layout.controls_swap()) {
        (0, _) => Finding::good("swap", "off"),
        (_, true) => Finding::warning(
            "swap",
            format!(
                "{areas} swap area(s): denied to programs, but the host may swap out what they read"
            ),
            "a page read back takes some 0.1 ms from a solid-state disk and 10 ms from a rotating one",
            "swapoff -a",
        ),
        (_, false) => Finding::unfit(
            "swap",
            "swap is on and can't be denied to programs",
            "swapoff -a, or boot with swapaccount=1",
        ),
    }
}
