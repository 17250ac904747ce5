//! JSON of a consumer's configuration on a NATS server: written for a wanted one, read from an
//! existing one.

use std::num::NonZeroU32;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use event_sdk_core::subject::Pattern;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{
    AckPolicy, BoundConsumer, ConsumerConfig, ConsumerName, DeliverPolicy, Difference, Error,
};

/// A server counts nanoseconds since 1970 in 64 bits: a later start would wrap around and deliver
/// old messages.
const LATEST: Timestamp = Timestamp::constant(9_223_372_036, 0);

/// Streams have no older messages.
const EARLIEST: Timestamp = Timestamp::UNIX_EPOCH;

/// A consumer's configuration in a server's JSON (nats-server,
/// `ConsumerConfig` in `server/consumer.go`); durations are nanoseconds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Wire {
    #[serde(skip_serializing_if = "Option::is_none")]
    durable_name: Option<String>,
    deliver_policy: WireDeliver,
    #[serde(skip_serializing_if = "Option::is_none")]
    opt_start_seq: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    opt_start_time: Option<Timestamp>,
    ack_policy: WireAck,
    #[serde(skip_serializing_if = "is_zero")]
    ack_wait: i64,
    max_deliver: i64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    backoff: Vec<i64>,
    #[serde(skip_serializing_if = "String::is_empty")]
    filter_subject: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    filter_subjects: Vec<String>,
    replay_policy: String,
    #[serde(skip_serializing_if = "is_zero")]
    max_ack_pending: i64,
    #[serde(skip_serializing_if = "is_zero")]
    inactive_threshold: i64,
    // What this transport never asks for, and must not find.
    #[serde(skip_serializing)]
    deliver_subject: Option<String>,
    #[serde(skip_serializing)]
    headers_only: bool,
    // Set by a request of its own.
    #[serde(skip_serializing)]
    pub(super) pause_until: Option<Timestamp>,
    #[serde(skip_serializing)]
    priority_policy: Option<String>,
    // The limits of one request.
    #[serde(skip_serializing)]
    max_batch: i64,
    #[serde(skip_serializing)]
    max_expires: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WireDeliver {
    #[default]
    All,
    Last,
    LastPerSubject,
    New,
    ByStartSequence,
    ByStartTime,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WireAck {
    #[default]
    None,
    /// One ack settles every delivery before it: a server accepts that from any client
    /// of the consumer.
    All,
    Explicit,
    /// One that nobody can ask for here, such as `flow_control`.
    #[serde(other)]
    Another,
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

/// The server's words for "no limit".
const UNLIMITED: i64 = -1;

impl Wire {
    /// Whether the number of deliveries is not limited.
    pub(super) fn redelivers(&self) -> bool {
        self.max_deliver <= 0
    }

    /// What is to be created. What is used by nobody for `inactive` is removed
    /// by the server, unless it is a durable.
    pub(crate) fn wanted(config: &ConsumerConfig, inactive: Duration) -> Self {
        let mut wire = Self {
            durable_name: config.name.as_str().map(ToOwned::to_owned),
            max_deliver: config
                .max_deliver
                .map_or(UNLIMITED, |most| i64::from(most.get())),
            replay_policy: "instant".to_owned(),
            ..Self::default()
        };
        if !matches!(config.name, ConsumerName::Durable(_)) {
            wire.inactive_threshold = nanos(inactive);
        }
        match config.deliver {
            DeliverPolicy::All => wire.deliver_policy = WireDeliver::All,
            DeliverPolicy::Last => wire.deliver_policy = WireDeliver::Last,
            DeliverPolicy::LastPerSubject => wire.deliver_policy = WireDeliver::LastPerSubject,
            DeliverPolicy::New => wire.deliver_policy = WireDeliver::New,
            DeliverPolicy::ByStartSequence(sequence) => {
                wire.deliver_policy = WireDeliver::ByStartSequence;
                wire.opt_start_seq = Some(sequence);
            }
            DeliverPolicy::ByStartTime(time) => {
                wire.deliver_policy = WireDeliver::ByStartTime;
                wire.opt_start_time = Some(time.clamp(EARLIEST, LATEST));
            }
        }
        match config.filters.as_slice() {
            [one] => one.as_str().clone_into(&mut wire.filter_subject),
            several => {
                wire.filter_subjects = several.iter().map(ToString::to_string).collect();
            }
        }
        wire.ack_policy = match config.ack {
            AckPolicy::Explicit => WireAck::Explicit,
            AckPolicy::All => WireAck::All,
            // There is nothing to wait for, and no deliveries to be counted.
            AckPolicy::None => return wire,
        };
        wire.ack_wait = nanos(config.ack_wait);
        wire.backoff = config.backoff.iter().copied().map(nanos).collect();
        wire.max_ack_pending = config
            .max_ack_pending
            .map_or(UNLIMITED, |most| i64::from(most.get()));
        wire
    }

    /// Binds this consumer, which exists, for a subscription that asked for `wanted`.
    pub(super) fn bind(&self, wanted: &ConsumerConfig) -> Result<BoundConsumer, Error> {
        let wanted = representable(wanted);
        let (existing, unusable) = self.read(&wanted);
        let mut comparable = wanted.clone();
        // What means nothing on a server for such a consumer is no difference.
        if existing.ack == AckPolicy::None {
            comparable.ack_wait = existing.ack_wait;
            comparable.max_ack_pending = existing.max_ack_pending;
        }
        if !existing.backoff.is_empty() {
            // The server writes the first wait of a backoff there.
            comparable.ack_wait = existing.ack_wait;
        }
        existing.bind(&comparable, unusable)
    }

    /// In what this consumer has to be changed to be as `wanted` says.
    ///
    /// # Errors
    ///
    /// What no server changes.
    pub(super) fn changes(&self, wanted: &ConsumerConfig) -> Result<Vec<Difference>, Error> {
        let wanted = representable(wanted);
        let (existing, foreign) = self.read(&wanted);
        let mut comparable = wanted.clone();
        if !existing.backoff.is_empty() && existing.backoff == wanted.backoff {
            // The server writes the first wait of a backoff there.
            comparable.ack_wait = existing.ack_wait;
        }
        let (mut can, cannot): (Vec<_>, Vec<_>) = foreign.into_iter().partition(|difference| {
            difference.field == ConsumerConfig::FILTERS
                || difference.existing == ConsumerConfig::HEADERS_ONLY
        });
        let mut differences = existing.changes(&comparable, cannot)?;
        differences.append(&mut can);
        Ok(differences)
    }

    /// The consumer as this SDK says it, and what this SDK has no words for and
    /// cannot follow. A consumer without acks has those settings from `wanted` that
    /// mean nothing for it.
    pub(crate) fn read(&self, wanted: &ConsumerConfig) -> (ConsumerConfig, Vec<Difference>) {
        let mut foreign = Vec::new();
        let mut differs = |field, existing: String, wanted: String| {
            foreign.push(Difference {
                field,
                existing,
                wanted,
            });
        };
        if let Some(subject) = self
            .deliver_subject
            .as_deref()
            .filter(|name| !name.is_empty())
        {
            differs(
                "delivery",
                format!("pushed to {subject}"),
                "pulled".to_owned(),
            );
        }
        if self.headers_only {
            differs(
                "delivery",
                ConsumerConfig::HEADERS_ONLY.to_owned(),
                "headers and body".to_owned(),
            );
        }
        if let Some(policy) = self.priority_policy.as_deref()
            && !matches!(policy, "" | "none")
        {
            differs("priority policy", policy.to_owned(), "none".to_owned());
        }
        if !matches!(self.replay_policy.as_str(), "" | "instant") {
            let policy = self.replay_policy.clone();
            differs("replay policy", policy, "instant".to_owned());
        }
        let filters = self.filters().unwrap_or_else(|unreadable| {
            differs("filters", unreadable, format!("{:?}", wanted.filters));
            wanted.filters.clone()
        });
        let ack = match self.ack_policy {
            WireAck::Explicit => AckPolicy::Explicit,
            WireAck::All => AckPolicy::All,
            WireAck::None => AckPolicy::None,
            other @ WireAck::Another => {
                let (existing, wanted_ack) = (format!("{other:?}"), format!("{:?}", wanted.ack));
                differs("ack policy", existing, wanted_ack);
                wanted.ack
            }
        };
        let acks = ack != AckPolicy::None;
        let mut existing = ConsumerConfig::new(self.name(wanted), filters);
        existing.deliver = self.deliver();
        existing.ack = ack;
        existing.ack_wait = if acks {
            ack_wait(self.ack_wait)
        } else {
            wanted.ack_wait
        };
        existing.max_deliver = limit(self.max_deliver);
        existing.max_ack_pending = if acks {
            limit(self.max_ack_pending)
        } else {
            wanted.max_ack_pending
        };
        existing.backoff = self.backoff.iter().copied().map(ack_wait).collect();
        (existing, foreign)
    }

    /// Its name is the one by which it was found; what is asked is how long it lives.
    fn name(&self, wanted: &ConsumerConfig) -> ConsumerName {
        let name = wanted
            .name
            .as_str()
            .map_or(Text::from_static(""), Text::copy_of);
        match (&self.durable_name, self.inactive_threshold) {
            (Some(_), 0) => ConsumerName::Durable(name),
            _ => ConsumerName::Group(name),
        }
    }

    fn deliver(&self) -> DeliverPolicy {
        match self.deliver_policy {
            WireDeliver::All => DeliverPolicy::All,
            WireDeliver::Last => DeliverPolicy::Last,
            WireDeliver::LastPerSubject => DeliverPolicy::LastPerSubject,
            WireDeliver::New => DeliverPolicy::New,
            WireDeliver::ByStartSequence => {
                DeliverPolicy::ByStartSequence(self.opt_start_seq.unwrap_or_default())
            }
            WireDeliver::ByStartTime => {
                DeliverPolicy::ByStartTime(self.opt_start_time.unwrap_or_default())
            }
        }
    }

    /// Its filters, or their words if they are none of this SDK's.
    pub(super) fn filters(&self) -> Result<Vec<Pattern>, String> {
        if !self.filter_subjects.is_empty() {
            let all = self
                .filter_subjects
                .iter()
                .map(|filter| Pattern::parse(filter.clone()));
            return all
                .collect::<Result<_, _>>()
                .map_err(|_| self.filter_subjects.join(", "));
        }
        if self.filter_subject.is_empty() {
            return Ok(vec![Pattern::everything()]);
        }
        match Pattern::parse(self.filter_subject.clone()) {
            Ok(filter) => Ok(vec![filter]),
            Err(_) => Err(self.filter_subject.clone()),
        }
    }

    /// The filter, if there is one: it stands in the subject of a create too.
    pub(super) fn single_filter(&self) -> Option<&str> {
        Some(self.filter_subject.as_str()).filter(|filter| !filter.is_empty())
    }

    /// The most messages of one request, where that is limited.
    pub(super) fn max_batch(&self) -> Option<u32> {
        limit(self.max_batch).map(NonZeroU32::get)
    }

    /// The longest wait of one request, where that is limited.
    pub(super) fn max_expires(&self) -> Option<Duration> {
        Some(duration(self.max_expires)).filter(|longest| !longest.is_zero())
    }
}

/// The configuration of a consumer in a server's JSON, where it is as `wanted` says:
/// what this SDK has no word for stays, and so does where it starts.
pub(super) fn changed(
    mut existing: Map<String, Value>,
    wanted: &Wire,
) -> Result<Map<String, Value>, serde_json::Error> {
    for replaced in [
        "filter_subject",
        "filter_subjects",
        "backoff",
        "inactive_threshold",
        "headers_only",
    ] {
        existing.remove(replaced);
    }
    let kept = ["deliver_policy", "opt_start_seq", "opt_start_time"];
    if let Value::Object(wanted) = serde_json::to_value(wanted)? {
        let set = wanted
            .into_iter()
            .filter(|(name, _)| !kept.contains(&name.as_str()));
        existing.extend(set);
    }
    Ok(existing)
}

/// The configuration as a server can say it: it knows no longer times than its own.
fn representable(config: &ConsumerConfig) -> ConsumerConfig {
    let mut config = config.clone();
    let times = config.backoff.iter_mut().chain([&mut config.ack_wait]);
    times.for_each(|time| *time = duration(nanos(*time)));
    config
}

/// A limit that the server writes as zero or less where there is none.
fn limit(number: i64) -> Option<NonZeroU32> {
    let positive = u64::try_from(number).ok().filter(|number| *number > 0)?;
    NonZeroU32::new(u32::try_from(positive).unwrap_or(u32::MAX))
}

/// 292 years are the longest that a server knows.
fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

/// An ack wait of an existing consumer. No server has one of zero: what says so has left it
/// out, and every delivery would count as late.
fn ack_wait(nanos: i64) -> Duration {
    if nanos > 0 {
        duration(nanos)
    } else {
        ConsumerConfig::DEFAULT_ACK_WAIT
    }
}

fn duration(nanos: i64) -> Duration {
    Duration::from_nanos(u64::try_from(nanos).unwrap_or_default())
}

#[cfg(test)]
mod tests;
