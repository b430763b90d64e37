//! Factory of a policy that is a Rust type.

use std::fmt;
use std::sync::Arc;

use super::Policy;

/// Makes a policy that is a Rust type, anew for every run and on the thread of the run.
#[derive(Clone)]
pub struct PolicyFactory {
    version: String,
    make: Arc<dyn Fn() -> Box<dyn Policy> + Send + Sync>,
}

impl PolicyFactory {
    /// A factory that calls `make`. `version` names what the policy does: whoever changes that
    /// changes the version, by which results that are kept are known again.
    pub fn new(version: &str, make: impl Fn() -> Box<dyn Policy> + Send + Sync + 'static) -> Self {
        Self { version: version.to_owned(), make: Arc::new(make) }
    }

    /// Version of the policy.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// A policy for one run.
    pub fn make(&self) -> Box<dyn Policy> {
        (self.make)()
    }
}

/// Two factories are the same where one is a clone of the other.
impl PartialEq for PolicyFactory {
    fn eq(&self, other: &Self) -> bool {
        self.version == other.version && Arc::ptr_eq(&self.make, &other.make)
    }
}

impl fmt::Debug for PolicyFactory {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("PolicyFactory").field("version", &self.version).finish_non_exhaustive()
    }
}
