//! Test support: what the recorder of `metrics-util` has recorded in this thread.

use metrics::LocalRecorderGuard;
use metrics_util::CompositeKey;
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};

/// A recorder for this thread; a test runs in one.
pub(crate) struct Recorded {
    snapshotter: Snapshotter,
    _installed: LocalRecorderGuard<'static>,
}

impl Recorded {
    pub(crate) fn install() -> Self {
        // For the whole thread, which ends with the test.
        let recorder: &'static DebuggingRecorder = Box::leak(Box::default());
        Self {
            snapshotter: recorder.snapshotter(),
            _installed: metrics::set_default_local_recorder(recorder),
        }
    }

    /// Everything recorded so far.
    pub(crate) fn take(&self) -> Values {
        let values = self.snapshotter.snapshot().into_vec().into_iter();
        Values(values.map(|(key, _, _, value)| (key, value)).collect())
    }
}

/// What was recorded.
pub(crate) struct Values(Vec<(CompositeKey, DebugValue)>);

impl Values {
    /// A counter; zero if it was never counted.
    pub(crate) fn counter(&self, name: &str, labels: &[(&str, &str)]) -> u64 {
        match self.find(name, labels) {
            Some(DebugValue::Counter(value)) => *value,
            None => 0,
            Some(other) => panic!("{name} is no counter: {other:?}"),
        }
    }

    /// A gauge; `None` if it was never set.
    pub(crate) fn gauge(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        match self.find(name, labels)? {
            DebugValue::Gauge(value) => Some(value.into_inner()),
            other => panic!("{name} is no gauge: {other:?}"),
        }
    }

    /// Asserts that a gauge was set to `NaN`.
    #[track_caller]
    pub(crate) fn is_unknown(&self, name: &str, labels: &[(&str, &str)]) {
        let value = self.gauge(name, labels);
        assert!(value.is_some_and(f64::is_nan), "{name}: {value:?}");
    }

    /// The values of a histogram.
    pub(crate) fn histogram(&self, name: &str, labels: &[(&str, &str)]) -> Vec<f64> {
        match self.find(name, labels) {
            Some(DebugValue::Histogram(values)) => {
                values.iter().map(|value| value.into_inner()).collect()
            }
            None => Vec::new(),
            Some(other) => panic!("{name} is no histogram: {other:?}"),
        }
    }

    /// How many combinations of labels a metric has.
    pub(crate) fn series(&self, name: &str) -> usize {
        let keys = self.0.iter().map(|(key, _)| key.key());
        keys.filter(|key| key.name() == name).count()
    }

    /// Labels that have no `health` say nothing about it.
    fn find(&self, name: &str, labels: &[(&str, &str)]) -> Option<&DebugValue> {
        let mut found = self.0.iter().filter(|(key, _)| {
            let key = key.key();
            let mut wanted = labels.to_vec();
            let of_health = wanted.iter().any(|(key, _)| *key == "health");
            let own = key.labels().map(|l| (l.key(), l.value()));
            let mut own: Vec<_> = own.filter(|l| of_health || l.0 != "health").collect();
            own.sort_unstable();
            wanted.sort_unstable();
            key.name() == name && own == wanted
        });
        found.next().map(|(_, value)| value)
    }
}
