//! One airport's row of the board.

use std::fmt;

use crate::events::FlightDeparted;
use crate::mean::Mean;

/// How an airport's departures are doing since the last report.
#[derive(Debug, Default)]
pub(super) struct Airport {
    pub(super) scheduled: u64,
    pub(super) departed: u64,
    pub(super) cancelled: u64,
    /// Flights from here that have landed.
    pub(super) arrived: u64,
    /// Flights from here, whenever they left, of which no arrival is known.
    pub(super) in_the_air: u64,
    pub(super) delay: Mean,
    pub(super) worst: Option<Departure>,
    latest: Option<Departure>,
}

/// A departure in short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Departure {
    /// Carrier and number, as in `UA1545`.
    name: String,
    origin: String,
    destination: String,
    pub(super) delay_minutes: i32,
}

impl Departure {
    fn new(departed: &FlightDeparted) -> Self {
        Self {
            name: format!("{}{}", departed.carrier, departed.flight_number),
            origin: departed.origin.clone(),
            destination: departed.destination.clone(),
            delay_minutes: departed.delay_minutes,
        }
    }

    /// Where the origin is known, as in `UA1545 to IAH, +2`.
    fn short(&self) -> String {
        format!(
            "{} to {}, {:+}",
            self.name, self.destination, self.delay_minutes
        )
    }
}

impl fmt::Display for Departure {
    /// As in `UA1545 EWR-IAH +2 min`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {}-{} {:+} min",
            self.name, self.origin, self.destination, self.delay_minutes
        )
    }
}

impl Airport {
    /// What [`cells`](Self::cells) are; the delays in minutes.
    pub(super) const TITLES: [&'static str; 8] = [
        "Airport",
        "Scheduled",
        "Departed",
        "Cancelled",
        "Not landed",
        "Mean delay",
        "Worst delay",
        "Latest departure",
    ];

    /// How many cells after the first are numbers.
    pub(super) const NUMBERS: usize = 5;

    /// Counts a departure.
    pub(super) fn depart(&mut self, departed: &FlightDeparted) {
        let departure = Departure::new(departed);
        self.departed += 1;
        self.delay.add(departed.delay_minutes);
        let is_worse = |worst: &Departure| departure.delay_minutes > worst.delay_minutes;
        if self.worst.as_ref().is_none_or(is_worse) {
            self.worst = Some(departure.clone());
        }
        self.latest = Some(departure);
    }

    /// Sets the figures back, and keeps what is in the air.
    pub(super) fn begin_anew(&mut self) {
        *self = Self {
            in_the_air: self.in_the_air,
            ..Self::default()
        };
    }

    /// The row as it is shown.
    pub(super) fn cells(&self, code: &str) -> [String; 8] {
        let text = |departure: &Option<Departure>| match departure {
            Some(departure) => departure.short(),
            None => "-".to_owned(),
        };
        [
            code.to_owned(),
            self.scheduled.to_string(),
            self.departed.to_string(),
            self.cancelled.to_string(),
            self.in_the_air.to_string(),
            self.delay.to_string(),
            text(&self.worst),
            text(&self.latest),
        ]
    }
}
