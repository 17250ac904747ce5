//! `Current`: a version in the code, with its contract and the decoder of its type.

use std::fmt;

use event_sdk::envelope::Version;
use event_sdk::event::{DataError, DataErrorKind};
use serde_json::Value;

use super::Contract;

/// A function that decodes data written in a version. It returns an error if they cannot be
/// decoded.
pub type Decode<'a> = dyn Fn(Version, &[u8]) -> Result<(), DataError> + Sync + 'a;

/// A function that decodes data written in a version, and returns the value encoded again; `None`
/// if the type cannot encode it.
pub type Reread<'a> = dyn Fn(Version, &[u8]) -> Result<Option<Value>, DataError> + Sync + 'a;

/// A version of an event that the code has.
pub struct Current<'a> {
    /// The contract of the version.
    pub contract: Contract,
    decode: &'a Decode<'a>,
    reread: Option<&'a Reread<'a>>,
}

/// The result of decoding data with the code's type and encoding the value again.
pub(super) enum Made {
    /// The data as the type encodes them again.
    Written(Value),
    /// The type decodes the data and does not encode the value again.
    Unwritten,
    /// The type refuses the data.
    Refused,
    /// The type cannot be asked.
    Unknown,
}

/// What became of data that were read by the code's type.
pub(super) enum Reading {
    /// They were read, through upcasters where they are of an older major.
    Read,
    /// No way leads from their version to the code's.
    NoWay(String),
    /// They were refused, with the whole chain of reasons.
    Refused(String),
}

impl<'a> Current<'a> {
    /// Creates the version from its contract and the function that decodes data of any version.
    pub fn new(contract: Contract, decode: &'a Decode<'a>) -> Self {
        Self {
            contract,
            decode,
            reread: None,
        }
    }

    /// Adds the function that decodes data and encodes the value again. With it, a break is
    /// reported as [mitigated](super::Mitigation::Read) under two conditions: the event's type
    /// decodes the example document of the break, and the document encoded again still has the
    /// value at the place of the break.
    #[must_use]
    pub fn rereading(mut self, reread: &'a Reread<'a>) -> Self {
        self.reread = Some(reread);
        self
    }

    /// Decodes a document of a version with the code's type.
    pub(super) fn reread(&self, version: Version, data: &Value) -> Made {
        let Some(reread) = self.reread else {
            return Made::Unknown;
        };
        match reread(version, data.to_string().as_bytes()) {
            Ok(Some(written)) => Made::Written(written),
            Ok(None) => Made::Unwritten,
            Err(_) => Made::Refused,
        }
    }

    pub(super) fn read(&self, version: Version, data: &Value) -> Reading {
        // What a value writes is read again in a moment; it always is JSON.
        match (self.decode)(version, data.to_string().as_bytes()) {
            Ok(()) => Reading::Read,
            Err(error) if error.kind() == DataErrorKind::Older => Reading::NoWay(error.to_string()),
            Err(error) => Reading::Refused(chain(&error)),
        }
    }

    /// Whether a way leads from a version to the code's, found out with data that are none.
    pub(super) fn has_way_from(&self, version: Version) -> bool {
        !matches!(self.read(version, &Value::Null), Reading::NoWay(_))
    }
}

/// The error and what is behind it, each once.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

impl fmt::Debug for Current<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Current")
            .field("contract", &self.contract)
            .finish_non_exhaustive()
    }
}
