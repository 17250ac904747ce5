//! What a store that lacks something does instead.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::failure::{Failure, Outcome, ensure, ensure_eq};
use crate::need::Need;
use crate::rig::{Rig, names, row};

pub(crate) async fn check(rig: Rig, need: Need) -> Outcome {
    match need {
        Need::ConcurrentWriters => one_writer_at_a_time(rig).await,
        Need::Shards => one_shard(&rig),
        _ => Err(Failure::new(format!("{need:?} is not a need of outboxes"))),
    }
}

/// A second writer waits for the first, so the ids have the order of the commits.
async fn one_writer_at_a_time(rig: Rig) -> Outcome {
    let first_has_ended = AtomicBool::new(false);
    let mut first = rig.begin().await?;
    first.insert(row("first")).await?;
    let second = async {
        let mut second = rig.begin().await?;
        let waited = first_has_ended.load(Ordering::SeqCst);
        second.insert(row("second")).await?;
        second.commit().await?;
        Outcome::Ok(waited)
    };
    let end = async {
        // The second writer has begun to wait, or it has written already.
        tokio::time::sleep(crate::rig::SHORT).await;
        first_has_ended.store(true, Ordering::SeqCst);
        Outcome::Ok(first.commit().await?)
    };
    let (waited, ended) = futures_util::future::join(second, end).await;
    ended?;
    ensure!(waited?, "two transactions write at the same time");
    ensure_eq!(names(&rig.ready().await?), ["first", "second"], "by id");
    Ok(())
}

fn one_shard(rig: &Rig) -> Outcome {
    ensure_eq!(rig.store.shards(), 1, "the number of shards");
    Ok(())
}
