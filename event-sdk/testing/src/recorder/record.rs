//! `Record`: one stored message with its envelope, and whether an assertion has accounted for it.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use event_sdk::Subject;
use event_sdk::codec::{DecodeFault, RawEnvelope};
use event_sdk::event::EventSpec;
use event_sdk::headers::Headers;
use event_sdk::set::{Content, Opened};
use event_sdk::text::Text;
use event_sdk::transport::Stored;

use super::Draft;

/// One message that a stream has stored.
pub(crate) struct Record {
    pub(crate) number: usize,
    pub(crate) subject: Subject,
    pub(crate) headers: Headers,
    pub(crate) stream: Option<Text>,
    pub(crate) sequence: Option<u64>,
    pub(crate) envelope: Result<RawEnvelope, DecodeFault>,
    accounted: AtomicBool,
}

impl Record {
    pub(super) fn new(
        number: usize,
        draft: Draft,
        stored: &Stored,
        envelope: Result<RawEnvelope, DecodeFault>,
    ) -> Self {
        Self {
            number,
            subject: draft.subject,
            headers: draft.headers,
            stream: stored.stream.clone(),
            sequence: stored.sequence,
            envelope,
            accounted: AtomicBool::new(false),
        }
    }

    /// The message for a set to decode; `None` if it is no envelope.
    pub(crate) fn opened(&self, prefix: &str) -> Option<Opened<'_>> {
        let RawEnvelope { head, data } = self.envelope.as_ref().ok()?;
        Some(Opened::new(
            &self.subject,
            prefix,
            Content::Encoded(head, data),
        ))
    }

    /// Whether it is an event of this type, by its subject.
    pub(crate) fn is(&self, spec: &EventSpec, prefix: &str) -> bool {
        self.opened(prefix).is_some_and(|opened| opened.is(spec))
    }

    /// An assertion has named it.
    pub(crate) fn account(&self) {
        self.accounted.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_accounted(&self) -> bool {
        self.accounted.load(Ordering::Relaxed)
    }
}

/// One line: number, subject and ids; no data, which may be personal.
impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{} {}", self.number, self.subject)?;
        match &self.envelope {
            Ok(RawEnvelope { head, .. }) => {
                write!(f, "  {} {}", head.event_type, head.version)?;
                write!(f, "  id {}", head.event_id)?;
                if let Some(id) = &head.metadata.correlation_id {
                    write!(f, "  correlation {id}")?;
                }
                if let Some(id) = &head.metadata.causation_id {
                    write!(f, "  caused by {id}")?;
                }
                Ok(())
            }
            Err(fault) => write!(f, "  is no envelope: {fault}"),
        }
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
