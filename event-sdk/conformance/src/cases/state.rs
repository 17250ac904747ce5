//! Cases for state: capabilities, stream state, and finding of streams.

use super::Failure;
use crate::case::cases;
use crate::failure::{Outcome, ensure, ensure_eq, within};
use crate::fixture::Fixture;
use crate::rig::Rig;
use event_sdk_core::stream::{Compression, Retention, Storage, StreamSpec};
use event_sdk_core::subject::Pattern;
use event_sdk_core::transport::{Capability, ErrorKind};
use event_sdk_core::transport::{Transport, TransportExt as _};

cases! { "state":
    the_transport_says_what_it_is []
        "A transport has a name, and what it can do does not change.";
    a_new_stream_is_empty [Store, StreamAdmin]
        "A new stream holds nothing, and its first sequence is the next one's.";
    the_state_counts [Store, StreamAdmin]
        "The state of a stream says how many messages and consumers it has, and their sequences.";
    the_state_has_the_configuration [Store, StreamAdmin]
        "The state of a stream says how it is configured.";
    the_state_of_a_missing_stream_is_an_error [Store, StreamAdmin]
        "The state of a stream that does not exist is an error that names it.";
    streams_are_found_by_subject [Store, StreamAdmin]
        "The streams that store some subject that a pattern matches are found, and no others.";
    the_account_counts_what_is_reserved [Store, StreamAdmin]
        "The account counts its streams, and the bytes that they reserve on disk.";
    the_account_counts_memory_apart [Store, StreamAdmin]
        "Bytes that streams reserve in memory are counted apart from those on disk.";
}

async fn the_transport_says_what_it_is(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    ensure!(
        !rig.transport.name().is_empty(),
        "the transport has no name"
    );
    ensure!(
        !format!("{:?}", rig.transport).is_empty(),
        "its Debug is empty"
    );
    let before = rig.transport.capabilities();
    ensure!(before.max_payload() > 0, "it takes no payload at all");
    rig.store(rig.draft("a", 0)?).await?;
    let after = rig.transport.capabilities();
    for capability in Capability::ALL {
        ensure_eq!(
            after.has(capability),
            before.has(capability),
            "after a publish, {capability}"
        );
    }
    ensure_eq!(
        after.max_payload(),
        before.max_payload(),
        "after a publish, the largest payload"
    );
    Ok(())
}

async fn a_new_stream_is_empty(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let state = rig.state().await?;
    ensure_eq!(state.messages, 0, "messages in a new stream");
    ensure_eq!(state.bytes, 0, "bytes in a new stream");
    ensure_eq!(
        (state.first_sequence, state.last_sequence),
        (1, 0),
        "the sequences of a new stream"
    );
    ensure_eq!(state.consumers, 0, "consumers of a new stream");
    Ok(())
}

async fn the_state_counts(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut bytes = 0;
    let mut readers = Vec::new();
    for number in 1..=5_u64 {
        let body = vec![b'x'; 100];
        rig.store(rig.draft("a", number)?.bytes(body)).await?;
        readers.push(rig.subscribe(&rig.durable(&format!("d{number}"))?).await?);
        let state = rig.state().await?;
        ensure_eq!(state.messages, number, "messages");
        ensure_eq!(
            (state.first_sequence, state.last_sequence),
            (1, number),
            "sequences"
        );
        rig.has_consumers(readers.len()).await?;
        ensure!(
            state.bytes >= bytes + 100,
            "a message of more than 100 bytes took the stream from {bytes} to {}",
            state.bytes
        );
        bytes = state.bytes;
    }
    Ok(())
}

async fn the_state_has_the_configuration(fixture: Fixture) -> Outcome {
    let hour = std::time::Duration::from_secs(3600);
    let replicas = fixture.replicas();
    let rig = fixture
        .rig_with(|stream| {
            stream
                .max_messages(1000)
                .max_messages_per_subject(100)
                .max_bytes(1_000_000)
                .max_message_size(10_000)
                .max_age(hour)
                .duplicate_window(hour / 2)
                .storage(Storage::Memory)
        })
        .await?;
    let config = rig.state().await?.config;
    let number = std::num::NonZeroU64::new;
    ensure_eq!(config.name, rig.stream, "the name");
    ensure_eq!(config.subjects, [rig.pattern(">")?], "the subjects");
    ensure_eq!(config.limits.messages, number(1000), "the most messages");
    ensure_eq!(
        config.limits.messages_per_subject,
        number(100),
        "the most of a subject"
    );
    ensure_eq!(config.limits.bytes, number(1_000_000), "the most bytes");
    ensure_eq!(
        config.limits.message_size,
        number(10_000),
        "the largest message"
    );
    ensure_eq!(config.limits.age, Some(hour), "the longest time");
    ensure_eq!(config.storage, Storage::Memory, "the storage");
    ensure_eq!(config.replicas, replicas, "the replicas");
    ensure_eq!(config.retention, Retention::Limits, "the retention");
    ensure_eq!(config.compression, Compression::None, "the compression");
    if rig.can(Capability::Deduplication) {
        ensure_eq!(
            config.deduplication.window,
            hour / 2,
            "the deduplication window"
        );
    }
    Ok(())
}

async fn the_state_of_a_missing_stream_is_an_error(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let stream = format!("{}-missing", rig.stream);
    let answer = rig.transport.stream_state(&stream);
    let Err(error) = within(rig.patience(), "the state of a stream", answer).await? else {
        return Err(Failure::new("a stream that does not exist has a state"));
    };
    ensure_eq!(
        *error.kind(),
        ErrorKind::StreamNotFound,
        "the kind of {error}"
    );
    ensure_eq!(error.stream(), Some(&*stream), "the stream in {error}");
    Ok(())
}

async fn streams_are_found_by_subject(fixture: Fixture) -> Outcome {
    let (one, other) = fixture.two_rigs().await?;
    let of = |rig: &Rig| vec![rig.stream.clone()];
    let missing = Pattern::parse(format!(
        "{}x",
        one.subject("a")?.as_str().replace('.', "y.")
    ))?;
    for (pattern, wanted) in [
        (one.pattern("a.b")?, of(&one)),
        (one.pattern("*.b")?, of(&one)),
        (other.pattern(">")?, of(&other)),
        (missing, Vec::new()),
    ] {
        let answer = one.transport.streams_for(&pattern);
        let found = within(one.patience(), "the streams for a pattern", answer).await??;
        ensure_eq!(found, wanted, "the streams for {pattern}");
    }
    let answer = one.transport.streams_for(&Pattern::everything());
    let found = within(one.patience(), "the streams for a pattern", answer).await??;
    ensure!(
        found.contains(&one.stream) && found.contains(&other.stream),
        "the streams for every subject are {found:?}"
    );
    Ok(())
}

async fn the_account_counts_what_is_reserved(fixture: Fixture) -> Outcome {
    is_reserved(fixture, Storage::File, 3_000_000).await
}

async fn the_account_counts_memory_apart(fixture: Fixture) -> Outcome {
    is_reserved(fixture, Storage::Memory, 8_000_000).await
}

/// A stream with a maximum of bytes makes the account reserve these, of this kind alone. Other cases may
/// share the account: each reserves so little, or so much more, that it is told apart.
async fn is_reserved(fixture: Fixture, storage: Storage, bytes: u32) -> Outcome {
    let reserved = async |transport: &dyn Transport| {
        let usage = transport.account_usage();
        let usage = within(fixture.patience(), "the usage of the account", usage).await??;
        let (file, memory) = (usage.file.reserved, usage.memory.reserved);
        Ok::<_, Failure>(match storage {
            Storage::File => (usage.streams, [file, memory]),
            Storage::Memory => (usage.streams, [memory, file]),
        })
    };
    let (_, before) = reserved(&*fixture.start(Vec::new()).await?).await?;
    let limited = |stream: StreamSpec| stream.replicas(1).storage(storage).max_bytes(bytes.into());
    let rig = fixture.rig_with(limited).await?;
    let about = i128::from(bytes - bytes / 3)..i128::from(bytes + bytes / 3);
    let what = format!("an account that reserves {bytes} bytes of {storage:?} more");
    rig.eventually(&what, async |rig: Rig| {
        let (streams, after) = reserved(&*rig.transport).await?;
        let grown = |kind: usize| i128::from(after[kind]) - i128::from(before[kind]);
        let counts = streams > 0 && about.contains(&grown(0)) && !about.contains(&grown(1));
        Ok(counts.then_some(()))
    })
    .await
}
