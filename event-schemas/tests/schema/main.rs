//! Schemas of events against serde: every attribute, random documents, the envelope, personal
//! data.

mod attributes;
mod documents;
mod envelope;
mod faults;
mod null;
mod personal;
mod reader_only;
mod received;
mod support;
