//! Refuses requests that contradict themselves, or that this server or these
//! settings cannot serve, before the server is asked.

use crate::context::NatsContext;
use crate::error::ErrorContext;
use crate::options::Management;
use event_sdk_core::stream::check_name;
use event_sdk_core::transport::{
    AckPolicy, ConsumerConfig, ConsumerName, DeliverPolicy, Error, ErrorKind, SubscribeRequest,
};

/// Whether a subscription can be what it asks for.
pub(super) fn request(
    context: &NatsContext,
    request: &SubscribeRequest,
    about: &ErrorContext,
) -> Result<(), Error> {
    let config = &request.config;
    if let Some(reason) = contradiction(request) {
        return Err(about.error(ErrorKind::InvalidOption, reason));
    }
    if matches!(config.name, ConsumerName::Durable(_)) {
        return Ok(());
    }
    if context.options().management == Management::Never {
        let what = match config.name {
            ConsumerName::Ephemeral => "an ephemeral consumer",
            _ => "a group",
        };
        return Err(about.error(
            ErrorKind::InvalidOption,
            format!(
                "{what} has to be created, and management calls are switched off; subscribe to a durable that exists"
            ),
        ));
    }
    Ok(())
}

/// In what a request contradicts itself.
fn contradiction(request: &SubscribeRequest) -> Option<String> {
    let config = &request.config;
    if let Err(why) = check_name(&request.stream) {
        return Some(format!("no stream can have that name: {why}"));
    }
    if let Some(why) = config.name.as_str().and_then(|name| check_name(name).err()) {
        return Some(format!("a consumer cannot have that name: {why}"));
    }
    if request.prefetch == 0 {
        return Some(
            "a subscription takes at least one message ahead; set prefetch to one or more"
                .to_owned(),
        );
    }
    if config.deliver == DeliverPolicy::ByStartSequence(0) {
        return Some("sequences begin with one; start there, or deliver all".to_owned());
    }
    filters(config).or_else(|| match config.ack {
        AckPolicy::None => without_acks(config),
        AckPolicy::Explicit => with_acks(config),
    })
}

fn filters(config: &ConsumerConfig) -> Option<String> {
    if config.filters.is_empty() {
        return Some(
            "there is no filter; name at least one pattern, `>` for every subject of the stream"
                .to_owned(),
        );
    }
    config.filters.iter().enumerate().find_map(|(index, one)| {
        let other = config.filters[..index].iter().find(|other| other.overlaps(one))?;
        Some(format!(
            "the filters {other} and {one} overlap; a message must match one of them only, so shutdown out the narrower or make them distinct"
        ))
    })
}

fn with_acks(config: &ConsumerConfig) -> Option<String> {
    if config.ack_wait.is_zero() && config.backoff.is_empty()
        || config.backoff.iter().any(std::time::Duration::is_zero)
    {
        return Some(
            "a delivery without time to be handled is due again at once; make the ack wait, and each wait of the backoff, longer than zero"
                .to_owned(),
        );
    }
    let max = config.max_deliver?.get();
    let steps = config.backoff.len();
    usize::try_from(max).is_ok_and(|max| steps > max).then(|| {
        format!(
            "the backoff has {steps} waits, but a message is delivered {max} times at the most; shorten the one or raise the other"
        )
    })
}

fn without_acks(config: &ConsumerConfig) -> Option<String> {
    let set = if config.max_deliver.is_some() {
        "max deliver"
    } else if !config.backoff.is_empty() {
        "backoff"
    } else {
        return None;
    };
    Some(format!(
        "{set} is set, but a consumer that acknowledges nothing delivers each message once; shutdown it out or acknowledge"
    ))
}
