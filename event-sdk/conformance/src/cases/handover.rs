//! Cases for hand-over: a value arrives as it was published, without encoding.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;

use crate::case::cases;
use crate::failure::{Outcome, ensure, ensure_eq, within};
use crate::fixture::Fixture;
use crate::note::{Note, handed_over};
use crate::rig::{Draft, Rig};
use event_sdk_core::transport::{Body, HistoryRequest, Order, TransportExt as _};

cases! { "handover":
    a_value_arrives_as_it_is [Store, ValueHandover]
        "A value that is handed over arrives as the same value, with the head of its envelope.";
    every_consumer_gets_the_value [Store, ValueHandover]
        "Each consumer receives the value that was handed over.";
    values_and_bytes_keep_their_order [Store, ValueHandover]
        "Values and bytes share a stream and keep their order.";
    a_value_comes_again [Store, ValueHandover]
        "A value that is put back comes again as the same value.";
    a_value_may_be_a_duplicate [Store, ValueHandover, Deduplication, StreamAdmin]
        "A value with the id of one that is stored is not stored again.";
    history_has_values [Store, ValueHandover, History]
        "History has the value that was handed over.";
}

fn draft(rig: &Rig, note: &Arc<Note>) -> Outcome<Draft> {
    let mut draft = rig.draft("note", 0)?.header("Some", "header")?;
    draft.body = note.body();
    Ok(draft)
}

fn same(body: &Body, note: &Arc<Note>) -> Outcome {
    let (head, arrived) = handed_over(body)?;
    ensure_eq!(arrived, *note, "the value");
    ensure!(
        Arc::ptr_eq(&arrived, note),
        "the value is a copy of the one that was handed over"
    );
    let Body::Value(sent) = note.body() else {
        return Ok(());
    };
    ensure_eq!(
        head,
        sent.to_header().into_owned(),
        "the head of the envelope"
    );
    Ok(())
}

async fn a_value_arrives_as_it_is(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut reader = rig.subscribe(&rig.ephemeral()?).await?;
    for number in 0..5 {
        let note = Note::new(number);
        rig.store(draft(&rig, &note)?).await?;
        let got = reader.message().await?;
        same(&got.received.body, &note)?;
        ensure_eq!(got.received.subject, rig.subject("note")?, "the subject");
        ensure_eq!(
            got.received.headers.get("Some"),
            Some("header"),
            "the header"
        );
        got.ack().await?;
    }
    Ok(())
}

async fn every_consumer_gets_the_value(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let note = Note::new(1);
    let mut live = rig.subscribe(&rig.durable("live")?).await?;
    rig.store(draft(&rig, &note)?).await?;
    let mut late = rig.subscribe(&rig.durable("late")?).await?;
    for reader in [&mut live, &mut late] {
        let got = reader.message().await?;
        same(&got.received.body, &note)?;
        got.ack().await?;
    }
    Ok(())
}

async fn values_and_bytes_keep_their_order(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let notes: Vec<_> = (0..10).map(Note::new).collect();
    for (number, note) in (0..).zip(&notes) {
        rig.publish("bytes", number).await?;
        rig.store(draft(&rig, note)?).await?;
    }
    let mut reader = rig.subscribe(&rig.ephemeral()?).await?;
    for (number, note) in (0..).zip(&notes) {
        reader.expect(number).await?.ack().await?;
        let got = reader.message().await?;
        same(&got.received.body, note)?;
        got.ack().await?;
    }
    Ok(())
}

async fn a_value_comes_again(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let mut reader = rig.subscribe(&rig.ephemeral()?).await?;
    let note = Note::new(1);
    rig.store(draft(&rig, &note)?).await?;
    for attempt in 1..4 {
        let got = reader.message().await?;
        ensure_eq!(got.attempt(), attempt, "the attempt of the next delivery");
        same(&got.received.body, &note)?;
        got.nak(Duration::ZERO).await?;
    }
    Ok(())
}

async fn a_value_may_be_a_duplicate(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let note = Note::new(1);
    let first = rig.store(draft(&rig, &note)?.id("same")).await?;
    let again = rig.store(draft(&rig, &note)?.id("same")).await?;
    ensure!(
        again.duplicate,
        "the second of its id was not called a duplicate"
    );
    ensure_eq!(again.sequence, first.sequence, "the sequence of the first");
    super::messages(&rig, 1).await
}

async fn history_has_values(fixture: Fixture) -> Outcome {
    let rig = fixture.rig().await?;
    let note = Note::new(1);
    rig.store(draft(&rig, &note)?).await?;
    let answer = rig.transport.read_history({
        let mut request = HistoryRequest::new(rig.stream.clone(), vec![rig.pattern(">")?]);
        request.order = Order::NewestFirst;
        request
    });
    let history = within(
        rig.patience(),
        "the answer to a request for history",
        answer,
    )
    .await??;
    let all = within(
        rig.patience(),
        "the end of history",
        history.collect::<Vec<_>>(),
    )
    .await?;
    ensure_eq!(all.len(), 1, "messages in history");
    for message in all {
        same(&message?.body, &note)?;
    }
    Ok(())
}
