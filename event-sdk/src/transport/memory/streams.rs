//! The streams of a transport, which can be created and changed while it runs.

use std::sync::{Arc, Mutex, PoisonError};

use super::after::After;
use super::changeable::{Changeable, Current};
use super::check;
use super::stream::MemoryStream;
use crate::codec::Codec;
use crate::stream::StreamConfig;
use crate::subject::Subject;
use crate::text::Text;
use crate::time::Clock;
use crate::transport::{Error, ErrorKind, Operation, StreamChange};

/// The streams of a transport.
#[derive(Debug)]
pub(super) struct Streams {
    list: Changeable<Vec<Arc<MemoryStream>>>,
    /// Held while a stream is created or changed.
    applying: Mutex<Applying>,
    maker: Maker,
}

/// Makes streams.
#[derive(Debug)]
pub(super) struct Maker {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) codec: Arc<dyn Codec>,
    pub(super) hand_over: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Applying {
    Open,
    Closed,
}

impl Streams {
    /// These streams, whose configurations are known to be right.
    pub(super) fn new(configs: Vec<StreamConfig>, maker: Maker) -> Self {
        let streams = configs.into_iter().map(|config| maker.make(config));
        Self {
            list: Changeable::new(streams.collect()),
            applying: Mutex::new(Applying::Open),
            maker,
        }
    }

    pub(super) fn list(&self) -> Current<'_, Vec<Arc<MemoryStream>>> {
        self.list.get()
    }

    /// Creates the stream, or makes it what `config` says.
    pub(super) fn apply(&self, config: &StreamConfig) -> Result<StreamChange, Error> {
        check::stream(config, Operation::Manage)?;
        // Declared before the guard, so dropped after it.
        let mut after = After::default();
        let applying = self.applying.lock().unwrap_or_else(PoisonError::into_inner);
        if *applying == Applying::Closed {
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
            return stream.change(config, &mut after);
        }
        let made = self.maker.make(config.clone());
        others.push(&made);
        self.list.set(others.into_iter().cloned().collect());
        Ok(StreamChange::Created)
    }

    /// Refuses everything from now on, and drops what the streams hold.
    pub(super) fn close(&self) {
        *self.applying.lock().unwrap_or_else(PoisonError::into_inner) = Applying::Closed;
        for stream in self.list().iter() {
            stream.close();
        }
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

impl Maker {
    fn make(&self, config: StreamConfig) -> Arc<MemoryStream> {
        let (clock, codec) = (Arc::clone(&self.clock), Arc::clone(&self.codec));
        Arc::new(MemoryStream::new(config, clock, codec, self.hand_over))
    }
}
