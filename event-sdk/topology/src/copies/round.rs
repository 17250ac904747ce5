//! Messages that go round: a stream that would copy its own messages again, without an end.

use std::collections::{HashMap, VecDeque};

use event_sdk::Pattern;
use event_sdk::stream::{StreamConfig, UpstreamConfig};
use event_sdk::transport::Error;

use super::{Copies, is_here};

/// What comes back to a stream.
struct Returns {
    /// The subjects before the round of what has the given ones after it.
    subjects: Vec<Pattern>,
    /// The streams that such a message passes, with the first one at both ends.
    way: Vec<String>,
}

impl Copies<'_> {
    /// The streams that a message of the declared stream passes on its way round, with that stream at both
    /// ends, once everything is applied; `None` if no message goes round for ever.
    pub(crate) async fn round(
        &mut self,
        wanted: &StreamConfig,
    ) -> Result<Option<Vec<String>>, Error> {
        let mut subjects = vec![Pattern::everything()];
        loop {
            let returns = self.once(wanted, &subjects).await?;
            if returns.subjects.is_empty() {
                return Ok(None);
            }
            // Each round leaves fewer messages, or as many for ever.
            let stays = |it: &Pattern| covered(&returns.subjects, it);
            if subjects.iter().all(stays) {
                return Ok(Some(returns.way));
            }
            subjects = returns.subjects;
        }
    }

    /// Follows the sources backwards until they come to the stream again: what it has under `subjects` was
    /// there under the subjects that are returned.
    async fn once(
        &mut self,
        wanted: &StreamConfig,
        subjects: &[Pattern],
    ) -> Result<Returns, Error> {
        let mut returns = Returns {
            subjects: Vec::new(),
            way: Vec::new(),
        };
        let mut visited: HashMap<String, Vec<Pattern>> = HashMap::new();
        let start = |subject: &Pattern| (vec![wanted.name.to_string()], subject.clone());
        let mut open: VecDeque<_> = subjects.iter().map(start).collect();
        while let Some((way, subject)) = open.pop_front() {
            let Some(last) = way.last() else { continue };
            let Some(config) = self.finally(last).await? else {
                continue;
            };
            for upstream in config.upstreams().filter(|upstream| is_here(upstream)) {
                for earlier in before(upstream, &subject) {
                    let mut way = way.clone();
                    way.push(upstream.stream.to_string());
                    if upstream.stream == wanted.name {
                        if returns.way.is_empty() {
                            way.reverse();
                            returns.way = way;
                        }
                        if !covered(&returns.subjects, &earlier) {
                            returns.subjects.push(earlier);
                        }
                        continue;
                    }
                    let known = visited.entry(upstream.stream.to_string()).or_default();
                    if !covered(known, &earlier) {
                        known.push(earlier.clone());
                        open.push_back((way, earlier));
                    }
                }
            }
        }
        Ok(returns)
    }
}

fn covered(patterns: &[Pattern], subject: &Pattern) -> bool {
    patterns.iter().any(|pattern| pattern.covers(subject))
}

/// The subjects in the original of messages that the copy has under this one.
fn before(upstream: &UpstreamConfig, subject: &Pattern) -> Vec<Pattern> {
    match (&upstream.filter, &upstream.transforms[..]) {
        (None, []) => vec![subject.clone()],
        (Some(filter), _) => subject.meet(filter).into_iter().collect(),
        (None, transforms) => {
            let transforms = transforms.iter();
            // What cannot be told of a transform is taken to match.
            let taken =
                transforms.filter(|one| stored(&one.to).is_none_or(|to| to.overlaps(subject)));
            taken.map(|one| one.from.clone()).collect()
        }
    }
}

/// The subjects under which a transform stores messages; `None` if its functions make several tokens of one.
fn stored(to: &str) -> Option<Pattern> {
    let mut tokens = Vec::new();
    for token in to.split('.') {
        let is_made = token.starts_with("{{") || token.starts_with('$');
        let lower = token.to_lowercase();
        if is_made && (lower.contains("split") || lower.contains("slice")) {
            return None;
        }
        tokens.push(if is_made { "*" } else { token });
    }
    Pattern::parse(tokens.join(".")).ok()
}
