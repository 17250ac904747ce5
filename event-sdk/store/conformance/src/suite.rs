//! `Suite`: runs cases in parallel, with a timeout each.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, stream};
use tokio::task::JoinError;

use crate::failure::Outcome;
use crate::rig::Rig;
use crate::{Case, CaseResult, Harness, Report, Verdict, cases, lacking};

/// Selects the cases, and how they run.
#[derive(Debug, Clone)]
pub struct Suite {
    cases: Vec<Case>,
    parallel: usize,
    timeout: Duration,
    patience: Duration,
}

impl Suite {
    /// All cases, 4 at a time, with a timeout of 60 s for each, which wait for up to 30 s for what
    /// comes with time alone.
    #[must_use]
    pub fn new() -> Self {
        Self {
            cases: cases::all().collect(),
            parallel: 4,
            timeout: Duration::from_secs(60),
            patience: Duration::from_secs(30),
        }
    }

    /// Selects cases by name or area.
    ///
    /// # Errors
    ///
    /// [`UnknownCase`] if a name is neither a case nor an area.
    pub fn only(
        mut self,
        names: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<Self, UnknownCase> {
        let mut chosen = Vec::new();
        for name in names {
            let name = name.as_ref();
            let before = chosen.len();
            chosen.extend(cases::all().filter(|case| case.name == name || case.area == name));
            if chosen.len() == before {
                return Err(UnknownCase(name.to_owned()));
            }
        }
        self.cases
            .retain(|case| chosen.iter().any(|chosen| chosen.name == case.name));
        Ok(self)
    }

    /// Sets how many cases run at a time; at least one.
    #[must_use]
    pub fn parallel(mut self, cases: usize) -> Self {
        self.parallel = cases.max(1);
        self
    }

    /// Sets the timeout of a case.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets how long a case waits for what comes with time alone, such as the end of a lease.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Runs the cases on the outboxes that `harness` starts.
    ///
    /// Needs a tokio runtime with time enabled and not paused. A case that panics or times out has
    /// failed, and the others continue.
    ///
    /// Not cancel-safe: dropping the future leaves outboxes behind.
    pub async fn run<H: Harness>(&self, harness: H) -> Report {
        let begun = Instant::now();
        let harness = Arc::new(harness);
        let mut results: Vec<_> = stream::iter(self.cases.iter().enumerate())
            .map(|(place, &case)| {
                let running = self.run_case(Arc::clone(&harness), case);
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

    async fn run_case<H: Harness>(&self, harness: Arc<H>, case: Case) -> CaseResult {
        let begun = Instant::now();
        let missing = case.needs.iter().copied().find(|need| !harness.has(*need));
        let patience = self.patience;
        let work = async move {
            let outbox = harness
                .start()
                .await
                .map_err(|error| crate::failure::Failure::new(format!("no outbox: {error}")))?;
            let rig = Rig::new(outbox, patience);
            match missing {
                None => (case.body)(rig).await,
                Some(need) => lacking::check(rig, need).await,
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

impl Default for Suite {
    fn default() -> Self {
        Self::new()
    }
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

/// That the suite has no case and no area of this name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownCase(String);

impl fmt::Display for UnknownCase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the suite of stores has no case and no area {:?}; its areas are ",
            self.0
        )?;
        let mut areas: Vec<_> = cases::all().map(|case| case.area).collect();
        areas.dedup();
        f.write_str(&areas.join(", "))
    }
}

impl std::error::Error for UnknownCase {}
