//! `Which`: the outbox of a command; `Entries`: the parked entries of this outbox that the command
//! is about.

use std::sync::Arc;

use event_sdk_store::StoreError;
use event_sdk_store::outbox::{OutboxStore, ParkedEntry};

use crate::context::Context;
use crate::error::OpsError;

/// Entries that are read at once.
const PAGE: u32 = 1_000;

/// The outbox of a command.
#[derive(clap::Args)]
pub(crate) struct Which {
    /// The outbox; may be left out if the program has one
    #[arg(long, value_name = "NAME")]
    outbox: Option<String>,
}

impl Which {
    /// The outboxes: the one that was named, or all.
    pub(super) fn all(&self, context: &Context<'_>) -> Result<Vec<Named>, OpsError> {
        let outboxes = &context.operations.outboxes;
        let all = outboxes.iter().map(|(name, store)| Named {
            name: name.clone(),
            store: Arc::clone(store),
        });
        let wanted = |of: &Named| self.outbox.as_ref().is_none_or(|name| *name == of.name);
        let found: Vec<_> = all.filter(wanted).collect();
        if !found.is_empty() {
            return Ok(found);
        }
        let program = context.operations.name;
        let names: Vec<_> = outboxes.iter().map(|(name, _)| &**name).collect();
        Err(OpsError::Usage(match (&self.outbox, &names[..]) {
            (_, []) => format!(
                "`{program}` has no outbox; a program gives its outboxes with `Operations::outbox`"
            ),
            (Some(name), names) => format!(
                "`{program}` has no outbox named `{name}`; it has {}",
                names.join(", ")
            ),
            (None, _) => format!("`{program}` has no outbox"),
        }))
    }

    /// The outbox that was named, or the only one.
    pub(super) fn one(&self, context: &Context<'_>) -> Result<Named, OpsError> {
        let mut all = self.all(context)?;
        match (all.pop(), all.is_empty()) {
            (Some(outbox), true) => Ok(outbox),
            (last, _) => {
                let names = all.iter().chain(&last).map(|it| &*it.name);
                let names: Vec<_> = names.collect();
                Err(OpsError::Usage(format!(
                    "which outbox? `{}` has {}; say it by `--outbox`",
                    context.operations.name,
                    names.join(", ")
                )))
            }
        }
    }
}

/// An outbox with its name.
pub(super) struct Named {
    pub(super) name: String,
    pub(super) store: Arc<dyn OutboxStore>,
}

impl Named {
    /// The error of an operation.
    pub(super) fn failed(&self, error: StoreError) -> OpsError {
        OpsError::failed(format!("the outbox {} cannot be used", self.name), error)
    }

    /// All parked entries, by id.
    pub(super) async fn parked(&self) -> Result<Vec<ParkedEntry>, OpsError> {
        let (mut entries, mut after) = (Vec::new(), 0);
        loop {
            let page = self.store.parked(after, PAGE).await;
            let page = page.map_err(|why| self.failed(why))?;
            let Some(last) = page.last() else {
                return Ok(entries);
            };
            after = last.id;
            entries.extend(page);
        }
    }
}

/// Parked entries of an outbox.
#[derive(clap::Args)]
pub(crate) struct Entries {
    /// The ids of entries, as `outbox parked` shows them
    #[arg(value_name = "ID")]
    ids: Vec<i64>,
    /// All entries
    #[arg(long, conflicts_with = "ids")]
    all: bool,
}

impl Entries {
    /// The entries that were named, and the ids that are not parked.
    pub(super) async fn find(
        &self,
        outbox: &Named,
    ) -> Result<(Vec<ParkedEntry>, Vec<i64>), OpsError> {
        if self.ids.is_empty() && !self.all {
            return Err(OpsError::Usage(
                "which entries? Name their ids, which `outbox parked` lists, or say `--all`"
                    .to_owned(),
            ));
        }
        let mut parked = outbox.parked().await?;
        if self.all {
            return Ok((parked, Vec::new()));
        }
        parked.retain(|entry| self.ids.contains(&entry.id));
        let is_missing = |id: &i64| !parked.iter().any(|entry| entry.id == *id);
        let missing = self.ids.iter().copied().filter(is_missing).collect();
        Ok((parked, missing))
    }
}

/// Ids for a sentence.
pub(super) fn ids(ids: &[i64]) -> String {
    let ids: Vec<_> = ids.iter().map(i64::to_string).collect();
    ids.join(", ")
}
