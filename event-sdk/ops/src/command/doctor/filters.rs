//! Finds filters that match nothing, such as `events.clearing.*`, which has three tokens, if no
//! event has three.

use event_sdk::EventBus;
use event_sdk::subject::Pattern;
use event_sdk::text::Text;
use event_sdk::transport::{HistoryRequest, HistoryStart, TransportExt as _};
use event_sdk_subject::overlaps;
use futures_util::StreamExt as _;

use super::code::Code;
use super::finding::Findings;
use crate::operations::KnownEvent;

/// Looks whether each filter of a durable matches a stored event. The stream has some. A filter cannot
/// match if it has a wildcard in the wrong place: one without wildcards names a subject, and one that
/// matches an event of the program waits for it.
pub(super) async fn check(
    bus: &EventBus,
    stream: &Text,
    durable: &Text,
    filters: &[Pattern],
    events: &[KnownEvent],
    findings: &mut Findings,
) {
    for filter in filters {
        let thing = format!("filter {filter} of durable {durable} on stream {stream}");
        let Ok(None) = first(bus, stream, filter.clone()).await else {
            continue;
        };
        let may_be_wrong = has_wildcard(filter) && !is_of_an_event(filter, bus.prefix(), events);
        let neighbour = if may_be_wrong {
            neighbour(bus, stream, filter).await
        } else {
            None
        };
        match neighbour {
            Some(neighbour) if !may_match(filter, &neighbour) => {
                let (own, tokens) = (tokens(filter.as_str()), tokens(&neighbour));
                findings.add(
                    Code::FilterMatchesNothing,
                    thing,
                    format!(
                        "matches no event: it has {own} tokens, and the stream has subjects of {tokens}, such as `{neighbour}`"
                    ),
                    "a `*` is one token; write `>` at the end for all that follow, or the whole subjects of the events",
                );
            }
            _ => findings.add(
                Code::FilterUnused,
                thing,
                "matches none of the events that the stream has now",
                "nothing, if these events are rare; else compare it with the subjects of the publishers",
            ),
        }
    }
}

/// Whether it can match a subject of an event that the program knows.
fn is_of_an_event(filter: &Pattern, prefix: &str, events: &[KnownEvent]) -> bool {
    events.iter().any(|event| {
        let subject = event.spec.filter();
        let whole = if event.spec.is_absolute() || prefix.is_empty() {
            subject.to_owned()
        } else {
            format!("{prefix}.{subject}")
        };
        overlaps(filter.as_str(), &whole)
    })
}

/// The subject of a stored event under the literal beginning of the filter.
async fn neighbour(bus: &EventBus, stream: &Text, filter: &Pattern) -> Option<String> {
    let literal = filter.as_str().split('.');
    let literal: Vec<_> = literal
        .take_while(|token| !["*", ">"].contains(token))
        .collect();
    let mut wider = literal;
    wider.push(">");
    let wider = Pattern::parse(wider.join(".")).ok()?;
    first(bus, stream, wider).await.ok()?
}

/// The subject of the first stored event that a pattern matches.
async fn first(
    bus: &EventBus,
    stream: &Text,
    pattern: Pattern,
) -> Result<Option<String>, event_sdk::Error> {
    let mut request = HistoryRequest::new(stream.clone(), vec![pattern]);
    request.from = HistoryStart::Sequence(1);
    request.limit = Some(1);
    let mut found = bus.transport().read_history(request).await?;
    let found = found.next().await.transpose()?;
    Ok(found.map(|stored| stored.subject.to_string()))
}

/// Whether a filter has as many tokens as a subject, or any number.
fn may_match(filter: &Pattern, subject: &str) -> bool {
    let has_rest = filter.as_str().split('.').next_back() == Some(">");
    has_rest || tokens(filter.as_str()) == tokens(subject)
}

fn has_wildcard(filter: &Pattern) -> bool {
    let mut tokens = filter.as_str().split('.');
    tokens.any(|token| ["*", ">"].contains(&token))
}

fn tokens(text: &str) -> usize {
    text.split('.').count()
}
