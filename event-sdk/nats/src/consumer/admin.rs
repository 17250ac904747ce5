//! Lists, inspects, pauses, resets and deletes consumers that exist.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::bind::{self, Info};
use crate::context::NatsContext;
use crate::error::{ErrorContext, code};
use crate::server::Version;
use crate::streams;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{
    Capability, Completion, ConsumerInfo, Error, ErrorKind, Operation,
};

/// How often a consumer is looked at until it is paused.
const LOOKING: Duration = Duration::from_millis(20);

/// The consumers of a stream, by name.
pub(crate) fn list(
    context: Arc<NatsContext>,
    stream: Text,
) -> Completion<Result<Vec<ConsumerInfo>, Error>> {
    let owner = Arc::clone(&context);
    owner.later(Operation::Read, async move {
        let about = ErrorContext::new(Operation::Read).stream(stream.clone());
        context
            .check_open(about.operation)
            .map_err(|error| about.on(error))?;
        streams::check(&about, &stream)?;
        let found = listed(&context, &stream, &about).await?;
        // In a cluster, a stream that does not exist has an empty list.
        if found.is_empty() && context.server().clustered {
            streams::info(&context, &about, &stream).await?;
        }
        Ok(found)
    })
}

/// The same, as an async function; empty if a cluster has no such stream.
async fn listed(
    context: &NatsContext,
    stream: &Text,
    about: &ErrorContext,
) -> Result<Vec<ConsumerInfo>, Error> {
    let mut found = Vec::new();
    let mut listed = 0;
    loop {
        let page = page(context, stream, listed, about).await?;
        let (is_last, names) = (page.is_last(&mut listed), page.missing.unwrap_or_default());
        let consumers = page.consumers.unwrap_or_default();
        found.extend(consumers.into_iter().map(Info::read));
        for name in names {
            let about = about.clone().consumer(name.clone());
            streams::check(&about, &name)?;
            match bind::info(context, stream, &name, &about).await? {
                Ok(info) => found.push(info.read()),
                // It was deleted meanwhile.
                Err(error) if error.is(&[code::CONSUMER_NOT_FOUND]) => {}
                Err(error) => return Err(error.into_error(&about)),
            }
        }
        if is_last {
            break;
        }
    }
    found.sort_by(|one, other| one.config.name.as_str().cmp(&other.config.name.as_str()));
    // Consumers may come and go between two pages.
    found.dedup_by(|one, other| one.config.name == other.config.name);
    Ok(found)
}

/// How many consumers of a stream have a leader that answers.
pub(crate) async fn count_led(
    context: &NatsContext,
    stream: &Text,
    about: &ErrorContext,
) -> Result<(usize, usize), Error> {
    let (mut led, mut listed) = (0, 0);
    loop {
        let page = page(context, stream, listed, about).await?;
        led += page.consumers.as_ref().map_or(0, Vec::len);
        let total = page.total;
        if page.is_last(&mut listed) {
            return Ok((led, total));
        }
    }
}

/// A part of the list of consumers.
#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    total: usize,
    #[serde(default)]
    consumers: Option<Vec<Info>>,
    /// Those of a cluster whose leaders did not answer in time.
    #[serde(default)]
    missing: Option<Vec<String>>,
}

impl Page {
    /// Adds those on this page to the number of those that were `listed`. Whether these are all.
    fn is_last(&self, listed: &mut usize) -> bool {
        let consumers = self.consumers.as_ref().map_or(0, Vec::len);
        let on_page = consumers + self.missing.as_ref().map_or(0, Vec::len);
        *listed += on_page;
        on_page == 0 || *listed >= self.total
    }
}

async fn page(
    context: &NatsContext,
    stream: &Text,
    offset: usize,
    about: &ErrorContext,
) -> Result<Page, Error> {
    let call = format!("CONSUMER.LIST.{stream}");
    let offset = json!({ "offset": offset });
    context.request(about, &call, &offset).await
}

/// What a consumer is, and where it is in its stream.
pub(crate) fn info(
    context: Arc<NatsContext>,
    stream: Text,
    consumer: Text,
) -> Completion<Result<ConsumerInfo, Error>> {
    let owner = Arc::clone(&context);
    owner.later(Operation::Read, async move {
        let about = ErrorContext::new(Operation::Read)
            .stream(stream.clone())
            .consumer(consumer.clone());
        context
            .check_open(about.operation)
            .map_err(|error| about.on(error))?;
        streams::check(&about, &stream)?;
        streams::check(&about, &consumer)?;
        let info = bind::info(&context, &stream, &consumer, &about).await?;
        let info = info.map_err(|error| error.into_error(&about))?;
        Ok(info.read())
    })
}

/// Pauses a consumer, or lets it go on.
pub(crate) fn pause(
    context: Arc<NatsContext>,
    stream: Text,
    consumer: Text,
    until: Option<Timestamp>,
) -> Completion<Result<(), Error>> {
    #[derive(Deserialize)]
    struct Paused {}
    let owner = Arc::clone(&context);
    owner.later(Operation::Manage, async move {
        let (about, call) = named(&context, "PAUSE", &stream, &consumer)?;
        needs(&context, &about, Capability::PauseConsumer, Version::V2_11)?;
        let request = match until {
            Some(until) => json!({ "pause_until": until }),
            None => json!({}),
        };
        let Paused {} = context.request(&about, &call, &request).await?;
        applied(&context, &stream, &consumer, &about, until).await
    })
}

/// Waits until the consumer has what was asked for: in a cluster, the answer comes before its
/// leader has applied it, and goes on delivering until then.
async fn applied(
    context: &NatsContext,
    stream: &Text,
    consumer: &Text,
    about: &ErrorContext,
    until: Option<Timestamp>,
) -> Result<(), Error> {
    let (begun, limit) = (Instant::now(), context.options().request_timeout);
    loop {
        match bind::info(context, stream, consumer, about).await {
            Ok(Ok(info)) if info.has_pause(until) => return Ok(()),
            Ok(Err(error)) if !error.is_transient() => return Err(error.into_error(about)),
            // Who may not look at it cannot wait for it.
            Err(error) if *error.kind() == ErrorKind::PermissionDenied => return Ok(()),
            Err(error) => return Err(error.with_unknown_outcome()),
            Ok(_) => {}
        }
        if begun.elapsed() >= limit {
            let reason = format!(
                "the server has taken it, and the consumer has not applied it within {limit:?}; look at the consumer, or try again"
            );
            let error = about.error(ErrorKind::Timeout, reason);
            return Err(error.with_unknown_outcome());
        }
        tokio::time::sleep(LOOKING).await;
    }
}

/// Begins a consumer anew, at `sequence`.
pub(crate) fn reset(
    context: Arc<NatsContext>,
    stream: Text,
    consumer: Text,
    sequence: u64,
) -> Completion<Result<(), Error>> {
    #[derive(Deserialize)]
    struct Reset {}
    let owner = Arc::clone(&context);
    owner.later(Operation::Manage, async move {
        let (about, call) = named(&context, "RESET", &stream, &consumer)?;
        needs(&context, &about, Capability::ResetConsumer, Version::V2_14)?;
        if sequence == 0 {
            // The server would take its own ack floor.
            return Err(about.error(ErrorKind::InvalidOption, "sequences begin at one"));
        }
        // No server answers to the reset of a consumer that does not exist.
        let existing = bind::info(&context, &stream, &consumer, &about).await?;
        existing.map_err(|error| error.into_error(&about))?;
        let request = json!({ "seq": sequence });
        let Reset {} = context.request(&about, &call, &request).await?;
        Ok(())
    })
}

/// Removes a consumer.
pub(crate) fn delete(
    context: Arc<NatsContext>,
    stream: Text,
    consumer: Text,
) -> Completion<Result<(), Error>> {
    #[derive(Deserialize)]
    struct Deleted {}
    let owner = Arc::clone(&context);
    owner.later(Operation::Manage, async move {
        let (about, call) = named(&context, "DELETE", &stream, &consumer)?;
        let Deleted {} = context.request(&about, &call, &json!({})).await?;
        Ok(())
    })
}

/// The call `CONSUMER.<what>` about a consumer, once it is known that it can be made.
fn named(
    context: &NatsContext,
    what: &str,
    stream: &Text,
    consumer: &Text,
) -> Result<(ErrorContext, String), Error> {
    let about = ErrorContext::new(Operation::Manage)
        .stream(stream.clone())
        .consumer(consumer.clone());
    context
        .check_open(about.operation)
        .map_err(|error| about.on(error))?;
    streams::check(&about, stream)?;
    streams::check(&about, consumer)?;
    Ok((about, format!("CONSUMER.{what}.{stream}.{consumer}")))
}

/// Refuses what this server does not know: it would not answer.
fn needs(
    context: &NatsContext,
    about: &ErrorContext,
    capability: Capability,
    version: Version,
) -> Result<(), Error> {
    if context.server().version >= version {
        return Ok(());
    }
    let remedy = context.remedy(capability);
    Err(about.on(Error::unsupported(capability, about.operation, &remedy)))
}
