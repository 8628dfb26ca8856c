//! How closely the runs of one submission are looked at.

use assize_common::scrutiny::{AuditDetail, Scrutiny, ScrutinyError};
use assize_sandbox::{AuditLevel, PolicyLayer};

/// What is done under ptrace beyond what is usual.
#[derive(Debug, Clone)]
pub struct Look {
    /// How much the tracer records, if not as the judge says.
    pub audit: Option<AuditLevel>,
    /// What would be killed for is let through. The verdict is of no use then.
    pub observe: bool,
    /// Further rules.
    pub layers: Vec<PolicyLayer>,
}

/// No closer than usual.
pub static USUAL: Look = Look {
    audit: None,
    observe: false,
    layers: Vec::new(),
};

impl TryFrom<&Scrutiny> for Look {
    type Error = ScrutinyError;

    fn try_from(scrutiny: &Scrutiny) -> Result<Self, ScrutinyError> {
        Ok(Self {
            audit: scrutiny.audit.map(|audit| match audit {
                AuditDetail::Summary => AuditLevel::Summary,
                AuditDetail::Decisions => AuditLevel::Decisions,
                AuditDetail::Full => AuditLevel::Full,
            }),
            observe: scrutiny.observe,
            layers: scrutiny.policy_layers()?,
        })
    }
}
