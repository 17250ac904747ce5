//! What a pass means for the outbox: lost, moved and unmarked rows.

use event_sdk::Pattern;
use event_sdk::stream::Retention;
use event_sdk::text::Text;
use jiff::Timestamp;

use super::super::divergence::{DatabaseOlder, Divergence, LostInStream, MovedRows, count};
use super::super::known::KnownRows;
use super::super::plan::RecoverPlan;
use super::super::scan::{RowFate, Scan, Seen};
use super::super::store::RowAt;
use super::super::unknown::{Unknown, UnknownReason};

/// Up to where the stream is the one that the databases know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Agreement {
    /// The lowest sequence that contradicts; `None` if none does.
    pub(super) breaks_at: Option<u64>,
    /// The highest sequence below it that agrees.
    pub(super) agrees_to: Option<u64>,
    /// Whether the stream was deleted and created again.
    pub(super) anew: bool,
}

/// Compares the published rows, and says up to where outbox and inboxes agree with the stream.
pub(super) fn judge(
    stream: &Text,
    known: Option<&KnownRows>,
    scan: &Scan,
    plan: &mut RecoverPlan,
) -> Agreement {
    let end = scan.state.last_sequence;
    // Of a stream that was copied, what was dropped before says nothing.
    let copied_from = copied_from(scan);
    let is_copied = |sequence: u64| copied_from.is_none_or(|from| sequence > from);
    // What the limits of the stream have dropped says nothing.
    let compared = scan.rows.iter().filter(|fate| fate.sequence >= scan.from);
    let (mut lost, mut moved, mut dropped) = (Vec::new(), Vec::new(), Vec::new());
    let (mut deleted, mut unidentified) = (0, 0);
    for fate in compared {
        match fate.seen {
            Seen::AtPlace => {}
            Seen::Elsewhere(sequence) => moved.push((fate, sequence)),
            Seen::Nowhere if fate.unidentified => unidentified += 1,
            Seen::Nowhere if !fate.replaced && fate.sequence <= end => deleted += 1,
            Seen::Nowhere if is_copied(fate.sequence) => lost.push(fate),
            Seen::Nowhere => dropped.push(fate),
        }
    }
    let records = (scan.consumers.iter()).flat_map(|it| it.records.values());
    let contradicting = records
        .filter(|fate| fate.seen == Seen::Nowhere)
        .filter_map(|fate| Some((fate.sequence?, fate.replaced)))
        .filter(|(sequence, replaced)| *replaced || *sequence > end)
        .map(|(sequence, _)| sequence)
        .filter(|sequence| *sequence >= scan.from && is_copied(*sequence));
    let breaks_at = (lost.iter().map(|fate| fate.sequence))
        .chain(contradicting)
        .min();
    let below = |sequence: &u64| breaks_at.is_none_or(|from| *sequence < from);
    let agreed = (scan.places())
        .filter(|(_, seen)| *seen == Seen::AtPlace)
        .map(|(sequence, _)| sequence);
    let agrees_to = agreed.filter(below).max();
    let is_new = known.is_some_and(|known| is_anew(known, scan, &lost));
    let agreement = Agreement {
        breaks_at,
        agrees_to,
        anew: breaks_at.is_some() && agrees_to.is_none() && moved.is_empty() && is_new,
    };
    let mut unknown = |reason| {
        let unknown = Unknown::of(Some(stream.clone()), reason);
        plan.unknown.push(unknown);
    };
    if scan.state.config.retention != Retention::Limits {
        // Below the first message too, since that moves with every acknowledgement.
        let rows = (scan.rows.iter()).filter(|fate| fate.seen != Seen::AtPlace);
        let rows = count(rows.count());
        if rows > 0 {
            unknown(UnknownReason::DeletesHandled { rows });
        }
        return agreement;
    }
    if unidentified > 0 {
        unknown(UnknownReason::NotIdentified { rows: unidentified });
    }
    // A limit by subject drops messages from the middle.
    if (scan.state.config.limits.messages_per_subject).is_some() {
        deleted = 0;
    }
    deleted += count(dropped.len());
    if deleted > 0 {
        unknown(UnknownReason::Deleted { rows: deleted });
    }
    let rows_agree =
        (scan.rows.iter()).any(|fate| fate.seen == Seen::AtPlace && below(&fate.sequence));
    if !lost.is_empty() && !rows_agree {
        unknown(UnknownReason::KeptTooShort);
    }
    if let Some(known) = known {
        if !moved.is_empty() {
            let places = moved.iter().map(|(fate, at)| (*fate, Some(*at)));
            let places = places.chain(dropped.iter().map(|fate| (*fate, None)));
            let items = places.filter_map(|(fate, at)| place(known, stream, fate, at));
            plan.divergences.push(Divergence::RowsMoved(MovedRows {
                stream: stream.clone(),
                rows: count(moved.len()),
                dropped: count(dropped.len()),
                items: items.collect(),
            }));
        }
        if !lost.is_empty() {
            let older = lost_rows(stream, known, scan, &lost, agrees_to);
            plan.divergences.push(if agreement.anew {
                Divergence::StreamAnew(older)
            } else {
                Divergence::StreamOlder(older)
            });
        }
    }
    agreement
}

/// The lowest sequence of a row or record whose message was found, if messages were found under other
/// sequences: so much was copied, when the stream was made of another one.
fn copied_from(scan: &Scan) -> Option<u64> {
    let is_moved = (scan.places()).any(|(_, seen)| matches!(seen, Seen::Elsewhere(_)));
    let found = scan.places().filter(|(_, seen)| *seen != Seen::Nowhere);
    let lowest = found.map(|(sequence, _)| sequence).min();
    lowest.filter(|_| is_moved)
}

/// Whether everything that the stream has was stored after the rows that it lacks were published.
fn is_anew(known: &KnownRows, scan: &Scan, lost: &[&RowFate]) -> bool {
    let published = lost.iter().filter_map(|fate| {
        let published = known.rows.get(fate.row)?.published.as_ref()?;
        Some(published.at)
    });
    let newest: Option<Timestamp> = published.max();
    match scan.begun {
        None => scan.state.last_sequence == 0,
        Some(begun) => newest.is_some_and(|newest| begun > newest),
    }
}

fn place(known: &KnownRows, stream: &Text, fate: &RowFate, sequence: Option<u64>) -> Option<RowAt> {
    Some(RowAt {
        id: known.rows.get(fate.row)?.id,
        stream: stream.clone(),
        sequence,
    })
}

fn lost_rows(
    stream: &Text,
    known: &KnownRows,
    scan: &Scan,
    lost: &[&RowFate],
    agrees_to: Option<u64>,
) -> LostInStream {
    let sequences = || lost.iter().map(|fate| fate.sequence);
    let items = (lost.iter()).filter_map(|fate| place(known, stream, fate, Some(fate.sequence)));
    LostInStream {
        stream: stream.clone(),
        rows: count(lost.len()),
        lowest: sequences().min().unwrap_or(0),
        highest: sequences().max().unwrap_or(0),
        agrees_to,
        last_sequence: scan.state.last_sequence,
        items: items.collect(),
    }
}

/// Compares the stream with the rows that are not published, and with what the outbox lacks.
pub(super) fn judge_database(
    stream: &Text,
    known: Option<&KnownRows>,
    owned: &[Pattern],
    scan: &Scan,
    plan: &mut RecoverPlan,
) {
    let Some(known) = known else { return };
    let mut unknown = |reason| {
        let unknown = Unknown::of(Some(stream.clone()), reason);
        plan.unknown.push(unknown);
    };
    let mut lost = scan.lost.clone();
    if known.unidentified > 0 && !lost.is_empty() {
        // They may be those messages.
        unknown(UnknownReason::NotIdentified {
            rows: known.unidentified,
        });
        lost.clear();
    }
    let overlaps = |pattern: &Pattern| {
        let subjects = &scan.state.config.subjects;
        subjects.iter().any(|subject| subject.overlaps(pattern))
    };
    let is_behind = !scan.unmarked.is_empty();
    if is_behind && scan.others && owned.is_empty() {
        unknown(UnknownReason::OtherPublishers);
    }
    if known.horizon.is_none() && scan.others && owned.iter().any(overlaps) {
        unknown(UnknownReason::NothingKept);
    }
    if !is_behind && lost.is_empty() {
        return;
    }
    let mut marks: Vec<RowAt> = (scan.unmarked.iter())
        .filter_map(|(row, sequence)| {
            Some(RowAt {
                id: known.rows.get(*row)?.id,
                stream: stream.clone(),
                sequence: Some(*sequence),
            })
        })
        .collect();
    marks.sort_by_key(|row| row.id);
    (plan.divergences).push(Divergence::DatabaseOlder(DatabaseOlder {
        stream: stream.clone(),
        unmarked: count(marks.len()),
        lost,
        marks,
    }));
}
