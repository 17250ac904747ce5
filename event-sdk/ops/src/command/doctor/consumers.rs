//! The declared durables: why nothing arrives, what is not handled, and settings that lose events.

use std::time::Duration;

use event_sdk::EventBus;
use event_sdk::text::Text;
use event_sdk::transport::{ConsumerInfo, TransportExt as _};

use super::code::Code;
use super::filters;
use super::finding::Findings;
use super::unread::{denied, unread};
use crate::operations::KnownEvent;

/// Beyond this many events that are not settled, a durable lags; as the health of a service.
const LAG: u64 = 1_000;

/// How long a durable is given to ask for events: a client that is at work asks again as soon as it has
/// settled some.
const SECOND_LOOK: Duration = Duration::from_secs(1);

/// `durables` are the declared ones with their streams, and `events` those that the program knows.
pub(super) async fn check(
    bus: &EventBus,
    durables: &[(Text, Text)],
    events: &[KnownEvent],
    findings: &mut Findings,
) {
    let mut quiet = Vec::new();
    for (stream, durable) in durables {
        let info = match bus.transport().consumer_info(stream, durable).await {
            Ok(info) => info,
            Err(error) => {
                let thing = format!("durable {durable} of stream {stream}");
                // What is missing was found by the comparison with the topology.
                if !denied(&error, findings) && !is_missing(&error) {
                    unread(&thing, &error, findings);
                }
                continue;
            }
        };
        one(stream, durable, &info, findings);
        let state = bus.transport().stream_state(stream).await;
        if state.is_ok_and(|state| state.messages > 0) {
            let filters = &info.config.filters;
            filters::check(bus, stream, durable, filters, events, findings).await;
        }
        if is_quiet(&info) {
            quiet.push((stream, durable, info));
        }
    }
    unattended(bus, quiet, findings).await;
}

/// Whether events wait, no process asks for them, and none has one at work. A single look shows it also
/// in the moment in which a process that keeps up asks again.
fn is_quiet(info: &ConsumerInfo) -> bool {
    info.pending > 0
        && info.waiting == Some(0)
        && info.ack_pending == 0
        && info.paused_until.is_none()
}

/// Names the durables that are as they were at the first look.
async fn unattended(
    bus: &EventBus,
    quiet: Vec<(&Text, &Text, ConsumerInfo)>,
    findings: &mut Findings,
) {
    if quiet.is_empty() {
        return;
    }
    tokio::time::sleep(SECOND_LOOK).await;
    for (stream, durable, before) in quiet {
        let Ok(now) = bus.transport().consumer_info(stream, durable).await else {
            continue;
        };
        if is_quiet(&now) && now.deliveries == before.deliveries {
            findings.add(
                Code::ConsumerUnattended,
                format!("durable {durable} of stream {stream}"),
                format!(
                    "has {} events to deliver, and no process asks for them or has one at work: no handler runs",
                    now.pending
                ),
                "start the service, look at its readiness and its log; the service has to use this name as its durable",
            );
        }
    }
}

fn is_missing(error: &event_sdk::Error) -> bool {
    use event_sdk::transport::ErrorKind as Kind;
    matches!(error.kind(), Kind::StreamNotFound | Kind::ConsumerNotFound)
}

fn one(stream: &Text, durable: &Text, info: &ConsumerInfo, findings: &mut Findings) {
    let thing = format!("durable {durable} of stream {stream}");
    let mut add =
        |code, problem: String, remedy: &str| findings.add(code, &*thing, problem, remedy);
    if !info.foreign.is_empty() {
        let list: Vec<_> = info.foreign.iter().map(ToString::to_string).collect();
        add(
            Code::ConsumerForeign,
            format!(
                "cannot be bound by a consumer of event-sdk: {}",
                list.join("; ")
            ),
            "delete it, and let the topology or the first subscription make it anew; its position is lost",
        );
    }
    if let Some(until) = info.paused_until {
        add(
            Code::ConsumerPaused,
            format!("is paused until {until}, and delivers nothing to any process"),
            "let it go on with `consumers resume`, or wait",
        );
    }
    let most = info
        .config
        .max_ack_pending
        .map(|most| u64::from(most.get()));
    let is_full = most.is_some_and(|most| info.ack_pending >= most);
    if is_full {
        add(
            Code::AckPendingFull,
            format!(
                "has {} deliveries that are not settled, as many as it may have: no further event is delivered before one is settled or its ack wait ({:?}) is over",
                info.ack_pending, info.config.ack_wait
            ),
            "look why handlers do not end, or a process ended without settling; with handlers that are only slow, raise `max_ack_pending`",
        );
    }
    let lag = info.pending.saturating_add(info.ack_pending);
    if lag > LAG {
        add(
            Code::ConsumerLag,
            format!("has {lag} events that are not settled"),
            "run more instances, raise `concurrency`, handle in batches, or make the handlers faster",
        );
    }
    if info.redelivered > 0 {
        add(
            Code::ConsumerRedelivers,
            format!(
                "has {} events that were delivered again and are not settled: their handlers failed, or took longer than the ack wait ({:?})",
                info.redelivered, info.config.ack_wait
            ),
            "look at the log of the service for these failures",
        );
    }
    if let Some(most) = info.config.max_deliver {
        add(
            Code::FiniteMaxDeliver,
            format!(
                "has `max_deliver` {most}: after that many deliveries the server gives an event up, without a dead letter, and also deliveries count that no handler has seen"
            ),
            "remove the limit with `streams apply`, and limit the attempts of handlers with `Retry::max_attempts`",
        );
    }
}
