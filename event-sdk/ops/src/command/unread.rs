//! `Unread`: a stream that could not be read. A list shows it with the other streams, and goes on.

use std::io;

use event_sdk::Pattern;
use event_sdk::text::Text;
use event_sdk::transport::{Error, ErrorKind, StreamAdmin};
use serde::Serialize;

use crate::error::{OpsError, chain};
use crate::output::{Output, WARN};
use crate::units::count;

/// A stream that could not be looked at.
pub(crate) struct Unread {
    stream: Text,
    why: String,
    /// Why it did not answer; `None` if the user may not ask.
    error: Option<Error>,
}

impl Unread {
    /// The stream.
    ///
    /// # Errors
    ///
    /// The error, if it says nothing of this stream alone.
    pub(crate) fn of(stream: &Text, error: Error) -> Result<Self, Error> {
        let stream = stream.clone();
        match (error.kind(), error.subject()) {
            (ErrorKind::PermissionDenied, Some(subject)) => Ok(Self {
                stream,
                why: format!("no permission for {subject}"),
                error: None,
            }),
            // Without a subject, the user cannot hear any answer.
            (
                ErrorKind::PermissionDenied
                | ErrorKind::Closed
                | ErrorKind::Disconnected
                | ErrorKind::NotConfigured
                | ErrorKind::Tls
                | ErrorKind::Unauthenticated
                | ErrorKind::Unsupported(_),
                _,
            ) => Err(error),
            _ => Ok(Self {
                stream,
                why: chain(&error),
                error: Some(error),
            }),
        }
    }

    /// The streams, if any stream was `read`, or may not be asked.
    ///
    /// # Errors
    ///
    /// The first error, if no stream answers.
    pub(crate) fn beside(mut all: Vec<Self>, read: bool) -> Result<Vec<Self>, Error> {
        let silent = !read && all.iter().all(|it| it.error.is_some());
        match all.first_mut().and_then(|it| it.error.take()) {
            Some(error) if silent => Err(error),
            _ => Ok(all),
        }
    }

    /// Whether this is the stream.
    pub(crate) fn is(&self, stream: &str) -> bool {
        self.stream.as_str() == stream
    }

    /// Writes a line for each of the streams.
    pub(crate) fn write(all: &[Self], output: &mut Output<'_>) -> io::Result<()> {
        all.iter().try_for_each(|Self { stream, why, .. }| {
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
/// stores are left out unless all are asked for, or the pattern names subjects; a notice says how many.
pub(crate) async fn names(
    admin: &dyn StreamAdmin,
    pattern: &Pattern,
    all: bool,
    output: &mut Output<'_>,
) -> Result<Vec<Text>, OpsError> {
    let mut names = admin.find(pattern).await?;
    if !all && *pattern == Pattern::everything() {
        let found = names.len();
        names.retain(|name| !name.starts_with("KV_") && !name.starts_with("OBJ_"));
        let left_out = (found - names.len()) as u64;
        if left_out > 0 {
            output.notice(format_args!(
                "left out by name, as of a key-value or object store (KV_, OBJ_): {}; `streams ls --all` lists all",
                count(left_out, "stream")
            ))?;
        }
    }
    names.sort();
    Ok(names)
}
