//! `Fixture`: starts transports for one case, with fresh names for streams and consumers.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::failure::{Outcome, within};
use super::rig::Rig;
use super::settings::Settings;
use event_sdk_core::stream::{StreamConfig, StreamSpec};
use event_sdk_core::transport::{BucketConfig, Transport};

/// Starts the transports of a case, which need not know their type.
pub(super) trait Start: Send + Sync {
    /// A transport with these streams.
    fn one(&self, streams: Vec<StreamConfig>) -> Starting<Arc<dyn Transport>>;

    /// Two transports with the same streams.
    fn two(&self, streams: Vec<StreamConfig>) -> Starting<[Arc<dyn Transport>; 2]>;
}

pub(super) type Starting<T> = Pin<Box<dyn Future<Output = Outcome<T>> + Send>>;

/// The streams and buckets that a case may have created by itself.
pub(super) type Applied = Arc<Mutex<AppliedByCase>>;

/// See [`Applied`].
#[derive(Debug, Default)]
pub(super) struct AppliedByCase {
    pub(super) streams: Vec<StreamConfig>,
    pub(super) buckets: Vec<BucketConfig>,
}

/// What a case is given.
pub(super) struct Fixture {
    start: Box<dyn Start>,
    applied: Applied,
    name: String,
    settings: Settings,
}

impl Fixture {
    pub(super) fn new(
        start: impl Start + 'static,
        applied: Applied,
        name: String,
        settings: Settings,
    ) -> Self {
        Self {
            start: Box::new(start),
            applied,
            name,
            settings,
        }
    }

    /// A transport with these streams.
    pub(super) async fn start(&self, streams: Vec<StreamConfig>) -> Outcome<Arc<dyn Transport>> {
        let starting = self.start.one(streams);
        within(self.settings.patience, "the start of a transport", starting).await?
    }

    /// A transport with one stream, which stores everything under its prefix.
    pub(super) async fn rig(&self) -> Outcome<Rig> {
        self.rig_with(|stream| stream).await
    }

    /// A transport with one stream, of which more is said.
    pub(super) async fn rig_with(
        &self,
        say: impl FnOnce(StreamSpec) -> StreamSpec,
    ) -> Outcome<Rig> {
        let config = self.config('a', |stream| say(stream.subject(">")))?;
        self.rig_of(config).await
    }

    /// A transport with one stream, [configured](Self::config) as `a`.
    pub(super) async fn rig_of(&self, config: StreamConfig) -> Outcome<Rig> {
        let name = config.name.clone();
        let transport = self.start(vec![config]).await?;
        let prefix = self.prefix('a');
        Ok(Rig::new(transport, name, prefix, self.settings))
    }

    /// The first token of the subjects that the stream `letter` stores.
    pub(super) fn prefix(&self, letter: char) -> String {
        format!("{}{letter}", self.name)
    }

    /// The stream `letter` of this case, which does not exist by that.
    pub(super) fn config(
        &self,
        letter: char,
        say: impl FnOnce(StreamSpec) -> StreamSpec,
    ) -> Outcome<StreamConfig> {
        let name = format!("{}{}", self.name, letter.to_ascii_uppercase());
        let stream = StreamSpec::new(name).replicas(self.replicas());
        Ok(say(stream).config(&self.prefix(letter))?)
    }

    /// Notes that the case may create this stream, so that it is removed.
    pub(super) fn will_apply(&self, config: &StreamConfig) {
        let mut applied = self.applied.lock().unwrap_or_else(PoisonError::into_inner);
        applied.streams.push(config.clone());
    }

    /// Notes that the case may create this bucket, so that it is removed.
    pub(super) fn will_apply_bucket(&self, config: &BucketConfig) {
        let mut applied = self.applied.lock().unwrap_or_else(PoisonError::into_inner);
        if !applied
            .buckets
            .iter()
            .any(|known| known.name == config.name)
        {
            applied.buckets.push(config.clone());
        }
    }

    /// Two transports with the same stream, as two processes have them.
    pub(super) async fn both_sides(&self) -> Outcome<(Rig, Rig)> {
        self.both_sides_with(|stream| stream).await
    }

    /// The same with a stream of which more is said.
    pub(super) async fn both_sides_with(
        &self,
        say: impl FnOnce(StreamSpec) -> StreamSpec,
    ) -> Outcome<(Rig, Rig)> {
        let config = self.config('a', |stream| say(stream.subject(">")))?;
        let name = config.name.clone();
        let starting = self.start.two(vec![config]);
        let what = "the start of two transports";
        let sides = within(self.settings.patience, what, starting).await??;
        let rig = |side| Rig::new(side, name.clone(), self.prefix('a'), self.settings);
        Ok(sides.map(rig).into())
    }

    /// One transport with two streams, each under a prefix of its own.
    pub(super) async fn two_rigs(&self) -> Outcome<(Rig, Rig)> {
        let everything = |stream: StreamSpec| stream.subject(">");
        let configs = vec![self.config('a', everything)?, self.config('b', everything)?];
        let names: Vec<_> = configs.iter().map(|config| config.name.clone()).collect();
        let transport = self.start(configs).await?;
        let rig = |index: usize, prefix| {
            Rig::new(
                Arc::clone(&transport),
                names[index].clone(),
                prefix,
                self.settings,
            )
        };
        Ok((rig(0, self.prefix('a')), rig(1, self.prefix('b'))))
    }

    /// How long a case waits for one thing that it is owed.
    pub(super) fn patience(&self) -> Duration {
        self.settings.patience
    }

    /// An ack wait within which a case handles what it received.
    pub(super) fn ack_wait(&self) -> Duration {
        self.settings.ack_wait
    }

    /// How many copies the streams of this case have.
    pub(super) fn replicas(&self) -> u8 {
        self.settings.replicas
    }

    /// `number`, or more of them in a stress run.
    pub(super) fn scaled(&self, number: usize) -> usize {
        number.saturating_mul(self.settings.scale)
    }
}

impl fmt::Debug for Fixture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fixture")
            .field("name", &self.name)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
