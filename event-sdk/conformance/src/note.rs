//! `Note`: the suite's own event, for transports that hand values over.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::failure::{Failure, Outcome};
use event_sdk_core::envelope::EnvelopeHeader;
use event_sdk_core::transport::{Body, ValueBody};
use event_sdk_core::{Event, Readable};

/// A note of the conformance suite.
#[derive(Debug, PartialEq, Event, Serialize, Deserialize)]
#[event(
    crate = event_sdk_core,
    domain = "conformance",
    entity = "note",
    action = "written",
    version = "1.0"
)]
pub(super) struct Note {
    #[event(key)]
    pub(super) number: u64,
    pub(super) text: String,
}

impl Note {
    pub(super) fn new(number: u64) -> Arc<Self> {
        Arc::new(Self {
            number,
            text: format!("the text of note {number}"),
        })
    }

    /// The note as a body that was not encoded.
    pub(super) fn body(self: &Arc<Self>) -> Body {
        let mut head = EnvelopeHeader::new(
            Uuid::from_u128(u128::from(self.number)),
            Self::SPEC.event_type(),
            jiff::Timestamp::UNIX_EPOCH,
        );
        head.source = "conformance".into();
        head.version = Self::SPEC.version();
        Body::Value(ValueBody {
            head: head.into(),
            event: Arc::clone(self) as _,
        })
    }
}

/// The note that was handed over in `body`, with its head.
#[track_caller]
pub(super) fn handed_over(body: &Body) -> Outcome<(EnvelopeHeader, Arc<Note>)> {
    let Body::Value(value) = body else {
        return Err(Failure::new("the value arrived encoded"));
    };
    let note = Arc::clone(&value.event)
        .into_any()
        .downcast::<Note>()
        .map_err(|_| Failure::new("the value that arrived has another type"))?;
    Ok((value.to_header().into_owned(), note))
}
