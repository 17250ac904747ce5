//! The list of streams, and the lookup of the stream that stores a subject.

use std::ops::{ControlFlow, Deref};
use std::sync::Arc;

use super::stream::MemoryStream;
use super::token_tree::TokenTree;
use event_sdk_core::subject::Subject;

/// The streams of a transport, of which no two store the same subject.
///
/// Each publish looks for one of them: where they are many, in a tree of what they
/// stored when the list was made.
#[derive(Debug)]
pub(super) struct List {
    streams: Vec<Arc<MemoryStream>>,
    tree: Option<TokenTree<usize>>,
}

/// Up to this many streams are asked one by one, which is quicker then.
const FEW: usize = 8;

impl List {
    pub(super) fn new(streams: Vec<Arc<MemoryStream>>) -> Self {
        let tree = (streams.len() > FEW).then(|| {
            let mut tree = TokenTree::new();
            for (place, stream) in streams.iter().enumerate() {
                for pattern in &stream.settings().config.subjects {
                    tree.change(pattern.as_str(), |value| *value = Some(place));
                }
            }
            tree
        });
        Self { streams, tree }
    }

    /// The stream that stores `subject`.
    #[inline]
    pub(super) fn storing(&self, subject: &Subject) -> Option<&Arc<MemoryStream>> {
        let Some(tree) = &self.tree else {
            let mut streams = self.streams.iter();
            return streams.find(|stream| stream.settings().stores(subject));
        };
        let mut found = |place: &usize| ControlFlow::Break(*place);
        let place = tree.overlapping(subject.as_str(), &mut found).break_value();
        self.streams.get(place?)
    }

    /// Whether it has to be made anew when a stream stores other subjects.
    pub(super) fn knows_subjects(&self) -> bool {
        self.tree.is_some()
    }
}

impl Deref for List {
    type Target = [Arc<MemoryStream>];

    fn deref(&self) -> &[Arc<MemoryStream>] {
        &self.streams
    }
}
