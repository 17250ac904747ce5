//! An event that is not decoded.

use bytes::Bytes;
use serde::de::DeserializeOwned;

use crate::envelope::Head;
use crate::event::{DataError, Event, decode_data};
use crate::json::{self, JsonError};
use crate::subject::Subject;

/// An event as it arrived: its envelope is read, its data are not.
#[derive(Debug, Clone, PartialEq)]
pub struct RawEvent {
    /// The whole subject.
    pub subject: Subject,
    /// Everything in the envelope but the data.
    pub head: Head,
    /// The data, one JSON value.
    pub data: Bytes,
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
