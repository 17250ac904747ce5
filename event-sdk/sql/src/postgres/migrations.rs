//! The migrations of the tables on PostgreSQL.
//!
//! States of a row: 0 ready, or scheduled if it has a `not_before`; 1 parked; 2 published; 3 scheduled
//! and on its way, so that it cannot be cancelled any more. Times are microseconds since 1970.

use super::inbox_migrations::INBOX;
use crate::migrations::Migration;

/// The number of shards. The generated column of version 1 contains it.
pub(super) const SHARDS: u16 = 64;

/// All migrations, the oldest first.
pub(super) const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "outbox",
    oldest_program: 1,
    statements: &[
        // The shard is computed here, so that other programs need not know how.
        "create table {outbox} (
            id bigint generated always as identity primary key,
            shard smallint not null generated always as
                ((get_byte(decode(md5(coalesce(key, message_id)), 'hex'), 0) & 63)::smallint) stored,
            key text,
            subject text not null,
            message_id text not null,
            headers text,
            body bytea not null,
            created_at bigint not null
                default ((extract(epoch from clock_timestamp()) * 1000000)::bigint),
            not_before bigint,
            cancel_key text,
            state smallint not null default 0 check (state in (0, 1, 2, 3)),
            attempts integer not null default 0,
            published_at bigint,
            stream text,
            sequence bigint
        )",
        "create index {=outbox_ready} on {outbox} (shard, id)
            where state = 0 and not_before is null",
        "create index {=outbox_ahead} on {outbox} (shard, key, id)
            where state = 0 and not_before is null and key is not null",
        "create index {=outbox_behind} on {outbox} (shard, key, id)
            where state = 1 and not_before is null and key is not null",
        "create index {=outbox_due} on {outbox} (not_before, id)
            where state in (0, 3) and not_before is not null",
        "create index {=outbox_cancel} on {outbox} (cancel_key)
            where cancel_key is not null and state = 0",
        "create index {=outbox_published} on {outbox} (published_at, id) where state = 2",
        // The shard -1 is the right to clean.
        "create table {outbox_shards} (
            shard smallint primary key,
            owner uuid,
            epoch bigint not null default 0,
            until bigint not null default 0
        ) with (fillfactor = 50)",
        "insert into {outbox_shards} (shard) select generate_series(-1, 63)",
        "create table {outbox_relays} (
            relay uuid primary key,
            until bigint not null
        ) with (fillfactor = 50)",
        "create table {outbox_parked} (
            id bigint primary key,
            shard smallint not null,
            key text,
            class text not null,
            error text not null,
            attempts integer not null,
            parked_at bigint not null,
            state smallint not null default 0
        )",
        "create unique index {=outbox_parked_key} on {outbox_parked} (shard, key)
            where key is not null",
        // For other languages and object mappers: in the transaction of the caller.
        "create function {outbox_enqueue} (
            subject text, message_id text, body bytea, key text default null,
            headers text default null, not_before timestamptz default null,
            cancel_key text default null
        ) returns bigint language sql as $$
            insert into {outbox} (subject, message_id, body, key, headers, not_before, cancel_key)
            values ($1, $2, $3, $4, $5, (extract(epoch from $6) * 1000000)::bigint, $7)
            returning id
        $$",
    ],
}, INBOX];

/// The table of migrations.
pub(super) const TABLE: &str = "create table if not exists {migrations} (
    version bigint primary key,
    name text not null,
    oldest_program bigint not null,
    applied_at timestamptz not null default clock_timestamp()
)";
