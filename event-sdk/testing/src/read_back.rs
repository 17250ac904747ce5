//! `ReadBack`: a codec that reads each event back by its own type when it is written.

mod compare;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use event_sdk::EnvelopeHeader;
use event_sdk::codec::{Codec, DecodeFault, EncodeError, RawEnvelope};
use event_sdk::headers::Headers;
use event_sdk::json::{ReadBackError, WriteJson};

/// A codec around another one. What it has written it decodes, reads by the event's own type and
/// writes again: a difference is an error of the publish, and is kept for the test to report.
#[derive(Debug)]
pub(crate) struct ReadBack {
    inner: Arc<dyn Codec>,
    faults: Arc<Faults>,
}

/// What could not be read back, over all connections of a test bus. Without values.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<Vec<String>>);

impl Faults {
    /// The faults since the last call.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ReadBack {
    pub(crate) fn new(inner: Arc<dyn Codec>, faults: Arc<Faults>) -> Self {
        Self { inner, faults }
    }

    fn check(
        &self,
        head: &EnvelopeHeader,
        data: &dyn WriteJson,
        headers: &Headers,
        body: &[u8],
    ) -> Result<(), String> {
        let body = Bytes::copy_from_slice(body);
        let envelope = self.inner.decode(&body, headers);
        let envelope = envelope.map_err(|fault| format!("its envelope cannot be read: {fault}"))?;
        if envelope.head != *head {
            return Err("the header of its envelope is read as another one".to_owned());
        }
        match data.__read_back(&envelope.data) {
            // Not an event.
            None => Ok(()),
            Some(Ok(again)) => compare::same(&envelope.data, &again),
            Some(Err(ReadBackError::Read(error))) => Err(error.to_string()),
            Some(Err(ReadBackError::Written(error))) => {
                Err(format!("what was read cannot be written: {error}"))
            }
        }
    }
}

impl Codec for ReadBack {
    fn encode(
        &self,
        head: &EnvelopeHeader,
        data: &dyn WriteJson,
        headers: &mut Headers,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        let start = out.len();
        self.inner.encode(head, data, headers, out)?;
        let written = out.get(start..).unwrap_or_default();
        self.check(head, data, headers, written).map_err(|why| {
            let fault = Fault { head, why };
            let text = fault.to_string();
            self.faults.lock().push(text.clone());
            EncodeError::new(text)
        })
    }

    fn decode(&self, body: &Bytes, headers: &Headers) -> Result<RawEnvelope, DecodeFault> {
        self.inner.decode(body, headers)
    }
}

struct Fault<'a> {
    head: &'a EnvelopeHeader,
    why: String,
}

impl fmt::Display for Fault<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { head, why } = self;
        write!(
            f,
            "{} {} ({}) is not read back as it was written: {why}",
            head.event_type, head.version, head.event_id
        )
    }
}
