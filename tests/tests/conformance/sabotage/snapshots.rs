//! Broken promises of snapshots.

use event_sdk::transport::{
    Capability, Completion, Error, Operation, RestoreRequest, Snapshot, SnapshotInfo,
    SnapshotRequest, Snapshots, StreamState, Transport, TransportExt as _,
};

use super::{Broken, Sabotage, blurred, only_pretended};

const PRETENDED: Sabotage = Sabotage::Pretends(Capability::Snapshots);

impl<T: Transport> Snapshots for Broken<T> {
    fn snapshot(&self, mut request: SnapshotRequest) -> Completion<Result<Snapshot, Error>> {
        if self.is(PRETENDED) {
            let error = only_pretended(Capability::Snapshots, Operation::Read);
            return Completion::ready(Err(error));
        }
        if self.is(Sabotage::LeavesConsumersOut) {
            request = request.without_consumers();
        }
        let (made, sabotage) = (self.inner.snapshot_stream(request), self.sabotage);
        Completion::later(async move {
            let mut made = made.await.map_err(|error| blurred(sabotage, error))?;
            match sabotage {
                Sabotage::CountsNothingInSnapshots => {
                    let SnapshotInfo {
                        kind,
                        writer,
                        description,
                        ..
                    } = made.info;
                    made.info = SnapshotInfo::new(kind, writer, description);
                }
                Sabotage::EmptiesSnapshots => {
                    made.content = Box::pin(futures_util::stream::empty());
                }
                _ => {}
            }
            Ok(made)
        })
    }

    fn restore(&self, request: RestoreRequest) -> Completion<Result<StreamState, Error>> {
        if self.is(PRETENDED) {
            let error = only_pretended(Capability::Snapshots, Operation::Manage);
            return Completion::ready(Err(error));
        }
        let sabotage = self.sabotage;
        let state = (sabotage == Sabotage::ConfirmsRestores).then(|| {
            let known = self.inner.streams_for(&event_sdk::Pattern::everything());
            (known, std::sync::Arc::clone(&self.inner))
        });
        let restored = self.inner.restore_stream(request);
        Completion::later(async move {
            let error = match restored.await {
                Ok(restored) => return Ok(restored),
                Err(error) => blurred(sabotage, error),
            };
            let Some((known, inner)) = state else {
                return Err(error);
            };
            let Ok(known) = known.await else {
                return Err(error);
            };
            // Some state, since it confirms.
            inner.stream_state(&known[0]).await
        })
    }
}
