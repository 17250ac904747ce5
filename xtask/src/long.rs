//! `cargo xtask long`: tests of random values and inputs, of a server that is away, of processes and
//! commands that are killed and stopped, of all permissions, and of all states of a model, of which the
//! CI runs a small part.

use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;

use crate::metadata::Metadata;
use crate::process::{cargo, run as run_command};
use crate::services::Services;

/// The examples that print the permissions of their users.
const PROGRAMS_WITH_USERS: [&str; 4] = ["shop", "jobs", "deployments", "payments"];

/// What `cargo xtask long` is told.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    test: Test,
}

#[derive(clap::Subcommand, Debug)]
enum Test {
    /// Write and read random values of every type through the codec, a tenth of them through
    /// memory, and a hundredth through a NATS server
    Roundtrip {
        /// How many values of each event
        #[arg(long, default_value_t = 1_000_000)]
        values: u64,
        #[command(flatten)]
        common: Common,
    },
    /// Give random inputs to the readers of envelopes, headers, subjects, stored schemas and
    /// configuration
    Fuzz {
        /// How many inputs each target gets
        #[arg(long, default_value_t = 1_000_000)]
        inputs: u64,
        #[command(flatten)]
        common: Common,
    },
    /// Visit all states of larger worlds in the model of a consumer's owners
    Model {
        /// Run only tests with this in their names
        filter: Option<String>,
    },
    /// Run consumers on a server that is away, of which the CI runs some seconds
    Outage {
        /// How long the server is away
        #[arg(long, default_value_t = 30)]
        seconds: u64,
        /// Run only tests with this in their names
        filter: Option<String>,
    },
    /// Run the processes of a consumer that are killed and stopped, on a cluster whose servers are
    /// too, and check all that they did
    Ledger {
        /// How many events, a hundredth as many keys, and a round of faults for each 20,000
        #[arg(long, default_value_t = 100_000)]
        events: u64,
        /// Run only tests with this in their names
        filter: Option<String>,
    },
    /// Redrive dead letters by a command that is killed again and again, and with a service that is
    /// killed too; the CI has 200 letters and 15 kills
    Redrive {
        /// How many dead letters there are
        #[arg(long, default_value_t = 1_000)]
        letters: u64,
        /// How often the command is killed, and the service in the second part
        #[arg(long, default_value_t = 100)]
        kills: u64,
        #[command(flatten)]
        common: Common,
    },
    /// Kill the processes of a service with outbox and inbox at every step and at random times, on
    /// SQLite and PostgreSQL, and count in the database
    Kills {
        /// How often processes are killed, on each database
        #[arg(long, default_value_t = 200)]
        kills: u64,
        #[command(flatten)]
        common: Common,
    },
    /// Run relays that are killed and stopped, on SQLite and PostgreSQL, with writers that commit late
    /// and messages that are refused, and check the order of each key
    Order {
        /// How many events, on each database; a round of faults for each 10,000
        #[arg(long, default_value_t = 50_000)]
        bookings: u64,
        #[command(flatten)]
        common: Common,
    },
    /// Back up a stream of many events, and restore it on a second server; the CI has 20,000
    Backup {
        /// How many events
        #[arg(long, default_value_t = 100_000)]
        events: u64,
        /// Run only tests with this in their names
        filter: Option<String>,
    },
    /// Publish a long backlog beside many writers, a held snapshot and the cleaner, on SQLite and
    /// PostgreSQL; the CI has 200,000 rows, of which it publishes a part
    Torture {
        /// How many rows the backlog has, on each database
        #[arg(long, default_value_t = 10_000_000)]
        rows: u64,
        /// How many writers there are
        #[arg(long, default_value_t = 64)]
        writers: u64,
        /// Run only tests with this in their names
        filter: Option<String>,
    },
    /// Run the examples `shop`, `jobs`, `deployments` and `payments` without each single line of the
    /// permissions that they print; the CI takes a sample of the lines
    Permissions {
        /// Run only tests with this in their names
        #[arg(default_value = "permissions::")]
        filter: String,
    },
}

#[derive(clap::Args, Debug)]
struct Common {
    /// The seed of the random numbers, to repeat a run; another one each time if left out
    #[arg(long)]
    seed: Option<u64>,
    /// Run only tests with this in their names
    filter: Option<String>,
}

/// Runs the test with optimizations, and prints the seed first.
pub(crate) fn run(args: &Args) -> Result<()> {
    let given = match &args.test {
        Test::Roundtrip { common, .. }
        | Test::Fuzz { common, .. }
        | Test::Redrive { common, .. }
        | Test::Kills { common, .. }
        | Test::Order { common, .. } => Some(common.seed),
        // These have no random numbers.
        Test::Outage { .. }
        | Test::Ledger { .. }
        | Test::Backup { .. }
        | Test::Torture { .. }
        | Test::Permissions { .. } => None,
        Test::Model { filter } => return run_command(&mut model(filter.as_deref())),
    };
    let services = Services::servers_only(&Metadata::workspace()?)?;
    let seed = given.map(|seed| seed.unwrap_or_else(seed_of_now));
    if let Some(seed) = seed {
        println!("seed {seed}");
    }
    let mut command = test(&args.test, seed);
    services.tell(&mut command);
    run_command(&mut command)
}

/// The model's tests, with optimizations for the crate that they are in alone.
fn model(filter: Option<&str>) -> Command {
    let mut command = cargo();
    command
        .args(["test", "--package", "event-sdk", "--lib"])
        .args(["--config", "profile.test.package.event-sdk.opt-level=3"])
        .env("EVENT_SDK_MODEL", "full")
        .args(["--", "--nocapture", "--test-threads", "2"])
        .arg(filter.unwrap_or("consumer::model::"));
    command
}

/// The tests of the examples that have users. Their time is that of the servers: they are as the CI builds them.
fn permissions(filter: &str) -> Command {
    let mut command = cargo();
    command
        .args(["test", "--package", "event-sdk-examples", "--all-features"])
        .args(PROGRAMS_WITH_USERS.map(|program| format!("--example={program}")))
        .env("PERMISSIONS_LINES", "all")
        .args(["--", "--nocapture", filter]);
    command
}

fn test(test: &Test, seed: Option<u64>) -> Command {
    let (program, variable, count, filter) = match test {
        Test::Roundtrip { values, common } => {
            ("roundtrip", "ROUNDTRIP", ("VALUES", values), &common.filter)
        }
        Test::Fuzz { inputs, common } => ("fuzz", "FUZZ", ("INPUTS", inputs), &common.filter),
        Test::Model { filter } => return model(filter.as_deref()),
        Test::Permissions { filter } => return permissions(filter),
        Test::Outage { seconds, filter } => ("consumers", "OUTAGE", ("SECONDS", seconds), filter),
        Test::Ledger { events, filter } => ("consumers", "LEDGER", ("EVENTS", events), filter),
        Test::Redrive {
            letters, common, ..
        } => (
            "dead_letters",
            "REDRIVE",
            ("LETTERS", letters),
            &common.filter,
        ),
        Test::Kills { kills, common } => ("processes", "KILLS", ("KILLS", kills), &common.filter),
        Test::Order { bookings, common } => {
            ("processes", "ORDER", ("BOOKINGS", bookings), &common.filter)
        }
        Test::Backup { events, filter } => ("topology", "BACKUP", ("EVENTS", events), filter),
        Test::Torture { rows, filter, .. } => ("torture", "TORTURE", ("ROWS", rows), filter),
    };
    let package = match test {
        Test::Kills { .. } | Test::Order { .. } | Test::Torture { .. } => "event-sdk-test-stores",
        Test::Backup { .. } => "event-sdk-topology",
        _ => "event-sdk-tests",
    };
    let second = match test {
        Test::Redrive { kills, .. } => Some(("REDRIVE_KILLS", kills.to_string())),
        Test::Torture { writers, .. } => Some(("TORTURE_WRITERS", writers.to_string())),
        _ => None,
    };
    let mut command = cargo();
    command
        .args(["test", "--profile", "bench", "--package", package])
        .args(["--test", program])
        .args(matches!(test, Test::Backup { .. }).then_some("--features=backup"))
        .env(format!("{variable}_{}", count.0), count.1.to_string())
        .envs(seed.map(|seed| (format!("{variable}_SEED"), seed.to_string())))
        .envs(second)
        .args(["--", "--nocapture"])
        // One cluster or database at a time.
        .args(
            matches!(test, Test::Ledger { .. } | Test::Torture { .. })
                .then_some("--test-threads=1"),
        )
        .args(filter.as_deref().or(match test {
            // The program has other tests, too.
            Test::Outage { .. } => Some("outage"),
            Test::Ledger { .. } => Some("ledger::"),
            Test::Redrive { .. } => Some("processes::"),
            Test::Kills { .. } => Some("kills::"),
            Test::Order { .. } => Some("order::"),
            Test::Torture { .. } => Some("backlog::"),
            Test::Backup { .. } => Some("backups::"),
            _ => None,
        }));
    command
}

fn seed_of_now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(1, |since| since.as_secs() << 20)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::output;
    use clap::Parser;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        args: Args,
    }

    fn command(words: &[&str]) -> Command {
        let cli = Cli::parse_from(["long"].iter().chain(words));
        test(&cli.args.test, Some(7))
    }

    fn variables(command: &Command) -> Vec<(String, String)> {
        let set = command.get_envs().filter_map(|(name, value)| {
            let value = value?.to_str()?.to_owned();
            Some((name.to_str()?.to_owned(), value))
        });
        set.filter(|(name, _)| {
            [
                "ROUNDTRIP",
                "FUZZ",
                "OUTAGE",
                "LEDGER",
                "REDRIVE",
                "KILLS",
                "ORDER",
                "TORTURE",
            ]
            .iter()
            .any(|own| name.starts_with(own))
        })
        .collect()
    }

    #[test]
    fn a_run_has_a_million_unless_it_is_told_otherwise() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            variables(&command(&["roundtrip"])),
            [
                pair("ROUNDTRIP_SEED", "7"),
                pair("ROUNDTRIP_VALUES", "1000000")
            ]
        );
        assert_eq!(
            variables(&command(&["fuzz", "--inputs", "5"])),
            [pair("FUZZ_INPUTS", "5"), pair("FUZZ_SEED", "7")]
        );
    }

    #[test]
    fn an_outage_takes_half_a_minute() {
        let command = command(&["outage"]);
        let seconds = ("OUTAGE_SECONDS".to_owned(), "30".to_owned());
        assert_eq!(variables(&command)[0], seconds);
        assert!(
            command
                .get_args()
                .last()
                .is_some_and(|last| last == "outage")
        );
    }

    #[test]
    fn a_ledger_has_a_hundred_thousand_events() {
        let command = command(&["ledger"]);
        let events = ("LEDGER_EVENTS".to_owned(), "100000".to_owned());
        assert_eq!(variables(&command)[0], events);
        let words: Vec<_> = command.get_args().collect();
        assert_eq!(words[words.len() - 2..], ["--test-threads=1", "ledger::"]);
    }

    #[test]
    fn a_redrive_of_a_thousand_letters_is_killed_a_hundred_times() {
        let command = command(&["redrive"]);
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            variables(&command),
            [
                pair("REDRIVE_KILLS", "100"),
                pair("REDRIVE_LETTERS", "1000"),
                pair("REDRIVE_SEED", "7"),
            ]
        );
        assert!(
            command
                .get_args()
                .last()
                .is_some_and(|last| last == "processes::")
        );
    }

    #[test]
    fn kills_and_order_are_of_the_stores() {
        for (word, count, filter) in [
            ("kills", ("KILLS_KILLS", "200"), "kills::"),
            ("order", ("ORDER_BOOKINGS", "50000"), "order::"),
        ] {
            let command = command(&[word]);
            let count = (count.0.to_owned(), count.1.to_owned());
            assert_eq!(variables(&command)[0], count);
            let words: Vec<_> = command.get_args().collect();
            assert!(words.contains(&"event-sdk-test-stores".as_ref()));
            assert_eq!(words.last(), Some(&filter.as_ref()));
        }
    }

    #[test]
    fn torture_has_ten_million_rows_and_64_writers() {
        let command = command(&["torture"]);
        for (name, value) in [("TORTURE_ROWS", "10000000"), ("TORTURE_WRITERS", "64")] {
            let pair = (name.to_owned(), value.to_owned());
            assert!(variables(&command).contains(&pair), "{name}");
        }
        let words: Vec<_> = command.get_args().collect();
        assert!(words.contains(&"event-sdk-test-stores".as_ref()));
        assert_eq!(words[words.len() - 2..], ["--test-threads=1", "backlog::"]);
    }

    #[test]
    fn each_example_with_users_runs_without_each_of_their_permissions() {
        let command = command(&["permissions"]);
        let lines = command
            .get_envs()
            .find(|(name, _)| *name == "PERMISSIONS_LINES");
        assert_eq!(lines.and_then(|(_, lines)| lines), Some("all".as_ref()));
        let words: Vec<_> = command
            .get_args()
            .filter_map(|word| word.to_str())
            .collect();
        assert_eq!(words.last(), Some(&"permissions::"));
        for example in std::fs::read_dir("../examples").unwrap() {
            let example = example.unwrap();
            let has_users = example.path().join("tests/permissions.rs").exists();
            let program = format!("--example={}", example.file_name().display());
            assert_eq!(words.contains(&&*program), has_users, "{program}");
        }
    }

    #[test]
    fn each_program_exists_and_has_the_features_that_it_requires() {
        let json = output(cargo().args(["metadata", "--format-version=1", "--no-deps"])).unwrap();
        let metadata: serde_json::Value = serde_json::from_str(&json).unwrap();
        for word in [
            "roundtrip",
            "fuzz",
            "outage",
            "ledger",
            "redrive",
            "kills",
            "order",
            "backup",
            "torture",
        ] {
            let command = command(&[word]);
            let words: Vec<_> = command
                .get_args()
                .filter_map(|word| word.to_str())
                .collect();
            let after = |name| words[words.iter().position(|word| *word == name).unwrap() + 1];
            let of_name = |all: &serde_json::Value, name: &str| {
                let mut all = all.as_array().unwrap().iter();
                all.find(|it| it["name"] == name).cloned().unwrap()
            };
            let package = of_name(&metadata["packages"], after("--package"));
            let program = of_name(&package["targets"], after("--test"));
            let required = program["required-features"].as_array();
            for feature in required.into_iter().flatten() {
                let given = format!("--features={}", feature.as_str().unwrap());
                assert!(words.contains(&given.as_str()), "{word} lacks {given}");
            }
        }
    }

    #[test]
    fn the_filter_goes_to_the_test_program() {
        let command = command(&["fuzz", "subjects"]);
        let words: Vec<_> = command
            .get_args()
            .filter_map(|word| word.to_str())
            .collect();
        assert_eq!(
            words[words.len() - 5..],
            ["--test", "fuzz", "--", "--nocapture", "subjects"]
        );
    }
}
