//! `Intercepted`: a transport around another one, which passes everything on except what its
//! `Intercept` changes.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use event_sdk::Pattern;
use event_sdk::stream::StreamConfig;
use event_sdk::text::Text;
use event_sdk::transport::{
    AccountUsage, Advisories, AdvisoryRequest, AdvisoryStream, BucketConfig, CancelRequest,
    Cancellation, Capabilities, Capability, Completion, Confirmation, ConnectionStatus,
    ConsumerAdmin, ConsumerChange, ConsumerConfig, ConsumerInfo, Coordination, CoordinationEntry,
    Deletion, Difference, Drained, Error, FoundMessage, History, HistoryRequest, HistoryStream,
    LinkState, MessageAdmin, PublishRequest, PurgeRequest, PutRequest, RestoreRequest, Revision,
    ScheduleRequest, Scheduled, ScheduledMessage, Scheduler, Snapshot, SnapshotRequest, Snapshots,
    StreamAdmin, StreamChange, StreamState, SubscribeRequest, Subscription, Transport,
    TransportExt as _, UserInfo, WhichMessage,
};
use jiff::Timestamp;

/// Decides what happens to the calls that pass through an [`Intercepted`] transport. By default,
/// each method passes its call on unchanged.
pub trait Intercept: fmt::Debug + Send + Sync + 'static {
    /// Publishes `message` on `inner`, or does something else.
    ///
    /// # Errors
    ///
    /// The same as for [`Transport::publish`].
    fn publish(
        &self,
        inner: &dyn Transport,
        message: PublishRequest<'_>,
    ) -> Completion<Result<Confirmation, Error>> {
        inner.publish(message)
    }

    /// Subscribes on `inner`, and may change the deliveries
    /// ([`Subscription::map_deliveries`]).
    ///
    /// # Errors
    ///
    /// The same as for [`Transport::subscribe`].
    fn subscribe(
        &self,
        inner: &dyn Transport,
        request: SubscribeRequest,
    ) -> Completion<Result<Subscription, Error>> {
        inner.subscribe(request)
    }

    /// Returns how many connections `inner` has made, or a number that a test chooses
    /// ([`Transport::connections`]).
    fn connections(&self, inner: &dyn Transport) -> u64 {
        inner.connections()
    }

    /// Returns whether `inner` is connected, or what a test chooses ([`Transport::is_connected`]).
    fn is_connected(&self, inner: &dyn Transport) -> bool {
        inner.is_connected()
    }

    /// Makes a call of an ability (history, streams, consumers, coordination, schedules,
    /// snapshots). `name` is the name of the call, such as `history.read`.
    ///
    /// # Errors
    ///
    /// The errors of the call.
    fn call<T: Send + 'static>(
        &self,
        name: &'static str,
        make: impl FnOnce() -> Completion<Result<T, Error>>,
    ) -> Completion<Result<T, Error>> {
        let _ = name;
        make()
    }
}

/// A transport whose calls go through an [`Intercept`] to another transport. It has the
/// capabilities and abilities of the other transport.
#[derive(Debug)]
pub struct Intercepted<T, I> {
    inner: T,
    intercept: I,
}

impl<T: Transport, I: Intercept> Intercepted<T, I> {
    /// Wraps `inner`.
    pub fn new(inner: T, intercept: I) -> Self {
        Self { inner, intercept }
    }

    /// The wrapped transport.
    pub fn inner(&self) -> &T {
        &self.inner
    }
}

#[deny(clippy::missing_trait_methods)]
impl<T: Transport, I: Intercept> Transport for Intercepted<T, I> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    fn publish(&self, message: PublishRequest<'_>) -> Completion<Result<Confirmation, Error>> {
        self.intercept.publish(&self.inner, message)
    }

    fn subscribe(&self, request: SubscribeRequest) -> Completion<Result<Subscription, Error>> {
        self.intercept.subscribe(&self.inner, request)
    }

    fn history(&self) -> Option<&dyn History> {
        self.inner.history().is_some().then_some(self)
    }

    fn stream_admin(&self) -> Option<&dyn StreamAdmin> {
        self.inner.stream_admin().is_some().then_some(self)
    }

    fn consumer_admin(&self) -> Option<&dyn ConsumerAdmin> {
        self.inner.consumer_admin().is_some().then_some(self)
    }

    fn coordination(&self) -> Option<&dyn Coordination> {
        self.inner.coordination().is_some().then_some(self)
    }

    fn message_admin(&self) -> Option<&dyn MessageAdmin> {
        self.inner.message_admin().is_some().then_some(self)
    }

    fn advisories(&self) -> Option<&dyn Advisories> {
        self.inner.advisories().is_some().then_some(self)
    }

    fn connections(&self) -> u64 {
        self.intercept.connections(&self.inner)
    }

    fn is_connected(&self) -> bool {
        self.intercept.is_connected(&self.inner)
    }

    fn connection_status(&self) -> ConnectionStatus {
        let mut status = self.inner.connection_status();
        if status.state == LinkState::Connected && !self.is_connected() {
            status.state = LinkState::Disconnected;
        }
        status
    }

    fn user(&self) -> Completion<Result<Option<UserInfo>, Error>> {
        self.intercept.call("user", || self.inner.user())
    }

    fn scheduler(&self) -> Option<&dyn Scheduler> {
        self.inner.scheduler().is_some().then_some(self)
    }

    fn snapshots(&self) -> Option<&dyn Snapshots> {
        self.inner.snapshots().is_some().then_some(self)
    }

    fn remedy(&self, missing: Capability) -> Cow<'static, str> {
        self.inner.remedy(missing)
    }

    fn drain(&self, within: Duration) -> Completion<Result<Drained, Error>> {
        self.inner.drain(within)
    }

    fn close(&self) -> Completion<Result<(), Error>> {
        self.inner.close()
    }
}

#[deny(clippy::missing_trait_methods)]
impl<T: Transport, I: Intercept> History for Intercepted<T, I> {
    fn read(&self, request: HistoryRequest) -> Completion<Result<HistoryStream, Error>> {
        self.intercept
            .call("history.read", || self.inner.read_history(request))
    }
}

#[deny(clippy::missing_trait_methods)]
impl<T: Transport, I: Intercept> MessageAdmin for Intercepted<T, I> {
    fn get(
        &self,
        stream: &str,
        which: WhichMessage,
    ) -> Completion<Result<Option<FoundMessage>, Error>> {
        self.intercept
            .call("messages.get", || self.inner.get_message(stream, which))
    }

    fn delete(
        &self,
        stream: &str,
        sequence: u64,
        deletion: Deletion,
    ) -> Completion<Result<bool, Error>> {
        self.intercept.call("messages.delete", || {
            self.inner.delete_message(stream, sequence, deletion)
        })
    }

    fn purge(&self, request: PurgeRequest) -> Completion<Result<u64, Error>> {
        self.intercept
            .call("messages.purge", || self.inner.purge_messages(request))
    }
}

#[deny(clippy::missing_trait_methods)]
impl<T: Transport, I: Intercept> Advisories for Intercepted<T, I> {
    fn listen(&self, request: AdvisoryRequest) -> Completion<Result<AdvisoryStream, Error>> {
        self.intercept.call("advisories.listen", || {
            self.inner.listen_to_advisories(request)
        })
    }
}

#[deny(clippy::missing_trait_methods)]
impl<T: Transport, I: Intercept> Scheduler for Intercepted<T, I> {
    fn schedule(&self, request: ScheduleRequest) -> Completion<Result<Scheduled, Error>> {
        self.intercept.call("schedules.schedule", || {
            self.inner.schedule_message(request)
        })
    }

    fn cancel(&self, request: CancelRequest) -> Completion<Result<Cancellation, Error>> {
        self.intercept
            .call("schedules.cancel", || self.inner.cancel_schedule(request))
    }

    fn list(&self, stream: &str, prefix: &str) -> Completion<Result<Vec<ScheduledMessage>, Error>> {
        self.intercept.call("schedules.list", || {
            self.inner.list_schedules(stream, prefix)
        })
    }
}

#[deny(clippy::missing_trait_methods)]
impl<T: Transport, I: Intercept> Snapshots for Intercepted<T, I> {
    fn snapshot(&self, request: SnapshotRequest) -> Completion<Result<Snapshot, Error>> {
        self.intercept
            .call("snapshots.snapshot", || self.inner.snapshot_stream(request))
    }

    fn restore(&self, request: RestoreRequest) -> Completion<Result<StreamState, Error>> {
        self.intercept
            .call("snapshots.restore", || self.inner.restore_stream(request))
    }
}

#[deny(clippy::missing_trait_methods)]
impl<T: Transport, I: Intercept> StreamAdmin for Intercepted<T, I> {
    fn find(&self, pattern: &Pattern) -> Completion<Result<Vec<Text>, Error>> {
        self.intercept
            .call("streams.find", || self.inner.streams_for(pattern))
    }

    fn state(&self, stream: &str) -> Completion<Result<StreamState, Error>> {
        self.intercept
            .call("streams.state", || self.inner.stream_state(stream))
    }

    fn account(&self) -> Completion<Result<AccountUsage, Error>> {
        self.intercept
            .call("streams.account", || self.inner.account_usage())
    }

    fn apply(&self, config: &StreamConfig) -> Completion<Result<StreamChange, Error>> {
        self.intercept
            .call("streams.apply", || self.inner.apply_stream(config))
    }
}

#[deny(clippy::missing_trait_methods)]
impl<T: Transport, I: Intercept> ConsumerAdmin for Intercepted<T, I> {
    fn info(&self, stream: &str, consumer: &str) -> Completion<Result<ConsumerInfo, Error>> {
        self.intercept.call("consumers.info", || {
            self.inner.consumer_info(stream, consumer)
        })
    }

    fn apply(
        &self,
        stream: &str,
        config: &ConsumerConfig,
    ) -> Completion<Result<ConsumerChange, Error>> {
        self.intercept.call("consumers.apply", || {
            self.inner.apply_consumer(stream, config)
        })
    }

    fn delete(&self, stream: &str, consumer: &str) -> Completion<Result<(), Error>> {
        self.intercept.call("consumers.delete", || {
            self.inner.delete_consumer(stream, consumer)
        })
    }

    fn list(&self, stream: &str) -> Completion<Result<Vec<ConsumerInfo>, Error>> {
        self.intercept
            .call("consumers.list", || self.inner.list_consumers(stream))
    }

    fn pause(
        &self,
        stream: &str,
        consumer: &str,
        until: Option<Timestamp>,
    ) -> Completion<Result<(), Error>> {
        self.intercept.call("consumers.pause", || {
            self.inner.pause_consumer(stream, consumer, until)
        })
    }

    fn reset(&self, stream: &str, consumer: &str, sequence: u64) -> Completion<Result<(), Error>> {
        self.intercept.call("consumers.reset", || {
            self.inner.reset_consumer(stream, consumer, sequence)
        })
    }
}

#[deny(clippy::missing_trait_methods)]
impl<T: Transport, I: Intercept> Coordination for Intercepted<T, I> {
    fn apply(&self, config: &BucketConfig) -> Completion<Result<StreamChange, Error>> {
        self.intercept
            .call("coordination.apply", || self.inner.apply_bucket(config))
    }

    fn compare(&self, config: &BucketConfig) -> Completion<Result<Vec<Difference>, Error>> {
        self.intercept
            .call("coordination.compare", || self.inner.compare_bucket(config))
    }

    fn get(&self, bucket: &str, key: &str) -> Completion<Result<Option<CoordinationEntry>, Error>> {
        self.intercept.call("coordination.get", || {
            self.inner.coordination_get(bucket, key)
        })
    }

    fn put(&self, request: PutRequest) -> Completion<Result<u64, Error>> {
        self.intercept
            .call("coordination.put", || self.inner.coordination_put(request))
    }

    fn delete(&self, bucket: &str, key: &str, expected: Revision) -> Completion<Result<(), Error>> {
        self.intercept.call("coordination.delete", || {
            self.inner.coordination_delete(bucket, key, expected)
        })
    }

    fn list(
        &self,
        bucket: &str,
        prefix: &str,
    ) -> Completion<Result<Vec<CoordinationEntry>, Error>> {
        self.intercept.call("coordination.list", || {
            self.inner.coordination_list(bucket, prefix)
        })
    }
}
