//! Delay board: current departures by airport.
//!
//! It remembers a flight only while the flight is in the air.

mod airport;
mod report;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};

use comfy_table::{CellAlignment, Table, TableStyle};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use self::airport::Airport;
pub(crate) use self::report::Report;
use crate::events::{FlightDeparted, FlightEvents};

/// A flight that was not heard of for so long is no longer in the air: its
/// arrival is not in the records.
const LONGEST_FLIGHT: SignedDuration = SignedDuration::from_hours(24);

/// How many flights in the air are remembered, at most; those above it are
/// counted as departed, but not as being in the air.
const MAX_IN_THE_AIR: usize = 50_000;

/// So many events, at least, go into a report before the next day begins one.
const MIN_REPORT_EVENTS: u64 = 500;

/// The state of the board.
#[derive(Debug, Default)]
pub(crate) struct Board {
    /// The days since the last report, by the schedules that were published.
    days: Option<Days>,
    now: Option<Timestamp>,
    airports: BTreeMap<String, Airport>,
    in_the_air: HashMap<String, InTheAir>,
    events: u64,
}

/// The days that a report covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Days {
    first: Date,
    last: Date,
    /// The one that began most recently.
    today: Date,
}

#[derive(Debug)]
struct InTheAir {
    origin: String,
    departed_at: Timestamp,
}

impl Board {
    /// Takes an event in. A schedule for another day closes the day before:
    /// its report is returned, and the figures begin anew. Where days have few
    /// flights, a report covers several.
    pub(crate) fn observe(&mut self, event: &FlightEvents) -> Option<Report> {
        let report = match event {
            FlightEvents::Scheduled(scheduled) => self.turn_to(scheduled.date),
            _ => None,
        };
        self.events += 1;
        match event {
            FlightEvents::Scheduled(e) => self.airport(&e.origin).scheduled += 1,
            FlightEvents::Departed(e) => self.depart(e),
            FlightEvents::Arrived(e) => {
                self.now = Some(e.arrived_at);
                self.airport(&e.origin).arrived += 1;
                if let Some(landed) = self.in_the_air.remove(&e.flight) {
                    self.airport(&landed.origin).in_the_air -= 1;
                }
            }
            FlightEvents::Cancelled(e) => {
                self.now = Some(e.scheduled_departure);
                self.airport(&e.origin).cancelled += 1;
            }
        }
        report
    }

    /// The report on what came since the last one, if anything did.
    pub(crate) fn close(&mut self) -> Option<Report> {
        if self.events == 0 {
            return None;
        }
        let report = Report::new(self.days, self.airports.values());
        self.events = 0;
        self.days = None;
        for airport in self.airports.values_mut() {
            airport.begin_anew();
        }
        Some(report)
    }

    /// The board as a table, an airport a row.
    pub(crate) fn table(&self, style: TableStyle) -> Table {
        let mut table = Table::new();
        table.load_style(style).set_header(Airport::TITLES);
        for (code, airport) in &self.airports {
            table.add_row(airport.cells(code));
        }
        for column in table.column_iter_mut().skip(1).take(Airport::NUMBERS) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        table
    }

    /// The day and the time of the latest event, for a title.
    pub(crate) fn title(&self) -> String {
        match (self.days, self.now) {
            (Some(days), Some(now)) => {
                let now = now.strftime("%F %H:%M");
                format!("Departures of {}, at {now} UTC", days.today)
            }
            (Some(days), None) => format!("Departures of {}", days.today),
            (None, _) => "Departures".to_owned(),
        }
    }

    /// Begins another day, and closes the ones before if they have enough.
    fn turn_to(&mut self, date: Date) -> Option<Report> {
        if self.days.is_some_and(|days| days.today == date) {
            return None;
        }
        self.forget_lost_flights();
        let report = if self.events >= MIN_REPORT_EVENTS {
            self.close()
        } else {
            None
        };
        let (first, last) = match self.days {
            Some(days) => (days.first.min(date), days.last.max(date)),
            None => (date, date),
        };
        let today = date;
        self.days = Some(Days { first, last, today });
        report
    }

    fn depart(&mut self, departed: &FlightDeparted) {
        self.now = Some(departed.departed_at);
        self.airport(&departed.origin).depart(departed);
        if self.in_the_air.len() >= MAX_IN_THE_AIR {
            return;
        }
        let flight = InTheAir {
            origin: departed.origin.clone(),
            departed_at: departed.departed_at,
        };
        let before = self.in_the_air.insert(departed.flight.clone(), flight);
        if before.is_none() {
            self.airport(&departed.origin).in_the_air += 1;
        }
    }

    /// Forgets flights whose arrival is not in the records.
    fn forget_lost_flights(&mut self) {
        let Some(now) = self.now else {
            return;
        };
        let airports = &mut self.airports;
        self.in_the_air.retain(|_, flight| {
            let keep = now.duration_since(flight.departed_at).abs() < LONGEST_FLIGHT;
            if !keep && let Some(airport) = airports.get_mut(&flight.origin) {
                airport.in_the_air -= 1;
            }
            keep
        });
    }

    fn airport(&mut self, code: &str) -> &mut Airport {
        self.airports.entry(code.to_owned()).or_default()
    }
}
