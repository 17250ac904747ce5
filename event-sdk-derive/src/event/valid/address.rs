//! Validates where an event goes: `domain`, `entity` and `action`, or `subject`, or `absolute`.

use event_sdk_subject::{MAX_RELATIVE_LEN, two_words};
use syn::{Ident, LitStr};

use crate::ctxt::Ctxt;
use crate::event::attr::StructAttrs;
use crate::grammar;
use crate::slot::{Given, Slot};

/// Where the event goes.
pub(crate) enum Subject {
    /// The house form: domain, entity, action.
    House([String; 3]),
    /// An existing subject under the bus's prefix.
    Relative(String),
    /// A foreign subject.
    Absolute(String),
}

/// The subject and the event type; `None` after a complaint.
pub(crate) fn check(
    ident: &Ident,
    name: &str,
    attrs: &StructAttrs,
    ctxt: &Ctxt,
) -> Option<(Subject, String)> {
    let of_the_house = attrs.subject.is_absent() && attrs.absolute.is_absent();
    if let Some(written) = attrs.event_type.given() {
        if of_the_house {
            grammar::event_type(&written.value, ctxt);
        } else {
            grammar::foreign_event_type(&written.value, ctxt);
        }
    }
    for (key, slot) in tokens(attrs) {
        if let Some(written) = slot.given() {
            grammar::token(key, &written.value, ctxt);
        }
    }
    for slot in [&attrs.subject, &attrs.absolute] {
        if let Some(written) = slot.given() {
            grammar::subject(&written.value, ctxt);
        }
    }
    if of_the_house {
        house(ident, name, attrs, ctxt)
    } else {
        whole(attrs, ctxt)
    }
}

fn tokens(attrs: &StructAttrs) -> [(&'static str, &Slot<LitStr>); 3] {
    [
        ("domain", &attrs.domain),
        ("entity", &attrs.entity),
        ("action", &attrs.action),
    ]
}

/// `subject = "…"` or `absolute = "…"`.
fn whole(attrs: &StructAttrs, ctxt: &Ctxt) -> Option<(Subject, String)> {
    let (relative, absolute) = (attrs.subject.given(), attrs.absolute.given());
    if let (Some(_), Some(absolute)) = (relative, absolute) {
        ctxt.error(
            &absolute.key,
            "`absolute` and `subject` exclude each other; keep `subject` for a subject under the bus's prefix, or `absolute` for a foreign one without it",
        );
    }
    let written = relative.or(absolute)?;
    let by = &written.key;
    for (key, slot) in tokens(attrs) {
        if let Some(token) = slot.given() {
            ctxt.error(
                &token.key,
                format!(
                    "`{by}` is the whole subject, so `{key}` has no place beside it; remove one of the two"
                ),
            );
        }
    }
    if attrs.event_type.is_absent() {
        ctxt.error(
            by,
            format!(
                "an event with `{by}` needs `type` too, since no entity and action are known; write `type = \"…\"`: what the envelope's `event_type` says"
            ),
        );
    }
    let text = written.value.value();
    let subject = match relative {
        Some(_) => Subject::Relative(text),
        None => Subject::Absolute(text),
    };
    Some((subject, attrs.event_type.given()?.value.value()))
}

/// `domain`, `entity` and `action`; the last two by default from the name.
fn house(ident: &Ident, name: &str, attrs: &StructAttrs, ctxt: &Ctxt) -> Option<(Subject, String)> {
    let (entity, action) = match two_words(name) {
        Some((entity, action)) => (Some(entity), Some(action)),
        None => (None, None),
    };
    let defaults = [None, entity, action];
    let missing: Vec<&str> = tokens(attrs)
        .into_iter()
        .zip(&defaults)
        .filter(|((_, slot), default)| slot.is_absent() && default.is_none())
        .map(|((key, _), _)| key)
        .collect();
    if !missing.is_empty() {
        complain_of_missing(ident, name, &missing, ctxt);
        return None;
    }
    let parts = tokens(attrs).map(|(_, slot)| slot.given().map(text));
    let mut parts = parts
        .into_iter()
        .zip(defaults)
        .map(|(written, default)| written.or(default));
    let (domain, entity, action) = (parts.next()??, parts.next()??, parts.next()??);
    check_length(&[&domain, &entity, &action], attrs, ctxt);
    let event_type = match attrs.event_type.given() {
        Some(written) => text(written),
        None => format!("{entity}.{action}"),
    };
    Some((Subject::House([domain, entity, action]), event_type))
}

fn text(given: &Given<LitStr>) -> String {
    given.value.value()
}

fn complain_of_missing(ident: &Ident, name: &str, missing: &[&str], ctxt: &Ctxt) {
    let to_write: Vec<String> = missing.iter().map(|key| format!("{key} = \"…\"")).collect();
    let reason = match *missing {
        ["domain"] => "has no `domain`, the first token of its subject".to_owned(),
        ref keys => {
            let from_name: Vec<String> = keys
                .iter()
                .filter(|key| **key != "domain")
                .map(|key| format!("`{key}`"))
                .collect();
            format!(
                "is not made of exactly two words, as `OrderPlaced` is, so {} cannot be taken from it",
                from_name.join(" and ")
            )
        }
    };
    ctxt.error(
        ident,
        format!(
            "`{name}` {reason}; write `#[event({})]`",
            to_write.join(", ")
        ),
    );
}

fn check_length(parts: &[&str], attrs: &StructAttrs, ctxt: &Ctxt) {
    let len = parts.iter().map(|part| part.len() + 1).sum::<usize>() - 1;
    if len <= MAX_RELATIVE_LEN {
        return;
    }
    let longest = tokens(attrs)
        .into_iter()
        .filter_map(|(_, slot)| slot.given())
        .max_by_key(|given| given.value.value().len());
    if let Some(longest) = longest {
        let what = "the subject of domain, entity and action";
        ctxt.error(&longest.value, grammar::too_long(what, len));
    }
}
