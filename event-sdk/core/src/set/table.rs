//! `SubjectTable`: hash table from subject to variant, built in `const` and used at run time
//! too.

use super::Opened;
use crate::event::EventSpec;
use crate::subject::grammar::subject_hash;

/// A hash table from subjects to the members of a set, made while compiling.
///
/// `SLOTS` is a power of two, at least twice the number of members; the derive sees to it. Adding
/// or finding a member takes the same time however many members there are. Comparing each pair
/// would take minutes for a thousand events.
#[derive(Debug)]
pub struct SubjectTable<const SLOTS: usize> {
    /// The member's index plus one; zero is an empty slot.
    slots: [u16; SLOTS],
    /// Whether a member shows its key in its subject.
    keyed: bool,
}

/// So many texts are compared in less time than one is hashed.
const FEW: usize = 4;

impl<const SLOTS: usize> SubjectTable<SLOTS> {
    /// The table of `members`. If two members have one subject, the table has the first.
    ///
    /// # Panics
    ///
    /// While compiling, if `SLOTS` is not a power of two above the number of members.
    #[must_use]
    pub const fn new(members: &[&EventSpec]) -> Self {
        assert!(
            SLOTS.is_power_of_two() && SLOTS > members.len(),
            "the derive sizes the table"
        );
        assert!(
            members.len() < u16::MAX as usize,
            "a set has at most 65534 events"
        );
        let mut slots = [0_u16; SLOTS];
        let mut keyed = false;
        let mut index = 0;
        while index < members.len() {
            let spec = members[index];
            keyed |= spec.key_in_subject();
            let mut slot = start::<SLOTS>(spec.subject_hash());
            loop {
                if slots[slot] == 0 {
                    // At most 65534, checked above.
                    #[allow(clippy::cast_possible_truncation)]
                    {
                        slots[slot] = index as u16 + 1;
                    }
                    break;
                }
                if same(members[slots[slot] as usize - 1], spec) {
                    break;
                }
                slot = (slot + 1) & (SLOTS - 1);
            }
            index += 1;
        }
        Self { slots, keyed }
    }

    /// The index of the member to which `opened` belongs; `None` if there is no such member.
    #[must_use]
    pub fn find(&self, members: &[&EventSpec], opened: &Opened<'_>) -> Option<usize> {
        if members.len() <= FEW {
            return members.iter().position(|spec| opened.is(spec));
        }
        opened.candidates().find_map(|(subject, absolute, keyed)| {
            let index = self.lookup(members, subject_hash(subject), subject, absolute)?;
            (members[index].key_in_subject() == keyed).then_some(index)
        })
    }

    /// Whether a member shows its key in its subject.
    pub(super) const fn any_keyed(&self) -> bool {
        self.keyed
    }

    /// The first member with the subject of member `index`, which it may be itself.
    ///
    /// It compares texts only where hashes are equal: this runs in the
    /// compiler's interpreter, once for each member.
    pub(super) const fn first_like(&self, members: &[&EventSpec], index: usize) -> usize {
        let spec = members[index];
        let mut slot = start::<SLOTS>(spec.subject_hash());
        while self.slots[slot] != 0 {
            let other = self.slots[slot] as usize - 1;
            if other == index || same(members[other], spec) {
                return other;
            }
            slot = (slot + 1) & (SLOTS - 1);
        }
        index
    }

    /// The index of the member with exactly this subject.
    pub(super) const fn lookup(
        &self,
        members: &[&EventSpec],
        hash: u64,
        subject: &str,
        absolute: bool,
    ) -> Option<usize> {
        let mut slot = start::<SLOTS>(hash);
        while self.slots[slot] != 0 {
            let index = self.slots[slot] as usize - 1;
            let member = members[index];
            if member.subject_hash() == hash
                && member.is_absolute() == absolute
                && same_text(member.subject(), subject)
            {
                return Some(index);
            }
            slot = (slot + 1) & (SLOTS - 1);
        }
        None
    }
}

const fn start<const SLOTS: usize>(hash: u64) -> usize {
    // The table is far smaller than the hash, whose high bits are folded in.
    #[allow(clippy::cast_possible_truncation)]
    {
        (hash ^ (hash >> 32)) as usize & (SLOTS - 1)
    }
}

const fn same(a: &EventSpec, b: &EventSpec) -> bool {
    a.subject_hash() == b.subject_hash()
        && a.is_absolute() == b.is_absolute()
        && same_text(a.subject(), b.subject())
}

pub(super) const fn same_text(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut at = 0;
    while at < a.len() {
        if a[at] != b[at] {
            return false;
        }
        at += 1;
    }
    true
}
