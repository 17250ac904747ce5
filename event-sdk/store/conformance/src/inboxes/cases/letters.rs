//! Cases of dead letters in the database of the inbox.

use std::sync::Arc;

use event_sdk::dead_letters::{DeadLetter, DeadLetterClass, DeadLetterStore, DeadLetters, GivenUp};

use super::super::effect::SuiteEffect;
use super::super::rig::{CONSUMER, Rig, STREAM, later, letter};
use crate::case::cases;
use crate::failure::{Failure, Outcome, ensure_eq};

cases! { "letters":
    a_letter_and_its_record_are_stored [Letters]
        "An event that is given up has a letter and a record, and nothing else has.";
    a_letter_comes_back_as_it_was_written [Letters]
        "Every field of a letter is kept.";
    a_letter_is_stored_once [Letters]
        "A letter whose answer was lost is not stored a second time.";
    an_event_that_is_done_has_no_letter [Letters]
        "No letter is stored for an event whose effect is committed.";
    each_redrive_has_a_letter [Letters]
        "An event that fails again in its redrive has one letter more.";
    the_letters_name_their_inbox [Letters]
        "The store of the letters has the id of the inbox, so that both are one transaction.";
    an_open_letter_keeps_its_record [Letters]
        "The record of a dead event stays as long as its letter, however old it is.";
}

fn store(rig: &Rig) -> Outcome<Arc<dyn DeadLetterStore>> {
    let store = rig.tested.dead_letters();
    store.ok_or_else(|| Failure::new("the database keeps no dead letters"))
}

async fn letters(rig: &Rig) -> Outcome<Vec<DeadLetter>> {
    Ok(rig.tested.letters().await?)
}

/// Handles the events, with the letters in the database.
async fn reject(rig: &Rig, names: &'static [&'static str]) -> Outcome {
    let consumer = rig.consumer().dead_letters(DeadLetters::store(store(rig)?));
    let effect = SuiteEffect::rejecting(names);
    let report = rig.run(rig.tested.handle(consumer, effect)).await?;
    ensure_eq!(report.dead_lettered, names.len() as u64, "the dead letters");
    Ok(())
}

async fn a_letter_and_its_record_are_stored(rig: Rig) -> Outcome {
    rig.publish(&["a", "b", "c"]).await?;
    reject(&rig, &["b"]).await?;
    ensure_eq!(rig.effects().await?, ["a", "c"], "the effects");
    ensure_eq!(rig.status().await?, (2, 1), "the records, done and dead");
    let letters = letters(&rig).await?;
    ensure_eq!(letters.len(), 1, "the letters");
    ensure_eq!(letters[0].class, DeadLetterClass::Rejected, "the class");
    ensure_eq!(letters[0].origin.sequence, 2, "the sequence");
    let original = rig.letter_of(2).await?;
    ensure_eq!(letters[0].event_id, original.event_id, "the event id");
    ensure_eq!(letters[0].body, original.body, "the body");
    Ok(())
}

async fn a_letter_comes_back_as_it_was_written(rig: Rig) -> Outcome {
    rig.publish(&["a"]).await?;
    let mut letter = rig.letter_of(1).await?;
    letter.key = Some("a key".to_owned());
    letter.sequenced = true;
    letter.redrive = 3;
    letter.errors.push("a second error".to_owned());
    letter.reason = Some("the server says so".to_owned());
    letter.attempts = 9;
    letter.first_failure = letter.last_failure - jiff::SignedDuration::from_micros(1_001);
    store(&rig)?.put(&letter).await?;
    ensure_eq!(letters(&rig).await?, [letter], "the letters");
    Ok(())
}

async fn a_letter_is_stored_once(rig: Rig) -> Outcome {
    let (store, letter) = (store(&rig)?, letter(7));
    for _ in 0..2 {
        store.put_unless_done(&letter, None).await?;
    }
    ensure_eq!(letters(&rig).await?.len(), 1, "the letters");
    ensure_eq!(rig.status().await?, (0, 1), "the records, done and dead");
    Ok(())
}

async fn an_event_that_is_done_has_no_letter(rig: Rig) -> Outcome {
    rig.publish(&["a"]).await?;
    rig.handle(&SuiteEffect::succeeding()).await?;
    let letter = rig.letter_of(1).await?;
    let given_up = store(&rig)?.put_unless_done(&letter, None).await?;
    ensure_eq!(given_up, GivenUp::Done, "the answer");
    ensure_eq!(letters(&rig).await?, [], "the letters");
    ensure_eq!(rig.status().await?, (1, 0), "the records, done and dead");
    Ok(())
}

async fn each_redrive_has_a_letter(rig: Rig) -> Outcome {
    let (store, mut letter) = (store(&rig)?, letter(7));
    for redrive in 0..3 {
        letter.redrive = redrive;
        store.put_unless_done(&letter, None).await?;
    }
    let redrives: Vec<_> = letters(&rig).await?.iter().map(|it| it.redrive).collect();
    ensure_eq!(redrives, [0, 1, 2], "the redrives of the letters");
    ensure_eq!(rig.status().await?, (0, 1), "the records, done and dead");
    Ok(())
}

async fn the_letters_name_their_inbox(rig: Rig) -> Outcome {
    let (of_letters, of_inbox) = (store(&rig)?.inbox_id(), rig.tested.inbox().id());
    ensure_eq!(
        of_letters.is_some(),
        true,
        "whether the letters name an inbox"
    );
    ensure_eq!(of_letters, of_inbox, "the inbox of the letters");
    Ok(())
}

async fn an_open_letter_keeps_its_record(rig: Rig) -> Outcome {
    rig.publish(&["a", "b"]).await?;
    reject(&rig, &["b"]).await?;
    let source = rig.source().await?;
    ensure_eq!(
        (&*source.consumer, source.stream.as_deref()),
        (CONSUMER, Some(STREAM)),
        "source"
    );
    ensure_eq!(rig.clean(2, later(), 100).await?, 1, "the deleted records");
    ensure_eq!(rig.status().await?, (0, 1), "the records, done and dead");
    Ok(())
}
