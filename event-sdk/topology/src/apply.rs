//! `ApplyError`: why a topology was not applied.

use std::fmt;

use event_sdk::transport::Error;

use crate::plan::Plan;

/// Why a topology was not applied.
#[derive(Debug)]
#[non_exhaustive]
pub enum ApplyError {
    /// A server would refuse a part of the topology, or the limits of the account do not suffice.
    /// Nothing was changed. `Display` lists each refused part with its steps.
    Refused(Box<Plan>),
    /// The plan differs from the plan that was passed to
    /// [`apply_agreed`](crate::Topology::apply_agreed). Nothing was changed.
    Changed(Box<Plan>),
    /// A request failed. The error names a stream, bucket or consumer. The parts before it may have
    /// been applied. Applying again is safe.
    Failed(Error),
}

impl From<Error> for ApplyError {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl fmt::Display for ApplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(plan) => {
                f.write_str("the topology cannot be applied, and nothing was changed")?;
                for (item, refusal) in plan.refusals() {
                    write!(f, "\n{item}: {refusal}")?;
                }
                for (name, one) in plan.reservations.exceeded() {
                    let limit = one.limit.unwrap_or_default();
                    write!(
                        f,
                        "\n{} {name} are more than the {limit} of the account",
                        one.after
                    )?;
                }
                Ok(())
            }
            Self::Changed(_) => f.write_str(
                "the server has changed since the plan was made, so that applying it would do something else; nothing was changed: look at the new plan, and apply that",
            ),
            Self::Failed(_) => f.write_str("a request of applying the topology failed"),
        }
    }
}

impl std::error::Error for ApplyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Refused(_) | Self::Changed(_) => None,
            Self::Failed(error) => Some(error),
        }
    }
}
