//! W3C trace context: parses and writes the `traceparent` and `tracestate` headers.

use std::fmt;

use event_sdk_core::headers::Headers;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{Error, ErrorKind, Operation};
use uuid::Uuid;

/// The trace of an event: the headers `traceparent` and `tracestate` (W3C Recommendation "Trace
/// Context", level 1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceContext {
    parent: String,
    state: Option<String>,
}

const PARENT: &str = "traceparent";
const STATE: &str = "tracestate";

/// The most bytes of a `tracestate` that everyone has to pass on (section 3.3.1.5).
const MAX_STATE: usize = 512;
/// The most members of a `tracestate` (section 3.3.1.1).
const MAX_MEMBERS: usize = 32;

impl TraceContext {
    /// Validates the values of both headers.
    ///
    /// # Errors
    ///
    /// [`InvalidTrace`] if a value does not have the form of the recommendation.
    pub fn new(parent: impl Into<String>, state: Option<String>) -> Result<Self, InvalidTrace> {
        let parent = parent.into();
        check_parent(&parent)?;
        if let Some(state) = &state {
            check_state(state)?;
        }
        Ok(Self { parent, state })
    }

    /// Reads the context from `headers`; `None` if it is missing or invalid, because a broken
    /// trace must not prevent handling. An invalid `tracestate` is ignored, as the recommendation
    /// says.
    #[must_use]
    pub fn from_headers(headers: &Headers) -> Option<Self> {
        let parent = headers.get(PARENT)?;
        check_parent(parent).ok()?;
        let state = headers
            .get(STATE)
            .filter(|state| check_state(state).is_ok());
        Some(Self {
            parent: parent.to_owned(),
            state: state.map(str::to_owned),
        })
    }

    /// The context of an event that starts a trace, which is sampled: `trace` becomes the trace id.
    /// `None` for an id that a trace cannot have.
    pub(crate) fn start(trace: Uuid, event_id: Uuid) -> Option<Self> {
        let (_, parent) = event_id.as_u64_pair();
        let parent = format!("00-{}-{parent:016x}-01", trace.simple());
        Self::new(parent, None).ok()
    }

    /// `traceparent`: version, trace id, parent id and flags.
    #[must_use]
    pub fn traceparent(&self) -> &str {
        &self.parent
    }

    /// The trace id: 32 hexadecimal digits, the second field of `traceparent`.
    #[must_use]
    pub fn trace_id(&self) -> &str {
        self.parent.split('-').nth(1).unwrap_or_default()
    }

    /// `tracestate`: data of tracing vendors.
    #[must_use]
    pub fn tracestate(&self) -> Option<&str> {
        self.state.as_deref()
    }

    pub(crate) fn write(&self, headers: &mut Headers) -> Result<(), Error> {
        let invalid = |why: event_sdk_core::headers::InvalidHeader| {
            Error::new(
                ErrorKind::InvalidHeader,
                Operation::Publish,
                why.to_string(),
            )
        };
        headers
            .insert(Text::from_static(PARENT), self.parent.as_str())
            .map_err(invalid)?;
        // A state belongs to its parent: that of another trace must not stay.
        headers.remove(STATE);
        if let Some(state) = &self.state {
            headers
                .insert(Text::from_static(STATE), state.as_str())
                .map_err(invalid)?;
        }
        Ok(())
    }
}

/// `00-<32 hex>-<16 hex>-<2 hex>`, lower case, neither id all zeros; a later
/// version may have more fields (section 3.2).
fn check_parent(text: &str) -> Result<(), InvalidTrace> {
    let invalid = |reason| {
        Err(InvalidTrace {
            what: PARENT,
            text: text.to_owned(),
            reason,
        })
    };
    let hex = |part: &str| {
        part.bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    let mut parts = text.splitn(5, '-');
    let fields = [parts.next(), parts.next(), parts.next(), parts.next()];
    let [Some(version), Some(trace), Some(parent), Some(flags)] = fields else {
        return invalid("it has four fields: version, trace id, parent id and flags");
    };
    let lengths = [version.len(), trace.len(), parent.len(), flags.len()] == [2, 32, 16, 2];
    if !lengths || ![version, trace, parent, flags].into_iter().all(hex) {
        return invalid("its fields are 2, 32, 16 and 2 lower-case hexadecimal digits");
    }
    if version == "ff" {
        return invalid("the version ff is not allowed");
    }
    if version == "00" && parts.next().is_some() {
        return invalid("version 00 has four fields");
    }
    if trace.bytes().all(|b| b == b'0') || parent.bytes().all(|b| b == b'0') {
        return invalid("an id of only zeros is no id");
    }
    Ok(())
}

/// `key=value` members, separated by commas (section 3.3.1).
fn check_state(text: &str) -> Result<(), InvalidTrace> {
    let invalid = |reason| {
        Err(InvalidTrace {
            what: STATE,
            text: text.to_owned(),
            reason,
        })
    };
    if text.len() > MAX_STATE {
        return invalid("it has more than 512 bytes");
    }
    let members: Vec<_> = text
        .split(',')
        .map(str::trim)
        .filter(|member| !member.is_empty())
        .collect();
    if members.len() > MAX_MEMBERS {
        return invalid("it has more than 32 members");
    }
    let key = |b: u8| {
        b.is_ascii_lowercase()
            || b.is_ascii_digit()
            || matches!(b, b'_' | b'-' | b'*' | b'/' | b'@')
    };
    for member in members {
        let Some((name, value)) = member.split_once('=') else {
            return invalid("a member is `key=value`");
        };
        if name.is_empty() || name.len() > 256 || !name.bytes().all(key) {
            return invalid("a key has lower-case letters, digits and `_-*/@` only");
        }
        if value.len() > 256
            || !value
                .bytes()
                .all(|b| (0x20..0x7f).contains(&b) && b != b'=')
        {
            return invalid("a value is printable ASCII without `,` and `=`");
        }
    }
    Ok(())
}

/// A trace context that does not have the form of the recommendation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidTrace {
    what: &'static str,
    text: String,
    reason: &'static str,
}

impl fmt::Display for InvalidTrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: String = self.text.chars().take(80).collect();
        write!(f, "{} {shown:?}: {}", self.what, self.reason)
    }
}

impl std::error::Error for InvalidTrace {}
