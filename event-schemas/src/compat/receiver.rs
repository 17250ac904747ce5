//! Compares the type with which a consumer receives an event with what is written of it.

use event_schemas_subset::Break;
use event_sdk::event::KeyUse;

use super::current::Current;
use super::prepared::{BadSchema, Prepared};
use super::reading::{self, Read};
use super::{
    Contract, Direction, EventRule, Finding, History, Mitigation, Mode, Options, Versions, merge,
};

/// Compares a type that is only received with the published type of its event, and with the
/// committed versions. Only versions of the type's major are compared, since events of other majors
/// are converted or naked. `receivers` are the services that have the type.
///
/// Only the reader's schema of `view` is used.
///
/// # Errors
///
/// [`BadSchema`] if a schema is not a JSON Schema.
pub fn compare_receiver(
    published: &[Contract],
    committed: &History,
    view: &Current<'_>,
    receivers: &[String],
    options: Options,
) -> Result<Vec<Finding>, BadSchema> {
    let mode = options.mode;
    if mode == Mode::None {
        return Ok(Vec::new());
    }
    let major = view.contract.version.major();
    let of_major = |contract: &&Contract| contract.version.major() == major;
    let newest = published.iter().rev().find(of_major);
    let mut written: Vec<&Contract> = newest.into_iter().collect();
    let count = match (mode.is_backward(), mode.is_transitive()) {
        (true, true) => usize::MAX,
        (true, false) => 1,
        // Without a publisher the newest committed version is what is written.
        (false, _) => usize::from(newest.is_none()),
    };
    let olds = committed.versions.iter().rev().filter(of_major);
    let is_new = |old: &&Contract| newest.is_none_or(|newest| newest.writer != old.writer);
    written.extend(olds.take(count).filter(is_new));
    let receiver = Receiver {
        view,
        name: named(&view.contract, receivers),
        receivers,
    };
    let mut findings = Vec::new();
    let known = newest.or(published.last()).or(committed.versions.last());
    if let Some(known) = known {
        findings.extend(receiver.beside(known));
    }
    let mut broken = Vec::new();
    let reader = Prepared::new(&view.contract, options.content_model, &[])?;
    for contract in written {
        let writer = Prepared::new(contract, options.content_model, &[])?;
        let comparison = writer.read_by(&reader);
        let breaks = comparison.breaks().iter();
        broken.extend(breaks.map(|found| receiver.refused(contract, found)));
        let unknowns = comparison.unknowns().iter();
        broken.extend(unknowns.map(|unknown| {
            let why = format!(
                "It is not known whether {} reads {}: {}.",
                receiver.name,
                contract.version,
                unknown.why.trim_end_matches('.')
            );
            let finding = Finding::new(EventRule::Undecided, why)
                .field(unknown.path.to_string())
                .way_out("look at both types yourself, and waive it with what you found");
            receiver.place(finding, contract)
        }));
    }
    findings.extend(merge::merge(broken));
    Ok(findings)
}

/// The type, with the services that have it.
fn named(view: &Contract, receivers: &[String]) -> String {
    let ty = &view.facts.rust_type;
    if receivers.is_empty() {
        format!("the type {ty}, which is only received,")
    } else {
        format!("the type {ty} of {}", receivers.join(", "))
    }
}

/// A type that is only received.
struct Receiver<'a> {
    view: &'a Current<'a>,
    name: String,
    receivers: &'a [String],
}

impl Receiver<'_> {
    /// What differs beside the data.
    fn beside(&self, written: &Contract) -> Vec<Finding> {
        let (is, has) = (&written.facts, &self.view.contract.facts);
        let (number, ty) = (written.version, &has.rust_type);
        let mut findings = Vec::new();
        if is.event_type != has.event_type {
            let why = format!(
                "The envelope's event_type is {:?} in {number}, and {} expects {:?}. So the consumer terminates every event.",
                is.event_type, self.name, has.event_type
            );
            findings.push(
                Finding::new(EventRule::ReceiverDiffers, why)
                    .way_out(format!("write `type = \"{}\"` on {ty}", is.event_type)),
            );
        }
        let in_subject = |key: KeyUse| key == KeyUse::InSubject;
        if in_subject(is.key) != in_subject(has.key) {
            let (why, way) = if in_subject(is.key) {
                (
                    "has the key as the last token of its subject",
                    "write `#[event(key, in_subject)]` on the field of the key of",
                )
            } else {
                (
                    "has no key in its subject",
                    "take `in_subject` from the key of",
                )
            };
            let why = format!(
                "{number} {why}, and {} says otherwise. So the consumer's filter does not match the event's subjects.",
                self.name
            );
            findings
                .push(Finding::new(EventRule::ReceiverDiffers, why).way_out(format!("{way} {ty}")));
        }
        let findings = findings.into_iter();
        findings
            .map(|finding| self.place(finding, written))
            .collect()
    }

    /// The finding of a document that a version writes and the type's schema refuses.
    fn refused(&self, written: &Contract, found: &Break) -> Finding {
        let number = written.version;
        let why = format!(
            "{}. So {} refuses events of {number}, and the consumer terminates them.",
            found.why.trim_end_matches('.'),
            self.name
        );
        let finding = Finding::new(EventRule::ReceiverDiffers, why)
            .field(found.path.to_string())
            .shown_by(
                found.document.clone(),
                format!("written by {number}, refused by {}", self.name),
            )
            .standing_at(&found.path)
            .way_out(format!(
                "let {} read what is written: leave the field out, make it an `Option`, or give it `#[serde(default)]`",
                self.view.contract.facts.rust_type
            ));
        let finding = match reading::of(found, &self.view.reread(number, &found.document)) {
            Read::Kept => finding.mitigated(Mitigation::Read {
                into: self.view.contract.facts.rust_type.clone(),
            }),
            Read::Refused | Read::Lost => finding,
        };
        self.place(finding, written)
    }

    fn place(&self, finding: Finding, written: &Contract) -> Finding {
        let mut finding = finding.about(&written.facts.subject).between(Versions {
            old: written.version,
            new: self.view.contract.version,
            direction: Some(Direction::Backward),
        });
        finding.consumers = self.receivers.to_vec();
        finding
    }
}
