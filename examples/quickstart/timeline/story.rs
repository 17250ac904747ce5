//! Events of one flight, in order.

use jiff::{SignedDuration, Timestamp};

use crate::events::{
    FlightArrived, FlightCancelled, FlightDeparted, FlightEvents, FlightScheduled,
};
use crate::flights_file::{Arrival, Outcome, Row};

/// A flight and the next thing to tell about it.
#[derive(Debug)]
pub(super) struct Story {
    row: Row,
    /// The name that all its events carry.
    flight: String,
    next: Step,
    /// The number of the event before.
    cause: Option<u64>,
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Schedule,
    Cancel,
    Depart { delay_minutes: i32 },
    Arrive { at: Timestamp, arrival: Arrival },
}

impl Story {
    /// The story of a row, which begins with its schedule.
    pub(super) fn of(row: Row) -> Self {
        // the carrier's code has two characters, so that no other carrier and
        // number read the same
        let flight = format!(
            "{}-{}{}-{}-{}",
            row.date,
            row.carrier,
            row.flight_number,
            row.origin,
            row.departure_clock.hhmm(),
        );
        Self {
            row,
            flight,
            next: Step::Schedule,
            cause: None,
        }
    }

    /// When the next event happens. A day's schedule is known when the day
    /// begins, or before a flight that leaves even earlier.
    pub(super) fn at(&self) -> Timestamp {
        match self.next {
            Step::Schedule => {
                let day_start = self.row.day_start();
                match self.row.outcome {
                    Outcome::Cancelled => day_start,
                    Outcome::Departed { delay_minutes, .. } => {
                        day_start.min(self.departed_at(delay_minutes))
                    }
                }
            }
            Step::Cancel => self.row.scheduled_departure,
            Step::Depart { delay_minutes } => self.departed_at(delay_minutes),
            Step::Arrive { at, .. } => at,
        }
    }

    /// The next event, what caused it, and the rest of the story.
    pub(super) fn tell(mut self, number: u64) -> (FlightEvents, Option<u64>, Option<Self>) {
        let (event, next) = match self.next {
            Step::Schedule => {
                let next = match self.row.outcome {
                    Outcome::Cancelled => Step::Cancel,
                    Outcome::Departed { delay_minutes, .. } => Step::Depart { delay_minutes },
                };
                (self.scheduled(), Some(next))
            }
            Step::Depart { delay_minutes } => (self.departed(delay_minutes), self.arrival()),
            Step::Arrive { at, arrival } => (self.arrived(at, arrival), None),
            Step::Cancel => (self.cancelled(), None),
        };
        let cause = self.cause.replace(number);
        let rest = next.map(|next| Self { next, ..self });
        (event, cause, rest)
    }

    fn departed_at(&self, delay_minutes: i32) -> Timestamp {
        self.row.scheduled_departure + SignedDuration::from_mins(delay_minutes.into())
    }

    /// The arrival, if the records tell of one: the air time after the
    /// departure. Where the air time is missing, as for a diverted flight, it
    /// is the first moment after the departure at which the *origin's* clock
    /// shows the recorded time; since that is the destination's local time and
    /// the file does not name its zone, it is off by the zones' difference.
    fn arrival(&self) -> Option<Step> {
        let Outcome::Departed {
            delay_minutes,
            arrival: Some(arrival),
        } = self.row.outcome
        else {
            return None;
        };
        let left = self.row.departure_clock.minutes() + i64::from(delay_minutes);
        let minutes = match arrival.air_time_minutes {
            Some(minutes) => i64::from(minutes),
            None => (arrival.clock.minutes() - left).rem_euclid(24 * 60),
        };
        let at = self.departed_at(delay_minutes) + SignedDuration::from_mins(minutes);
        Some(Step::Arrive { at, arrival })
    }

    fn scheduled(&self) -> FlightEvents {
        let row = &self.row;
        FlightEvents::Scheduled(FlightScheduled {
            flight: self.flight.clone(),
            carrier: row.carrier.clone(),
            flight_number: row.flight_number,
            tail_number: row.tail_number.clone(),
            origin: row.origin.clone(),
            destination: row.destination.clone(),
            date: row.date,
            scheduled_departure: row.scheduled_departure,
            scheduled_arrival: row.scheduled_arrival.time(),
            distance_miles: row.distance_miles,
        })
    }

    fn departed(&self, delay_minutes: i32) -> FlightEvents {
        let row = &self.row;
        FlightEvents::Departed(FlightDeparted {
            flight: self.flight.clone(),
            carrier: row.carrier.clone(),
            flight_number: row.flight_number,
            tail_number: row.tail_number.clone(),
            origin: row.origin.clone(),
            destination: row.destination.clone(),
            departed_at: self.departed_at(delay_minutes),
            delay_minutes,
        })
    }

    fn arrived(&self, arrived_at: Timestamp, arrival: Arrival) -> FlightEvents {
        let row = &self.row;
        FlightEvents::Arrived(FlightArrived {
            flight: self.flight.clone(),
            carrier: row.carrier.clone(),
            flight_number: row.flight_number,
            origin: row.origin.clone(),
            destination: row.destination.clone(),
            arrived_at,
            delay_minutes: arrival.delay_minutes,
            air_time_minutes: arrival.air_time_minutes,
            distance_miles: row.distance_miles,
        })
    }

    fn cancelled(&self) -> FlightEvents {
        let row = &self.row;
        FlightEvents::Cancelled(FlightCancelled {
            flight: self.flight.clone(),
            carrier: row.carrier.clone(),
            flight_number: row.flight_number,
            origin: row.origin.clone(),
            destination: row.destination.clone(),
            scheduled_departure: row.scheduled_departure,
        })
    }
}
