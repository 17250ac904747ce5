//! Items that the derives name in generated code; not public API.

pub use std::convert::From;
pub use std::fmt::Display;
pub use std::option::Option;
pub use std::result::Result;

pub use crate::codec::DecodeFault;
pub use crate::envelope::Version;
pub use crate::event::spec::SpecBuilder;
pub use crate::event::upcast::Upcast;
pub use crate::event::{DataError, Event, EventSpec, Readable, ReadableData, WritableData};
pub use crate::json::WriteJson;
pub use crate::set::check::{check_member, check_upcast, fail};
pub use crate::set::payload::OtherPayload;
pub use crate::set::table::SubjectTable;
pub use crate::set::{Contains, EventSet, Opened, Payload, Visit, Visitor};

/// The macros as `event-sdk` has them.
pub mod macros_of_sdk {
    pub use event_sdk_derive::{Event, EventSet, Readable, subject};
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

/// What [`Readable::key`] answers for an event whose key is `key`.
pub fn key<K: Key>(key: &K) -> Option<&dyn Display> {
    Some(key.display())
}

/// The event as what writes its data.
pub fn as_json<E: Event>(event: &E) -> &dyn WriteJson {
    event
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
