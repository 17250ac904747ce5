//! All statements of the outbox on SQLite.
//!
//! The condition of a partial index stands in a statement word by word, otherwise SQLite does not use
//! the index.

use crate::tables::{Statement, Tables};

/// The statements with their names.
#[derive(Debug)]
pub struct Sql {
    pub(super) insert: Statement,
    pub(super) cancel: Statement,

    pub(super) register: Statement,
    pub(super) renew: Statement,
    pub(super) owned: Statement,
    pub(super) relays: Statement,
    pub(super) claim: Statement,
    pub(super) release: Statement,
    pub(super) release_all: Statement,
    pub(super) unregister: Statement,
    pub(super) claim_cleaning: Statement,
    pub(super) is_current: Statement,

    pub(super) fetch: Statement,
    pub(super) fetch_below: Statement,
    pub(super) fetch_keys: Statement,
    pub(super) last_id: Statement,
    pub(super) claim_due: Statement,
    pub(super) fetch_due: Statement,
    pub(super) has_due: Statement,
    pub(super) releases: Statement,
    pub(super) published: Statement,
    pub(super) newest_published: Statement,
    pub(super) published_before: Statement,

    pub(super) mark: Statement,
    pub(super) record_failure: Statement,
    pub(super) park: Statement,
    pub(super) forget_parked: Statement,
    pub(super) add_parked: Statement,
    pub(super) park_behind: Statement,
    pub(super) is_releasing: Statement,
    pub(super) release_key: Statement,
    pub(super) release_row: Statement,
    pub(super) remove_parked: Statement,

    pub(super) parked: Statement,
    pub(super) retry_all: Statement,
    pub(super) retry_key: Statement,
    pub(super) retry_row: Statement,
    pub(super) find_parked: Statement,
    pub(super) delete_row: Statement,
    pub(super) has_row: Statement,
    pub(super) purge_key: Statement,

    pub(super) status: Statement,
    pub(super) clean: Statement,
    pub(super) clean_relays: Statement,

    pub(super) entries: Statement,
    pub(super) publish_again: Statement,
    pub(super) mark_found: Statement,
    pub(super) forget_found: Statement,
    pub(super) release_found: Statement,
    pub(super) adopt: Statement,
}

/// Now, in microseconds, by the clock of the machine.
const NOW: &str = "cast(unixepoch('subsec') * 1000000 as integer)";

/// The columns of a row after `ahead`.
const COLUMNS: &str = "r.subject, r.message_id, r.headers, r.body, r.created_at, r.not_before";

/// Whether the key of `r` has a parked row with a lower id.
const BEHIND_PARKED: &str = "exists (select 1 from {outbox} p
    where p.shard = r.shard and p.key = r.key and p.id < r.id
        and p.state = 1 and p.not_before is null and p.key is not null)";

/// Rows and their places, from the parameter `?1`.
const PLACES: &str = "(select value ->> 0 as id, value ->> 1 as stream, value ->> 2 as sequence
    from json_each(?1)) as v";

/// Whether the lease of shard `?1` has the epoch `?2`.
const FENCE: &str = "exists (select 1 from {outbox_shards} s where s.shard = ?1 and s.epoch = ?2)";

impl Sql {
    #[expect(clippy::too_many_lines, reason = "a list of statements")]
    pub(super) fn new(tables: &Tables) -> Self {
        let sql = |template: &str| tables.statement(template);
        Self {
            insert: sql(
                "insert into {outbox} (key, subject, message_id, headers, body,
                    created_at, not_before, cancel_key)
                values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            ),
            cancel: sql("delete from {outbox}
                where cancel_key = ?1 and cancel_key is not null and state = 0"),

            register: sql(&format!(
                "insert into {{outbox_relays}} (relay, until) values (?1, {NOW} + ?2)
                on conflict (relay) do update set until = excluded.until"
            )),
            renew: sql(&format!(
                "update {{outbox_shards}} set until = {NOW} + ?2 where owner = ?1"
            )),
            owned: sql("select shard, epoch from {outbox_shards} where owner = ?1 and shard >= 0"),
            relays: sql(&format!(
                "select count(*) from {{outbox_relays}} where until > {NOW}"
            )),
            claim: sql(&format!(
                "update {{outbox_shards}} set owner = ?1, epoch = epoch + 1, until = {NOW} + ?2
                where shard in (select shard from {{outbox_shards}}
                    where shard >= 0 and (owner is null or (owner <> ?1 and until < {NOW}))
                    order by shard limit ?3)
                returning shard, epoch"
            )),
            release: sql("update {outbox_shards} set owner = null, until = 0
                where owner = ?1 and shard = ?2 and epoch = ?3"),
            release_all: sql("update {outbox_shards} set owner = null, until = 0 where owner = ?1"),
            unregister: sql("delete from {outbox_relays} where relay = ?1"),
            claim_cleaning: sql(&format!(
                "update {{outbox_shards}}
                set owner = ?1, epoch = epoch + (owner is not ?1), until = {NOW} + ?2
                where shard = -1 and (owner is null or owner = ?1 or until < {NOW})"
            )),
            is_current: sql(&format!("select {FENCE}")),

            fetch: sql(&format!(
                "select r.id, r.shard, r.key, r.attempts,
                    case when r.key is null then 0
                        when {BEHIND_PARKED} then 2
                        when exists (select 1 from {{outbox}} a
                            where a.shard = r.shard and a.key = r.key
                                and a.id >= ?4 and a.id < ?2
                                and a.state = 0 and a.not_before is null and a.key is not null)
                            then 1
                        else 0 end,
                    {COLUMNS}
                from {{outbox}} r
                where r.shard = ?1 and r.id >= ?2 and r.state = 0 and r.not_before is null
                order by r.id limit ?3"
            )),
            fetch_below: sql(&format!(
                "select r.id, r.shard, r.key, r.attempts,
                    case when r.key is not null and {BEHIND_PARKED} then 2 else 0 end,
                    {COLUMNS}
                from {{outbox}} r
                where r.shard = ?1 and r.id >= ?6 and r.id < ?2
                    and r.state = 0 and r.not_before is null
                    and r.id not in (select value from json_each(?4))
                    and (r.key is null or r.key not in (select value from json_each(?5)))
                order by r.id limit ?3"
            )),
            // One statement for all keys, so that the rows to leave out are read once. Each key ends at
            // its limit, however many rows it has.
            fetch_keys: sql(&format!(
                "with k as materialized (select value ->> 0 as shard, value ->> 1 as key,
                        value ->> 2 as lowest, value ->> 3 as below
                    from json_each(?1))
                select r.id, r.shard, r.key, r.attempts,
                    case when {BEHIND_PARKED} then 2 else 0 end, {COLUMNS}
                from k cross join {{outbox}} r
                where r.id in (select o.id from {{outbox}} o
                    where o.shard = k.shard and o.key = k.key
                        and o.id >= k.lowest and o.id < k.below
                        and o.state = 0 and o.not_before is null and o.key is not null
                        and o.id not in (select value from json_each(?3))
                    order by o.id limit ?2)"
            )),
            // Unlike the highest id of the rows, it does not fall when they are deleted. Without
            // `autoincrement`, ids are given again, and there is none.
            last_id: sql(&format!(
                "select seq from {} where name = '{}outbox'",
                tables.schema().map_or("sqlite_sequence".to_owned(), |schema| {
                    format!("\"{schema}\".sqlite_sequence")
                }),
                tables.prefix()
            )),
            claim_due: sql("update {outbox} set state = 3 where id in (
                select r.id from {outbox} r
                where r.not_before <= ?1 and r.state in (0, 3) and r.not_before is not null
                    and r.state = 0 and r.cancel_key is not null
                order by r.not_before, r.id limit ?2)"),
            fetch_due: sql(&format!(
                "select r.id, r.shard, r.key, r.attempts, 0, {COLUMNS}
                from {{outbox}} r
                where r.not_before <= ?1 and r.state in (0, 3) and r.not_before is not null
                    and (r.state = 3 or r.cancel_key is null)
                    and r.id not in (select value from json_each(?3))
                order by r.not_before, r.id limit ?2"
            )),
            has_due: sql("select exists (select 1 from {outbox} r
                where r.not_before <= ?1 and r.state in (0, 3) and r.not_before is not null)"),
            releases: sql(
                "select p.id, p.shard, p.key, p.class, p.error, p.attempts, p.parked_at,
                    p.state, null
                from {outbox_parked} p where p.state = 1 order by p.id limit 16",
            ),
            published: sql(&format!(
                "select r.id, r.shard, r.key, r.attempts, 0, {COLUMNS}, r.stream, r.sequence,
                    r.published_at
                from {{outbox}} r
                where r.state = 2 and r.published_at >= ?1
                    and (r.published_at, r.id) > (?1, ?2)
                order by r.published_at, r.id limit ?3"
            )),
            newest_published: sql("select id, message_id, stream, sequence, published_at from (
                    select r.id, r.message_id, r.stream, r.sequence, r.published_at,
                        row_number() over (partition by r.stream
                            order by r.published_at desc, r.sequence desc) as place
                    from {outbox} r
                    where r.state = 2 and r.stream is not null and r.sequence is not null
                        and r.published_at >= (select max(m.published_at) from {outbox} m
                            where m.state = 2) - ?1)
                where place = 1"),
            published_before: sql(
                "select r.id, r.message_id, r.stream, r.sequence, r.published_at
                from {outbox} r
                where r.state = 2 and r.published_at >= ?2 and r.published_at <= ?3
                    and (r.published_at, r.id) < (?3, ?4)
                    and r.stream = ?1 and r.sequence is not null
                order by r.published_at desc, r.id desc limit ?5",
            ),

            mark: sql("update {outbox} as o
                set state = 2, published_at = coalesce(v.published_at, ?2), stream = v.stream, sequence = v.sequence
                from (select value ->> 0 as id, value ->> 1 as shard, value ->> 2 as epoch,
                        value ->> 3 as stream, value ->> 4 as sequence,
                        value ->> 5 as published_at
                    from json_each(?3)) as v
                where o.id = v.id and exists (select 1 from {outbox_shards} s
                    where s.shard = v.shard and s.epoch = v.epoch and s.owner = ?1)
                returning id"),
            record_failure: sql(&format!(
                "update {{outbox}} set attempts = ?4 where id = ?3 and {FENCE}"
            )),
            park: sql(&format!(
                "update {{outbox}} set state = 1, attempts = ?4 where id = ?3 and state <> 2 and {FENCE}"
            )),
            forget_parked: sql("delete from {outbox_parked} where id = ?1
                or (shard = ?2 and key is not null and key = (select r.key from {outbox} r
                    where r.id = ?1 and r.not_before is null))"),
            add_parked: sql("insert into {outbox_parked}
                    (id, shard, key, class, error, attempts, parked_at)
                select r.id, r.shard, case when r.not_before is null then r.key end, ?2, ?3, ?4, ?5
                from {outbox} r where r.id = ?1"),
            park_behind: sql(&format!(
                "update {{outbox}} set state = 1 where {FENCE} and id in (
                    select r.id from {{outbox}} r
                    where r.shard = ?1 and r.key = ?3
                        and r.state = 0 and r.not_before is null and r.key is not null
                        and r.id > (select min(p.id) from {{outbox}} p
                            where p.shard = ?1 and p.key = ?3
                                and p.state = 1 and p.not_before is null and p.key is not null)
                    order by r.id limit ?4)"
            )),
            is_releasing: sql(&format!(
                "select {FENCE} and exists (select 1 from {{outbox_parked}} p
                    where p.id = ?3 and p.state = 1)"
            )),
            release_key: sql("update {outbox} set state = 0, attempts = 0 where id in (
                select p.id from {outbox} p
                where p.shard = ?1 and p.key = ?2
                    and p.state = 1 and p.not_before is null and p.key is not null
                order by p.id limit ?3)"),
            release_row: sql(
                "update {outbox} set state = 0, attempts = 0 where id = ?1 and state = 1",
            ),
            remove_parked: sql("delete from {outbox_parked} where id = ?1"),

            parked: sql(
                "select p.id, p.shard, p.key, p.class, p.error, p.attempts, p.parked_at,
                    p.state, r.subject
                from {outbox_parked} p left join {outbox} r on r.id = p.id
                where p.id > ?1 order by p.id limit ?2",
            ),
            retry_all: sql("update {outbox_parked} set state = 1 where state = 0"),
            retry_key: sql("update {outbox_parked} set state = 1 where state = 0 and key = ?1"),
            retry_row: sql("update {outbox_parked} set state = 1 where state = 0 and id = ?1"),
            find_parked: sql("select shard, key from {outbox_parked} where id = ?1"),
            delete_row: sql("delete from {outbox} where id = ?1 and state = 1"),
            has_row: sql("select true from {outbox} where id = ?1"),
            purge_key: sql("delete from {outbox} where id in (
                select p.id from {outbox} p
                where p.shard = ?1 and p.key = ?2
                    and p.state = 1 and p.not_before is null and p.key is not null
                order by p.id desc limit ?3)"),

            status: sql(&format!(
                "select
                    (select count(*) from (select 1 from {{outbox}}
                        where shard = 0 and state = 0 and not_before is null limit ?1)),
                    (select count(*) from (select 1 from {{outbox}}
                        where state in (0, 3) and not_before is not null limit ?1)),
                    (select count(*) from (select 1 from {{outbox}}
                        where state = 1 and not_before is null and key is not null limit ?1))
                        + (select count(*) from (select 1 from {{outbox_parked}}
                            where key is null limit ?1)),
                    (select count(*) from (select 1 from {{outbox_parked}} limit ?1)),
                    (select created_at from {{outbox}}
                        where shard = 0 and state = 0 and not_before is null
                        order by id limit 1),
                    (select count(*) from (select 1 from {{outbox}}
                        where state = 2 and published_at >= ?2 limit ?1)),
                    (select count(*) from {{outbox_relays}} where until > {NOW})"
            )),
            clean: sql("delete from {outbox} where id in (
                select id from {outbox} where state = 2 and published_at < ?1
                order by published_at, id limit ?2)"),
            clean_relays: sql(&format!(
                "delete from {{outbox_relays}} where until < {NOW} - 86400000000"
            )),

            entries: sql(
                "select id, message_id, state, stream, sequence, published_at,
                case when state <> 2 then subject end from {outbox}
                where id > ?1 order by id limit ?2",
            ),
            publish_again: sql(&format!(
                "update {{outbox}} as o
                set state = case when o.not_before is null or o.cancel_key is null then 0 else 3 end,
                    attempts = 0, published_at = null, stream = null, sequence = null
                from {PLACES}
                where o.id = v.id and o.state = 2 and o.stream = v.stream and o.sequence = v.sequence"
            )),
            mark_found: sql(&format!(
                "update {{outbox}} as o
                set state = 2, published_at = coalesce(o.published_at, ?2),
                    stream = v.stream, sequence = v.sequence
                from {PLACES} where o.id = v.id"
            )),
            forget_found: sql("delete from {outbox_parked}
                where key is null and id in (select value ->> 0 from json_each(?1))"),
            release_found: sql("update {outbox_parked} set state = 1
                where key is not null and id in (select value ->> 0 from json_each(?1))"),
            adopt: sql("insert into {outbox} (key, subject, message_id, headers, body, created_at,
                    state, published_at, stream, sequence)
                values (?1, ?2, ?3, ?4, ?5, ?6, 2, ?7, ?8, ?9)"),
        }
    }
}
