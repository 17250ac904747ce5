//! All statements of the outbox on PostgreSQL.
//!
//! The columns of rows are converted so that they have the same types as on SQLite.

use crate::tables::{Statement, Tables};

/// The statements with their names.
#[derive(Debug)]
pub struct Sql {
    pub(super) insert: Statement,
    pub(super) cancel: Statement,

    pub(super) register: Statement,
    pub(super) renew: Statement,
    pub(super) relays: Statement,
    pub(super) claim: Statement,
    pub(super) release: Statement,
    pub(super) leave: Statement,
    pub(super) claim_cleaning: Statement,
    pub(super) lock_lease: Statement,

    pub(super) fetch: Statement,
    pub(super) fetch_below: Statement,
    pub(super) fetch_keys: Statement,
    pub(super) newest: Statement,
    pub(super) writing: Statement,
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
    pub(super) lock_parked: Statement,
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

/// Now, in microseconds, by the clock of the database.
const NOW: &str = "(extract(epoch from clock_timestamp()) * 1000000)::bigint";

/// The columns of a row after `ahead`.
const COLUMNS: &str = "r.subject, r.message_id, r.headers, r.body, r.created_at, r.not_before";

/// Rows and their places, from the first three parameters.
const PLACES: &str = "unnest($1::bigint[], $2::text[], $3::bigint[]) as v (id, stream, sequence)";

/// Whether the key of `r` has a parked row with a lower id.
const BEHIND_PARKED: &str = "exists (select 1 from {outbox} p
    where p.shard = r.shard and p.key = r.key and p.id < r.id
        and p.state = 1 and p.not_before is null and p.key is not null)";

impl Sql {
    #[expect(clippy::too_many_lines, reason = "a list of statements")]
    pub(super) fn new(tables: &Tables) -> Self {
        let sql = |template: &str| tables.statement(template);
        Self {
            insert: sql("insert into {outbox} (key, subject, message_id, headers, body,
                    created_at, not_before, cancel_key)
                values ($1, $2, $3, $4, $5, $6, $7, $8)"),
            cancel: sql("delete from {outbox}
                where cancel_key = $1 and cancel_key is not null and state = 0"),

            register: sql(&format!(
                "insert into {{outbox_relays}} (relay, until) values ($1::uuid, {NOW} + $2)
                on conflict (relay) do update set until = excluded.until"
            )),
            renew: sql(&format!(
                "update {{outbox_shards}} set until = {NOW} + $2
                where owner = $1::uuid
                returning shard::bigint, epoch"
            )),
            relays: sql(&format!(
                "select count(*) from {{outbox_relays}} where until > {NOW}"
            )),
            // `for update`, so that the owner's marks, which hold `for key share`, end before.
            claim: sql(&format!(
                "update {{outbox_shards}} s set owner = $1::uuid, epoch = epoch + 1, until = {NOW} + $2
                from (select shard from {{outbox_shards}}
                    where shard >= 0 and (owner is null or (owner <> $1::uuid and until < {NOW}))
                    order by shard limit $3 for update skip locked) free
                where s.shard = free.shard
                returning s.shard::bigint, s.epoch"
            )),
            release: sql("update {outbox_shards} s set owner = null, until = 0
                from unnest($2::smallint[], $3::bigint[]) as l (shard, epoch)
                where s.owner = $1::uuid and s.shard = l.shard and s.epoch = l.epoch"),
            leave: sql("with gone as (delete from {outbox_relays} where relay = $1::uuid)
                update {outbox_shards} set owner = null, until = 0 where owner = $1::uuid"),
            claim_cleaning: sql(&format!(
                "update {{outbox_shards}}
                set owner = $1::uuid, until = {NOW} + $2,
                    epoch = epoch + (owner is distinct from $1::uuid)::int
                where shard = -1 and (owner is null or owner = $1::uuid or until < {NOW})"
            )),
            lock_lease: sql("select true from {outbox_shards}
                where shard = $1 and epoch = $2 for key share"),

            // First the same number of rows of each shard: a batch then has rows of many keys, which can
            // be sent at the same time, and rows that were inserted together lie on the same pages. If
            // that leaves room, the rest comes from shards that have more.
            //
            // What lies ahead is looked up once for each key: with an old snapshot open, a look passes
            // all old versions of the key's rows.
            fetch: sql(&format!(
                "with first as materialized (
                    select s.position, s.floor, r.*
                    from unnest($1::smallint[], $2::bigint[], $4::bigint[])
                        as s (shard, position, floor)
                    cross join lateral (
                        select * from {{outbox}} o
                        where o.shard = s.shard and o.id >= s.position
                            and o.state = 0 and o.not_before is null
                        order by o.id limit $5) r
                    limit $3),
                more as materialized (
                    select s.position, s.floor, r.*
                    from (select shard, position, floor, max(id) as last from first
                        group by shard, position, floor having count(*) >= $5) s
                    cross join lateral (
                        select * from {{outbox}} o
                        where o.shard = s.shard and o.id > s.last
                            and o.state = 0 and o.not_before is null
                        order by o.id limit $3) r
                    limit $3 - (select count(*) from first)),
                found as not materialized (select * from first union all select * from more),
                keys as materialized (
                    select k.shard, k.key,
                        (select min(p.id) from {{outbox}} p
                            where p.shard = k.shard and p.key = k.key
                                and p.state = 1 and p.not_before is null and p.key is not null)
                            as parked,
                        k.floor < k.position and exists (select 1 from {{outbox}} a
                            where a.shard = k.shard and a.key = k.key
                                and a.id >= k.floor and a.id < k.position
                                and a.state = 0 and a.not_before is null and a.key is not null)
                            as is_behind
                    from (select distinct shard, key, position, floor from found
                        where key is not null) k)
                select r.id, r.shard::bigint, r.key, r.attempts::bigint,
                    case when keys.parked < r.id then 2 when keys.is_behind then 1 else 0 end::bigint,
                    {COLUMNS}
                from found r left join keys on keys.shard = r.shard and keys.key = r.key
                order by r.id"
            )),
            fetch_below: sql(&format!(
                "select r.id, r.shard::bigint, r.key, r.attempts::bigint,
                    case when r.key is not null and {BEHIND_PARKED} then 2 else 0 end::bigint,
                    {COLUMNS}
                from unnest($1::smallint[], $2::bigint[], $6::bigint[])
                    as s (shard, position, floor)
                cross join lateral (
                    select * from {{outbox}} o
                    where o.shard = s.shard and o.id >= s.floor and o.id < s.position
                        and o.state = 0 and o.not_before is null and o.id <> all ($4::bigint[])
                        and (o.key is null or o.key <> all ($5::text[]))
                    order by o.id limit $3) r
                limit $3"
            )),
            fetch_keys: sql(&format!(
                "select r.id, r.shard::bigint, r.key, r.attempts::bigint,
                    case when {BEHIND_PARKED} then 2 else 0 end::bigint, {COLUMNS}
                from unnest($1::smallint[], $2::text[], $3::bigint[], $6::bigint[])
                    as s (shard, key, position, lowest)
                cross join lateral (
                    select * from {{outbox}} o
                    where o.shard = s.shard and o.key = s.key
                        and o.id >= s.lowest and o.id < s.position
                        and o.state = 0 and o.not_before is null and o.key is not null
                        and o.id <> all ($5::bigint[])
                    order by o.id limit $4) r"
            )),
            // All lower ids are taken: transactions take them in turn.
            newest: sql("select coalesce(max(id), $1) from {outbox}"),
            // A statement locks the table before it takes an id.
            writing: sql("select virtualtransaction from pg_locks
                where relation = '{outbox}'::regclass and mode = 'RowExclusiveLock' and granted
                    and database = (select oid from pg_database where datname = current_database())"),
            claim_due: sql("update {outbox} set state = 3 where id in (
                select r.id from {outbox} r
                where r.not_before <= $1 and r.state in (0, 3) and r.not_before is not null
                    and r.shard = any ($3::smallint[])
                    and r.state = 0 and r.cancel_key is not null
                order by r.not_before, r.id limit $2 for update skip locked)"),
            fetch_due: sql(&format!(
                "select r.id, r.shard::bigint, r.key, r.attempts::bigint, 0::bigint, {COLUMNS}
                from {{outbox}} r
                where r.not_before <= $1 and r.state in (0, 3) and r.not_before is not null
                    and r.shard = any ($3::smallint[])
                    and (r.state = 3 or r.cancel_key is null)
                    and r.id <> all ($4::bigint[])
                order by r.not_before, r.id limit $2"
            )),
            has_due: sql("select exists (select 1 from {outbox} r
                where r.not_before <= $1 and r.state in (0, 3) and r.not_before is not null
                    and r.shard = any ($2::smallint[]))"),
            releases: sql("select p.id, p.shard::bigint, p.key, p.class, p.error,
                    p.attempts::bigint, p.parked_at, p.state::bigint, null::text
                from {outbox_parked} p where p.state = 1 and p.shard = any ($1::smallint[])
                order by p.id limit 16"),
            published: sql(&format!(
                "select r.id, r.shard::bigint, r.key, r.attempts::bigint, 0::bigint, {COLUMNS},
                    r.stream, r.sequence, r.published_at
                from {{outbox}} r
                where r.state = 2 and r.shard = any ($4::smallint[])
                    and (r.published_at, r.id) > ($1, $2)
                order by r.published_at, r.id limit $3"
            )),
            newest_published: sql("select distinct on (r.stream)
                    r.id, r.message_id, r.stream, r.sequence, r.published_at
                from {outbox} r
                where r.state = 2 and r.shard = any ($2::smallint[])
                    and r.stream is not null and r.sequence is not null
                    and r.published_at >= (select max(m.published_at) from {outbox} m
                        where m.state = 2) - $1
                order by r.stream, r.published_at desc, r.sequence desc"),
            published_before: sql(
                "select r.id, r.message_id, r.stream, r.sequence, r.published_at
                from {outbox} r
                where r.state = 2 and r.published_at >= $2
                    and (r.published_at, r.id) < ($3, $4)
                    and r.stream = $1 and r.sequence is not null
                    and r.shard = any ($6::smallint[])
                order by r.published_at desc, r.id desc limit $5",
            ),

            mark: sql("with lease as materialized (
                    select s.shard, s.epoch from {outbox_shards} s
                    where s.owner = $1::uuid and s.shard = any ($4::smallint[])
                    order by s.shard for key share)
                update {outbox} o
                set state = 2, published_at = coalesce(v.published_at, $2), stream = v.stream,
                    sequence = v.sequence
                from unnest($3::bigint[], $4::smallint[], $5::bigint[], $6::text[], $7::bigint[],
                        $8::bigint[])
                        as v (id, shard, epoch, stream, sequence, published_at)
                    join lease l on l.shard = v.shard and l.epoch = v.epoch
                where o.id = v.id
                returning o.id"),
            record_failure: sql("update {outbox} set attempts = $2 where id = $1"),
            park: sql("update {outbox} set state = 1, attempts = $2 where id = $1 and state <> 2"),
            forget_parked: sql("delete from {outbox_parked} where id = $1
                or (shard = $2 and key is not null and key = (select r.key from {outbox} r
                    where r.id = $1 and r.not_before is null))"),
            add_parked: sql("insert into {outbox_parked}
                    (id, shard, key, class, error, attempts, parked_at)
                select r.id, r.shard, case when r.not_before is null then r.key end, $2, $3, $4, $5
                from {outbox} r where r.id = $1"),
            // Waits for a release of the key, and lets the next one see the rows that are moved.
            lock_parked: sql("select true from {outbox_parked}
                where shard = $1 and key = $2 and key is not null for update"),
            park_behind: sql("update {outbox} set state = 1 where id in (
                    select r.id from {outbox} r
                    where r.shard = $1 and r.key = $2
                        and r.state = 0 and r.not_before is null and r.key is not null
                        and r.id > (select min(p.id) from {outbox} p
                            where p.shard = $1 and p.key = $2
                                and p.state = 1 and p.not_before is null and p.key is not null)
                    order by r.id limit $3)"),
            is_releasing: sql("select true from {outbox_parked} p
                where p.id = $1 and p.state = 1 for update"),
            release_key: sql("update {outbox} set state = 0, attempts = 0 where id in (
                select p.id from {outbox} p
                where p.shard = $1 and p.key = $2
                    and p.state = 1 and p.not_before is null and p.key is not null
                order by p.id limit $3)"),
            release_row: sql(
                "update {outbox} set state = 0, attempts = 0 where id = $1 and state = 1",
            ),
            remove_parked: sql("delete from {outbox_parked} where id = $1"),

            parked: sql("select p.id, p.shard::bigint, p.key, p.class, p.error,
                    p.attempts::bigint, p.parked_at, p.state::bigint, r.subject
                from {outbox_parked} p left join {outbox} r on r.id = p.id
                where p.id > $1 order by p.id limit $2"),
            retry_all: sql("update {outbox_parked} set state = 1 where state = 0"),
            retry_key: sql("update {outbox_parked} set state = 1 where state = 0 and key = $1"),
            retry_row: sql("update {outbox_parked} set state = 1 where state = 0 and id = $1"),
            find_parked: sql(
                "select shard::bigint, key from {outbox_parked} where id = $1 for update",
            ),
            delete_row: sql("delete from {outbox} where id = $1 and state = 1"),
            has_row: sql("select true from {outbox} where id = $1"),
            purge_key: sql("delete from {outbox} where id in (
                select p.id from {outbox} p
                where p.shard = $1 and p.key = $2
                    and p.state = 1 and p.not_before is null and p.key is not null
                order by p.id desc limit $3)"),

            // From the floors on, as the reads of the relay: below lie the entries of published rows.
            status: sql(&format!(
                "with first as materialized (
                    select s.shard, f.id, f.created_at
                    from unnest($3::smallint[], $4::bigint[]) as s (shard, floor)
                    left join lateral (
                        select o.id, o.created_at from {{outbox}} o
                        where o.shard = s.shard and o.id >= s.floor
                            and o.state = 0 and o.not_before is null
                        order by o.id limit 1) f on true)
                select
                    (select count(*) from (select 1 from first s cross join lateral (
                        select 1 from {{outbox}} o
                        where o.shard = s.shard and o.id >= s.id
                            and o.state = 0 and o.not_before is null
                        order by o.id limit $1) r limit $1) a),
                    (select count(*) from (select 1 from {{outbox}}
                        where state in (0, 3) and not_before is not null limit $1) a),
                    (select count(*) from (select 1 from {{outbox}}
                        where state = 1 and not_before is null and key is not null limit $1) a)
                        + (select count(*) from (select 1 from {{outbox_parked}}
                            where key is null limit $1) a),
                    (select count(*) from (select 1 from {{outbox_parked}} limit $1) a),
                    (select min(created_at) from first),
                    (select count(*) from (select 1 from {{outbox}}
                        where state = 2 and published_at >= $2 limit $1) a),
                    (select count(*) from {{outbox_relays}} where until > {NOW}),
                    (select array_agg(id order by shard) from first)"
            )),
            clean: sql("with gone as (delete from {outbox} where id = any (array(
                    select id from {outbox}
                    where state = 2 and published_at >= $3 and published_at < $1
                    order by published_at, id limit $2)) returning published_at)
                select count(*), max(published_at) from gone"),
            clean_relays: sql(&format!(
                "delete from {{outbox_relays}} where until < {NOW} - 86400000000"
            )),

            entries: sql(
                "select id, message_id, state::bigint, stream, sequence, published_at,
                case when state <> 2 then subject end from {outbox}
                where id > $1 order by id limit $2",
            ),
            publish_again: sql(&format!(
                "update {{outbox}} o
                set state = case when o.not_before is null or o.cancel_key is null then 0 else 3 end,
                    attempts = 0, published_at = null, stream = null, sequence = null
                from {PLACES}
                where o.id = v.id and o.state = 2 and o.stream = v.stream and o.sequence = v.sequence"
            )),
            mark_found: sql(&format!(
                "update {{outbox}} o
                set state = 2, published_at = coalesce(o.published_at, $4),
                    stream = v.stream, sequence = v.sequence
                from {PLACES} where o.id = v.id"
            )),
            forget_found: sql("delete from {outbox_parked}
                where key is null and id = any ($1::bigint[])"),
            release_found: sql("update {outbox_parked} set state = 1
                where key is not null and id = any ($1::bigint[])"),
            adopt: sql("insert into {outbox} (key, subject, message_id, headers, body, created_at,
                    state, published_at, stream, sequence)
                values ($1, $2, $3, $4, $5, $6, 2, $7, $8, $9)"),
        }
    }
}
