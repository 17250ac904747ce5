//! `Streams`: the streams and buckets that connections share; looks up, creates and changes
//! streams.

use std::num::NonZeroU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::ack_pending::ConnectionId;
use super::buckets::Buckets;
use super::changeable::{Changeable, Current};
use super::check;
use super::deferred_actions::DeferredActions;
use super::list::List;
use super::phase::Phase;
use super::reporter::Desk;
use super::stream::MemoryStream;
use event_sdk_clock::Clock;
use event_sdk_core::codec::Codec;
use event_sdk_core::stream::{Storage, StreamConfig};
use event_sdk_core::subject::Subject;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{AccountUsage, Error, ErrorKind, Operation, StreamChange};

/// The streams of a transport.
#[derive(Debug)]
pub(super) struct Streams {
    list: Changeable<List>,
    buckets: Buckets,
    /// Held while a stream is created or changed.
    connections: Mutex<Connections>,
    maker: Maker,
}

/// Makes streams.
#[derive(Debug)]
pub(super) struct Maker {
    pub(super) desk: Arc<Desk>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) codec: Arc<dyn Codec>,
    pub(super) hand_over: bool,
}

/// The connections that there are; without any the streams are closed.
#[derive(Debug, Default)]
struct Connections {
    open: usize,
    /// How many there ever were.
    count: u64,
}

impl Streams {
    /// These streams, whose configurations are known to be right.
    pub(super) fn new(configs: Vec<StreamConfig>, buckets: Buckets, maker: Maker) -> Self {
        let streams = configs.into_iter().map(|config| maker.make(config));
        Self {
            list: Changeable::new(List::new(streams.collect())),
            buckets,
            connections: Mutex::default(),
            maker,
        }
    }

    pub(super) fn list(&self) -> Current<'_, List> {
        self.list.get()
    }

    pub(super) fn buckets(&self) -> &Buckets {
        &self.buckets
    }

    /// Creates the stream, or makes it what `config` says.
    pub(super) fn apply(&self, config: &StreamConfig) -> Result<StreamChange, Error> {
        check::stream(config, Operation::Manage)?;
        // Declared before the guard, so dropped after it.
        let mut after = DeferredActions::default();
        let connections = self.connections();
        if connections.open == 0 {
            return Err(Error::closed(Operation::Manage));
        }
        let streams = self.list();
        let (mut named, mut others): (Vec<_>, Vec<_>) = streams
            .iter()
            .partition(|stream| *stream.name() == config.name);
        for other in &others {
            check::beside(&other.settings().config, config, Operation::Manage)?;
        }
        if let Some(stream) = named.pop() {
            let change = stream.change(config, &mut after)?;
            if streams.knows_subjects() && change != StreamChange::Unchanged {
                self.list.set(List::new(streams.to_vec()));
            }
            return Ok(change);
        }
        let made = self.maker.make(config.clone());
        others.push(&made);
        self.list
            .set(List::new(others.into_iter().cloned().collect()));
        Ok(StreamChange::Created)
    }

    /// Refuses a stream that cannot be created beside those that exist.
    pub(super) fn check_new(&self, config: &StreamConfig) -> Result<(), Error> {
        check::stream(config, Operation::Manage)?;
        for other in self.list().iter() {
            if *other.name() == config.name {
                let reason = "it exists, and a restore creates a stream and changes none; restore it where there is none";
                let error = Error::new(ErrorKind::StreamExists, Operation::Manage, reason);
                return Err(error.at_stream(config.name.clone()));
            }
            check::beside(&other.settings().config, config, Operation::Manage)?;
        }
        Ok(())
    }

    /// A stream that nobody knows of yet.
    pub(super) fn make(&self, config: &StreamConfig) -> Arc<MemoryStream> {
        self.maker.make(config.clone())
    }

    /// Adds a stream that was made, unless it cannot be there.
    pub(super) fn add(&self, made: Arc<MemoryStream>) -> Result<(), Error> {
        let connections = self.connections();
        if connections.open == 0 {
            return Err(Error::closed(Operation::Manage));
        }
        self.check_new(&made.settings().config)?;
        let others = self.list().to_vec().into_iter();
        self.list.set(List::new(others.chain([made]).collect()));
        Ok(())
    }

    /// Adds up the bytes that the streams store and reserve. Nothing limits them together.
    pub(super) fn usage(&self, phase: &Phase) -> Result<AccountUsage, Error> {
        let mut usage = AccountUsage::default();
        for stream in self.list().iter() {
            let state = stream.state(phase)?;
            let space = match state.config.storage {
                Storage::File => &mut usage.file,
                Storage::Memory => &mut usage.memory,
            };
            usage.streams += 1;
            space.used = space.used.saturating_add(state.bytes);
            // Like a server, without the replicas.
            let reserved = state.config.limits.bytes.map_or(0, NonZeroU64::get);
            space.reserved = space.reserved.saturating_add(reserved);
        }
        Ok(usage)
    }

    /// A first connection.
    pub(super) fn open(&self) -> ConnectionId {
        self.connections().add()
    }

    /// Another connection, unless all were closed.
    pub(super) fn connect(&self) -> Result<ConnectionId, Error> {
        let mut connections = self.connections();
        if connections.open == 0 {
            return Err(Error::closed(Operation::Configure));
        }
        Ok(connections.add())
    }

    /// A connection was closed. With the last one the streams end.
    pub(super) fn leave(&self, after: &mut DeferredActions) {
        let mut connections = self.connections();
        connections.open -= 1;
        if connections.open == 0 {
            self.desk().close();
            for stream in self.list().iter() {
                stream.close(after);
            }
            self.buckets.close();
        }
    }

    /// Where what happens to consumers is reported.
    pub(super) fn desk(&self) -> &Desk {
        &self.maker.desk
    }

    pub(super) fn clock(&self) -> &dyn Clock {
        &*self.maker.clock
    }

    fn connections(&self) -> MutexGuard<'_, Connections> {
        self.connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The stream of that name.
    pub(super) fn named(
        &self,
        name: &str,
        operation: Operation,
    ) -> Result<Arc<MemoryStream>, Error> {
        let streams = self.list();
        let named = streams.iter().find(|stream| *stream.name() == name);
        named.cloned().ok_or_else(|| {
            let known: Vec<&str> = streams.iter().map(|stream| &**stream.name()).collect();
            let reason = match known[..] {
                [] => "there is no stream at all; create it with `apply_stream`".to_owned(),
                _ => format!("there is no such stream; there are {}", known.join(", ")),
            };
            Error::new(ErrorKind::StreamNotFound, operation, reason).at_stream(Text::copy_of(name))
        })
    }

    /// That no stream stores the subject.
    pub(super) fn no_stream(&self, subject: &Subject) -> Error {
        let streams = self.list();
        let declared: Vec<String> = streams
            .iter()
            .map(|stream| {
                let settings = stream.settings();
                let subjects = check::list(&settings.config.subjects);
                format!("{} ({subjects})", stream.name())
            })
            .collect();
        let beside = match declared[..] {
            [] => String::new(),
            _ => format!(", beside {}", declared.join(", ")),
        };
        Error::new(
            ErrorKind::NoStream,
            Operation::Publish,
            format!(
                "no stream stores this subject; declare one with a pattern that matches it{beside}"
            ),
        )
        .at_subject(subject)
    }
}

impl Connections {
    fn add(&mut self) -> ConnectionId {
        self.open += 1;
        self.count += 1;
        ConnectionId(self.count)
    }
}

impl Maker {
    fn make(&self, config: StreamConfig) -> Arc<MemoryStream> {
        let (clock, codec) = (Arc::clone(&self.clock), Arc::clone(&self.codec));
        let desk = Arc::clone(&self.desk);
        Arc::new(MemoryStream::new(
            config.as_state(),
            clock,
            codec,
            desk,
            self.hand_over,
        ))
    }
}
