//! Concurrent publishers and subscribers on several threads.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use event_sdk::stream::StreamSpec;
use event_sdk::transport::memory::MemoryTransport;
use event_sdk::transport::{
    AckPolicy, Body, ConsumerConfig, Incoming, LostCount, PublishRequest, Settlement, Stored,
    Subscription, Transport,
};
use event_sdk::{Error, ErrorKind, Subject};
use futures_util::StreamExt;

use crate::support::*;
use event_sdk::transport::TransportExt as _;

const PUBLISHERS: usize = 4;
const EACH: usize = 5_000;

fn transport(declare: impl FnOnce(StreamSpec) -> StreamSpec) -> MemoryTransport {
    let stream = config(&declare(StreamSpec::new("S").absolute(">")));
    MemoryTransport::builder().stream(stream).build().unwrap()
}

async fn publish(transport: &MemoryTransport, subject: &Subject) -> Result<Stored, Error> {
    let message = PublishRequest::new(subject, Body::Encoded(Bytes::from_static(b"{}")));
    transport.publish(message).await?.await
}

async fn publish_all(transport: MemoryTransport, publisher: usize) {
    let subject = Subject::parse(format!("from.{publisher}")).unwrap();
    for _ in 0..EACH {
        publish(&transport, &subject).await.unwrap();
        tokio::task::consume_budget().await;
    }
}

async fn subscribe(transport: &MemoryTransport, config: ConsumerConfig) -> Subscription {
    transport.subscribe(request("S", config)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_group_handles_every_message_once() {
    let transport = transport(|stream| stream);
    let received = Arc::new(AtomicUsize::new(0));
    let mut members = Vec::new();
    for _ in 0..3 {
        let mut config = group("g");
        config.max_ack_pending = some(8);
        let mut sub = subscribe(&transport, config).await;
        let (transport, received) = (transport.clone(), received.clone());
        members.push(tokio::spawn(async move {
            let mut sequences = Vec::new();
            while let Some(item) = sub.next().await {
                let message = match item {
                    Ok(Incoming::Message(message)) => message,
                    Ok(other) => panic!("{other:?}"),
                    Err(error) => panic!("{error}"),
                };
                let sequence = message.info.sequence.unwrap();
                // Every seventh is not handled the first time.
                if sequence % 7 == 0 && message.info.attempt == 1 {
                    message.nak(std::time::Duration::ZERO);
                    continue;
                }
                message.settle(Settlement::Ack);
                sequences.push(sequence);
                if received.fetch_add(1, Ordering::Relaxed) + 1 == PUBLISHERS * EACH {
                    transport.close().await.unwrap();
                }
            }
            sequences
        }));
    }
    for publisher in 0..PUBLISHERS {
        tokio::spawn(publish_all(transport.clone(), publisher));
    }
    let mut sequences = Vec::new();
    for member in members {
        sequences.extend(member.await.unwrap());
    }
    sequences.sort_unstable();
    assert!(sequences.into_iter().eq(1..=(PUBLISHERS * EACH) as u64));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_received_and_what_is_lost_is_everything_in_order() {
    let transport = transport(|stream| stream.max_messages(100));
    let mut readers = Vec::new();
    for filter in [">", "from.1", "from.*"] {
        for ack in [AckPolicy::None, AckPolicy::Explicit] {
            let mut config = ephemeral();
            config.filters = vec![pattern(filter)];
            config.ack = ack;
            let mut sub = subscribe(&transport, config).await;
            let expected = if filter == "from.1" {
                EACH
            } else {
                PUBLISHERS * EACH
            };
            readers.push(tokio::spawn(async move {
                let (mut received, mut lost, mut end) = (0, 0, 0);
                while received + lost < expected as u64 {
                    match sub.next().await.unwrap().unwrap() {
                        Incoming::Message(message) => {
                            let sequence = message.info.sequence.unwrap();
                            assert!(sequence > end, "{sequence} after {end}");
                            end = sequence;
                            received += 1;
                            if message.settler.is_some() {
                                message.ack();
                            }
                        }
                        Incoming::Notice(notice) => {
                            let gap = notice.gap().expect("only gaps are due");
                            let LostCount::Exactly(count) = gap.lost else {
                                panic!("{gap:?}")
                            };
                            assert!(gap.from > end && gap.to - gap.from + 1 >= count, "{gap:?}");
                            end = gap.to;
                            lost += count;
                        }
                    }
                }
                assert_eq!(received + lost, expected as u64);
            }));
        }
    }
    for publisher in 0..PUBLISHERS {
        tokio::spawn(publish_all(transport.clone(), publisher));
    }
    for reader in readers {
        reader.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_expect_the_same_last_sequence_one_publishes() {
    let transport = transport(|stream| stream);
    let rounds = 200;
    let mut tasks = Vec::new();
    for publisher in 0..PUBLISHERS {
        let transport = transport.clone();
        tasks.push(tokio::spawn(async move {
            let subject = Subject::parse(format!("entity.{publisher}.1")).unwrap();
            let mut won = Vec::new();
            for round in 0..rounds {
                let message = {
                    let mut request =
                        PublishRequest::new(&subject, Body::Encoded(Bytes::from_static(b"{}")));
                    request.expect.last_pattern_sequence = Some((pattern("entity.*.1"), round));
                    request
                };
                match transport.publish(message).await.unwrap().await {
                    Ok(stored) => won.push(stored.sequence.unwrap()),
                    Err(error) => {
                        let kind = error.kind().clone();
                        let ErrorKind::WrongLastSequence { last: Some(last) } = kind else {
                            panic!("{error}")
                        };
                        assert_ne!(last, round);
                    }
                }
                tokio::task::yield_now().await;
            }
            won
        }));
    }
    let mut winners: HashMap<u64, usize> = HashMap::new();
    for task in tasks {
        for sequence in task.await.unwrap() {
            *winners.entry(sequence).or_default() += 1;
        }
    }
    assert!(winners.values().all(|count| *count == 1), "{winners:?}");
    let state = transport.stream_state("S").await.unwrap();
    assert_eq!(winners.len() as u64, state.last_sequence);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn closing_ends_everything_whatever_is_going_on() {
    for _ in 0..20 {
        let transport = transport(|stream| stream.max_messages(50));
        let mut tasks = Vec::new();
        for index in 0..PUBLISHERS {
            let publishing = transport.clone();
            tasks.push(tokio::spawn(async move {
                let subject = Subject::parse(format!("from.{index}")).unwrap();
                loop {
                    match publish(&publishing, &subject).await {
                        Ok(_) => tokio::task::consume_budget().await,
                        Err(error) => break assert_eq!(error.kind(), &ErrorKind::Closed),
                    }
                }
            }));
            let mut sub = subscribe(&transport, group("g")).await;
            tasks.push(tokio::spawn(async move {
                while let Some(item) = sub.next().await {
                    match item {
                        Ok(Incoming::Message(message)) => {
                            // Closed in between, for all it knows.
                            let _ = message.try_settle(Settlement::Ack);
                        }
                        Ok(_) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            }));
        }
        let closers: Vec<_> = (0..3)
            .map(|_| {
                let transport = transport.clone();
                tokio::spawn(async move { transport.close().await.unwrap() })
            })
            .collect();
        for task in closers.into_iter().chain(tasks) {
            task.await.unwrap();
        }
    }
}
