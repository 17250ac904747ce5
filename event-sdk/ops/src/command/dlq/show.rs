//! `dlq show`: one letter, without data of its event unless they are asked for.

use event_sdk::dead_letters::{DeadLetter, QueuedLetter};
use event_sdk::shown::Shown;
use serde::Serialize;

use super::place::Place;
use super::row::Row;
use super::structure::structure;
use crate::context::{Context, Outcome};
use crate::error::OpsError;
use crate::output::{DIM, styled};
use crate::units::time;

/// What `dlq show` is told.
#[derive(clap::Args)]
#[command(
    after_help = "The body, the key, the values of headers and the reason of another client can hold personal data.\n\
    Without `--show-personal-data` they are left out: names and sizes are shown instead.\n\n\
    Examples:\n  \
    dlq show 17\n  \
    dlq show 17 --show-personal-data --body-only > 17.json"
)]
pub(crate) struct Args {
    /// The id of the letter
    id: u64,
    #[command(flatten)]
    place: Place,
    /// Show the body, the key, the values of headers and reasons
    #[arg(long)]
    show_personal_data: bool,
    /// Write nothing but the body, byte for byte, as `dlq edit` takes it
    #[arg(long, requires = "show_personal_data")]
    body_only: bool,
}

/// A letter as JSON.
#[derive(Serialize)]
struct Shape<'a> {
    #[serde(flatten)]
    row: Row,
    headers: Vec<Header<'a>>,
    /// The fields of the body with their types; null if it is no JSON.
    structure: Option<Vec<Field>>,
    #[serde(flatten)]
    personal: Option<Personal<'a>>,
}

#[derive(Serialize)]
struct Header<'a> {
    name: &'a str,
    value_bytes: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a str>,
}

#[derive(Serialize)]
struct Field {
    path: String,
    kind: String,
}

/// What can hold personal data.
#[derive(Serialize)]
struct Personal<'a> {
    key: Option<&'a str>,
    reason: Option<&'a str>,
    /// The body; null if it is no text.
    body: Option<&'a str>,
    /// The body with escapes, if it is no text.
    body_escaped: Option<String>,
}

impl<'a> Personal<'a> {
    fn of(letter: &'a DeadLetter) -> Self {
        let body = std::str::from_utf8(&letter.body).ok();
        Self {
            key: letter.key.as_deref(),
            reason: letter.reason.as_deref(),
            body,
            body_escaped: match body {
                Some(_) => None,
                None => Some(letter.body.escape_ascii().to_string()),
            },
        }
    }
}

pub(super) async fn run(context: &mut Context<'_>, args: &Args) -> Result<Outcome, OpsError> {
    let letters = args.place.open(context).await?;
    let stored = letters.show(args.id).await?;
    let stored = stored.ok_or_else(|| no_letter(args.id))?;
    let letter = &stored.letter;
    if args.body_only {
        context.output.out.write_all(&letter.body)?;
        return Ok(Outcome::Done);
    }
    let shape = Shape {
        row: Row::new(&stored.summary()),
        headers: letter
            .headers
            .iter()
            .map(|(name, value)| Header {
                name,
                value_bytes: value.len(),
                value: args.show_personal_data.then_some(value),
            })
            .collect(),
        structure: structure(&letter.body).map(|fields| {
            let fields = fields.into_iter();
            fields.map(|(path, kind)| Field { path, kind }).collect()
        }),
        personal: args.show_personal_data.then(|| Personal::of(letter)),
    };
    if context.output.json {
        context.output.json(&shape)?;
    } else {
        shown(context, &stored, &shape)?;
    }
    Ok(Outcome::Done)
}

/// The error about a letter that does not exist.
pub(super) fn no_letter(id: u64) -> OpsError {
    OpsError::Usage(format!("there is no letter {id}; `dlq ls` lists them"))
}

/// Writes a letter for people.
fn shown(
    context: &mut Context<'_>,
    stored: &QueuedLetter,
    shape: &Shape<'_>,
) -> Result<(), OpsError> {
    let (row, letter) = (&shape.row, &stored.letter);
    let output = &mut context.output;
    let mut fields = vec![
        ("letter", row.id.to_string()),
        ("consumer", row.consumer.clone()),
        ("event", row.event()),
        (
            "event id",
            row.event_id.clone().unwrap_or_else(|| "none".to_owned()),
        ),
        ("subject", row.subject.clone()),
        (
            "stored as",
            format!("{} of the stream {}", row.sequence, row.stream),
        ),
        ("class", row.class.clone()),
    ];
    fields.extend(row.errors.iter().map(|error| ("error", error.clone())));
    fields.extend([
        ("attempts", row.attempts.to_string()),
        ("first failure", time(row.first_failure)),
        ("last failure", time(row.last_failure)),
        ("redrives before", row.redrive.to_string()),
        ("status", status(row)),
    ]);
    match &shape.personal {
        Some(personal) => {
            fields.push(("key", personal.key.unwrap_or("none").to_owned()));
            fields.push(("reason", personal.reason.unwrap_or("none").to_owned()));
        }
        None if letter.reason.is_some() => {
            fields.push(("reason", "given, not shown".to_owned()));
        }
        None => {}
    }
    output.fields(fields)?;
    output.line("")?;
    let headers = if shape.headers.is_empty() {
        "no headers"
    } else {
        "headers"
    };
    output.line(styled(DIM, headers))?;
    for header in &shape.headers {
        let name = Shown(header.name, 100);
        match header.value {
            Some(value) => output.line(format_args!("  {name}: {}", Shown(value, 1_000)))?,
            None => output.line(format_args!("  {name}: {} bytes", header.value_bytes))?,
        }
    }
    output.line("")?;
    let size = format!("body of {} bytes", row.body_bytes);
    output.line(styled(DIM, size))?;
    match (&shape.personal, &shape.structure) {
        (Some(personal), _) => {
            let body = personal.body.or(personal.body_escaped.as_deref());
            for line in body.unwrap_or_default().lines() {
                // Indented, so that no line of a body passes for one of ours.
                output.long(format_args!("  {line}"))?;
            }
        }
        (None, Some(structure)) => {
            for field in structure {
                output.line(format_args!(
                    "  {}: {}",
                    Shown(&field.path, 200),
                    field.kind
                ))?;
            }
        }
        (None, None) => output.line("  it is no JSON")?,
    }
    Ok(())
}

/// The status, since when, by whom and why.
fn status(row: &Row) -> String {
    let at = row.status_at.map(|at| format!("since {}", time(at)));
    let by = row.status_by.as_ref().map(|by| format!("by {by}"));
    let because = row.status_because.as_ref();
    let because = because.map(|because| format!("because: {because}"));
    let parts = [Some(row.status()), at, by, because];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    parts.join(", ")
}
