//! Replays a file: reads rows, returns events in chunks.

use std::fmt;
use std::io::BufRead;

use crate::flights_file::{BadRow, FlightsFile, FlightsFileError};
use crate::timeline::{Moment, Timeline};

/// How many events are handed out at once, so that the caller sets the pace: the next rows
/// are read when the next chunk is asked for.
const CHUNK_EVENTS: usize = 256;

/// How many flights may wait for their events: the whole country has about
/// 20,000 a day.
const MAX_WAITING_FLIGHTS: usize = 100_000;

/// The events of a file, an iterator of chunks in the order of time.
pub(crate) struct Replay<R, F> {
    file: FlightsFile<R>,
    timeline: Timeline,
    report: F,
    stats: ReplayStats,
    ended: bool,
}

/// What a replay has met so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ReplayStats {
    /// Rows that became events.
    pub(crate) flights: u64,
    /// Rows that were left out, each of them reported.
    pub(crate) bad_rows: u64,
    /// Events that happen before the one that was handed out before them.
    pub(crate) steps_back: u64,
    /// How much of the file has been read.
    pub(crate) bytes_read: u64,
}

impl<R: BufRead, F: FnMut(&BadRow)> Replay<R, F> {
    /// Plays the file, and reports each row that it has to leave out.
    pub(crate) fn new(file: FlightsFile<R>, report: F) -> Self {
        Self {
            file,
            timeline: Timeline::new(MAX_WAITING_FLIGHTS),
            report,
            stats: ReplayStats::default(),
            ended: false,
        }
    }

    /// What it has met so far.
    pub(crate) fn stats(&self) -> ReplayStats {
        ReplayStats {
            steps_back: self.timeline.steps_back(),
            bytes_read: self.file.bytes_read(),
            ..self.stats
        }
    }
}

impl<R: BufRead, F: FnMut(&BadRow)> Iterator for Replay<R, F> {
    /// A chunk of events; an error ends the replay.
    type Item = Result<Vec<Moment>, FlightsFileError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(chunk) = self.timeline.next_chunk(CHUNK_EVENTS) {
                return Some(Ok(chunk));
            }
            if self.ended {
                return None;
            }
            match self.file.next() {
                Some(Ok(Ok(row))) => {
                    self.stats.flights += 1;
                    self.timeline.push(row);
                }
                Some(Ok(Err(bad_row))) => {
                    self.stats.bad_rows += 1;
                    (self.report)(&bad_row);
                }
                Some(Err(error)) => {
                    self.ended = true;
                    return Some(Err(error));
                }
                None => {
                    self.ended = true;
                    self.timeline.end();
                }
            }
        }
    }
}

impl fmt::Display for ReplayStats {
    /// A line on the flights, and one on what was wrong with the file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            flights, bad_rows, ..
        } = self;
        write!(
            f,
            "Flights played: {flights}; broken rows left out: {bad_rows}"
        )?;
        if self.steps_back > 0 {
            write!(
                f,
                "\nThe rows are not in the order of time: it went back {} times",
                self.steps_back
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Replay;
    use crate::events::FlightEvents;
    use crate::flights_file::FlightsFile;

    const REAL: &str = include_str!("../data/flights-2013-01-01-to-03.csv");

    #[test]
    fn broken_rows_are_reported_and_the_others_played() {
        // every tenth row loses its last field
        let mut text = String::new();
        let mut broken = Vec::new();
        for (index, line) in REAL.lines().enumerate() {
            if index > 0 && index % 10 == 0 {
                text += line.rsplit_once(',').unwrap().0;
                broken.push(index as u64 + 1);
            } else {
                text += line;
            }
            text += "\n";
        }

        let mut reported = Vec::new();
        let file = FlightsFile::new(text.as_bytes()).unwrap();
        let mut replay = Replay::new(file, |bad| reported.push(bad.line));
        let mut scheduled = 0;
        for chunk in &mut replay {
            let is_schedule = |event: &FlightEvents| matches!(event, FlightEvents::Scheduled(_));
            scheduled += chunk
                .unwrap()
                .iter()
                .filter(|m| is_schedule(&m.event))
                .count();
        }
        let stats = replay.stats();
        assert_eq!(stats.bad_rows, broken.len() as u64);
        assert_eq!(stats.flights, 2_699 - stats.bad_rows);
        assert_eq!(stats.flights, scheduled as u64);
        assert_eq!(stats.bytes_read, text.len() as u64);
        assert_eq!(stats.steps_back, 0);
        assert_eq!(reported, broken);
    }

    #[test]
    fn a_file_that_cannot_be_read_to_its_end_is_an_error() {
        use std::io::{self, BufReader, Read};

        struct Failing;
        impl Read for Failing {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("the disk is gone"))
            }
        }

        // the header, four rows, and half a row
        let end = REAL.match_indices('\n').nth(4).unwrap().0 + 50;
        let start = &REAL.as_bytes()[..end];
        let file = FlightsFile::new(BufReader::new(start.chain(Failing))).unwrap();
        let mut replay = Replay::new(file, |bad| panic!("{bad}"));
        let error = replay.next().unwrap().unwrap_err();
        let expected = "the flights cannot be read after line 5";
        assert_eq!(error.to_string(), expected);
        assert!(replay.next().is_none());
        assert_eq!(replay.stats().flights, 4);
    }
}
