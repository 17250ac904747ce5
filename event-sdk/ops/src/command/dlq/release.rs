//! `dlq release`, `dlq skip-head` and `dlq drop-key`: release a dead key, skip its first letter, or
//! drop its events.

use event_sdk::dead_letters::{KeyState, Park};
use serde::Serialize;

use super::in_part;
use super::keys::{find, key_id};
use super::place::Place;
use crate::change::{Change, Destruction};
use crate::context::{Context, Outcome};
use crate::error::OpsError;
use crate::units::count;

/// What `dlq release` is told.
#[derive(clap::Args)]
#[command(
    after_help = "The instance that owns the consumer handles the events; `dlq keys` shows the key until none waits.\n\n\
    Examples:\n  \
    dlq release 5d1c0a7f --consumer billing --because 'the account is open again'"
)]
pub(crate) struct Release {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    change: Change,
}

/// What `dlq skip-head` is told.
#[derive(clap::Args)]
#[command(
    after_help = "The letter is named, so that a command that was killed can be repeated without giving up the next\n\
    event. The exit code is 1 if it is not at the head.\n\n\
    Examples:\n  \
    dlq skip-head 5d1c0a7f --consumer billing --letter 17 --yes"
)]
pub(crate) struct SkipHead {
    #[command(flatten)]
    which: Which,
    /// The id of the letter at the head, as `dlq keys` shows it
    #[arg(long, value_name = "ID")]
    letter: u64,
    #[command(flatten)]
    destruction: Destruction,
}

/// What `dlq drop-key` is told.
#[derive(clap::Args)]
#[command(after_help = "Events that arrive meanwhile are handled.\n\n\
    Examples:\n  \
    dlq drop-key 5d1c0a7f --consumer billing --dry-run")]
pub(crate) struct DropKey {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    destruction: Destruction,
}

#[derive(clap::Args)]
struct Which {
    /// The key, as `dlq keys` names it
    key: String,
    /// The consumer
    #[arg(long, value_name = "NAME")]
    consumer: String,
    #[command(flatten)]
    place: Place,
}

impl Which {
    async fn find(&self, context: &Context<'_>) -> Result<(Park, KeyState), OpsError> {
        let queue = self.place.in_stream(context).await?;
        let park = queue.park(self.consumer.clone());
        let state = find(&park, &self.key).await?;
        Ok((park, state))
    }

    /// `the key 5d1c0a7f of the consumer billing`
    fn named(&self, state: &KeyState) -> String {
        let key = key_id(&state.key);
        format!("the key {key} of the consumer {}", self.consumer)
    }
}

/// The result as JSON.
#[derive(Serialize)]
struct Report {
    dry_run: bool,
    key_id: String,
    /// The events that wait, or that were given up.
    events: u64,
    done: bool,
}

impl Release {
    pub(super) async fn run(self, context: &mut Context<'_>) -> Result<Outcome, OpsError> {
        let (park, state) = self.which.find(context).await?;
        let (named, dry_run) = (self.which.named(&state), self.change.dry_run);
        let events = count(state.events, "event");
        if !dry_run {
            let audit = self.change.beside_letters();
            let released = park.release(&state.key, &audit).await;
            context.audited(&self.change, format_args!("released {named}"), released)?;
            context.audit(&self.change, format_args!("released {named} with {events}"));
        }
        let text = if dry_run {
            format!("{named} would be released, with {events}")
        } else {
            format!("{named} is released: its consumer was asked to handle {events}")
        };
        end(context, &state, dry_run, state.events, true, &text)
    }
}

impl SkipHead {
    pub(super) async fn run(self, context: &mut Context<'_>) -> Result<Outcome, OpsError> {
        let (park, state) = self.which.find(context).await?;
        let named = self.which.named(&state);
        let (change, letter) = (&self.destruction.change, self.letter);
        if change.dry_run {
            let head = park.events(&state.key).await?;
            let is_head = head.first().is_some_and(|head| head.id == letter);
            let text = if is_head {
                format!("letter {letter} would be given up, and {named} released")
            } else {
                format!("letter {letter} is not at the head of {named}")
            };
            return end(context, &state, true, u64::from(is_head), is_head, &text);
        }
        let what = format!("letter {letter} will be given up by {named}");
        if !context.may_destroy(&self.destruction, what)? {
            return Ok(Outcome::Found);
        }
        let audit = change.beside_letters();
        let skipped = park.skip_head(&state.key, letter, &audit).await;
        let what = format!("given up letter {letter} of {named}");
        let skipped = in_part(context, change, what, skipped)?;
        let text = if skipped {
            let what = format_args!("gave up letter {letter} of {named}");
            context.audit(change, what);
            format!("letter {letter} is given up, and {named} is released")
        } else {
            format!("letter {letter} is not at the head of {named}; nothing was changed")
        };
        end(context, &state, false, u64::from(skipped), skipped, &text)
    }
}

impl DropKey {
    pub(super) async fn run(self, context: &mut Context<'_>) -> Result<Outcome, OpsError> {
        let (park, state) = self.which.find(context).await?;
        let named = self.which.named(&state);
        let change = &self.destruction.change;
        let waiting = count(state.events, "event");
        if change.dry_run {
            let text = format!("{waiting} of {named} would be given up");
            return end(context, &state, true, state.events, true, &text);
        }
        let what = format!("{waiting} of {named} will be given up");
        if !context.may_destroy(&self.destruction, what)? {
            return Ok(Outcome::Found);
        }
        let dropped = park.drop_key(&state.key, &change.beside_letters()).await;
        let what = format!("given up events of {named}");
        let dropped = in_part(context, change, what, dropped)?;
        let given_up = count(dropped, "event");
        context.audit(change, format_args!("gave up {given_up} of {named}"));
        let text = format!("{given_up} of {named} given up");
        end(context, &state, false, dropped, true, &text)
    }
}

fn end(
    context: &mut Context<'_>,
    state: &KeyState,
    dry_run: bool,
    events: u64,
    done: bool,
    text: &str,
) -> Result<Outcome, OpsError> {
    let output = &mut context.output;
    if output.json {
        output.json(&Report {
            dry_run,
            key_id: key_id(&state.key),
            events,
            done: done && !dry_run,
        })?;
    } else {
        output.text(text)?;
    }
    Ok(Outcome::found(!done))
}
