//! The tables of the inbox and of the dead letters on SQLite. Times are microseconds since 1970.

use crate::migrations::Migration;

pub(super) const INBOX: Migration = Migration {
    version: 2,
    name: "inbox",
    oldest_program: 1,
    statements: &[
        "create table {inbox} (
            consumer text not null,
            event_id blob not null,
            redrive integer not null,
            outcome text not null check (outcome in ('done', 'dead')),
            stream text not null,
            sequence integer,
            recorded_at integer not null,
            reason text,
            primary key (consumer, event_id)
        ) strict, without rowid",
        "create index {inbox_recorded} on {=inbox} (consumer, recorded_at)",
        "create table {inbox_source} (
            consumer text not null,
            stream text not null,
            cleaned_to integer not null default 0,
            cleaner blob,
            cleaner_until integer,
            primary key (consumer, stream)
        ) strict, without rowid",
        "create table {inbox_owner} (
            consumer text not null,
            partition_number integer not null,
            epoch integer not null,
            primary key (consumer, partition_number)
        ) strict, without rowid",
        "create table {dead_letter} (
            id integer primary key autoincrement,
            consumer text not null,
            identity text not null,
            redrive integer not null,
            stream text not null,
            sequence integer not null,
            subject text not null,
            prefix text,
            event_id blob,
            event_type text,
            event_key text,
            sequenced integer not null default 0,
            class text not null,
            errors text not null,
            reason text,
            attempts integer not null,
            first_failure integer not null,
            last_failure integer not null,
            headers text,
            status text not null default 'open',
            status_at integer,
            status_by text,
            status_note text,
            retry_sequence integer,
            body_length integer not null,
            body blob not null
        ) strict",
        "create unique index {dead_letter_identity} on {=dead_letter} (consumer, identity, redrive)",
        "create index {dead_letter_open} on {=dead_letter} (consumer, event_id)
            where status = 'open'",
    ],
};
