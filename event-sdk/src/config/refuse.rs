//! `Refusing`: the transport of a service that runs without one and fails closed. Every operation
//! returns `NotConfigured`.

use std::borrow::Cow;
use std::time::Duration;

use event_sdk_core::Pattern;
use event_sdk_core::stream::StreamConfig;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{
    AccountUsage, Advisories, AdvisoryRequest, AdvisoryStream, BucketConfig, CancelRequest,
    Cancellation, Capabilities, Capability, Completion, Confirmation, ConnectionStatus,
    ConsumerAdmin, ConsumerChange, ConsumerConfig, ConsumerInfo, Coordination, CoordinationEntry,
    Deletion, Difference, Drained, Error, ErrorKind, FoundMessage, History, HistoryRequest,
    HistoryStream, LinkState, MessageAdmin, Operation, PublishRequest, PurgeRequest, PutRequest,
    RestoreRequest, Revision, ScheduleRequest, Scheduled, ScheduledMessage, Scheduler, Snapshot,
    SnapshotRequest, Snapshots, StreamAdmin, StreamChange, StreamState, SubscribeRequest,
    Subscription, Transport, UserInfo, WhichMessage,
};
use jiff::Timestamp;

use crate::bus::BusBuilder;

/// Refuses every operation. It declares all capabilities and has all abilities, so that nothing fails
/// earlier with another error.
#[derive(Debug)]
pub(super) struct Refusing {
    /// The environment variable that chooses the transport.
    variable: String,
}

impl Refusing {
    pub(super) fn new(variable: String) -> Self {
        Self { variable }
    }

    fn error(&self, operation: Operation) -> Error {
        Error::new(
            ErrorKind::NotConfigured,
            operation,
            format!(
                "this service is configured to run without a transport, and to refuse every operation; set {} to `memory` or `nats`, or to `discard` to drop events",
                self.variable
            ),
        )
    }

    fn refuse<T>(&self, operation: Operation) -> Completion<Result<T, Error>> {
        Completion::ready(Err(self.error(operation)))
    }
}

#[deny(clippy::missing_trait_methods)]
impl Transport for Refusing {
    fn name(&self) -> &'static str {
        "refuse"
    }

    fn capabilities(&self) -> Capabilities {
        let none = Capabilities::none(BusBuilder::DEFAULT_MAX_PAYLOAD);
        let all = Capability::ALL.into_iter();
        all.fold(none, Capabilities::with)
            .without(Capability::ValueHandover)
    }

    fn publish(&self, message: PublishRequest<'_>) -> Completion<Result<Confirmation, Error>> {
        let error = self.error(Operation::Publish);
        Completion::ready(Err(error.at_subject(message.subject)))
    }

    fn subscribe(&self, _: SubscribeRequest) -> Completion<Result<Subscription, Error>> {
        self.refuse(Operation::Subscribe)
    }

    fn is_connected(&self) -> bool {
        // Nothing waits for a connection.
        true
    }

    fn connection_status(&self) -> ConnectionStatus {
        // Nothing will ever be sent.
        ConnectionStatus::new(LinkState::Closed)
    }

    fn user(&self) -> Completion<Result<Option<UserInfo>, Error>> {
        Completion::ready(Ok(None))
    }

    fn history(&self) -> Option<&dyn History> {
        Some(self)
    }

    fn stream_admin(&self) -> Option<&dyn StreamAdmin> {
        Some(self)
    }

    fn consumer_admin(&self) -> Option<&dyn ConsumerAdmin> {
        Some(self)
    }

    fn message_admin(&self) -> Option<&dyn MessageAdmin> {
        Some(self)
    }

    fn advisories(&self) -> Option<&dyn Advisories> {
        Some(self)
    }

    fn coordination(&self) -> Option<&dyn Coordination> {
        Some(self)
    }

    fn connections(&self) -> u64 {
        0
    }

    fn scheduler(&self) -> Option<&dyn Scheduler> {
        Some(self)
    }

    fn snapshots(&self) -> Option<&dyn Snapshots> {
        Some(self)
    }

    fn remedy(&self, _: Capability) -> Cow<'static, str> {
        Cow::Borrowed("this service is configured to run without a transport")
    }

    fn drain(&self, _: Duration) -> Completion<Result<Drained, Error>> {
        Completion::ready(Ok(Drained::default()))
    }

    fn close(&self) -> Completion<Result<(), Error>> {
        Completion::ready(Ok(()))
    }
}

impl History for Refusing {
    fn read(&self, _: HistoryRequest) -> Completion<Result<HistoryStream, Error>> {
        self.refuse(Operation::Read)
    }
}

impl StreamAdmin for Refusing {
    fn find(&self, _: &Pattern) -> Completion<Result<Vec<Text>, Error>> {
        self.refuse(Operation::Read)
    }

    fn state(&self, _: &str) -> Completion<Result<StreamState, Error>> {
        self.refuse(Operation::Read)
    }

    fn account(&self) -> Completion<Result<AccountUsage, Error>> {
        self.refuse(Operation::Read)
    }

    fn apply(&self, _: &StreamConfig) -> Completion<Result<StreamChange, Error>> {
        self.refuse(Operation::Manage)
    }
}

impl ConsumerAdmin for Refusing {
    fn info(&self, _: &str, _: &str) -> Completion<Result<ConsumerInfo, Error>> {
        self.refuse(Operation::Read)
    }

    fn apply(&self, _: &str, _: &ConsumerConfig) -> Completion<Result<ConsumerChange, Error>> {
        self.refuse(Operation::Manage)
    }

    fn delete(&self, _: &str, _: &str) -> Completion<Result<(), Error>> {
        self.refuse(Operation::Manage)
    }

    fn list(&self, _: &str) -> Completion<Result<Vec<ConsumerInfo>, Error>> {
        self.refuse(Operation::Read)
    }

    fn pause(&self, _: &str, _: &str, _: Option<Timestamp>) -> Completion<Result<(), Error>> {
        self.refuse(Operation::Manage)
    }

    fn reset(&self, _: &str, _: &str, _: u64) -> Completion<Result<(), Error>> {
        self.refuse(Operation::Manage)
    }
}

impl MessageAdmin for Refusing {
    fn get(&self, _: &str, _: WhichMessage) -> Completion<Result<Option<FoundMessage>, Error>> {
        self.refuse(Operation::Read)
    }

    fn delete(&self, _: &str, _: u64, _: Deletion) -> Completion<Result<bool, Error>> {
        self.refuse(Operation::Manage)
    }

    fn purge(&self, _: PurgeRequest) -> Completion<Result<u64, Error>> {
        self.refuse(Operation::Manage)
    }
}

impl Advisories for Refusing {
    fn listen(&self, _: AdvisoryRequest) -> Completion<Result<AdvisoryStream, Error>> {
        self.refuse(Operation::Subscribe)
    }
}

impl Coordination for Refusing {
    fn apply(&self, _: &BucketConfig) -> Completion<Result<StreamChange, Error>> {
        self.refuse(Operation::Manage)
    }

    fn compare(&self, _: &BucketConfig) -> Completion<Result<Vec<Difference>, Error>> {
        self.refuse(Operation::Read)
    }

    fn get(&self, _: &str, _: &str) -> Completion<Result<Option<CoordinationEntry>, Error>> {
        self.refuse(Operation::Coordinate)
    }

    fn put(&self, _: PutRequest) -> Completion<Result<u64, Error>> {
        self.refuse(Operation::Coordinate)
    }

    fn delete(&self, _: &str, _: &str, _: Revision) -> Completion<Result<(), Error>> {
        self.refuse(Operation::Coordinate)
    }

    fn list(&self, _: &str, _: &str) -> Completion<Result<Vec<CoordinationEntry>, Error>> {
        self.refuse(Operation::Coordinate)
    }
}

impl Snapshots for Refusing {
    fn snapshot(&self, _: SnapshotRequest) -> Completion<Result<Snapshot, Error>> {
        self.refuse(Operation::Read)
    }

    fn restore(&self, _: RestoreRequest) -> Completion<Result<StreamState, Error>> {
        self.refuse(Operation::Manage)
    }
}

impl Scheduler for Refusing {
    fn schedule(&self, _: ScheduleRequest) -> Completion<Result<Scheduled, Error>> {
        self.refuse(Operation::Schedule)
    }

    fn cancel(&self, _: CancelRequest) -> Completion<Result<Cancellation, Error>> {
        self.refuse(Operation::Schedule)
    }

    fn list(&self, _: &str, _: &str) -> Completion<Result<Vec<ScheduledMessage>, Error>> {
        self.refuse(Operation::Schedule)
    }
}
