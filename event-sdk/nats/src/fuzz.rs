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

/// The headers in a block as a server sends it; `None` if the block cannot be read.
#[must_use]
pub fn received_headers(block: &[u8]) -> Option<Headers> {
    let block = HeaderBlock::parse(block).ok()?;
    Some(headers::read(&block))
}

/// How many frames the connection for deliveries finds in bytes of a server, before a fault.
#[must_use]
pub fn received_frames(bytes: &[u8]) -> usize {
    receiver::count_frames(bytes)
}
