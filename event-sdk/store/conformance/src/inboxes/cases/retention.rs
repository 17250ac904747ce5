//! Cases of the retention: which records a cleaner deletes, and which events are refused afterwards.

use std::time::Duration;

use event_sdk_store::inbox::{InboxCleaner, InboxSource};
use jiff::Timestamp;
use uuid::Uuid;

use super::super::effect::SuiteEffect;
use super::super::rig::{CONSUMER, Rig, STREAM, earlier, later};
use crate::case::cases;
use crate::failure::{Outcome, ensure, ensure_eq};

cases! { "retention":
    a_source_is_known_with_its_first_record []
        "Consumer and stream of records can be listed, for effects and for dead events.";
    old_records_are_deleted []
        "Records that were written before a time are deleted, and their number is returned.";
    young_records_stay []
        "Records that were written at a time or later are not deleted.";
    records_above_the_floor_stay []
        "Records of events above the floor are not deleted: the server may deliver these again.";
    records_are_deleted_in_batches []
        "At most the limit is deleted at a time.";
    records_of_other_consumers_stay []
        "Cleaning one consumer deletes nothing of another one.";
    the_floor_never_falls []
        "The floor is the highest sequence of an old record that was acknowledged, and never falls.";
    one_cleaner_cleans []
        "One cleaner at a time has the right to clean a source; when its time is over, another can get it.";
    a_redrive_that_is_done_keeps_its_record []
        "The record of a redriven event stays, since the retry stream may deliver it again.";
    an_event_whose_record_may_be_gone_is_refused []
        "An event at or below the floor that has no record is not handled, because it may have been.";
    a_first_delivery_is_never_refused []
        "An event above the floor is handled, also if older records were deleted.";
    a_cleaner_cleans []
        "A cleaner deletes what its consumer has acknowledged, and keeps all if the position is unknown.";
}

async fn handled(names: &[&str], rig: &Rig) -> Outcome {
    rig.publish(names).await?;
    rig.handle(&SuiteEffect::succeeding()).await?;
    Ok(())
}

async fn a_source_is_known_with_its_first_record(rig: Rig) -> Outcome {
    ensure_eq!(rig.tested.store().sources().await?, [], "the sources");
    handled(&["a"], &rig).await?;
    let source = rig.source().await?;
    let found = (&*source.consumer, source.stream.as_deref(), source.floor);
    ensure_eq!(found, (CONSUMER, Some(STREAM), 0), "the source");
    let mut letter = rig.letter_of(1).await?;
    letter.consumer = "other".into();
    rig.give_up(&letter).await?;
    ensure_eq!(rig.tested.store().sources().await?.len(), 2, "the sources");
    Ok(())
}

async fn old_records_are_deleted(rig: Rig) -> Outcome {
    handled(&["a", "b", "c"], &rig).await?;
    ensure_eq!(rig.clean(3, later(), 100).await?, 3, "the deleted records");
    ensure_eq!(rig.status().await?, (0, 0), "the records, done and dead");
    ensure_eq!(rig.clean(3, later(), 100).await?, 0, "deleted once more");
    Ok(())
}

async fn young_records_stay(rig: Rig) -> Outcome {
    handled(&["a", "b"], &rig).await?;
    ensure_eq!(
        rig.clean(2, earlier(), 100).await?,
        0,
        "the deleted records"
    );
    ensure_eq!(rig.source().await?.floor, 0, "the floor");
    // Nor if everything was acknowledged.
    let (store, source) = (rig.tested.store(), rig.source().await?);
    let floor = store.raise_floor(source.clone(), 2, later()).await?;
    let source = InboxSource::new(source.consumer, source.stream, floor);
    let deleted = store.clean(source, earlier(), 100).await?;
    ensure_eq!(
        (floor, deleted),
        (2, 0),
        "the floor, and the deleted records"
    );
    ensure_eq!(rig.status().await?, (2, 0), "the records, done and dead");
    Ok(())
}

async fn records_above_the_floor_stay(rig: Rig) -> Outcome {
    handled(&["a", "b", "c"], &rig).await?;
    ensure_eq!(rig.clean(2, later(), 100).await?, 2, "the deleted records");
    ensure_eq!(rig.status().await?, (1, 0), "the records, done and dead");
    Ok(())
}

async fn records_are_deleted_in_batches(rig: Rig) -> Outcome {
    handled(&["a", "b", "c", "d", "e"], &rig).await?;
    for (batch, deleted) in [2, 2, 1, 0].into_iter().enumerate() {
        let found = rig.clean(5, later(), 2).await?;
        ensure_eq!(found, deleted, "what batch {batch} deletes");
    }
    Ok(())
}

async fn records_of_other_consumers_stay(rig: Rig) -> Outcome {
    handled(&["a"], &rig).await?;
    let mut letter = rig.letter_of(1).await?;
    letter.consumer = "other".into();
    rig.give_up(&letter).await?;
    ensure_eq!(rig.clean(1, later(), 100).await?, 1, "the deleted records");
    let other = rig.tested.store().inbox_status("other".into()).await?;
    ensure_eq!(other.dead, 1, "the records of the other consumer");
    Ok(())
}

async fn the_floor_never_falls(rig: Rig) -> Outcome {
    handled(&["a", "b", "c"], &rig).await?;
    let (store, source) = (rig.tested.store(), rig.source().await?);
    let raise = |acknowledged| store.raise_floor(source.clone(), acknowledged, later());
    ensure_eq!(raise(2).await?, 2, "the floor of two");
    ensure_eq!(raise(1).await?, 2, "the floor after a lower position");
    ensure_eq!(raise(1_000).await?, 3, "the floor of all");
    ensure_eq!(rig.source().await?.floor, 3, "the floor of the source");
    Ok(())
}

async fn one_cleaner_cleans(rig: Rig) -> Outcome {
    handled(&["a"], &rig).await?;
    let (store, source) = (rig.tested.store(), rig.source().await?);
    let now = Timestamp::now();
    let claim = |cleaner: u128, seconds: i64| {
        let now = now + jiff::SignedDuration::from_secs(seconds);
        let ttl = Duration::from_secs(10);
        store.claim_cleaning(source.clone(), Uuid::from_u128(cleaner), now, ttl)
    };
    ensure!(claim(1, 0).await?, "it is free");
    ensure!(!claim(2, 5).await?, "two clean");
    ensure!(claim(1, 6).await?, "the first cannot renew");
    ensure!(!claim(2, 15).await?, "the renewal does not last");
    ensure!(claim(2, 17).await?, "it is free again");
    ensure!(!claim(1, 18).await?, "two clean");
    Ok(())
}

async fn a_redrive_that_is_done_keeps_its_record(rig: Rig) -> Outcome {
    rig.publish(&["a", "b"]).await?;
    rig.handle(&SuiteEffect::rejecting(&["a"])).await?;
    rig.redrive(&rig.letter_of(1).await?).await?;
    rig.handle(&SuiteEffect::succeeding()).await?;
    ensure_eq!(rig.status().await?, (2, 0), "the records, done and dead");
    ensure_eq!(rig.clean(2, later(), 100).await?, 1, "the deleted records");
    ensure_eq!(rig.status().await?, (1, 0), "the records, done and dead");
    Ok(())
}

async fn an_event_whose_record_may_be_gone_is_refused(rig: Rig) -> Outcome {
    handled(&["a", "b"], &rig).await?;
    rig.clean(2, later(), 100).await?;
    rig.lose_position().await?;
    rig.publish(&["c"]).await?;
    let effect = SuiteEffect::succeeding();
    let report = rig.handle_from_the_start(&effect).await?;
    ensure_eq!(
        (report.handled, report.dead_lettered),
        (1, 2),
        "handled, dead"
    );
    ensure_eq!(rig.effects().await?, ["a", "b", "c"], "the effects");
    Ok(())
}

async fn a_first_delivery_is_never_refused(rig: Rig) -> Outcome {
    handled(&["a", "b"], &rig).await?;
    rig.clean(2, later(), 100).await?;
    rig.publish(&["c"]).await?;
    let report = rig.handle(&SuiteEffect::succeeding()).await?;
    ensure_eq!(
        (report.handled, report.dead_lettered),
        (1, 0),
        "handled, dead"
    );
    Ok(())
}

async fn a_cleaner_cleans(rig: Rig) -> Outcome {
    handled(&["a", "b", "c"], &rig).await?;
    let cleaner = InboxCleaner::new(rig.tested.store(), &rig.bus, Duration::ZERO).batch(2);
    // Records of the same microsecond as the cleaner's clock are young.
    rig.until("the records are old", || async {
        cleaner.clean_once().await?;
        Ok(rig.status().await? == (0, 0))
    })
    .await?;
    ensure_eq!(rig.source().await?.floor, 3, "the floor");
    handled(&["d"], &rig).await?;
    rig.lose_position().await?;
    let report = cleaner.clean_once().await?;
    ensure_eq!((report.deleted, report.kept.len()), (0, 1), "deleted, kept");
    ensure_eq!(rig.status().await?, (1, 0), "the records, done and dead");
    Ok(())
}
