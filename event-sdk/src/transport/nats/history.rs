//! Reading what a stream has stored.

use std::sync::Arc;

use super::link::Link;
use crate::transport::{Answer, Capability, Error, HistoryRequest, HistoryStream, Operation};

/// Reads what a stream has stored.
pub(super) fn history(
    link: Arc<Link>,
    request: HistoryRequest,
) -> Answer<Result<HistoryStream, Error>> {
    let refused = link.check_open(Operation::Read).err().unwrap_or_else(|| {
        Error::unsupported(
            Capability::History,
            Operation::Read,
            "history over NATS is not built yet",
        )
    });
    Answer::ready(Err(refused.at_stream(request.stream)))
}
