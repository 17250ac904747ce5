//! Compatibility of event versions: breaks, counterexamples, required version numbers,
//! upcasters and waivers.
//!
//! # Who reads what
//!
//! The rules follow from how this SDK reads (`decode_data`), and hold for clients in
//! other languages by the wire contract. A consumer that has the type of version `M.m`
//! gets, on the event's subject,
//!
//! - **the same major, whatever minor**: it is read as `M.m`, with the fields that the
//!   type does not know ignored. What does not fit is *terminated*: it never comes again.
//!   So within a major, versions have to fit both ways. Backward, since streams keep
//!   what older minors wrote, and publishers are updated last. Forward, since a minor
//!   does not make an old consumer wait: it reads what newer publishers write as best
//!   it can.
//! - **an older major**: it is read as the type of that major and converted, step by
//!   step, by the `upcast_from` chain; without one it is terminated. Whether schemas of
//!   different majors fit is of no account then. What counts is that documents come
//!   through the chain, and that is tried: with the golden document of each old version,
//!   and with the counterexample of each break between the schemas. A break whose
//!   document comes through is reported as mitigated.
//! - **a newer major**: it is not read but *put back*, and comes again. That is why
//!   consumers deploy first, and why forward breaks between majors are mitigated: nothing
//!   is lost as long as consumers are updated before they run out of redeliveries.
//!
//! What the schema says of a type is not all that serde does: `#[serde(alias)]` takes
//! another name, a `HashSet` takes an item twice. So the document of a break between an older
//! writer and the code's type is read by that type. Where it reads it and what stands at the
//! place of the break is there afterwards, the break is mitigated too
//! ([`Mitigation::Read`]). Where it is not there, it was lost without a word, as in a
//! flattened `Option`; that is the break which is reported.
//!
//! # What is compared
//!
//! What the one side's *writer* may write with what the other side's *reader* accepts:
//!
//! | direction | asks | of |
//! |---|---|---|
//! | `BACKWARD` | does the new reader accept all that the old writer wrote? | stored events; publishers that are not updated yet |
//! | `FORWARD` | does the old reader accept all that the new writer writes? | consumers that are not updated yet |
//!
//! A writer is closed: it writes the fields that it declares, and no others. A reader is
//! as the [content model](ContentModel) says; tolerant unless set, as serde is. That is
//! what makes a new optional field compatible both ways.
//!
//! The code's version is compared with the newest committed version before it, in a
//! transitive [mode](Mode) with each that was ever committed, of all majors. An older
//! type that the catalogue keeps (for a chain) is compared within its own major.
//!
//! # What a change has to raise
//!
//! | change | raises |
//! |---|---|
//! | texts: titles, descriptions, examples | nothing |
//! | anything that leaves no break in the mode's directions | the minor |
//! | a break | the major, with an upcaster |
//! | subject, envelope type, key in the subject | nothing can: it is another event |
//!
//! Within one version nothing may change but texts; a schema that is written in another
//! way and means the same (proven both ways) is no change.
//!
//! # What a verdict is worth
//!
//! A break always has a document that one validator accepts and the other refuses; both
//! were run on it. What could be neither proven nor refuted is [`EventRule::Undecided`],
//! and fails a check just as a break does. Only a [waiver](Waiver), which has a reason
//! and ends on a day, lets either pass.

pub(crate) mod changes;
mod contract;
mod current;
mod event;
mod event_rule;
mod facts;
pub(crate) mod fields;
mod finding;
mod fit;
mod golden;
mod merge;
mod mode;
mod prepared;
mod reading;
mod receiver;
mod rule;
mod upcast;
mod waiver;

#[cfg(feature = "cli")]
pub(crate) use changes::{Change, Told};
pub use contract::{Contract, Facts, History};
pub use current::{Current, Decode, Reread};
pub use event::{Options, compare_event};
pub use event_rule::EventRule;
pub use finding::{
    Cause, Document, Finding, Mitigation, Place, Severity, Verdict, Versions, Waived, Within,
};
pub use golden::read_goldens;
pub use mode::{ContentModel, Direction, Mode, UnknownName};
pub use prepared::BadSchema;
pub use receiver::compare_receiver;
pub use rule::Rule;
pub use waiver::{Waiver, apply_waivers};
