//! Exports a letter as the source of a unit test that decodes its event and calls a handler.

use std::fmt::Write as _;

use bytes::Bytes;
use event_sdk_core::codec::{Codec, DecodeErrorKind, DecodeFault, JsonCodec};
use event_sdk_core::headers::Headers;
use event_sdk_core::set::{Content, Opened};
use event_sdk_core::shown::Shown;
use event_sdk_core::subject::grammar::is_unseen;
use event_sdk_core::{EventSet, Subject};

use super::letter::DeadLetter;

/// An event in the source of a test; [`DeadLetter::to_test`] writes it.
#[derive(Clone, Copy)]
pub struct ExportedLetter<'a> {
    /// The whole subject.
    pub subject: &'a str,
    /// The prefix of the bus, if the subject lies below it.
    pub prefix: Option<&'a str>,
    /// The headers.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body.
    pub body: &'a [u8],
}

impl ExportedLetter<'_> {
    /// Decodes the event, as a consumer of the set does.
    ///
    /// # Errors
    ///
    /// [`DecodeFault`] if the message is no event of the set.
    pub fn decode<S: EventSet>(&self) -> Result<S, DecodeFault> {
        self.decode_with(&JsonCodec)
    }

    /// Like [`decode`](Self::decode), with the codec of the bus.
    ///
    /// # Errors
    ///
    /// [`DecodeFault`] if the message is no event of the set.
    pub fn decode_with<S: EventSet>(&self, codec: &dyn Codec) -> Result<S, DecodeFault> {
        let invalid = |why: String| DecodeFault::new(DecodeErrorKind::Malformed, why);
        let subject = Subject::parse(self.subject).map_err(|why| invalid(why.to_string()))?;
        let mut headers = Headers::new();
        for (name, value) in self.headers {
            let inserted = headers.insert(*name, *value);
            inserted.map_err(|why| invalid(why.to_string()))?;
        }
        let envelope = codec.decode(&Bytes::copy_from_slice(self.body), &headers)?;
        let content = Content::Encoded(&envelope.head, &envelope.data);
        let prefix = self.prefix.unwrap_or_default();
        S::decode(&Opened::new(&subject, prefix, content))
    }
}

impl std::fmt::Debug for ExportedLetter<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ExportedLetter")
            .field("subject", &self.subject)
            .field("body_len", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl DeadLetter {
    /// Writes a unit test in Rust that decodes the event and passes it to a handler. The test fails
    /// as long as the program still has the fault that made the event a dead letter.
    ///
    /// `set` and `handler` are paths in the program: an event set, and an
    /// `async fn(set) -> Result<(), impl Debug>`. The test runs on tokio.
    ///
    /// **The source contains the event**, and so its personal data. Replace this data before you
    /// commit the test.
    #[must_use]
    pub fn to_test(&self, set: &str, handler: &str) -> String {
        let mut headers = String::new();
        for (name, value) in self.headers.iter() {
            // Writing to a `String` does not fail.
            let _ = write!(headers, "({name:?}, {value:?}), ");
        }
        let prefix = match &self.origin.prefix {
            Some(prefix) => format!("Some({:?})", prefix.as_str()),
            None => "None".to_owned(),
        };
        format!(
            r"// {title}
#[tokio::test]
async fn {name}() {{
    let letter = event_sdk::dead_letters::ExportedLetter {{
        subject: {subject:?},
        prefix: {prefix},
        headers: &[{headers}],
        body: {body},
    }};
    let event: {set} = letter.decode().expect({decodes:?});
    {handler}(event).await.expect({succeeds:?});
}}
",
            title = self.title(),
            name = self.test_name(),
            subject = self.origin.subject.as_str(),
            headers = headers.trim_end_matches(", "),
            body = literal(&self.body),
            decodes = "the event can be decoded",
            succeeds = "the handler succeeds",
        )
    }

    /// The name of the test: type, stream and sequence.
    fn test_name(&self) -> String {
        let event = self.event_type.as_deref().unwrap_or("unreadable");
        let stream = self.origin.stream.as_str();
        let text = format!("{event}_{stream}_{}", self.origin.sequence);
        let plain = |c: char| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '_'
            }
        };
        format!(
            "dead_letter_{}",
            text.chars().map(plain).collect::<String>()
        )
    }

    /// Why it is a dead letter. What comes from another client cannot end the comment.
    fn title(&self) -> String {
        let mut title = format!(
            "Dead letter of `{}`: {} after {} attempts",
            Shown(&self.consumer, 255),
            self.class,
            self.attempts,
        );
        for error in &self.errors {
            let _ = write!(title, ", {}", Shown(error, 400));
        }
        title
    }
}

/// A Rust literal of these bytes: readable where they are a plain text.
fn literal(body: &[u8]) -> String {
    match std::str::from_utf8(body) {
        Ok(text) if !text.contains(|c| c != ' ' && is_unseen(c)) => {
            let mut fence = "#".to_owned();
            while text.contains(&format!("\"{fence}")) {
                fence.push('#');
            }
            format!("r{fence}\"{text}\"{fence}.as_bytes()")
        }
        _ => format!("b\"{}\"", body.escape_ascii()),
    }
}
