//! Cases of a database that is busy or away: an outage, and no attempt.

use std::sync::atomic::{AtomicBool, Ordering};

use super::super::effect::{SuiteEffect, Then, Trouble};
use super::super::rig::Rig;
use crate::case::cases;
use crate::failure::{Outcome, ensure_eq};

cases! { "trouble":
    a_busy_database_is_an_outage [Busy]
        "A statement that fails because the database is busy counts as no attempt.";
    a_lock_timeout_is_an_outage [LockTimeout]
        "A statement that waits for a lock for too long counts as no attempt.";
    a_deadlock_is_an_outage [Deadlock]
        "A transaction that was ended because of a deadlock counts as no attempt.";
    a_serialization_failure_is_an_outage [SerializationFailure]
        "A transaction that cannot be put in an order with others counts as no attempt.";
    a_lost_connection_is_an_outage [LostConnection]
        "An effect that loses its connection counts as no attempt.";
}

async fn a_busy_database_is_an_outage(rig: Rig) -> Outcome {
    is_an_outage(rig, Trouble::Busy).await
}

async fn a_lock_timeout_is_an_outage(rig: Rig) -> Outcome {
    is_an_outage(rig, Trouble::LockTimeout).await
}

async fn a_deadlock_is_an_outage(rig: Rig) -> Outcome {
    is_an_outage(rig, Trouble::Deadlock).await
}

async fn a_serialization_failure_is_an_outage(rig: Rig) -> Outcome {
    is_an_outage(rig, Trouble::SerializationFailure).await
}

async fn a_lost_connection_is_an_outage(rig: Rig) -> Outcome {
    is_an_outage(rig, Trouble::LostConnection).await
}

/// The first effect is in trouble; then it happens once.
async fn is_an_outage(rig: Rig, trouble: Trouble) -> Outcome {
    rig.publish(&["a"]).await?;
    let first = AtomicBool::new(true);
    let effect = SuiteEffect::new(move |_, _| {
        if first.swap(false, Ordering::SeqCst) {
            Then::FailBy(trouble)
        } else {
            Then::Succeed
        }
    });
    let report = rig.handle(&effect).await?;
    let counts = (report.handled, report.failed_attempts, report.dead_lettered);
    ensure_eq!(counts, (1, 0, 0), "handled, failed, dead");
    ensure_eq!(report.outages, 1, "the outages");
    ensure_eq!(rig.effects().await?, ["a"], "the effects");
    Ok(())
}
