//! `publish`: publishes an event, or bytes as they are.

use std::fs;
use std::path::PathBuf;

use event_sdk::transport::Outcome::Unknown;
use event_sdk::{EventBus, LooseId, Subject};
use serde::Serialize;

use crate::change::Change;
use crate::context::{Context, Outcome};
use crate::error::OpsError;
use crate::operations::{KnownEvent, Sent};

/// What `publish` is told.
#[derive(clap::Args)]
#[command(
    after_help = "The data are read by the type of the event, so that what a consumer could not read is refused.\n\n\
    Examples:\n  \
    publish order.placed '{\"order\":\"o-1\",\"cents\":1999}' --because 'test of billing'\n  \
    publish orders.order.placed --file order.json --dry-run\n  \
    generate | publish order.placed -\n  \
    publish events.legacy.created --raw --file message.bin"
)]
pub(crate) struct Args {
    /// The event: its type, or its subject without the prefix; with --raw a whole subject
    event: String,
    /// The data as JSON; `-` reads the standard input
    #[arg(required_unless_present = "file")]
    data: Option<String>,
    /// Read the data from this file
    #[arg(long, value_name = "FILE", conflicts_with = "data")]
    file: Option<PathBuf>,
    /// The correlation id; default: the id of the event
    #[arg(long, value_name = "ID", conflicts_with = "raw")]
    correlation: Option<String>,
    /// Publish the bytes as they are, without an envelope, to any subject
    #[arg(long)]
    raw: bool,
    #[command(flatten)]
    change: Change,
}

/// The result as JSON.
#[derive(Serialize)]
struct Published<'a> {
    subject: &'a str,
    event_id: Option<&'a str>,
    stream: Option<&'a str>,
    sequence: Option<u64>,
    dry_run: bool,
}

pub(super) async fn run(context: &mut Context<'_>, args: &Args) -> Result<Outcome, OpsError> {
    let data = data(context, args)?;
    let what = if args.raw {
        What::Raw(args.subject()?)
    } else {
        What::Known(context.event(&args.event)?)
    };
    let whole = match &what {
        What::Raw(subject) => subject.to_string(),
        What::Known(known) => known.subject(&context.prefix()?, &data)?,
    };
    let subject = &*whole;
    let mut sent = Sent {
        event_id: None,
        stream: None,
        sequence: None,
    };
    if !args.change.dry_run {
        let bus = context.bus().await?;
        let answer = what.send(&bus, data, args).await;
        if let Err(OpsError::Bus(error)) = &answer
            && error.outcome() == Unknown
        {
            context.audit(&args.change, format_args!("may have published {subject}"));
        }
        sent = answer?;
        let place = sent.place();
        context.audit(&args.change, format_args!("published {subject}{place}"));
    }
    let output = &mut context.output;
    if output.json {
        output.json(&Published {
            subject,
            event_id: sent.event_id.as_deref(),
            stream: sent.stream.as_deref(),
            sequence: sent.sequence,
            dry_run: args.change.dry_run,
        })?;
    } else if args.change.dry_run {
        output.line(format_args!("would publish {subject}"))?;
    } else {
        let id = sent.event_id.as_deref().map(|id| format!(", id {id}"));
        output.text(format_args!(
            "published {subject}{}{}",
            sent.place(),
            id.unwrap_or_default()
        ))?;
    }
    Ok(Outcome::Done)
}

/// What is published.
enum What<'a> {
    Raw(Subject),
    Known(&'a KnownEvent),
}

impl What<'_> {
    async fn send(&self, bus: &EventBus, data: Vec<u8>, args: &Args) -> Result<Sent, OpsError> {
        match self {
            Self::Known(known) => {
                let correlation = args.correlation.as_deref().map(LooseId::from);
                known.publish(bus, &data, correlation).await
            }
            Self::Raw(subject) => {
                let stored = bus
                    .raw()
                    .absolute()
                    .publish(subject.to_string(), data)
                    .await?;
                Ok(Sent {
                    event_id: None,
                    stream: stored.stream.as_deref().map(str::to_owned),
                    sequence: stored.sequence,
                })
            }
        }
    }
}

impl Sent {
    fn place(&self) -> String {
        match (&self.stream, self.sequence) {
            (Some(stream), Some(sequence)) => {
                format!(" as message {sequence} of the stream {stream}")
            }
            _ => String::new(),
        }
    }
}

impl Args {
    fn subject(&self) -> Result<Subject, OpsError> {
        Subject::parse(self.event.clone())
            .map_err(|why| OpsError::failed(format!("`{}` is no subject", self.event), why))
    }
}

/// The data of the event.
fn data(context: &mut Context<'_>, args: &Args) -> Result<Vec<u8>, OpsError> {
    if let Some(file) = &args.file {
        return fs::read(file)
            .map_err(|why| OpsError::failed(format!("{} cannot be read", file.display()), why));
    }
    match args.data.as_deref() {
        Some("-") | None => {
            let mut data = Vec::new();
            let read = context.output.input.read_to_end(&mut data);
            read.map_err(|why| OpsError::failed("the standard input cannot be read", why))?;
            Ok(data)
        }
        Some(data) => Ok(data.as_bytes().to_vec()),
    }
}

impl<'a> Context<'a> {
    /// The event of the program with this type or subject.
    fn event(&self, name: &str) -> Result<&'a KnownEvent, OpsError> {
        let events = &self.operations.events;
        let is =
            |event: &&KnownEvent| event.spec.subject() == name || event.spec.event_type() == name;
        let mut found = events.iter().filter(is);
        let none = || {
            let mut known: Vec<_> = events.iter().map(|event| event.spec.subject()).collect();
            known.sort_unstable();
            let known = if known.is_empty() {
                "it knows none; give it some with `Operations::events`".to_owned()
            } else {
                format!("it knows {}", known.join(", "))
            };
            OpsError::Usage(format!(
                "`{}` has no event `{name}`; {known}, or publish bytes with `--raw`",
                self.operations.name
            ))
        };
        let first = found.next().ok_or_else(none)?;
        if let Some(other) = found.find(|other| other.spec.subject() != first.spec.subject()) {
            return Err(OpsError::Usage(format!(
                "{} and {} have the type `{name}`; name one by its subject",
                first.spec.subject(),
                other.spec.subject()
            )));
        }
        Ok(first)
    }
}
