//! Cases of effects: each happens once, with its record.

use event_sdk::consumer::Failure;

use super::super::effect::{SuiteEffect, Then};
use super::super::rig::Rig;
use crate::case::cases;
use crate::failure::{Outcome, ensure_eq};

cases! { "effects":
    an_effect_is_committed_with_its_record []
        "The effect of a first delivery and the record that its event is done are committed.";
    a_repeat_has_no_effect []
        "An event that comes again after its effect is acknowledged without another one.";
    a_repeat_in_a_later_run_has_no_effect []
        "The record outlives the consumer that wrote it.";
    a_failed_effect_leaves_nothing []
        "What an effect wrote before it failed is rolled back, with the record.";
    consumers_have_records_of_their_own []
        "An event that one consumer has handled is handled by another one.";
    of_two_deliveries_at_once_one_has_the_effect []
        "Of two handlers that have one event at the same time, one commits its effect.";
}

async fn an_effect_is_committed_with_its_record(rig: Rig) -> Outcome {
    rig.publish(&["a", "b", "c"]).await?;
    let report = rig.handle(&SuiteEffect::succeeding()).await?;
    ensure_eq!(
        (report.handled, report.done_before),
        (3, 0),
        "handled, repeats"
    );
    ensure_eq!(rig.effects().await?, ["a", "b", "c"], "the effects");
    ensure_eq!(rig.status().await?, (3, 0), "the records, done and dead");
    Ok(())
}

async fn a_repeat_has_no_effect(rig: Rig) -> Outcome {
    rig.publish_twice("a").await?;
    let effect = SuiteEffect::succeeding();
    let report = rig.handle(&effect).await?;
    ensure_eq!(
        (report.handled, report.done_before),
        (1, 1),
        "handled, repeats"
    );
    ensure_eq!(effect.begun(), 1, "how often the effect was begun");
    ensure_eq!(rig.effects().await?, ["a"], "the effects");
    Ok(())
}

async fn a_repeat_in_a_later_run_has_no_effect(rig: Rig) -> Outcome {
    rig.publish(&["a"]).await?;
    let effect = SuiteEffect::succeeding();
    rig.handle(&effect).await?;
    rig.lose_position().await?;
    let report = rig.handle_from_the_start(&effect).await?;
    ensure_eq!(
        (report.handled, report.done_before),
        (0, 1),
        "handled, repeats"
    );
    ensure_eq!(rig.effects().await?, ["a"], "the effects");
    Ok(())
}

async fn a_failed_effect_leaves_nothing(rig: Rig) -> Outcome {
    rig.publish(&["a"]).await?;
    let effect = SuiteEffect::new(|_, ctx| match ctx.attempt() {
        1 => Then::Fail(Failure::retry("the first attempt fails")),
        _ => Then::Succeed,
    });
    let report = rig.handle(&effect).await?;
    ensure_eq!(
        (report.handled, report.failed_attempts),
        (1, 1),
        "handled, failed"
    );
    ensure_eq!(effect.begun(), 2, "how often the effect was begun");
    ensure_eq!(rig.effects().await?, ["a"], "the effects");
    Ok(())
}

async fn consumers_have_records_of_their_own(rig: Rig) -> Outcome {
    rig.publish(&["a"]).await?;
    let effect = SuiteEffect::succeeding();
    rig.handle(&effect).await?;
    let other = rig.bus.consumer("other");
    let other = rig.tested.handle(other, effect.clone());
    let mut seen = Ok(());
    let both = || async { Ok(rig.effects().await? == ["a", "a"]) };
    let report = other
        .run_until(async { seen = rig.until("the effect of another consumer", both).await })
        .await?;
    seen?;
    ensure_eq!(
        (report.handled, report.done_before),
        (1, 0),
        "handled, repeats"
    );
    ensure_eq!(rig.status().await?, (1, 0), "the records of the first");
    Ok(())
}

async fn of_two_deliveries_at_once_one_has_the_effect(rig: Rig) -> Outcome {
    let names = ["a", "b", "c", "d"];
    for name in names {
        rig.publish_twice(name).await?;
    }
    let consumer = rig.consumer().concurrency(8);
    let consumer = rig.tested.handle(consumer, SuiteEffect::succeeding());
    let report = rig.run(consumer).await?;
    ensure_eq!(
        (report.handled, report.done_before),
        (4, 4),
        "handled, repeats"
    );
    ensure_eq!(rig.effects().await?, names, "the effects");
    Ok(())
}
