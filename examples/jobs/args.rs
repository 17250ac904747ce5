//! Command-line arguments of the example `jobs`.

use clap::{Parser, Subcommand};

/// Runs pipelines of jobs on a group of workers, in this process or over the NATS
/// server that `EVENT_SDK_TRANSPORT` and other variables configure: the program is the same.
#[derive(Debug, Clone, Parser)]
#[command(name = "jobs", after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    /// Names this run: its pipelines, jobs and workers begin with it. Another for
    /// each run unless given.
    #[arg(long, value_name = "NAME", env = "JOBS_RUN", default_value_t = run_name(), hide_default_value = true, value_parser = no_dots)]
    pub(crate) run: String,

    /// How many pipelines are run.
    #[arg(
        long,
        value_name = "NUMBER",
        env = "JOBS_PIPELINES",
        default_value_t = 20
    )]
    pub(crate) pipelines: u32,

    /// How many jobs a pipeline has.
    #[arg(long, value_name = "NUMBER", env = "JOBS_JOBS", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) jobs: u32,

    /// How many of the jobs of each pipeline are cancelled as soon as they are scheduled.
    #[arg(long, value_name = "NUMBER", env = "JOBS_CANCEL", default_value_t = 1)]
    pub(crate) cancel: u32,

    /// How many workers share them.
    #[arg(long, value_name = "NUMBER", env = "JOBS_WORKERS", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(crate) workers: u32,

    /// How long a job takes, in milliseconds.
    #[arg(
        long,
        value_name = "MILLISECONDS",
        env = "JOBS_WORK",
        default_value_t = 2
    )]
    pub(crate) work: u64,

    /// Shows the logs of the jobs and the workers' heartbeats.
    #[arg(long, env = "JOBS_VERBOSE")]
    pub(crate) verbose: bool,
}

/// One step alone; both if none is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub(crate) enum Command {
    /// The deployment step: makes the stream and the durable of the workers.
    Apply,
    /// Runs the pipelines, on what is there.
    Run,
    /// Prints the least permissions of the users of both steps, as configuration of nats-server.
    Permissions,
}

impl Args {
    /// How many jobs there are in all.
    pub(crate) fn all_jobs(&self) -> u64 {
        u64::from(self.pipelines) * u64::from(self.jobs)
    }
}

/// The seconds since 1970 in base 36: short, and later runs have later names.
fn run_name() -> String {
    let mut seconds = jiff::Timestamp::now().as_second().unsigned_abs();
    let mut name = Vec::new();
    while seconds > 0 {
        name.push(b"0123456789abcdefghijklmnopqrstuvwxyz"[(seconds % 36) as usize]);
        seconds /= 36;
    }
    name.iter().rev().map(|digit| char::from(*digit)).collect()
}

fn no_dots(name: &str) -> Result<String, &'static str> {
    if name.is_empty() || name.contains('.') {
        return Err("must have a character, and no `.`: that ends the name of the run");
    }
    Ok(name.to_owned())
}

const EXAMPLES: &str = "\
Examples:
  In this process:
    cargo run --example jobs
  Over a NATS server; stop it and start it again while they run:
    export EVENT_SDK_TRANSPORT=nats EVENT_SDK_NATS__URL=nats://127.0.0.1:4222
    cargo run --example jobs -- --work 50
  More of everything:
    cargo run --example jobs -- --pipelines 200 --jobs 50 --workers 16";

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::Args;

    #[test]
    fn the_definition_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn a_pipeline_without_jobs_is_refused() {
        assert!(Args::try_parse_from(["jobs", "--jobs", "0"]).is_err());
        assert!(Args::try_parse_from(["jobs", "--workers", "0"]).is_err());
        let args = Args::parse_from(["jobs", "--pipelines", "3", "--jobs", "7"]);
        assert_eq!(args.all_jobs(), 21);
        assert!(!args.run.is_empty());
        assert!(Args::try_parse_from(["jobs", "--run", "a.b"]).is_err());
    }
}
