//! `schedule ls`: lists events that wait for their time.

use event_sdk::text::Text;
use event_sdk::transport::{Body, ErrorKind, ScheduledMessage, TransportExt as _};
use event_sdk::{EventBus, Pattern};
use jiff::Timestamp;
use serde::Serialize;

use super::scheduling_bus;
use crate::command::unread::{Listed, Unread, names};
use crate::context::{Context, Outcome, streams};
use crate::error::OpsError;
use crate::units::{age, duration, size, time};

/// What `schedule ls` is told.
#[derive(clap::Args)]
#[command(
    after_help = "Schedules need NATS 2.12 or newer, and a stream that allows them. The exit code is 1 if a\n\
    stream cannot be looked at.\n\n\
    Examples:\n  \
    schedule ls\n  \
    schedule ls --stream ORDERS --under events.orders.order.expired\n  \
    schedule ls --json | jq -r '.[].key'"
)]
pub(crate) struct Args {
    /// Only those of this stream [default: all streams that allow schedules]
    #[arg(long, value_name = "STREAM")]
    stream: Option<String>,
    /// Only keys that begin with this subject and a dot
    #[arg(long, value_name = "SUBJECT", default_value = "")]
    under: String,
}

/// A scheduled event as JSON.
#[derive(Serialize)]
struct Row {
    stream: String,
    /// The key by which it is cancelled.
    key: String,
    subject: String,
    at: Timestamp,
    scheduled_at: Timestamp,
    body_bytes: Option<usize>,
}

impl Row {
    fn new(message: &ScheduledMessage) -> Self {
        Self {
            stream: message.stream.to_string(),
            key: message.key.to_string(),
            subject: message.subject.to_string(),
            at: message.at,
            scheduled_at: message.scheduled_at,
            body_bytes: match &message.body {
                Body::Encoded(bytes) => Some(bytes.len()),
                Body::Value(_) => None,
            },
        }
    }
}

pub(super) async fn run(context: &mut Context<'_>, args: &Args) -> Result<Outcome, OpsError> {
    let bus = scheduling_bus(context).await?;
    let (of, mut unread) = match &args.stream {
        Some(stream) => (vec![Text::copy_of(stream)], Vec::new()),
        None => allowing(&bus).await?,
    };
    let (mut found, mut read) = (Vec::new(), of.is_empty());
    for stream in of {
        match bus.transport().list_schedules(&stream, &args.under).await {
            Ok(listed) => {
                read = true;
                found.extend(listed);
            }
            // It was deleted since it was found.
            Err(why) if *why.kind() == ErrorKind::StreamNotFound && args.stream.is_none() => {}
            Err(why) if args.stream.is_some() => return Err(why.into()),
            Err(why) => unread.push(Unread::of(&stream, why)?),
        }
    }
    let unread = Unread::beside(unread, read)?;
    found.sort_by(|one, other| (one.at, &one.key).cmp(&(other.at, &other.key)));
    let rows: Vec<_> = found.iter().map(Row::new).collect();
    let now = context.now();
    let output = &mut context.output;
    if output.json {
        output.json(&Listed::consumers(&rows, &unread))?;
        return Ok(Outcome::found(!unread.is_empty()));
    }
    if rows.is_empty() && unread.is_empty() {
        output.line("no event waits for its time")?;
    }
    if !rows.is_empty() {
        let cells = rows.into_iter().map(|row| {
            let bytes = row.body_bytes.and_then(|bytes| u64::try_from(bytes).ok());
            [
                row.stream,
                row.key,
                time(row.at),
                duration(age(row.at, now)),
                bytes.map_or_else(String::new, size),
            ]
        });
        output.table(["STREAM", "KEY", "TIME", "IN", "SIZE"], cells)?;
    }
    Unread::write(&unread, output)?;
    Ok(Outcome::found(!unread.is_empty()))
}

/// The streams that allow schedules, and those that could not be looked at.
async fn allowing(bus: &EventBus) -> Result<(Vec<Text>, Vec<Unread>), OpsError> {
    let admin = streams(bus)?;
    let (mut allowing, mut unread, mut read) = (Vec::new(), Vec::new(), false);
    for name in names(admin, &Pattern::everything(), false).await? {
        match admin.state(&name).await {
            Ok(state) => {
                read = true;
                if state.config.schedules {
                    allowing.push(name);
                }
            }
            // It was deleted since it was found.
            Err(why) if *why.kind() == ErrorKind::StreamNotFound => {}
            Err(why) => unread.push(Unread::of(&name, why)?),
        }
    }
    Ok((allowing, Unread::beside(unread, read)?))
}
