//! Command-line arguments of the example `quickstart`.

use std::path::PathBuf;

use clap::Parser;

/// Plays three days of real flights as events: a delay board while they
/// happen, a summary when they are over.
#[derive(Debug, Parser)]
#[command(name = "quickstart", after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The flights: a CSV file with the columns of the one that comes along.
    #[arg(long, value_name = "FILE", default_value = FLIGHTS, hide_default_value = true)]
    pub(crate) input: PathBuf,

    /// The airlines' names: a CSV file with the columns `carrier` and `name`.
    #[arg(long, value_name = "FILE", default_value = AIRLINES, hide_default_value = true)]
    pub(crate) airlines: PathBuf,

    /// Prints a line per day in place of the live board, as in a pipe.
    #[arg(long)]
    pub(crate) plain: bool,

    /// How many seconds a day of flights takes; 0 is as fast as it goes.
    #[arg(long, value_name = "SECONDS", default_value = "0", value_parser = seconds)]
    #[arg(allow_negative_numbers = true)]
    pub(crate) pace: f64,
}

const FLIGHTS: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/data/flights-2013-01-01-to-03.csv"
);
const AIRLINES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data/airlines.csv");

const EXAMPLES: &str = "\
Examples:
  Three days of flights, as fast as it goes:
    cargo run --example quickstart
  Watch the board, twenty seconds a day:
    cargo run --example quickstart -- --pace 20
  Another file of the same columns, a line per day:
    cargo run --example quickstart -- --input flights.csv --plain";

/// Seconds that a clock can wait: not negative, not endless.
fn seconds(text: &str) -> Result<f64, String> {
    const MAX: f64 = 86_400.0;
    match text.parse() {
        Ok(seconds) if (0.0..=MAX).contains(&seconds) => Ok(seconds),
        Ok(_) => Err(format!("must be 0 to {MAX}")),
        Err(_) => Err("is no number of seconds".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::Args;

    #[test]
    fn the_definition_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn without_arguments_the_files_that_come_along_are_read() {
        let args = Args::parse_from(["quickstart"]);
        assert!(args.input.is_file(), "{}", args.input.display());
        assert!(args.airlines.is_file(), "{}", args.airlines.display());
        assert!(!args.plain);
        assert!(args.pace == 0.0);
    }

    #[test]
    fn a_pace_is_a_number_of_seconds_that_can_pass() {
        let pace = |text: &str| Args::try_parse_from(["quickstart", "--pace", text]);
        assert!((pace("2.5").unwrap().pace - 2.5).abs() < f64::EPSILON);
        for wrong in ["-1", "NaN", "inf", "1e9", "fast", ""] {
            assert!(pace(wrong).is_err(), "{wrong}");
        }
    }
}
