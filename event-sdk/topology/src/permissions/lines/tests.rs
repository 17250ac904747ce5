//! Compares the lines with the table of the manual.

use std::collections::BTreeSet;

use super::{
    APPLIES, BACKS_UP, BINDS, CANCELS, COORDINATES, CREATES_ONE, CREATES_SEVERAL, DELETES, GETS,
    HEARS_EXHAUSTED, KEEPS_LETTERS, LISTS_CONSUMERS, LOOKS_AT_DURABLE, LOOKS_AT_STREAM, Line,
    PARKS, PAUSES, PURGES, READS, READS_RECORDS, RECEIVES_REDRIVEN, RECORDS, REDRIVES, RESETS,
    SCHEDULES, SUBSCRIBES_UNNAMED, TAKES,
};

const PAGE: &str = include_str!("../../../../../docs/production.md");

/// The beginnings of rows, and what they consist of.
const ROWS: &[(&str, &[&[Line]])] = &[
    (
        "consumes a durable or a group with one filter",
        &[TAKES, BINDS, CREATES_ONE],
    ),
    (
        "consumes a durable or a group with several filters",
        &[TAKES, BINDS, CREATES_SEVERAL],
    ),
    (
        "consumes a durable with one filter, creates a missing one, and receives",
        &[TAKES, BINDS, CREATES_ONE, HEARS_EXHAUSTED],
    ),
    ("consumes without a name", &[SUBSCRIBES_UNNAMED]),
    ("only takes from a durable", &[TAKES]),
    ("reads history", &[READS]),
    ("gets single messages", &[GETS]),
    ("deletes single messages", &[DELETES]),
    ("purges messages by a filter", &[PURGES]),
    ("applies its durable", &[BINDS, CREATES_ONE]),
    ("applies the streams", &[LOOKS_AT_STREAM, APPLIES]),
    ("backs up a stream", &[BACKS_UP]),
    ("lists the consumers", &[LISTS_CONSUMERS]),
    ("pauses a consumer", &[LOOKS_AT_DURABLE, PAUSES]),
    ("resets a consumer", &[LOOKS_AT_DURABLE, RESETS]),
    ("coordinates", &[COORDINATES]),
    ("keeps dead letters", &[KEEPS_LETTERS, RECEIVES_REDRIVEN]),
    ("parks events", &[PARKS]),
    ("reads and redrives dead letters", &[REDRIVES]),
    (
        "counts attempts across restarts",
        &[TAKES, BINDS, CREATES_ONE, RECORDS, READS_RECORDS],
    ),
    ("schedules events", &[SCHEDULES]),
    ("cancels and lists scheduled events", &[CANCELS]),
];

#[test]
fn the_table_of_the_manual_consists_of_the_lines() {
    let table = PAGE.split("| a service that … |").nth(1).unwrap();
    let rows: Vec<&str> = table.lines().filter(|row| row.starts_with("| ")).collect();
    for (begin, lines) in ROWS {
        let mut found = rows
            .iter()
            .filter(|row| row.trim_start_matches("| ").starts_with(begin));
        let row = found.next().unwrap_or_else(|| panic!("no row {begin}"));
        assert!(found.next().is_none(), "two rows {begin}");
        // The first cell describes, and may have code too.
        let cells = row.splitn(3, '|').nth(2).unwrap();
        let of_page: BTreeSet<_> = cells.split('`').skip(1).step_by(2).collect();
        let of_lines: BTreeSet<_> = lines
            .iter()
            .flat_map(|lines| lines.iter())
            .collect::<Vec<_>>()
            .into_iter()
            .map(|line| expanded(line.subject))
            .collect();
        let mut of_lines: BTreeSet<&str> = of_lines.iter().map(String::as_str).collect();
        of_lines.insert("_INBOX.>");
        assert_eq!(of_page, of_lines, "{begin}");
    }
}

fn expanded(subject: &str) -> String {
    subject
        .replace("{stream}", "ORDERS")
        .replace("{durable}", "billing")
        .replace("{filter}", "events.orders.>")
        .replace("{consumer}", "billing")
        .replace("{bucket}", "EVENT_SDK")
        .replace("{kv}", "KV_EVENT_SDK")
        .replace("{dlq}", "DLQ")
        .replace("{retry}", "DLQ_RETRY")
        .replace("{under}", "")
}
