//! Cases for history: stored messages read without a consumer.

use futures_util::StreamExt;

use super::Failure;
use crate::case::cases;
use crate::failure::{Outcome, ensure, ensure_eq, within};
use crate::fixture::Fixture;
use crate::reader::number;
use crate::rig::Rig;
use event_sdk_core::subject::Pattern;
use event_sdk_core::transport::{
    ErrorKind, HistoryRequest, HistoryStart, HistoryStream, Order, StoredMessage, TransportExt as _,
};

cases! { "history":
    history_is_in_order [Store, History]
        "History comes in the order that was asked for, all of it.";
    history_is_what_was_published [Store, History]
        "A message in history has its subject, body, headers, stream, sequence and time.";
    history_keeps_its_limit [Store, History]
        "No more messages come than were asked for, the first in the order.";
    history_begins_at_a_sequence [Store, History]
        "History from a sequence begins at that message, or the next one in the order.";
    history_begins_at_a_time [Store, History]
        "History from a time begins at the message stored then, or the next one in the order.";
    history_keeps_its_filters [Store, History]
        "Only what one of the filters matches comes, and the limit counts only that.";
    history_ends_where_it_was_asked_for [Store, History]
        "What is stored after history was asked for is not part of it.";
    history_leaves_out_what_is_dropped [Store, History]
        "What the stream drops while history is read is left out; the rest comes in order.";
    history_of_nothing_is_empty [Store, History]
        "History of an empty stream, or of a subject without messages, ends at once.";
    history_settles_nothing [Store, History, StreamAdmin]
        "Reading history is nothing to consumers: they receive every message all the same.";
    history_of_a_missing_stream_is_an_error [Store, History]
        "History of a stream that does not exist is an error that names it.";
}

const ORDERS: [Order; 2] = [Order::OldestFirst, Order::NewestFirst];

pub(super) fn everything(rig: &Rig, order: Order) -> Outcome<HistoryRequest> {
    Ok({
        let mut request = HistoryRequest::new(rig.stream.clone(), vec![rig.pattern(">")?]);
        request.order = order;
        request
    })
}

async fn open(rig: &Rig, request: HistoryRequest) -> Outcome<HistoryStream> {
    let answer = rig.transport.read_history(request);
    Ok(within(
        rig.patience(),
        "the answer to a request for history",
        answer,
    )
    .await??)
}

async fn rest(rig: &Rig, history: HistoryStream) -> Outcome<Vec<StoredMessage>> {
    let all = within(
        rig.patience(),
        "the end of history",
        history.collect::<Vec<_>>(),
    )
    .await?;
    Ok(all.into_iter().collect::<Result<_, _>>()?)
}

/// The numbers of the messages that are read.
pub(super) async fn read(rig: &Rig, request: HistoryRequest) -> Outcome<Vec<u64>> {
    let history = open(rig, request).await?;
    rest(rig, history)
        .await?
        .iter()
        .map(|message| number(&message.body))
        .collect()
}

fn in_order(order: Order, numbers: impl IntoIterator<Item = u64>) -> Vec<u64> {
    let mut numbers: Vec<_> = numbers.into_iter().collect();
    if order == Order::NewestFirst {
        numbers.reverse();
    }
    numbers
}

async fn history_is_in_order(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    for number in 0..50 {
        rig.publish(if number % 3 == 0 { "a" } else { "b" }, number)
            .await?;
    }
    for order in ORDERS {
        let found = read(&rig, everything(&rig, order)?).await?;
        ensure_eq!(found, in_order(order, 0..50), "history, {order:?}");
    }
    Ok(())
}

async fn history_is_what_was_published(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let draft = rig.draft("a.b", 7)?.header("Some", "header")?;
    let stored = rig.store(draft.clone()).await?;
    let mut reader = rig.subscribe(&rig.ephemeral()?).await?;
    let delivered = reader.expect(7).await?;
    for order in ORDERS {
        let history = open(&rig, everything(&rig, order)?).await?;
        let all = rest(&rig, history).await?;
        let [message] = all.as_slice() else {
            return Err(Failure::new(format!(
                "history of one message has {}",
                all.len()
            )));
        };
        ensure_eq!(message.subject, draft.subject, "the subject");
        ensure_eq!(number(&message.body)?, 7, "the body");
        ensure_eq!(message.headers.get("Some"), Some("header"), "the header");
        ensure_eq!(message.stream, rig.stream, "the stream");
        ensure_eq!(Some(message.sequence), stored.sequence, "the sequence");
        ensure_eq!(
            Some(message.stored_at),
            delivered.received.info.stored_at,
            "when it was stored, as its delivery says"
        );
    }
    Ok(())
}

async fn history_keeps_its_limit(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    rig.publish_all("a", 0..20).await?;
    for order in ORDERS {
        for limit in [0, 1, 7, 20, 30] {
            let mut request = everything(&rig, order)?;
            request.limit = Some(limit);
            let found = read(&rig, request).await?;
            let mut wanted = in_order(order, 0..20);
            wanted.truncate(limit);
            ensure_eq!(found, wanted, "history, {order:?}, at most {limit}");
        }
    }
    Ok(())
}

async fn history_begins_at_a_sequence(fixture: Fixture) -> Outcome {
    let rig = fixture.rig_with(|stream| stream.max_messages(10)).await?;
    let mut filtered = everything(&rig, Order::OldestFirst)?;
    filtered.filters = vec![rig.pattern("a")?];
    // Sequences 1 to 30, of which 21 to 30 are left; the odd ones are `a`.
    for number in 1..=30 {
        rig.publish(if number % 2 == 1 { "a" } else { "b" }, number)
            .await?;
    }
    for from in [1, 20, 21, 25, 26, 30, 31] {
        for order in ORDERS {
            for (filter, step) in [(">", 1), ("a", 2)] {
                let mut request = everything(&rig, order)?;
                request.filters = vec![rig.pattern(filter)?];
                request.from = HistoryStart::Sequence(from);
                let found = read(&rig, request).await?;
                let reached = |number: &u64| match order {
                    Order::OldestFirst => *number >= from,
                    Order::NewestFirst => *number <= from,
                };
                let wanted = in_order(order, (21..=30).step_by(step).filter(reached));
                ensure_eq!(found, wanted, "history of {filter} from {from}, {order:?}");
            }
        }
    }
    Ok(())
}

async fn history_begins_at_a_time(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    rig.publish_all("a", 0..20).await?;
    let history = open(&rig, everything(&rig, Order::OldestFirst)?).await?;
    let times: Vec<_> = rest(&rig, history)
        .await?
        .iter()
        .map(|message| message.stored_at)
        .collect();
    ensure_eq!(times.len(), 20, "messages in history");
    let second = jiff::SignedDuration::from_secs(1);
    for from in [
        times[0] - second,
        times[0],
        times[9],
        times[19],
        times[19] + second,
    ] {
        for order in ORDERS {
            let mut request = everything(&rig, order)?;
            request.from = HistoryStart::Time(from);
            let found = read(&rig, request).await?;
            let wanted = match order {
                Order::OldestFirst => times.partition_point(|time| *time < from) as u64..20,
                Order::NewestFirst => 0..times.partition_point(|time| *time <= from) as u64,
            };
            ensure_eq!(
                found,
                in_order(order, wanted),
                "history from {from}, {order:?}; times are {times:?}"
            );
        }
    }
    Ok(())
}

async fn history_keeps_its_filters(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    for (number, subject) in (0..).zip(["a.x", "b.x", "a.y", "c", "a", "b.y", "a.x"]) {
        rig.publish(subject, number).await?;
    }
    let tries: [(&[&str], Option<usize>, &[u64]); 5] = [
        (&["a.x"], None, &[0, 6]),
        (&["a.*"], None, &[0, 2, 6]),
        (&["*.y", "c"], None, &[2, 3, 5]),
        (&["a.>", "b.>"], None, &[0, 1, 2, 5, 6]),
        (&["b.>", "a"], Some(9), &[1, 4, 5]),
    ];
    for order in ORDERS {
        for (filters, limit, wanted) in tries {
            let mut request = everything(&rig, order)?;
            request.filters = filters
                .iter()
                .map(|filter| rig.pattern(filter))
                .collect::<Outcome<Vec<Pattern>>>()?;
            request.limit = limit;
            let wanted = in_order(order, wanted.iter().copied());
            ensure_eq!(
                read(&rig, request.clone()).await?,
                wanted,
                "history of {filters:?}, {order:?}"
            );
            request.limit = Some(2);
            ensure_eq!(
                read(&rig, request).await?,
                wanted[..2],
                "the first two of {filters:?}, {order:?}"
            );
        }
    }
    Ok(())
}

async fn history_ends_where_it_was_asked_for(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    rig.publish_all("a", 0..10).await?;
    for (turn, order) in (1..).zip(ORDERS) {
        let before = turn * 10;
        let history = open(&rig, everything(&rig, order)?).await?;
        rig.publish_all("a", before..before + 10).await?;
        let found: Vec<_> = rest(&rig, history)
            .await?
            .iter()
            .map(|message| number(&message.body))
            .collect::<Outcome<_>>()?;
        ensure_eq!(
            found,
            in_order(order, 0..before),
            "history as it was, {order:?}"
        );
    }
    Ok(())
}

async fn history_leaves_out_what_is_dropped(fixture: Fixture) -> Outcome {
    let rig = fixture.rig_with(|stream| stream.max_messages(100)).await?;
    let mut published = 0;
    for order in ORDERS {
        rig.publish_all("a", published..published + 100).await?;
        let asked_for = published..published + 100;
        published += 100;
        let mut history = open(&rig, everything(&rig, order)?).await?;
        let first = within(rig.patience(), "the first of history", history.next()).await?;
        let first = first.ok_or_else(|| Failure::new("history of a hundred is empty"))??;
        rig.publish_all("a", published..published + 50).await?;
        published += 50;
        let mut found = vec![number(&first.body)?];
        for message in rest(&rig, history).await? {
            found.push(number(&message.body)?);
        }
        let sorted = in_order(order, found.iter().copied());
        ensure!(
            sorted.is_sorted(),
            "history is out of order, {order:?}: {found:?}"
        );
        ensure!(
            found.iter().all(|number| asked_for.contains(number)),
            "history of {asked_for:?} has others, {order:?}: {found:?}"
        );
        let kept = asked_for.start + 50..asked_for.end;
        ensure!(
            kept.clone().all(|number| found.contains(&number)),
            "history lacks some of {kept:?}, which were there all the time: {found:?}"
        );
    }
    Ok(())
}

async fn history_of_nothing_is_empty(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    for order in ORDERS {
        let found = read(&rig, everything(&rig, order)?).await?;
        ensure!(found.is_empty(), "history of an empty stream has {found:?}");
    }
    rig.publish("a", 0).await?;
    for order in ORDERS {
        let mut request = everything(&rig, order)?;
        request.filters = vec![rig.pattern("b")?];
        let found = read(&rig, request).await?;
        ensure!(
            found.is_empty(),
            "history of a subject without messages has {found:?}"
        );
    }
    Ok(())
}

async fn history_settles_nothing(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut reader = rig.subscribe(&rig.durable("d")?).await?;
    for number in 0..5 {
        rig.publish("a", number).await?;
        read(&rig, everything(&rig, Order::NewestFirst)?).await?;
        ensure_eq!(
            rig.state().await?.consumers,
            1,
            "consumers after reading history"
        );
    }
    reader.expect_and_ack(0..5).await
}

async fn history_of_a_missing_stream_is_an_error(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut request = everything(&rig, Order::OldestFirst)?;
    let stream = format!("{}-missing", rig.stream);
    request.stream = stream.clone().into();
    let answer = rig.transport.read_history(request);
    let answer = within(
        rig.patience(),
        "the answer to a request for history",
        answer,
    )
    .await?;
    let Err(error) = answer else {
        return Err(Failure::new("a stream that does not exist has a history"));
    };
    ensure_eq!(
        *error.kind(),
        ErrorKind::StreamNotFound,
        "the kind of {error}"
    );
    ensure_eq!(error.stream(), Some(&*stream), "the stream in {error}");
    Ok(())
}
