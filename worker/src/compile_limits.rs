//! What compilers may use, and what follows from it for what they have made.

use std::time::Duration;

use assize_common::ContentHash;
use assize_common::content_hash::ContentHasher;
use assize_common::package;
use assize_sandbox::{PolicyName, shipped_rules};
use bytesize::ByteSize;

use crate::slot::Role;

/// What compiling may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CompileLimits {
    pub(crate) time: Duration,
    pub(crate) memory: ByteSize,
}

impl From<&package::Limits> for CompileLimits {
    fn from(limits: &package::Limits) -> Self {
        Self {
            time: limits.compilation_time,
            memory: limits.compilation_memory,
        }
    }
}

impl CompileLimits {
    /// What a compilation of a recipe, and what is kept of it, depends on: under other
    /// limits, or a policy of another release, the same sources may not compile. Of
    /// `submitted` the names count, which the recipe may have changed.
    pub(crate) fn cache_key(
        self,
        recipe: ContentHash,
        role: Role,
        submitted: &[package::File],
    ) -> ContentHash {
        let mut key = ContentHasher::default();
        key.update_framed("assize compilation 2");
        for file in submitted {
            key.update_framed(&file.name);
        }
        key.update_framed(recipe.as_bytes());
        key.update_framed(match role {
            Role::Contestant => "contestant",
            Role::Jury => "jury",
        });
        key.update_framed(self.time.as_micros().to_le_bytes());
        key.update_framed(self.memory.as_u64().to_le_bytes());
        for policy in [PolicyName::Compiler, PolicyName::Contestant] {
            key.update_framed(shipped_rules(policy));
        }
        key.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_may_decide_whether_it_compiles_makes_another_key() {
        let recipe = ContentHash::of(b"a");
        let limits = CompileLimits {
            time: Duration::from_secs(1),
            memory: ByteSize::mib(1),
        };
        let longer = CompileLimits {
            time: Duration::from_secs(2),
            ..limits
        };
        let larger = CompileLimits {
            memory: ByteSize::mib(2),
            ..limits
        };
        let key = limits.cache_key(recipe, Role::Contestant, &[]);
        assert_eq!(key, limits.cache_key(recipe, Role::Contestant, &[]));
        let submitted = package::File {
            name: "a.c".to_owned(),
            path: "/a".into(),
        };
        for other in [
            longer.cache_key(recipe, Role::Contestant, &[]),
            larger.cache_key(recipe, Role::Contestant, &[]),
            limits.cache_key(recipe, Role::Jury, &[]),
            limits.cache_key(ContentHash::of(b"b"), Role::Contestant, &[]),
            limits.cache_key(recipe, Role::Contestant, &[submitted]),
        ] {
            assert_ne!(key, other);
        }
    }
}
