//! Broken promises of managing streams and consumers.

use std::sync::Arc;

use event_sdk::Pattern;
use event_sdk::stream::{Compression, StreamConfig};
use event_sdk::text::Text;
use event_sdk::transport::{
    AccountUsage, Capability, Completion, ConsumerAdmin, ConsumerChange, ConsumerConfig,
    ConsumerInfo, Error, ErrorKind, Operation, StreamAdmin, StreamChange, StreamState, Transport,
    TransportExt as _,
};
use jiff::Timestamp;

use super::{Broken, Sabotage, blurred, only_pretended};

/// Applies a stream, or says so.
fn broken_apply(
    inner: &impl Transport,
    sabotage: Sabotage,
    config: &StreamConfig,
) -> Completion<Result<StreamChange, Error>> {
    match sabotage {
        Sabotage::AppliesNothing => return Completion::ready(Ok(StreamChange::Unchanged)),
        Sabotage::Pretends(capability) => {
            let asked = match capability {
                Capability::StreamAdmin => true,
                Capability::DenyDeletion => {
                    config.deny_delete.is_some() || config.deny_purge.is_some()
                }
                Capability::RollUp => config.allow_rollup == Some(true),
                Capability::Compression => config.compression != Compression::None,
                _ => false,
            };
            if asked {
                return Completion::ready(Err(only_pretended(capability, Operation::Manage)));
            }
        }
        _ => {}
    }
    let applied = inner.apply_stream(config);
    Completion::later(async move {
        match (sabotage, applied.await) {
            (Sabotage::CallsEachStreamNew, Ok(_)) => Ok(StreamChange::Created),
            (Sabotage::ConfirmsWhatCannotBe, Err(error))
                if *error.kind() == ErrorKind::InvalidOption =>
            {
                Ok(StreamChange::Unchanged)
            }
            (_, applied) => applied.map_err(|error| blurred(sabotage, error)),
        }
    })
}

impl<T: Transport> StreamAdmin for Broken<T> {
    fn find(&self, pattern: &Pattern) -> Completion<Result<Vec<Text>, Error>> {
        match self.sabotage {
            Sabotage::Panics => panic!("asked for streams"),
            Sabotage::Hangs => Completion::later(std::future::pending()),
            _ => self.inner.streams_for(pattern),
        }
    }

    fn state(&self, stream: &str) -> Completion<Result<StreamState, Error>> {
        let (state, sabotage) = (self.inner.stream_state(stream), self.sabotage);
        let copies = self.copies.clone();
        Completion::later(async move {
            let mut state = state.await.map_err(|error| blurred(sabotage, error))?;
            match sabotage {
                Sabotage::CountsNoConsumers => state.consumers = 0,
                Sabotage::CountsFromZero => state.first_sequence -= 1,
                Sabotage::CopiesEverything | Sabotage::GoesOnCopying => copies.hide(&mut state),
                _ => {}
            }
            Ok(state)
        })
    }

    fn account(&self) -> Completion<Result<AccountUsage, Error>> {
        if self.is(Sabotage::HasAnEmptyAccount) {
            return Completion::ready(Ok(AccountUsage::default()));
        }
        let (usage, sabotage) = (self.inner.account_usage(), self.sabotage);
        Completion::later(async move { usage.await.map_err(|error| blurred(sabotage, error)) })
    }

    fn apply(&self, config: &StreamConfig) -> Completion<Result<StreamChange, Error>> {
        match self.sabotage {
            Sabotage::CopiesEverything | Sabotage::GoesOnCopying => {
                let inner = Arc::clone(&self.inner);
                self.copies.apply(inner, self.sabotage, config)
            }
            sabotage => broken_apply(&*self.inner, sabotage, config),
        }
    }
}

impl<T: Transport> ConsumerAdmin for Broken<T> {
    fn info(&self, stream: &str, consumer: &str) -> Completion<Result<ConsumerInfo, Error>> {
        let (info, sabotage) = (self.inner.consumer_info(stream, consumer), self.sabotage);
        Completion::later(async move {
            let info = info.await.map_err(|error| blurred(sabotage, error))?;
            Ok(match sabotage {
                Sabotage::CountsNoPositions => ConsumerInfo::new(info.config),
                _ => info,
            })
        })
    }

    fn apply(
        &self,
        stream: &str,
        config: &ConsumerConfig,
    ) -> Completion<Result<ConsumerChange, Error>> {
        broken_apply_consumer(&self.inner, self.sabotage, stream, config)
    }

    fn list(&self, stream: &str) -> Completion<Result<Vec<ConsumerInfo>, Error>> {
        if self.is(Sabotage::ListsNoConsumers) {
            return Completion::ready(Ok(Vec::new()));
        }
        let (list, sabotage) = (self.inner.list_consumers(stream), self.sabotage);
        Completion::later(async move { list.await.map_err(|error| blurred(sabotage, error)) })
    }

    fn pause(
        &self,
        stream: &str,
        consumer: &str,
        until: Option<Timestamp>,
    ) -> Completion<Result<(), Error>> {
        let goes_on = until.is_none();
        match self.sabotage {
            Sabotage::PausesNothing if !goes_on => return Completion::ready(Ok(())),
            Sabotage::PausesForGood if goes_on => return Completion::ready(Ok(())),
            Sabotage::Pretends(Capability::PauseConsumer) => {
                let error = only_pretended(Capability::PauseConsumer, Operation::Manage);
                return Completion::ready(Err(error));
            }
            _ => {}
        }
        let paused = self.inner.pause_consumer(stream, consumer, until);
        let sabotage = self.sabotage;
        Completion::later(async move { paused.await.map_err(|error| blurred(sabotage, error)) })
    }

    fn reset(&self, stream: &str, consumer: &str, sequence: u64) -> Completion<Result<(), Error>> {
        match self.sabotage {
            Sabotage::ResetsNothing => return Completion::ready(Ok(())),
            Sabotage::Pretends(Capability::ResetConsumer) => {
                let error = only_pretended(Capability::ResetConsumer, Operation::Manage);
                return Completion::ready(Err(error));
            }
            _ => {}
        }
        let reset = self.inner.reset_consumer(stream, consumer, sequence);
        let sabotage = self.sabotage;
        Completion::later(async move { reset.await.map_err(|error| blurred(sabotage, error)) })
    }

    fn delete(&self, stream: &str, consumer: &str) -> Completion<Result<(), Error>> {
        if self.is(Sabotage::DeletesNothing) {
            return Completion::ready(Ok(()));
        }
        let (deleted, sabotage) = (self.inner.delete_consumer(stream, consumer), self.sabotage);
        Completion::later(async move { deleted.await.map_err(|error| blurred(sabotage, error)) })
    }
}

/// Applies a durable, or says so.
fn broken_apply_consumer<T: Transport>(
    inner: &Arc<T>,
    sabotage: Sabotage,
    stream: &str,
    config: &ConsumerConfig,
) -> Completion<Result<ConsumerChange, Error>> {
    if sabotage == Sabotage::AppliesNoDurables {
        return Completion::ready(Ok(ConsumerChange::Unchanged));
    }
    let (inner, stream, config) = (Arc::clone(inner), stream.to_owned(), config.clone());
    Completion::later(async move {
        let applied = inner.apply_consumer(&stream, &config).await;
        match (sabotage, applied) {
            (Sabotage::MakesDurablesAnew, Ok(change @ ConsumerChange::Updated { .. })) => {
                let name = config.name.as_str().unwrap_or_default();
                inner.delete_consumer(&stream, name).await?;
                inner.apply_consumer(&stream, &config).await?;
                Ok(change)
            }
            (Sabotage::ConfirmsDurablesThatCannotBe, Err(_)) => Ok(ConsumerChange::Unchanged),
            (_, applied) => applied.map_err(|error| blurred(sabotage, error)),
        }
    })
}
