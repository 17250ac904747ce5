//! Relays of 100,000 rows from a table to a real nats-server: event-sdk beside the outboxes of
//! RustStream and obix.
//!
//! Each side has a table of its own with the same number of events of about 300 bytes, and a new
//! stream in memory. A round lasts from the start of the side until the stream has all events and
//! the side has written that they are published, if it writes that.
//!
//! - *RustStream*: `republish` at startup, the only way in which `ruststream-sqlx` publishes rows
//!   that are in its table. It publishes one row at a time, waits for its confirmation, and marks
//!   nothing: a handler that has received the message does.
//! - *obix* has no broker. A subscriber of its outbox publishes with async-nats: each event before
//!   the next one, or the events of a batch at once, in its `flush`, before the position is
//!   written. Only PostgreSQL.

mod obix;
mod ours;
mod ruststream;
mod setting;

use std::future::Future;
use std::time::Duration;

use setting::Setting;

/// The events of a round.
const ROWS: u32 = 100_000;
/// How often each side runs after a run that does not count, unless it is said; odd, so that the
/// median is one of the runs.
const ROUNDS: usize = 3;
/// The rows that are read and marked at once, by all sides that read in batches.
const BATCH: u32 = 500;
/// The publishes of our relay that wait for their confirmations.
const IN_FLIGHT: usize = 256;
/// The number of keys.
const KEYS: u32 = 1_000;

/// `[]`, or the numbers of rows and of rounds.
pub(crate) fn run(words: &[&str]) {
    let (rows, rounds) = match *words {
        [] => (ROWS, ROUNDS),
        [rows, rounds] => (
            rows.parse().expect("a number of rows"),
            rounds.parse().expect("a number of rounds"),
        ),
        _ => {
            eprintln!("there is `<rows> <rounds>`");
            std::process::exit(2);
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let setting = Setting::new().await;
        println!(
            "\n{}; {rows} rows, median of {rounds} rounds\n",
            setting.describe()
        );
        println!("| PostgreSQL | rows a second | ours / this |");
        println!("|---|---:|---:|");
        let (ours, each) = (ours::Postgres::new(&setting).await, obix::HOW);
        let stream = ruststream::Postgres::new(&setting).await;
        let boxes = [
            obix::Obix::new(&setting, each[0]).await,
            obix::Obix::new(&setting, each[1]).await,
        ];
        let mut table = Table::new(rows, 4);
        for _ in 0..=rounds {
            table.push(0, ours.round(&setting, rows)).await;
            table.push(1, stream.round(&setting, rows)).await;
            table.push(2, boxes[0].round(&setting, rows)).await;
            table.push(3, boxes[1].round(&setting, rows)).await;
        }
        table.print(&[
            "event-sdk",
            "ruststream-sqlx 0.7.1, `republish`",
            "obix 0.16.0, each event before the next one",
            "obix 0.16.0, the events of a batch at once",
        ]);
        println!("\n| SQLite | rows a second | ours / this |");
        println!("|---|---:|---:|");
        let ours = ours::Sqlite::new().await;
        let stream = ruststream::Sqlite::new().await;
        let mut table = Table::new(rows, 2);
        for _ in 0..=rounds {
            table.push(0, ours.round(&setting, rows)).await;
            table.push(1, stream.round(&setting, rows)).await;
        }
        table.print(&["event-sdk", "ruststream-sqlx 0.7.1, `republish`"]);
    });
}

/// The times of all sides.
struct Table {
    rows: u32,
    times: Vec<Vec<Duration>>,
}

impl Table {
    fn new(rows: u32, sides: usize) -> Self {
        Self {
            rows,
            times: vec![Vec::new(); sides],
        }
    }

    async fn push(&mut self, side: usize, round: impl Future<Output = Duration>) {
        let took = round.await;
        self.times[side].push(took);
    }

    /// Prints the medians of all rounds but the first.
    fn print(&self, names: &[&str]) {
        let rates = self.times.iter().map(|times| {
            let mut counted = times[1..].to_vec();
            counted.sort();
            f64::from(self.rows) / counted[counted.len() / 2].as_secs_f64()
        });
        let rates: Vec<_> = rates.collect();
        for (name, rate) in names.iter().zip(&rates) {
            println!("| {name} | {rate:.0} | {:.2} |", rates[0] / rate);
        }
    }
}
