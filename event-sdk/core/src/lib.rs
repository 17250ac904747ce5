//! The contracts of event-sdk: events, sets, subjects, envelopes, codecs, stream declarations and
//! the `Transport` trait.
//!
//! Services use `event-sdk`, which re-exports this crate. Depend on it directly in two cases: for a
//! crate of events that several services share, and to write a transport. It depends on no runtime
//! and no client of a server. So a new major version of a runtime or client does not force a new
//! major version of this crate, which would bring a second, incompatible [`Event`] trait.
//!
//! # Modules
//!
//! - [`event`]: the traits [`Event`] and [`Readable`], and the [`EventSpec`](event::EventSpec) that
//!   their derives generate;
//! - [`set`]: [`EventSet`], several events as one enum, and its checks at compile time;
//! - [`mod@subject`]: [`Subject`] and [`Pattern`], validated texts;
//! - [`envelope`]: the [`EnvelopeHeader`] around an event's data;
//! - [`headers`]: message headers;
//! - [`codec`]: encodes and decodes envelopes;
//! - [`json`]: JSON without loss, and errors without data;
//! - [`Pii`] (`pii`): marks personal data;
//! - [`stream`]: declares a stream's name, subjects and limits;
//! - [`transport`]: the [`Transport`] trait, its messages, deliveries and errors;
//! - [`time`]: the clock and the source of ids;
//! - [`text`]: strings that are cheap to clone;
//! - `shown`: untrusted text in error messages;
//! - `private.rs`: what generated code names.
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod event;
pub mod set;

pub mod subject;

pub mod envelope;
pub mod headers;

pub mod codec;
pub mod json;
mod pii;

pub mod stream;
pub mod transport;

pub mod time;

#[doc(hidden)]
pub mod shown;
pub mod text;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

pub use envelope::{EnvelopeHeader, EventKey, LooseId, Metadata, Version};
pub use event::{Event, Readable};
pub use event_sdk_derive::{
    CoreEvent as Event, CoreEventSet as EventSet, CoreReadable as Readable, core_subject as subject,
};
pub use pii::{Pii, hide_personal_data};
pub use set::{Contains, EventSet, RawEvent, Visit, Visitor};
pub use subject::{Pattern, Subject};
pub use transport::{Error, ErrorKind, Transport};

/// The README's example, run with the documentation's.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
