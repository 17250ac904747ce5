//! Cases of batches: the effects of several events in one transaction, divided after a failure.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use event_sdk::consumer::Failure;
use event_sdk::dead_letters::DeadLetters;

use super::super::effect::{SuiteEffect, Then, Trouble};
use super::super::rig::Rig;
use crate::case::cases;
use crate::failure::{Outcome, ensure, ensure_eq};

cases! { "batches":
    a_batch_has_each_effect_once []
        "The events of a batch have one effect each, also if an event is twice in it.";
    repeats_in_a_batch_have_no_effect []
        "Events of a batch that are done are acknowledged without effect, and fail no other.";
    one_failure_leaves_the_others []
        "An event that fails is given up alone, and the others of its batch are done.";
    a_failed_batch_leaves_nothing []
        "What the effects of a batch wrote before one of them failed is rolled back.";
    later_events_of_a_failed_key_wait []
        "Later events of a key whose event failed follow it in order.";
    a_dead_event_holds_its_key []
        "Later events of a batch whose key has a dead event wait until its letter is stored.";
    a_busy_database_fails_no_event_of_a_batch [Busy]
        "A batch whose transaction is ended by the database counts as no attempt.";
}

async fn a_batch_has_each_effect_once(rig: Rig) -> Outcome {
    let names = ["a", "b", "c", "d", "e"];
    for name in names {
        rig.publish_twice(name).await?;
    }
    let effect = SuiteEffect::succeeding();
    let report = rig.handle_batches(rig.consumer(), &effect).await?;
    ensure_eq!(
        (report.handled, report.done_before),
        (5, 5),
        "handled, repeats"
    );
    ensure_eq!(effect.begun(), 5, "how often an effect was begun");
    ensure_eq!(rig.effects().await?, names, "the effects");
    ensure_eq!(rig.status().await?, (5, 0), "the records, done and dead");
    Ok(())
}

async fn repeats_in_a_batch_have_no_effect(rig: Rig) -> Outcome {
    rig.publish(&["a", "b"]).await?;
    let effect = SuiteEffect::succeeding();
    rig.handle(&effect).await?;
    rig.lose_position().await?;
    rig.publish(&["c"]).await?;
    let consumer = rig.consumer();
    let consumer = consumer.deliver(event_sdk::transport::DeliverPolicy::All);
    let report = rig.handle_batches(consumer, &effect).await?;
    let counts = (report.handled, report.done_before, report.failed_attempts);
    ensure_eq!(counts, (1, 2, 0), "handled, repeats, failed");
    ensure_eq!(rig.effects().await?, ["a", "b", "c"], "the effects");
    Ok(())
}

async fn one_failure_leaves_the_others(rig: Rig) -> Outcome {
    rig.publish(&["a", "b", "c", "d", "e"]).await?;
    let effect = SuiteEffect::rejecting(&["c"]);
    let report = rig.handle_batches(rig.consumer(), &effect).await?;
    ensure_eq!(
        (report.handled, report.dead_lettered),
        (4, 1),
        "handled, dead"
    );
    ensure_eq!(rig.effects().await?, ["a", "b", "d", "e"], "the effects");
    ensure_eq!(rig.status().await?, (4, 1), "the records, done and dead");
    Ok(())
}

async fn a_failed_batch_leaves_nothing(rig: Rig) -> Outcome {
    rig.publish(&["a", "b", "c"]).await?;
    let effect = SuiteEffect::new(|due, ctx| match (due.name.as_str(), ctx.attempt()) {
        ("c", 1) => Then::Fail(Failure::retry("the first attempt fails")),
        _ => Then::Succeed,
    });
    let report = rig.handle_batches(rig.consumer(), &effect).await?;
    ensure_eq!(
        (report.handled, report.failed_attempts),
        (3, 1),
        "handled, failed"
    );
    ensure_eq!(rig.effects().await?, ["a", "b", "c"], "the effects");
    Ok(())
}

async fn later_events_of_a_failed_key_wait(rig: Rig) -> Outcome {
    rig.publish(&["a", "b", "c", "d"]).await?;
    rig.publish_for("another", "x").await?;
    let effect = SuiteEffect::new(|due, ctx| match (due.name.as_str(), ctx.attempt()) {
        ("b", 1) => Then::Fail(Failure::retry("the first attempt fails")),
        _ => Then::Succeed,
    });
    let consumer = rig.consumer().ordered_by_key();
    let report = rig.handle_batches(consumer, &effect).await?;
    ensure_eq!(
        (report.handled, report.failed_attempts),
        (5, 1),
        "handled, failed"
    );
    let mut effects = rig.tested.effects().await?;
    effects.retain(|name| name != "x");
    ensure_eq!(
        effects,
        ["a", "b", "c", "d"],
        "the effects of the key, in order"
    );
    Ok(())
}

async fn a_dead_event_holds_its_key(rig: Rig) -> Outcome {
    rig.publish(&["a", "b", "c"]).await?;
    // As if the process had ended before it stored the letter.
    rig.give_up(&rig.letter_of(2).await?).await?;
    let log = Arc::new(Mutex::new(Vec::new()));
    let note = |log: &Mutex<Vec<String>>, what: &str| {
        let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
        log.push(what.to_owned());
    };
    let effects = Arc::clone(&log);
    let effect = SuiteEffect::new(move |due, _| {
        note(&effects, &due.name);
        Then::Succeed
    });
    let letters = Arc::clone(&log);
    let letters = DeadLetters::with(move |_| {
        note(&letters, "the letter");
        std::future::ready(Ok::<_, std::io::Error>(()))
    });
    let consumer = rig.consumer().ordered_by_key().dead_letters(letters);
    let report = rig.handle_batches(consumer, &effect).await?;
    ensure_eq!(
        (report.handled, report.dead_lettered),
        (2, 1),
        "handled, dead"
    );
    let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
    // The effect of an event before it may be rolled back, and begin again.
    log.dedup();
    ensure_eq!(*log, ["a", "the letter", "c"], "what happened to the key");
    Ok(())
}

async fn a_busy_database_fails_no_event_of_a_batch(rig: Rig) -> Outcome {
    rig.publish(&["a", "b", "c"]).await?;
    // Also the first event that is tried alone.
    let begun = AtomicU32::new(0);
    let effect = SuiteEffect::new(move |_, _| match begun.fetch_add(1, Ordering::SeqCst) {
        0 | 1 => Then::FailBy(Trouble::Busy),
        _ => Then::Succeed,
    });
    let report = rig.handle_batches(rig.consumer(), &effect).await?;
    let counts = (report.handled, report.failed_attempts, report.dead_lettered);
    ensure_eq!(counts, (3, 0, 0), "handled, failed, dead");
    ensure!(report.outages > 0, "the trouble is no outage");
    ensure_eq!(rig.effects().await?, ["a", "b", "c"], "the effects");
    Ok(())
}
