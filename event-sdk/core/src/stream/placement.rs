//! `Placement`: the servers of a cluster that keep a stream.

use std::fmt;

use crate::subject::grammar::is_unseen;
use crate::text::Text;

/// The servers that keep a stream: the servers of a cluster, the servers that have certain tags, or
/// both. A value can be a constant.
///
/// ```
/// use event_sdk_core::stream::{Placement, StreamSpec};
///
/// const ORDERS: StreamSpec = StreamSpec::constant("ORDERS", &["orders.>"])
///     .replicas(3)
///     .placement(Placement::cluster("eu-west-1").tags(&["disk:ssd"]));
/// # assert!(ORDERS.config("events").is_ok());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Placement {
    cluster: Option<&'static str>,
    tags: &'static [&'static str],
}

impl Placement {
    /// Any server. This removes the placement of an existing stream. (A stream without a declared
    /// placement keeps its placement.)
    pub const ANYWHERE: Self = Self {
        cluster: None,
        tags: &[],
    };

    /// The servers of the cluster with this name, one of the clusters that gateways connect.
    #[must_use]
    pub const fn cluster(name: &'static str) -> Self {
        Self {
            cluster: Some(name),
            ..Self::ANYWHERE
        }
    }

    /// The servers that have all of these tags in their `server_tags`, in upper or lower case. A
    /// tag that begins with `!` excludes the servers that have it (server 2.12).
    #[must_use]
    pub const fn tagged(tags: &'static [&'static str]) -> Self {
        Self::ANYWHERE.tags(tags)
    }

    /// Restricts the servers to those that have all of these tags.
    #[must_use]
    pub const fn tags(mut self, tags: &'static [&'static str]) -> Self {
        self.tags = tags;
        self
    }

    pub(super) fn config(&self) -> PlacementConfig {
        let tags = self.tags.iter().copied().map(Text::from_static);
        PlacementConfig {
            cluster: self.cluster.map(Text::from_static),
            tags: tags.collect(),
        }
    }
}

/// The servers that keep a stream, as a transport knows it. The default is any server.
///
/// Fields may be added: start with [`default`](Self::default).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct PlacementConfig {
    /// The cluster; `None`: any.
    pub cluster: Option<Text>,
    /// The tags. A server has to have all of them.
    pub tags: Vec<Text>,
}

impl PlacementConfig {
    /// Whether any server will do.
    #[must_use]
    pub fn is_anywhere(&self) -> bool {
        *self == Self::default()
    }

    /// The tags in an order of their own: that in which they were listed is no difference.
    pub(crate) fn sorted_tags(&self) -> Vec<String> {
        let lower = self.tags.iter().map(|tag| tag.to_lowercase());
        let mut tags: Vec<_> = lower.collect();
        tags.sort();
        tags
    }

    pub(super) fn check(&self) -> Result<(), String> {
        for text in self.cluster.iter().chain(&self.tags) {
            if text.is_empty() || text.chars().any(is_unseen) {
                return Err(format!(
                    "the name of a cluster or a tag is {:?}; it has at least one character, and no white space",
                    &**text
                ));
            }
        }
        Ok(())
    }
}

impl fmt::Display for PlacementConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(cluster) = &self.cluster {
            write!(f, "cluster {cluster}")?;
        }
        let tags: Vec<_> = self.tags.iter().map(Text::as_str).collect();
        let and = if self.cluster.is_some() { ", " } else { "" };
        match tags[..] {
            [] if self.cluster.is_none() => f.write_str("any server"),
            [] => Ok(()),
            _ => write!(f, "{and}tags {}", tags.join(", ")),
        }
    }
}
