//! The streams: declared streams compared with existing ones, what a stream cannot keep, and dead
//! letters.

use std::collections::BTreeSet;
use std::num::NonZeroU64;

use event_sdk::EventBus;
use event_sdk::dead_letters::{DeadLetterStream, LetterFilter, Page};
use event_sdk::stream::{Deduplication, Discard, Retention, Storage};
use event_sdk::subject::Pattern;
use event_sdk::text::Text;
use event_sdk::transport::{SpaceUsage, StreamState, TransportExt as _};
use event_sdk_topology::{DeadLetterSpec, Finding, Item, Planned, Topology};

use super::code::Code;
use super::finding::Findings;
use super::unread::{APPLY, unread};
use crate::units::{count, time};

/// The declared streams, and the declared durables with their streams.
type Declared = (Vec<Text>, Vec<(Text, Text)>);

/// Checks the streams; returns the declared durables with their streams, or why they are not known.
pub(super) async fn check(
    bus: &EventBus,
    topology: Option<Topology>,
    clustered: bool,
    findings: &mut Findings,
) -> Result<Vec<(Text, Text)>, &'static str> {
    let declared = if let Some(topology) = topology {
        let compared = compare(bus, topology, findings).await;
        compared.ok_or("what the topology declares could not be compared")
    } else {
        findings.add(
            Code::NoTopology,
            "program",
            "declares no topology: streams and consumers are compared with nothing",
            "give it one with `Operations::topology`",
        );
        Err("the program declares no topology")
    };
    let names = declared.iter().flat_map(|(streams, _)| streams);
    let mut names: BTreeSet<Text> = names.cloned().collect();
    let letters = topology.map_or(&[][..], |topology| topology.dead_letter_specs());
    let letters = letters.iter().filter(|spec| !spec.are_in_tables());
    let letters: Vec<_> = letters.map(DeadLetterSpec::place).collect();
    let keeps_letters = |name: &str| letters.iter().find(|place| place.name() == name);
    let retries_letters = |name: &str| letters.iter().any(|place| place.retry_name() == name);
    names.extend(under_prefix(bus, findings).await);
    for name in &names {
        match bus.transport().stream_state(name).await {
            Ok(state) => {
                let keeps = keeps_letters(name);
                let is_of_letters = keeps.is_some() || retries_letters(name);
                settings(&state, clustered, is_of_letters, findings);
                if let Some(place) = keeps {
                    dead_letters(bus, place, findings).await;
                }
            }
            Err(error) => unread(&format!("stream {name}"), &error, findings),
        }
    }
    account(bus, findings).await;
    declared.map(|(_, durables)| durables)
}

/// Compares with the topology; `None` if that was not possible.
async fn compare(bus: &EventBus, topology: Topology, findings: &mut Findings) -> Option<Declared> {
    let plan = match topology.plan(bus).await {
        Ok(plan) => plan,
        Err(error) => {
            unread("topology", &error, findings);
            return None;
        }
    };
    let (mut streams, mut durables) = (Vec::new(), Vec::new());
    for Planned { item, .. } in &plan.parts {
        match item {
            Item::Stream(name) => streams.push(name.clone()),
            Item::Durable { stream, durable } => durables.push((stream.clone(), durable.clone())),
            _ => {}
        }
    }
    match topology.verify(bus).await {
        Ok(verification) => {
            for finding in verification.findings {
                differs(&finding, findings);
            }
        }
        Err(error) => unread("topology", &error, findings),
    }
    Some((streams, durables))
}

fn differs(finding: &Finding, findings: &mut Findings) {
    match finding {
        Finding::Missing(item) => {
            let (code, so) = match item {
                Item::Bucket(_) => (
                    Code::BucketMissing,
                    "consumers with one owner and partitions cannot start",
                ),
                Item::Durable { .. } => (
                    Code::ConsumerMissing,
                    "its events wait, and are not kept for it beyond the limits of the stream",
                ),
                _ => (
                    Code::StreamMissing,
                    "events that are published to it are refused",
                ),
            };
            let problem = format!("is declared and does not exist: {so}");
            findings.add(code, item.to_string(), problem, APPLY);
        }
        Finding::Drift { item, differences } => {
            let code = match item {
                Item::Durable { .. } => Code::ConsumerDrift,
                _ => Code::StreamDrift,
            };
            let list: Vec<_> = differences.iter().map(ToString::to_string).collect();
            let problem = format!("has other settings than declared: {}", list.join("; "));
            findings.add(code, item.to_string(), problem, APPLY);
        }
        Finding::Overlap { item, other } => findings.add(
            Code::StreamOverlap,
            item.to_string(),
            format!("shares subjects with {other}, which receives its events"),
            "take the subjects away from the other stream, or remove it; the server lets no second stream have them",
        ),
        _ => {}
    }
}

/// The streams that store subjects of this program.
async fn under_prefix(bus: &EventBus, findings: &mut Findings) -> Vec<Text> {
    let prefix = bus.prefix();
    let pattern = if prefix.is_empty() {
        Ok(Pattern::everything())
    } else {
        Pattern::parse(format!("{prefix}.>"))
    };
    let Ok(pattern) = pattern else {
        return Vec::new();
    };
    let transport = bus.transport();
    let found = match transport.streams_for(&pattern).await {
        Ok(found) => found,
        Err(error) => {
            unread("streams", &error, findings);
            return Vec::new();
        }
    };
    if found.is_empty()
        && let Ok(all) = transport.streams_for(&Pattern::everything()).await
    {
        let mut others = Vec::new();
        for name in all.iter().filter(|name| is_of_events(name)).take(3) {
            if let Ok(state) = transport.stream_state(name).await {
                let subjects = state.config.subjects.iter().map(ToString::to_string);
                others.push(format!(
                    "{name} ({})",
                    subjects.collect::<Vec<_>>().join(", ")
                ));
            }
        }
        if !others.is_empty() {
            findings.add(
                Code::PrefixMismatch,
                format!("prefix {prefix}"),
                format!(
                    "is that of no stream, so that every publish is refused and nothing arrives; there are {}",
                    others.join(", ")
                ),
                "set EVENT_SDK_PREFIX to the prefix of the streams, or apply the topology under this one",
            );
        }
    }
    found
}

/// Whether it is not one of a bucket or of objects.
fn is_of_events(stream: &str) -> bool {
    !["KV_", "OBJ_", "$"]
        .iter()
        .any(|start| stream.starts_with(start))
}

/// What a stream with these settings cannot do.
fn settings(state: &StreamState, clustered: bool, is_of_letters: bool, findings: &mut Findings) {
    let config = &state.config;
    if !is_of_events(&config.name) {
        return;
    }
    let thing = format!("stream {}", config.name);
    let limits = &config.limits;
    if limits.discard == Discard::New {
        full(state, &thing, findings);
    }
    let grows = limits.bytes.is_none() && limits.messages.is_none() && limits.age.is_none();
    // Letters wait for people, and other retentions drop what was settled.
    if grows && !is_of_letters && config.retention == Retention::Limits {
        findings.add(
            Code::StreamUnlimited,
            &*thing,
            format!(
                "has no limit of age, bytes or messages ({} bytes now), and grows until the server has no storage left",
                state.bytes
            ),
            "set `max_age`, and `max_bytes` as the last resort, in its declaration, and apply it",
        );
    }
    if config.storage == Storage::Memory {
        findings.add(
            Code::MemoryStorage,
            &*thing,
            "is in the memory of its servers, and empty after they restart",
            "declare `Storage::File`; the storage of a stream cannot be changed, and `streams plan` lists the steps",
        );
    }
    if clustered && config.replicas == 1 {
        findings.add(
            Code::OneReplica,
            &*thing,
            "has one replica in a cluster: while its server is away, no event of it is stored or delivered, and with its disk all are lost",
            "declare `replicas(3)`, and apply it",
        );
    }
    let window = config.deduplication.window;
    if window < Deduplication::DEFAULT.window {
        findings.add(
            Code::WindowTooSmall,
            &*thing,
            format!(
                "recognizes duplicates for {window:?} only: a publish that is repeated later, by a retry or by the relay of an outbox, is stored twice"
            ),
            "declare a window of two minutes or more, longer than a publish may be repeated",
        );
    }
    if state.last_sequence == 0 && !is_of_letters && config.retention == Retention::Limits {
        findings.add(
            Code::StreamEmpty,
            &*thing,
            "has never stored an event",
            "if events are published: compare their subjects and the prefix of the publishers with the subjects of the stream",
        );
    }
}

/// A stream that refuses messages when it is full.
fn full(state: &StreamState, thing: &str, findings: &mut Findings) {
    let limits = &state.config.limits;
    let used = [
        (state.bytes, limits.bytes, "bytes"),
        (state.messages, limits.messages, "messages"),
    ];
    let percent = |used: u64, limit: NonZeroU64| u128::from(used) * 100 / u128::from(limit.get());
    let used = used.into_iter().filter_map(|(used, limit, unit)| {
        let limit = limit?;
        Some((percent(used, limit), used, limit, unit))
    });
    let Some((percent, used, limit, unit)) = used.max_by_key(|(percent, ..)| *percent) else {
        return;
    };
    let remedy = "remove events that are not needed (`streams purge`), raise the limit, lower `max_age`, or let the stream drop its oldest events";
    // A message that is larger than the rest is refused too.
    if percent >= 99 {
        let problem = format!("is full ({used} of {limit} {unit}) and refuses new events");
        findings.add(Code::StreamFull, thing, problem, remedy);
    } else if percent >= 90 {
        let problem =
            format!("has {used} of {limit} {unit}, and refuses new events when it is full");
        findings.add(Code::StreamNearlyFull, thing, problem, remedy);
    }
}

/// Letters of which nothing became yet, as `dlq count` counts them.
async fn dead_letters(bus: &EventBus, place: &DeadLetterStream, findings: &mut Findings) {
    let thing = format!("dead-letter stream {}", place.name());
    let letters = bus.dead_letters(place.clone());
    let open = match letters.list(&LetterFilter::open(), Page::ALL).await {
        Ok(open) => open,
        Err(error) => return unread(&thing, &error, findings),
    };
    if let Some(newest) = open.iter().map(|letter| letter.last_failure).max() {
        findings.add(
            Code::DeadLetters,
            thing,
            format!(
                "has {}, the newest of {}: handlers gave these events up",
                count(open.len() as u64, "open letter"),
                time(newest)
            ),
            "group them by cause with `dlq groups`, correct the cause, and redrive them",
        );
    }
}

/// The storage and memory that the account has left.
async fn account(bus: &EventBus, findings: &mut Findings) {
    let usage = match bus.transport().account_usage().await {
        Ok(usage) => usage,
        Err(error) => return unread("account", &error, findings),
    };
    for (space, name) in [(usage.file, "storage"), (usage.memory, "memory")] {
        let SpaceUsage { used, limit, .. } = space;
        if let Some(limit) = limit
            && limit > 0
            && u128::from(used) * 100 >= u128::from(limit) * 90
        {
            findings.add(
                Code::AccountFull,
                "account",
                format!(
                    "uses {used} of {limit} bytes of {name}; beyond them, every publish is refused"
                ),
                "lower the limits of streams, remove streams, or raise the limit of the account",
            );
        }
    }
}
