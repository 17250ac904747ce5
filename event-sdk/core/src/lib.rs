//! The contracts of event-sdk: events, sets, subjects, envelopes, codecs, stream declarations
//! and the `Transport` trait.
//!
//! Services import `event-sdk`, which re-exports all of this. Depend on this
//! crate alone in two cases: for a crate of events that several services share,
//! and to write a transport. It has no runtime and no client of any server, so a new major
//! version of those never splits [`Event`] in two.
//!
//! Where things stand, in reading order:
//!
//! - [`event`]: the [`Event`] trait and the [`EventSpec`](event::EventSpec) that the derive fills in;
//! - [`set`]: [`EventSet`], several events as one enum, and its compile-time checks;
//! - [`mod@subject`]: [`Subject`] and [`Pattern`], checked texts;
//! - [`envelope`]: the metadata around an event's data;
//! - [`codec`]: envelope to bytes and back;
//! - [`Pii`]: personal data, marked in their type;
//! - [`stream`]: what a stream is called, holds and keeps;
//! - [`transport`]: the [`Transport`] trait, its messages, deliveries and errors;
//! - [`time`]: the clock and the source of ids.
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod codec;
pub mod envelope;
pub mod event;
pub mod headers;
pub mod json;
mod pii;
pub mod set;
mod shown;
pub mod stream;
pub mod subject;
pub mod text;
pub mod time;
pub mod transport;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

pub use envelope::{EnvelopeHeader, LooseId, Metadata, Version};
pub use event::Event;
pub use event_sdk_derive::{CoreEvent as Event, CoreEventSet as EventSet, core_subject as subject};
pub use pii::Pii;
pub use set::{Contains, EventSet, RawEvent, Visit, Visitor};
pub use subject::{Pattern, Subject};
pub use transport::{Error, ErrorKind, Transport};

/// The README's example, run with the documentation's.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
