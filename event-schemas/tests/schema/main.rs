//! The schemas of events, held against what serde writes and reads.

mod attributes;
mod documents;
mod envelope;
mod faults;
mod personal;
mod support;
