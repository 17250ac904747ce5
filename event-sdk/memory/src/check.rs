//! Validates requests: limits of a stream, overlapping stream subjects, filters that the stream
//! does not store, work-queue rules.

use super::filters::Filters;
use event_sdk_core::stream::{Retention, StreamConfig};
use event_sdk_core::subject::Pattern;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{
    AckPolicy, BucketConfig, Capability, ConsumerConfig, DeliverPolicy, Error, ErrorKind,
    Operation, SubscribeRequest,
};

/// Whether a subscription can be what it asks for, on whatever stream; what it
/// wants of that.
pub(super) fn subscribe(request: &SubscribeRequest) -> Result<Filters, Error> {
    let refuse = |reason| at_consumer(option(Operation::Subscribe, reason), request);
    request.check().map_err(refuse)?;
    filters(&request.config.filters, Operation::Subscribe)
        .map_err(|error| at_consumer(error, request))
}

/// Whether a durable can be what it is to become, on whatever stream; what it wants of that.
pub(super) fn applied(config: &ConsumerConfig) -> Result<Filters, Error> {
    config.check_applicable()?;
    filters(&config.filters, Operation::Manage)
}

/// Whether there can be such a bucket.
pub(super) fn bucket(config: &BucketConfig, operation: Operation) -> Result<(), Error> {
    config.check().map_err(|why| option(operation, why))
}

/// The error, about the consumer that was asked for.
pub(super) fn at_consumer(error: Error, request: &SubscribeRequest) -> Error {
    let error = error.at_stream(request.stream.clone());
    match request.config.name.as_str() {
        Some(name) => error.at_consumer(Text::copy_of(name)),
        None => error,
    }
}

/// Whether `patterns` can select messages: there are some, and no two match the
/// same.
pub(super) fn filters(patterns: &[Pattern], operation: Operation) -> Result<Filters, Error> {
    if patterns.is_empty() {
        return Err(option(operation, ConsumerConfig::NO_FILTER));
    }
    Filters::new(patterns)
        .map_err(|[one, other]| option(operation, ConsumerConfig::overlap(one, other)))
}

/// Whether each of `filters` can match a message of a stream.
pub(super) fn all_within(
    filters: &Filters,
    stream: &StreamConfig,
    operation: Operation,
) -> Result<(), Error> {
    let mut patterns = filters.patterns().iter();
    patterns.try_for_each(|filter| within(filter, stream, operation))
}

/// Whether `pattern` can match a message of a stream.
pub(super) fn within(
    pattern: &Pattern,
    stream: &StreamConfig,
    operation: Operation,
) -> Result<(), Error> {
    if stream
        .subjects
        .iter()
        .any(|stored| stored.overlaps(pattern))
    {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::InvalidSubject,
        operation,
        format!(
            "{pattern} can match nothing here, for the stream stores {}; `*` stands for one token, `>` for one or more",
            list(&stream.subjects)
        ),
    )
    .at_subject(pattern)
    .at_stream(stream.name.clone()))
}

/// Whether there can be such a stream here.
pub(super) fn stream(stream: &StreamConfig, operation: Operation) -> Result<(), Error> {
    let refuse = |reason| option(operation, reason).at_stream(stream.name.clone());
    stream.check().map_err(|why| refuse(why.reason()))?;
    let Some(missing) = stream.needs().find(|need| OF_SERVERS.contains(need)) else {
        return Ok(());
    };
    let remedy = "streams of the process have no other servers and regions; declare it in a topology of its own, which the deployment applies to servers alone";
    Err(Error::unsupported(missing, operation, remedy).at_stream(stream.name.clone()))
}

/// What streams have on servers alone.
const OF_SERVERS: [Capability; 2] = [Capability::Copies, Capability::Placement];

/// Whether a work queue can have this consumer beside those that it has: as on a server,
/// each message is for one, which acknowledges it.
pub(super) fn of_work_queue<'a>(
    config: &ConsumerConfig,
    others: impl IntoIterator<Item = &'a ConsumerConfig>,
    operation: Operation,
) -> Result<(), Error> {
    let refuse = |reason| Err(option(operation, reason));
    if config.ack != AckPolicy::Explicit {
        return refuse(format!(
            "a work queue keeps each message until it was acknowledged by itself; acknowledge explicitly, not {:?}",
            config.ack
        ));
    }
    if config.deliver != DeliverPolicy::All {
        return refuse(format!(
            "a consumer of a work queue delivers all that is there, or it would stay for ever; start at the beginning, not {:?}",
            config.deliver
        ));
    }
    for other in others {
        for theirs in &other.filters {
            if let Some(ours) = config.filters.iter().find(|ours| ours.overlaps(theirs)) {
                return refuse(format!(
                    "{ours} overlaps {theirs} of consumer {}; a message of a work queue is for one consumer, so narrow one of them, or share that consumer as a group",
                    other.name.as_str().unwrap_or("(ephemeral)")
                ));
            }
        }
    }
    Ok(())
}

/// Whether two streams can stand beside each other.
pub(super) fn beside(
    one: &StreamConfig,
    other: &StreamConfig,
    operation: Operation,
) -> Result<(), Error> {
    let refuse = |reason| Err(option(operation, reason).at_stream(other.name.clone()));
    if one.name == other.name {
        return refuse("it is declared twice; a transport has one stream of a name".to_owned());
    }
    for theirs in &one.subjects {
        if let Some(ours) = other.subjects.iter().find(|ours| ours.overlaps(theirs)) {
            return refuse(format!(
                "its pattern {ours} overlaps {theirs} of stream {}; a subject is stored in one stream only, so narrow one of them",
                one.name
            ));
        }
    }
    Ok(())
}

/// Whether a stream can become another: not where it is kept, nor until when, nor without the
/// schedules that it allows, nor without what it denies.
pub(super) fn change(existing: &StreamConfig, wanted: &StreamConfig) -> Result<(), Error> {
    let (what, is, cannot_become) = if existing.storage != wanted.storage {
        let (is, wanted) = (existing.storage, wanted.storage);
        ("storage", format!("{is:?}"), format!("{wanted:?}"))
    } else if existing.retention != wanted.retention {
        let (is, wants) = (existing.retention, wanted.retention);
        if ![is, wants].contains(&Retention::WorkQueue) {
            let (missing, operation) = (Capability::ChangeRetention, Operation::Manage);
            let remedy = "make a new stream with another name, or keep the retention";
            let error = Error::unsupported(missing, operation, remedy);
            return Err(error.at_stream(wanted.name.clone()));
        }
        ("retention", format!("{is:?}"), format!("{wants:?}"))
    } else if existing.schedules && !wanted.schedules {
        let reason = "it allows schedules, and goes on to; declare it with `schedules()`, as it is";
        return Err(option(Operation::Manage, reason).at_stream(wanted.name.clone()));
    } else if let Some(why) = existing
        .denial_to_keep(wanted)
        .or_else(|| existing.rollup_to_declare(wanted))
    {
        return Err(option(Operation::Manage, why).at_stream(wanted.name.clone()));
    } else {
        return Ok(());
    };
    let reason = format!(
        "its {what} is {is} and cannot become {cannot_become}; make a new stream with another name, or keep the {what}"
    );
    Err(option(Operation::Manage, reason).at_stream(wanted.name.clone()))
}

/// Subjects, for the reader of an error.
pub(super) fn list(patterns: &[Pattern]) -> String {
    let patterns: Vec<&str> = patterns.iter().map(AsRef::as_ref).collect();
    patterns.join(", ")
}

pub(super) fn option(operation: Operation, reason: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOption, operation, reason)
}
