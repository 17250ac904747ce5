//! `Filter`: which letters a command is about.

use event_sdk::dead_letters::{
    Cause, CauseGroup, DeadLetterClass, LetterFilter, LetterStatus, LetterWorkflow, Page,
};

use jiff::Timestamp;

use crate::error::OpsError;
use crate::units::parse_time;

/// Which letters a command is about. All conditions have to hold.
#[derive(clap::Args)]
pub(crate) struct Filter {
    /// Only letters of this consumer
    #[arg(long, value_name = "NAME", help_heading = "Which letters")]
    consumer: Option<String>,
    /// Only events of this type
    #[arg(long = "type", value_name = "TYPE", help_heading = "Which letters")]
    event_type: Option<String>,
    /// Only letters of this class, such as rejected or retry-exhausted
    #[arg(long, value_name = "CLASS", help_heading = "Which letters")]
    class: Option<String>,
    /// Only letters of this group, as `dlq groups` names it
    #[arg(long, value_name = "GROUP", help_heading = "Which letters")]
    group: Option<String>,
    /// Only events that failed at this time or later: RFC 3339, or how long ago (`2h`)
    #[arg(long, value_name = "TIME", value_parser = parse_time, help_heading = "Which letters")]
    since: Option<Timestamp>,
    /// Only events that failed before this time: RFC 3339, or how long ago (`30d`)
    #[arg(long, value_name = "TIME", value_parser = parse_time, help_heading = "Which letters")]
    before: Option<Timestamp>,
}

impl Filter {
    /// Whether it has a condition.
    pub(super) fn is_set(&self) -> bool {
        self.consumer.is_some()
            || self.event_type.is_some()
            || self.class.is_some()
            || self.group.is_some()
            || self.since.is_some()
            || self.before.is_some()
    }

    /// The filter, of letters with this status; `None` for every status.
    pub(super) async fn resolve(
        &self,
        letters: &dyn LetterWorkflow,
        status: Option<LetterStatus>,
    ) -> Result<LetterFilter, OpsError> {
        let mut filter = LetterFilter::all();
        if let Some(status) = status {
            filter = filter.status(status);
        }
        if let Some(consumer) = &self.consumer {
            filter = filter.consumer(consumer.clone());
        }
        if let Some(event_type) = &self.event_type {
            filter = filter.event_type(event_type.clone());
        }
        if let Some(class) = &self.class {
            filter = filter.class(DeadLetterClass::from_text(class));
        }
        if let Some(since) = &self.since {
            filter = filter.failed_since(*since);
        }
        if let Some(before) = &self.before {
            filter = filter.failed_before(*before);
        }
        let Some(wanted) = &self.group else {
            return Ok(filter);
        };
        let groups = CauseGroup::of(letters.list(&filter, Page::ALL).await?);
        let found = groups.into_iter().find(|it| group_id(&it.cause) == *wanted);
        match found {
            Some(group) => Ok(filter.cause(group.cause)),
            None => Err(OpsError::Usage(format!(
                "no such letter is in the group `{wanted}`; `dlq groups` names the groups"
            ))),
        }
    }
}

/// The status of the letters that a list has.
#[derive(clap::Args)]
pub(crate) struct Status {
    /// Only letters with this status, such as open, redriven or archived; or all
    #[arg(
        long,
        value_name = "STATUS",
        default_value = "open",
        help_heading = "Which letters"
    )]
    status: String,
}

impl Status {
    pub(super) fn wanted(&self) -> Result<Option<LetterStatus>, OpsError> {
        if self.status == "all" {
            return Ok(None);
        }
        match LetterStatus::from_text(&self.status) {
            LetterStatus::Other(text) => Err(OpsError::Usage(format!(
                "`{text}` is no status of a letter; say open, redriven, archived, handled, skipped, replaced or all"
            ))),
            status => Ok(Some(status)),
        }
    }
}

/// Letters by their ids, or by a filter.
#[derive(clap::Args)]
pub(crate) struct Selection {
    /// The ids of letters; without any, say which by the options
    #[arg(value_name = "ID")]
    ids: Vec<u64>,
    /// All of them
    #[arg(long, conflicts_with = "ids", help_heading = "Which letters")]
    all: bool,
    #[command(flatten)]
    filter: Filter,
}

impl Selection {
    /// The filter, of letters with this status; `None` for every status. Nothing is selected by saying
    /// nothing.
    pub(super) async fn resolve(
        &self,
        letters: &dyn LetterWorkflow,
        status: Option<LetterStatus>,
    ) -> Result<LetterFilter, OpsError> {
        if self.ids.is_empty() && !self.all && !self.filter.is_set() {
            return Err(OpsError::Usage(
                "which letters? Name their ids, give a condition such as `--group` or `--consumer`, or say `--all`"
                    .to_owned(),
            ));
        }
        let filter = self.filter.resolve(letters, status).await?;
        if self.ids.is_empty() {
            Ok(filter)
        } else {
            Ok(filter.ids(self.ids.iter().copied()))
        }
    }

    /// The ids that were named and are none of these.
    pub(super) fn missing(&self, found: &[u64]) -> Vec<u64> {
        let named = self.ids.iter().copied();
        named.filter(|id| !found.contains(id)).collect()
    }
}

/// A name of a cause that is the same in each call: a hash of class, error and event type.
pub(super) fn group_id(cause: &Cause) -> String {
    let mut hash = Fnv::new();
    hash.add(cause.class.as_str());
    hash.add(cause.error.as_deref().unwrap_or_default());
    hash.add(cause.event_type.as_deref().unwrap_or_default());
    format!("{:08x}", hash.folded())
}

/// The 64-bit FNV-1a hash of several texts.
pub(super) struct Fnv(u64);

impl Fnv {
    pub(super) const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    pub(super) fn add(&mut self, text: &str) {
        // A byte that no text has stands between two texts.
        for byte in text.bytes().chain([0xff]) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// Both halves in one.
    pub(super) const fn folded(&self) -> u64 {
        (self.0 >> 32) ^ (self.0 & 0xffff_ffff)
    }
}
