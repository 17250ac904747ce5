//! `schemas list`: lists the events of the catalogue, and events in the sources that it lacks.

use std::path::PathBuf;

use anstyle::Style;
use event_sdk::event::KeyUse;
use event_sdk::stream::StreamSpec;

use super::paint::{DIM, NAME, styled};
use super::source;
use super::table::Table;
use super::{CliError, Context, Outcome};
use crate::schema::envelope::key_use;
use crate::{EventEntry, Service, sources};

/// What `schemas list` is told.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    schemas list\n  \
    schemas list --json | jq -r '.[].subject'\n  \
    schemas list --sources              events of this package and of the members of this workspace that are in no catalogue\n  \
    schemas list --sources src/lib.rs --sources ../events/src")]
pub(super) struct Args {
    /// Write JSON
    #[arg(long)]
    json: bool,
    /// List instead what is derived in these sources and in no catalogue, and end with 1 if there is any:
    /// the folder of a package or workspace (this one, unless one is named), of a crate's sources, or
    /// the file of its root module
    #[arg(long, value_name = "PATH", num_args = 0..=1, default_missing_value = ".", conflicts_with = "json")]
    sources: Vec<PathBuf>,
}

pub(super) fn run(context: &mut Context<'_>, args: &Args) -> Result<Outcome, CliError> {
    if !args.sources.is_empty() {
        return missing(context, &args.sources);
    }
    if args.json {
        json(context)?;
    } else {
        table(context)?;
    }
    Ok(Outcome::Done)
}

fn missing(context: &mut Context<'_>, paths: &[PathBuf]) -> Result<Outcome, CliError> {
    let (mut events, mut files, mut found) = (0, 0, false);
    for path in &source::folders(paths)? {
        let sources = sources::scan(path).map_err(|source| CliError::Failed {
            what: "the sources cannot be scanned".to_owned(),
            source: source.into(),
        })?;
        events += sources.events().len();
        files += sources.files();
        for problem in sources.problems(context.catalogue) {
            found = true;
            let place = format!("{}:{}", problem.file().display(), problem.line());
            writeln!(context.out, "{}: {problem}", styled(NAME, place))?;
        }
    }
    let line = format!("{events} events in {files} files");
    writeln!(context.out, "{}", styled(DIM, line))?;
    Ok(if found { Outcome::Found } else { Outcome::Done })
}

fn table(context: &mut Context<'_>) -> Result<(), CliError> {
    let catalogue = context.catalogue;
    let mut table = Table::new([
        "SUBJECT",
        "VERSION",
        "KEY",
        "STREAM",
        "PUBLISHED BY",
        "CONSUMED BY",
    ]);
    for entry in catalogue.events() {
        let spec = entry.spec();
        let stream = catalogue
            .stream_of(spec)
            .map_or("-", |stream| stream.name());
        let publishers = catalogue.publishers_of(spec).map(Service::name);
        let consumers = catalogue
            .consumers_of(spec)
            .map(|(service, _)| service.name());
        table.row([
            (NAME, spec.subject().to_owned()),
            (Style::new(), spec.version().to_string()),
            (DIM, key(entry)),
            (Style::new(), stream.to_owned()),
            (Style::new(), joined(publishers)),
            (Style::new(), joined(consumers)),
        ]);
    }
    table.write(context.out, "")?;
    Ok(())
}

fn json(context: &mut Context<'_>) -> Result<(), CliError> {
    let catalogue = context.catalogue;
    let events: Vec<serde_json::Value> = catalogue
        .events()
        .iter()
        .map(|entry| {
            let spec = entry.spec();
            let consumers = catalogue
                .consumers_of(spec)
                .map(|(service, _)| service.name());
            serde_json::json!({
                "subject": spec.subject(),
                "absolute": spec.is_absolute(),
                "version": spec.version().to_string(),
                "name": spec.name(),
                "type": spec.event_type(),
                "description": spec.description(),
                "key": key_use(spec.key_use()),
                "keyField": entry.key_field(),
                "stream": catalogue.stream_of(spec).map(StreamSpec::name),
                "publishers": catalogue.publishers_of(spec).map(Service::name).collect::<Vec<_>>(),
                "consumers": consumers.collect::<Vec<_>>(),
                "pii": entry.pii().iter().map(ToString::to_string).collect::<Vec<_>>(),
            })
        })
        .collect();
    write!(
        context.out,
        "{}",
        crate::schema::text::of_value(&events.into())
    )?;
    Ok(())
}

/// The field that is the key, and whether it is in the subject.
fn key(entry: &EventEntry) -> String {
    let field = || entry.key_field().unwrap_or_else(|| "?".to_owned());
    match entry.spec().key_use() {
        KeyUse::None => "-".to_owned(),
        KeyUse::Order => field(),
        KeyUse::InSubject => format!("{} (in subject)", field()),
    }
}

/// Names, each once, or a dash.
pub(super) fn joined<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut names: Vec<&str> = names.collect();
    names.dedup();
    if names.is_empty() {
        "-".to_owned()
    } else {
        names.join(", ")
    }
}
