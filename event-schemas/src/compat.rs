//! Compatibility of event versions: breaks, counterexamples, required version numbers,
//! upcasters and waivers.
//!
//! # Who reads what
//!
//! The rules follow from how this SDK reads events (`decode_data`). The wire contract requires
//! clients in other languages to read them in the same way. On the event's subject, a consumer that
//! has the type of version `M.m` receives:
//!
//! - **events of the same major, of any minor**: they are read as `M.m`, and fields that the type
//!   does not know are ignored. An event whose data does not match the type is *terminated*: it is
//!   not delivered again. So within a major, versions must be compatible in both directions.
//!   Backward, because streams still have events of older minors, and because publishers are
//!   updated last. Forward, because an old consumer does not wait for an update when it receives a
//!   newer minor: it reads the event at once.
//! - **events of an older major**: they are read as the type of that major and converted, step by
//!   step, by the `upcast_from` chain. Without a chain they are terminated. So the schemas of
//!   different majors need not be compatible. Instead, documents of the old version must pass
//!   through the chain. The check decodes the golden document of each old version, and the
//!   counterexample of each break between the schemas. A break whose counterexample passes is
//!   reported as mitigated.
//! - **events of a newer major**: the consumer does not read them. It naks them with a delay, so
//!   they are delivered again. So deploy consumers first: no event is lost if they are updated
//!   before the event's redeliveries run out. For this reason, forward breaks between majors are
//!   mitigated.
//!
//! A schema does not say everything that serde does: with `#[serde(alias)]` a field has a second
//! name, and a `HashSet` accepts an item twice. So if the schemas of an older writer and of the
//! code's type do not match, the check decodes the document of the break with that type. If this
//! succeeds, and the decoded value still has what stood at the place of the break, the break is
//! mitigated too ([`Mitigation::Read`]). If the type dropped it, as a flattened `Option` does, the
//! break is reported.
//!
//! # What is compared
//!
//! The documents that the *writer* of one side may write are compared with the documents that the
//! *reader* of the other side accepts:
//!
//! | direction | asks | of |
//! |---|---|---|
//! | `BACKWARD` | does the new reader accept all that the old writer wrote? | stored events; publishers that are not updated yet |
//! | `FORWARD` | does the old reader accept all that the new writer writes? | consumers that are not updated yet |
//!
//! A writer writes only the fields that it declares. The [content model](ContentModel) says what a
//! reader does with fields that it does not declare; by default it ignores them, as serde does. For
//! this reason a new optional field is compatible in both directions.
//!
//! The code's version is compared with the newest committed version before it. In a transitive
//! [mode](Mode) it is compared with every committed version, of all majors. If the catalogue still
//! has an older type (for a chain), that type is compared within its own major.
//!
//! # What a change has to raise
//!
//! | change | raises |
//! |---|---|
//! | titles, descriptions, examples | nothing |
//! | any other change without a break in the directions of the mode | the minor |
//! | a break | the major, with an upcaster |
//! | subject, envelope type, key in the subject | no version allows this change: declare a new event |
//!
//! Within one version only titles, descriptions and examples may change. If two schemas are written
//! differently but are proven to accept the same documents, this does not count as a change.
//!
//! # How reliable a verdict is
//!
//! Every break has a document that the validator of one side accepts and the validator of the other
//! side refuses; both were run on the document. If compatibility can be neither proven nor refuted,
//! the finding is [`EventRule::Undecided`], and the check fails, as it does for a break. Only a
//! [waiver](Waiver), with a reason and a last day, accepts a break or an undecided finding.

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
