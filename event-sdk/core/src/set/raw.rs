//! `RawEvent`: an event of an unknown type, with its subject, envelope and undecoded data.

use std::fmt;

use bytes::Bytes;
use serde::de::DeserializeOwned;

use crate::envelope::EnvelopeHeader;
use crate::event::{DataError, Event, decode_data};
use crate::json::{self, JsonError};
use crate::subject::Subject;

/// An event as it arrived: its envelope is read, its data are not.
#[derive(Clone, PartialEq)]
pub struct RawEvent {
    /// The whole subject.
    pub subject: Subject,
    /// Everything in the envelope but the data.
    pub head: EnvelopeHeader,
    /// The data, one JSON value.
    pub data: Bytes,
}

impl fmt::Debug for RawEvent {
    /// Without the data, which may be personal: the field has them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawEvent")
            .field("subject", &self.subject)
            .field("head", &self.head)
            .field("data_len", &self.data.len())
            .finish()
    }
}

impl RawEvent {
    /// Reads the data as any type.
    ///
    /// # Errors
    ///
    /// [`JsonError`] when they are no such value.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, JsonError> {
        json::read_value(&self.data)
    }

    /// Reads the data as an event, through its upcasters if they are older.
    ///
    /// # Errors
    ///
    /// [`DataError`] when they are no such event.
    pub fn read_event<E: Event>(&self) -> Result<E, DataError> {
        decode_data(self.head.version, &self.data)
    }
}
