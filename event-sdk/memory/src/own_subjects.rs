//! Cache of subjects in a subscription, to avoid reference counts that threads share.

use super::subjects::Entry;
use event_sdk_core::subject::Subject;
use event_sdk_core::text::Text;

/// A subscription's own copies of the subjects that it sees often.
///
/// A subject counts its owners beside its text. Counting each delivery there
/// would take that memory away from the publisher, who reads the text at each
/// publish, and from the other subscriptions: all would wait for each other. So
/// each counts on a copy.
#[derive(Debug, Default)]
pub(super) struct OwnSubjects {
    copies: [Copy; PLACES],
}

const PLACES: usize = 16;

#[derive(Debug, Default)]
struct Copy {
    /// The entry of the last subject that was seen here; they count from one.
    entry: u64,
    /// Made when it is seen there twice in a row.
    subject: Option<Subject>,
}

impl OwnSubjects {
    /// The subject of `entry`.
    pub(super) fn copy_of(&mut self, entry: &Entry) -> Subject {
        // The remainder is small.
        #[expect(clippy::cast_possible_truncation)]
        let copy = &mut self.copies[(entry.id() % PLACES as u64) as usize];
        if copy.entry != entry.id() {
            *copy = Copy {
                entry: entry.id(),
                subject: None,
            };
            return entry.subject().clone();
        }
        if copy.subject.is_none() {
            copy.subject = Subject::parse(Text::copy_of(entry.subject().as_str())).ok();
        }
        let subject = copy.subject.as_ref().unwrap_or(entry.subject());
        subject.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::OwnSubjects;
    use crate::subjects::Subjects;
    use event_sdk_core::subject::Subject;

    #[test]
    fn what_is_seen_again_is_copied_once() {
        let mut subjects = Subjects::new(false);
        let subject = Subject::parse("a.b".to_owned()).unwrap();
        let place = subjects.add(&subject, 1);
        let entry = subjects.at(place).unwrap();
        let mut own = OwnSubjects::default();
        let address = |subject: &Subject| subject.as_str().as_ptr();
        assert_eq!(address(&own.copy_of(entry)), address(&subject));
        let copy = own.copy_of(entry);
        assert_eq!(copy, subject);
        assert_ne!(address(&copy), address(&subject));
        assert_eq!(address(&own.copy_of(entry)), address(&copy));
    }

    #[test]
    fn subjects_that_share_a_place_are_not_mixed_up() {
        let mut subjects = Subjects::new(false);
        let mut own = OwnSubjects::default();
        for round in 0..3 {
            for number in 0..40 {
                let subject = Subject::parse(format!("a.{number}")).unwrap();
                let place = subjects.add(&subject, round * 40 + number + 1);
                assert_eq!(own.copy_of(subjects.at(place).unwrap()), subject);
                assert_eq!(own.copy_of(subjects.at(place).unwrap()), subject);
            }
        }
    }
}
