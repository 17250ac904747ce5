//! Counts and means of one carrier or airport.

use crate::events::FlightEvents;
use crate::mean::Mean;

/// A departure counts as late when it is later than this.
const LATE_MINUTES: i32 = 15;

/// What became of some flights.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Figures {
    pub(super) scheduled: u64,
    pub(super) departed: u64,
    pub(super) cancelled: u64,
    pub(super) arrived: u64,
    pub(super) departure_delay: Mean,
    pub(super) arrival_delay: Mean,
    pub(super) late: u64,
}

impl Figures {
    /// What [`cells`](Self::cells) are, in the same order: the delays are means, in
    /// minutes, and the last is a share of the departures.
    pub(super) const TITLES: [&'static str; 7] = [
        "Scheduled",
        "Departed",
        "Cancelled",
        "Arrived",
        "Dep. delay",
        "Arr. delay",
        ">15 min late",
    ];

    pub(super) fn observe(&mut self, event: &FlightEvents) {
        match event {
            FlightEvents::Scheduled(_) => self.scheduled += 1,
            FlightEvents::Departed(departed) => {
                self.departed += 1;
                self.departure_delay.add(departed.delay_minutes);
                if departed.delay_minutes > LATE_MINUTES {
                    self.late += 1;
                }
            }
            FlightEvents::Arrived(arrived) => {
                self.arrived += 1;
                if let Some(minutes) = arrived.delay_minutes {
                    self.arrival_delay.add(minutes);
                }
            }
            FlightEvents::Cancelled(_) => self.cancelled += 1,
        }
    }

    /// The figures as they are shown.
    pub(super) fn cells(&self) -> [String; 7] {
        [
            self.scheduled.to_string(),
            self.departed.to_string(),
            self.cancelled.to_string(),
            self.arrived.to_string(),
            self.departure_delay.to_string(),
            self.arrival_delay.to_string(),
            self.late_share(),
        ]
    }

    /// The share of departures that were late, in percent.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a count of flights stays far below 2^53"
    )]
    fn late_share(&self) -> String {
        if self.departed == 0 {
            return "-".to_owned();
        }
        let percent = 100.0 * self.late as f64 / self.departed as f64;
        format!("{percent:.1} %")
    }
}
