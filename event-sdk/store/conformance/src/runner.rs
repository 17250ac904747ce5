//! `Runner`: runs cases in parallel, with a timeout each; and the settings of both suites.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, stream};
use tokio::task::JoinError;

use crate::case::Tried;
use crate::failure::{Failure, Outcome};
use crate::need::Need;
use crate::report::{CaseResult, Report, Verdict};

/// Selected cases, and how they run.
pub(crate) struct Runner<R> {
    pub(crate) cases: Vec<Tried<R>>,
    pub(crate) parallel: usize,
    pub(crate) timeout: Duration,
    pub(crate) patience: Duration,
}

/// Makes the rigs of the cases.
pub(crate) trait Starter<R>: Send + Sync + 'static {
    fn has(&self, need: Need) -> bool;

    fn start(&self, patience: Duration) -> impl Future<Output = Outcome<R>> + Send;

    /// What is tried instead of a case whose need is not met.
    fn check_lack(rig: R, need: Need) -> impl Future<Output = Outcome> + Send;
}

impl<R: Send + 'static> Runner<R> {
    pub(crate) fn new(cases: impl Iterator<Item = Tried<R>>) -> Self {
        Self {
            cases: cases.collect(),
            parallel: 4,
            timeout: Duration::from_secs(60),
            patience: Duration::from_secs(30),
        }
    }

    pub(crate) fn keep(
        &mut self,
        names: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<(), UnknownCase> {
        let mut kept = Vec::new();
        for name in names {
            let name = name.as_ref();
            let chosen = |tried: &&Tried<R>| tried.case.name == name || tried.case.area == name;
            let before = kept.len();
            kept.extend(
                self.cases
                    .iter()
                    .filter(chosen)
                    .map(|tried| tried.case.name),
            );
            if kept.len() == before {
                let mut areas: Vec<_> = self.cases.iter().map(|tried| tried.case.area).collect();
                areas.dedup();
                let name = name.to_owned();
                return Err(UnknownCase { name, areas });
            }
        }
        self.cases.retain(|tried| kept.contains(&tried.case.name));
        Ok(())
    }

    pub(crate) async fn run(&self, starter: impl Starter<R>) -> Report {
        let begun = Instant::now();
        let starter = Arc::new(starter);
        let mut results: Vec<_> = stream::iter(self.cases.iter().enumerate())
            .map(|(place, &tried)| {
                let running = self.run_case(Arc::clone(&starter), tried);
                async move { (place, running.await) }
            })
            .buffer_unordered(self.parallel)
            .collect()
            .await;
        results.sort_unstable_by_key(|(place, _)| *place);
        Report {
            results: results.into_iter().map(|(_, result)| result).collect(),
            elapsed: begun.elapsed(),
        }
    }

    async fn run_case<S: Starter<R>>(&self, starter: Arc<S>, tried: Tried<R>) -> CaseResult {
        let begun = Instant::now();
        let Tried { case, body } = tried;
        let missing = case.needs.iter().copied().find(|need| !starter.has(*need));
        let patience = self.patience;
        let work = async move {
            let rig = starter.start(patience).await?;
            match missing {
                None => body(rig).await,
                Some(need) => S::check_lack(rig, need).await,
            }
        };
        let verdict = match (self.bounded(work).await, missing) {
            (Ok(()), None) => Verdict::Passed,
            (Ok(()), Some(need)) => Verdict::Lacking(need),
            (Err(why), _) => Verdict::Failed(why),
        };
        CaseResult {
            case,
            verdict,
            elapsed: begun.elapsed(),
        }
    }

    async fn bounded(
        &self,
        work: impl Future<Output = Outcome> + Send + 'static,
    ) -> Result<(), String> {
        let task = tokio::spawn(work);
        let handle = task.abort_handle();
        match tokio::time::timeout(self.timeout, task).await {
            Ok(Ok(ended)) => ended.map_err(|failure| failure.to_string()),
            Ok(Err(panicked)) => Err(panic_message(panicked)),
            Err(_) => {
                handle.abort();
                Err(format!("it had not ended after {:?}", self.timeout))
            }
        }
    }
}

impl<R> fmt::Debug for Runner<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runner")
            .field("cases", &self.cases)
            .field("parallel", &self.parallel)
            .field("timeout", &self.timeout)
            .field("patience", &self.patience)
            .finish()
    }
}

impl<R> Clone for Runner<R> {
    fn clone(&self) -> Self {
        Self {
            cases: self.cases.clone(),
            parallel: self.parallel,
            timeout: self.timeout,
            patience: self.patience,
        }
    }
}

/// The error of a harness.
pub(crate) fn not_started(error: &crate::HarnessError, what: &str) -> Failure {
    Failure::new(format!("no {what}: {error}"))
}

fn panic_message(panicked: JoinError) -> String {
    let Ok(payload) = panicked.try_into_panic() else {
        return "its task was cancelled from outside".to_owned();
    };
    let message = payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned());
    match message {
        Some(message) => format!("it panicked: {message}"),
        None => "it panicked".to_owned(),
    }
}

/// The error that a suite has no case and no area of this name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownCase {
    name: String,
    areas: Vec<&'static str>,
}

impl fmt::Display for UnknownCase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, areas } = self;
        let areas = areas.join(", ");
        write!(
            f,
            "the suite of stores has no case and no area {name:?}; its areas are {areas}"
        )
    }
}

impl std::error::Error for UnknownCase {}

/// The settings of a suite, which has them in its field `runner`.
macro_rules! suite_settings {
    () => {
        /// Selects cases by name or area.
        ///
        /// # Errors
        ///
        /// [`UnknownCase`](crate::UnknownCase) if a name is neither a case nor an area.
        pub fn only(
            mut self,
            names: impl IntoIterator<Item = impl AsRef<str>>,
        ) -> Result<Self, $crate::UnknownCase> {
            self.runner.keep(names)?;
            Ok(self)
        }

        /// Sets how many cases run at a time, at least one. Default: 4.
        #[must_use]
        pub fn parallel(mut self, cases: usize) -> Self {
            self.runner.parallel = cases.max(1);
            self
        }

        /// Sets the timeout of a case. Default: 60 s.
        #[must_use]
        pub fn timeout(mut self, timeout: std::time::Duration) -> Self {
            self.runner.timeout = timeout;
            self
        }

        /// Sets how long a case waits for something that only time brings, such as the end of a
        /// lease. Default: 30 s.
        #[must_use]
        pub fn patience(mut self, patience: std::time::Duration) -> Self {
            self.runner.patience = patience;
            self
        }
    };
}

pub(crate) use suite_settings;
