//! `Row`: one violation of the protocol, what the client does meanwhile, and what must come of
//! it; runs rows on threads of their own.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use event_sdk::stream::StreamSpec;
use event_sdk::transport::nats::{Nats, NatsOptions};
use event_sdk::transport::{AckPolicy, CoordinationEntry, DeliverPolicy, Error, Revision};
use event_sdk::{EventBus, Incoming, Subscribe};
use event_sdk_tests::orders::{OrderPlaced, placed};
use rustix::time::{ClockId, clock_gettime};

use crate::panics;
use crate::server::{Ask, FakeServer, Message, STREAM, Script, Step};

/// How long a request waits for its answer, and a publish for its ack.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(2);

/// What the client does.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Client {
    Connect,
    /// Publishes so many events, one after the other.
    Publish(u64),
    /// Subscribes by a durable, and acknowledges what comes, until it has so many events.
    Receive(usize),
    /// The same by an ephemeral consumer.
    ReceiveAlone(usize),
    /// Subscribes without a stream, until it has so many events.
    Core(usize),
    /// Subscribes, receives one event, and waits until its ack is confirmed.
    Confirm,
    /// Subscribes and waits for so long, whatever comes.
    Listen(Duration),
    /// Reads so many stored events.
    History(usize),
    /// Asks for the state of the stream.
    State,
    /// Looks for the streams of a subject.
    Names,
    Apply,
    /// Puts the key `k` of a bucket, and expects revision 1.
    Put,
    /// Puts the key `k`, and expects no entry.
    PutAbsent,
    /// Reads the key `k`.
    Get,
    /// Lists the entries of a bucket.
    List,
    /// Publishes, and drains.
    Drain,
}

pub(crate) struct Row {
    name: &'static str,
    client: Client,
    script: Arc<Script>,
    /// What must be among what came, in this order.
    comes: &'static [&'static str],
    connections: usize,
    pulls: usize,
    within: Duration,
    options: fn(NatsOptions) -> NatsOptions,
}

/// What came: `ok`, the kind of an error, `event 3`, `notice Unreadable`, `end`.
#[derive(Debug, Default)]
struct Seen(Vec<String>);

impl Row {
    pub(crate) fn new(
        name: &'static str,
        client: Client,
        script: impl Fn(&Ask) -> Option<Vec<Step>> + Send + Sync + 'static,
        comes: &'static [&'static str],
    ) -> Self {
        Self {
            name,
            client,
            script: Arc::new(script),
            comes,
            connections: 2,
            pulls: 3,
            within: Duration::from_secs(15),
            options: |options| options,
        }
    }

    /// How many connections the client may make.
    pub(crate) fn connections(mut self, most: usize) -> Self {
        self.connections = most;
        self
    }

    /// How many pull requests the client may make.
    pub(crate) fn pulls(mut self, most: usize) -> Self {
        self.pulls = most;
        self
    }

    pub(crate) fn within(mut self, seconds: u64) -> Self {
        self.within = Duration::from_secs(seconds);
        self
    }

    pub(crate) fn options(mut self, options: fn(NatsOptions) -> NatsOptions) -> Self {
        self.options = options;
        self
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// Runs the row on a thread with a runtime of its own, and says what is wrong.
    pub(crate) fn run(self) -> Result<(), String> {
        /// A loaded machine may need some seconds for what takes milliseconds.
        const SLACK: Duration = Duration::from_secs(20);
        let within = self.within;
        let (done, result) = mpsc::channel();
        let thread = thread::Builder::new().name(self.name.to_owned());
        let name = self.name;
        let spawned = thread.spawn(move || done.send(self.run_here()));
        spawned.map_err(|error| error.to_string())?;
        let result = result.recv_timeout(within + SLACK);
        let panics = panics::of(name);
        if !panics.is_empty() {
            return Err(format!("panics: {panics:?}"));
        }
        result.unwrap_or_else(|_| Err("it hangs: a poll does not return".to_owned()))
    }

    fn run_here(self) -> Result<(), String> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        let result = runtime.block_on(self.play());
        runtime.shutdown_background();
        result
    }

    async fn play(self) -> Result<(), String> {
        let server = FakeServer::start(3, Arc::clone(&self.script)).await;
        let begun = Instant::now();
        let mut seen = Seen::default();
        let played = tokio::time::timeout(self.within, self.client(&server, &mut seen)).await;
        let (connections, pulls) = (server.count("ACCEPT"), server.count("CONSUMER.MSG.NEXT"));
        let cpu = clock_gettime(ClockId::ThreadCPUTime);
        let account = format!(
            "{seen}; {connections} connections, {pulls} pulls, {:?}, {}.{:03} s of CPU",
            begun.elapsed(),
            cpu.tv_sec,
            cpu.tv_nsec / 1_000_000,
        );
        println!("{}: {account}", self.name);
        let mut came = seen.0.iter();
        let all = self.comes.iter().all(|one| came.any(|what| what == one));
        if played.is_err() {
            Err(format!("it takes longer than {:?}: {account}", self.within))
        } else if !all {
            Err(format!("{:?} should come: {account}", self.comes))
        } else if connections > self.connections || pulls > self.pulls {
            Err(format!(
                "at most {} connections and {} pulls: {account}",
                self.connections, self.pulls
            ))
        } else if cpu.tv_sec >= 3 {
            Err(format!("a busy loop: {account}"))
        } else {
            Ok(())
        }
    }

    async fn client(&self, server: &FakeServer, seen: &mut Seen) {
        let options = Nats::options(server.url())
            .connect_timeout(TIMEOUT)
            .request_timeout(TIMEOUT)
            .ack_timeout(TIMEOUT)
            .connection_wait(TIMEOUT)
            .reconnect_delay(Duration::from_millis(50), Duration::from_millis(400));
        let nats = match Nats::connect((self.options)(options)).await {
            Ok(nats) => nats,
            Err(error) => return seen.error(&error),
        };
        let core = EventBus::builder().transport(nats.core());
        let bus = EventBus::builder()
            .publish_timeout(TIMEOUT + Duration::from_millis(300))
            .stream(StreamSpec::new(STREAM).subject("orders.>"))
            .transport(nats)
            .expect("the bus is right");
        match self.client {
            Client::Connect => publish(&bus, 1, seen).await,
            Client::Publish(events) => publish(&bus, events, seen).await,
            Client::Receive(wanted) => receive(durable(&bus), wanted, seen).await,
            Client::ReceiveAlone(wanted) => receive(ephemeral(&bus), wanted, seen).await,
            Client::Core(wanted) => {
                let core = core.expect("the bus is right");
                let subscribe = ephemeral(&core).ack_policy(AckPolicy::None);
                receive(subscribe.deliver(DeliverPolicy::New), wanted, seen).await;
            }
            Client::Listen(time) => {
                let receiving = receive(durable(&bus), usize::MAX, seen);
                let _ = tokio::time::timeout(time, receiving).await;
            }
            Client::Confirm => confirm(&bus, seen).await,
            Client::History(wanted) => history(&bus, wanted, seen).await,
            Client::State => seen.result(bus.stream_state(STREAM).await),
            Client::Names => {
                let pattern = "events.orders.>".parse().expect("a pattern");
                let admin = bus.transport().stream_admin().expect("NATS has it");
                seen.result(admin.find(&pattern).await);
            }
            Client::Apply => seen.result(bus.apply_streams().await),
            Client::Put => seen.revision(put(&bus, Revision::Exactly(1)).await),
            Client::PutAbsent => seen.revision(put(&bus, Revision::Absent).await),
            Client::Get => match bus.coordination().get("k").await {
                Ok(entry) => seen.entries(entry),
                Err(error) => seen.error(&error),
            },
            Client::List => match bus.coordination().list("").await {
                Ok(entries) => seen.entries(entries),
                Err(error) => seen.error(&error),
            },
            Client::Drain => {
                publish(&bus, 1, seen).await;
                seen.result(bus.drain(TIMEOUT).await);
            }
        }
    }
}

async fn publish(bus: &EventBus, events: u64, seen: &mut Seen) {
    let publisher = bus.publisher::<OrderPlaced>();
    for id in 1..=events {
        match publisher.publish(placed(id)).await {
            Ok(ack) => seen.say(format!("ok {}", ack.sequence().unwrap_or_default())),
            Err(error) => seen.error(error.error()),
        }
    }
}

async fn put(bus: &EventBus, expected: Revision) -> Result<u64, Error> {
    bus.coordination().put("k", "v", expected, None).await
}

fn ephemeral(bus: &EventBus) -> Subscribe<OrderPlaced> {
    bus.subscribe::<OrderPlaced>().prefetch(10)
}

fn durable(bus: &EventBus) -> Subscribe<OrderPlaced> {
    ephemeral(bus).durable("reader")
}

async fn receive(subscribe: Subscribe<OrderPlaced>, wanted: usize, seen: &mut Seen) {
    let mut orders = match subscribe.await {
        Ok(orders) => orders,
        Err(error) => return seen.error(&error),
    };
    let mut events = BTreeSet::new();
    while events.len() < wanted {
        match orders.next_incoming().await {
            None => return seen.say("end"),
            Some(Err(error)) => seen.error(&error),
            Some(Ok(Incoming::Notice(notice))) => {
                seen.say(format!("notice {}", word(notice.kind())));
            }
            Some(Ok(Incoming::Delivery(delivery))) => {
                match delivery.decode() {
                    Ok(event) => {
                        seen.say(format!("event {}", event.id));
                        events.insert(event.id);
                    }
                    Err(error) => seen.say(format!("decode {:?}", error.kind())),
                }
                if let Err(error) = delivery.ack().await {
                    seen.error(&error);
                }
            }
        }
    }
}

async fn confirm(bus: &EventBus, seen: &mut Seen) {
    let mut subscriber = match bus.subscribe::<OrderPlaced>().durable("reader").await {
        Ok(subscriber) => subscriber,
        Err(error) => return seen.error(&error),
    };
    match subscriber.next().await {
        None => seen.say("end"),
        Some(Err(error)) => seen.error(&error),
        Some(Ok(delivery)) => seen.result(delivery.ack_confirmed().await),
    }
}

async fn history(bus: &EventBus, wanted: usize, seen: &mut Seen) {
    let mut history = match bus.history::<OrderPlaced>().await {
        Ok(history) => history,
        Err(error) => return seen.error(&error),
    };
    for _ in 0..wanted {
        match history.next().await {
            None => return seen.say("end"),
            Some(Err(error)) => return seen.error(&error),
            Some(Ok(stored)) => match stored.decode() {
                Ok(event) => seen.say(format!("event {}", event.id)),
                Err(error) => seen.say(format!("decode {:?}", error.kind())),
            },
        }
    }
}

impl Seen {
    fn say(&mut self, what: impl Into<String>) {
        self.0.push(what.into());
    }

    fn error(&mut self, error: &Error) {
        println!(
            "  {}: {error}",
            thread::current().name().unwrap_or_default()
        );
        self.say(word(error.kind()));
    }

    fn revision(&mut self, put: Result<u64, Error>) {
        match put {
            Ok(revision) => self.say(format!("revision {revision}")),
            Err(error) => {
                self.say(format!("{:?}", error.outcome()));
                self.error(&error);
            }
        }
    }

    fn entries(&mut self, entries: impl IntoIterator<Item = CoordinationEntry>) {
        for entry in entries {
            self.say(format!("{} at {}", entry.key, entry.revision));
        }
        self.say("end");
    }

    fn result<T>(&mut self, result: Result<T, Error>) {
        match result {
            Ok(_) => self.say("ok"),
            Err(error) => self.error(&error),
        }
    }
}

/// Shows what came, and how often where that is one after the other.
impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for same in self.0.chunk_by(|one, other| one == other) {
            write!(f, "{} ×{}, ", same[0], same.len())?;
        }
        Ok(())
    }
}

/// The name of a kind, without what it holds.
fn word(kind: &impl fmt::Debug) -> String {
    let text = format!("{kind:?}");
    let end = text.find(|c: char| !c.is_alphanumeric());
    text[..end.unwrap_or(text.len())].to_owned()
}

/// A script that takes these steps whenever `call` is made.
pub(crate) fn always(
    call: &'static str,
    steps: impl Fn(&Ask) -> Vec<Step> + Send + Sync + 'static,
) -> impl Fn(&Ask) -> Option<Vec<Step>> + Send + Sync + 'static {
    move |ask| (ask.call == call).then(|| steps(ask))
}

/// The same the first time only.
pub(crate) fn first(
    call: &'static str,
    steps: impl Fn(&Ask) -> Vec<Step> + Send + Sync + 'static,
) -> impl Fn(&Ask) -> Option<Vec<Step>> + Send + Sync + 'static {
    move |ask| (ask.call == call && ask.nth == 1).then(|| steps(ask))
}

/// Whenever `call` is made, this is the answer.
pub(crate) fn answers(
    call: &'static str,
    answer: impl Into<String>,
) -> impl Fn(&Ask) -> Option<Vec<Step>> + Send + Sync + 'static {
    let answer = answer.into();
    always(call, move |ask| {
        vec![Step::Send(Message::new(&ask.reply, answer.as_str()))]
    })
}

/// The first time `call` is made, this is the answer.
pub(crate) fn answers_first(
    call: &'static str,
    answer: impl Into<String>,
) -> impl Fn(&Ask) -> Option<Vec<Step>> + Send + Sync + 'static {
    let answer = answer.into();
    first(call, move |ask| {
        vec![Step::Send(Message::new(&ask.reply, answer.as_str()))]
    })
}
