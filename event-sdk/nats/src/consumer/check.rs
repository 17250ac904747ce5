//! Validates a subscribe request against the server's version and the options, before the
//! server is asked.

use crate::context::NatsContext;
use crate::error::ErrorContext;
use crate::options::Management;
use crate::streams;
use event_sdk_core::stream::check_name;
use event_sdk_core::subject::Pattern;
use event_sdk_core::transport::{ConsumerName, Error, ErrorKind, SubscribeRequest};

/// Whether a subscription can be what it asks for.
pub(super) fn request(
    context: &NatsContext,
    request: &SubscribeRequest,
    about: &ErrorContext,
) -> Result<(), Error> {
    let config = &request.config;
    if let Err(why) = check_name(&request.stream) {
        let reason = format!("no stream can have that name: {why}");
        return Err(about.error(ErrorKind::InvalidOption, reason));
    }
    request
        .check()
        .and_then(|()| config.check_filters())
        .map_err(|reason| about.error(ErrorKind::InvalidOption, reason))?;
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

/// Whether the stream stores a subject for each of the filters: a server would
/// create the consumer all the same, and nothing would ever come.
pub(super) async fn stored(
    context: &NatsContext,
    stream: &str,
    filters: &[Pattern],
    about: &ErrorContext,
) -> Result<(), Error> {
    let info = streams::info(context, about, stream).await?;
    if info.holds_others() {
        return Ok(());
    }
    matching(&info.read(about)?.subjects, filters, about)
}

/// Whether each of the filters can match one of the subjects that the stream stores.
pub(super) fn matching(
    subjects: &[Pattern],
    filters: &[Pattern],
    about: &ErrorContext,
) -> Result<(), Error> {
    let stores = |filter: &&Pattern| subjects.iter().any(|stored| stored.overlaps(filter));
    let Some(filter) = filters.iter().find(|filter| !stores(filter)) else {
        return Ok(());
    };
    let subjects: Vec<&str> = subjects.iter().map(Pattern::as_str).collect();
    let reason = format!(
        "{filter} can match nothing here, for the stream stores {}; compare the prefix of the bus with that of the stream",
        subjects.join(", ")
    );
    Err(about
        .error(ErrorKind::InvalidSubject, reason)
        .at_subject(filter))
}
