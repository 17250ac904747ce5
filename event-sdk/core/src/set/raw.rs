//! `RawEvent`: an event of an unknown type, with its subject, envelope and undecoded data.

use std::fmt;

use bytes::Bytes;
use serde::de::DeserializeOwned;

use crate::envelope::EnvelopeHeader;
use crate::event::{DataError, Readable, decode_data};
use crate::json::{self, JsonError};
use crate::subject::Subject;

/// An event with its envelope and undecoded data.
#[derive(Clone, PartialEq)]
pub struct RawEvent {
    /// The whole subject.
    pub subject: Subject,
    /// The envelope without the data.
    pub head: EnvelopeHeader,
    /// The data, one JSON value.
    pub data: Bytes,
}

impl fmt::Debug for RawEvent {
    /// Does not show the data, which may be personal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawEvent")
            .field("subject", &self.subject)
            .field("head", &self.head)
            .field("data_len", &self.data.len())
            .finish()
    }
}

impl RawEvent {
    /// Decodes the data as any type.
    ///
    /// # Errors
    ///
    /// [`JsonError`] if the data does not match the type.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, JsonError> {
        json::read_value(&self.data)
    }

    /// Decodes the data as an event, with its upcasters for older versions.
    ///
    /// # Errors
    ///
    /// [`DataError`] if the data does not match the event.
    pub fn read_event<E: Readable>(&self) -> Result<E, DataError> {
        decode_data(self.head.version, &self.data)
    }
}
