//! `Codec`: encodes an envelope into the bytes of a message body, and decodes it again.

mod fault;
mod json_codec;
mod read;

pub use crate::json::EncodeError;
pub use fault::{DecodeErrorKind, DecodeFault};
pub use json_codec::JsonCodec;

use std::fmt;

use bytes::Bytes;

use crate::envelope::EnvelopeHeader;
use crate::headers::Headers;
use crate::json::WriteJson;

/// Writes and reads envelopes. [`JsonCodec`] is the one of the wire contract.
///
/// A codec may wrap another, to encrypt or compress the data for example: what
/// `encode` puts in, `decode` has to take out.
pub trait Codec: fmt::Debug + Send + Sync + 'static {
    /// Appends the envelope to `out`, and to `headers` what the format keeps there.
    ///
    /// # Errors
    ///
    /// [`EncodeError`] when the data cannot be written; `out` may end in a part
    /// of the envelope then.
    fn encode(
        &self,
        head: &EnvelopeHeader,
        data: &dyn WriteJson,
        headers: &mut Headers,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError>;

    /// Reads everything but the data, which stay as they are.
    ///
    /// # Errors
    ///
    /// [`DecodeFault`] when the bytes are no envelope of this format.
    fn decode(&self, body: &Bytes, headers: &Headers) -> Result<RawEnvelope, DecodeFault>;
}

/// An envelope whose data have not been read.
#[derive(Clone, PartialEq)]
pub struct RawEnvelope {
    /// Everything but the data.
    pub head: EnvelopeHeader,
    /// The data, one JSON value.
    pub data: Bytes,
}

impl fmt::Debug for RawEnvelope {
    /// Without the data, which may be personal: the field has them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawEnvelope")
            .field("head", &self.head)
            .field("data_len", &self.data.len())
            .finish()
    }
}
