//! `World`: a stream with readers of every kind, a hostile client, and unrelated subscriptions on
//! the connection of the readers.

use std::time::Duration;

use event_sdk::stream::StreamSpec;
use event_sdk::transport::nats::Nats;
use event_sdk::transport::{AckPolicy, DeliverPolicy, Error};
use event_sdk::{BusBuilder, EventBus, EventSet, Publisher, Subscribe, Subscriber};
use event_sdk_tests::orders::{AllOrderEvents, CustomerMoved};
use tokio::time::timeout;

use crate::kinds::{Comes, Kind, good};
use crate::readers::{Came, Log, Of, Reader};
use crate::wire::{RawMessage, Wire};

/// How long a reader may take for one message. A loaded machine may need some seconds for what
/// takes milliseconds.
const PATIENCE: Duration = Duration::from_mins(1);

/// The longest poll.
const LONGEST_POLL: Duration = Duration::from_millis(50);

pub(crate) struct World {
    url: String,
    prefix: String,
    bus: EventBus,
    core: EventBus,
    hostile: Wire,
    unrelated: Publisher<CustomerMoved>,
}

/// A message that is stored, and what must come of it.
struct Stored<'a> {
    sequence: u64,
    came: Came,
    /// The kind that is tried with it.
    kind: &'a str,
}

impl World {
    /// Makes the streams, on one server or with copies, under this prefix.
    pub(crate) async fn new(url: &str, replicas: u8, prefix: &str) -> Self {
        let options = || Nats::options(url).request_timeout(PATIENCE);
        let reading = Nats::connect(options()).await;
        let reading = reading.expect("it connects");
        let writing = Nats::connect(options()).await;
        let stream = |name: &str, subject: &'static str| {
            let name = format!("{name}-{prefix}");
            StreamSpec::new(name).subject(subject).replicas(replicas)
        };
        let builder = || -> BusBuilder {
            let builder = EventBus::builder().prefix(prefix.to_owned());
            builder
                .stream(stream("HOSTILE", "orders.>"))
                .stream(stream("OTHER", "crm.>"))
        };
        let core = builder().transport(reading.core());
        let bus = builder().transport(reading).expect("the bus is right");
        bus.apply_streams().await.expect("the streams are made");
        let writing = builder().transport(writing.expect("it connects"));
        Self {
            url: url.to_owned(),
            prefix: prefix.to_owned(),
            core: core.expect("the bus is right"),
            bus,
            hostile: Wire::connect(url).await,
            unrelated: writing.expect("the bus is right").publisher(),
        }
    }

    /// Writes a message of each kind between good ones, while readers read and after that, and
    /// says what is wrong.
    pub(crate) async fn play(mut self, kinds: &[Kind]) -> Result<(), String> {
        let mut live = self.readers().await?;
        let moved = self.bus.subscribe::<CustomerMoved>().durable("unrelated");
        let moved = moved.await.map_err(|error| error.to_string())?;
        let core = self.core().await.map_err(|error| error.to_string())?;
        let mut direct = Reader::core("without a stream", core);
        let core = self.core().await.map_err(|error| error.to_string())?;
        let mut unrelated = [
            Reader::unrelated("unrelated, of a stream", moved),
            Reader::unrelated("unrelated, without a stream", core),
        ];
        let mut problems = Vec::new();
        let mut stored = Vec::new();
        for (index, kind) in kinds.iter().enumerate() {
            let sequence = self.store(&good(index)).await?;
            let mut keep = |sequence, came| {
                let kind = kind.name.as_str();
                stored.push(Stored {
                    sequence,
                    came,
                    kind,
                });
            };
            keep(sequence, Came::Good(index));
            let odd = self.store(&kind.message).await;
            let odd = match odd {
                Ok(odd) => odd,
                Err(why) => {
                    problems.push(format!("{} is not stored: {why}", kind.name));
                    self.hostile = Wire::connect(&self.url).await;
                    sequence
                }
            };
            if odd != sequence {
                keep(odd, Came::Odd(kind.comes));
            }
            let after = self.store(&good(500_000 + index)).await?;
            keep(after, Came::Good(500_000 + index));
            self.publish_unrelated(index).await?;
            for reader in &mut live {
                wait(reader, kind, |log| has(log, odd) && has(log, after)).await?;
            }
            let good = (0, Came::Good(500_000 + index));
            wait(&mut direct, kind, |log| log.came.contains(&good)).await?;
            for reader in &mut unrelated {
                wait(reader, kind, |log| log.came.len() > index).await?;
            }
        }
        let last = stored.last().map_or(0, |one| one.sequence);
        let late = self.durable("late").prefetch(64);
        let late = late.await.map_err(|error| error.to_string())?;
        let mut late = Reader::new("a durable that comes late", late, true);
        let mut history = Reader::history("history", self.bus.clone());
        let some = kinds.last().ok_or("no kinds")?;
        for reader in [&mut late, &mut history] {
            wait(reader, some, |log| has(log, last)).await?;
        }
        live.push(late);
        live.extend([history, direct]);
        live.extend(unrelated);
        problems.extend(self.judge(kinds, &stored, &live));
        if problems.is_empty() {
            return Ok(());
        }
        Err(problems.join("\n  "))
    }

    /// What is wrong with what came.
    fn judge(&self, kinds: &[Kind], stored: &[Stored<'_>], readers: &[Reader]) -> Vec<String> {
        let mut problems = Vec::new();
        let every: Vec<_> = stored.iter().collect();
        let all = kinds.iter().enumerate().map(|(index, kind)| Stored {
            sequence: 0,
            came: Came::Good(index),
            kind: &kind.name,
        });
        let all: Vec<_> = all.collect();
        let is_read = |one: &&Stored<'_>| one.came != Came::Odd(Comes::Unreadable);
        let of_history: Vec<_> = stored.iter().filter(is_read).collect();
        for reader in readers {
            match reader.of {
                Of::History => {
                    // It leaves out what cannot be read, or has it as a body that is none.
                    let is_read = |sequence| of_history.iter().any(|one| one.sequence == sequence);
                    reader.log().came.retain(|came| is_read(came.0));
                    check(reader, &of_history, &mut problems);
                }
                Of::Core => {
                    let is_good = |came: &Came| matches!(came, Came::Good(_));
                    reader.log().came.retain(|came| is_good(&came.1));
                    let good = stored.iter().filter(|one| is_good(&one.came));
                    let good: Vec<_> = good
                        .map(|one| Stored {
                            sequence: 0,
                            came: one.came.clone(),
                            kind: one.kind,
                        })
                        .collect();
                    check(reader, &good.iter().collect::<Vec<_>>(), &mut problems);
                }
                Of::Unrelated => check(reader, &all.iter().collect::<Vec<_>>(), &mut problems),
                Of::Messages => check(reader, &every, &mut problems),
            }
        }
        let slowest = readers.iter().max_by_key(|reader| reader.log().slowest);
        if let Some(reader) = slowest {
            let (poll, after) = reader.log().slowest;
            let near = stored.iter().find(|one| one.sequence > after);
            let near = near.map_or("nothing", |one| one.kind);
            let slowest = format!(
                "the slowest poll took {poll:?}, {} at {near:?}",
                reader.name
            );
            println!("{}: {slowest}", self.prefix);
            if poll > LONGEST_POLL {
                problems.push(slowest);
            }
        }
        problems
    }

    fn durable(&self, name: &'static str) -> Subscribe<AllOrderEvents> {
        self.bus.subscribe::<AllOrderEvents>().durable(name)
    }

    /// A subscription without a stream.
    async fn core<S: EventSet>(&self) -> Result<Subscriber<S>, Error> {
        let subscribe = self.core.subscribe::<S>();
        let subscribe = subscribe.ack_policy(AckPolicy::None);
        subscribe.deliver(DeliverPolicy::New).await
    }

    /// One of every kind.
    async fn readers(&self) -> Result<Vec<Reader>, String> {
        let ephemeral = || self.bus.subscribe::<AllOrderEvents>();
        let kinds = [
            ("a durable", self.durable("durable"), true),
            (
                "a durable with few deliveries",
                self.durable("limited").max_deliver(3),
                true,
            ),
            ("an ephemeral consumer", ephemeral(), true),
            (
                "an ephemeral consumer without acks",
                ephemeral().ack_policy(AckPolicy::None),
                false,
            ),
        ];
        let mut readers = Vec::new();
        for (name, subscribe, settles) in kinds {
            let subscriber = subscribe
                .await
                .map_err(|error| format!("{name}: {error}"))?;
            readers.push(Reader::new(name, subscriber, settles));
        }
        Ok(readers)
    }

    /// Stores a message under the prefix of this world.
    async fn store(&mut self, message: &RawMessage) -> Result<u64, String> {
        let mut message = message.clone();
        if let Some(rest) = message.subject.strip_prefix(b"events") {
            message.subject = [self.prefix.as_bytes(), rest].concat();
        }
        self.hostile.store(&message).await
    }

    async fn publish_unrelated(&self, index: usize) -> Result<(), String> {
        let moved = CustomerMoved {
            customer: index.to_string(),
            city: String::new(),
        };
        let published = self.unrelated.publish(moved).await;
        published.map(drop).map_err(|error| error.to_string())
    }
}

/// Waits until `done` holds of what a reader got.
async fn wait(reader: &mut Reader, kind: &Kind, done: impl Fn(&Log) -> bool) -> Result<(), String> {
    let waited = timeout(PATIENCE, reader.until(&done)).await;
    if waited.is_ok() && done(&reader.log()) {
        return Ok(());
    }
    Err(format!("{}: something is missing: {reader:?}", kind.name))
}

fn has(log: &Log, sequence: u64) -> bool {
    log.came.iter().rev().any(|(one, _)| *one == sequence)
}

/// Whether exactly this came, each once, in any order.
fn check(reader: &Reader, stored: &[&Stored<'_>], problems: &mut Vec<String>) {
    let (name, log) = (reader.name, reader.log());
    let is = |came: &(u64, Came), one: &Stored<'_>| came.0 == one.sequence && came.1 == one.came;
    for one in stored {
        let times = log.came.iter().filter(|came| is(came, one)).count();
        if times != 1 {
            let (kind, wanted) = (one.kind, &one.came);
            problems.push(format!("{name}: {kind}: {wanted:?} came {times} times"));
        }
    }
    let strange = |came: &&(u64, Came)| !stored.iter().any(|one| is(came, one));
    for came in log.came.iter().filter(strange) {
        let kind = stored.iter().find(|one| one.sequence == came.0);
        let kind = kind.map_or("nothing known", |one| one.kind);
        problems.push(format!("{name}: {kind}: {:?} came", came.1));
    }
    problems.extend(log.other.iter().map(|other| format!("{name}: {other}")));
}
