//! Compares the types of consumers (`#[derive(Readable)]`) with what is published and committed.

use super::contracts::{self, Sides};
use crate::Catalogue;
use crate::compat::{
    BadSchema, Contract, Current, EventRule, Finding, History, Mode, Options, compare_receiver,
};
use crate::lock::LockedEvent;

/// Compares each type that is only received with the newest version of its major that the code
/// publishes, and with the committed versions of its major.
pub(super) fn compare(
    catalogue: &Catalogue,
    sides: &Sides<'_>,
    committed: &History,
    options: Options,
) -> Result<Vec<Finding>, BadSchema> {
    let published: Vec<Contract> = sides
        .code
        .iter()
        .map(|entry| contracts::of_code(catalogue, entry))
        .collect();
    let mut findings = Vec::new();
    for view in &sides.views {
        let decode = |version, data: &[u8]| view.decode(version, data);
        let reread = |version, data: &[u8]| view.reread(version, data);
        let current = Current::new(contracts::of_code(catalogue, view), &decode);
        findings.extend(compare_receiver(
            &published,
            committed,
            &current.rereading(&reread),
            view.receivers(),
            options,
        )?);
    }
    Ok(findings)
}

/// The finding that nobody publishes an event any more that is received still.
pub(super) fn unpublished(committed: &LockedEvent, options: Options) -> Option<Finding> {
    let publishers = committed.newest()?.publishers();
    if options.mode == Mode::None || committed.is_retired() || publishers.is_empty() {
        return None;
    }
    let why = format!(
        "{} published the event, and the catalogue has only types that receive it.",
        publishers.join(", ")
    );
    Some(
        Finding::new(EventRule::Unpublished, why)
            .about(committed.subject())
            .way_out("say who publishes it: `Service::new(…).publishes::<…>()`"),
    )
}
