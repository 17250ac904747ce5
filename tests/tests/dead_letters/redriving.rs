//! Redrive: through the retry stream only, once, dry, slowly, edited; the next letter.

use event_sdk::dead_letters::{Audit, LetterFilter, LetterStatus, Page, Redriven};
use event_sdk::time::SteppedClock;
use event_sdk::{ErrorKind, Pattern};
use std::future::{IntoFuture as _, poll_fn};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use crate::rig::{body, builder, buses, bytes, letter, put, stored, within};

#[tokio::test]
async fn a_redrive_sends_each_letter_once_to_its_consumer_alone() {
    let (_server, buses) = buses().await;
    for bus in buses {
        let everything = bus.raw().subscribe(Pattern::parse("orders.>").unwrap());
        let mut others = within("a subscription", everything.stream("ORDERS"))
            .await
            .unwrap();
        for number in 1..=5 {
            let mut letter = letter(number);
            if number == 3 {
                letter.consumer = "shipping".into();
            }
            put(&bus, &letter).await;
        }
        let queue = bus.dead_letters("DLQ");
        let open = LetterFilter::open();
        let audit = Audit::by("alice").because("fixed");
        let redrive = queue.redrive(open.clone().consumer("billing")).audit(audit);
        let report = within("a redrive", redrive).await.unwrap();
        assert_eq!(report.selected, [1, 2, 4, 5]);
        assert_eq!(report.redriven, [1, 2, 4, 5]);
        let sent = stored(&bus, "DLQ_RETRY", "retry.>").await;
        assert_eq!(sent.len(), 4);
        assert_eq!(stored(&bus, "DLQ_RETRY", "retry.billing.>").await.len(), 4);
        for (message, number) in sent.iter().zip([1, 2, 4, 5]) {
            let letter = letter(number);
            assert_eq!(bytes(message), &letter.body);
            assert_eq!(message.headers.get("Tenant"), Some("north"));
            let redriven = Redriven::from_headers(&message.headers).unwrap();
            assert_eq!(redriven.origin, letter.origin);
            assert_eq!((redriven.redrive, redriven.letter), (1, number));
            assert_eq!(redriven.first_failure, Some(letter.first_failure));
            assert_eq!(redriven.by.as_deref(), Some("alice"));
            assert_eq!(redriven.note.as_deref(), Some("fixed"));
        }
        let all = LetterFilter::all();
        let list = queue.list(&all, Page::ALL);
        let list = within("a list", list).await.unwrap();
        let states: Vec<_> = list
            .iter()
            .map(|letter| (letter.state.status.as_str(), letter.state.retry_sequence))
            .collect();
        let redriven = |sequence| ("redriven", Some(sequence));
        let expected = [
            redriven(1),
            redriven(2),
            ("open", None),
            redriven(3),
            redriven(4),
        ];
        assert_eq!(states, expected);
        let again = within(
            "a redrive",
            queue.redrive(LetterFilter::all().consumer("billing")),
        );
        let again = again.await.unwrap();
        assert_eq!((again.redriven.len(), again.already.len()), (0, 4));
        assert_eq!(stored(&bus, "DLQ_RETRY", "retry.>").await.len(), 4);
        assert_eq!(stored(&bus, "ORDERS", "events.>").await.len(), 0);
        let mut next = Box::pin(others.next());
        let nothing = poll_fn(|cx| Poll::Ready(next.as_mut().poll(cx).is_pending())).await;
        assert!(nothing, "another consumer of the stream saw something");
    }
}

#[tokio::test]
async fn a_dry_run_changes_nothing() {
    let (_server, buses) = buses().await;
    for bus in buses {
        for number in 1..=3 {
            put(&bus, &letter(number)).await;
        }
        let redrive = bus.dead_letters("DLQ").redrive(LetterFilter::open());
        let report = within("a dry run", redrive.dry_run()).await.unwrap();
        assert_eq!(report.selected, [1, 2, 3]);
        assert!(report.redriven.is_empty() && report.already.is_empty());
        assert_eq!(stored(&bus, "DLQ", "dlq.>").await.len(), 3);
        assert_eq!(stored(&bus, "DLQ_RETRY", "retry.>").await.len(), 0);
    }
}

#[tokio::test]
async fn a_redriven_event_that_fails_again_is_another_letter() {
    let (_server, buses) = buses().await;
    for bus in buses {
        let mut letter = letter(1);
        let queue = bus.dead_letters("DLQ");
        for redrive in 0..3 {
            letter.redrive = redrive;
            put(&bus, &letter).await;
            let report = within("a redrive", queue.redrive(LetterFilter::open())).await;
            assert_eq!(report.unwrap().redriven.len(), 1);
            let sent = stored(&bus, "DLQ_RETRY", "retry.>").await;
            let last = Redriven::from_headers(&sent.last().unwrap().headers).unwrap();
            assert_eq!(last.redrive, redrive + 1);
            assert_eq!(sent.len(), usize::try_from(redrive).unwrap() + 1);
        }
    }
}

#[tokio::test]
async fn the_rate_is_kept() {
    let clock = Arc::new(SteppedClock::new());
    let bus = builder().clock(clock.clone()).memory().unwrap();
    for number in 1..=7 {
        put(&bus, &letter(number)).await;
    }
    let redrive = bus.dead_letters("DLQ").redrive(LetterFilter::open());
    let mut redrive = redrive.per_second(4).into_future();
    let mut sent = Vec::new();
    let step = Duration::from_millis(125);
    let report = loop {
        let polled = poll_fn(|cx| Poll::Ready(redrive.as_mut().poll(cx))).await;
        sent.push(stored(&bus, "DLQ_RETRY", "retry.>").await.len());
        if let Poll::Ready(report) = polled {
            break report.unwrap();
        }
        clock.advance(step);
    };
    assert_eq!(report.redriven.len(), 7);
    assert_eq!(sent, [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7]);
}

/// After a delay, for example of the server, nothing is sent faster to make up for it.
#[tokio::test]
async fn the_rate_is_kept_after_a_delay() {
    let clock = Arc::new(SteppedClock::new());
    let bus = builder().clock(clock.clone()).memory().unwrap();
    for number in 1..=7 {
        put(&bus, &letter(number)).await;
    }
    let redrive = bus.dead_letters("DLQ").redrive(LetterFilter::open());
    let mut redrive = redrive.per_second(4).into_future();
    let mut sent = Vec::new();
    for step in [0, 250, 5_000, 249, 1, 100, 150] {
        clock.advance(Duration::from_millis(step));
        let _ = poll_fn(|cx| Poll::Ready(redrive.as_mut().poll(cx))).await;
        sent.push(stored(&bus, "DLQ_RETRY", "retry.>").await.len());
    }
    assert_eq!(sent, [1, 2, 3, 3, 4, 4, 5]);
}

#[tokio::test]
async fn an_edited_event_is_redriven_with_the_audit_note() {
    let (_server, buses) = buses().await;
    for bus in buses {
        put(&bus, &letter(1)).await;
        put(&bus, &letter(2)).await;
        let id = letter(1).event_id.unwrap();
        let queue = bus.dead_letters("DLQ");
        let audit = Audit::by("bob").because("wrong currency");
        for (letter, body, reason) in [
            (9, body(id, 5), "no letter"),
            (1, "{}".into(), "edited body"),
            (2, body(id, 5), "another `event_id`"),
        ] {
            let edited = within("an edit", queue.edit_and_redrive(letter, body, &audit)).await;
            let error = edited.unwrap_err();
            assert_eq!(*error.kind(), ErrorKind::InvalidOption);
            assert!(error.to_string().contains(reason), "{error}");
        }
        assert_eq!(stored(&bus, "DLQ_RETRY", "retry.>").await.len(), 0);
        let edited = queue.edit_and_redrive(1, body(id, 5), &audit);
        within("an edit", edited).await.unwrap();
        let sent = stored(&bus, "DLQ_RETRY", "retry.>").await;
        assert_eq!(bytes(&sent[0]), &body(id, 5));
        let redriven = Redriven::from_headers(&sent[0].headers).unwrap();
        assert!(redriven.edited);
        assert_eq!(redriven.by.as_deref(), Some("bob"));
        assert_eq!(redriven.note.as_deref(), Some("wrong currency"));
        assert!(redriven.at.is_some());
        let kept = within("a letter", queue.show(1)).await.unwrap().unwrap();
        assert_eq!(kept.letter.body, letter(1).body);
        assert_eq!(kept.state.status, LetterStatus::Redriven);
        assert_eq!(kept.state.note.as_deref(), Some("wrong currency"));
        let again = queue.edit_and_redrive(1, body(id, 6), &audit);
        let again = within("an edit", again).await.unwrap_err();
        assert!(again.to_string().contains("redriven"), "{again}");
    }
}
