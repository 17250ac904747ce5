//! Refuses requests that contradict themselves, or that this server or these
//! settings cannot serve, before the server is asked.

use crate::stream::check_name;
use crate::transport::nats::fault::About;
use crate::transport::nats::link::Link;
use crate::transport::nats::options::Management;
use crate::transport::nats::server::Version;
use crate::transport::{Capability, ConsumerName, Error, ErrorKind, Operation, SubscribeRequest};

/// Whether a subscription can be what it asks for.
pub(super) fn request(link: &Link, request: &SubscribeRequest, about: &About) -> Result<(), Error> {
    let config = &request.config;
    if let Err(why) = check_name(&request.stream) {
        let reason = format!("no stream can have that name: {why}");
        return Err(about.error(ErrorKind::InvalidOption, reason));
    }
    request
        .check()
        .and_then(|()| config.check_filters())
        .map_err(|reason| about.error(ErrorKind::InvalidOption, reason))?;
    if config.filters.len() > 1 {
        let server = link.server();
        if server.version < Version::V2_10 {
            let needed = server.needs(Version::V2_10);
            let error =
                Error::unsupported(Capability::SeveralFilters, Operation::Subscribe, &needed);
            return Err(about.on(error));
        }
    }
    if matches!(config.name, ConsumerName::Durable(_)) {
        return Ok(());
    }
    if link.options().management == Management::Never {
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
