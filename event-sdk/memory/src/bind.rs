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
use event_sdk_core::transport::{
    BoundConsumer, ConsumerChange, ConsumerConfig, ConsumerInfo, Error, ErrorKind, Operation,
    SubscribeRequest, Subscription,
};

impl MemoryStream {
    /// Binds a consumer or creates it, and subscribes to it.
    pub(super) fn subscribe(
        self: &Arc<Self>,
        through: &Arc<Connection>,
        request: &SubscribeRequest,
    ) -> Result<Subscription, Error> {
        let filters = check::subscribe(request)?;
        let config = &request.config;
        let name = config.name.as_str();
        let (consumer, subscriber, bound) =
            self.locked_fresh(through.phase(), Operation::Subscribe, |state, _| {
                let known = name.and_then(|name| state.names.get(name).copied());
                let key = if let Some(key) = known {
                    key
                } else if request.must_exist {
                    let (kind, why) = (ErrorKind::ConsumerNotFound, SubscribeRequest::MUST_EXIST);
                    let error = Error::new(kind, Operation::Subscribe, why);
                    return Err(check::at_consumer(error, request));
                } else {
                    let stored = &self.settings().config;
                    check::all_within(&filters, stored, Operation::Subscribe)
                        .map_err(|error| check::at_consumer(error, request))?;
                    if state.retention == Retention::WorkQueue {
                        check::of_work_queue(
                            config,
                            state.consumers.values().map(Consumer::config),
                            Operation::Subscribe,
                        )
                        .map_err(|error| check::at_consumer(error, request))?;
                    }
                    self.create(state, config.clone(), &filters)
                };
                let Some(consumer) = state.consumers.get_mut(key) else {
                    return Err(self.no_consumer(Operation::Subscribe, name));
                };
                let bound = if known.is_some() {
                    let bound = consumer
                        .config()
                        .bind(config, Vec::new())
                        .map_err(|error| error.at_stream(self.name().clone()))?;
                    // What has something left goes on until that is handled.
                    if !consumer.has_some() {
                        let stored = &self.settings().config;
                        check::all_within(&filters, stored, Operation::Subscribe)
                            .map_err(|error| check::at_consumer(error, request))?;
                    }
                    bound
                } else {
                    BoundConsumer::created(config.clone())
                };
                Ok((key, consumer.subscribers().join(through.id()), bound))
            })?;
        let deliveries = MemorySubscription::new(
            self.clone(),
            through.clone(),
            consumer,
            subscriber,
            &bound.config,
            request.prefetch,
        );
        Ok(Subscription::new(deliveries, bound))
    }

    /// Creates a durable, or changes it.
    pub(super) fn apply_consumer(
        &self,
        through: &Connection,
        config: &ConsumerConfig,
    ) -> Result<ConsumerChange, Error> {
        let at = |error: Error| {
            let error = error.at_stream(self.name().clone());
            match config.name.as_str() {
                Some(name) => error.at_consumer(Text::copy_of(name)),
                None => error,
            }
        };
        let filters = check::applied(config).map_err(at)?;
        self.locked_fresh(through.phase(), Operation::Manage, |state, after| {
            let known = config.name.as_str().and_then(|name| state.names.get(name));
            let known = known.copied();
            let existing = known.and_then(|key| state.consumers.get(key));
            let existing = existing.map(|consumer| consumer.config().clone());
            let settings = self.settings();
            let within = || check::all_within(&filters, &settings.config, Operation::Manage);
            if let Some(existing) = &existing
                && existing.changes(config, Vec::new()).map_err(at)?.is_empty()
            {
                return within().map(|()| ConsumerChange::Unchanged).map_err(at);
            }
            within().map_err(at)?;
            if state.retention == Retention::WorkQueue {
                let mut wanted = config.clone();
                wanted.deliver = existing.as_ref().map_or(config.deliver, |own| own.deliver);
                let others = state.consumers.values().map(Consumer::config);
                let others = others.filter(|other| other.name.as_str() != config.name.as_str());
                check::of_work_queue(&wanted, others, Operation::Manage).map_err(at)?;
            }
            let (Some(key), Some(existing)) = (known, existing) else {
                self.create(state, config.clone(), &filters);
                return Ok(ConsumerChange::Created);
            };
            let differences = existing.differences(config);
            let everything = [Pattern::everything()];
            let stored = if state.holds_others {
                &everything[..]
            } else {
                &settings.config.subjects[..]
            };
            state.change_consumer(key, config.clone(), &filters, stored, after);
            Ok(ConsumerChange::Updated { differences })
        })
    }

    /// What a consumer is, and where.
    pub(super) fn consumer_info(
        &self,
        through: &Connection,
        name: &str,
    ) -> Result<ConsumerInfo, Error> {
        self.locked_fresh(through.phase(), Operation::Read, |state, _| {
            let key = state.names.get(name).copied();
            match key.and_then(|key| state.consumers.get(key)) {
                Some(consumer) => Ok(consumer.info(&state.log, self.clock().monotonic())),
                None => Err(self.no_consumer(Operation::Read, Some(name))),
            }
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
            let reporter = self.reporter(config.name.as_str());
            Consumer::new(config, position, gap.filter(|_| !owes), owes, reporter)
        });
        if let Some(name) = name {
            state.names.insert(name, key);
        }
        key
    }
}
