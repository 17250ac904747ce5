//! `ConsumerAdmin`: lists, inspects, creates, changes, pauses, resets and deletes consumers.

use std::sync::Arc;

use event_sdk_core::text::Text;
use event_sdk_core::transport::{
    Completion, ConsumerAdmin, ConsumerChange, ConsumerConfig, ConsumerInfo, Error,
};
use jiff::Timestamp;

use super::{Nats, consumer};

impl ConsumerAdmin for Nats {
    fn list(&self, stream: &str) -> Completion<Result<Vec<ConsumerInfo>, Error>> {
        consumer::list(Arc::clone(&self.context), Text::copy_of(stream))
    }

    fn info(&self, stream: &str, consumer: &str) -> Completion<Result<ConsumerInfo, Error>> {
        consumer::info(
            Arc::clone(&self.context),
            Text::copy_of(stream),
            Text::copy_of(consumer),
        )
    }

    fn apply(
        &self,
        stream: &str,
        config: &ConsumerConfig,
    ) -> Completion<Result<ConsumerChange, Error>> {
        consumer::apply(
            Arc::clone(&self.context),
            Text::copy_of(stream),
            config.clone(),
        )
    }

    fn pause(
        &self,
        stream: &str,
        consumer: &str,
        until: Option<Timestamp>,
    ) -> Completion<Result<(), Error>> {
        let context = Arc::clone(&self.context);
        consumer::pause(
            context,
            Text::copy_of(stream),
            Text::copy_of(consumer),
            until,
        )
    }

    fn reset(&self, stream: &str, consumer: &str, sequence: u64) -> Completion<Result<(), Error>> {
        let context = Arc::clone(&self.context);
        consumer::reset(
            context,
            Text::copy_of(stream),
            Text::copy_of(consumer),
            sequence,
        )
    }

    fn delete(&self, stream: &str, consumer: &str) -> Completion<Result<(), Error>> {
        consumer::delete(
            Arc::clone(&self.context),
            Text::copy_of(stream),
            Text::copy_of(consumer),
        )
    }
}
