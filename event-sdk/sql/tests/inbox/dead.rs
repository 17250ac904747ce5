//! Dead events: the record with the letter, redrives, and never done *and* dead.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use event_sdk::consumer::{Failure, Retry};
use event_sdk::dead_letters::{
    Audit, DeadLetterClass, DeadLetters, LetterFilter, LetterStatus, Page, RedriveOutcome,
};
use event_sdk::transport::ErrorKind;
use event_sdk_sql::SqlDeadLetterQueue;

use crate::database::Db;
use crate::rig::{Billing, Rig, billing};

fn rejecting() -> Billing<impl Fn(i64, u32) -> Result<(), Failure> + Send + Sync + 'static> {
    Billing::new(|order, _| match order {
        2 => Err(Failure::reject("Ada").because("no such price")),
        _ => Ok(()),
    })
}

impl Rig {
    fn letters(&self) -> DeadLetters {
        self.inbox
            .dead_letters()
            .retried_through(self.place.clone())
    }

    fn queue(&self) -> SqlDeadLetterQueue<Db> {
        self.inbox
            .dead_letters()
            .queue(&self.bus, self.place.clone())
    }
}

#[tokio::test]
async fn a_letter_and_its_record_are_stored_and_the_effect_is_rolled_back() {
    let rig = Rig::new().await;
    rig.place_orders(1..=3).await;
    let consumer = rig.consumer().handled_by(rig.inbox.effects(rejecting()));
    let report = rig.run(consumer.dead_letters(rig.letters())).await;
    assert_eq!((report.handled, report.dead_lettered), (2, 1));
    assert_eq!(rig.invoices().await, [1, 3]);
    assert_eq!(rig.records().await, (2, 1));
    let queue = rig.queue();
    let letters = queue.list(&LetterFilter::open(), Page::ALL).await.unwrap();
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].class, DeadLetterClass::Rejected);
    assert_eq!(letters[0].errors, ["error: no such price"]);
    assert_eq!((letters[0].origin.sequence, letters[0].redrive), (2, 0));
    let shown = queue.show(letters[0].id).await.unwrap().unwrap();
    assert_eq!(shown.letter.body.len(), letters[0].body_len);
    assert_eq!(shown.letter.key.as_deref(), None);
    assert!(queue.show(99).await.unwrap().is_none());
    let groups = queue.groups(&LetterFilter::open()).await.unwrap();
    assert_eq!((groups.len(), groups[0].count), (1, 1));
    assert!(!format!("{letters:?} {groups:?} {shown:?}").contains("Ada"));
}

#[tokio::test]
async fn a_redrive_passes_the_dead_record_once_and_is_tracked() {
    let rig = Rig::new().await;
    rig.place_orders(1..=3).await;
    let fails = Arc::new(AtomicBool::new(true));
    let run = async || {
        let fails = Arc::clone(&fails);
        let billing = Billing::new(move |order, _| {
            if order == 2 && fails.load(Ordering::Relaxed) {
                return Err(Failure::reject("no such price"));
            }
            Ok(())
        });
        let consumer = rig.consumer().handled_by(rig.inbox.effects(billing));
        rig.run(consumer.dead_letters(rig.letters())).await
    };
    assert_eq!(run().await.dead_lettered, 1);
    let queue = rig.queue();
    let of_billing = || LetterFilter::open().consumer("billing");

    let dry = queue.redrive(of_billing()).dry_run().await.unwrap();
    assert_eq!((dry.selected.len(), dry.redriven.len()), (1, 0));
    let audit = Audit::by("alice").because("prices are complete");
    let report = queue
        .redrive(of_billing())
        .audit(audit)
        .per_second(100)
        .await
        .unwrap();
    assert_eq!(report.redriven.len(), 1);
    let first = report.redriven[0];
    let state = queue.show(first).await.unwrap().unwrap().state;
    assert_eq!(state.status, LetterStatus::Redriven);
    assert_eq!(
        (state.by.as_deref(), state.retry_sequence),
        (Some("alice"), Some(1))
    );
    let outcomes = queue.outcomes(&LetterFilter::all()).await.unwrap();
    assert_eq!(outcomes[&first], RedriveOutcome::Waiting);

    // It fails again: a second letter, of the first redrive.
    assert_eq!(run().await.dead_lettered, 1);
    let open = queue.list(&LetterFilter::open(), Page::ALL).await.unwrap();
    assert_eq!((open.len(), open[0].redrive), (1, 1));
    let outcomes = queue.outcomes(&LetterFilter::all()).await.unwrap();
    assert_eq!(
        outcomes[&first],
        RedriveOutcome::FailedAgain { letter: open[0].id }
    );

    fails.store(false, Ordering::Relaxed);
    let report = queue.redrive(of_billing()).await.unwrap();
    assert_eq!(report.redriven, [open[0].id]);
    let report = run().await;
    assert_eq!(
        (report.handled, report.done_before, report.dead_lettered),
        (1, 0, 0)
    );
    assert_eq!(rig.invoices().await, [1, 2, 3]);
    assert_eq!(rig.records().await, (3, 0));
    let outcomes = queue.outcomes(&LetterFilter::all()).await.unwrap();
    assert_eq!(outcomes[&open[0].id], RedriveOutcome::Handled);
    // A redrive that is repeated sends nothing again.
    let letters = LetterFilter::all().ids([open[0].id]);
    let report = queue.redrive(letters).await.unwrap();
    assert_eq!(report.already, [open[0].id]);
}

#[tokio::test]
async fn a_redrive_of_an_event_that_is_done_has_no_effect() {
    let rig = Rig::new().await;
    rig.place_orders([1, 2]).await;
    let consumer = rig.consumer().handled_by(rig.inbox.effects(rejecting()));
    rig.run(consumer.dead_letters(rig.letters())).await;
    // By hand: the effect of the dead event is done in another way.
    let done = "update event_inbox set outcome = 'done', reason = null";
    sqlx::query(done).execute(&rig.pool).await.unwrap();
    rig.queue().redrive(LetterFilter::open()).await.unwrap();
    let consumer = rig.consumer().handled_by(rig.inbox.effects(billing()));
    let report = rig.run(consumer.dead_letters(rig.letters())).await;
    assert_eq!((report.handled, report.done_before), (0, 1));
    assert_eq!(rig.invoices().await, [1]);
}

#[tokio::test]
async fn an_edited_event_is_redriven_once() {
    let rig = Rig::new().await;
    rig.place_orders([2]).await;
    let consumer = rig.consumer().handled_by(rig.inbox.effects(rejecting()));
    rig.run(consumer.dead_letters(rig.letters())).await;
    let queue = rig.queue();
    let id = queue.list(&LetterFilter::open(), Page::ALL).await.unwrap()[0].id;
    let body = queue.show(id).await.unwrap().unwrap().letter.body;
    let text = String::from_utf8(body.to_vec()).unwrap();
    let audit = Audit::by("alice");
    let edit = async |id: u64, body: String| queue.edit_and_redrive(id, body, &audit).await;
    let invalid = edit(id, "no envelope".to_owned()).await.unwrap_err();
    assert_eq!(*invalid.kind(), ErrorKind::InvalidOption);
    assert!(edit(99, text.clone()).await.is_err());
    edit(id, text.replace("\"order\":2", "\"order\":20"))
        .await
        .unwrap();
    let again = edit(id, text.clone()).await.unwrap_err();
    assert!(again.to_string().contains("redriven"), "{again}");
    let consumer = rig.consumer().handled_by(rig.inbox.effects(rejecting()));
    let report = rig.run(consumer.dead_letters(rig.letters())).await;
    assert_eq!(report.handled, 1);
    assert_eq!(rig.invoices().await, [20]);
}

#[tokio::test]
async fn letters_are_archived_reopened_expired_and_purged() {
    let rig = Rig::new().await;
    rig.place_orders([2]).await;
    let consumer = rig.consumer().handled_by(rig.inbox.effects(rejecting()));
    rig.run(consumer.dead_letters(rig.letters())).await;
    let queue = rig.queue();
    let (all, audit) = (LetterFilter::all(), Audit::by("alice"));
    assert_eq!(queue.archive(&all, &audit).await.unwrap().len(), 1);
    assert_eq!(queue.count(&LetterFilter::open()).await.unwrap(), 0);
    assert!(
        queue
            .redrive(LetterFilter::all())
            .await
            .unwrap()
            .selected
            .is_empty()
    );
    assert!(queue.archive(&all, &audit).await.unwrap().is_empty());
    assert_eq!(queue.reopen(&all, &audit).await.unwrap().len(), 1);
    let long_ago = jiff::Timestamp::UNIX_EPOCH;
    assert!(queue.expire(long_ago).await.unwrap().is_empty());
    assert_eq!(
        queue
            .purge(&LetterFilter::all().consumer("other"))
            .await
            .unwrap(),
        [] as [u64; 0]
    );
    assert_eq!(queue.purge(&all).await.unwrap().len(), 1);
    // The event stays dead for its inbox.
    assert_eq!(rig.records().await, (0, 1));
}

#[tokio::test]
async fn letters_in_a_stream_follow_the_record_and_keep_its_reason() {
    let rig = Rig::new().await;
    rig.place_orders([1, 2]).await;
    let fails = || {
        Billing::new(|order, _| match order {
            2 => Err(Failure::retry("Ada").because("card declined")),
            _ => Ok(()),
        })
    };
    // The process ends after the record, and before the letter.
    let never = DeadLetters::with(|_| std::future::pending::<Result<(), std::io::Error>>());
    let consumer = rig.consumer().handled_by(rig.inbox.effects(fails()));
    let consumer = consumer.retry(Retry::none()).dead_letters(never);
    let dead = crate::rig::eventually("the record", async || rig.records().await == (1, 1));
    tokio::select! {
        _ = consumer.run() => unreachable!("the letter is never written"),
        () = dead => {}
    }
    // Another program, in which the event would succeed, does not handle it: it is dead.
    let consumer = rig.consumer().handled_by(rig.inbox.effects(billing()));
    let report = rig
        .run(consumer.dead_letters(DeadLetters::stream("DLQ")))
        .await;
    assert_eq!((report.handled, report.dead_lettered), (0, 1));
    assert_eq!(rig.invoices().await, [1]);
    let queue = rig.bus.dead_letters("DLQ");
    let letters = queue.list(&LetterFilter::open(), Page::ALL).await.unwrap();
    assert_eq!(letters[0].class, DeadLetterClass::RetryExhausted);
    assert_eq!(letters[0].errors, ["error: card declined"]);

    queue.redrive(LetterFilter::open()).await.unwrap();
    let consumer = rig.consumer().handled_by(rig.inbox.effects(billing()));
    let report = rig
        .run(consumer.dead_letters(DeadLetters::stream("DLQ")))
        .await;
    assert_eq!((report.handled, report.dead_lettered), (1, 0));
    assert_eq!(rig.invoices().await, [1, 2]);
    assert_eq!(rig.records().await, (2, 0));
}
