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

/// Encodes and decodes envelopes. [`JsonCodec`] implements the wire contract.
///
/// A codec may wrap another one, for example to encrypt or compress the data; `decode` must then
/// reverse `encode`.
pub trait Codec: fmt::Debug + Send + Sync + 'static {
    /// Appends the encoded envelope to `out`, and adds the headers that the format uses.
    ///
    /// # Errors
    ///
    /// [`EncodeError`] if the data cannot be encoded; `out` may then end in a partial envelope.
    fn encode(
        &self,
        head: &EnvelopeHeader,
        data: &dyn WriteJson,
        headers: &mut Headers,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError>;

    /// Decodes the envelope and leaves the data undecoded.
    ///
    /// # Errors
    ///
    /// [`DecodeFault`] if the bytes are not an envelope of this format.
    fn decode(&self, body: &Bytes, headers: &Headers) -> Result<RawEnvelope, DecodeFault>;
}

/// An envelope with undecoded data.
#[derive(Clone, PartialEq)]
pub struct RawEnvelope {
    /// The envelope without the data.
    pub head: EnvelopeHeader,
    /// The data, one JSON value.
    pub data: Bytes,
}

impl fmt::Debug for RawEnvelope {
    /// Does not show the data, which may be personal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawEnvelope")
            .field("head", &self.head)
            .field("data_len", &self.data.len())
            .finish()
    }
}
