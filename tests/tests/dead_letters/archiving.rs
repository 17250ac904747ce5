//! What becomes of letters: archived and opened again; the outcome of redrives.

use event_sdk::dead_letters::{Audit, LetterFilter, LetterStatus, Page, RedriveOutcome, Redriven};

use crate::rig::{buses, letter, put, stored, within};

#[tokio::test]
async fn archived_letters_are_not_redriven_until_they_are_opened_again() {
    let (_server, buses) = buses().await;
    for bus in buses {
        for number in 1..=4 {
            let mut letter = letter(number);
            letter.sequenced = number == 4;
            put(&bus, &letter).await;
        }
        let queue = bus.dead_letters("DLQ");
        let (open, all) = (LetterFilter::open(), LetterFilter::all());
        let some = LetterFilter::open().ids([1, 2, 4]);
        let audit = Audit::by("alice").because("obsolete");
        for expected in [&[1, 2][..], &[]] {
            let archived = within("archive", queue.archive(&some, &audit)).await;
            assert_eq!(archived.unwrap(), expected, "4 holds its key");
        }
        assert_eq!(queue.count(&open).await.unwrap(), 2);
        let archived = within("a letter", queue.show(1)).await.unwrap().unwrap();
        assert_eq!(archived.state.status, LetterStatus::Archived);
        assert_eq!(archived.state.by.as_deref(), Some("alice"));
        assert_eq!(archived.state.note.as_deref(), Some("obsolete"));
        assert!(archived.state.at.is_some());
        let report = within("a redrive", queue.redrive(open.clone())).await;
        assert_eq!(report.unwrap().redriven, [3]);
        // Whatever the filter says; and a mark is not written over.
        let again = queue.redrive(all.clone()).audit(Audit::by("bob"));
        let report = within("a redrive", again).await.unwrap();
        assert_eq!(
            (&*report.selected, &*report.already),
            (&[3, 4][..], &[3][..])
        );
        let redriven = within("a letter", queue.show(3)).await.unwrap().unwrap();
        assert_eq!(redriven.state.by, None);
        let reopened = within("reopen", queue.reopen(&all, &audit)).await;
        assert_eq!(reopened.unwrap(), [1, 2]);
        let report = within("a redrive", queue.redrive(open.clone())).await;
        assert_eq!(report.unwrap().redriven, [1, 2]);
        assert_eq!(stored(&bus, "DLQ_RETRY", "retry.>").await.len(), 3);
        let list = within("a list", queue.list(&all, Page::ALL)).await.unwrap();
        let states = list.iter().map(|letter| letter.state.status.as_str());
        let states: Vec<_> = states.collect();
        assert_eq!(states, ["redriven", "redriven", "redriven", "open"]);
    }
}

#[tokio::test]
async fn outcomes_say_what_the_consumer_has_done() {
    let (_server, buses) = buses().await;
    for bus in buses {
        for number in 1..=4 {
            put(&bus, &letter(number)).await;
        }
        let queue = bus.dead_letters("DLQ");
        let all = LetterFilter::all();
        let outcomes = within("outcomes", queue.outcomes(&all)).await.unwrap();
        assert!(outcomes.is_empty(), "{outcomes:?}");
        let three = queue.redrive(LetterFilter::open().ids([1, 2, 3]));
        within("a redrive", three).await.unwrap();
        let waiting = |id| (id, RedriveOutcome::Waiting);
        let outcomes = within("outcomes", queue.outcomes(&all)).await.unwrap();
        assert!(outcomes.into_iter().eq([1, 2, 3].map(waiting)));

        let place = event_sdk::dead_letters::DeadLetterStream::new("DLQ");
        let filter = place.retry_filter("billing").unwrap();
        let raw = bus.raw().absolute();
        let subscribe = raw.subscribe(filter).stream("DLQ_RETRY").durable("billing");
        let mut again = within("a subscription", subscribe).await.unwrap();
        for number in 1..=2 {
            let delivery = within("an event", again.next()).await.unwrap().unwrap();
            let redriven = Redriven::from_headers(delivery.headers()).unwrap();
            if number == 2 {
                let mut failed = letter(2);
                failed.redrive = redriven.redrive;
                put(&bus, &failed).await;
            }
            within("an ack", delivery.ack_confirmed()).await.unwrap();
        }
        let outcomes = within("outcomes", queue.outcomes(&all)).await.unwrap();
        let expected = [
            (1, RedriveOutcome::Handled),
            (
                2,
                RedriveOutcome::FailedAgain {
                    letter: failed_id(&bus).await,
                },
            ),
            waiting(3),
        ];
        assert!(outcomes.clone().into_iter().eq(expected), "{outcomes:?}");
    }
}

/// The id of the letter that was written last.
async fn failed_id(bus: &event_sdk::EventBus) -> u64 {
    stored(bus, "DLQ", "dlq.billing.>")
        .await
        .pop()
        .unwrap()
        .sequence
}
