//! `outbox status`: depth, age, parked keys, rate and relays.

use std::time::Duration;

use event_sdk_store::outbox::OutboxStatus;
use serde::Serialize;

use super::which::Which;
use crate::context::{Context, Outcome};
use crate::error::OpsError;
use crate::output::{BAD, styled};
use crate::units::{duration, parse_duration};

/// What `outbox status` is told.
#[derive(clap::Args)]
#[command(
    after_help = "Rows are counted up to 100,000; where there are more, it says so. The exit code is 1 if keys are\n\
    parked, if rows wait and no relay is alive, or if a row has waited longer than `--max-age`.\n\n\
    Examples:\n  \
    outbox status\n  \
    outbox status --max-age 5m --json | jq '.[].oldest_age_seconds'"
)]
pub(crate) struct Args {
    #[command(flatten)]
    which: Which,
    /// How long a row may wait
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    max_age: Option<Duration>,
}

/// An outbox as JSON.
#[derive(Serialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each count says whether it is one"
)]
struct Row {
    name: String,
    /// Rows that can be published now. Each number is counted up to 100,000, and says whether it is at
    /// least that.
    depth: u64,
    depth_is_at_least: bool,
    scheduled: u64,
    scheduled_is_at_least: bool,
    oldest_age_seconds: Option<f64>,
    parked_rows: u64,
    parked_rows_is_at_least: bool,
    parked_keys: u64,
    parked_keys_is_at_least: bool,
    published_per_second: f64,
    published_per_second_is_at_least: bool,
    relays: u32,
    /// What needs attention.
    problems: Vec<String>,
}

impl Row {
    fn new(name: String, status: &OutboxStatus, args: &Args) -> Self {
        let depth = status.depth.rows();
        let mut problems = Vec::new();
        if status.parked_keys.rows() > 0 {
            let keys = match status.parked_keys.rows() {
                1 => "1 key is".to_owned(),
                _ => format!("{} keys are", status.parked_keys),
            };
            problems.push(format!("{keys} parked: `outbox parked` says why"));
        }
        if depth > 0 && status.relays == 0 {
            problems.push("rows wait, and no relay is alive".to_owned());
        }
        if let (Some(age), Some(most)) = (status.oldest_age, args.max_age)
            && age > most
        {
            let (age, most) = (duration(age), duration(most));
            problems.push(format!("a row has waited {age}, longer than {most}"));
        }
        Self {
            name,
            depth,
            depth_is_at_least: status.depth.is_at_least(),
            scheduled: status.scheduled.rows(),
            scheduled_is_at_least: status.scheduled.is_at_least(),
            oldest_age_seconds: status.oldest_age.as_ref().map(Duration::as_secs_f64),
            parked_rows: status.parked_rows.rows(),
            parked_rows_is_at_least: status.parked_rows.is_at_least(),
            parked_keys: status.parked_keys.rows(),
            parked_keys_is_at_least: status.parked_keys.is_at_least(),
            published_per_second: status.rate(),
            published_per_second_is_at_least: status.published_lately.is_at_least(),
            relays: status.relays,
            problems,
        }
    }
}

pub(super) async fn run(context: &mut Context<'_>, args: &Args) -> Result<Outcome, OpsError> {
    let (mut rows, mut cells) = (Vec::new(), Vec::new());
    for outbox in args.which.all(context)? {
        let status = outbox.store.status(context.now()).await;
        let status = status.map_err(|why| outbox.failed(why))?;
        let row = Row::new(outbox.name, &status, args);
        cells.push([
            row.name.clone(),
            status.depth.to_string(),
            status.oldest_age.map_or_else(String::new, duration),
            status.scheduled.to_string(),
            status.parked_keys.to_string(),
            status.parked_rows.to_string(),
            format!(
                "{}{:.1}/s",
                if row.published_per_second_is_at_least {
                    "more than "
                } else {
                    ""
                },
                row.published_per_second
            ),
            row.relays.to_string(),
        ]);
        rows.push(row);
    }
    let outcome = Outcome::found(rows.iter().any(|row| !row.problems.is_empty()));
    let output = &mut context.output;
    if output.json {
        output.json(&rows)?;
        return Ok(outcome);
    }
    let headings = [
        "OUTBOX",
        "DEPTH",
        "OLDEST",
        "SCHEDULED",
        "PARKED KEYS",
        "PARKED ROWS",
        "RATE",
        "RELAYS",
    ];
    output.table(headings, cells)?;
    for Row { name, problems, .. } in &rows {
        for problem in problems {
            output.line(format_args!(
                "{} {problem}",
                styled(BAD, format_args!("{name}:"))
            ))?;
        }
    }
    Ok(outcome)
}
