//! `TransportExt`: calls optional abilities, and returns `Unsupported` where a transport lacks
//! one.

use jiff::Timestamp;

use super::{
    AccountUsage, AdvisoryRequest, AdvisoryStream, BucketConfig, CancelRequest, Cancellation,
    Capability, Completion, ConsumerChange, ConsumerConfig, ConsumerInfo, CoordinationEntry,
    Deletion, Difference, Error, FoundMessage, HistoryRequest, HistoryStream, Operation,
    PurgeRequest, PutRequest, RestoreRequest, Revision, ScheduleRequest, Scheduled,
    ScheduledMessage, Snapshot, SnapshotRequest, StoredAdvisories, StreamChange, StreamState,
    SubscribeRequest, Transport, WhichMessage,
};
use crate::stream::StreamConfig;
use crate::subject::Pattern;
use crate::text::Text;

/// Calls the abilities of a [`Transport`]. If the transport lacks one, the result is
/// [`ErrorKind::Unsupported`](super::ErrorKind::Unsupported) with its
/// [remedy](Transport::remedy).
pub trait TransportExt: Transport {
    /// Whether the transport has `capability`: an ability if the transport returns it, any other
    /// capability if the transport [declares](Transport::capabilities) it.
    fn supports(&self, capability: Capability) -> bool {
        match capability {
            Capability::History => self.history().is_some(),
            Capability::StreamAdmin => self.stream_admin().is_some(),
            Capability::ConsumerAdmin => self.consumer_admin().is_some(),
            Capability::MessageAdmin => self.message_admin().is_some(),
            Capability::Advisories => self.advisories().is_some(),
            Capability::Coordination => self.coordination().is_some(),
            Capability::Scheduler => self.scheduler().is_some(),
            Capability::Snapshots => self.snapshots().is_some(),
            other => self.capabilities().has(other),
        }
    }

    /// The error of an `operation` that needs a missing `capability`.
    fn unsupported(&self, capability: Capability, operation: Operation) -> Error {
        Error::unsupported(capability, operation, &self.remedy(capability))
    }

    /// Checks that the transport has all capabilities of `needs`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`](super::ErrorKind::Unsupported) with the first missing one.
    fn check_needs(
        &self,
        needs: impl IntoIterator<Item = Capability>,
        operation: Operation,
    ) -> Result<(), Error> {
        match needs.into_iter().find(|need| !self.supports(*need)) {
            Some(missing) => Err(self.unsupported(missing, operation)),
            None => Ok(()),
        }
    }

    /// See [`History::read`](super::History::read).
    fn read_history(&self, request: HistoryRequest) -> Completion<Result<HistoryStream, Error>> {
        match self.history() {
            Some(history) => history.read(request),
            None => lacks(self, Capability::History, Operation::Read),
        }
    }

    /// See [`StreamAdmin::find`](super::StreamAdmin::find).
    fn streams_for(&self, pattern: &Pattern) -> Completion<Result<Vec<Text>, Error>> {
        match self.stream_admin() {
            Some(streams) => streams.find(pattern),
            None => lacks(self, Capability::StreamAdmin, Operation::Read),
        }
    }

    /// See [`StreamAdmin::state`](super::StreamAdmin::state).
    fn stream_state(&self, stream: &str) -> Completion<Result<StreamState, Error>> {
        match self.stream_admin() {
            Some(streams) => streams.state(stream),
            None => lacks(self, Capability::StreamAdmin, Operation::Read),
        }
    }

    /// See [`StreamAdmin::account`](super::StreamAdmin::account).
    fn account_usage(&self) -> Completion<Result<AccountUsage, Error>> {
        match self.stream_admin() {
            Some(streams) => streams.account(),
            None => lacks(self, Capability::StreamAdmin, Operation::Read),
        }
    }

    /// See [`StreamAdmin::apply`](super::StreamAdmin::apply).
    fn apply_stream(&self, config: &StreamConfig) -> Completion<Result<StreamChange, Error>> {
        match self.stream_admin() {
            Some(streams) => streams.apply(config),
            None => lacks(self, Capability::StreamAdmin, Operation::Manage),
        }
    }

    /// See [`ConsumerAdmin::info`](super::ConsumerAdmin::info).
    fn consumer_info(
        &self,
        stream: &str,
        consumer: &str,
    ) -> Completion<Result<ConsumerInfo, Error>> {
        match self.consumer_admin() {
            Some(consumers) => consumers.info(stream, consumer),
            None => lacks(self, Capability::ConsumerAdmin, Operation::Read),
        }
    }

    /// See [`ConsumerAdmin::list`](super::ConsumerAdmin::list).
    fn list_consumers(&self, stream: &str) -> Completion<Result<Vec<ConsumerInfo>, Error>> {
        match self.consumer_admin() {
            Some(consumers) => consumers.list(stream),
            None => lacks(self, Capability::ConsumerAdmin, Operation::Read),
        }
    }

    /// See [`ConsumerAdmin::pause`](super::ConsumerAdmin::pause).
    fn pause_consumer(
        &self,
        stream: &str,
        consumer: &str,
        until: Option<Timestamp>,
    ) -> Completion<Result<(), Error>> {
        match self.consumer_admin() {
            Some(consumers) => consumers.pause(stream, consumer, until),
            None => lacks(self, Capability::ConsumerAdmin, Operation::Manage),
        }
    }

    /// See [`ConsumerAdmin::reset`](super::ConsumerAdmin::reset).
    fn reset_consumer(
        &self,
        stream: &str,
        consumer: &str,
        sequence: u64,
    ) -> Completion<Result<(), Error>> {
        match self.consumer_admin() {
            Some(consumers) => consumers.reset(stream, consumer, sequence),
            None => lacks(self, Capability::ConsumerAdmin, Operation::Manage),
        }
    }

    /// See [`ConsumerAdmin::apply`](super::ConsumerAdmin::apply).
    fn apply_consumer(
        &self,
        stream: &str,
        config: &ConsumerConfig,
    ) -> Completion<Result<ConsumerChange, Error>> {
        match self.consumer_admin() {
            Some(consumers) => consumers.apply(stream, config),
            None => lacks(self, Capability::ConsumerAdmin, Operation::Manage),
        }
    }

    /// See [`ConsumerAdmin::delete`](super::ConsumerAdmin::delete).
    fn delete_consumer(&self, stream: &str, consumer: &str) -> Completion<Result<(), Error>> {
        match self.consumer_admin() {
            Some(consumers) => consumers.delete(stream, consumer),
            None => lacks(self, Capability::ConsumerAdmin, Operation::Manage),
        }
    }

    /// See [`MessageAdmin::get`](super::MessageAdmin::get).
    fn get_message(
        &self,
        stream: &str,
        which: WhichMessage,
    ) -> Completion<Result<Option<FoundMessage>, Error>> {
        match self.message_admin() {
            Some(messages) => messages.get(stream, which),
            None => lacks(self, Capability::MessageAdmin, Operation::Read),
        }
    }

    /// See [`MessageAdmin::delete`](super::MessageAdmin::delete).
    fn delete_message(
        &self,
        stream: &str,
        sequence: u64,
        deletion: Deletion,
    ) -> Completion<Result<bool, Error>> {
        match self.message_admin() {
            Some(messages) => messages.delete(stream, sequence, deletion),
            None => lacks(self, Capability::MessageAdmin, Operation::Manage),
        }
    }

    /// See [`MessageAdmin::purge`](super::MessageAdmin::purge).
    fn purge_messages(&self, request: PurgeRequest) -> Completion<Result<u64, Error>> {
        match self.message_admin() {
            Some(messages) => messages.purge(request),
            None => lacks(self, Capability::MessageAdmin, Operation::Manage),
        }
    }

    /// See [`Advisories::listen`](super::Advisories::listen).
    fn listen_to_advisories(
        &self,
        request: AdvisoryRequest,
    ) -> Completion<Result<AdvisoryStream, Error>> {
        match self.advisories() {
            Some(advisories) => advisories.listen(request),
            None => lacks(self, Capability::Advisories, Operation::Subscribe),
        }
    }

    /// Subscribes to a stream that stores advisories
    /// ([`AdvisoryKind::subjects`](super::AdvisoryKind::subjects)), and reads its messages as
    /// advisories.
    ///
    /// Its cancel safety and errors are those of [`Transport::subscribe`].
    fn subscribe_advisories(
        &self,
        request: SubscribeRequest,
    ) -> Completion<Result<StoredAdvisories, Error>> {
        match self.subscribe(request).try_into_ready() {
            Ok(subscribed) => Completion::ready(subscribed.map(StoredAdvisories::new)),
            Err(later) => Completion::later(async move { Ok(StoredAdvisories::new(later.await?)) }),
        }
    }

    /// See [`Coordination::apply`](super::Coordination::apply).
    fn apply_bucket(&self, config: &BucketConfig) -> Completion<Result<StreamChange, Error>> {
        match self.coordination() {
            Some(coordination) => coordination.apply(config),
            None => lacks(self, Capability::Coordination, Operation::Manage),
        }
    }

    /// See [`Coordination::compare`](super::Coordination::compare).
    fn compare_bucket(&self, config: &BucketConfig) -> Completion<Result<Vec<Difference>, Error>> {
        match self.coordination() {
            Some(coordination) => coordination.compare(config),
            None => lacks(self, Capability::Coordination, Operation::Read),
        }
    }

    /// See [`Coordination::get`](super::Coordination::get).
    fn coordination_get(
        &self,
        bucket: &str,
        key: &str,
    ) -> Completion<Result<Option<CoordinationEntry>, Error>> {
        match self.coordination() {
            Some(coordination) => coordination.get(bucket, key),
            None => lacks(self, Capability::Coordination, Operation::Coordinate),
        }
    }

    /// See [`Coordination::put`](super::Coordination::put).
    fn coordination_put(&self, request: PutRequest) -> Completion<Result<u64, Error>> {
        match self.coordination() {
            Some(coordination) => coordination.put(request),
            None => lacks(self, Capability::Coordination, Operation::Coordinate),
        }
    }

    /// See [`Coordination::delete`](super::Coordination::delete).
    fn coordination_delete(
        &self,
        bucket: &str,
        key: &str,
        expected: Revision,
    ) -> Completion<Result<(), Error>> {
        match self.coordination() {
            Some(coordination) => coordination.delete(bucket, key, expected),
            None => lacks(self, Capability::Coordination, Operation::Coordinate),
        }
    }

    /// See [`Coordination::list`](super::Coordination::list).
    fn coordination_list(
        &self,
        bucket: &str,
        prefix: &str,
    ) -> Completion<Result<Vec<CoordinationEntry>, Error>> {
        match self.coordination() {
            Some(coordination) => coordination.list(bucket, prefix),
            None => lacks(self, Capability::Coordination, Operation::Coordinate),
        }
    }

    /// See [`Snapshots::snapshot`](super::Snapshots::snapshot).
    fn snapshot_stream(&self, request: SnapshotRequest) -> Completion<Result<Snapshot, Error>> {
        match self.snapshots() {
            Some(snapshots) => snapshots.snapshot(request),
            None => lacks(self, Capability::Snapshots, Operation::Read),
        }
    }

    /// See [`Snapshots::restore`](super::Snapshots::restore).
    fn restore_stream(&self, request: RestoreRequest) -> Completion<Result<StreamState, Error>> {
        match self.snapshots() {
            Some(snapshots) => snapshots.restore(request),
            None => lacks(self, Capability::Snapshots, Operation::Manage),
        }
    }

    /// See [`Scheduler::schedule`](super::Scheduler::schedule).
    fn schedule_message(&self, request: ScheduleRequest) -> Completion<Result<Scheduled, Error>> {
        match self.scheduler() {
            Some(scheduler) => scheduler.schedule(request),
            None => lacks(self, Capability::Scheduler, Operation::Schedule),
        }
    }

    /// See [`Scheduler::cancel`](super::Scheduler::cancel).
    fn cancel_schedule(&self, request: CancelRequest) -> Completion<Result<Cancellation, Error>> {
        match self.scheduler() {
            Some(scheduler) => scheduler.cancel(request),
            None => lacks(self, Capability::Scheduler, Operation::Schedule),
        }
    }

    /// See [`Scheduler::list`](super::Scheduler::list).
    fn list_schedules(
        &self,
        stream: &str,
        prefix: &str,
    ) -> Completion<Result<Vec<ScheduledMessage>, Error>> {
        match self.scheduler() {
            Some(scheduler) => scheduler.list(stream, prefix),
            None => lacks(self, Capability::Scheduler, Operation::Schedule),
        }
    }
}

impl<T: Transport + ?Sized> TransportExt for T {}

fn lacks<T>(
    transport: &(impl Transport + ?Sized),
    capability: Capability,
    operation: Operation,
) -> Completion<Result<T, Error>> {
    Completion::ready(Err(transport.unsupported(capability, operation)))
}
