//! Cases of dead events: their records, and redrives.

use event_sdk::dead_letters::{DeadLetterClass, GivenUp};

use super::super::effect::SuiteEffect;
use super::super::rig::{Rig, letter};
use crate::case::cases;
use crate::failure::{Failure, Outcome, ensure, ensure_eq};

cases! { "dead":
    a_dead_event_is_recorded_and_has_no_effect []
        "An event that is given up is recorded as dead, and its effect is rolled back.";
    a_dead_event_is_not_handled_again []
        "An event that is recorded as dead is not handled; its letter has the reason of the record.";
    a_dead_event_keeps_its_first_reason []
        "Giving an event up once more returns the letter with class, errors, attempts and times of the first time.";
    an_event_that_is_done_is_not_given_up []
        "Giving up an event whose effect is committed changes nothing, and says so.";
    a_letter_without_an_event_id_has_no_record []
        "An event whose envelope cannot be read is given up without a record.";
    consumers_give_up_for_themselves []
        "An event that one consumer has given up is handled by another one.";
    a_redrive_passes_a_dead_record []
        "A redriven event is handled although it is recorded as dead, and is done then.";
    a_redrive_can_die_again []
        "An event that fails in its redrive is given up anew, and not with the earlier reason.";
    a_redrive_of_a_done_event_has_no_effect []
        "A redriven event that is done is acknowledged without effect.";
    a_repeated_redrive_has_one_effect []
        "An event whose redrive is delivered twice has one effect.";
}

async fn a_dead_event_is_recorded_and_has_no_effect(rig: Rig) -> Outcome {
    rig.publish(&["a", "b", "c"]).await?;
    let report = rig.handle(&SuiteEffect::rejecting(&["b"])).await?;
    ensure_eq!(
        (report.handled, report.dead_lettered),
        (2, 1),
        "handled, dead"
    );
    ensure_eq!(rig.effects().await?, ["a", "c"], "the effects");
    ensure_eq!(rig.status().await?, (2, 1), "the records, done and dead");
    Ok(())
}

async fn a_dead_event_is_not_handled_again(rig: Rig) -> Outcome {
    rig.publish(&["a"]).await?;
    // As if the process had ended before it stored the letter.
    let given_up = rig.letter_of(1).await?;
    ensure_eq!(
        rig.give_up(&given_up).await?,
        GivenUp::Dead,
        "the first time"
    );
    let effect = SuiteEffect::succeeding();
    let report = rig.handle(&effect).await?;
    ensure_eq!(
        (report.handled, report.dead_lettered),
        (0, 1),
        "handled, dead"
    );
    ensure_eq!(effect.begun(), 0, "how often the effect was begun");
    let letters = rig.letters.letters();
    ensure_eq!(letters.len(), 1, "the letters");
    ensure_eq!(
        letters[0].class,
        DeadLetterClass::RetryExhausted,
        "the class"
    );
    ensure_eq!(letters[0].errors, given_up.errors, "the errors");
    Ok(())
}

async fn a_dead_event_keeps_its_first_reason(rig: Rig) -> Outcome {
    let mut first = letter(7);
    first.attempts = 5;
    first.first_failure = first.last_failure - jiff::SignedDuration::from_millis(1_001);
    ensure_eq!(rig.give_up(&first).await?, GivenUp::Dead, "the first time");
    let mut second = first.clone();
    second.class = DeadLetterClass::Rejected;
    second.errors = vec!["another reason".to_owned()];
    second.attempts = 1;
    second.first_failure = second.last_failure;
    let GivenUp::DeadBefore(found) = rig.give_up(&second).await? else {
        return Err(Failure::new("the event is not dead before"));
    };
    ensure_eq!(*found, first, "the letter");
    ensure_eq!(rig.status().await?, (0, 1), "the records, done and dead");
    Ok(())
}

async fn an_event_that_is_done_is_not_given_up(rig: Rig) -> Outcome {
    rig.publish(&["a"]).await?;
    rig.handle(&SuiteEffect::succeeding()).await?;
    let letter = rig.letter_of(1).await?;
    ensure_eq!(rig.give_up(&letter).await?, GivenUp::Done, "the answer");
    ensure_eq!(rig.status().await?, (1, 0), "the records, done and dead");
    Ok(())
}

async fn a_letter_without_an_event_id_has_no_record(rig: Rig) -> Outcome {
    let mut letter = letter(7);
    letter.event_id = None;
    for time in ["first", "second"] {
        let given_up = rig.give_up(&letter).await?;
        ensure_eq!(given_up, GivenUp::Dead, "the {time} time");
    }
    ensure_eq!(rig.status().await?, (0, 0), "the records, done and dead");
    Ok(())
}

async fn consumers_give_up_for_themselves(rig: Rig) -> Outcome {
    rig.publish(&["a"]).await?;
    let mut letter = rig.letter_of(1).await?;
    letter.consumer = "other".into();
    ensure_eq!(
        rig.give_up(&letter).await?,
        GivenUp::Dead,
        "the other consumer"
    );
    let report = rig.handle(&SuiteEffect::succeeding()).await?;
    ensure_eq!(
        (report.handled, report.dead_lettered),
        (1, 0),
        "handled, dead"
    );
    Ok(())
}

async fn a_redrive_passes_a_dead_record(rig: Rig) -> Outcome {
    rig.publish(&["a"]).await?;
    rig.handle(&SuiteEffect::rejecting(&["a"])).await?;
    let letters = rig.letters.letters();
    ensure_eq!(letters.len(), 1, "the letters");
    rig.redrive(&letters[0]).await?;
    let report = rig.handle(&SuiteEffect::succeeding()).await?;
    ensure_eq!(
        (report.handled, report.done_before),
        (1, 0),
        "handled, repeats"
    );
    ensure_eq!(rig.effects().await?, ["a"], "the effects");
    ensure_eq!(rig.status().await?, (1, 0), "the records, done and dead");
    Ok(())
}

async fn a_redrive_can_die_again(rig: Rig) -> Outcome {
    let mut letter = letter(7);
    ensure_eq!(rig.give_up(&letter).await?, GivenUp::Dead, "the first time");
    letter.redrive = 1;
    ensure_eq!(rig.give_up(&letter).await?, GivenUp::Dead, "the redrive");
    let again = rig.give_up(&letter).await?;
    ensure!(
        matches!(again, GivenUp::DeadBefore(_)),
        "the redrive again: {again:?}"
    );
    // One that was late: the later redrive stays.
    letter.redrive = 0;
    ensure_eq!(
        rig.give_up(&letter).await?,
        GivenUp::Dead,
        "the first time again"
    );
    ensure_eq!(rig.status().await?, (0, 1), "the records, done and dead");
    letter.redrive = 1;
    let again = rig.give_up(&letter).await?;
    ensure!(
        matches!(again, GivenUp::DeadBefore(_)),
        "the redrive at last: {again:?}"
    );
    Ok(())
}

async fn a_redrive_of_a_done_event_has_no_effect(rig: Rig) -> Outcome {
    rig.publish(&["a"]).await?;
    let effect = SuiteEffect::succeeding();
    rig.handle(&effect).await?;
    rig.redrive(&rig.letter_of(1).await?).await?;
    let report = rig.handle(&effect).await?;
    ensure_eq!(
        (report.handled, report.done_before),
        (0, 1),
        "handled, repeats"
    );
    ensure_eq!(rig.effects().await?, ["a"], "the effects");
    Ok(())
}

async fn a_repeated_redrive_has_one_effect(rig: Rig) -> Outcome {
    rig.publish(&["a"]).await?;
    rig.handle(&SuiteEffect::rejecting(&["a"])).await?;
    let mut letter = rig.letter_of(1).await?;
    rig.redrive(&letter).await?;
    letter.redrive = 1;
    rig.redrive(&letter).await?;
    let effect = SuiteEffect::succeeding();
    let report = rig.handle(&effect).await?;
    ensure_eq!(
        (report.handled, report.done_before),
        (1, 1),
        "handled, repeats"
    );
    ensure_eq!(rig.effects().await?, ["a"], "the effects");
    Ok(())
}
