//! Cases of owners: one that was replaced, and does not know it, writes nothing.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use event_sdk::consumer::{Attempt, AttemptService};
use event_sdk::dead_letters::GivenUp;
use tower_layer::Layer;
use tower_service::Service;

use super::super::effect::SuiteEffect;
use super::super::rig::{Rig, letter};
use crate::case::cases;
use crate::failure::{Outcome, ensure, ensure_eq};

cases! { "owners":
    an_owner_has_effects []
        "Events of a consumer with one owner have their effects, also after a takeover.";
    a_replaced_owner_has_no_effect []
        "An effect of an owner with a lower epoch is refused, and counts as no attempt.";
    a_replaced_owner_gives_nothing_up []
        "An owner with a lower epoch records nothing as dead.";
    a_replaced_owner_stores_no_letter [Letters]
        "An owner with a lower epoch stores no letter.";
    an_owner_gives_up_again_and_again []
        "An owner with the current epoch, or a higher one, gives events up.";
    each_partition_has_its_epoch []
        "The epoch of one partition says nothing about another one.";
    each_consumer_has_its_epochs []
        "The epoch of one consumer says nothing about another one.";
}

/// A term of ownership that is short enough for a takeover in a case.
const TERM: Duration = Duration::from_secs(2);

/// Higher than the epochs of a new bus.
const HIGH: u64 = 1_000_000;

async fn an_owner_has_effects(rig: Rig) -> Outcome {
    for name in ["a", "b"] {
        rig.publish(&[name]).await?;
        let consumer = rig.consumer().single_active_for(TERM);
        let effect = SuiteEffect::succeeding();
        let report = rig.run(rig.tested.handle(consumer, effect)).await?;
        ensure_eq!((report.handled, report.outages), (1, 0), "handled, outages");
    }
    ensure_eq!(rig.effects().await?, ["a", "b"], "the effects");
    Ok(())
}

async fn a_replaced_owner_has_no_effect(rig: Rig) -> Outcome {
    rig.publish(&["a"]).await?;
    rig.give_up_as(&letter(99), 0, HIGH).await?;
    let (effect, refused) = (SuiteEffect::succeeding(), Refused::default());
    let consumer = rig
        .consumer()
        .single_active_for(TERM)
        .layer(refused.clone());
    let consumer = rig.tested.handle(consumer, effect.clone());
    let mut seen = Ok(());
    let some = || async { Ok(refused.count() > 0) };
    let report = consumer
        .run_until(async { seen = rig.until("a refused attempt", some).await })
        .await?;
    seen?;
    let counts = (report.handled, report.failed_attempts, report.dead_lettered);
    ensure_eq!(counts, (0, 0, 0), "handled, failed, dead");
    ensure!(report.outages > 0, "the refusal is no outage");
    ensure_eq!(effect.begun(), 0, "how often the effect was begun");
    ensure_eq!(rig.effects().await?.len(), 0, "the effects");
    Ok(())
}

async fn a_replaced_owner_gives_nothing_up(rig: Rig) -> Outcome {
    rig.give_up_as(&letter(1), 0, 9).await?;
    let refused = rig.give_up_as(&letter(2), 0, 8).await;
    ensure!(refused.is_err(), "an old owner gives up: {refused:?}");
    ensure_eq!(rig.status().await?, (0, 1), "the records, done and dead");
    let successor = rig.give_up_as(&letter(2), 0, 9).await?;
    ensure_eq!(successor, GivenUp::Dead, "what the owner is told");
    Ok(())
}

async fn a_replaced_owner_stores_no_letter(rig: Rig) -> Outcome {
    use event_sdk::consumer::OwnerEpoch;
    rig.give_up_as(&letter(1), 0, 9).await?;
    let Some(letters) = rig.tested.dead_letters() else {
        return Err(crate::failure::Failure::new(
            "the database keeps no letters",
        ));
    };
    let old = Some(OwnerEpoch::new(0, 8));
    let refused = letters.put_unless_done(&letter(2), old).await;
    ensure!(
        refused.is_err(),
        "an old owner stores a letter: {refused:?}"
    );
    ensure_eq!(rig.tested.letters().await?.len(), 0, "the letters");
    ensure_eq!(rig.status().await?, (0, 1), "the records, done and dead");
    Ok(())
}

async fn an_owner_gives_up_again_and_again(rig: Rig) -> Outcome {
    for (sequence, epoch) in [(1, 4), (2, 4), (3, 7), (4, 7)] {
        let given_up = rig.give_up_as(&letter(sequence), 0, epoch).await?;
        ensure_eq!(given_up, GivenUp::Dead, "in epoch {epoch}");
    }
    ensure_eq!(rig.status().await?, (0, 4), "the records, done and dead");
    Ok(())
}

async fn each_partition_has_its_epoch(rig: Rig) -> Outcome {
    rig.give_up_as(&letter(1), 0, 9).await?;
    let other = rig.give_up_as(&letter(2), 1, 3).await?;
    ensure_eq!(other, GivenUp::Dead, "in another partition");
    Ok(())
}

async fn each_consumer_has_its_epochs(rig: Rig) -> Outcome {
    rig.give_up_as(&letter(1), 0, 9).await?;
    let mut letter = letter(2);
    letter.consumer = "other".into();
    let other = rig.give_up_as(&letter, 0, 3).await?;
    ensure_eq!(other, GivenUp::Dead, "of another consumer");
    Ok(())
}

/// Counts attempts that fail.
#[derive(Clone, Debug, Default)]
struct Refused(Arc<AtomicU32>);

impl Refused {
    fn count(&self) -> u32 {
        self.0.load(Ordering::SeqCst)
    }
}

impl Layer<AttemptService> for Refused {
    type Service = Counting;

    fn layer(&self, inner: AttemptService) -> Counting {
        Counting {
            inner,
            refused: self.clone(),
        }
    }
}

#[derive(Clone, Debug)]
struct Counting {
    inner: AttemptService,
    refused: Refused,
}

impl Service<Attempt> for Counting {
    type Response = ();
    type Error = <AttemptService as Service<Attempt>>::Error;
    type Future = Pin<Box<dyn Future<Output = Result<(), Self::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, attempt: Attempt) -> Self::Future {
        let (attempted, refused) = (self.inner.call(attempt), self.refused.clone());
        Box::pin(async move {
            let ended = attempted.await;
            if ended.is_err() {
                refused.0.fetch_add(1, Ordering::SeqCst);
            }
            ended
        })
    }
}
