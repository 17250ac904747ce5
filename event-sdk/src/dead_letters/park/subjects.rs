//! Subjects of parked events and of requests for their keys:
//! `dlq.=park.<consumer>.<stream>.<key>.<sequence>`.

use event_sdk_core::subject::grammar::MAX_SUBJECT_LEN;
use event_sdk_core::subject::{InvalidSubject, Pattern};

use super::super::area::{Area, consumer_token, short};
use super::super::place::DeadLetterStream;
use super::key::DeadKey;

/// The tokens of a key.
pub(super) struct Place<'a> {
    place: &'a DeadLetterStream,
    /// Consumer, stream and key.
    tokens: String,
}

impl<'a> Place<'a> {
    pub(super) fn of(place: &'a DeadLetterStream, consumer: &str, key: &DeadKey) -> Self {
        // The names of streams and consumers follow the same grammar.
        let (consumer, stream) = (consumer_token(consumer), consumer_token(key.stream()));
        let token = consumer_token(key.key());
        let of = |stream: &str, token: &str| Self {
            place,
            tokens: format!("{consumer}.{stream}.{token}"),
        };
        let (short_key, short_stream) = (short(key.key().as_bytes()), short(stream.as_bytes()));
        let forms = [of(&stream, &token), of(&stream, &short_key)];
        let mut forms = forms.into_iter();
        forms
            .find(|form| form.longest() <= MAX_SUBJECT_LEN)
            .unwrap_or_else(|| of(&short_stream, &short_key))
    }

    /// The subject of a parked event.
    pub(super) fn parked(&self, position: u64) -> String {
        self.text(Area::Park, &format!(".{position}"))
    }

    /// Matches the parked events of the key.
    pub(super) fn filter(&self) -> Result<Pattern, InvalidSubject> {
        Pattern::parse(self.text(Area::Park, ".*"))
    }

    /// The subject of requests for the key.
    pub(super) fn request(&self) -> String {
        self.text(Area::Request, "")
    }

    fn text(&self, area: Area, end: &str) -> String {
        let subject = format!("{}.{}{end}", area.root(), self.tokens);
        self.place.text(&subject)
    }

    /// The bytes of its longest form: that of the state of a parked event.
    fn longest(&self) -> usize {
        let root = self.place.text(Area::State.root()).len() + ".=park".len();
        root + 1 + self.tokens.len() + 1 + u64::MAX.to_string().len()
    }
}

/// The subject of what became of a letter or parked event, or of its further parts: its own, with
/// `=state` or `=rest` in it.
pub(super) fn beside(place: &DeadLetterStream, subject: &str, area: Area) -> Option<String> {
    let inner = place.inner(subject)?.strip_prefix("dlq.")?;
    let tail = match inner.strip_prefix("=park.") {
        Some(tail) => {
            let (consumer, tail) = tail.split_once('.')?;
            format!("{consumer}.=park.{tail}")
        }
        None => inner.to_owned(),
    };
    Some(place.text(&format!("{}.{tail}", area.root())))
}
