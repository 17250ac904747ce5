//! Validates a subscribe request against the server's version and the options, before the
//! server is asked.

use crate::context::NatsContext;
use crate::error::ErrorContext;
use crate::options::Management;
use event_sdk_core::stream::check_name;
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
