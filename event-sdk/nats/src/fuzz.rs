//! Readers of text that deployments and servers write, for the fuzz targets of this repository.
//!
//! Not public API: it may change in any release.

use event_sdk_core::headers::Headers;
use event_sdk_core::transport::Error;

use crate::headers::{self, HeaderBlock};
use crate::options::NatsOptions;
use crate::receiver;

/// Makes the checks of options that [`Nats::connect`](crate::Nats::connect) makes, without a server
/// and without reading files.
///
/// # Errors
///
/// [`ErrorKind::InvalidOption`](event_sdk_core::transport::ErrorKind::InvalidOption).
pub async fn check_options(options: &NatsOptions) -> Result<(), Error> {
    options.check()?;
    let _ = options.servers.resolve()?;
    if let Some(auth) = &options.auth {
        auth.check().await?;
    }
    Ok(())
}

/// Parses the headers in a block of the wire format; `None` if they cannot be read.
#[must_use]
pub fn wire_headers(block: &[u8]) -> Option<Headers> {
    HeaderBlock::parse(block)
        .ok()
        .map(|block| headers::read(&block))
}

/// Decodes what a server sends, in portions of `portion` bytes, and returns a line for each frame.
///
/// # Errors
///
/// The reason why the input cannot be read.
pub fn frames(input: &[u8], portion: usize) -> Result<Vec<String>, String> {
    receiver::frames(input, portion)
}
