//! Cases of reading ready rows: positions, limits, what lies ahead in a key, late commits.

use std::time::Duration;

use event_sdk_store::outbox::{Ahead, Except, KeyPosition};

use crate::case::cases;
use crate::failure::{Outcome, ensure_eq};
use crate::rig::{MANY, Rig, at, at_position, keyed, names, reason, row};

cases! { "reading":
    rows_are_read_from_a_position_on []
        "Ready rows are returned from the position on, which is included, by id.";
    a_limit_leaves_no_gap []
        "A limited read returns the rows of a shard that come first, and the next one goes on behind them.";
    only_the_asked_shards_are_read [Shards]
        "Rows of other shards are not returned.";
    an_unpublished_row_ahead_is_reported []
        "A row whose key has a ready row below the position is reported, and no other row is.";
    a_published_row_is_not_ahead []
        "Published rows and rows of other keys are not ahead of a row.";
    rows_below_a_position_are_read []
        "Rows below the position are returned by id, without those that are excepted, up to the limit.";
    keys_are_excepted_below_a_position []
        "Rows of an excepted key are not returned below a position; rows of other keys and without one are.";
    rows_of_keys_are_read []
        "The lowest ready rows of keys below a position are returned, without those that are excepted, up to the limit of each key.";
    a_parked_row_is_ahead_of_its_key []
        "Rows of a key that are read by key are reported as behind its parked row.";
    nothing_is_looked_at_below_a_floor []
        "Rows below a floor are neither returned below a position nor reported ahead, and those of a key are returned from an id on.";
    what_can_still_be_committed_is_not_settled [ConcurrentWriters]
        "A row of an open transaction is not settled, however often that is asked.";
    an_open_transaction_is_above_what_is_settled []
        "A row of an open transaction, and one that is written after a rollback, is not settled.";
    ids_of_deleted_rows_stay_settled []
        "After the newest rows were deleted, what is settled does not fall, and no later row lies below it.";
    a_late_commit_is_found_below [ConcurrentWriters]
        "A row that commits later than one with a higher id is found below the position.";
    a_late_commit_is_ahead_of_its_key [ConcurrentWriters]
        "After a late commit, the later rows of its key are reported as behind it.";
}

async fn rows_are_read_from_a_position_on(rig: Rig) -> Outcome {
    rig.write(["a", "b", "c"].map(|name| keyed(name, "k")))
        .await?;
    let rows = rig.ready().await?;
    let (shard, from) = (rows[0].shard, rows[1].id);
    let position = at_position(shard, from);
    let found = rig.store.fetch(vec![position], MANY).await?;
    ensure_eq!(names(&found), ["b", "c"], "from the second row on");
    let from = rows[2].id + 1;
    let position = at_position(shard, from);
    let found = rig.store.fetch(vec![position], MANY).await?;
    ensure_eq!(names(&found), [""; 0], "behind the last row");
    Ok(())
}

async fn a_limit_leaves_no_gap(rig: Rig) -> Outcome {
    let all = (0..50).map(|number| format!("row {number:02}"));
    let all: Vec<_> = all.collect();
    let mut rows = Vec::new();
    for (number, name) in all.iter().enumerate() {
        rows.push(keyed(name, &format!("key {}", number % 7)));
    }
    rig.write(rows).await?;
    let mut positions = rig.positions(0);
    let mut found = Vec::new();
    loop {
        let rows = rig.store.fetch(positions.clone(), 8).await?;
        ensure_eq!(rows.len() <= 8, true, "at most the limit");
        if rows.is_empty() {
            break;
        }
        for row in &rows {
            let position = &mut positions[usize::from(row.shard)];
            ensure_eq!(row.id >= position.from, true, "by id in a shard");
            position.from = row.id + 1;
        }
        found.extend(names(&rows));
    }
    found.sort_unstable();
    ensure_eq!(found, all, "the rows of all reads");
    Ok(())
}

async fn only_the_asked_shards_are_read(rig: Rig) -> Outcome {
    let keys = 0..60;
    rig.write(keys.map(|key| keyed(&format!("row {key}"), &format!("key {key}"))))
        .await?;
    let rows = rig.ready().await?;
    let shard = rows[0].shard;
    let position = at_position(shard, 0);
    let found = rig.store.fetch(vec![position], MANY).await?;
    let expected: Vec<_> = rows.into_iter().filter(|row| row.shard == shard).collect();
    ensure_eq!(names(&found), names(&expected), "the rows of a shard");
    let found = rig.store.fetch(Vec::new(), MANY).await?;
    ensure_eq!(names(&found), [""; 0], "the rows of no shard");
    Ok(())
}

async fn an_unpublished_row_ahead_is_reported(rig: Rig) -> Outcome {
    rig.write([keyed("a", "k"), keyed("b", "k"), keyed("c", "other")])
        .await?;
    let rows = rig.ready().await?;
    let below = rows.iter().map(|row| (row.ahead, row.id)).next();
    ensure_eq!(
        below.map(|row| row.0),
        Some(Ahead::Nothing),
        "the first row"
    );
    let ahead: Vec<_> = rows.iter().map(|row| row.ahead).collect();
    ensure_eq!(ahead, [Ahead::Nothing; 3], "rows that are read together");
    let found = rig.store.fetch(rig.positions(rows[1].id), MANY).await?;
    let mut ahead: Vec<_> = found.iter().map(|row| (row.id, row.ahead)).collect();
    ahead.sort_unstable_by_key(|row| row.0);
    let expected = [
        (rows[1].id, Ahead::Unpublished),
        (rows[2].id, Ahead::Nothing),
    ];
    ensure_eq!(ahead, expected, "the rows from the second on");
    Ok(())
}

async fn a_published_row_is_not_ahead(rig: Rig) -> Outcome {
    let owner = rig.owner().await?;
    rig.write([
        keyed("a", "k"),
        keyed("b", "other"),
        keyed("c", "k"),
        row("d"),
    ])
    .await?;
    let rows = rig.ready().await?;
    rig.publish(&owner, &[&rows[0]], at(1)).await?;
    let found = rig.store.fetch(rig.positions(rows[2].id), MANY).await?;
    let ahead: Vec<_> = found.iter().map(|row| row.ahead).collect();
    ensure_eq!(ahead, [Ahead::Nothing; 2], "the rows behind");
    Ok(())
}

async fn rows_below_a_position_are_read(rig: Rig) -> Outcome {
    rig.write(["a", "b", "c", "d", "e"].map(|name| keyed(name, "k")))
        .await?;
    let rows = rig.ready().await?;
    let below = |without: Vec<i64>, limit| {
        let store = rig.store.clone();
        let positions = rig.positions(rows[4].id);
        let except = Except {
            rows: without,
            keys: Vec::new(),
        };
        async move {
            let found = store.fetch_below(positions, except, limit).await?;
            Outcome::Ok(names(&found))
        }
    };
    let all = below(Vec::new(), MANY).await?;
    ensure_eq!(all, ["a", "b", "c", "d"], "below the last row");
    let some = below(vec![rows[0].id, rows[2].id], MANY).await?;
    ensure_eq!(some, ["b", "d"], "without the excepted rows");
    ensure_eq!(below(vec![rows[0].id], 2).await?, ["b", "c"], "two of them");
    let first = rig.positions(rows[0].id);
    let found = rig
        .store
        .fetch_below(first, Except::default(), MANY)
        .await?;
    ensure_eq!(names(&found), [""; 0], "below the first row");
    Ok(())
}

async fn keys_are_excepted_below_a_position(rig: Rig) -> Outcome {
    rig.write([
        keyed("a", "k"),
        keyed("b", "other"),
        row("c"),
        keyed("d", "k"),
    ])
    .await?;
    let except = Except {
        rows: Vec::new(),
        keys: vec!["k".into()],
    };
    let positions = rig.positions(i64::MAX);
    let mut found = names(&rig.store.fetch_below(positions, except, MANY).await?);
    found.sort_unstable();
    ensure_eq!(found, ["b", "c"], "without the key");
    Ok(())
}

async fn rows_of_keys_are_read(rig: Rig) -> Outcome {
    let all = ["a", "b", "c", "d"];
    rig.write(all.map(|name| keyed(name, "k"))).await?;
    rig.write(["e", "f"].map(|name| keyed(name, "other")))
        .await?;
    rig.write([row("g"), keyed("h", "third")]).await?;
    let rows = rig.ready().await?;
    let key = |row: usize, below: i64| KeyPosition {
        shard: rows[row].shard,
        key: rows[row].key.clone().unwrap_or("".into()),
        from: i64::MIN,
        below,
    };
    let (store, known) = (&rig.store, vec![rows[0].id]);
    let keys = vec![key(0, rows[3].id), key(4, i64::MAX)];
    let mut found = store.fetch_keys(keys, known.clone(), 2).await?;
    found.sort_by_key(|row| row.id);
    ensure_eq!(names(&found), ["b", "c", "e", "f"], "two of each key");
    let below = vec![key(0, rows[3].id)];
    let found = store.fetch_keys(below.clone(), known, MANY).await?;
    ensure_eq!(names(&found), ["b", "c"], "without the known one");
    let found = store.fetch_keys(below, Vec::new(), 2).await?;
    ensure_eq!(names(&found), ["a", "b"], "the lowest rows of a key");
    let found = store.fetch_keys(Vec::new(), Vec::new(), MANY).await?;
    ensure_eq!(names(&found), [""; 0], "of no key");
    Ok(())
}

async fn a_parked_row_is_ahead_of_its_key(rig: Rig) -> Outcome {
    let owner = rig.owner().await?;
    rig.write(["a", "b"].map(|name| keyed(name, "k"))).await?;
    let rows = rig.ready().await?;
    let lease = owner.lease(rows[0].shard)?;
    let position = KeyPosition {
        shard: rows[1].shard,
        key: "k".into(),
        from: i64::MIN,
        below: i64::MAX,
    };
    let before = rig
        .store
        .fetch_keys(vec![position.clone()], vec![rows[0].id], MANY)
        .await?;
    let parked = rig.store.park(lease, rows[0].id, reason(), at(5)).await?;
    ensure_eq!(parked, true, "the park");
    let after = rig
        .store
        .fetch_keys(vec![position], Vec::new(), MANY)
        .await?;
    let ahead: Vec<_> = [before, after]
        .iter()
        .flatten()
        .map(|row| row.ahead)
        .collect();
    ensure_eq!(ahead, [Ahead::Nothing, Ahead::Parked], "before and after");
    Ok(())
}

async fn nothing_is_looked_at_below_a_floor(rig: Rig) -> Outcome {
    let all = ["a", "b", "c", "d"];
    rig.write(all.map(|name| keyed(name, "k"))).await?;
    let (store, rows) = (&rig.store, rig.ready().await?);
    let with_floor = |from: i64, floor: i64| {
        let mut positions = rig.positions(from);
        for position in &mut positions {
            position.floor = floor;
        }
        positions
    };
    let (second, last) = (rows[1].id, rows[3].id);
    let found = store.fetch_below(with_floor(last, second), Except::default(), MANY);
    ensure_eq!(names(&found.await?), ["b", "c"], "from the floor on");
    for (floor, ahead) in [(second, Ahead::Unpublished), (last, Ahead::Nothing)] {
        let found = store.fetch(with_floor(last, floor), MANY).await?;
        let found: Vec<_> = found.iter().map(|row| row.ahead).collect();
        ensure_eq!(found, [ahead], "the last row, with rows below the floor");
    }
    let key = KeyPosition {
        shard: rows[0].shard,
        key: "k".into(),
        from: second,
        below: last,
    };
    let found = store.fetch_keys(vec![key], Vec::new(), MANY).await?;
    ensure_eq!(
        names(&found),
        ["b", "c"],
        "of the key from the second row on"
    );
    Ok(())
}

async fn what_can_still_be_committed_is_not_settled(rig: Rig) -> Outcome {
    let mut late = rig.begin().await?;
    late.insert(keyed("late", "a")).await?;
    let mut settled = i64::MIN;
    // A store may ask its database now and then only.
    for number in 0..10 {
        rig.write([keyed(&format!("early {number}"), "b")]).await?;
        settled = settled.max(rig.store.settled().await?);
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
    late.commit().await?;
    let rows = rig.ready().await?;
    let late = rows.iter().find(|row| names(&[(*row).clone()]) == ["late"]);
    let late = late.map_or(i64::MIN, |row| row.id);
    ensure_eq!(
        settled <= late,
        true,
        "the open transaction's row is not settled"
    );
    Ok(())
}

/// The highest id that is settled within some looks: a store may ask its database now and then only.
async fn settled(rig: &Rig) -> Outcome<i64> {
    let mut settled = i64::MIN;
    for _ in 0..6 {
        settled = settled.max(rig.store.settled().await?);
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
    Ok(settled)
}

async fn an_open_transaction_is_above_what_is_settled(rig: Rig) -> Outcome {
    rig.write([keyed("before", "k")]).await?;
    let mut open = rig.begin().await?;
    open.insert(keyed("rolled back", "k")).await?;
    let beside = settled(&rig).await?;
    open.rollback().await?;
    let after = settled(&rig).await?;
    let mut open = rig.begin().await?;
    open.insert(keyed("open", "k")).await?;
    let open_beside = settled(&rig).await?;
    open.commit().await?;
    let row = rig.find("open").await?;
    for (settled, when) in [
        (beside, "beside a transaction that was rolled back"),
        (after, "after it was rolled back"),
        (open_beside, "beside its own transaction"),
    ] {
        ensure_eq!(
            settled <= row.id,
            true,
            "the row is not below what was settled {when}"
        );
    }
    Ok(())
}

async fn ids_of_deleted_rows_stay_settled(rig: Rig) -> Outcome {
    let owner = rig.owner().await?;
    rig.write(["a", "b", "c"].map(|name| keyed(name, "k")))
        .await?;
    let before = settled(&rig).await?;
    let rows = rig.ready().await?;
    let published: Vec<_> = rows.iter().collect();
    rig.publish(&owner, &published, at(1)).await?;
    rig.store.clean(at(2), MANY).await?;
    let after = settled(&rig).await?;
    ensure_eq!(
        after >= before,
        true,
        "after the deletion, no less is settled"
    );
    rig.write([keyed("next", "k")]).await?;
    let next = rig.find("next").await?;
    ensure_eq!(
        next.id >= after,
        true,
        "the next row is above what is settled"
    );
    Ok(())
}

async fn a_late_commit_is_found_below(rig: Rig) -> Outcome {
    let mut late = rig.begin().await?;
    late.insert(keyed("late", "a")).await?;
    rig.write([keyed("early", "b")]).await?;
    let rows = rig.ready().await?;
    ensure_eq!(names(&rows), ["early"], "before the late commit");
    late.commit().await?;
    let positions = rig.positions(rows[0].id + 1);
    let behind = rig.store.fetch(positions.clone(), MANY).await?;
    ensure_eq!(names(&behind), [""; 0], "behind the early row");
    let except = Except {
        rows: vec![rows[0].id],
        keys: Vec::new(),
    };
    let found = rig.store.fetch_below(positions, except, MANY).await?;
    ensure_eq!(names(&found), ["late"], "below the position");
    Ok(())
}

async fn a_late_commit_is_ahead_of_its_key(rig: Rig) -> Outcome {
    let mut late = rig.begin().await?;
    late.insert(keyed("late", "k")).await?;
    rig.write([keyed("other", "o")]).await?;
    let from = rig.ready().await?[0].id + 1;
    late.commit().await?;
    // The next transaction of the key waited for the late one.
    rig.write([keyed("next", "k")]).await?;
    let found = rig.store.fetch(rig.positions(from), MANY).await?;
    let found: Vec<_> = found.iter().map(|row| row.ahead).collect();
    ensure_eq!(found, [Ahead::Unpublished], "the next row of the key");
    Ok(())
}
