//! `schedule ls`: lists events that wait for their time.

use event_sdk::Pattern;
use event_sdk::text::Text;
use event_sdk::transport::{Body, ErrorKind, ScheduledMessage, TransportExt as _};
use jiff::Timestamp;
use serde::Serialize;

use super::scheduling_bus;
use crate::context::{Context, Outcome, streams};
use crate::error::OpsError;
use crate::units::{age, duration, size, time};

/// What `schedule ls` is told.
#[derive(clap::Args)]
#[command(
    after_help = "Schedules need NATS 2.12 or newer, and a stream that allows them.\n\n\
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
    let of: Vec<Text> = match &args.stream {
        Some(stream) => vec![stream.clone().into()],
        None => allowing(&bus).await?,
    };
    let mut found = Vec::new();
    for stream in of {
        match bus.transport().list_schedules(&stream, &args.under).await {
            Ok(listed) => found.extend(listed),
            // It was deleted since it was found.
            Err(why) if *why.kind() == ErrorKind::StreamNotFound && args.stream.is_none() => {}
            Err(why) => return Err(why.into()),
        }
    }
    found.sort_by(|one, other| (one.at, &one.key).cmp(&(other.at, &other.key)));
    let rows: Vec<_> = found.iter().map(Row::new).collect();
    let now = context.now();
    let output = &mut context.output;
    if output.json {
        output.json(&rows)?;
    } else if rows.is_empty() {
        output.line("no event waits for its time")?;
    } else {
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
    Ok(Outcome::Done)
}

/// The streams that allow schedules.
async fn allowing(bus: &event_sdk::EventBus) -> Result<Vec<Text>, OpsError> {
    let admin = streams(bus)?;
    let mut allowing = Vec::new();
    for name in admin.find(&Pattern::everything()).await? {
        match admin.state(&name).await {
            Ok(state) if state.config.schedules => allowing.push(name),
            Ok(_) => {}
            // It was deleted since it was found.
            Err(why) if *why.kind() == ErrorKind::StreamNotFound => {}
            Err(why) => return Err(why.into()),
        }
    }
    Ok(allowing)
}
