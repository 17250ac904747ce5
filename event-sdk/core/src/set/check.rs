//! Compile-time checks of a set in `const`: duplicate subjects, and variants that the set's
//! pattern does not match.
//!
//! Each function panics in `const`; `#[track_caller]` puts the error on the
//! token from which the derive calls it. Texts are put together at compile
//! time too, so that the message names the subjects and what to write.

use super::table::{SubjectTable, same_text};
use crate::event::EventSpec;
use crate::subject::grammar::{covers, parent, subject_hash, token_count};

/// Checks the member `index` of a set.
///
/// # Panics
///
/// While compiling, with what is wrong and what to do.
#[track_caller]
pub const fn check_member<const SLOTS: usize>(
    members: &[&EventSpec],
    table: &SubjectTable<SLOTS>,
    index: usize,
    pattern: Option<&str>,
) {
    if members[index].is_stub() {
        return;
    }
    check_unique(members, table, index);
    check_alone(members, table, index);
    if let Some(pattern) = pattern {
        check_in_pattern(members[index], pattern);
    }
}

/// Checks that no earlier member has the subject of member `index`.
///
/// # Panics
///
/// While compiling, with the names of both.
#[track_caller]
const fn check_unique<const SLOTS: usize>(
    members: &[&EventSpec],
    table: &SubjectTable<SLOTS>,
    index: usize,
) {
    let first = table.first_like(members, index);
    if first == index {
        return;
    }
    let (spec, first) = (members[index], members[first]);
    let advice = if spec.version().major() != first.version().major() {
        "keep the newest version alone, which takes the older ones through its `upcast_from`"
    } else if same_text(spec.name(), first.name()) {
        "keep one of the two variants if they hold the same event, else give one event another action"
    } else {
        "give one of them another action, or leave it out of the set"
    };
    fail(&[
        "`",
        spec.name(),
        "` and `",
        first.name(),
        "` have the same subject `",
        spec.subject(),
        "`, so the set could not tell them apart; ",
        advice,
    ]);
}

/// Checks that the subject of member `index` is not one that another member
/// makes out of its key.
///
/// # Panics
///
/// While compiling, with the names of both.
#[track_caller]
const fn check_alone<const SLOTS: usize>(
    members: &[&EventSpec],
    table: &SubjectTable<SLOTS>,
    index: usize,
) {
    let spec = members[index];
    if spec.key_in_subject() || !table.any_keyed() {
        return;
    }
    let Some(parent) = parent(spec.subject()) else {
        return;
    };
    if let Some(keyed) = table.lookup(members, subject_hash(parent), parent, spec.is_absolute())
        && members[keyed].key_in_subject()
    {
        let keyed = members[keyed];
        fail(&[
            "the subject `",
            spec.subject(),
            "` of `",
            spec.name(),
            "` is also that of `",
            keyed.name(),
            "` with the right key (`",
            keyed.filter(),
            "`); change one of the subjects, or take the key of `",
            keyed.name(),
            "` out of its subject",
        ]);
    }
}

/// Checks that the pattern which a set declares matches all subjects of a member.
///
/// # Panics
///
/// While compiling, with the pattern and the subject.
#[track_caller]
const fn check_in_pattern(spec: &EventSpec, pattern: &str) {
    if spec.is_absolute() {
        fail(&[
            "`",
            spec.name(),
            "` has the absolute subject `",
            spec.subject(),
            "`, and the pattern of a set is relative to the bus's prefix; leave the event out of this set, or the pattern",
        ]);
    }
    if covers(pattern, spec.filter()) {
        return;
    }
    let why = if token_count(pattern) == token_count(spec.filter()) {
        ": a token of the one is another in the other"
    } else if spec.key_in_subject() {
        ", whose last token is the key: `*` stands for exactly one token, `>` for all that follow"
    } else {
        ", which has another number of tokens: `*` stands for exactly one token, `>` for all that follow"
    };
    fail(&[
        "the pattern `",
        pattern,
        "` of the set does not match `",
        spec.filter(),
        "` of `",
        spec.name(),
        "`",
        why,
        "; widen the pattern, or leave the event out of the set",
    ]);
}

/// Checks that `previous` is the major version right before `spec`, of the same event.
///
/// # Panics
///
/// While compiling, with both versions or both subjects.
#[track_caller]
pub const fn check_upcast(spec: &EventSpec, previous: &EventSpec) {
    if spec.is_stub() || previous.is_stub() {
        return;
    }
    check_same_event(spec, previous);
    let (major, before) = (spec.version().major(), previous.version().major());
    if before >= major {
        fail(&[
            "`upcast_from` names `",
            previous.name(),
            "`, whose major version is not older; raise the major version of `",
            spec.name(),
            "`, or name the version before it",
        ]);
    }
    if major - before > 1 {
        fail(&[
            "there is a gap between `",
            previous.name(),
            "` and `",
            spec.name(),
            "`: `upcast_from` must name the major version right before this one; add the versions between them",
        ]);
    }
}

/// Checks that an event of the older version arrives where the newer one is
/// expected, and is taken for it.
#[track_caller]
const fn check_same_event(spec: &EventSpec, previous: &EventSpec) {
    let same_place = spec.is_absolute() == previous.is_absolute()
        && spec.key_in_subject() == previous.key_in_subject();
    if !same_place || !same_text(spec.subject(), previous.subject()) {
        fail(&[
            "`upcast_from` names `",
            previous.name(),
            "`, whose subject is `",
            previous.filter(),
            "`, while that of `",
            spec.name(),
            "` is `",
            spec.filter(),
            "`; the versions of one event share its subject, so write the same one on both",
        ]);
    }
    if !same_text(spec.event_type(), previous.event_type()) {
        fail(&[
            "`upcast_from` names `",
            previous.name(),
            "`, whose event type is `",
            previous.event_type(),
            "`, while that of `",
            spec.name(),
            "` is `",
            spec.event_type(),
            "`; the versions of one event share its type, so write the same `type` on both",
        ]);
    }
}

/// Fails the compilation with the parts as one text.
///
/// # Panics
///
/// Always, while compiling.
#[track_caller]
#[allow(
    clippy::panic,
    reason = "runs while compiling, where a panic is the error message"
)]
pub const fn fail(parts: &[&str]) -> ! {
    let mut text = [0_u8; 1024];
    let mut len = 0;
    let mut part = 0;
    while part < parts.len() {
        let bytes = parts[part].as_bytes();
        let mut at = 0;
        while at < bytes.len() && len < text.len() {
            text[len] = bytes[at];
            len += 1;
            at += 1;
        }
        part += 1;
    }
    match str::from_utf8(text.split_at(len).0) {
        Ok(text) => panic!("{}", text),
        // Names and subjects of great length: cut inside a character.
        Err(_) => panic!("an event of the set does not fit; its names are too long to show"),
    }
}
