//! Cycles as a server sees them: it refuses some sources through which no message comes back.

use std::collections::{HashSet, VecDeque};

use event_sdk::stream::{StreamConfig, UpstreamConfig};
use event_sdk::transport::Error;

use super::Copies;

/// A stream to which a server comes twice when it follows the sources of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cycle {
    /// The stream that is copied.
    pub(crate) original: String,
    /// The stream that copies it, where the server comes to it again.
    pub(crate) copy: String,
}

impl Copies<'_> {
    /// Where a server sees a cycle when the declared stream at `place` is applied, behind those before it.
    ///
    /// It follows the sources stream by stream, and refuses a source that leads to one of those that it has
    /// visited, by whichever way, unless the source has a filter that meets no subject of its stream. A
    /// transform is no filter to it (nats-server, `server/stream.go`, "cycle check for source cycle").
    pub(crate) async fn cycle(&mut self, place: usize) -> Result<Option<Cycle>, Error> {
        let mut open = VecDeque::from([self.declared[place].clone()]);
        let mut visited = HashSet::new();
        while let Some(config) = open.pop_front() {
            visited.insert(config.name.clone());
            for upstream in config.upstreams().filter(|upstream| is_followed(upstream)) {
                if visited.contains(&upstream.stream) {
                    if is_closed_by(&config, upstream) {
                        return Ok(Some(Cycle {
                            original: upstream.stream.to_string(),
                            copy: config.name.to_string(),
                        }));
                    }
                } else if let Some(next) = self.before(place, &upstream.stream).await? {
                    queue(&mut open, next);
                }
            }
        }
        Ok(None)
    }
}

/// Whether a server looks at the original.
fn is_followed(upstream: &UpstreamConfig) -> bool {
    upstream.api_prefix.is_none() && upstream.deliver_prefix.is_none()
}

/// Whether this mirror or source of a stream, which leads to one that was visited, is refused.
fn is_closed_by(config: &StreamConfig, upstream: &UpstreamConfig) -> bool {
    let is_mirror = config.mirror.is_some();
    is_mirror
        || upstream.filter.as_ref().is_none_or(|filter| {
            let mut subjects = config.subjects.iter();
            subjects.any(|subject| subject.overlaps(filter))
        })
}

/// How often a stream may wait to be visited. A server has no such limit, and visits a stream as often as a
/// way leads to it: twice as often with each step of a ladder.
const MOST: usize = 8;

/// Adds a stream that is to be visited: its first visit counts it among the visited, and its last one has
/// visited the most before.
fn queue(open: &mut VecDeque<StreamConfig>, next: StreamConfig) {
    let mut places = (0..open.len()).filter(|place| open[*place].name == next.name);
    if let Some(last) = places.nth(MOST - 1) {
        open.remove(last);
    }
    open.push_back(next);
}
