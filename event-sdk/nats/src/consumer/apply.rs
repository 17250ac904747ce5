//! Creates and changes durables by `ConsumerAdmin::apply`, in a deployment; subscriptions never
//! do.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::check;
use super::config::{Wire, changed};
use crate::context::NatsContext;
use crate::error::{ApiError, ErrorContext, code};
use crate::streams;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{
    ConsumerChange, ConsumerConfig, Error, ErrorKind, Operation, Outcome,
};

/// How often it is looked again when the consumer was changed at the same time, or the
/// server cannot do it now.
const ROUNDS: u32 = 4;

/// How long to wait before that where a cluster is not ready, at first.
const PAUSE: Duration = Duration::from_millis(250);

/// A consumer that exists, with all that this SDK has no word for.
#[derive(Deserialize)]
struct Found {
    config: Map<String, Value>,
}

/// A request to create a consumer, or to change one.
#[derive(Serialize)]
struct Request<'a> {
    stream_name: &'a str,
    config: Value,
    action: &'static str,
}

/// Creates the durable or changes it.
pub(super) async fn apply(
    context: &NatsContext,
    stream: &Text,
    config: &ConsumerConfig,
) -> Result<ConsumerChange, Error> {
    let about = ErrorContext::new(Operation::Manage).stream(stream.clone());
    let about = match config.name.as_str() {
        Some(name) => about.consumer(Text::copy_of(name)),
        None => about,
    };
    context
        .check_open(about.operation)
        .map_err(|error| about.on(error))?;
    streams::check(&about, stream)?;
    config.check_applicable().map_err(|error| about.on(error))?;
    let mut round = 1;
    // What was asked for, and may have been done.
    let mut asked = None;
    loop {
        let change = match once(context, stream, config, &about, &mut asked).await {
            // A busy cluster may do it and answer too late.
            Err(error)
                if round < ROUNDS
                    && *error.kind() == ErrorKind::Timeout
                    && error.outcome() == Outcome::Unknown =>
            {
                round += 1;
                continue;
            }
            result => result?,
        };
        match change {
            Ok(ConsumerChange::Unchanged) => {
                return Ok(asked.unwrap_or(ConsumerChange::Unchanged));
            }
            Ok(change) => return Ok(change),
            // Another was quicker; it may be what is wanted.
            Err(error)
                if round < ROUNDS
                    && (error.is(&code::CONSUMER_EXISTS)
                        || error.is(&[code::CONSUMER_NOT_FOUND, code::CONSUMER_NOT_THERE])) =>
            {
                round += 1;
                asked = None;
            }
            // A cluster that elects a leader, or waits for a server.
            Err(error) if round < ROUNDS && error.is_transient() => {
                tokio::time::sleep(PAUSE * round).await;
                round += 1;
                asked = None;
            }
            Err(error) => return Err(error.into_error(&about)),
        }
    }
}

/// Looks, and writes if there is something to be written.
async fn once(
    context: &NatsContext,
    stream: &Text,
    wanted: &ConsumerConfig,
    about: &ErrorContext,
    asked: &mut Option<ConsumerChange>,
) -> Result<Result<ConsumerChange, ApiError>, Error> {
    let name = wanted.name.as_str().unwrap_or_default();
    let call = format!("CONSUMER.INFO.{stream}.{name}");
    let existing = match context.call(about, &call, &json!({})).await? {
        Ok(Found { config }) => Some(config),
        Err(error) if error.is(&[code::CONSUMER_NOT_FOUND]) => None,
        Err(error) => return Ok(Err(error)),
    };
    let wire = Wire::wanted(wanted, Duration::ZERO);
    let unreadable = |error: serde_json::Error| {
        about
            .error(
                ErrorKind::Other,
                "the configuration of the consumer that exists cannot be read",
            )
            .with_source(error)
    };
    let (action, config, change) = match existing {
        None => {
            let config = serde_json::to_value(&wire).map_err(unreadable)?;
            ("create", config, ConsumerChange::Created)
        }
        Some(existing) => {
            let is: Wire =
                serde_json::from_value(Value::Object(existing.clone())).map_err(unreadable)?;
            let differences = is.changes(wanted).map_err(|error| about.on(error))?;
            if differences.is_empty() {
                check::stored(context, stream, &wanted.filters, about).await?;
                return Ok(Ok(ConsumerChange::Unchanged));
            }
            let config = changed(existing, &wire).map_err(unreadable)?;
            let config = Value::Object(config);
            ("update", config, ConsumerChange::Updated { differences })
        }
    };
    check::stored(context, stream, &wanted.filters, about).await?;
    let mut call = format!("CONSUMER.CREATE.{stream}.{name}");
    if let Some(filter) = wire.single_filter() {
        call = format!("{call}.{filter}");
    }
    let request = Request {
        stream_name: stream,
        config,
        action,
    };
    asked.get_or_insert_with(|| change.clone());
    Ok(match context.call(about, &call, &request).await? {
        Ok(Found { config }) => {
            let made: Wire = serde_json::from_value(Value::Object(config)).map_err(unreadable)?;
            same(&made, wanted, about)?;
            Ok(change)
        }
        Err(error) => Err(error),
    })
}

/// The server may have left out what it does not know, without saying so.
fn same(made: &Wire, wanted: &ConsumerConfig, about: &ErrorContext) -> Result<(), Error> {
    let differences = made.changes(wanted).map_err(|error| about.on(error))?;
    let Some(first) = differences.first() else {
        return Ok(());
    };
    Err(about
        .error(
            ErrorKind::Other,
            format!("the server made another consumer than was asked for: {first}"),
        )
        .with_unknown_outcome())
}
