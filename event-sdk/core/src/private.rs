//! What the derives write into user code. Not public interface.

pub use std::convert::From;
pub use std::fmt::Display;
pub use std::option::Option;
pub use std::result::Result;

pub use crate::codec::DecodeFault;
pub use crate::envelope::Version;
pub use crate::event::spec::SpecBuilder;
pub use crate::event::{DataError, Event, EventData, EventSpec};
pub use crate::set::check::{check_member, check_upcast};
pub use crate::set::table::SubjectTable;
pub use crate::set::{Contains, EventSet, Opened, OtherPayload, Payload, Visit, Visitor};

/// The macros as `event-sdk` has them.
pub mod macros_of_sdk {
    pub use event_sdk_derive::{Event, EventSet, subject};
}

use crate::subject::Pattern;

/// The pattern in `text`, which `subject!` has checked.
#[must_use]
pub const fn pattern(text: &'static str) -> Pattern {
    Pattern::from_checked_static(text)
}

/// The type of a field that is an event's key.
///
/// It is [`Display`] under a name that has a message of its own.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the key of an event, since it does not implement `Display`",
    label = "this key cannot be written as text",
    note = "implement `std::fmt::Display` for `{Self}`, or put `#[event(key)]` on a field that has it, such as a `String`, an integer or a `Uuid`",
    note = "personal data (`Pii`) are never a key, since keys are in subjects, logs and tables: order by the id of the person"
)]
pub trait Key {
    /// The key as what can be written.
    fn display(&self) -> &dyn Display;
}

#[diagnostic::do_not_recommend]
impl<T: Display> Key for T {
    fn display(&self) -> &dyn Display {
        self
    }
}

/// What [`Event::key`] answers for an event whose key is `key`.
pub fn key<K: Key>(key: &K) -> Option<&dyn Display> {
    Some(key.display())
}

/// An event that can be made from `P`, the version before it.
///
/// It is [`TryFrom`] under a name that has a message of its own.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be made from its older version `{P}`",
    label = "there is no `From<{P}> for {Self}`",
    note = "write `impl From<{P}> for {Self}`, or `impl TryFrom<{P}> for {Self}` with an error that implements `Display` if some old events have no new form"
)]
pub trait Upcast<P>: Sized {
    /// Makes the event, or says why not.
    ///
    /// # Errors
    ///
    /// What the conversion's error displays.
    fn upcast(previous: P) -> Result<Self, String>;
}

#[diagnostic::do_not_recommend]
impl<P, E: TryFrom<P, Error: Display>> Upcast<P> for E {
    fn upcast(previous: P) -> Result<Self, String> {
        E::try_from(previous).map_err(|why| {
            let mut text = String::new();
            // A reason whose Display fails is cut where it does.
            let _ = std::fmt::Write::write_fmt(&mut text, format_args!("{why}"));
            text
        })
    }
}

/// `spec`, of which `previous` is the version before it.
///
/// # Panics
///
/// While compiling, when it is not.
#[must_use]
#[track_caller]
pub const fn with_previous(spec: EventSpec, previous: &EventSpec) -> EventSpec {
    check_upcast(&spec, previous);
    spec
}
