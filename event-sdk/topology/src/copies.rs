//! Plans mirrors and streams with sources: what is copied exists, and no message goes round.

use event_sdk::Pattern;
use event_sdk::stream::{StreamConfig, UpstreamConfig};
use event_sdk::transport::{Error, ErrorKind, Transport, TransportExt as _};

/// How often a message may go round before it is taken to go on for ever.
const ROUNDS: usize = 3;

/// What is found out about the streams that a declared one copies.
#[derive(Debug, Default)]
pub(crate) struct Copies {
    /// The streams that a message passes on its way round, with the declared one at both ends.
    pub(crate) round: Option<Vec<String>>,
    /// Streams that do not exist, and are not declared.
    pub(crate) missing: Vec<String>,
}

/// Follows the streams of this account that the declared stream `wanted` copies.
pub(crate) async fn of(
    transport: &dyn Transport,
    declared: &[StreamConfig],
    wanted: &StreamConfig,
) -> Result<Copies, Error> {
    let mut streams = Streams {
        transport,
        known: declared.iter().cloned().map(Some).collect(),
        names: declared
            .iter()
            .map(|config| config.name.to_string())
            .collect(),
    };
    let mut copies = Copies::default();
    for upstream in here(wanted) {
        if streams.get(&upstream.stream).await?.is_none() {
            copies.missing.push(upstream.stream.to_string());
        }
    }
    let mut paths = vec![(vec![wanted.name.to_string()], vec![Pattern::everything()])];
    let most = ROUNDS * (declared.len() + 1);
    while let Some((path, subjects)) = paths.pop() {
        let Some(last) = path.last() else { continue };
        let Some(config) = streams.get(last).await? else {
            continue;
        };
        for upstream in here(&config) {
            // Backwards: what the copy has under `subjects` is there under the subjects before.
            let before = before(upstream, &subjects);
            if before.is_empty() {
                continue;
            }
            let mut path = path.clone();
            path.push(upstream.stream.to_string());
            let returns = path.iter().filter(|name| **name == *wanted.name).count();
            if returns > ROUNDS {
                let mut ends = path.iter().skip(1);
                let end = ends.position(|name| **name == *wanted.name).unwrap_or(0);
                path.truncate(end + 2);
                path.reverse();
                copies.round = Some(path);
                return Ok(copies);
            }
            if path.len() <= most {
                paths.push((path, before));
            }
        }
    }
    Ok(copies)
}

/// The streams of this account that a stream copies.
fn here(config: &StreamConfig) -> impl Iterator<Item = &UpstreamConfig> {
    let upstreams = config.upstreams();
    upstreams.filter(|upstream| upstream.api_prefix.is_none())
}

/// The subjects in the original of messages that the copy has under these subjects.
fn before(upstream: &UpstreamConfig, subjects: &[Pattern]) -> Vec<Pattern> {
    let meets = |pattern: &Pattern| {
        let mut subjects = subjects.iter();
        subjects.any(|subject| subject.overlaps(pattern))
    };
    match (&upstream.filter, &upstream.transforms[..]) {
        (None, []) => subjects.to_vec(),
        (Some(filter), _) => subjects.iter().filter_map(|it| it.meet(filter)).collect(),
        (None, transforms) => {
            let transforms = transforms.iter();
            // What cannot be told of a transform is taken to match.
            let taken = transforms.filter(|one| stored(&one.to).is_none_or(|to| meets(&to)));
            taken.map(|one| one.from.clone()).collect()
        }
    }
}

/// The subjects under which a transform stores messages.
fn stored(to: &str) -> Option<Pattern> {
    let tokens = to.split('.').map(|token| {
        let is_made = token.starts_with("{{") || token.starts_with('$');
        if is_made { "*" } else { token }
    });
    let tokens: Vec<_> = tokens.collect();
    Pattern::parse(tokens.join(".")).ok()
}

/// The streams that are declared, and those that were asked for.
struct Streams<'a> {
    transport: &'a dyn Transport,
    names: Vec<String>,
    known: Vec<Option<StreamConfig>>,
}

impl Streams<'_> {
    /// The stream of this name; `None` if there is none. One whose configuration may not be read is taken
    /// to copy nothing.
    async fn get(&mut self, name: &str) -> Result<Option<StreamConfig>, Error> {
        if let Some(place) = self.names.iter().position(|known| known == name) {
            return Ok(self.known[place].clone());
        }
        let found = match self.transport.stream_state(name).await {
            Ok(state) => Some(state.config),
            Err(error) => match error.kind() {
                ErrorKind::StreamNotFound => None,
                ErrorKind::PermissionDenied | ErrorKind::Other => {
                    Some(StreamConfig::new(name, Vec::new()))
                }
                _ => return Err(error),
            },
        };
        self.names.push(name.to_owned());
        self.known.push(found.clone());
        Ok(found)
    }
}
