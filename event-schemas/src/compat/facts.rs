//! Compares what an event promises beside its data: type, key, stream, publishers, personal
//! data.

use event_sdk::event::KeyUse;

use super::{Contract, EventRule, Finding, Versions};

/// Compares what two versions promise beside their fields.
pub(super) fn compare(old: &Contract, new: &Contract) -> Vec<Finding> {
    let beside = [
        event_type(old, new),
        key(old, new),
        stream(old, new),
        publishers(old, new),
    ];
    let versions = Versions {
        old: old.version,
        new: new.version,
        direction: None,
    };
    beside
        .into_iter()
        .flatten()
        .chain(pii(old, new))
        .map(|finding| finding.about(&old.facts.subject).between(versions))
        .collect()
}

fn event_type(old: &Contract, new: &Contract) -> Option<Finding> {
    let (was, is) = (&old.facts.event_type, &new.facts.event_type);
    (was != is).then(|| {
        Finding::new(
            EventRule::TypeChanged,
            format!(
                "The envelope's event_type was {was:?} and is {is:?}. Consumers compare it before anything else and terminate what differs, whatever the version says."
            ),
        )
        .way_out(format!("write `type = \"{was}\"` on {}", new.facts.rust_type))
        .way_out("if it means something else now, make another event of it, on a subject of its own")
    })
}

fn key(old: &Contract, new: &Contract) -> Option<Finding> {
    let (was, is) = (old.facts.key, new.facts.key);
    if was == is {
        return None;
    }
    let moved = was == KeyUse::InSubject || is == KeyUse::InSubject;
    let consequence = if moved {
        "So the event is on other subjects: filters of old consumers do not match the new ones, and new ones do not match what is stored."
    } else {
        "So other events stay in order together than consumers rely on."
    };
    let why = format!(
        "{}, and now {}. {consequence}",
        said(was),
        said(is).to_lowercase()
    );
    Some(
        Finding::new(EventRule::KeyChanged, why)
            .way_out(format!(
                "write on {}: {}",
                new.facts.rust_type,
                written(was)
            ))
            .way_out("if it has to change, make another event of it, on a subject of its own"),
    )
}

fn said(key: KeyUse) -> &'static str {
    match key {
        KeyUse::None => "The event had no key",
        KeyUse::Order => "The event was ordered by a key that its subject does not show",
        KeyUse::InSubject => "The event had its key as the last token of its subject",
    }
}

fn written(key: KeyUse) -> &'static str {
    match key {
        KeyUse::None => "no field with `#[event(key)]`",
        KeyUse::Order => "`#[event(key)]` on the field",
        KeyUse::InSubject => "`#[event(key, in_subject)]` on the field",
    }
}

fn stream(old: &Contract, new: &Contract) -> Option<Finding> {
    let was = old.facts.stream.as_ref()?;
    let why = match &new.facts.stream {
        Some(is) if is == was => return None,
        Some(is) => format!(
            "Stream {was} stored the event, and now {is} does. Durable consumers of {was} get nothing more, and what is stored there is not in {is}."
        ),
        None => format!(
            "Stream {was} stored the event, and now none of the catalogue does. A publish finds no stream, and nobody keeps the event."
        ),
    };
    Some(
        Finding::new(EventRule::StreamChanged, why)
            .way_out(format!("let stream {was} have the subject {}", old.facts.subject))
            .way_out("to move it, let the consumers of the old stream run dry first, and waive this meanwhile"),
    )
}

fn publishers(old: &Contract, new: &Contract) -> Option<Finding> {
    let was = &old.facts.publishers;
    (!was.is_empty() && new.facts.publishers.is_empty()).then(|| {
        Finding::new(
            EventRule::Unpublished,
            format!(
                "{} published the event, and now no service of the catalogue does; its consumers wait for ever.",
                was.join(", ")
            ),
        )
        .way_out("say who publishes it: `Service::new(…).publishes::<…>()`")
    })
}

fn pii(old: &Contract, new: &Contract) -> Vec<Finding> {
    let gone = |path: &&String| !new.pii.contains(path) && names(&new.writer, path);
    let removed = old.pii.iter().filter(gone).map(|path| {
        Finding::new(
            EventRule::PiiRemoved,
            format!("`{path}` was marked as personal data and is not any more. Whoever masks or deletes by the mark stops."),
        )
        .field(path)
        .way_out("wrap its type in `Pii<…>` again")
        .way_out("if it never was personal data, say so in a waiver")
    });
    let come = |path: &&String| !old.pii.contains(path) && names(&old.writer, path);
    let added = new.pii.iter().filter(come).map(|path| {
        Finding::new(
            EventRule::PiiAdded,
            format!("`{path}` was there without a mark and is marked as personal data now. Consumers may have stored and logged it."),
        )
        .field(path)
        .way_out("tell the consumers, and say in a waiver that it is done")
    });
    removed.chain(added).collect()
}

/// Whether a schema names the field at a path; a path that leads nowhere is no field.
fn names(schema: &serde_json::Value, path: &str) -> bool {
    super::fields::of(schema)
        .iter()
        .any(|field| field.path == path)
}
