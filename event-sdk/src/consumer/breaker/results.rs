//! `Results`: what the handlers of different keys told last about a dependency.

/// What a result tells about the dependency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dependency {
    /// A handler succeeded.
    Up,
    /// A handler claimed an outage, and is credible.
    Down,
}

/// The last two results, of different keys; the newer one first.
#[derive(Debug, Default)]
pub(super) struct Results([Option<(u64, Dependency)>; 2]);

impl Results {
    /// What another key than this one told last. Before any result: that the dependency is there,
    /// since events were handled.
    pub(super) fn of_another(&self, key: u64) -> Dependency {
        self.0
            .iter()
            .flatten()
            .find(|(by, _)| *by != key)
            .map_or(Dependency::Up, |(_, told)| *told)
    }

    pub(super) fn tell(&mut self, key: u64, told: Dependency) {
        let [newest, second] = &mut self.0;
        if newest.is_some_and(|(by, _)| by != key) {
            *second = *newest;
        }
        *newest = Some((key, told));
    }
}
