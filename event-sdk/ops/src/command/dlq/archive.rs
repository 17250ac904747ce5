//! `dlq archive` and `dlq reopen`: put letters aside, and take them back.

use event_sdk::dead_letters::{LetterFilter, LetterStatus, Page};
use serde::Serialize;

use super::filter::Selection;
use super::in_part;
use super::place::{Letters, Place};
use super::row::ids;
use crate::change::Change;
use crate::context::{Context, Outcome};
use crate::error::OpsError;
use crate::units::count;

/// What `dlq archive` is told.
#[derive(clap::Args)]
#[command(
    after_help = "Letters that hold their keys stay open: `dlq skip-head` gives one up. The exit code is 1 if a letter\n\
    that was named was not archived.\n\n\
    Examples:\n  \
    dlq archive 17 18 --because 'the shop has refunded them'\n  \
    dlq archive --group 1f6a03c9"
)]
pub(crate) struct Archive {
    #[command(flatten)]
    both: Both,
}

/// What `dlq reopen` is told.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    dlq reopen 17\n  \
    dlq reopen --consumer billing --because 'archived by mistake'")]
pub(crate) struct Reopen {
    #[command(flatten)]
    both: Both,
}

#[derive(clap::Args)]
struct Both {
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    change: Change,
}

/// The result as JSON: ids of letters.
#[derive(Serialize)]
struct Report {
    dry_run: bool,
    changed: Vec<u64>,
    /// Letters that were named, and were not changed.
    left: Vec<u64>,
}

impl Archive {
    pub(super) async fn run(self, context: &mut Context<'_>) -> Result<Outcome, OpsError> {
        self.both.run(context, LetterStatus::Open, "archived").await
    }
}

impl Reopen {
    pub(super) async fn run(self, context: &mut Context<'_>) -> Result<Outcome, OpsError> {
        self.both
            .run(context, LetterStatus::Archived, "reopened")
            .await
    }
}

impl Both {
    async fn run(
        &self,
        context: &mut Context<'_>,
        from: LetterStatus,
        done: &str,
    ) -> Result<Outcome, OpsError> {
        let letters = self.place.open(context).await?;
        let filter = self
            .selection
            .resolve(&*letters, Some(from.clone()))
            .await?;
        let dry_run = self.change.dry_run;
        let found = may_change(&letters, &filter).await?;
        let changed = if dry_run || found.is_empty() {
            found
        } else {
            let audit = self.change.beside_letters();
            let changed = if from == LetterStatus::Open {
                letters.archive(&filter, &audit).await
            } else {
                letters.reopen(&filter, &audit).await
            };
            let what = format!("{done} letters of {letters}");
            let changed = in_part(context, &self.change, what, changed)?;
            if !changed.is_empty() {
                let number = count(changed.len() as u64, "letter");
                let what = format_args!("{done} {number} of {letters}: {}", ids(&changed));
                context.audit(&self.change, what);
            }
            changed
        };
        let left = self.selection.missing(&changed);
        let outcome = Outcome::found(!left.is_empty());
        let output = &mut context.output;
        if output.json {
            output.json(&Report {
                dry_run,
                changed,
                left,
            })?;
            return Ok(outcome);
        }
        let number = count(changed.len() as u64, "letter");
        let would = if dry_run { "would be " } else { "" };
        match &changed[..] {
            [] => output.line(format_args!("no letter {would}{done}"))?,
            some => output.text(format_args!("{number} {would}{done}: {}", ids(some)))?,
        }
        if !left.is_empty() {
            let number = count(left.len() as u64, "letter");
            output.text(format_args!("{number} left as before: {}", ids(&left)))?;
        }
        Ok(outcome)
    }
}

/// The letters that can be changed.
async fn may_change(letters: &Letters, filter: &LetterFilter) -> Result<Vec<u64>, OpsError> {
    let found = letters.list(filter, Page::ALL).await?;
    let free = found.iter().filter(|letter| !letter.holds_its_key());
    Ok(free.map(|letter| letter.id).collect())
}
