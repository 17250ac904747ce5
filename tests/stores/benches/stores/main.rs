//! Benchmark: outbox, relay and inbox against hand-written sqlx and async-nats that do the same, on SQLite
//! and PostgreSQL.
//!
//! `cargo xtask bench stores` runs all. `cargo xtask bench stores -- enqueue sqlite` runs one group on one
//! database, `--scale 0.05` a twentieth of the events, and `--rounds 1` one round.

mod database;
mod enqueue;
mod inbox;
mod measure;
mod raw;
mod relay;
mod setting;

use database::{BenchDatabase, Home};
use event_sdk_sql::{Postgres, Sqlite};
use measure::Row;
use setting::Setting;

const GROUPS: [&str; 3] = ["enqueue", "relay", "inbox"];
const DATABASES: [&str; 2] = ["sqlite", "postgres"];

fn main() {
    let arguments = Arguments::parse(std::env::args().skip(1)).unwrap_or_else(|why| {
        eprintln!("{why}");
        std::process::exit(2);
    });
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let setting = Setting::new(arguments.scale, arguments.rounds).await;
        println!("{}\n", setting.describe());
        println!("{}", Row::TITLE);
        println!("{}", Row::RULE);
        if arguments.wants(&DATABASES, "sqlite") {
            run::<Sqlite>(&setting, &arguments).await;
        }
        if arguments.wants(&DATABASES, "postgres") {
            run::<Postgres>(&setting, &arguments).await;
        }
    });
}

async fn run<DB: BenchDatabase>(setting: &Setting, arguments: &Arguments) {
    let home: Home<DB> = DB::open().await;
    if arguments.wants(&GROUPS, "enqueue") {
        enqueue::run(setting, &home).await;
    }
    if arguments.wants(&GROUPS, "relay") {
        relay::run(setting, &home).await;
    }
    if arguments.wants(&GROUPS, "inbox") {
        inbox::run(setting, &home).await;
    }
}

struct Arguments {
    names: Vec<String>,
    scale: f64,
    rounds: usize,
}

impl Arguments {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut parsed = Self {
            names: Vec::new(),
            scale: 1.0,
            rounds: 5,
        };
        while let Some(argument) = arguments.next() {
            let mut text = || arguments.next().unwrap_or_default();
            let no_number = || format!("{argument} needs a number");
            match argument.as_str() {
                // cargo passes it.
                "--bench" => {}
                "--scale" => parsed.scale = text().parse().map_err(|_| no_number())?,
                "--rounds" => parsed.rounds = text().parse().map_err(|_| no_number())?,
                name if GROUPS.contains(&name) || DATABASES.contains(&name) => {
                    parsed.names.push(argument);
                }
                _ => {
                    let known = [&GROUPS[..], &DATABASES[..]].concat().join(", ");
                    return Err(format!(
                        "{argument:?} is none of {known}, --scale, --rounds"
                    ));
                }
            }
        }
        Ok(parsed)
    }

    /// Whether one of these names is wanted: all are, if none of them was named.
    fn wants(&self, names: &[&str], name: &str) -> bool {
        let was_chosen = |wanted: &str| self.names.iter().any(|it| it == wanted);
        was_chosen(name) || !names.iter().any(|it| was_chosen(it))
    }
}
