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
//!   ([`caused_by`](crate::Publish::caused_by)) or the context that was set
//!   ([`trace`](crate::Publish::trace)), unchanged. If there is neither and a subscriber records
//!   the `publish` span, the event starts a trace. Its trace id is the correlation id, or the event
//!   id if the correlation id is not a UUID. The context is marked as sampled, because the span is
//!   recorded. If no subscriber records the span, no context is written.
//! - With a [`TraceSource`], the context of the `publish` span is written. The span is a child of
//!   the active span, or of the cause if no span is active. A context set by
//!   [`trace`](crate::Publish::trace) takes precedence over the active span. If the span is not
//!   recorded, the active context is written.
//!
//! The parent of a `process` span is the context in the message. A `receive` span has the same
//! parent, unless another span is active: then that span is the parent, and the `receive` span is
//! linked to the context in the message.
//!
//! A consumer opens one `process` span for each attempt of a handler. The span of a
//! [batch](crate::consumer::Consumer::on_batches) is a child of none of its events; the
//! [`TraceSource`] links it to the context of each event. The span has the field
//! `messaging.batch.message_count`, and no message id. It has the destination if all events have
//! the same one. Without a [`TraceSource`], it has `trace_id` if all events belong to one trace. If
//! events of the batch fail, `error.type` is that of the first failed event.

mod context;
mod source;

mod destination;
mod spans;

pub use context::{InvalidTrace, TraceContext};
pub use source::TraceSource;
pub use spans::failed;

pub(crate) use destination::Destination;
pub(crate) use spans::{About, Origin, PublishSpan, Tracing, process, process_batch, receive};
