//! `Plan`: the parts of a topology that `apply` would create, change or keep, and those that a
//! server would refuse.

mod display;

use event_sdk::Pattern;
use event_sdk::text::Text;
use event_sdk::transport::Difference;

use crate::reservation::Reservations;

/// The changes that applying a topology would make. `Display` prints a line for each part, and the
/// steps of the migrations.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Plan {
    /// Each part of the topology, in the order in which it is applied.
    pub parts: Vec<Planned>,
    /// The bytes that the streams reserve, with the limits of the account.
    pub reservations: Reservations,
    /// Warnings about the plan, for example about a mirror of a stream that does not exist. Each
    /// warning is a sentence. The plan can be applied despite warnings.
    pub warnings: Vec<String>,
    /// The checks that were not made, each with its reason as a clause. The plan cannot check
    /// copied streams in other domains and accounts, and streams whose configuration the user may
    /// not read.
    pub unchecked: Vec<String>,
}

impl Plan {
    /// Whether everything already matches the topology.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let mut parts = self.parts.iter();
        parts.all(|part| part.action == Action::Keep)
    }

    /// The refused parts: a server would refuse them, or their change would lose or duplicate
    /// events.
    pub fn refusals(&self) -> impl Iterator<Item = (&Item, &Refusal)> {
        self.parts.iter().filter_map(|part| match &part.action {
            Action::Refuse(refusal) => Some((&part.item, refusal)),
            _ => None,
        })
    }

    /// The changes that can delete stored events as soon as they are applied; see
    /// [`Planned::losses`]. `apply` makes them like other changes.
    pub fn losses(&self) -> impl Iterator<Item = (&Item, &Difference)> {
        let parts = self.parts.iter();
        parts.flat_map(|part| part.losses.iter().map(|loss| (&part.item, loss)))
    }

    /// The parts that this plan creates or changes, and `agreed` does not in the same way.
    pub(crate) fn beyond<'a>(&'a self, agreed: &'a Self) -> impl Iterator<Item = &'a Planned> {
        let changes = self.parts.iter().filter(|part| part.action != Action::Keep);
        changes.filter(|part| !agreed.parts.contains(part))
    }

    /// Whether the plan can be applied: no part is refused, and the reservations are within the
    /// limits.
    #[must_use]
    pub fn is_possible(&self) -> bool {
        self.refusals().next().is_none() && self.reservations.exceeded().is_empty()
    }
}

/// What happens to one part of a topology.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Planned {
    /// The part.
    pub item: Item,
    /// What happens to the part.
    pub action: Action,
    /// The changes of the part that can delete stored events as soon as they are applied: a lower
    /// maximum of age, messages, messages per subject or bytes, and retention by interest.
    pub losses: Vec<Difference>,
}

/// A part of a topology.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Item {
    /// The stream of this name.
    Stream(Text),
    /// The bucket of this name.
    Bucket(Text),
    /// A durable.
    Durable {
        /// The stream of the durable.
        stream: Text,
        /// The name of the durable.
        durable: Text,
    },
}

/// What applying does to a part of a topology.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// The part does not exist, and is created.
    Create,
    /// The part exists, and these settings are changed: at least one.
    Change(Vec<Difference>),
    /// The part matches what exists.
    Keep,
    /// The part is not applied: a server would refuse it, or events would be lost or handled twice.
    Refuse(Refusal),
}

/// Why a part of a topology cannot be applied, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// The reason, in one sentence.
    pub reason: String,
    /// Whether the part exists.
    pub exists: bool,
    /// All settings of an existing part that differ.
    pub differences: Vec<Difference>,
    /// Other streams that store some subjects of the declared stream.
    pub overlaps: Vec<Overlap>,
    /// The steps of a migration, in their order.
    pub steps: Vec<String>,
}

/// Another stream that stores some subjects of a declared stream.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Overlap {
    /// The other stream.
    pub stream: Text,
    /// The subjects of the other stream that overlap; empty if the user may not read its
    /// configuration.
    pub subjects: Vec<Pattern>,
    /// Whether the topology declares the other stream too. The other stream then still has to get
    /// its declared subjects.
    pub is_declared: bool,
}
