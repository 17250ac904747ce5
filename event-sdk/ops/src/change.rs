//! `Change` and `Destruction`: the arguments of commands that change something: dry runs, the audit
//! line, and the question before data is destroyed.

use std::fmt::Display;

use event_sdk::dead_letters::Audit;
use event_sdk::shown::Shown;
use event_sdk::transport::{Error, Outcome};
use jiff::Timestamp;

use crate::context::Context;
use crate::error::OpsError;
use crate::output::{DIM, WARN, styled};
use crate::units::time;

/// What a command is told that changes something.
#[derive(clap::Args)]
#[command(next_help_heading = "Changes")]
pub(crate) struct Change {
    /// Say what would change, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Who makes the change, for the audit line; default: USER of the environment
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// Why, for the audit line
    #[arg(long, value_name = "REASON")]
    because: Option<String>,
}

/// What a command is told that destroys data.
#[derive(clap::Args)]
#[command(next_help_heading = "Changes")]
pub(crate) struct Destruction {
    #[command(flatten)]
    pub(crate) change: Change,
    /// Do not ask before data is destroyed; needed where nobody can answer
    #[arg(long)]
    pub(crate) yes: bool,
}

impl Change {
    fn by(&self) -> String {
        let by = self.by.clone().or_else(|| std::env::var("USER").ok());
        let by = by.filter(|by| !by.is_empty());
        by.unwrap_or_else(|| "unknown".to_owned())
    }

    /// By whom and why, as it is written beside dead letters.
    pub(crate) fn beside_letters(&self) -> Audit {
        let audit = Audit::by(self.by());
        match &self.because {
            Some(because) => audit.because(because.clone()),
            None => audit,
        }
    }
}

impl Context<'_> {
    /// Writes the audit line of a change that was made: `what` is the end of a sentence that begins
    /// with a name, such as `purged 12 messages of the stream ORDERS`.
    pub(crate) fn audit(&mut self, change: &Change, what: impl Display) {
        let (by, what) = (change.by(), what.to_string());
        let because = change.because.as_deref();
        tracing::info!(
            target: "event_sdk_ops::audit",
            by, because, change = what,
            "{} {what}", Shown(&by, 100)
        );
        let why = match because {
            Some(because) => format!(", because: {}", Shown(because, 500)),
            None => String::new(),
        };
        let what = Shown(&what, usize::MAX);
        let line = format!("{} {} {what}{why}", time(Timestamp::now()), Shown(&by, 100));
        // The change is made, and the event of tracing says so.
        let _ = self
            .output
            .styled_notice(format_args!("{} {line}", styled(DIM, "audit:")));
    }

    /// Writes an audit line for a request that failed and may have made the change all the same, and
    /// passes the answer on.
    pub(crate) fn audited<T>(
        &mut self,
        change: &Change,
        what: impl Display,
        answer: Result<T, Error>,
    ) -> Result<T, Error> {
        if let Err(error) = &answer
            && error.outcome() == Outcome::Unknown
        {
            self.audit(change, format_args!("may have {what}"));
        }
        answer
    }

    /// Whether data may be destroyed: `--yes` was given, or somebody agrees on the terminal. `what` is
    /// a sentence without its point, such as `12 messages of the stream ORDERS will be deleted`.
    ///
    /// It waits for the answer, and blocks the thread meanwhile: there is nothing else to do.
    pub(crate) fn may_destroy(
        &mut self,
        destruction: &Destruction,
        what: impl Display,
    ) -> Result<bool, OpsError> {
        if destruction.yes {
            return Ok(true);
        }
        if !self.output.is_interactive {
            return Err(OpsError::Usage(format!(
                "{what}, which cannot be undone; nobody can be asked here, so give `--yes` to agree, or `--dry-run` to look first"
            )));
        }
        self.output.end_progress();
        write!(
            self.output.err,
            "{}, which cannot be undone. Go on? [y/N] ",
            styled(WARN, Shown(&what.to_string(), usize::MAX))
        )?;
        self.output.err.flush()?;
        let mut answer = String::new();
        self.output.input.read_line(&mut answer)?;
        let agreed = matches!(answer.trim(), "y" | "Y" | "yes");
        if !agreed {
            self.output.notice("nothing was changed")?;
        }
        Ok(agreed)
    }
}
