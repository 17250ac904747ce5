//! Order, causes, chunks and memory bounds of the timeline.

use std::collections::{HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};

use super::{Moment, Timeline};
use crate::events::FlightEvents;
use crate::flights_file::{FlightsFile, Outcome, Row};

const REAL: &str = include_str!("../../data/flights-2013-01-01-to-03.csv");
const REAL_EVENTS: usize = 2_699 + 2_677 + 2_674 + 22;

fn real_rows() -> Vec<Row> {
    let file = FlightsFile::new(REAL.as_bytes()).unwrap();
    file.map(|row| row.unwrap().unwrap()).collect()
}

fn real_row(line: u64) -> Row {
    let rows = real_rows();
    rows.into_iter().find(|row| row.line == line).unwrap()
}

/// The same flights some days later, or earlier.
fn shifted(rows: &[Row], days: i64) -> impl Iterator<Item = Row> {
    rows.iter().cloned().map(move |mut row| {
        let by = SignedDuration::from_hours(24 * days);
        row.date += by;
        row.scheduled_departure += by;
        row
    })
}

/// What a play of rows left behind.
struct Played {
    moments: Vec<Moment>,
    steps_back: u64,
    most_waiting: usize,
}

fn play_within(max_waiting: usize, rows: impl IntoIterator<Item = Row>) -> Played {
    const CHUNK: usize = 100;
    let mut timeline = Timeline::new(max_waiting);
    let mut moments = Vec::new();
    let mut most_waiting = 0;
    for row in rows {
        timeline.push(row);
        while let Some(chunk) = timeline.next_chunk(CHUNK) {
            assert_eq!(chunk.len(), CHUNK);
            moments.extend(chunk);
        }
        most_waiting = most_waiting.max(timeline.waiting.len());
    }
    timeline.end();
    while let Some(chunk) = timeline.next_chunk(CHUNK) {
        assert!((1..=CHUNK).contains(&chunk.len()));
        moments.extend(chunk);
    }
    assert!(timeline.waiting.is_empty());
    Played {
        moments,
        steps_back: timeline.steps_back(),
        most_waiting,
    }
}

fn play(rows: impl IntoIterator<Item = Row>) -> Played {
    play_within(usize::MAX, rows)
}

/// The name of the flight, and which of its events it is.
fn flight_and_kind(event: &FlightEvents) -> (&str, &'static str) {
    match event {
        FlightEvents::Scheduled(e) => (&e.flight, "scheduled"),
        FlightEvents::Departed(e) => (&e.flight, "departed"),
        FlightEvents::Arrived(e) => (&e.flight, "arrived"),
        FlightEvents::Cancelled(e) => (&e.flight, "cancelled"),
    }
}

/// Every event once, each after its cause, and the causes' marks right.
fn check_stories(moments: &[Moment]) {
    let mut latest: HashMap<&str, (&Moment, &str)> = HashMap::new();
    let mut caused = HashSet::new();
    for (number, moment) in moments.iter().enumerate() {
        assert_eq!(moment.number, number as u64);
        let (flight, kind) = flight_and_kind(&moment.event);
        let before = latest.insert(flight, (moment, kind));
        let kind_before = before.map(|(_, kind)| kind);
        let expected = match kind {
            "scheduled" => None,
            "departed" | "cancelled" => Some("scheduled"),
            _ => Some("departed"),
        };
        assert_eq!(kind_before, expected, "{flight} {kind}");
        assert_eq!(moment.cause, before.map(|(cause, _)| cause.number));
        if let Some((cause, _)) = before {
            assert!(cause.at <= moment.at, "{flight} {kind}");
            assert!(caused.insert(cause.number));
        }
    }
    for moment in moments {
        assert_eq!(moment.has_effect, caused.contains(&moment.number));
    }
}

fn sorted_events(moments: &[Moment]) -> Vec<String> {
    let mut events: Vec<String> = moments
        .iter()
        .map(|moment| format!("{} {:?}", moment.at, moment.event))
        .collect();
    events.sort();
    events
}

#[test]
fn the_real_file_is_told_in_order() {
    let played = play(real_rows());
    assert_eq!(played.moments.len(), REAL_EVENTS);
    assert!(played.moments.is_sorted_by_key(|moment| moment.at));
    assert_eq!(played.steps_back, 0);
    check_stories(&played.moments);
    for moment in &played.moments {
        let own_time = match &moment.event {
            FlightEvents::Scheduled(e) => e.scheduled_departure,
            FlightEvents::Departed(e) => e.departed_at,
            FlightEvents::Arrived(e) => e.arrived_at,
            FlightEvents::Cancelled(e) => e.scheduled_departure,
        };
        if matches!(moment.event, FlightEvents::Scheduled(_)) {
            assert!(moment.at < own_time);
        } else {
            assert_eq!(moment.at, own_time);
        }
    }
}

#[test]
fn a_flight_is_named_like_no_other() {
    let played = play(real_rows());
    let mut names = HashSet::new();
    for moment in &played.moments {
        if let FlightEvents::Scheduled(scheduled) = &moment.event {
            assert!(names.insert(&scheduled.flight), "{}", scheduled.flight);
        }
    }
    assert_eq!(names.len(), 2_699);
    assert!(names.contains(&"2013-01-01-UA1545-EWR-0515".to_owned()));
}

#[test]
fn the_order_of_rows_within_two_days_does_not_matter() {
    let in_order = sorted_events(&play(real_rows()).moments);
    let mut rows = real_rows();
    let first_two_days = rows.iter().filter(|row| row.date.day() < 3).count();
    rows[..first_two_days].reverse();
    let played = play(rows);
    assert_eq!(played.steps_back, 0);
    assert!(played.moments.is_sorted_by_key(|moment| moment.at));
    assert_eq!(sorted_events(&played.moments), in_order);
}

#[test]
fn months_out_of_order_are_runs_that_lose_nothing() {
    let rows = real_rows();
    let played = play(rows.iter().cloned().chain(shifted(&rows, -31)));
    assert_eq!(played.moments.len(), 2 * REAL_EVENTS);
    assert_eq!(played.steps_back, 1);
    let (january, december) = played.moments.split_at(REAL_EVENTS);
    assert!(january.is_sorted_by_key(|moment| moment.at));
    assert!(december.is_sorted_by_key(|moment| moment.at));
    check_stories(&played.moments);
}

#[test]
fn rows_in_no_order_lose_nothing() {
    let rows = real_rows();
    let in_order = sorted_events(&play(rows.iter().cloned()).moments);

    let reversed = play(rows.iter().cloned().rev());
    assert!(reversed.steps_back > 0);
    check_stories(&reversed.moments);
    assert_eq!(sorted_events(&reversed.moments), in_order);

    // every other row a month later, so that nearly each begins a run
    let (even, odd): (Vec<Row>, Vec<Row>) =
        rows.into_iter().partition(|row| row.line.is_multiple_of(2));
    let alternating: Vec<Row> = even
        .into_iter()
        .zip(shifted(&odd, 31))
        .flat_map(|(now, later)| [now, later])
        .collect();
    let flights = alternating.len();
    let played = play(alternating);
    check_stories(&played.moments);
    let stories = played.moments.iter().filter(|m| m.cause.is_none());
    assert_eq!(stories.count(), flights);
    assert!(played.most_waiting < 10, "{}", played.most_waiting);
}

#[test]
fn about_two_days_wait_however_long_the_file_is() {
    let rows = real_rows();
    let days = (0..20).flat_map(|turn| shifted(&rows, 3 * turn));
    let played = play(days);
    assert_eq!(played.moments.len(), 20 * REAL_EVENTS);
    assert_eq!(played.steps_back, 0);
    // the two fullest days that follow each other, and the night's flights
    assert!(played.most_waiting < 2_100, "{}", played.most_waiting);
}

#[test]
fn a_day_with_too_many_flights_is_told_early_and_whole() {
    let played = play_within(100, real_rows());
    assert!(played.most_waiting <= 100);
    assert!(played.steps_back > 0);
    check_stories(&played.moments);
    let in_order = sorted_events(&play(real_rows()).moments);
    assert_eq!(sorted_events(&played.moments), in_order);
}

#[test]
fn an_arrival_without_air_time_is_read_off_the_origins_clock() {
    let arrived_at = |row: Row| {
        let moments = play([row]).moments;
        moments.last().unwrap().at
    };
    let diverted = |arrival_clock: &str| {
        let line = real_rows().into_iter().find(|row| {
            matches!(row.outcome, Outcome::Departed { arrival: Some(arrival), .. }
                if arrival.air_time_minutes.is_none() && arrival.clock.hhmm() == arrival_clock)
        });
        arrived_at(line.unwrap())
    };
    let instant = |text: &str| text.parse::<Timestamp>().unwrap();
    // MQ4525, left LaGuardia at 15:25
    assert_eq!(diverted("1934"), instant("2013-01-02T00:34Z"));
    // 9E3325, left Kennedy at 19:39 and arrived at 0:29
    assert_eq!(diverted("0029"), instant("2013-01-02T05:29Z"));

    // UA1545, left at 5:17, was in the air for 227 minutes
    assert_eq!(arrived_at(real_row(2)), instant("2013-01-01T14:04Z"));
}

#[test]
fn a_flight_that_leaves_before_its_day_begins_is_scheduled_first() {
    let mut row = real_row(2);
    let Outcome::Departed { delay_minutes, .. } = &mut row.outcome else {
        panic!("it left");
    };
    *delay_minutes = -6 * 60;
    let moments = play([row]).moments;
    check_stories(&moments);
    assert_eq!(moments[0].at, moments[1].at);
    assert_eq!(moments[1].at, "2013-01-01T04:15Z".parse().unwrap());
}
