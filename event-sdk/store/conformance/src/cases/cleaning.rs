//! Cases of the cleaner: which rows it deletes.

use crate::case::cases;
use crate::failure::{Outcome, ensure_eq};
use crate::rig::{MANY, Rig, at, keyed, names, row, scheduled};

cases! { "cleaning":
    old_published_rows_are_deleted []
        "Rows that were published before a time are deleted, and those at it or later are kept.";
    other_rows_are_never_deleted []
        "Ready, scheduled and parked rows are not deleted, however old they are.";
    rows_are_deleted_in_batches []
        "At most the limit is deleted at a time, the oldest first, and their number is returned.";
}

async fn kept(rig: &Rig) -> Outcome<Vec<String>> {
    let rows = rig.store.published_since(rig.shards(), at(0), 0, MANY);
    let rows: Vec<_> = rows.await?.into_iter().map(|kept| kept.row).collect();
    Ok(names(&rows))
}

async fn old_published_rows_are_deleted(rig: Rig) -> Outcome {
    let owner = rig.owner().await?;
    rig.write(["a", "b", "c"].map(row)).await?;
    let rows = rig.ready().await?;
    for (row, time) in rows.iter().zip([1, 2, 3]) {
        rig.publish(&owner, &[row], at(time)).await?;
    }
    ensure_eq!(rig.store.clean(at(2), MANY).await?, 1, "the deleted rows");
    ensure_eq!(kept(&rig).await?, ["b", "c"], "the rows that are kept");
    ensure_eq!(rig.store.clean(at(2), MANY).await?, 0, "deleted once more");
    Ok(())
}

async fn other_rows_are_never_deleted(rig: Rig) -> Outcome {
    let owner = rig.owner().await?;
    rig.write([row("a"), scheduled("b", at(1)), keyed("c", "k")])
        .await?;
    rig.park(&owner, "c").await?;
    ensure_eq!(rig.store.clean(at(999), MANY).await?, 0, "the deleted rows");
    ensure_eq!(names(&rig.ready().await?), ["a"], "the ready rows");
    ensure_eq!(names(&rig.due(at(1)).await?), ["b"], "the scheduled rows");
    ensure_eq!(rig.parked().await?.len(), 1, "the parked entries");
    Ok(())
}

async fn rows_are_deleted_in_batches(rig: Rig) -> Outcome {
    let owner = rig.owner().await?;
    rig.write(["a", "b", "c", "d", "e"].map(row)).await?;
    let rows = rig.ready().await?;
    for (row, time) in rows.iter().zip([5, 4, 3, 2, 1]) {
        rig.publish(&owner, &[row], at(time)).await?;
    }
    ensure_eq!(rig.store.clean(at(9), 2).await?, 2, "the first batch");
    ensure_eq!(kept(&rig).await?, ["c", "b", "a"], "after the first batch");
    ensure_eq!(rig.store.clean(at(9), 2).await?, 2, "the second batch");
    ensure_eq!(rig.store.clean(at(9), 2).await?, 1, "the third batch");
    Ok(())
}
