//! Readers of text that deployments and servers write, for the fuzz targets of this repository.
//!
//! Not public API: it may change in any release.

use event_sdk_core::headers::Headers;
use event_sdk_core::transport::Error;

use crate::headers::{self, HeaderBlock};
use crate::options::NatsOptions;
use crate::receiver;

/// Checks options as connecting does, without a server and without reading files.
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

/// The headers in a block as it is on the wire; `None` if they cannot be read.
#[must_use]
pub fn wire_headers(block: &[u8]) -> Option<Headers> {
    HeaderBlock::parse(block)
        .ok()
        .map(|block| headers::read(&block))
}

/// What a server says, when it arrives in portions of this many bytes: a line for each frame.
///
/// # Errors
///
/// Why it cannot be read.
pub fn frames(input: &[u8], portion: usize) -> Result<Vec<String>, String> {
    receiver::frames(input, portion)
}
