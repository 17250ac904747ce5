//! `Row`: one flight, validated and typed.

use std::ops::RangeInclusive;

use csv::ByteRecord;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::bad_row::{Problem, Reason};
use super::fields::{Fields, bad, quote};
use super::header::{Column, Header};

/// What one row tells about one flight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    /// The row's line in the file.
    pub(crate) line: u64,
    /// The day of the planned departure, by the origin's calendar.
    pub(crate) date: Date,
    /// When the flight is to leave, by the origin's clock.
    pub(crate) departure_clock: ClockTime,
    /// When the flight is to leave.
    pub(crate) scheduled_departure: Timestamp,
    /// When the flight is to arrive, by the destination's clock.
    pub(crate) scheduled_arrival: ClockTime,
    pub(crate) carrier: String,
    pub(crate) flight_number: u16,
    pub(crate) tail_number: Option<String>,
    pub(crate) origin: String,
    pub(crate) destination: String,
    pub(crate) distance_miles: u32,
    pub(crate) outcome: Outcome,
}

/// What became of the flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Cancelled,
    Departed {
        /// Minutes after the planned departure; negative when early.
        delay_minutes: i32,
        /// Absent where the records do not tell that it arrived.
        arrival: Option<Arrival>,
    },
}

/// What a row tells about an arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Arrival {
    /// When the flight arrived, by the destination's clock.
    pub(crate) clock: ClockTime,
    /// Minutes after the planned arrival; negative when early.
    pub(crate) delay_minutes: Option<i32>,
    pub(crate) air_time_minutes: Option<u16>,
}

/// A time of day as the records write it: `5` is 00:05, `2400` the day's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClockTime {
    minutes: u16,
}

impl ClockTime {
    const DAY_MINUTES: u16 = 24 * 60;

    pub(super) fn parse(text: &str) -> Option<Self> {
        let digits: u16 = text.parse().ok()?;
        let (hour, minute) = (digits / 100, digits % 100);
        let minutes = hour * 60 + minute;
        (minute < 60 && minutes <= Self::DAY_MINUTES).then_some(Self { minutes })
    }

    /// Minutes since the day began, 0 to 1,440.
    pub(crate) fn minutes(self) -> i64 {
        i64::from(self.minutes)
    }

    /// The same on a clock, where the day's end is 00:00.
    pub(crate) fn time(self) -> Time {
        Time::midnight() + SignedDuration::from_mins(self.minutes() % i64::from(Self::DAY_MINUTES))
    }

    /// As it was written, in four digits.
    pub(crate) fn hhmm(self) -> String {
        format!("{:02}{:02}", self.minutes / 60, self.minutes % 60)
    }
}

impl Row {
    /// When the planned day began at the origin. On the two days on which the
    /// clocks change it is an hour off, since the file names no time zone.
    pub(crate) fn day_start(&self) -> Timestamp {
        self.scheduled_departure - SignedDuration::from_mins(self.departure_clock.minutes())
    }

    /// Checks and types the fields of one record.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong, with its column.
    pub(super) fn parse(line: u64, record: &ByteRecord, header: &Header) -> Result<Self, Reason> {
        let fields = Fields::new(record, header)?;
        let date = read_date(&fields)?;
        let departure_clock = fields.clock(Column::SchedDepTime)?;
        Ok(Row {
            line,
            date,
            departure_clock,
            scheduled_departure: read_scheduled_departure(&fields, date, departure_clock)?,
            scheduled_arrival: fields.clock(Column::SchedArrTime)?,
            carrier: fields.code(Column::Carrier, 2, "airline code like UA")?,
            flight_number: fields.number(Column::Flight, 1..=9_999)?,
            tail_number: fields.optional_tail_number(Column::TailNum)?,
            origin: fields.code(Column::Origin, 3, "airport code like EWR")?,
            destination: fields.code(Column::Dest, 3, "airport code like IAH")?,
            // no two places on Earth are farther apart
            distance_miles: fields.number(Column::Distance, 0..=12_500)?,
            outcome: read_outcome(&fields)?,
        })
    }
}

fn read_date(fields: &Fields<'_>) -> Result<Date, Reason> {
    // the first powered flight, and far enough from the last date there is
    let year = fields.number(Column::Year, 1_903..=2_999)?;
    let month = fields.number(Column::Month, 1..=12)?;
    let day = fields.number(Column::Day, 1..=31)?;
    Date::new(year, month, day)
        .map_err(|_| bad(Column::Day, Problem::NotADate { year, month, day }))
}

/// The instant of the planned departure: `time_hour` and the clock's minute.
fn read_scheduled_departure(
    fields: &Fields<'_>,
    date: Date,
    clock: ClockTime,
) -> Result<Timestamp, Reason> {
    let column = Column::TimeHour;
    let text = fields.text(column)?;
    let hour_start: Timestamp = text.parse().map_err(|_| {
        let value = quote(text);
        bad(column, Problem::NotAnInstant { value })
    })?;
    let (hour, minute) = (clock.minutes() / 60, clock.minutes() % 60);
    let same_clock_in_utc = TimeZone::UTC
        .to_timestamp(date.to_datetime(Time::midnight()))
        .map(|midnight| midnight + SignedDuration::from_hours(hour));
    let is_offset_of_a_time_zone = same_clock_in_utc.is_ok_and(|utc| {
        let offset = utc.duration_since(hour_start);
        let quarters = SignedDuration::from_mins(offset.as_mins() / 15 * 15);
        offset == quarters && (-12 * 60..=14 * 60).contains(&offset.as_mins())
    });
    if !is_offset_of_a_time_zone {
        let value = quote(text);
        return Err(bad(column, Problem::WrongHour { value, hour, date }));
    }
    Ok(hour_start + SignedDuration::from_mins(minute))
}

fn read_outcome(fields: &Fields<'_>) -> Result<Outcome, Reason> {
    // a day early to ten days late: beyond that it is a slip of the pen
    const DELAY_MINUTES: RangeInclusive<i64> = -1_440..=14_400;

    let departure_clock = fields.optional_clock(Column::DepTime)?;
    let departure_delay = fields.optional_number(Column::DepDelay, DELAY_MINUTES)?;
    let arrival_clock = fields.optional_clock(Column::ArrTime)?;
    let arrival_delay = fields.optional_number(Column::ArrDelay, DELAY_MINUTES)?;
    let air_time_minutes = fields.optional_number(Column::AirTime, 1..=1_440)?;

    let nothing_without = |missing, others: &[(Column, bool)]| match others
        .iter()
        .find(|(_, has_value)| *has_value)
    {
        Some((column, _)) => Err(bad(*column, Problem::PresentWithout { missing })),
        None => Ok(()),
    };
    let of_the_arrival = [
        (Column::ArrDelay, arrival_delay.is_some()),
        (Column::AirTime, air_time_minutes.is_some()),
    ];
    if departure_clock.is_none() {
        let left = (Column::DepDelay, departure_delay.is_some());
        let arrived = (Column::ArrTime, arrival_clock.is_some());
        nothing_without(Column::DepTime, &[left, arrived])?;
        nothing_without(Column::DepTime, &of_the_arrival)?;
        return Ok(Outcome::Cancelled);
    }
    let delay_minutes = departure_delay.ok_or_else(|| {
        let known = Column::DepTime;
        bad(Column::DepDelay, Problem::MissingBeside { known })
    })?;
    if arrival_clock.is_none() {
        nothing_without(Column::ArrTime, &of_the_arrival)?;
    }
    Ok(Outcome::Departed {
        delay_minutes,
        arrival: arrival_clock.map(|clock| Arrival {
            clock,
            delay_minutes: arrival_delay,
            air_time_minutes,
        }),
    })
}
