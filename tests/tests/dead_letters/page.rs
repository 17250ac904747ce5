//! `docs/dead-letters.md`: its tables name exactly the headers that are written, and its examples
//! are what the SDK writes.

use std::collections::BTreeSet;

use event_sdk::consumer::OwnerEpoch;
use event_sdk::dead_letters::{
    Audit, DeadKey, DeadLetterClass, DeadLetterStore as _, LetterFilter, Origin, Redriven,
    StreamDeadLetters,
};
use event_sdk::headers::Headers;
use event_sdk::transport::StoredMessage;
use jiff::Timestamp;
use uuid::Uuid;

use crate::rig::{body, buses, letter, put, stored, within};

const PAGE: &str = include_str!("../../../docs/dead-letters.md");

/// The text below a heading, up to the next one.
fn section(heading: &str) -> &'static str {
    let (_, rest) = PAGE.split_once(&format!("\n## {heading}\n")).unwrap();
    rest.split("\n## ").next().unwrap()
}

/// The headers in a table: name, and whether it is always there.
fn table(heading: &str) -> Vec<(&'static str, bool)> {
    let rows = section(heading).lines();
    let rows = rows.filter(|row| row.starts_with("| `Dead-Letter-"));
    // Letters with several parts are in `large`.
    let rows = rows.filter(|row| !row.contains("several parts"));
    let cells = |row: &'static str| {
        let cells: Vec<_> = row.trim_matches('|').split(" | ").collect();
        let name = cells[0].trim().trim_matches('`');
        (name, cells[cells.len() - 1].starts_with("always"))
    };
    let table: Vec<_> = rows.map(cells).collect();
    assert!(table.len() > 5, "{heading}: {table:?}");
    table
}

fn names(headers: &Headers) -> BTreeSet<&str> {
    let names = headers.iter().map(|(name, _)| name);
    names
        .filter(|name| name.starts_with("Dead-Letter-"))
        .collect()
}

/// `full` has all headers of the table, `least` those that are always there.
fn compare(heading: &str, full: &Headers, least: &Headers) {
    let table = table(heading);
    let all: BTreeSet<_> = table.iter().map(|(name, _)| *name).collect();
    assert_eq!(names(full), all, "{heading}");
    let always = table.iter().filter(|(_, always)| *always);
    let always: BTreeSet<_> = always.map(|(name, _)| *name).collect();
    assert_eq!(names(least), always, "{heading}");
}

/// A message in the form of the page's examples. Headers have no order.
fn shown(message: &StoredMessage) -> BTreeSet<String> {
    let headers = message.headers.iter();
    let lines = headers.map(|(name, value)| format!("{name}: {value}"));
    lines.chain([message.subject.to_string()]).collect()
}

/// The lines of the examples, each subject first.
fn example(number: usize) -> BTreeSet<String> {
    let block = section("Example").split("```text\n").nth(number).unwrap();
    let lines = block.split("```").next().unwrap().lines();
    assert!(
        lines.clone().next().unwrap().contains(".billing."),
        "{block}"
    );
    lines.map(str::to_owned).collect()
}

#[tokio::test]
async fn the_page_says_what_is_written() {
    let (_server, buses) = buses().await;
    for bus in buses {
        let id = Uuid::parse_str("0193a5c2-7b1e-7c4a-9f55-2f6d6f1f0b11").unwrap();
        let time = |text: &str| text.parse::<Timestamp>().unwrap();
        let mut full = letter(7);
        full.origin.sequence = 42;
        full.event_id = Some(id);
        full.body = body(id, 7);
        full.attempts = 2;
        full.errors.push("std::io::Error; timed out".to_owned());
        full.first_failure = time("2025-11-06T12:00:01Z");
        full.last_failure = time("2025-11-06T12:00:06Z");
        full.headers = Headers::new();
        let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        full.headers.insert("traceparent", trace).unwrap();
        let mut least = letter(8);
        least.origin = Origin::new("LEGACY", 8, "legacy.tx.created", "events");
        (least.event_id, least.event_type, least.key) = (None, None, None);
        least.errors.clear();
        let mut held = full.clone();
        held.event_id = letter(9).event_id;
        held.sequenced = true;
        held.reason = Some("a reason".to_owned());
        let queue = bus.dead_letters("DLQ");
        let owner = OwnerEpoch::new(0, 57);
        for letter in [&full, &least] {
            put(&bus, letter).await;
        }
        let store = StreamDeadLetters::new(&bus, "DLQ");
        let put = store.put_unless_done(&held, Some(owner));
        within("a letter", put).await.unwrap();
        let audit = Audit::by("alice").because("the price list is complete again");
        let edited = body(id, 8);
        let redrive = queue.edit_and_redrive(1, edited, &audit);
        within("a redrive", redrive).await.unwrap();
        let rest = queue.redrive(LetterFilter::open());
        assert_eq!(within("a redrive", rest).await.unwrap().redriven, [2]);
        let requests = stored(&bus, "DLQ", "dlq.=request.>").await;
        let least = &requests[0].headers;
        let again = queue.redrive(LetterFilter::open()).audit(audit.clone());
        assert_eq!(within("a release", again).await.unwrap().released, [3]);
        let requests = stored(&bus, "DLQ", "dlq.=request.>").await;
        compare("The park", &requests[1].headers, least);
        let park = queue.park("billing");
        let taken = within("a takeover", park.take_over(owner, || true)).await;
        let park = taken.unwrap().unwrap();
        held.origin.sequence = 43;
        within("an append", park.append(&held)).await.unwrap();
        let key = DeadKey::of(&held).unwrap();
        let events = within("events", park.events(&key)).await.unwrap();
        for event in events {
            within("a mark", park.handled(&event)).await.unwrap();
        }
        let messages = stored(&bus, "DLQ", "dlq.>").await;
        let shapes = messages.iter().map(|it| shape(it.subject.as_str()));
        assert_eq!(shapes.collect::<BTreeSet<_>>(), subjects());

        let letters = stored(&bus, "DLQ", "dlq.billing.>").await;
        compare(
            "Headers of a letter",
            &letters[2].headers,
            &letters[1].headers,
        );
        let parked = stored(&bus, "DLQ", "dlq.=park.>").await;
        let mut like = names(&letters[2].headers);
        like.remove("Dead-Letter-Error");
        like.remove("Dead-Letter-Reason");
        assert_eq!(names(&parked[0].headers), like);
        let redriven = stored(&bus, "DLQ_RETRY", "retry.>").await;
        compare("Redriving", &redriven[0].headers, &redriven[1].headers);
        let states = stored(&bus, "DLQ", "dlq.=state.>").await;
        let mut least = states[1].headers.clone();
        assert_eq!(least.get("Dead-Letter-State"), Some("redriven"));
        least.remove("Dead-Letter-Retry-Sequence");
        compare("Headers of a state", &states[0].headers, &least);

        assert_eq!(shown(&letters[0]), example(1));
        let mut redriven = redriven[0].clone();
        redriven.headers.remove("Dead-Letter-Edited");
        redriven.headers = redriven
            .headers
            .iter()
            .map(|(name, value)| {
                let value = match name {
                    "Dead-Letter-Id" => "17",
                    "Dead-Letter-At" => "2025-11-07T08:00:00Z",
                    _ => value,
                };
                (name.to_owned(), value.to_owned())
            })
            .fold(Headers::new(), |mut headers, (name, value)| {
                headers.insert(name, value).unwrap();
                headers
            });
        assert_eq!(shown(&redriven), example(2));
        let read = Redriven::from_headers(&redriven.headers).unwrap();
        assert_eq!((read.redrive, read.letter, read.edited), (1, 17, false));
        assert_eq!(read.origin, full.origin);
    }
}

/// The subjects of the dead-letter stream that the page lists, with `*` in place of names.
fn subjects() -> BTreeSet<String> {
    let rows = section("Subjects").lines();
    let rows = rows.filter_map(|row| row.strip_prefix("| `")?.split_once("` |"));
    let rows = rows.filter(|(row, _)| row.starts_with("dlq.") && !row.contains("=rest"));
    let subject = |(row, _): (&str, &str)| {
        let row = row.replace("<relative subject>", "<a>.<b>.<c>");
        let tokens = row.split('.');
        let tokens = tokens.map(|it| if it.starts_with('<') { "*" } else { it });
        tokens.collect::<Vec<_>>().join(".")
    };
    rows.map(subject).collect()
}

/// A subject with `*` in place of names.
fn shape(subject: &str) -> String {
    let known = ["dlq", "=state", "=park", "=request", "=takeover"];
    let tokens = subject.split('.');
    let tokens = tokens.map(|it| if known.contains(&it) { it } else { "*" });
    tokens.collect::<Vec<_>>().join(".")
}

#[test]
fn the_page_names_every_class() {
    let rows = section("Headers of a letter").lines();
    let rows = rows.filter_map(|row| row.strip_prefix("| `")?.split_once("` |"));
    let classes: Vec<_> = rows
        .map(|(name, _)| name)
        .filter(|name| !name.starts_with("Dead-Letter-"))
        .collect();
    let of = |text: &str| DeadLetterClass::from_text(text);
    for class in &classes {
        assert!(!matches!(of(class), DeadLetterClass::Other(_)), "{class}");
        assert_eq!(of(class).as_str(), *class);
    }
    assert_eq!(classes.len(), 8, "{classes:?}");
}
