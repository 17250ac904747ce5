//! Streams: which there are, and what they hold.

use std::sync::Arc;

use serde::Deserialize;

use super::fault::About;
use super::link::Link;
use crate::subject::Pattern;
use crate::text::Text;
use crate::transport::{Answer, Capability, Error, Operation, StreamState};

/// The streams that store some subject that `pattern` matches.
pub(super) fn streams_for(link: Arc<Link>, pattern: Pattern) -> Answer<Result<Vec<Text>, Error>> {
    #[derive(Deserialize)]
    struct Names {
        #[serde(default)]
        streams: Option<Vec<String>>,
    }
    Answer::later(async move {
        let about = About::new(Operation::Read);
        let request = serde_json::json!({ "subject": pattern.as_str() });
        let names: Names = link.request(&about, "STREAM.NAMES", &request).await?;
        let names = names.streams.unwrap_or_default();
        Ok(names.into_iter().map(Text::from).collect())
    })
}

/// What a stream is and holds now.
pub(super) fn stream_state(link: Arc<Link>, stream: Text) -> Answer<Result<StreamState, Error>> {
    let refused = link.check_open(Operation::Read).err().unwrap_or_else(|| {
        Error::unsupported(
            Capability::Store,
            Operation::Read,
            "the state of a stream over NATS is not built yet",
        )
    });
    Answer::ready(Err(refused.at_stream(stream)))
}

/// Removes a consumer.
pub(super) fn delete_consumer(
    link: Arc<Link>,
    stream: Text,
    consumer: Text,
) -> Answer<Result<(), Error>> {
    #[derive(Deserialize)]
    struct Deleted {}
    Answer::later(async move {
        let about = About::new(Operation::Manage)
            .stream(stream.clone())
            .consumer(consumer.clone());
        let call = format!("CONSUMER.DELETE.{stream}.{consumer}");
        let Deleted {} = link.request(&about, &call, &()).await?;
        Ok(())
    })
}
