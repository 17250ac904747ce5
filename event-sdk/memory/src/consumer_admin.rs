//! `ConsumerAdmin`: lists, inspects, creates, changes, pauses, resets and deletes consumers.

use event_sdk_core::stream::Retention;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{
    Completion, ConsumerAdmin, ConsumerChange, ConsumerConfig, ConsumerInfo, DeliverPolicy, Error,
    ErrorKind, Operation,
};
use jiff::Timestamp;

use super::MemoryTransport;
use super::check;
use super::connection::Connection;
use super::log::Log;
use super::stream::MemoryStream;

impl ConsumerAdmin for MemoryTransport {
    fn list(&self, stream: &str) -> Completion<Result<Vec<ConsumerInfo>, Error>> {
        let stream = self.stream(stream, Operation::Read);
        Completion::ready(stream.and_then(|stream| stream.consumers(&self.0.connection)))
    }

    fn info(&self, stream: &str, consumer: &str) -> Completion<Result<ConsumerInfo, Error>> {
        let stream = self.stream(stream, Operation::Read);
        Completion::ready(
            stream.and_then(|stream| stream.consumer_info(&self.0.connection, consumer)),
        )
    }

    fn apply(
        &self,
        stream: &str,
        config: &ConsumerConfig,
    ) -> Completion<Result<ConsumerChange, Error>> {
        let stream = self.stream(stream, Operation::Manage);
        Completion::ready(
            stream.and_then(|stream| stream.apply_consumer(&self.0.connection, config)),
        )
    }

    fn pause(
        &self,
        stream: &str,
        consumer: &str,
        until: Option<Timestamp>,
    ) -> Completion<Result<(), Error>> {
        let stream = self.stream(stream, Operation::Manage);
        Completion::ready(
            stream.and_then(|stream| stream.pause_consumer(&self.0.connection, consumer, until)),
        )
    }

    fn reset(&self, stream: &str, consumer: &str, sequence: u64) -> Completion<Result<(), Error>> {
        let stream = self.stream(stream, Operation::Manage);
        Completion::ready(
            stream.and_then(|stream| stream.reset_consumer(&self.0.connection, consumer, sequence)),
        )
    }

    fn delete(&self, stream: &str, consumer: &str) -> Completion<Result<(), Error>> {
        let stream = self.stream(stream, Operation::Manage);
        Completion::ready(
            stream.and_then(|stream| stream.delete_consumer(self.0.connection.phase(), consumer)),
        )
    }
}

impl MemoryStream {
    /// All consumers that have a name, by name.
    fn consumers(&self, through: &Connection) -> Result<Vec<ConsumerInfo>, Error> {
        let clock = self.clock();
        self.locked_fresh(through.phase(), Operation::Read, |state, _| {
            let mut named: Vec<_> = state.names.iter().collect();
            named.sort_by_key(|(name, _)| *name);
            let consumers = named.into_iter();
            let consumers = consumers.filter_map(|(_, key)| state.consumers.get(*key));
            let infos = consumers.map(|consumer| consumer.info(&state.log, clock.monotonic()));
            Ok(infos.collect())
        })
    }

    /// Pauses a consumer, or lets it go on.
    fn pause_consumer(
        &self,
        through: &Connection,
        name: &str,
        until: Option<Timestamp>,
    ) -> Result<(), Error> {
        let (now, running) = (self.clock().now(), self.clock().monotonic());
        // A time that has passed is none.
        let pause = until.and_then(|until| {
            let wait = until.duration_since(now).try_into().ok()?;
            Some((until, running.saturating_add(wait)))
        });
        self.locked(through.phase(), Operation::Manage, |state, after| {
            let key = state.names.get(name).copied();
            let Some(consumer) = key.and_then(|key| state.consumers.get_mut(key)) else {
                return Err(self.no_consumer(Operation::Manage, Some(name)));
            };
            consumer.pause(pause, after);
            Ok(())
        })
    }

    /// Begins a consumer anew, at `sequence`.
    fn reset_consumer(&self, through: &Connection, name: &str, sequence: u64) -> Result<(), Error> {
        let refuse = |reason: String| {
            let error = Error::new(ErrorKind::InvalidOption, Operation::Manage, reason);
            let error = error.at_stream(self.name().clone());
            Err(error.at_consumer(Text::copy_of(name)))
        };
        if sequence == 0 {
            return refuse("sequences begin at one".to_owned());
        }
        self.locked_fresh(through.phase(), Operation::Manage, |state, after| {
            let key = state.names.get(name).copied();
            let Some(key) = key.filter(|key| state.consumers.get(*key).is_some()) else {
                return Err(self.no_consumer(Operation::Manage, Some(name)));
            };
            if state.retention != Retention::Limits {
                return refuse(
                    "the stream drops messages when they are acknowledged, so that a consumer cannot go back to them".to_owned(),
                );
            }
            let Some(consumer) = state.consumers.get(key) else {
                return Ok(());
            };
            let first = match first_of(consumer.config().deliver, &state.log) {
                Ok(first) => first,
                Err(reason) => return refuse(reason.to_owned()),
            };
            if sequence < first {
                return refuse(format!(
                    "the consumer starts at sequence {first}, and cannot be reset to {sequence}"
                ));
            }
            let filters = check::filters(&consumer.config().filters, Operation::Manage)?;
            state.reset_consumer(key, &filters, &self.settings(), sequence, after);
            Ok(())
        })
    }
}

/// The lowest sequence that a consumer with this start can be reset to; the reason if it cannot.
fn first_of(deliver: DeliverPolicy, log: &Log) -> Result<u64, &'static str> {
    match deliver {
        DeliverPolicy::All => Ok(1),
        DeliverPolicy::ByStartSequence(sequence) => Ok(sequence),
        DeliverPolicy::ByStartTime(start) => {
            let first = log
                .messages()
                .partition(|message| message.stored_at < start);
            Ok(first.unwrap_or_else(|| log.last_sequence() + 1))
        }
        DeliverPolicy::Last | DeliverPolicy::LastPerSubject | DeliverPolicy::New => Err(
            "only a consumer that starts at the oldest message, at a sequence or at a time can be reset",
        ),
    }
}
