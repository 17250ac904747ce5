//! `streams report`: how full the streams are, how old their messages, and what the account has left.

use std::time::Duration;

use event_sdk::Pattern;
use event_sdk::transport::{AccountUsage, ErrorKind, SpaceUsage};
use jiff::Timestamp;
use serde::Serialize;

use super::row::{Row, states};
use crate::command::unread::{Listed, Unread};
use crate::context::{Context, Outcome, streams};
use crate::error::OpsError;
use crate::units::{age, count, duration, size};

/// What `streams report` is told.
#[derive(clap::Args)]
#[command(
    after_help = "The exit code is 1 if the user may not look at a stream.\n\n\
    Examples:\n  \
    streams report\n  \
    streams report --json | jq '.account.file'"
)]
pub(crate) struct Args {
    /// Also the streams of key-value and object stores
    #[arg(long)]
    all: bool,
}

/// The report as JSON.
#[derive(Serialize)]
struct Report<'a> {
    streams: Vec<Listed<'a, Row>>,
    account: Account,
}

#[derive(Serialize)]
struct Account {
    file: Space,
    memory: Space,
    streams: u64,
    max_streams: Option<u64>,
}

#[derive(Serialize)]
#[expect(
    clippy::struct_field_names,
    reason = "the names say in which unit they are"
)]
struct Space {
    used_bytes: u64,
    reserved_bytes: u64,
    limit_bytes: Option<u64>,
}

pub(super) async fn run(context: &mut Context<'_>, args: &Args) -> Result<Outcome, OpsError> {
    let bus = context.bus().await?;
    let admin = streams(&bus)?;
    let mut rows = Vec::new();
    let (states, mut unread) = states(admin, &Pattern::everything(), args.all).await?;
    for state in states {
        context
            .output
            .progress(format_args!("reading stream {}", state.config.name));
        match Row::with_times(&bus, &state).await {
            Ok(row) => rows.push(row),
            Err(why) if *why.kind() == ErrorKind::StreamNotFound => {}
            Err(why) => unread.push(Unread::of(&state.config.name, why)?),
        }
    }
    context.output.end_progress();
    let account = Account::new(&admin.account().await?);
    let now = bus.clock().now();
    let output = &mut context.output;
    if output.json {
        let streams = Listed::streams(&rows, &unread);
        output.json(&Report { streams, account })?;
        return Ok(Outcome::found(!unread.is_empty()));
    }
    let messages: u64 = rows.iter().map(|row| row.messages).sum();
    let bytes: u64 = rows.iter().map(|row| row.stored_bytes).sum();
    let number = rows.len();
    let ago = |then: Option<Timestamp>| {
        then.map_or("-".to_owned(), |then| duration(seconds(age(now, then))))
    };
    let rows = rows.into_iter().map(|row| {
        let full = row.fill();
        [
            row.name,
            row.messages.to_string(),
            size(row.stored_bytes),
            full.map_or("no limit".to_owned(), |part| {
                format!("{:.0}%", part * 100.0)
            }),
            ago(row.first_at),
            ago(row.last_at),
            row.consumers.to_string(),
            format!("{} x {}", row.replicas, row.storage),
        ]
    });
    let headings = [
        "STREAM",
        "MESSAGES",
        "SIZE",
        "FULL",
        "OLDEST",
        "NEWEST",
        "CONSUMERS",
        "STORAGE",
    ];
    output.table(headings, rows)?;
    Unread::write(&unread, output)?;
    output.line("")?;
    let number = u64::try_from(number).unwrap_or(u64::MAX);
    output.line(format_args!(
        "{}, {}, {}",
        count(number, "stream"),
        count(messages, "message"),
        size(bytes)
    ))?;
    output.line(format_args!("file:    {}", account.file))?;
    output.line(format_args!("memory:  {}", account.memory))?;
    let most = account
        .max_streams
        .map_or("no limit".to_owned(), |most| format!("at most {most}"));
    output.line(format_args!(
        "streams: {} with buckets, {most}",
        account.streams
    ))?;
    Ok(Outcome::found(!unread.is_empty()))
}

/// Without the parts of a second.
fn seconds(duration: Duration) -> Duration {
    Duration::from_secs(duration.as_secs())
}

impl Account {
    fn new(usage: &AccountUsage) -> Self {
        Self {
            file: Space::new(usage.file),
            memory: Space::new(usage.memory),
            streams: usage.streams,
            max_streams: usage.max_streams,
        }
    }
}

impl Space {
    fn new(usage: SpaceUsage) -> Self {
        Self {
            used_bytes: usage.used,
            reserved_bytes: usage.reserved,
            limit_bytes: usage.limit,
        }
    }
}

impl std::fmt::Display for Space {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (used, reserved) = (size(self.used_bytes), size(self.reserved_bytes));
        write!(f, "{used} used, {reserved} reserved, ")?;
        match self.limit_bytes {
            Some(limit) => write!(f, "at most {}", size(limit)),
            None => f.write_str("no limit"),
        }
    }
}
