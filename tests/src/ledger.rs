//! The ledger: events of many keys through several processes of a service that are killed and
//! stopped, and a check of everything that they did. Its test and its program share what is here.
//!
//! - `journal`: what a process writes about its handlers, and reading it;
//! - `check`: the checker: nothing lost, the order of each key, never two at once.

pub mod check;
pub mod journal;

use std::time::Duration;

use event_sdk::consumer::Retry;
use event_sdk::dead_letters::DeadLetterStream;
use event_sdk::stream::StreamSpec;
use event_sdk::transport::BucketConfig;
use event_sdk::{BusBuilder, Event, EventBus};
use serde::{Deserialize, Serialize};

/// The stream of the events.
pub const STREAM: &str = "LEDGER";

/// The name of the consumer.
pub const CONSUMER: &str = "ledger";

/// The term of the leases. A process that is stopped for longer has lost them.
pub const TERM: Duration = Duration::from_secs(3);

/// The ack wait of the durables.
pub const ACK_WAIT: Duration = Duration::from_secs(3);

/// How long a handler may take.
pub const HANDLER_TIMEOUT: Duration = Duration::from_millis(700);

/// An amount was booked on an account.
#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
#[event(domain = "ledger", entity = "account", action = "booked")]
pub struct Booked {
    /// The account.
    #[event(key)]
    pub account: u32,
    /// What its handler does.
    pub fate: Fate,
}

/// What the handler of an event does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fate {
    /// It succeeds.
    Succeeds,
    /// It fails at first, and then succeeds.
    FailsOnce,
    /// It panics at first, and then succeeds.
    PanicsOnce,
    /// It does not end at first, and then succeeds.
    HangsOnce,
    /// It fails in each attempt: a dead letter.
    AlwaysFails,
    /// It rejects the event: a dead letter.
    Rejects,
}

impl Fate {
    /// Of the event with this number among all: one in about 25 does not simply succeed.
    #[must_use]
    pub fn of(number: u64) -> Self {
        match number % 1_000 {
            0..20 => Self::FailsOnce,
            20..30 => Self::PanicsOnce,
            30 => Self::HangsOnce,
            31..35 => Self::AlwaysFails,
            35..40 => Self::Rejects,
            _ => Self::Succeeds,
        }
    }
}

/// How the consumer keeps the order across processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// One owner.
    SingleActive,
    /// One owner for each of so many partitions.
    Partitions(u32),
}

impl Form {
    /// The argument of the program.
    #[must_use]
    pub fn to_argument(self) -> String {
        match self {
            Self::SingleActive => "single".to_owned(),
            Self::Partitions(number) => number.to_string(),
        }
    }

    /// Reads the argument of the program.
    #[must_use]
    pub fn from_argument(text: &str) -> Option<Self> {
        match text {
            "single" => Some(Self::SingleActive),
            number => number.parse().ok().map(Self::Partitions),
        }
    }

    /// The durables of the consumer.
    #[must_use]
    pub fn durables(self) -> Vec<String> {
        match self {
            Self::SingleActive => vec![CONSUMER.to_owned()],
            Self::Partitions(number) => (0..number).map(|i| format!("{CONSUMER}-p{i}")).collect(),
        }
    }
}

/// When failed attempts are repeated: three attempts in all.
#[must_use]
pub fn retry() -> Retry {
    Retry::steps([Duration::from_millis(20)]).max_attempts(3)
}

/// The streams of the dead letters.
#[must_use]
pub fn letters() -> DeadLetterStream {
    DeadLetterStream::new("LEDGER_DLQ")
}

/// Declares the streams and the bucket, with three replicas.
#[must_use]
pub fn builder() -> BusBuilder {
    EventBus::builder()
        .source("ledger")
        .stream(StreamSpec::new(STREAM).subject("ledger.>").replicas(3))
        .stream(letters().spec().replicas(3))
        .stream(letters().retry_spec().replicas(3))
        .coordination(BucketConfig::new("LEDGER").replicas(3))
}
