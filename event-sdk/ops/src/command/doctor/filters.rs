//! Filters that match nothing: `events.clearing.*` has three tokens, and no event has.

use event_sdk::EventBus;
use event_sdk::subject::Pattern;
use event_sdk::text::Text;
use event_sdk::transport::{HistoryRequest, HistoryStart, TransportExt as _};
use futures_util::StreamExt as _;

use super::code::Code;
use super::finding::Findings;

/// Looks whether each filter of a durable matches a stored event. The stream has some.
pub(super) async fn check(
    bus: &EventBus,
    stream: &Text,
    durable: &Text,
    filters: &[Pattern],
    findings: &mut Findings,
) {
    for filter in filters {
        let thing = format!("filter {filter} of durable {durable} on stream {stream}");
        let Ok(None) = first(bus, stream, filter.clone()).await else {
            continue;
        };
        match neighbour(bus, stream, filter).await {
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

/// The subject of a stored event under the literal beginning of the filter.
async fn neighbour(bus: &EventBus, stream: &Text, filter: &Pattern) -> Option<String> {
    let literal = filter.as_str().split('.');
    let literal: Vec<_> = literal
        .take_while(|token| !["*", ">"].contains(token))
        .collect();
    // A filter without wildcards has its own subject as its beginning.
    let beginning = match literal.len() {
        all if all == tokens(filter.as_str()) => &literal[..all.saturating_sub(1)],
        _ => &literal[..],
    };
    let mut wider = beginning.to_vec();
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

fn tokens(text: &str) -> usize {
    text.split('.').count()
}
