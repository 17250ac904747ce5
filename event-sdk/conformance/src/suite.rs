//! `Suite`: runs cases in parallel with a timeout each; options for stress, patience and
//! replicas.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use tokio::task::JoinError;

use super::failure::Outcome;
use super::fixture::Fixture;
use super::rig::SHORT;
use super::settings::Settings;
use super::started::Started;
use super::{Case, CaseResult, Harness, Report, Verdict, cases, counterpart};
use event_sdk_core::transport::{Capability, Transport as _, TransportExt as _};

/// Selects the cases, and sets how they run.
///
/// ```no_run
/// # async fn example(harness: impl event_sdk_conformance::Harness)
/// # -> Result<(), Box<dyn std::error::Error>> {
/// use event_sdk_conformance::Suite;
///
/// let report = Suite::new()
///     .only(["redelivery", "order_of_one_publisher"])?
///     .stress(10)
///     .run(harness)
///     .await;
/// report.assert_all_passed();
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Suite {
    cases: Vec<Case>,
    parallel: usize,
    timeout: Duration,
    settings: Settings,
}

impl Suite {
    /// Creates a suite of all cases. It runs 16 cases at a time, with a timeout of 20 s for each.
    #[must_use]
    pub fn new() -> Self {
        Self {
            cases: cases::all().collect(),
            parallel: 16,
            timeout: Duration::from_secs(20),
            settings: Settings {
                patience: Duration::from_secs(8),
                ack_wait: SHORT,
                scale: 1,
                replicas: 1,
            },
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
    pub fn parallel(mut self, cases: usize) -> Self {
        self.parallel = cases.max(1);
        self
    }

    /// Sets the timeout of a case.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets how long a case waits for one expected event.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.settings.patience = patience;
        self
    }

    /// Sets the ack wait of cases that must settle a message, or read one of its deliveries, before
    /// the ack wait ends. Default: half a second. Raise it if such a step may take longer, as on a
    /// server on a busy machine. Most of these cases also wait for the end of the ack wait, so they
    /// then take longer.
    pub fn ack_wait(mut self, ack_wait: Duration) -> Self {
        self.settings.ack_wait = ack_wait;
        self
    }

    /// Multiplies the number of messages in cases whose work depends on that number; raise the
    /// timeout too.
    pub fn stress(mut self, factor: usize) -> Self {
        self.settings.scale = factor.max(1);
        self
    }

    /// Sets the number of replicas of each stream, for transports that have clusters. Default: one.
    pub fn replicas(mut self, copies: u8) -> Self {
        self.settings.replicas = copies.max(1);
        self
    }

    /// Runs the cases on the transport that `harness` starts.
    ///
    /// Needs a tokio runtime with time enabled and not paused. If a case panics or times out, it
    /// counts as failed, and the others continue. If a case can block its thread, use a
    /// multi-threaded runtime.
    ///
    /// Not cancel-safe: dropping the future leaves transports running.
    pub async fn run<H: Harness>(&self, harness: H) -> Report {
        let begun = Instant::now();
        let harness = Arc::new(harness);
        let (transport, supported) = self.look_at(&harness).await;
        let mut results: Vec<_> = stream::iter(self.cases.iter().enumerate())
            .map(|(place, &case)| {
                let running = self.run_case(Arc::clone(&harness), case, supported.clone());
                async move { (place, running.await) }
            })
            .buffer_unordered(self.parallel)
            .collect()
            .await;
        results.sort_unstable_by_key(|(place, _)| *place);
        Report {
            transport,
            results: results.into_iter().map(|(_, result)| result).collect(),
            elapsed: begun.elapsed(),
        }
    }

    /// What the transport is called and can do, or why that is not known.
    async fn look_at<H: Harness>(
        &self,
        harness: &Arc<H>,
    ) -> (String, Result<Vec<Capability>, String>) {
        let looked = self
            .in_task(harness, |fixture| {
                Box::pin(async move {
                    let transport = fixture.start(Vec::new()).await?;
                    let supported = Capability::ALL.into_iter();
                    let supported = supported.filter(|one| transport.supports(*one)).collect();
                    Ok((transport.name().to_owned(), supported))
                })
            })
            .await;
        match looked {
            Ok((name, supported)) => (name, Ok(supported)),
            Err(why) => ("a transport that does not start".to_owned(), Err(why)),
        }
    }

    async fn run_case<H: Harness>(
        &self,
        harness: Arc<H>,
        case: Case,
        supported: Result<Vec<Capability>, String>,
    ) -> CaseResult {
        let begun = Instant::now();
        let verdict = match supported {
            Ok(supported) => {
                let missing = missing(case.needs, &supported);
                let ended = if missing.is_empty() {
                    self.in_task(&harness, case.body).await
                } else {
                    let missing = missing.clone();
                    self.in_task(&harness, |fixture| {
                        Box::pin(counterpart::refuses(fixture, missing))
                    })
                    .await
                };
                match ended {
                    Ok(()) if missing.is_empty() => Verdict::Passed,
                    Ok(()) => Verdict::Unsupported(missing),
                    Err(why) => Verdict::Failed(why),
                }
            }
            Err(why) => Verdict::Failed(why),
        };
        CaseResult {
            case,
            verdict,
            elapsed: begun.elapsed(),
        }
    }

    /// Does `work` in a task of its own and stops what it started.
    async fn in_task<H: Harness, T: Send + 'static>(
        &self,
        harness: &Arc<H>,
        work: impl FnOnce(Fixture) -> Pin<Box<dyn Future<Output = Outcome<T>> + Send>>,
    ) -> Result<T, String> {
        let started = Started::new(Arc::clone(harness));
        let fixture = started.fixture(self.settings);
        let ended = self.bounded(work(fixture)).await;
        let stopped = self.bounded(async move {
            started.stop().await;
            Ok(())
        });
        match (ended, stopped.await) {
            (Ok(value), Ok(())) => Ok(value),
            (Ok(_), Err(why)) => Err(format!("the harness could not stop it: {why}")),
            (Err(why), _) => Err(why),
        }
    }

    async fn bounded<T: Send + 'static>(
        &self,
        work: impl Future<Output = Outcome<T>> + Send + 'static,
    ) -> Result<T, String> {
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

/// What a case needs and the transport lacks. Without streams, or where they
/// cannot be managed, nothing else that is asked for has a meaning.
fn missing(needs: &[Capability], supported: &[Capability]) -> Vec<Capability> {
    let missing = |need: &Capability| !supported.contains(need);
    for first in [Capability::Store, Capability::StreamAdmin] {
        if needs.contains(&first) && missing(&first) {
            return vec![first];
        }
    }
    needs.iter().copied().filter(missing).collect()
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

/// The suite has no case and no area with this name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownCase(String);

impl fmt::Display for UnknownCase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the conformance suite has no case and no area {:?}; its areas are ",
            self.0
        )?;
        let mut areas: Vec<_> = cases::all().map(|case| case.area).collect();
        areas.dedup();
        f.write_str(&areas.join(", "))
    }
}

impl std::error::Error for UnknownCase {}
