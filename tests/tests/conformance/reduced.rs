//! The suite on transports that lack capabilities: the cases report `Unsupported`.

use std::time::Duration;

use event_sdk::Pattern;
use event_sdk::stream::StreamConfig;
use event_sdk::text::Text;
use event_sdk::transport::memory::MemoryTransport;
use event_sdk::transport::{
    AccountUsage, Advisories, BucketConfig, CancelRequest, Cancellation, Capabilities, Capability,
    Completion, Confirmation, ConnectionStatus, ConsumerAdmin, ConsumerChange, ConsumerConfig,
    ConsumerInfo, Coordination, CoordinationEntry, Difference, Drained, Error, History, Incoming,
    MessageAdmin, NoticeKind, Operation, PublishRequest, PutRequest, Revision, ScheduleRequest,
    Scheduled, ScheduledMessage, Scheduler, Snapshots, Stored, StreamAdmin, StreamChange,
    StreamState, SubscribeRequest, Subscription, Transport, TransportExt as _,
};
use event_sdk_conformance::{Harness, HarnessError, Verdict, cases};
use futures_util::StreamExt;
use jiff::Timestamp;

use crate::memory::patient;

/// A memory transport that lacks one capability, as one that is honest about
/// it would.
#[derive(Debug)]
pub(crate) struct Reduced {
    inner: MemoryTransport,
    lacks: Capability,
}

impl Reduced {
    fn has(&self, capability: Capability) -> bool {
        self.lacks != capability
    }

    /// Refuses what is asked for if that is what is lacking.
    fn refuse(
        &self,
        needs: impl IntoIterator<Item = Capability>,
        operation: Operation,
    ) -> Result<(), Error> {
        match needs.into_iter().find(|need| !self.has(*need)) {
            Some(missing) => Err(Error::unsupported(
                missing,
                operation,
                "this transport was made to lack it",
            )),
            None => Ok(()),
        }
    }

    /// Where there is no stream, there is nothing to be asked of it.
    fn has_ability(&self, ability: Capability) -> bool {
        self.has(Capability::Store) && self.has(ability)
    }
}

impl Transport for Reduced {
    fn name(&self) -> &'static str {
        "memory that can do less"
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities().without(self.lacks)
    }

    fn publish(&self, message: PublishRequest<'_>) -> Completion<Result<Confirmation, Error>> {
        if let Err(error) = self.refuse(message.needs(), Operation::Publish) {
            return Completion::ready(Err(error));
        }
        let published = self.inner.publish(message);
        if self.has(Capability::Store) {
            return published;
        }
        Completion::later(async move {
            let confirmation = published.await?;
            Ok(Completion::later(async move {
                let _ = confirmation.await?;
                Ok(Stored::new(None, None))
            }))
        })
    }

    fn subscribe(&self, request: SubscribeRequest) -> Completion<Result<Subscription, Error>> {
        if let Err(error) = self.refuse(request.needs(), Operation::Subscribe) {
            return Completion::ready(Err(error));
        }
        let subscribed = self.inner.subscribe(request);
        let lacks = self.lacks;
        Completion::later(async move {
            let mut begins = true;
            let reported = move |item| {
                if let Ok(Incoming::Message(_)) = &item {
                    begins = false;
                }
                let kind = match &item {
                    Ok(Incoming::Notice(notice)) => Some(notice.kind()),
                    _ => None,
                };
                let kept = match (kind, lacks) {
                    (Some(NoticeKind::Gap(_)), Capability::ReportsGaps)
                    | (Some(NoticeKind::Exhausted(_)), Capability::ReportsExhausted) => None,
                    (Some(NoticeKind::Exhausted(_)), Capability::ReportsExhaustedLater)
                        if begins =>
                    {
                        None
                    }
                    _ => Some(item),
                };
                std::future::ready(kept)
            };
            let subscription = subscribed.await?;
            Ok(subscription.map_deliveries(|deliveries| deliveries.filter_map(reported)))
        })
    }

    fn history(&self) -> Option<&dyn History> {
        self.has_ability(Capability::History)
            .then(|| self.inner.history())?
    }

    fn stream_admin(&self) -> Option<&dyn StreamAdmin> {
        self.has_ability(Capability::StreamAdmin).then_some(self)
    }

    fn consumer_admin(&self) -> Option<&dyn ConsumerAdmin> {
        self.has_ability(Capability::ConsumerAdmin).then_some(self)
    }

    fn message_admin(&self) -> Option<&dyn MessageAdmin> {
        self.has_ability(Capability::MessageAdmin)
            .then(|| self.inner.message_admin())?
    }

    fn connections(&self) -> u64 {
        self.inner.connections()
    }

    fn is_connected(&self) -> bool {
        self.inner.is_connected()
    }

    fn connection_status(&self) -> ConnectionStatus {
        self.inner.connection_status()
    }

    fn advisories(&self) -> Option<&dyn Advisories> {
        self.has_ability(Capability::Advisories)
            .then(|| self.inner.advisories())?
    }

    fn coordination(&self) -> Option<&dyn Coordination> {
        self.has(Capability::Coordination).then_some(self)
    }

    fn scheduler(&self) -> Option<&dyn Scheduler> {
        self.has_ability(Capability::Scheduler).then_some(self)
    }

    fn snapshots(&self) -> Option<&dyn Snapshots> {
        self.has_ability(Capability::Snapshots)
            .then(|| self.inner.snapshots())?
    }

    fn drain(&self, within: Duration) -> Completion<Result<Drained, Error>> {
        self.inner.drain(within)
    }

    fn close(&self) -> Completion<Result<(), Error>> {
        self.inner.close()
    }
}

impl StreamAdmin for Reduced {
    fn find(&self, pattern: &Pattern) -> Completion<Result<Vec<Text>, Error>> {
        self.inner.streams_for(pattern)
    }

    fn state(&self, stream: &str) -> Completion<Result<StreamState, Error>> {
        self.inner.stream_state(stream)
    }

    fn account(&self) -> Completion<Result<AccountUsage, Error>> {
        self.inner.account_usage()
    }

    fn apply(&self, config: &StreamConfig) -> Completion<Result<StreamChange, Error>> {
        match self.refuse(config.needs(), Operation::Manage) {
            Ok(()) => self.inner.apply_stream(config),
            Err(error) => Completion::ready(Err(error)),
        }
    }
}

impl ConsumerAdmin for Reduced {
    fn list(&self, stream: &str) -> Completion<Result<Vec<ConsumerInfo>, Error>> {
        self.inner.list_consumers(stream)
    }

    fn info(&self, stream: &str, consumer: &str) -> Completion<Result<ConsumerInfo, Error>> {
        self.inner.consumer_info(stream, consumer)
    }

    fn apply(
        &self,
        stream: &str,
        config: &ConsumerConfig,
    ) -> Completion<Result<ConsumerChange, Error>> {
        self.inner.apply_consumer(stream, config)
    }

    fn pause(
        &self,
        stream: &str,
        consumer: &str,
        until: Option<Timestamp>,
    ) -> Completion<Result<(), Error>> {
        match self.refuse([Capability::PauseConsumer], Operation::Manage) {
            Ok(()) => self.inner.pause_consumer(stream, consumer, until),
            Err(error) => Completion::ready(Err(error)),
        }
    }

    fn reset(&self, stream: &str, consumer: &str, sequence: u64) -> Completion<Result<(), Error>> {
        match self.refuse([Capability::ResetConsumer], Operation::Manage) {
            Ok(()) => self.inner.reset_consumer(stream, consumer, sequence),
            Err(error) => Completion::ready(Err(error)),
        }
    }

    fn delete(&self, stream: &str, consumer: &str) -> Completion<Result<(), Error>> {
        self.inner.delete_consumer(stream, consumer)
    }
}

impl Scheduler for Reduced {
    fn schedule(&self, request: ScheduleRequest) -> Completion<Result<Scheduled, Error>> {
        match self.refuse(request.needs(), Operation::Schedule) {
            Ok(()) => self.inner.schedule_message(request),
            Err(error) => Completion::ready(Err(error)),
        }
    }

    fn cancel(&self, request: CancelRequest) -> Completion<Result<Cancellation, Error>> {
        self.inner.cancel_schedule(request)
    }

    fn list(&self, stream: &str, prefix: &str) -> Completion<Result<Vec<ScheduledMessage>, Error>> {
        self.inner.list_schedules(stream, prefix)
    }
}

impl Coordination for Reduced {
    fn apply(&self, config: &BucketConfig) -> Completion<Result<StreamChange, Error>> {
        self.inner.apply_bucket(config)
    }

    fn compare(&self, config: &BucketConfig) -> Completion<Result<Vec<Difference>, Error>> {
        self.inner.compare_bucket(config)
    }

    fn get(&self, bucket: &str, key: &str) -> Completion<Result<Option<CoordinationEntry>, Error>> {
        self.inner.coordination_get(bucket, key)
    }

    fn put(&self, request: PutRequest) -> Completion<Result<u64, Error>> {
        match self.refuse(request.needs(), Operation::Coordinate) {
            Ok(()) => self.inner.coordination_put(request),
            Err(error) => Completion::ready(Err(error)),
        }
    }

    fn delete(&self, bucket: &str, key: &str, expected: Revision) -> Completion<Result<(), Error>> {
        self.inner.coordination_delete(bucket, key, expected)
    }

    fn list(
        &self,
        bucket: &str,
        prefix: &str,
    ) -> Completion<Result<Vec<CoordinationEntry>, Error>> {
        self.inner.coordination_list(bucket, prefix)
    }
}

struct Lacking(Capability);

impl Harness for Lacking {
    type Transport = Reduced;

    async fn start(&self, streams: Vec<StreamConfig>) -> Result<Reduced, HarnessError> {
        Ok(Reduced {
            inner: super::memory::start(streams, true)?,
            lacks: self.0,
        })
    }

    async fn start_two(&self, streams: Vec<StreamConfig>) -> Result<[Reduced; 2], HarnessError> {
        let lacks = self.0;
        let sides = super::memory::start_two(streams, true)?;
        Ok(sides.map(|inner| Reduced { inner, lacks }))
    }
}

/// Where a case needs what is lacking, the suite hears so; everything else
/// passes.
#[tokio::test(flavor = "multi_thread")]
async fn each_capability_may_be_lacking() {
    let has = super::memory::start(Vec::new(), true).unwrap();
    for lacks in Capability::ALL {
        let needing = cases().filter(|case| case.needs().contains(&lacks));
        // Those that lack something else, too, say so.
        let needing = needing.filter(|case| {
            let mut needs = case.needs().iter();
            needs.all(|need| *need == lacks || has.supports(*need))
        });
        let mut chosen: Vec<_> = needing.map(|case| case.name()).collect();
        assert!(!chosen.is_empty(), "no case needs {lacks}");
        chosen.extend([
            "publishing",
            "payload",
            "sharing",
            "state",
            "closing",
            "draining",
        ]);
        let report = patient().only(chosen).unwrap().run(Lacking(lacks)).await;
        for result in report.results() {
            let verdict = if result.case.needs().contains(&lacks) {
                Verdict::Unsupported(vec![lacks])
            } else {
                Verdict::Passed
            };
            assert_eq!(result.verdict, verdict, "without {lacks}: {result}");
        }
    }
}
