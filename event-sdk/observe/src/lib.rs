//! Observability of services that use `event-sdk`.
//!
//! # Features
//!
//! - `otel`: traces across services with OpenTelemetry.
//!
//! # Modules
//!
//! - `otel` (feature `otel`): [`OpenTelemetry`](otel::OpenTelemetry), the bridge between the spans
//!   of event-sdk and OpenTelemetry.
#![cfg_attr(
    not(feature = "otel"),
    expect(rustdoc::broken_intra_doc_links, reason = "`otel` needs its feature")
)]
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[cfg(feature = "otel")]
pub mod otel;

/// The README's example, run with the documentation's.
#[cfg(all(doctest, feature = "otel"))]
#[doc = include_str!("../README.md")]
struct Readme;
