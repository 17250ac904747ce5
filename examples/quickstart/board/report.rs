//! One-line report of a day.

use std::fmt;

use super::Days;
use super::airport::{Airport, Departure};
use crate::mean::Mean;

/// A day, or several days with few flights, at all airports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Report {
    days: Option<Days>,
    scheduled: u64,
    departed: u64,
    cancelled: u64,
    arrived: u64,
    in_the_air: u64,
    delay: Mean,
    worst: Option<Departure>,
}

impl Report {
    /// Adds up the airports.
    pub(super) fn new<'a>(days: Option<Days>, airports: impl Iterator<Item = &'a Airport>) -> Self {
        let mut report = Self {
            days,
            scheduled: 0,
            departed: 0,
            cancelled: 0,
            arrived: 0,
            in_the_air: 0,
            delay: Mean::default(),
            worst: None,
        };
        for airport in airports {
            report.scheduled += airport.scheduled;
            report.departed += airport.departed;
            report.cancelled += airport.cancelled;
            report.arrived += airport.arrived;
            report.in_the_air += airport.in_the_air;
            report.delay.merge(airport.delay);
            let delay = |departure: &Departure| departure.delay_minutes;
            if airport.worst.as_ref().map(delay) > report.worst.as_ref().map(delay) {
                report.worst.clone_from(&airport.worst);
            }
        }
        report
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.days {
            Some(days) if days.first == days.last => write!(f, "{}", days.first)?,
            Some(days) => write!(f, "{} to {}", days.first, days.last)?,
            None => f.write_str("unknown day")?,
        }
        write!(
            f,
            ": {} scheduled, {} departed, {} cancelled, {} landed, {} not landed; mean delay {} min",
            self.scheduled,
            self.departed,
            self.cancelled,
            self.arrived,
            self.in_the_air,
            self.delay,
        )?;
        if let Some(worst) = &self.worst {
            write!(f, ", worst {worst}")?;
        }
        Ok(())
    }
}
