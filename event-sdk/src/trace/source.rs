//! `TraceSource`: connects the spans of this crate with a tracing system that knows trace ids.

use std::fmt;

use tracing::Span;

use super::TraceContext;

/// Connects the spans of this crate with a tracing system, such as OpenTelemetry.
///
/// `tracing` knows spans, but no trace ids. An implementation tells which context a span has, and
/// gives a span a parent in another process. `event-sdk-observe` has an implementation for
/// OpenTelemetry. [`BusBuilder::trace_source`](crate::BusBuilder::trace_source) sets the source of
/// a bus.
///
/// The methods are called for each event while it is published or received, so they must not wait.
pub trait TraceSource: fmt::Debug + Send + Sync + 'static {
    /// The context that is active in the caller; `None` if no context is active.
    fn active(&self) -> Option<TraceContext>;

    /// The context of `span`, which is sent with the event that is published in the span; `None` if
    /// the tracing system does not record the span.
    fn context_of(&self, span: &Span) -> Option<TraceContext>;

    /// Makes `parent`, which another process has sent, the parent of `span`. The method is called
    /// before the span is entered.
    fn set_parent(&self, span: &Span, parent: &TraceContext);

    /// Links `span` to the span of `context`.
    fn add_link(&self, span: &Span, context: &TraceContext);
}
