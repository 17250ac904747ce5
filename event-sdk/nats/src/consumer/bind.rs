//! Binds a durable as the server has it, or creates a missing consumer; never changes one.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::check;
use super::config::Wire;
use crate::context::NatsContext;
use crate::error::{ApiError, ErrorContext, code};
use crate::options::Management;
use event_sdk_core::stream::check_name;
use event_sdk_core::subject::Pattern;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{
    BoundConsumer, ConsumerConfig, ConsumerInfo, ConsumerName, DeliverPolicy, Error, ErrorKind,
    SubscribeRequest,
};

/// A consumer on a server, as a subscription has found or made it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bound {
    pub(super) stream: Text,
    pub(super) name: Text,
    /// What it is, and whether that was asked for.
    pub(super) consumer: Box<BoundConsumer>,
    /// When it was created, in the server's words; `None` where the server was
    /// not asked.
    pub(super) created: Option<String>,
    /// The sequence of the stream from which on it had delivered nothing.
    pub(super) next: u64,
    /// What it had delivered.
    pub(super) delivered: Delivered,
    /// Up to where everything was settled.
    pub(super) acknowledged: Delivered,
    /// Since when it is bound, if it was found and nobody asked it for messages:
    /// the server may have been about to forget it.
    pub(super) found_idle: Option<Instant>,
    /// Whether it was found with nothing to deliver and nothing unsettled.
    pub(super) found_empty: bool,
    /// Whether it may be created.
    pub(super) must_exist: bool,
    /// The most messages of one request, where that is limited.
    pub(super) max_batch: Option<u32>,
    /// The longest wait of one request, where that is limited.
    pub(super) max_expires: Option<Duration>,
}

/// What a server says of a consumer (nats-server, `ConsumerInfo`).
#[derive(Debug, Deserialize)]
pub(super) struct Info {
    name: String,
    #[serde(default)]
    pub(super) created: Option<String>,
    config: Wire,
    #[serde(default)]
    pub(super) delivered: Delivered,
    #[serde(default)]
    pub(super) ack_floor: AckFloor,
    #[serde(default)]
    num_ack_pending: u64,
    #[serde(default)]
    num_redelivered: u64,
    #[serde(default)]
    pub(super) num_pending: u64,
    /// How many requests for messages wait.
    #[serde(default)]
    num_waiting: u64,
    /// Whether it is paused now; until when stands in its configuration.
    #[serde(default)]
    paused: bool,
    /// Where it is, in a cluster.
    #[serde(default)]
    cluster: Option<Group>,
    /// The server's time.
    #[serde(default)]
    ts: Option<Timestamp>,
}

/// Up to where everything is settled.
#[derive(Debug, Default, Deserialize)]
pub(super) struct AckFloor {
    #[serde(flatten)]
    pub(super) at: Delivered,
    /// When the last acknowledgement came, if this leader had one.
    #[serde(default)]
    last_active: Option<Timestamp>,
}

/// The servers that keep a consumer.
#[derive(Debug, Deserialize)]
struct Group {
    /// All but the leader.
    #[serde(default)]
    replicas: Option<Vec<IgnoredAny>>,
}

/// The last delivery of a consumer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub(super) struct Delivered {
    /// The number of deliveries.
    #[serde(default)]
    pub(super) consumer_seq: u64,
    /// The sequence of the stream up to which there is no first delivery to come.
    #[serde(default)]
    pub(super) stream_seq: u64,
}

impl Delivered {
    /// Whether this lies beyond the last sequence of the stream. A consumer that has delivered nothing
    /// may begin there, because its start was set so.
    pub(super) fn is_beyond(self, last: u64) -> bool {
        self.consumer_seq > 0 && self.stream_seq > last
    }
}

/// An ack floor that is lower than the last delivery, while nothing is pending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FloorBelow {
    pub(super) floor: u64,
    pub(super) delivered: u64,
    /// Whether the floor counts all acknowledgements.
    pub(super) is_agreed: bool,
}

/// After this time without an acknowledgement the replicas have agreed on all of them: a leader that
/// does not reach them for so long is none any more (nats-server, `lostQuorumInterval`).
pub(super) const AGREED: SignedDuration = SignedDuration::from_secs(10);

impl Info {
    /// Its filters; `None` if this SDK cannot read them.
    pub(super) fn filters(&self) -> Option<Vec<Pattern>> {
        self.config.filters().ok()
    }

    /// Whether it delivers what is not settled as often as it takes.
    pub(super) fn redelivers(&self) -> bool {
        self.config.redelivers()
    }

    /// The ack floor and the last delivery, in sequences of the stream, if nothing is pending and
    /// yet the floor is lower.
    pub(super) fn floor_below_delivered(&self) -> Option<FloorBelow> {
        let (floor, delivered) = (self.ack_floor.at, self.delivered);
        let is_lower =
            floor.stream_seq < delivered.stream_seq && floor.consumer_seq < delivered.consumer_seq;
        (self.num_ack_pending == 0 && is_lower).then(|| FloorBelow {
            floor: floor.stream_seq,
            delivered: delivered.stream_seq,
            is_agreed: self.is_agreed(),
        })
    }

    /// Whether the ack floor counts all acknowledgements. The leader of a replicated consumer counts
    /// at once what is unsettled, and takes the floor from what the replicas have agreed on later
    /// (nats-server, `infoWithSnapAndReply`).
    fn is_agreed(&self) -> bool {
        let replicas = self
            .cluster
            .as_ref()
            .and_then(|group| group.replicas.as_ref());
        if replicas.is_none_or(Vec::is_empty) {
            return true;
        }
        match (self.ack_floor.last_active, self.ts) {
            (None, _) => true,
            (Some(last), Some(now)) => last.duration_until(now) >= AGREED,
            (Some(_), None) => false,
        }
    }

    /// Whether it is to be paused until this time; `None` if it is not to be paused.
    pub(super) fn has_pause(&self, until: Option<Timestamp>) -> bool {
        match until {
            Some(until) if until > Timestamp::now() => self.config.pause_until == Some(until),
            // The server keeps no pause that is over.
            _ => !self.paused,
        }
    }

    /// The consumer in our words.
    pub(super) fn read(self) -> ConsumerInfo {
        let name = ConsumerName::Durable(self.name.into());
        let paused_until = self.config.pause_until.filter(|_| self.paused);
        let (config, foreign) = self.config.read(&ConsumerConfig::new(name, Vec::new()));
        let mut info = ConsumerInfo::new(config);
        info.foreign = foreign;
        info.delivered = self.delivered.stream_seq;
        info.deliveries = self.delivered.consumer_seq;
        info.acknowledged = self.ack_floor.at.stream_seq;
        info.ack_pending = self.num_ack_pending;
        info.redelivered = self.num_redelivered;
        info.pending = self.num_pending;
        info.waiting = Some(self.num_waiting);
        info.paused_until = paused_until;
        info
    }
}

#[derive(Serialize)]
struct Create<'a> {
    stream_name: &'a str,
    config: &'a Wire,
    /// What is there is never changed.
    action: &'static str,
}

/// How often it is tried again when a consumer comes and goes meanwhile.
const TRIES: usize = 5;

/// Binds the consumer, or creates it if it does not exist.
///
/// Where no management call may be made, a durable is taken to be there, and to be as it
/// is wanted.
pub(super) async fn bind(
    context: &NatsContext,
    stream: &Text,
    config: &ConsumerConfig,
    must_exist: bool,
    about: &ErrorContext,
) -> Result<Bound, Error> {
    let Some(name) = config.name.as_str().map(Text::copy_of) else {
        check::stored(context, stream, &config.filters, about).await?;
        let info = create(context, stream, config, about).await?;
        let info = info.map_err(|error| error.into_error(about))?;
        return bound(stream, info, config, true, about);
    };
    if context.options().management == Management::Never {
        return Ok(Bound {
            stream: stream.clone(),
            name,
            consumer: Box::new(BoundConsumer::found(config.clone(), Vec::new())),
            created: None,
            next: 0,
            delivered: Delivered::default(),
            acknowledged: Delivered::default(),
            found_idle: None,
            found_empty: false,
            must_exist,
            max_batch: None,
            max_expires: None,
        });
    }
    let mut last = None;
    for _ in 0..TRIES {
        match info(context, stream, &name, about).await? {
            Ok(info) => {
                let found_idle = (info.num_waiting == 0).then(Instant::now);
                let found_empty = info.num_pending == 0 && info.num_ack_pending == 0;
                let bound = bound(stream, info, config, false, about)?;
                return Ok(Bound {
                    found_idle,
                    found_empty,
                    must_exist,
                    ..bound
                });
            }
            Err(error) if error.is(&[code::CONSUMER_NOT_FOUND]) => {}
            Err(error) => return Err(error.into_error(about)),
        }
        if must_exist {
            return Err(about.error(ErrorKind::ConsumerNotFound, SubscribeRequest::MUST_EXIST));
        }
        check::stored(context, stream, &config.filters, about).await?;
        match create(context, stream, config, about).await? {
            // Another may have been the first, with the same request.
            Ok(info) => return bound(stream, info, config, true, about),
            // Somebody else has created another in the meantime.
            Err(error) if error.is(&code::CONSUMER_EXISTS) => last = Some(error),
            Err(error) => return Err(error.into_error(about)),
        }
    }
    Err(match last {
        Some(error) => error.into_error(about),
        None => about.error(ErrorKind::Timeout, "it could not be bound; try again"),
    })
}

/// Makes an ephemeral consumer again, from this sequence on.
pub(super) async fn again(
    context: &NatsContext,
    stream: &Text,
    config: &ConsumerConfig,
    from: Option<u64>,
    about: &ErrorContext,
) -> Result<Result<Bound, ApiError>, Error> {
    let mut config = config.clone();
    if let Some(from) = from {
        config.deliver = DeliverPolicy::ByStartSequence(from.max(1));
    }
    match create(context, stream, &config, about).await? {
        Ok(info) => bound(stream, info, &config, true, about).map(Ok),
        Err(error) => Ok(Err(error)),
    }
}

/// What the server says of a consumer.
pub(super) async fn info(
    context: &NatsContext,
    stream: &str,
    name: &str,
    about: &ErrorContext,
) -> Result<Result<Info, ApiError>, Error> {
    let call = format!("CONSUMER.INFO.{stream}.{name}");
    context.call(about, &call, &json!({})).await
}

async fn create(
    context: &NatsContext,
    stream: &str,
    config: &ConsumerConfig,
    about: &ErrorContext,
) -> Result<Result<Info, ApiError>, Error> {
    let wire = Wire::wanted(config, context.options().inactive);
    // Name and filter stand in the subject, so that permissions can be given for
    // them (NATS ADR-32).
    let mut call = format!("CONSUMER.CREATE.{stream}");
    if let Some(name) = config.name.as_str() {
        call = format!("{call}.{name}");
        if let Some(filter) = wire.single_filter() {
            call = format!("{call}.{filter}");
        }
    }
    let request = Create {
        stream_name: stream,
        config: &wire,
        action: "create",
    };
    context.call(about, &call, &request).await
}

/// The consumer that the server has described, for a subscription that asked for `wanted`.
fn bound(
    stream: &Text,
    info: Info,
    wanted: &ConsumerConfig,
    created: bool,
    about: &ErrorContext,
) -> Result<Bound, Error> {
    // It becomes a part of subjects, and must be nothing else there.
    check_name(&info.name).map_err(|why| {
        let reason = format!("the server's consumer has a name that is none: {why}");
        about.error(ErrorKind::Other, reason)
    })?;
    let mut consumer = info.config.bind(wanted).map_err(|error| about.on(error))?;
    consumer.created = created;
    // It has the name that the server gave it, which nobody else asks for.
    if wanted.name == ConsumerName::Ephemeral {
        consumer.config.name = ConsumerName::Ephemeral;
        consumer.differences.retain(|one| one.field != "lifetime");
    }
    Ok(Bound {
        stream: stream.clone(),
        name: info.name.into(),
        consumer: Box::new(consumer),
        created: info.created,
        next: info.delivered.stream_seq.saturating_add(1),
        delivered: info.delivered,
        acknowledged: info.ack_floor.at,
        found_idle: None,
        found_empty: false,
        must_exist: false,
        max_batch: info.config.max_batch(),
        max_expires: info.config.max_expires(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three messages were delivered, and one is said to be settled.
    fn info(more: &serde_json::Value) -> Info {
        let mut info = json!({
            "name": "d",
            "config": { "ack_policy": "explicit" },
            "delivered": { "consumer_seq": 3, "stream_seq": 3 },
            "ack_floor": { "consumer_seq": 1, "stream_seq": 1 },
            "ts": "2026-12-01T10:00:20.5Z",
        });
        for (name, value) in more.as_object().unwrap() {
            info[name] = value.clone();
        }
        serde_json::from_value(info).unwrap()
    }

    fn replicated(last_ack: Option<&str>) -> Info {
        info(&json!({
            "cluster": { "leader": "a", "replicas": [{ "name": "b" }, { "name": "c" }] },
            "ack_floor": { "consumer_seq": 1, "stream_seq": 1, "last_active": last_ack },
        }))
    }

    #[test]
    fn a_floor_counts_while_nothing_is_pending() {
        let found = info(&json!({})).floor_below_delivered().unwrap();
        let wanted = FloorBelow {
            floor: 1,
            delivered: 3,
            is_agreed: true,
        };
        assert_eq!(found, wanted);
        let pending = info(&json!({ "num_ack_pending": 1 }));
        assert_eq!(pending.floor_below_delivered(), None);
    }

    /// Its leader knows of an acknowledgement before its replicas have agreed on it, and tells a floor
    /// without it.
    #[test]
    fn the_floor_of_a_replicated_consumer_is_late() {
        let is_agreed = |info: Info| info.floor_below_delivered().unwrap().is_agreed;
        assert!(!is_agreed(replicated(Some("2026-12-01T10:00:20Z"))));
        assert!(is_agreed(replicated(Some("2026-12-01T10:00:10Z"))));
        assert!(is_agreed(replicated(None)));
        let alone = json!({ "cluster": { "leader": "a" }, "ack_floor": { "last_active": "2026-12-01T10:00:20Z" } });
        assert!(is_agreed(info(&alone)));
    }
}
