//! Reports of real days, and bounded memory of the board.

use comfy_table::presets;
use jiff::Timestamp;

use super::{Board, MAX_IN_THE_AIR};
use crate::events::{FlightArrived, FlightDeparted, FlightEvents, FlightScheduled};
use crate::flights_file::FlightsFile;
use crate::replay::Replay;

const REAL: &str = include_str!("../../data/flights-2013-01-01-to-03.csv");

fn real_events() -> Vec<FlightEvents> {
    let file = FlightsFile::new(REAL.as_bytes()).unwrap();
    Replay::new(file, |bad| panic!("{bad}"))
        .flat_map(|chunk| chunk.unwrap().into_iter().map(|moment| moment.event))
        .collect()
}

fn scheduled(date: &str) -> FlightEvents {
    FlightEvents::Scheduled(FlightScheduled {
        flight: format!("{date}-UA1-EWR-0515"),
        carrier: "UA".to_owned(),
        flight_number: 1,
        tail_number: None,
        origin: "EWR".to_owned(),
        destination: "IAH".to_owned(),
        date: date.parse().unwrap(),
        scheduled_departure: format!("{date}T10:15Z").parse().unwrap(),
        scheduled_arrival: "08:19".parse().unwrap(),
        distance_miles: 1400,
    })
}

fn departed(flight: &str, at: &str, delay_minutes: i32) -> FlightEvents {
    FlightEvents::Departed(FlightDeparted {
        flight: flight.to_owned(),
        carrier: "UA".to_owned(),
        flight_number: 1,
        tail_number: None,
        origin: "EWR".to_owned(),
        destination: "IAH".to_owned(),
        departed_at: at.parse().unwrap(),
        delay_minutes,
    })
}

fn arrived(flight: &str, at: &str) -> FlightEvents {
    FlightEvents::Arrived(FlightArrived {
        flight: flight.to_owned(),
        carrier: "UA".to_owned(),
        flight_number: 1,
        origin: "EWR".to_owned(),
        destination: "IAH".to_owned(),
        arrived_at: at.parse().unwrap(),
        delay_minutes: None,
        air_time_minutes: None,
        distance_miles: 1400,
    })
}

/// The cells of the row of an airport.
fn row(board: &Board, airport: usize) -> Vec<String> {
    let table = board.table(presets::NOTHING);
    let row = table.row(airport).unwrap();
    row.cell_iter().map(comfy_table::Cell::content).collect()
}

#[test]
fn each_real_day_has_a_report() {
    let mut board = Board::default();
    let mut reports = Vec::new();
    for event in real_events() {
        reports.extend(board.observe(&event));
    }
    reports.extend(board.close());
    let lines: Vec<String> = reports.iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "2013-01-01: 842 scheduled, 837 departed, 4 cancelled, 779 landed, 58 not landed; \
             mean delay 10.5 min, worst EV4321 EWR-MCI +379 min",
            "2013-01-02: 943 scheduled, 934 departed, 8 cancelled, 934 landed, 57 not landed; \
             mean delay 14.6 min, worst MQ3944 JFK-BWI +853 min",
            "2013-01-03: 914 scheduled, 906 departed, 10 cancelled, 961 landed, 2 not landed; \
             mean delay 11.2 min, worst 9E3459 JFK-BNA +291 min",
        ]
    );
    assert_eq!(board.close(), None);
}

#[test]
fn a_flight_is_remembered_only_while_it_is_in_the_air() {
    let mut board = Board::default();
    let mut most = 0;
    for event in real_events() {
        board.observe(&event);
        most = most.max(board.in_the_air.len());
        let shown: u64 = board.airports.values().map(|a| a.in_the_air).sum();
        assert_eq!(shown, board.in_the_air.len() as u64);
    }
    assert!((100..300).contains(&most), "{most}");
    // two flights of the last day have no arrival in the records
    assert_eq!(board.in_the_air.len(), 2);
}

#[test]
fn a_flight_whose_arrival_is_not_recorded_is_forgotten_after_a_day() {
    let mut board = Board::default();
    board.observe(&scheduled("2013-01-01"));
    board.observe(&departed("lost", "2013-01-01T10:15Z", 0));
    board.observe(&departed("late", "2013-01-02T04:59Z", 0));
    board.observe(&scheduled("2013-01-02"));
    assert_eq!(board.in_the_air.len(), 2);
    board.observe(&departed("next", "2013-01-02T11:00Z", 0));
    board.observe(&scheduled("2013-01-03"));
    let mut left: Vec<_> = board.in_the_air.keys().map(String::as_str).collect();
    left.sort_unstable();
    assert_eq!(left, ["late", "next"]);
    // its late arrival still counts, and takes nobody else out of the air
    board.observe(&arrived("lost", "2013-01-03T06:00Z"));
    assert_eq!(row(&board, 0)[4], "2");
}

#[test]
fn flights_without_end_do_not_fill_the_memory() {
    let mut board = Board::default();
    board.observe(&scheduled("2013-01-01"));
    for number in 0..=MAX_IN_THE_AIR {
        board.observe(&departed(&number.to_string(), "2013-01-01T10:15Z", 0));
    }
    assert_eq!(board.in_the_air.len(), MAX_IN_THE_AIR);
    board.observe(&arrived(&MAX_IN_THE_AIR.to_string(), "2013-01-01T11:15Z"));
    board.observe(&arrived("0", "2013-01-01T11:15Z"));
    assert_eq!(row(&board, 0)[2], (MAX_IN_THE_AIR + 1).to_string());
    assert_eq!(row(&board, 0)[4], (MAX_IN_THE_AIR - 1).to_string());
}

#[test]
fn the_table_shows_the_worst_and_the_latest_departure() {
    let mut board = Board::default();
    assert_eq!(board.title(), "Departures");
    board.observe(&scheduled("2013-01-01"));
    assert_eq!(board.title(), "Departures of 2013-01-01");
    assert_eq!(row(&board, 0), ["EWR", "1", "0", "0", "0", "-", "-", "-"]);

    board.observe(&departed("a", "2013-01-01T10:15Z", 30));
    board.observe(&departed("b", "2013-01-01T10:30Z", -5));
    board.observe(&arrived("a", "2013-01-01T12:00Z"));
    assert_eq!(
        row(&board, 0),
        [
            "EWR",
            "1",
            "2",
            "0",
            "1",
            "12.5",
            "UA1 to IAH, +30",
            "UA1 to IAH, -5"
        ]
    );
    let title = "Departures of 2013-01-01, at 2013-01-01 12:00 UTC";
    assert_eq!(board.title(), title);
}

#[test]
fn days_with_few_flights_share_a_report() {
    let mut board = Board::default();
    let dates = ["2013-01-02", "2013-01-03", "2013-01-01", "2013-01-04"];
    for date in dates {
        assert_eq!(board.observe(&scheduled(date)), None);
    }
    let start: Timestamp = "2013-01-04T10:00Z".parse().unwrap();
    for number in 0..496 {
        board.observe(&departed(&number.to_string(), &start.to_string(), 1));
    }
    let report = board.observe(&scheduled("2013-01-05")).unwrap();
    let text = report.to_string();
    assert!(
        text.starts_with("2013-01-01 to 2013-01-04: 4 scheduled, 496 departed"),
        "{text}"
    );
    // what is in the air stays, the figures begin anew
    assert_eq!(row(&board, 0)[1..5], ["1", "0", "0", "496"]);
    let rest = board.close().unwrap().to_string();
    assert!(
        rest.starts_with("2013-01-05: 1 scheduled, 0 departed"),
        "{rest}"
    );
}
