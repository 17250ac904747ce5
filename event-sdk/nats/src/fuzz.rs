//! Readers of text that deployments and servers write, for the fuzz targets of this repository.
//!
//! Not public API: it may change in any release.

use event_sdk_core::headers::Headers;
use event_sdk_core::transport::Error;

use crate::headers;
use crate::options::NatsOptions;

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

/// The headers and the message id in a block as a server stores it.
#[must_use]
pub fn stored_headers(block: &str) -> (Headers, Option<&str>) {
    (headers::stored(block), headers::stored_message_id(block))
}
