//! `Unread`: a stream that the user may not look at. Lists name it beside the others, and go on.

use std::io;

use event_sdk::Pattern;
use event_sdk::text::Text;
use event_sdk::transport::{Error, ErrorKind, StreamAdmin};
use serde::Serialize;

use crate::output::{Output, WARN};

/// A stream that the user may not look at.
pub(crate) struct Unread {
    stream: Text,
    why: String,
}

impl Unread {
    /// The stream, if the server has refused the request.
    pub(crate) fn of(stream: &Text, error: &Error) -> Option<Self> {
        // Without a subject, the user cannot hear any answer.
        let subject = error.subject()?;
        (*error.kind() == ErrorKind::PermissionDenied).then(|| Self {
            stream: stream.clone(),
            why: format!("no permission for {subject}"),
        })
    }

    /// Writes a line for each of the streams.
    pub(crate) fn write(all: &[Self], output: &mut Output<'_>) -> io::Result<()> {
        all.iter().try_for_each(|Self { stream, why }| {
            output.styled_text(WARN, format_args!("stream {stream}: unknown ({why})"))
        })
    }
}

/// An entry of a list as JSON: a row, or what is unknown.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Listed<'a, R> {
    Known(&'a R),
    /// In a list of streams.
    Stream {
        name: &'a str,
        unknown: &'a str,
    },
    /// In a list of consumers.
    Consumers {
        stream: &'a str,
        unknown: &'a str,
    },
}

impl<'a, R> Listed<'a, R> {
    /// A list of streams.
    pub(crate) fn streams(known: &'a [R], unread: &'a [Unread]) -> Vec<Self> {
        let unread = unread.iter().map(|it| Self::Stream {
            name: &it.stream,
            unknown: &it.why,
        });
        known.iter().map(Self::Known).chain(unread).collect()
    }

    /// A list of consumers.
    pub(crate) fn consumers(known: &'a [R], unread: &'a [Unread]) -> Vec<Self> {
        let unread = unread.iter().map(|it| Self::Consumers {
            stream: &it.stream,
            unknown: &it.why,
        });
        known.iter().map(Self::Known).chain(unread).collect()
    }
}

/// The names of the streams that store a subject of `pattern`, in order. Those of key-value and object
/// stores are left out unless all are asked for, or the pattern names subjects.
pub(crate) async fn names(
    admin: &dyn StreamAdmin,
    pattern: &Pattern,
    all: bool,
) -> Result<Vec<Text>, Error> {
    let mut names = admin.find(pattern).await?;
    if !all && *pattern == Pattern::everything() {
        names.retain(|name| !name.starts_with("KV_") && !name.starts_with("OBJ_"));
    }
    names.sort();
    Ok(names)
}
