//! `OpenTelemetry`: events carry the context of their `publish` spans, and are processed in spans of
//! the same trace.
//!
//! The spans of event-sdk are `tracing` spans, and `tracing-opentelemetry` turns them into spans of
//! OpenTelemetry. [`OpenTelemetry`] connects both sides of an event: publishing writes the context
//! of the `publish` span as `traceparent` and `tracestate`, and the span of a consumer becomes a
//! child of the `publish` span.
//!
//! ```
//! use event_sdk::EventBus;
//! use event_sdk_observe::otel::OpenTelemetry;
//! use opentelemetry::trace::TracerProvider as _;
//! use opentelemetry_sdk::trace::SdkTracerProvider;
//! use tracing_subscriber::layer::SubscriberExt as _;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // An application adds an exporter, such as that of `opentelemetry-otlp`.
//! let provider = SdkTracerProvider::builder().build();
//! let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("billing"));
//! tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer))?;
//!
//! let bus = EventBus::builder().trace_source(OpenTelemetry::new()).memory()?;
//! # Ok(())
//! # }
//! ```
//!
//! Names and attributes of the spans, and which context an event carries, are described in
//! [`event_sdk::trace`]. No global propagator is needed: the headers are always the W3C Trace
//! Context headers.
//!
//! # Versions
//!
//! The application must use the same minor versions as this crate: `opentelemetry` 0.33 and
//! `tracing-opentelemetry` 0.34. With another version, cargo builds both versions, and neither sees
//! the spans of the other. A warning is then logged once (target `event_sdk::observe`), and events
//! carry only the context of their cause.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use event_sdk::trace::{TraceContext, TraceSource};
use opentelemetry::Context;
use opentelemetry::trace::{
    SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState,
};
use tracing::Span;
use tracing_opentelemetry::{OpenTelemetrySpanExt as _, SetParentError};

/// Connects the spans of a bus with OpenTelemetry.
///
/// Set it with [`BusBuilder::trace_source`](event_sdk::BusBuilder::trace_source). See the
/// [module](self) for the setup.
#[derive(Debug, Clone, Default)]
pub struct OpenTelemetry {
    /// Whether it was logged that there is no layer.
    warned: Arc<AtomicBool>,
}

impl OpenTelemetry {
    /// A bridge to the `tracing-opentelemetry` layer of the current subscriber.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn parent(&self, span: &Span, parent: Context) {
        // A span that is disabled, or already started, keeps the parent that it has.
        if let Err(SetParentError::LayerNotFound) = span.set_parent(parent)
            && !self.warned.swap(true, Ordering::Relaxed)
        {
            tracing::warn!(
                target: "event_sdk::observe",
                "no traces are connected: the tracing subscriber has no layer of tracing-opentelemetry 0.34; add it, or use the version of the crate that the application uses"
            );
        }
    }
}

impl TraceSource for OpenTelemetry {
    fn active(&self) -> Option<TraceContext> {
        let current = Context::current();
        written(current.span().span_context()).or_else(|| {
            // Entering a span makes it OpenTelemetry's current one, unless the layer is told not to.
            written(Span::current().context().span().span_context())
        })
    }

    fn context_of(&self, span: &Span) -> Option<TraceContext> {
        let context = written(span.context().span().span_context());
        if context.is_none() {
            // Nothing changes, but a missing layer is found.
            self.parent(span, Context::current());
        }
        context
    }

    fn set_parent(&self, span: &Span, parent: &TraceContext) {
        if let Some(parent) = read(parent) {
            self.parent(span, Context::current().with_remote_span_context(parent));
        }
    }

    fn add_link(&self, span: &Span, context: &TraceContext) {
        if let Some(context) = read(context) {
            span.add_link(context);
        }
    }
}

/// The headers of a context; `None` if it is none.
fn written(context: &SpanContext) -> Option<TraceContext> {
    if !context.is_valid() {
        return None;
    }
    let sampled = context.trace_flags() & TraceFlags::SAMPLED;
    let parent = format!(
        "00-{}-{}-{:02x}",
        context.trace_id(),
        context.span_id(),
        sampled.to_u8()
    );
    let state = Some(context.trace_state().header()).filter(|state| !state.is_empty());
    // A state that others need not pass on is left out.
    let with_state = TraceContext::new(parent.as_str(), state);
    with_state.or_else(|_| TraceContext::new(parent, None)).ok()
}

/// The context of the headers, of another process.
fn read(context: &TraceContext) -> Option<SpanContext> {
    let mut fields = context.traceparent().split('-').skip(1);
    let trace = TraceId::from_hex(fields.next()?).ok()?;
    let span = SpanId::from_hex(fields.next()?).ok()?;
    let flags = u8::from_str_radix(fields.next()?, 16).ok()?;
    let state = context.tracestate().unwrap_or_default();
    let state = state.parse::<TraceState>().unwrap_or_default();
    let sampled = TraceFlags::new(flags) & TraceFlags::SAMPLED;
    Some(SpanContext::new(trace, span, sampled, true, state))
}
