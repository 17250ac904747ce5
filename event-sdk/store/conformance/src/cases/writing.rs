//! Cases of writers: what a transaction writes, and how it comes back.

use std::collections::BTreeSet;

use bytes::Bytes;

use crate::case::cases;
use crate::failure::{Failure, Outcome, ensure, ensure_eq};
use crate::rig::{Rig, at, keyed, names, row, scheduled};

cases! { "writing":
    committed_rows_are_ready []
        "The rows of a transaction are ready after its commit, and not before.";
    rolled_back_rows_do_not_exist []
        "The rows of a transaction that was rolled back or dropped do not exist.";
    a_row_comes_back_as_it_was_written []
        "Subject, headers, body, message id, key and times come back as they were written, for any body.";
    ids_have_the_order_of_the_inserts []
        "Ids grow in the order of the inserts, within a transaction and from one to the next.";
    a_key_has_one_shard []
        "All rows of a key are in one shard.";
    keys_are_spread [Shards]
        "Keys are spread over several shards.";
}

async fn committed_rows_are_ready(rig: Rig) -> Outcome {
    let mut writing = rig.begin().await?;
    writing.insert(row("a")).await?;
    ensure_eq!(names(&rig.ready().await?), [""; 0], "before the commit");
    writing.insert(row("b")).await?;
    writing.commit().await?;
    ensure_eq!(names(&rig.ready().await?), ["a", "b"], "after the commit");
    Ok(())
}

async fn rolled_back_rows_do_not_exist(rig: Rig) -> Outcome {
    let mut writing = rig.begin().await?;
    writing.insert(row("a")).await?;
    writing.rollback().await?;
    let mut writing = rig.begin().await?;
    writing.insert(row("b")).await?;
    drop(writing);
    rig.write([row("c")]).await?;
    ensure_eq!(names(&rig.ready().await?), ["c"], "the rows");
    Ok(())
}

async fn a_row_comes_back_as_it_was_written(rig: Rig) -> Outcome {
    let mut written = keyed("Größe 'quoted'; -- 1", "key \"with\" \\ 漢字");
    let body: Vec<u8> = (0..=u8::MAX).collect();
    written.body = Bytes::from(body);
    written.created_at = at(7) + jiff::SignedDuration::from_micros(123_456);
    let header = |name: &str, value: &str| {
        let mut headers = written.headers.clone();
        headers
            .insert(name, value)
            .map_err(|why| Failure::new(why.to_string()))?;
        Outcome::Ok(headers)
    };
    written.headers = header("X-Quote", "say \"Zürich\" 'now'")?;
    let mut later = scheduled("later", at(9) + jiff::SignedDuration::from_micros(1));
    later.key = Some("k".into());
    later.cancel_key = Some("c".into());
    let mut empty = row("empty");
    empty.body = Bytes::new();
    rig.write([written.clone(), empty.clone(), later.clone()])
        .await?;

    let ready = rig.ready().await?;
    let found: Vec<_> = ready.iter().map(|row| row.message.clone()).collect();
    ensure_eq!(found, [Ok(written.clone()), Ok(empty)], "the ready rows");
    ensure_eq!(ready[0].key, written.key, "the key for the order");
    ensure_eq!(ready[0].attempts, 0, "the attempts of a new row");
    let due = rig.due(at(10)).await?;
    ensure_eq!(names(&due), ["later"], "the scheduled rows");
    let found = due[0].message.clone().map_err(Failure::new)?;
    ensure_eq!(found.not_before, later.not_before, "the earliest time");
    ensure_eq!(found.body, later.body, "the body of the scheduled row");
    Ok(())
}

async fn ids_have_the_order_of_the_inserts(rig: Rig) -> Outcome {
    rig.write(["a", "b", "c"].map(row)).await?;
    rig.write(["d", "e"].map(|name| keyed(name, "k"))).await?;
    rig.write([row("f")]).await?;
    let found = names(&rig.ready().await?);
    ensure_eq!(found, ["a", "b", "c", "d", "e", "f"], "the rows by id");
    Ok(())
}

async fn a_key_has_one_shard(rig: Rig) -> Outcome {
    for round in 0..3 {
        let keys = 0..20;
        rig.write(keys.map(|key| keyed(&format!("{round}.{key}"), &format!("key {key}"))))
            .await?;
    }
    let ready = rig.ready().await?;
    ensure_eq!(ready.len(), 60, "the number of rows");
    let places: BTreeSet<_> = ready
        .iter()
        .map(|row| (row.key.as_ref().map(ToString::to_string), row.shard))
        .collect();
    ensure_eq!(places.len(), 20, "pairs of a key and its shard");
    let shards = rig.store.shards();
    ensure!(
        ready.iter().all(|row| row.shard < shards),
        "a row is in a shard that does not exist"
    );
    Ok(())
}

async fn keys_are_spread(rig: Rig) -> Outcome {
    let keys = 0..200;
    rig.write(keys.map(|key| keyed(&format!("row {key}"), &format!("key {key}"))))
        .await?;
    let ready = rig.ready().await?;
    let shards: BTreeSet<_> = ready.iter().map(|row| row.shard).collect();
    let at_least = usize::from(rig.store.shards().min(16)) / 2;
    ensure!(
        shards.len() > at_least,
        "200 keys are in {} of {} shards",
        shards.len(),
        rig.store.shards()
    );
    Ok(())
}
