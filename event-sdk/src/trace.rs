//! Tracing: the trace context of an event (`traceparent`), the spans of publishing, receiving and
//! processing, and the connection to a tracing system (`TraceSource`).
//!
//! The spans are plain `tracing` spans with the target `event_sdk` and the level `INFO`. Names and
//! fields are those of the OpenTelemetry conventions for messaging, 1.42. A span costs nothing if
//! no subscriber is interested in it.
//!
//! | span | kind | open | made by |
//! |---|---|---|---|
//! | `publish` | producer | from the first poll of a publish until its confirmation or error | each publish |
//! | `receive` | client | while [`Subscriber::next`](crate::Subscriber::next) returns a delivery | each delivery |
//! | `process` | consumer | as long as its owner keeps it | [`Message::process_span`](crate::Message::process_span), and a consumer for each attempt |
//!
//! # Context
//!
//! A message carries its trace in the headers `traceparent` and `tracestate` (W3C Trace Context):
//!
//! - Without a [`TraceSource`], an event has the context of its cause
//!   ([`caused_by`](crate::Publish::caused_by)) or the one that was set
//!   ([`trace`](crate::Publish::trace)), unchanged. If there is neither and a subscriber records the
//!   `publish` span, the event starts a trace: the trace id is the correlation id (or the event id,
//!   if the correlation id is not a UUID), and the context is marked as sampled, because the span is
//!   recorded. If no subscriber records the span, nothing is written.
//! - With a [`TraceSource`], the context of the `publish` span is written. The span is a child of
//!   the active span, or of the cause if no span is active. A context set by
//!   [`trace`](crate::Publish::trace) takes precedence over the active span. If the span is not
//!   recorded, the active context is written.
//!
//! A `process` span is a child of the context in the message. A `receive` span is too, unless
//! another span is active: it is then a child of that span, with a link to the context in the
//! message.
//!
//! A consumer opens one `process` span for each attempt of a handler. That of a
//! [batch](crate::consumer::Consumer::on_batches) is a child of none of its events, and linked to the
//! context of each by the [`TraceSource`]. It has the field `messaging.batch.message_count`; the
//! destination, if it is the same for all events; without a [`TraceSource`], `trace_id` if all
//! events are of one trace; and no message id. If an event of the batch fails, `error.type` is that
//! of the first one.

mod context;
mod source;

mod destination;
mod spans;

pub use context::{InvalidTrace, TraceContext};
pub use source::TraceSource;
pub use spans::failed;

pub(crate) use destination::Destination;
pub(crate) use spans::{About, Origin, PublishSpan, Tracing, process, process_batch, receive};
