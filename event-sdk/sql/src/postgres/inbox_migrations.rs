//! The tables of the inbox and of the dead letters on PostgreSQL. Times are microseconds since 1970.

use crate::migrations::Migration;

pub(super) const INBOX: Migration = Migration {
    version: 2,
    name: "inbox",
    oldest_program: 1,
    statements: &[
        "create table {inbox} (
            consumer text not null,
            event_id uuid not null,
            redrive bigint not null,
            outcome text not null check (outcome in ('done', 'dead')),
            stream text not null,
            sequence bigint,
            recorded_at bigint not null,
            reason text,
            primary key (consumer, event_id)
        )",
        "create index {=inbox_recorded} on {inbox} (consumer, recorded_at)",
        "create table {inbox_source} (
            consumer text not null,
            stream text not null,
            cleaned_to bigint not null default 0,
            cleaner uuid,
            cleaner_until bigint,
            primary key (consumer, stream)
        )",
        "create table {inbox_owner} (
            consumer text not null,
            partition_number integer not null,
            epoch bigint not null,
            primary key (consumer, partition_number)
        )",
        "create table {dead_letter} (
            id bigint generated always as identity primary key,
            consumer text not null,
            identity text not null,
            redrive bigint not null,
            stream text not null,
            sequence bigint not null,
            subject text not null,
            prefix text,
            event_id uuid,
            event_type text,
            event_key text,
            sequenced boolean not null default false,
            class text not null,
            errors text not null,
            reason text,
            attempts bigint not null,
            first_failure bigint not null,
            last_failure bigint not null,
            headers text,
            status text not null default 'open',
            status_at bigint,
            status_by text,
            status_note text,
            retry_sequence bigint,
            body_length bigint not null,
            body bytea not null
        )",
        "create unique index {=dead_letter_identity} on {dead_letter} (consumer, identity, redrive)",
        "create index {=dead_letter_open} on {dead_letter} (consumer, event_id)
            where status = 'open'",
    ],
};
