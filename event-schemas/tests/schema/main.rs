//! Schemas of events, compared with what serde writes and reads.

mod attributes;
mod documents;
mod envelope;
mod faults;
mod personal;
mod support;
