//! `schemas show`: prints one event with its fields, versions, publishers and consumers.

use anstyle::Style;
use event_sdk::Version;
use event_sdk::shown::Shown;

use super::list::joined;
use super::paint::{BAD, DIM, HEAD, NAME, styled};
use super::table::Table;
use super::{CliError, Context, Outcome};
use crate::lock::{Lock, LockError, LockedEvent};
use crate::schema::{fields, text};
use crate::{EventEntry, Service};

/// What `schemas show` is told.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    schemas show orders.order.placed\n  \
    schemas show OrderPlaced\n  \
    schemas show OrderPlaced --schema > order-placed.json\n  \
    schemas show OrderPlaced --version 1.0 --schema   an older version, from the lock")]
pub(super) struct Args {
    /// The event: its subject, its type, the name of its struct, or the end of its subject
    event: String,
    /// A version that is in the lock, instead of the one in the code
    #[arg(long, value_name = "VERSION")]
    version: Option<Version>,
    /// Write the JSON Schema of the whole envelope
    #[arg(long)]
    schema: bool,
}

pub(super) fn run(context: &mut Context<'_>, args: &Args) -> Result<Outcome, CliError> {
    let entry = find(context, &args.event)?;
    let spec = entry.spec();
    let lock = match Lock::read(&context.dir) {
        Ok(lock) => Some(lock),
        Err(LockError::NoLock) => None,
        Err(source) => {
            return Err(CliError::Failed {
                what: format!("{}", context.dir.display()),
                source: source.into(),
            });
        }
    };
    let locked = lock
        .as_ref()
        .and_then(|lock| lock.event(spec.subject(), spec.is_absolute()));
    let schema = match args.version {
        None => entry.envelope(),
        Some(version) => {
            let found = locked.and_then(|event| event.version(version));
            let found = found.ok_or_else(|| {
                let versions = locked.map_or("none".to_owned(), versions);
                CliError::Usage(format!(
                    "version {version} of {} is not in the lock; there are: {versions}",
                    spec.subject()
                ))
            })?;
            found.envelope().clone()
        }
    };
    if args.schema {
        write!(context.out, "{}", text::of_schema(&schema))?;
    } else {
        head(context, entry, locked)?;
        data(context, &schema)?;
    }
    Ok(Outcome::Done)
}

fn head(
    context: &mut Context<'_>,
    entry: &EventEntry,
    locked: Option<&LockedEvent>,
) -> Result<(), CliError> {
    let (spec, catalogue) = (entry.spec(), context.catalogue);
    writeln!(
        context.out,
        "{} {}",
        styled(HEAD, spec.subject()),
        styled(DIM, spec.version())
    )?;
    for line in spec.description().lines() {
        let line = Shown(line, MAX_LINE);
        writeln!(context.out, "{}", format!("  {line}").trim_end())?;
    }
    let stream = catalogue
        .stream_of(spec)
        .map_or("-", |stream| stream.name());
    let publishers = joined(catalogue.publishers_of(spec).map(Service::name));
    let consumers = catalogue.consumers_of(spec);
    let consumers = joined(consumers.map(|(service, _)| service.name()));
    let locked = locked.map_or("none".to_owned(), versions);
    for (name, value) in [
        ("struct", spec.name()),
        ("type", spec.event_type()),
        ("subjects", spec.filter()),
        ("stream", stream),
        ("published by", &publishers),
        ("consumed by", &consumers),
        ("in the lock", &locked),
    ] {
        writeln!(
            context.out,
            "  {} {value}",
            styled(DIM, format!("{name:<13}"))
        )?;
    }
    Ok(())
}

fn data(context: &mut Context<'_>, envelope: &serde_json::Value) -> Result<(), CliError> {
    let mut table = Table::new(["FIELD", "TYPE", "", ""]);
    for field in fields::of_envelope(envelope) {
        let mut notes = Vec::new();
        if field.optional {
            notes.push("optional");
        }
        if field.personal {
            notes.push("personal");
        }
        let style = if field.personal { BAD } else { DIM };
        table.row([
            (NAME, shown(&field.path.to_string())),
            (Style::new(), shown(&field.kind)),
            (style, notes.join(", ")),
            (Style::new(), shown(&field.description)),
        ]);
    }
    writeln!(context.out)?;
    table.write(context.out, "  ")?;
    let examples = fields::examples(envelope);
    for example in examples {
        writeln!(context.out, "\n  {}", styled(HEAD, "EXAMPLE"))?;
        for line in text::of_value(example).lines() {
            writeln!(context.out, "  {}", Shown(line, MAX_LINE))?;
        }
    }
    Ok(())
}

/// The most characters of a line that comes from code: its text could move the cursor.
const MAX_LINE: usize = 2000;

fn shown(text: &str) -> String {
    Shown(text, MAX_LINE).to_string()
}

fn versions(event: &LockedEvent) -> String {
    let versions = event.versions().iter();
    let versions: Vec<String> = versions.map(|one| one.version().to_string()).collect();
    versions.join(", ")
}

/// The newest version of the one event that is meant by `name`.
fn find<'a>(context: &Context<'a>, name: &str) -> Result<&'a EventEntry, CliError> {
    let events = context.catalogue.events();
    let exactly = |entry: &&EventEntry| {
        let spec = entry.spec();
        [spec.subject(), spec.event_type(), spec.name()].contains(&name)
    };
    let ending = |entry: &&EventEntry| {
        let before = entry.spec().subject().strip_suffix(name);
        before.is_some_and(|before| before.ends_with('.'))
    };
    let mut found: Vec<&EventEntry> = events.iter().filter(exactly).collect();
    if found.is_empty() {
        found = events.iter().filter(ending).collect();
    }
    // Of several versions the last is the newest.
    found.dedup_by_key(|entry| entry.spec().subject());
    match found.as_slice() {
        [one] => Ok(context
            .catalogue
            .newest(one.spec().subject(), one.spec().is_absolute())
            .unwrap_or(one)),
        [] => Err(CliError::Usage(format!(
            "there is no event {name:?} in the catalogue; `schemas list` has those there are"
        ))),
        several => {
            let subjects: Vec<&str> = several.iter().map(|one| one.spec().subject()).collect();
            Err(CliError::Usage(format!(
                "{name:?} can be {}; write the whole subject",
                subjects.join(" or ")
            )))
        }
    }
}
