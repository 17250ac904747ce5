//! Cache of validated subjects, so that a repeated subject is checked and copied once.

use event_sdk_core::subject::{InvalidSubject, Subject};
use event_sdk_core::text::Text;

/// A subscription's own subjects: one that comes often is checked and copied once.
#[derive(Debug)]
pub(super) struct Subjects {
    places: Vec<Option<Subject>>,
}

/// How many are kept; a power of two.
const PLACES: usize = 64;

impl Subjects {
    pub(super) fn new() -> Self {
        Self {
            places: vec![None; PLACES],
        }
    }

    /// The subject with these bytes, as they are on the wire; or why they are none.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Result<Subject, String> {
        let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
        self.get(text).map_err(|why| why.to_string())
    }

    /// The subject with this text.
    fn get(&mut self, text: &str) -> Result<Subject, InvalidSubject> {
        let place = &mut self.places[place(text)];
        if let Some(known) = place.as_ref().filter(|known| known.as_str() == text) {
            return Ok(known.clone());
        }
        let subject = Subject::parse(Text::copy_of(text))?;
        *place = Some(subject.clone());
        Ok(subject)
    }
}

/// Subjects of one stream begin alike and differ at their ends.
fn place(text: &str) -> usize {
    let end = text.as_bytes().rchunks(8).take(2);
    let hash = end.fold(text.len() as u64, |hash, bytes| {
        let mut word = [0; 8];
        word[..bytes.len()].copy_from_slice(bytes);
        (hash ^ u64::from_le_bytes(word)).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    });
    // The upper bits are mixed best; so few of them fit.
    #[expect(clippy::cast_possible_truncation)]
    let place = (hash >> (u64::BITS - PLACES.trailing_zeros())) as usize;
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_again_is_not_copied_again() {
        let mut subjects = Subjects::new();
        let address = |subject: &Subject| subject.as_str().as_ptr();
        let first = subjects.get("events.orders.order.placed").unwrap();
        let again = subjects.get("events.orders.order.placed").unwrap();
        assert_eq!(address(&first), address(&again));
    }

    #[test]
    fn subjects_that_share_a_place_are_not_mixed_up() {
        let mut subjects = Subjects::new();
        for _ in 0..2 {
            for number in 0..1000 {
                let text = format!("a.{number}");
                assert_eq!(subjects.get(&text).unwrap().as_str(), text);
            }
        }
    }

    #[test]
    fn the_places_are_used() {
        let used: std::collections::BTreeSet<_> = (0..256)
            .map(|number| place(&format!("events.orders.order.{number}")))
            .collect();
        assert!(used.len() > PLACES * 3 / 4, "{used:?}");
        assert!(used.iter().all(|place| *place < PLACES));
        assert!(place("") < PLACES);
    }

    #[test]
    fn what_is_no_subject_is_refused_each_time() {
        let mut subjects = Subjects::new();
        for _ in 0..2 {
            assert!(subjects.get("a..b").is_err());
            assert!(subjects.get("a\u{1}b").is_err());
        }
    }
}
