//! The migrations of the tables on SQLite.
//!
//! States of a row: 0 ready, or scheduled if it has a `not_before`; 1 parked; 2 published; 3 scheduled
//! and on its way, so that it cannot be cancelled any more. Times are microseconds since 1970.
//! A partial index is used only by statements that contain its condition word by word.

use super::inbox_migrations::INBOX;
use crate::migrations::Migration;

/// All migrations, the oldest first.
pub(super) const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        name: "outbox",
        oldest_program: 1,
        statements: &[
            // Ids must not be used again after the cleaner: hence `autoincrement`.
            "create table {outbox} (
            id integer primary key autoincrement,
            shard integer not null default 0,
            key text,
            subject text not null,
            message_id text not null,
            headers text,
            body blob not null,
            created_at integer not null default (cast(unixepoch('subsec') * 1000000 as integer)),
            not_before integer,
            cancel_key text,
            state integer not null default 0 check (state in (0, 1, 2, 3)),
            attempts integer not null default 0,
            published_at integer,
            stream text,
            sequence integer
        ) strict",
            "create index {outbox_ready} on {=outbox} (shard, id)
            where state = 0 and not_before is null",
            "create index {outbox_ahead} on {=outbox} (shard, key, id)
            where state = 0 and not_before is null and key is not null",
            "create index {outbox_behind} on {=outbox} (shard, key, id)
            where state = 1 and not_before is null and key is not null",
            "create index {outbox_due} on {=outbox} (not_before, id)
            where state in (0, 3) and not_before is not null",
            "create index {outbox_cancel} on {=outbox} (cancel_key)
            where cancel_key is not null and state = 0",
            "create index {outbox_published} on {=outbox} (published_at, id) where state = 2",
            // The shard -1 is the right to clean.
            "create table {outbox_shards} (
            shard integer primary key,
            owner text,
            epoch integer not null default 0,
            until integer not null default 0
        ) strict",
            "insert into {outbox_shards} (shard) values (-1), (0)",
            "create table {outbox_relays} (
            relay text primary key,
            until integer not null
        ) strict",
            "create table {outbox_parked} (
            id integer primary key,
            shard integer not null,
            key text,
            class text not null,
            error text not null,
            attempts integer not null,
            parked_at integer not null,
            state integer not null default 0
        ) strict",
            "create unique index {outbox_parked_key} on {=outbox_parked} (shard, key)
            where key is not null",
        ],
    },
    INBOX,
];

/// The table of migrations.
pub(super) const TABLE: &str = "create table if not exists {migrations} (
    version integer primary key,
    name text not null,
    oldest_program integer not null,
    applied_at integer not null default (cast(unixepoch('subsec') * 1000000 as integer))
) strict";
