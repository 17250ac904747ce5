//! Observability of services that use `event-sdk`.
//!
//! # Features
//!
//! - `otel`: traces across services with OpenTelemetry.
//! - `health`: a report on connection, streams, consumers and their lag; readiness.
//! - `outbox`: the depth and age of outboxes in the report of `health` (`event-sdk-store`).
//! - `axum`: routes for probes.
//! - `metrics`: counters, histograms and gauges for the `metrics` facade.
//!
//! # Modules
//!
//! - `health` (feature `health`): [`Health`](health::Health), the report of a service on itself;
//! - `routes` (feature `axum`): [`routes`](routes::routes), the report over HTTP;
//! - `metrics` (feature `metrics`): [`Metrics`](metrics::Metrics), what a bus publishes and handles;
//! - `otel` (feature `otel`): [`OpenTelemetry`](otel::OpenTelemetry), the bridge between the spans
//!   of event-sdk and OpenTelemetry.
#![cfg_attr(
    not(all(feature = "otel", feature = "axum", feature = "metrics")),
    expect(
        rustdoc::broken_intra_doc_links,
        reason = "the modules need their features"
    )
)]
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[cfg(feature = "health")]
pub mod health;

#[cfg(feature = "axum")]
pub mod routes;

#[cfg(feature = "metrics")]
pub mod metrics;

#[cfg(feature = "otel")]
pub mod otel;

/// The README's example, run with the documentation's.
#[cfg(all(doctest, feature = "otel"))]
#[doc = include_str!("../README.md")]
struct Readme;

/// So have those of the page on health.
#[cfg(all(doctest, feature = "axum", feature = "metrics"))]
#[doc = include_str!("../../../docs/health.md")]
struct HealthPage;
