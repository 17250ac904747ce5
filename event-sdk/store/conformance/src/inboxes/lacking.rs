//! What an inbox that lacks something does instead.

use super::effect::{SuiteEffect, Then, Trouble};
use super::rig::Rig;
use crate::failure::{Failure, Outcome, ensure, ensure_eq};
use crate::need::Need;

pub(crate) async fn check(rig: Rig, need: Need) -> Outcome {
    let trouble = match need {
        Need::Letters => {
            let letters = rig.tested.dead_letters();
            ensure!(letters.is_none(), "the database keeps dead letters");
            return Ok(());
        }
        Need::Busy => Trouble::Busy,
        Need::LockTimeout => Trouble::LockTimeout,
        Need::Deadlock => Trouble::Deadlock,
        Need::SerializationFailure => Trouble::SerializationFailure,
        Need::LostConnection => Trouble::LostConnection,
        _ => return Err(Failure::new(format!("{need:?} is not a need of inboxes"))),
    };
    // The trouble cannot be: nothing happens.
    rig.publish(&["a"]).await?;
    let effect = SuiteEffect::new(move |_, _| Then::FailBy(trouble));
    let report = rig.handle(&effect).await?;
    ensure_eq!((report.handled, report.outages), (1, 0), "handled, outages");
    Ok(())
}
