//! `dlq keys`: the keys of a consumer whose events wait.

use event_sdk::dead_letters::{
    DeadKey, DeadLetterQueue, KeyState, LetterFilter, LetterSummary, Page, Park,
};
use serde::Serialize;

use super::filter::Fnv;
use super::place::Place;
use crate::context::{Context, Outcome};
use crate::error::OpsError;

/// What `dlq keys` is told.
#[derive(clap::Args)]
#[command(
    after_help = "A dead key waits for `dlq release`, `dlq skip-head` or `dlq drop-key`; other keys go on by\n\
    themselves. A key is named by its hash, since it can be personal data.\n\n\
    Examples:\n  \
    dlq keys --consumer billing\n  \
    dlq release 5d1c0a7f --consumer billing"
)]
pub(crate) struct Args {
    /// The consumer
    #[arg(long, value_name = "NAME")]
    consumer: String,
    #[command(flatten)]
    place: Place,
    /// Show the keys, which can be personal data
    #[arg(long)]
    show_personal_data: bool,
}

/// A key as JSON.
#[derive(Serialize)]
struct Row {
    /// The name of the key for other commands.
    key_id: String,
    stream: String,
    /// Whether it waits for a command.
    dead: bool,
    events: u64,
    first_sequence: u64,
    last_sequence: u64,
    /// The dead letter at its head.
    letter: Option<u64>,
    /// Whether its consumer was asked to go on, and has not answered.
    asked: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

pub(super) async fn run(context: &mut Context<'_>, args: &Args) -> Result<Outcome, OpsError> {
    let queue = args.place.in_stream(context).await?;
    let park = queue.park(args.consumer.clone());
    let keys = park.keys().await?;
    let asked = park.requests().await?;
    let letters = open_letters(&queue, &args.consumer).await?;
    let rows: Vec<_> = keys
        .iter()
        .map(|state| Row {
            key_id: key_id(&state.key),
            stream: state.key.stream().to_owned(),
            dead: state.dead,
            events: state.events,
            first_sequence: state.first,
            last_sequence: state.last,
            letter: head(state, &letters),
            asked: asked.iter().any(|request| request.key == state.key),
            key: args.show_personal_data.then(|| state.key.key().to_owned()),
        })
        .collect();
    let output = &mut context.output;
    if output.json {
        output.json(&rows)?;
        return Ok(Outcome::Done);
    }
    if rows.is_empty() {
        output.line(format_args!("no key of {} waits", args.consumer))?;
        return Ok(Outcome::Done);
    }
    let cells = rows.into_iter().map(|row| {
        [
            row.key.unwrap_or(row.key_id),
            row.stream,
            row.events.to_string(),
            format!("{}-{}", row.first_sequence, row.last_sequence),
            row.letter.map_or_else(String::new, |id| id.to_string()),
            match (row.dead, row.asked) {
                (true, true) => "asked to go on".to_owned(),
                (true, false) => "dead".to_owned(),
                (false, _) => "goes on".to_owned(),
            },
        ]
    });
    let headings = ["KEY", "STREAM", "EVENTS", "SEQUENCES", "LETTER", "STATE"];
    output.table(headings, cells)?;
    Ok(Outcome::Done)
}

async fn open_letters(
    queue: &DeadLetterQueue,
    consumer: &str,
) -> Result<Vec<LetterSummary>, OpsError> {
    let filter = LetterFilter::open().consumer(consumer.to_owned());
    Ok(queue.list(&filter, Page::ALL).await?)
}

/// The dead letter at the head of a key.
fn head(state: &KeyState, letters: &[LetterSummary]) -> Option<u64> {
    let of_key = letters.iter().filter(|letter| {
        let origin = &letter.origin;
        letter.holds_its_key()
            && origin.stream == state.key.stream()
            && origin.sequence == state.first
    });
    let latest = of_key.max_by_key(|letter| letter.redrive);
    latest.filter(|_| state.dead).map(|letter| letter.id)
}

/// A name of a key that shows nothing of it: a hash of stream and key.
pub(super) fn key_id(key: &DeadKey) -> String {
    let mut hash = Fnv::new();
    hash.add(key.stream());
    hash.add(key.key());
    format!("{:08x}", hash.folded())
}

/// The key that an argument names: by its hash, or itself.
pub(super) async fn find(park: &Park, name: &str) -> Result<KeyState, OpsError> {
    let mut keys = park.keys().await?;
    keys.retain(|state| key_id(&state.key) == name || state.key.key() == name);
    match (keys.pop(), keys.is_empty()) {
        (Some(state), true) => Ok(state),
        (None, _) => Err(OpsError::Usage(
            "no events of this key wait; `dlq keys` lists the keys".to_owned(),
        )),
        (Some(_), false) => Err(OpsError::Usage(
            "events of this key wait in several streams; name one as `dlq keys` does".to_owned(),
        )),
    }
}
