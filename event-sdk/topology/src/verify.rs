//! `Verification`: what differs between a topology and what exists.

use std::fmt;

use event_sdk::transport::Difference;

use crate::plan::{Action, Item, Overlap, Plan};

/// What differs between a topology and what exists. `Display` prints a line for each finding.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verification {
    /// The findings, in the order of the topology.
    pub findings: Vec<Finding>,
}

/// One difference between a topology and what exists.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// A part of the topology does not exist.
    Missing(Item),
    /// A part of the topology exists with other settings.
    Drift {
        /// The part of the topology.
        item: Item,
        /// The settings that differ, each with both values.
        differences: Vec<Difference>,
    },
    /// Another stream stores some subjects of a declared stream, and receives their events.
    Overlap {
        /// The declared stream.
        item: Item,
        /// The other stream.
        other: Overlap,
    },
}

impl Verification {
    /// Whether nothing differs.
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    pub(crate) fn of(plan: Plan) -> Self {
        let findings = plan.parts.into_iter().flat_map(|part| {
            let item = part.item;
            match part.action {
                Action::Keep => Vec::new(),
                Action::Create => vec![Finding::Missing(item)],
                Action::Change(differences) => vec![Finding::Drift { item, differences }],
                Action::Refuse(refusal) => {
                    let first = if refusal.exists {
                        let (item, differences) = (item.clone(), refusal.differences);
                        Finding::Drift { item, differences }
                    } else {
                        Finding::Missing(item.clone())
                    };
                    let overlaps = refusal.overlaps.into_iter();
                    let overlaps = overlaps.map(|other| Finding::Overlap {
                        item: item.clone(),
                        other,
                    });
                    std::iter::once(first).chain(overlaps).collect()
                }
            }
        });
        Self {
            findings: findings.collect(),
        }
    }
}

impl fmt::Display for Verification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<_> = self.findings.iter().map(ToString::to_string).collect();
        match lines[..] {
            [] => f.write_str("everything is as declared"),
            _ => f.write_str(&lines.join("\n")),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(item) => write!(f, "{item} does not exist"),
            Self::Drift { item, differences } => {
                let list: Vec<_> = differences.iter().map(ToString::to_string).collect();
                write!(f, "{item} differs: {}", list.join("; "))
            }
            Self::Overlap { item, other } => {
                write!(
                    f,
                    "{other} stores some subjects of {item}, and receives its events"
                )
            }
        }
    }
}
