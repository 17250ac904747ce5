//! `Snapshots` for NATS: `$JS.API.STREAM.SNAPSHOT` and `$JS.API.STREAM.RESTORE`, with the server's
//! own archives.

mod reading;
mod restoring;

use std::sync::Arc;

use super::Nats;
use super::context::NatsContext;
use super::error::ErrorContext;
use event_sdk_core::stream::check_name;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{
    Completion, Error, ErrorKind, Operation, RestoreRequest, Snapshot, SnapshotRequest, Snapshots,
    StreamState,
};

impl Snapshots for Nats {
    fn snapshot(&self, request: SnapshotRequest) -> Completion<Result<Snapshot, Error>> {
        let context = Arc::clone(&self.context);
        self.context
            .later(Operation::Read, reading::snapshot(context, request))
    }

    fn restore(&self, request: RestoreRequest) -> Completion<Result<StreamState, Error>> {
        let context = Arc::clone(&self.context);
        self.context
            .later(Operation::Manage, restoring::restore(context, request))
    }
}

/// The operation on a stream of that name, if the transport is open.
fn about(
    context: &NatsContext,
    operation: Operation,
    stream: &Text,
) -> Result<ErrorContext, Error> {
    let about = ErrorContext::new(operation).stream(stream.clone());
    let open = context.check_open(operation);
    open.map_err(|error| about.on(error))?;
    // A name becomes a part of a subject, and no stream has one that cannot.
    check_name(stream).map_err(|why| {
        let reason = format!("{stream:?} is no name: {why}");
        about.error(ErrorKind::StreamNotFound, reason)
    })?;
    Ok(about)
}
