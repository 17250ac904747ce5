//! Subscribes: binds an existing durable or group after comparing configurations and filters,
//! or creates the consumer.

use std::sync::Arc;

use super::check;
use super::connection::Connection;
use super::consumer::Consumer;
use super::filters::Filters;
use super::position::Position;
use super::slab::Key;
use super::state::State;
use super::stream::MemoryStream;
use super::subscription::MemorySubscription;
use event_sdk_core::stream::Retention;
use event_sdk_core::subject::Pattern;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{ConsumerConfig, Error, ErrorKind, Operation, SubscribeRequest};

impl MemoryStream {
    /// Binds a consumer or creates it, and subscribes to it.
    pub(super) fn subscribe(
        self: &Arc<Self>,
        through: &Arc<Connection>,
        request: &SubscribeRequest,
    ) -> Result<MemorySubscription, Error> {
        let filters = check::subscribe(request)?;
        let config = &request.config;
        let name = config.name.as_str();
        let (consumer, subscriber) =
            self.locked_fresh(through.phase(), Operation::Subscribe, |state, _| {
                let known = name.and_then(|name| state.names.get(name).copied());
                let key = if let Some(key) = known {
                    key
                } else {
                    let stored = &self.settings().config;
                    check::all_within(&filters, stored, Operation::Subscribe)
                        .map_err(|error| check::at_consumer(error, request))?;
                    if state.retention == Retention::WorkQueue {
                        check::of_work_queue(
                            config,
                            state.consumers.values().map(Consumer::config),
                        )
                        .map_err(|error| check::at_consumer(error, request))?;
                    }
                    self.create(state, config.clone(), &filters)
                };
                let Some(consumer) = state.consumers.get_mut(key) else {
                    return Err(self.no_consumer(Operation::Subscribe, name));
                };
                self.check_same(consumer.config(), config)?;
                Ok((key, consumer.subscribers().join(through.id())))
            })?;
        Ok(MemorySubscription::new(
            self.clone(),
            through.clone(),
            consumer,
            subscriber,
            config,
            request.prefetch,
        ))
    }

    /// A consumer is bound as it is or not at all.
    fn check_same(&self, existing: &ConsumerConfig, wanted: &ConsumerConfig) -> Result<(), Error> {
        if existing == wanted {
            return Ok(());
        }
        let differences = existing.differences(wanted);
        if differences.is_empty() {
            return Ok(());
        }
        let list: Vec<String> = differences.iter().map(ToString::to_string).collect();
        let error = Error::new(
            ErrorKind::ConsumerMismatch { differences },
            Operation::Subscribe,
            format!(
                "a consumer of this name exists and is another: {}; use its configuration, another name, or delete it first",
                list.join("; ")
            ),
        )
        .at_stream(self.name().clone());
        Err(match wanted.name.as_str() {
            Some(name) => error.at_consumer(Text::copy_of(name)),
            None => error,
        })
    }

    fn create(&self, state: &mut State, config: ConsumerConfig, filters: &Filters) -> Key {
        let name = config.name.as_str().map(Text::copy_of);
        let settings = self.settings();
        let everything = [Pattern::everything()];
        let under = |others: bool| {
            if others {
                &everything[..]
            } else {
                &settings.config.subjects[..]
            }
        };
        let (stored, ever_stored) = (under(state.holds_others), under(state.held_others));
        let owes = state.retention != Retention::Limits;
        let key = state.add_consumer(filters, |place, log| {
            let (position, gap) =
                Position::start(place, filters, stored, ever_stored, config.deliver, log);
            // What others have settled is no loss, and cannot be told from what was dropped.
            Consumer::new(config, position, gap.filter(|_| !owes), owes)
        });
        if let Some(name) = name {
            state.names.insert(name, key);
        }
        key
    }
}
