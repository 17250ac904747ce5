//! Snapshots: what comes back on another server, and what a restore that fails leaves.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use event_sdk::stream::Storage;
use event_sdk::transport::nats::Nats;
use event_sdk::transport::{
    Capability, Error, ErrorKind, Operation, RestoreRequest, SnapshotContent, SnapshotInfo,
    SnapshotRequest, StreamChange, StreamState, TransportExt as _, WhichMessage,
};
use event_sdk_test_servers::programs::{Program, nats};
use event_sdk_test_servers::{Permissions, Server, User};
use futures_util::{FutureExt as _, StreamExt as _, stream};

use crate::support::{Rig, apply, draft, eventually, pattern, publish, state, within};

/// A stream in pieces, as it was sent.
#[derive(Clone)]
struct Taken {
    info: SnapshotInfo,
    pieces: Vec<Bytes>,
}

impl Taken {
    async fn of(nats: &Nats, stream: &str) -> Self {
        let snapshot = within(nats.snapshot_stream(SnapshotRequest::new(stream.to_owned())));
        let mut snapshot = snapshot.await.unwrap();
        let mut pieces = Vec::new();
        while let Some(piece) = within(snapshot.content.next()).await {
            pieces.push(piece.unwrap());
        }
        Self {
            info: snapshot.info,
            pieces,
        }
    }

    fn all(&self) -> Vec<u8> {
        self.pieces.concat()
    }

    async fn restore(&self, nats: &Nats, content: SnapshotContent) -> Result<StreamState, Error> {
        let (kind, description) = (self.info.kind.clone(), self.info.description.clone());
        let request = RestoreRequest::new("S", kind, description, content);
        within(nats.restore_stream(request)).await
    }
}

fn content(
    pieces: impl IntoIterator<Item = Result<Bytes, Error>> + Send + 'static,
) -> SnapshotContent {
    let pieces: Vec<_> = pieces.into_iter().collect();
    Box::pin(stream::iter(pieces))
}

fn whole(bytes: &[u8]) -> SnapshotContent {
    content([Ok(Bytes::copy_from_slice(bytes))])
}

/// Bytes that no compression makes smaller.
fn noise(len: usize) -> Vec<u8> {
    let mut word = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        word ^= word << 13;
        word ^= word >> 7;
        word ^= word << 17;
        word.to_le_bytes()
    };
    (0..len / 8).flat_map(|_| next()).collect()
}

async fn start(program: &Program) -> Rig {
    let server = Server::options().program(program.clone());
    Rig::start_with(server, |options| options).await
}

/// A stream `S` with some MiB of messages.
async fn filled(rig: &Rig) {
    apply(
        &rig.nats,
        &crate::support::stream("S", "s.>", |stream| stream),
    )
    .await;
    for _ in 0..30 {
        publish(&rig.nats, draft("s.a").body(noise(100_000)))
            .await
            .unwrap();
    }
}

async fn missing(nats: &Nats) {
    let error = within(nats.stream_state("S")).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::StreamNotFound, "{error}");
}

fn programs() -> [Program; 2] {
    [nats::current().unwrap(), nats::oldest().unwrap()]
}

#[tokio::test]
async fn sequences_times_and_headers_come_back_on_a_newer_server_too() {
    let [current, oldest] = programs();
    for (from, to) in [
        (&oldest, &oldest),
        (&oldest, &current),
        (&current, &current),
    ] {
        let is_old = *from == oldest;
        let (from, to) = (start(from).await, start(to).await);
        apply(
            &from.nats,
            &crate::support::stream("S", "s.>", |stream| stream),
        )
        .await;
        for number in 1..=9 {
            let message = draft("s.a").header("Number", &number.to_string());
            publish(&from.nats, message.id(&number.to_string()))
                .await
                .unwrap();
        }
        for deleted in [1, 5, 9] {
            let deletion = event_sdk::transport::Deletion::Remove;
            assert!(
                within(from.nats.delete_message("S", deleted, deletion))
                    .await
                    .unwrap()
            );
        }
        let taken = Taken::of(&from.nats, "S").await;
        let had = state(&from.nats, "S").await;
        let restored = taken.restore(&to.nats, whole(&taken.all())).await.unwrap();
        let has = state(&to.nats, "S").await;
        assert_eq!(has, had);
        assert_eq!((restored.messages, restored.last_sequence), (6, 9));
        for sequence in 1..=9 {
            let which = || WhichMessage::Sequence(sequence);
            let before = within(from.nats.get_message("S", which())).await.unwrap();
            let after = within(to.nats.get_message("S", which())).await.unwrap();
            assert_eq!(format!("{before:?}"), format!("{after:?}"));
            assert_eq!(before.is_some(), ![1, 5, 9].contains(&sequence));
        }
        let next = publish(&to.nats, draft("s.a")).await.unwrap();
        assert_eq!(next.sequence, Some(10));
        // Ids are remembered, but for what servers from 2.15 on write.
        if is_old {
            let again = publish(&to.nats, draft("s.a").id("8")).await.unwrap();
            assert!(again.duplicate, "{again:?}");
        }
    }
}

#[tokio::test]
async fn a_restore_that_fails_leaves_no_stream() {
    for program in programs() {
        let from = start(&program).await;
        filled(&from).await;
        let taken = Taken::of(&from.nats, "S").await;
        let all = taken.all();
        let to = start(&program).await;
        let mut changed = all.clone();
        changed[all.len() / 2] ^= 1;
        for (what, content) in [
            ("a truncated", whole(&all[..all.len() / 2])),
            ("a barely truncated", whole(&all[..all.len() - 1])),
            ("a changed", whole(&changed)),
            ("an empty", whole(&[])),
            ("another", whole(&noise(400_000))),
        ] {
            let error = taken.restore(&to.nats, content).await.expect_err(what);
            assert_eq!(*error.kind(), ErrorKind::InvalidSnapshot, "{what}: {error}");
            assert_eq!(error.stream(), Some("S"));
            missing(&to.nats).await;
        }
        let fault = || Error::new(ErrorKind::Encode, Operation::Manage, "of the reader");
        for end in [all.len() / 2, all.len()] {
            let pieces = [Ok(Bytes::copy_from_slice(&all[..end])), Err(fault())];
            let error = taken.restore(&to.nats, content(pieces)).await.unwrap_err();
            assert_eq!(*error.kind(), ErrorKind::Encode, "{error}");
            missing(&to.nats).await;
        }
        let state = taken.restore(&to.nats, whole(&all)).await.unwrap();
        assert_eq!(state.messages, 30);
    }
}

#[tokio::test]
async fn a_restore_that_is_dropped_leaves_no_stream() {
    for program in programs() {
        let from = start(&program).await;
        filled(&from).await;
        let taken = Taken::of(&from.nats, "S").await;
        let to = start(&program).await;
        let pieces = taken.pieces.clone().into_iter().take(3).map(Ok);
        let stuck = stream::iter(pieces).chain(stream::pending());
        let restoring = taken.restore(&to.nats, Box::pin(stuck));
        let waited = tokio::time::timeout(Duration::from_millis(500), restoring).await;
        assert!(waited.is_err(), "{waited:?}");
        // It can be restored again as soon as it was cleared away.
        eventually("a second restore", async || {
            match taken.restore(&to.nats, whole(&taken.all())).await {
                Ok(state) => Some(state),
                Err(error) => {
                    assert_ne!(*error.kind(), ErrorKind::InvalidSnapshot, "{error}");
                    None
                }
            }
        })
        .await;
        assert_eq!(state(&to.nats, "S").await.messages, 30);
    }
}

/// What somebody else does: creates a stream `S` with one message. Whether that was possible.
async fn create_elsewhere(url: &str) -> bool {
    let nats = Nats::connect(Nats::options(url)).await.unwrap();
    let config = crate::support::stream("S", "s.>", |stream| stream.max_messages(7));
    match within(nats.apply_stream(&config)).await {
        Ok(StreamChange::Created) => {
            publish(&nats, draft("s.theirs")).await.unwrap();
            true
        }
        _ => false,
    }
}

#[tokio::test]
async fn a_stream_that_another_has_made_meanwhile_stays() {
    let [current, oldest] = programs();
    for (from, to) in [
        (&oldest, &oldest),
        (&oldest, &current),
        (&current, &current),
    ] {
        let from = start(from).await;
        filled(&from).await;
        let taken = Taken::of(&from.nats, "S").await;
        let to = start(to).await;
        let client = async_nats::connect(to.server.url()).await.unwrap();
        let mut chunks = client.subscribe("$JS.SNAPSHOT.RESTORE.S.>").await.unwrap();
        client.flush().await.unwrap();
        for sent in [0, 3] {
            for end in ["a fault", "the rest", "nothing"] {
                let url = to.server.url().clone();
                let created = Arc::new(Mutex::new(None));
                let result = Arc::clone(&created);
                let elsewhere = stream::once(async move {
                    let is_theirs = create_elsewhere(&url).await;
                    *result.lock().unwrap() = Some(is_theirs);
                })
                .filter_map(|()| async { None });
                let mut pieces = taken.pieces.clone().into_iter().map(Ok);
                let first: Vec<_> = pieces.by_ref().take(sent).collect();
                let fault = Error::new(ErrorKind::Encode, Operation::Manage, "of the reader");
                let rest: SnapshotContent = match end {
                    "a fault" => content([Err(fault)]),
                    "the rest" => content(pieces),
                    _ => Box::pin(stream::pending()),
                };
                let pieces: SnapshotContent =
                    Box::pin(stream::iter(first).chain(elsewhere).chain(rest));
                let restoring = taken.restore(&to.nats, pieces);
                if end == "nothing" {
                    tokio::select! {
                        result = restoring => panic!("{result:?}"),
                        () = eventually("another stream", async || *created.lock().unwrap()).map(|_| ()) => {}
                    }
                    // The end of the content, with which the restore is given up.
                    while !within(chunks.next()).await.unwrap().payload.is_empty() {}
                } else {
                    let result = restoring.await;
                    assert!(created.lock().unwrap().is_some(), "{result:?}");
                }
                let about = format!("{sent} pieces, {end}, on {}", to.server.url());
                if created.lock().unwrap().unwrap() {
                    for _ in 0..50 {
                        assert_eq!(state(&to.nats, "S").await.messages, 1, "{about}");
                    }
                } else if end != "the rest" {
                    eventually("no stream", async || {
                        within(to.nats.stream_state("S")).await.err()
                    })
                    .await;
                }
                let _ = client.request("$JS.API.STREAM.DELETE.S", "".into()).await;
                missing(&to.nats).await;
            }
        }
    }
}

#[tokio::test]
async fn a_snapshot_that_ends_before_its_description_is_refused() {
    for program in programs() {
        let (from, to) = (start(&program).await, start(&program).await);
        filled(&from).await;
        let earlier = Taken::of(&from.nats, "S").await;
        publish(&from.nats, draft("s.a")).await.unwrap();
        let later = Taken::of(&from.nats, "S").await;
        let content = whole(&earlier.all());
        let error = later.restore(&to.nats, content).await.unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::InvalidSnapshot, "{error}");
        assert!(error.to_string().contains("message 30"), "{error}");
        missing(&to.nats).await;
    }
}

#[tokio::test]
async fn an_older_server_refuses_what_a_newer_one_wrote() {
    let [current, oldest] = programs();
    let (from, to) = (start(&current).await, start(&oldest).await);
    filled(&from).await;
    let taken = Taken::of(&from.nats, "S").await;
    let error = taken
        .restore(&to.nats, whole(&taken.all()))
        .await
        .unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::InvalidSnapshot, "{error}");
    assert!(error.to_string().contains("newer server"), "{error}");
    missing(&to.nats).await;
}

#[tokio::test]
async fn a_stream_in_memory_has_a_snapshot_where_the_server_can() {
    let [current, oldest] = programs();
    for (program, can) in [(current, true), (oldest, false)] {
        let rig = start(&program).await;
        let in_memory =
            crate::support::stream("S", "s.>", |stream| stream.storage(Storage::Memory));
        apply(&rig.nats, &in_memory).await;
        publish(&rig.nats, draft("s.a")).await.unwrap();
        let made = within(rig.nats.snapshot_stream(SnapshotRequest::new("S"))).await;
        if can {
            assert_eq!(made.unwrap().info.messages, 1);
        } else {
            let error = made.unwrap_err();
            let kind = ErrorKind::Unsupported(Capability::Snapshots);
            assert_eq!(*error.kind(), kind, "{error}");
        }
    }
}

#[tokio::test]
async fn who_may_not_delete_hears_that_a_part_may_be_left() {
    let few = Permissions::none()
        .publish(&["$JS.API.STREAM.RESTORE.S", "$JS.SNAPSHOT.RESTORE.S.>"])
        .subscribe(&["_INBOX.>"]);
    let users = [
        User::password("few", "secret").permissions(few),
        User::password("all", "secret"),
    ];
    let server = Server::options().users(users);
    let rig = Rig::start_with(server, |options| options.user("all", "secret")).await;
    filled(&rig).await;
    let taken = Taken::of(&rig.nats, "S").await;
    let removed = within(
        rig.nats
            .purge_messages(event_sdk::transport::PurgeRequest::all("S")),
    );
    removed.await.unwrap();
    let client = async_nats::ConnectOptions::with_user_and_password("all".into(), "secret".into());
    let client = client.connect(rig.server.url()).await.unwrap();
    client
        .request("$JS.API.STREAM.DELETE.S", "".into())
        .await
        .unwrap();
    let options = Nats::options(rig.server.url()).user("few", "secret");
    let few = Nats::connect(options).await.unwrap();
    let all = taken.all();
    let error = taken
        .restore(&few, whole(&all[..all.len() / 2]))
        .await
        .unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::InvalidSnapshot, "{error}");
    assert!(
        error
            .to_string()
            .contains("a part of the stream may be left"),
        "{error}"
    );
    let left = within(rig.nats.streams_for(&pattern(">"))).await.unwrap();
    assert_eq!(left, ["S"]);
}
