//! Counts lost and repeated events of a fault test.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use event_sdk::transport::{ErrorKind, Outcome};
use event_sdk::{Error, Published};

use crate::work::{STALL, eventually};

/// What became of every event of a test. Its row of the table is printed when it
/// is [closed](Self::close), or dropped by a test that fails.
pub(crate) struct Ledger {
    fault: &'static str,
    book: Mutex<Book>,
}

#[derive(Default)]
struct Book {
    events: BTreeMap<u64, Entry>,
    /// How often something failed, by kind.
    failures: BTreeMap<String, u64>,
    /// When events were confirmed, and when they were received.
    signs: [Vec<Instant>; 2],
    /// From when to when there was no server.
    outages: Vec<(Instant, Option<Instant>)>,
    printed: bool,
}

/// What became of one event.
#[derive(Default, Clone, Copy)]
struct Entry {
    confirmed: bool,
    /// Whether it was confirmed, or a failure said that it may be stored.
    may_be_stored: bool,
    received: u64,
}

/// What a ledger adds up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Totals {
    /// Different events that somebody tried to publish.
    pub(crate) published: u64,
    /// Those that were confirmed.
    pub(crate) confirmed: u64,
    /// Different events that were received.
    pub(crate) received: u64,
    /// How often one was received that had been received before.
    pub(crate) repeated: u64,
    /// Those that were confirmed and not received.
    pub(crate) lost: u64,
}

/// Of what there was a sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sign {
    /// An event was confirmed.
    Confirmed,
    /// An event was received.
    Received,
}

impl Ledger {
    pub(crate) fn new(fault: &'static str) -> Self {
        Self {
            fault,
            book: Mutex::default(),
        }
    }

    /// An event is about to be published, for the first time or again.
    pub(crate) fn published(&self, number: u64) {
        self.book().events.entry(number).or_default();
    }

    /// An event was confirmed.
    pub(crate) fn confirmed(&self, number: u64, published: &Published) {
        let mut book = self.book();
        let entry = book.events.entry(number).or_default();
        assert!(
            !entry.confirmed || published.is_duplicate(),
            "event {number} was stored twice: {published:?}"
        );
        entry.confirmed = true;
        entry.may_be_stored = true;
        book.signs[Sign::Confirmed as usize].push(Instant::now());
    }

    /// A publish has failed; the error has to say at what subject, and why.
    pub(crate) fn not_confirmed(&self, number: u64, subject: &str, error: &Error) {
        assert_eq!(error.subject(), Some(subject), "{error:?}");
        self.failed(error);
        if error.outcome() == Outcome::Unknown {
            let mut book = self.book();
            book.events.entry(number).or_default().may_be_stored = true;
        }
    }

    /// Something has failed; the error has to say at what, and why.
    pub(crate) fn failed(&self, error: &Error) {
        let text = error.to_string();
        let named = [error.subject(), error.stream(), error.consumer()];
        let mut named = named.into_iter().flatten();
        assert!(
            named.clone().next().is_some(),
            "it names nothing: {error:?}"
        );
        assert!(named.all(|name| text.contains(name)), "{error:?}");
        let (_, reason) = text.rsplit_once(": ").expect("it says why");
        assert!(reason.len() > 10, "it does not say why: {error:?}");
        assert_ne!(*error.kind(), ErrorKind::Other, "{error:?}");
        *self.book().failures.entry(kind(error)).or_default() += 1;
    }

    /// An event was received.
    pub(crate) fn received(&self, number: u64) {
        let mut book = self.book();
        book.events.entry(number).or_default().received += 1;
        book.signs[Sign::Received as usize].push(Instant::now());
    }

    /// From now on there is no server.
    pub(crate) fn server_is_down(&self) {
        self.book().outages.push((Instant::now(), None));
    }

    /// It is there again: from now on nothing stalls.
    pub(crate) fn server_is_back(&self) {
        let mut book = self.book();
        let outage = book.outages.last_mut().expect("there was an outage");
        outage.1 = Some(Instant::now());
    }

    /// Waits until there were so many of each sign since the server is back: the
    /// first of them before anything has stalled.
    pub(crate) async fn goes_on(&self, signs: &[Sign], times: usize) {
        for sign in signs {
            eventually("the work to go on", async || {
                let (seen, since_back) = self.since_back(*sign);
                assert!(
                    seen > 0 || since_back < STALL,
                    "{}: nothing was {sign:?} for {since_back:?} since the server is back",
                    self.fault
                );
                (seen >= times).then_some(())
            })
            .await;
        }
    }

    fn since_back(&self, sign: Sign) -> (usize, Duration) {
        let book = self.book();
        let back = book.outages.last().and_then(|outage| outage.1);
        let back = back.expect("the server is back");
        let since = book.signs[sign as usize].iter().rev();
        let seen = since.take_while(|sign| **sign > back).count();
        (seen, back.elapsed())
    }

    pub(crate) fn totals(&self) -> Totals {
        self.book().totals()
    }

    /// How often this kind of failure was noted.
    pub(crate) fn failures(&self, kind: &str) -> u64 {
        self.book().failures.get(kind).copied().unwrap_or_default()
    }

    /// Prints the row, and asserts what holds after every fault: nothing that was
    /// confirmed is lost, nothing was stored that is said not to be, and nothing
    /// has stalled while the server was there.
    pub(crate) fn close(&self) -> Totals {
        let totals = self.close_with_losses();
        assert_eq!(totals.lost, 0, "{self}");
        totals
    }

    /// The same where losses are to be.
    pub(crate) fn close_with_losses(&self) -> Totals {
        self.print();
        let book = self.book();
        for (number, entry) in &book.events {
            assert!(
                entry.received == 0 || entry.may_be_stored,
                "event {number} was not stored, said its error, and came all the same"
            );
        }
        let stall = book.longest_stall();
        assert!(stall < STALL, "{}: it stalled for {stall:?}", self.fault);
        book.totals()
    }

    fn print(&self) {
        let row = self.to_string();
        self.book().printed = true;
        // One call, so that rows of tests that run at once do not mix.
        println!("{row}");
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for entry in self.events.values() {
            totals.published += 1;
            totals.confirmed += u64::from(entry.confirmed);
            totals.received += u64::from(entry.received > 0);
            totals.repeated += entry.received.saturating_sub(1);
            totals.lost += u64::from(entry.confirmed && entry.received == 0);
        }
        totals
    }

    /// The longest time without a sign of publishing, or of receiving, that lies
    /// between the first sign and the last, the outages left out.
    fn longest_stall(&self) -> Duration {
        let gaps = self.signs.iter().flat_map(|signs| signs.windows(2));
        gaps.map(|gap| self.longest_part(gap[0], gap[1]))
            .max()
            .unwrap_or_default()
    }

    /// The longest part of this time in which there was a server.
    fn longest_part(&self, from: Instant, to: Instant) -> Duration {
        let mut longest = Duration::ZERO;
        let mut begin = from;
        for (down, back) in &self.outages {
            let down = (*down).clamp(begin, to);
            longest = longest.max(down - begin);
            begin = back.unwrap_or(to).clamp(down, to);
        }
        longest.max(to - begin)
    }
}

/// The name of its kind, without what is in it.
fn kind(error: &Error) -> String {
    let text = format!("{:?}", error.kind());
    let end = text.find(|c: char| !c.is_alphanumeric());
    text[..end.unwrap_or(text.len())].to_owned()
}

impl fmt::Display for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let book = self.book();
        let totals = book.totals();
        write!(
            f,
            "| {:<34} | published {:>5} | confirmed {:>5} | received {:>5} | repeated {:>4} | lost {:>2} | longest stall {:>4.1} s |",
            self.fault,
            totals.published,
            totals.confirmed,
            totals.received,
            totals.repeated,
            totals.lost,
            book.longest_stall().as_secs_f64(),
        )?;
        for (kind, times) in &book.failures {
            write!(f, " {kind} {times}")?;
        }
        Ok(())
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        if std::thread::panicking() && !self.book().printed {
            self.print();
        }
    }
}

#[cfg(test)]
mod tests {
    use event_sdk::transport::Stored;

    use super::*;

    #[test]
    fn outages_are_no_stalls() {
        let begin = Instant::now();
        let at = |seconds| begin + Duration::from_secs(seconds);
        let mut book = Book {
            signs: [vec![at(0), at(1), at(20)], vec![at(2), at(3)]],
            ..Book::default()
        };
        assert_eq!(book.longest_stall(), Duration::from_secs(19));
        book.outages = vec![(at(4), Some(at(6))), (at(8), Some(at(15)))];
        assert_eq!(book.longest_stall(), Duration::from_secs(5));
        book.outages.push((at(16), None));
        assert_eq!(book.longest_stall(), Duration::from_secs(3));
    }

    #[test]
    fn what_was_confirmed_and_did_not_come_is_lost() {
        let ledger = Ledger::new("a ledger of its own");
        let stored = |duplicate| {
            let stored = Stored::new(None, None).duplicate(duplicate);
            Published::new(uuid::Uuid::nil(), stored)
        };
        for number in 0..4 {
            ledger.published(number);
        }
        ledger.published(0);
        ledger.confirmed(0, &stored(false));
        ledger.confirmed(0, &stored(true));
        ledger.confirmed(1, &stored(false));
        for number in [0, 0, 2] {
            ledger.received(number);
        }
        let totals = ledger.totals();
        let wanted = Totals {
            published: 4,
            confirmed: 2,
            received: 2,
            repeated: 1,
            lost: 1,
        };
        assert_eq!(totals, wanted);
    }
}
