//! Test support: the OpenTelemetry SDK with its exporter in memory, events, and buses.

use std::collections::BTreeMap;

use event_sdk::stream::StreamSpec;
use event_sdk::transport::nats::Nats;
use event_sdk::{BusBuilder, Event, EventBus};
use event_sdk_observe::otel::OpenTelemetry;
use event_sdk_test_servers::Server;
use opentelemetry::trace::{SpanId, TraceId, TracerProvider as _};
use opentelemetry_sdk::trace::{InMemorySpanExporter, Sampler, SdkTracerProvider, SpanData};
use serde::{Deserialize, Serialize};
use tracing::Metadata;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};

/// An order was placed.
#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
#[event(domain = "orders")]
pub(crate) struct OrderPlaced {
    #[event(key)]
    pub(crate) id: u64,
}

/// An order was paid.
#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
#[event(domain = "orders")]
pub(crate) struct OrderPaid {
    #[event(key, in_subject)]
    pub(crate) id: u64,
}

/// The SDK, which records the spans of this thread.
pub(crate) struct Tracer {
    provider: SdkTracerProvider,
    exporter: InMemorySpanExporter,
    _default: DefaultGuard,
}

impl Tracer {
    /// Records every span.
    pub(crate) fn install() -> Self {
        Self::with(Sampler::AlwaysOn, |_| true)
    }

    /// Records the spans that the sampler and the filter take.
    pub(crate) fn with(sampler: Sampler, filter: fn(&Metadata<'_>) -> bool) -> Self {
        let exporter = InMemorySpanExporter::default();
        let provider = SdkTracerProvider::builder()
            .with_sampler(Sampler::ParentBased(Box::new(sampler)))
            .with_simple_exporter(exporter.clone())
            .build();
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
        let layer = layer.with_filter(filter_fn(filter));
        let subscriber = tracing_subscriber::registry().with(layer);
        Self {
            _default: tracing::subscriber::set_default(subscriber),
            provider,
            exporter,
        }
    }

    /// The spans that have ended so far.
    pub(crate) fn spans(&self) -> Spans {
        self.provider.force_flush().unwrap();
        Spans(self.exporter.get_finished_spans().unwrap())
    }
}

/// Spans that have ended.
#[derive(Debug)]
pub(crate) struct Spans(pub(crate) Vec<SpanData>);

impl Spans {
    /// The only span of this name.
    #[track_caller]
    pub(crate) fn one(&self, name: &str) -> &SpanData {
        let named: Vec<_> = self.0.iter().filter(|span| span.name == name).collect();
        let [span] = named[..] else {
            panic!("{} spans are named {name}: {:?}", named.len(), self.names());
        };
        span
    }

    fn names(&self) -> Vec<&str> {
        self.0.iter().map(|span| &*span.name).collect()
    }
}

/// The attributes of a span, as texts.
pub(crate) fn attributes(span: &SpanData) -> BTreeMap<&str, String> {
    let attributes = span.attributes.iter();
    attributes
        .map(|attribute| (attribute.key.as_str(), attribute.value.to_string()))
        .collect()
}

/// The ids of a span, as in `traceparent`.
pub(crate) fn ids(span: &SpanData) -> (TraceId, SpanId) {
    (span.span_context.trace_id(), span.span_context.span_id())
}

/// What `traceparent` says of a span.
pub(crate) fn parent_of_children(span: &SpanData) -> String {
    let (trace, span) = ids(span);
    format!("00-{trace}-{span}-01")
}

/// A bus of a service on the memory transport.
pub(crate) fn memory() -> EventBus {
    builder("shop").memory().unwrap()
}

fn builder(service: &'static str) -> BusBuilder {
    EventBus::builder()
        .source(service)
        .stream(StreamSpec::new("ORDERS").subject("orders.>"))
        .trace_source(OpenTelemetry::new())
}

/// Three services on one memory transport.
pub(crate) fn three_in_memory() -> [EventBus; 3] {
    let bus = memory();
    [bus.clone(), bus.clone(), bus]
}

/// Three services with a connection each.
pub(crate) async fn three_on(server: &Server) -> [EventBus; 3] {
    let mut buses = Vec::new();
    for service in ["shop", "billing", "ledger"] {
        let nats = Nats::connect(Nats::options(server.url())).await.unwrap();
        buses.push(builder(service).transport(nats).unwrap());
    }
    buses[0].apply_streams().await.unwrap();
    buses.try_into().unwrap()
}
