//! Cases for snapshots: what they tell, and which restores are refused. Each transport must test
//! itself that a restore brings a stream back, since the suite does not remove its streams.

use futures_util::StreamExt as _;

use super::{Failure, messages};
use crate::case::cases;
use crate::failure::{Outcome, ensure, ensure_eq, within};
use crate::fixture::Fixture;
use crate::rig::Rig;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{
    Error, ErrorKind, Outcome as Done, RestoreRequest, Snapshot, SnapshotInfo, SnapshotRequest,
    StreamState, TransportExt as _,
};

cases! { "snapshots":
    a_snapshot_has_all_that_was_stored [Store, Snapshots]
        "A snapshot counts what the stream holds, has a content, and changes nothing.";
    a_snapshot_has_the_consumers_that_are_asked_for [Store, Snapshots]
        "A snapshot has the consumers, unless they are left out.";
    a_restore_over_a_stream_is_refused [Store, Snapshots]
        "Restoring a stream that exists is refused, and what it holds stays.";
    a_snapshot_of_another_stream_is_refused [Store, Snapshots, StreamAdmin]
        "A snapshot is restored under no other name, and no stream is created.";
    a_snapshot_of_another_kind_is_refused [Store, Snapshots, StreamAdmin]
        "A snapshot of another kind of transport is refused, and no stream is created.";
    a_snapshot_of_a_missing_stream_is_an_error [Store, Snapshots]
        "A snapshot of a stream that does not exist is an error that names it.";
    after_closing_no_snapshot_is_made [Store, Snapshots]
        "After closing, snapshots and restores are refused.";
}

impl Rig {
    pub(crate) async fn try_snapshot(
        &self,
        request: SnapshotRequest,
    ) -> Outcome<Result<Snapshot, Error>> {
        let answer = self.transport.snapshot_stream(request);
        within(self.patience(), "the answer to a snapshot", answer).await
    }

    pub(crate) async fn try_restore(
        &self,
        request: RestoreRequest,
    ) -> Outcome<Result<StreamState, Error>> {
        let answer = self.transport.restore_stream(request);
        within(self.patience(), "the answer to a restore", answer).await
    }

    /// A snapshot of the stream, and how many bytes its content has.
    async fn snapshot(&self, request: SnapshotRequest) -> Outcome<(SnapshotInfo, usize)> {
        let Snapshot {
            info, mut content, ..
        } = self.try_snapshot(request).await??;
        let reading = async {
            let mut bytes = 0;
            while let Some(piece) = content.next().await {
                bytes += piece?.len();
            }
            Ok::<_, Error>(bytes)
        };
        let bytes = within(self.patience(), "the content of a snapshot", reading).await??;
        Ok((info, bytes))
    }

    /// A restore of the stream's own snapshot, after `change` has changed it.
    async fn restore(
        &self,
        change: impl FnOnce(&mut RestoreRequest),
    ) -> Outcome<Result<StreamState, Error>> {
        let request = SnapshotRequest::new(self.stream.clone());
        let Snapshot { info, content, .. } = self.try_snapshot(request).await??;
        let (stream, kind) = (self.stream.clone(), info.kind);
        let mut request = RestoreRequest::new(stream, kind, info.description, content);
        change(&mut request);
        self.try_restore(request).await
    }
}

async fn a_snapshot_has_all_that_was_stored(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    rig.publish_all("a", 1..6).await?;
    let request = || SnapshotRequest::new(rig.stream.clone());
    let (info, bytes) = rig.snapshot(request()).await?;
    ensure_eq!(info.messages, 5, "messages in the snapshot");
    let range = (info.first_sequence, info.last_sequence);
    ensure_eq!(range, (1, 5), "the sequences in the snapshot");
    ensure!(bytes > 0, "the content is empty");
    ensure!(info.bytes > 0, "{info:?} counts no bytes");
    ensure!(!info.description.is_empty(), "{info:?} describes nothing");
    let sequence = rig.publish("a", 6).await?;
    ensure_eq!(sequence, 6, "the sequence behind a snapshot");
    let (info, _) = rig.snapshot(request()).await?;
    ensure_eq!(info.last_sequence, 6, "the end of a later snapshot");
    let mut reader = rig.subscribe(&rig.ephemeral()?).await?;
    reader.expect_and_ack(1..7).await
}

async fn a_snapshot_has_the_consumers_that_are_asked_for(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    rig.publish_all("a", 1..4).await?;
    let mut reader = rig.subscribe(&rig.durable("d")?).await?;
    reader.expect_and_ack([1]).await?;
    let request = SnapshotRequest::new(rig.stream.clone());
    let (info, _) = rig.snapshot(request.clone()).await?;
    ensure_eq!(info.consumers, 1, "consumers in the snapshot");
    let (info, _) = rig.snapshot(request.without_consumers()).await?;
    ensure_eq!(info.consumers, 0, "consumers, where they are left out");
    reader.expect_and_ack([2, 3]).await
}

/// A restore was refused for this reason, without an effect.
fn refused(answer: Result<StreamState, Error>, kind: &ErrorKind, stream: &Text) -> Outcome {
    let Err(error) = answer else {
        return Err(Failure::new("a restore that cannot be was made"));
    };
    ensure_eq!(error.kind(), kind, "the kind of {error}");
    ensure_eq!(error.stream(), Some(&**stream), "the stream in {error}");
    ensure_eq!(error.outcome(), Done::NotDone, "the outcome in {error}");
    Ok(())
}

async fn a_restore_over_a_stream_is_refused(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    rig.publish_all("a", 1..4).await?;
    let answer = rig.restore(|_| {}).await?;
    refused(answer, &ErrorKind::StreamExists, &rig.stream)?;
    let sequence = rig.publish("a", 4).await?;
    ensure_eq!(sequence, 4, "the sequence behind a refused restore");
    let mut reader = rig.subscribe(&rig.ephemeral()?).await?;
    reader.expect_and_ack(1..5).await
}

async fn a_snapshot_of_another_stream_is_refused(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    rig.publish("a", 1).await?;
    let other = other(&fixture, &rig)?;
    let answer = rig.restore(|request| request.stream = other.stream.clone());
    refused(answer.await?, &ErrorKind::InvalidSnapshot, &other.stream)?;
    ensure!(other.try_state().await?.is_err(), "a stream was created");
    messages(&rig, 1).await
}

async fn a_snapshot_of_another_kind_is_refused(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    rig.publish("a", 1).await?;
    let other = other(&fixture, &rig)?;
    let answer = rig.restore(|request| {
        request.stream = other.stream.clone();
        request.kind = "another".into();
    });
    refused(answer.await?, &ErrorKind::InvalidSnapshot, &other.stream)?;
    ensure!(other.try_state().await?.is_err(), "a stream was created");
    Ok(())
}

/// A stream that does not exist, and is removed if it comes to exist.
fn other(fixture: &Fixture, rig: &Rig) -> Outcome<Rig> {
    let config = fixture.config('b', |stream| stream.subject(">"))?;
    fixture.will_apply(&config);
    Ok(rig.under(&config, &fixture.prefix('b')))
}

async fn a_snapshot_of_a_missing_stream_is_an_error(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let stream = format!("{}X", rig.stream);
    let Err(error) = rig.try_snapshot(stream.clone().into()).await? else {
        return Err(Failure::new("a stream that is not there has a snapshot"));
    };
    let kind = ErrorKind::StreamNotFound;
    ensure_eq!(*error.kind(), kind, "the kind of {error}");
    ensure_eq!(error.stream(), Some(&*stream), "the stream in {error}");
    Ok(())
}

async fn after_closing_no_snapshot_is_made(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    rig.publish("a", 1).await?;
    let request = SnapshotRequest::new(rig.stream.clone());
    let Snapshot { info, content, .. } = rig.try_snapshot(request.clone()).await??;
    rig.close().await??;
    let restore = RestoreRequest::new(rig.stream.clone(), info.kind, info.description, content);
    let restored = rig.try_restore(restore).await?.map(drop);
    let snapshot = rig.try_snapshot(request).await?.map(drop);
    for (what, answer) in [("a restore", restored), ("a snapshot", snapshot)] {
        let Err(error) = answer else {
            return Err(Failure::new(format!("{what} was made after closing")));
        };
        ensure_eq!(*error.kind(), ErrorKind::Closed, "the kind of {error}");
    }
    Ok(())
}
