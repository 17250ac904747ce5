//! Compares the current versions of an event with the committed ones.

use event_sdk::envelope::Version;

use super::current::Current;
use super::prepared::{BadSchema, Prepared};
use super::{
    ContentModel, Contract, EventRule, Finding, History, Mode, Versions, changes, facts, fit,
    merge, upcast,
};

/// The rules by which versions are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// Which versions must be able to read each other's data.
    pub mode: Mode,
    /// What readers do with fields that they do not know.
    pub content_model: ContentModel,
}

/// Compares the versions of one event that the code has, oldest first, with the committed versions.
/// With [`Mode::None`], nothing is compared.
///
/// # Errors
///
/// [`BadSchema`] if a schema is not a JSON Schema.
pub fn compare_event(
    committed: &History,
    code: &[Current<'_>],
    options: Options,
) -> Result<Vec<Finding>, BadSchema> {
    let Some(newest) = code.last().filter(|_| options.mode != Mode::None) else {
        return Ok(Vec::new());
    };
    let model = options.content_model;
    let mut prepared = Vec::new();
    let contracts = code.iter().map(|current| &current.contract);
    for contract in contracts.chain(&committed.versions) {
        let next = Prepared::new(contract, model, &prepared)?;
        prepared.push(next);
    }
    let (news, olds) = prepared.split_at(code.len());
    let mut findings: Vec<_> = lowered(committed, &newest.contract).into_iter().collect();
    for (index, current) in code.iter().enumerate() {
        let new = &news[index];
        let is_newest = index + 1 == code.len();
        findings.extend(fit::read_itself(new));
        findings.extend(compare_version(options.mode, olds, new, current, is_newest));
    }
    Ok(findings)
}

/// One version of the code against those that are committed.
fn compare_version(
    mode: Mode,
    olds: &[Prepared<'_>],
    new: &Prepared<'_>,
    current: &Current<'_>,
    is_newest: bool,
) -> Vec<Finding> {
    let version = current.contract.version;
    let number = |old: &Prepared<'_>| old.contract.version;
    let mut findings = Vec::new();
    let before: Vec<_> = olds
        .iter()
        .filter(|old| number(old) < version)
        .filter(|old| is_newest || number(old).major() == version.major())
        .collect();
    let same = olds.iter().find(|old| number(old) == version);
    if let Some(base) = same.or(before.last().copied())
        && is_newest
    {
        findings.extend(facts::compare(base.contract, &current.contract));
    }
    let mut broken = Vec::new();
    if let Some(same) = same
        && let Some(finding) = not_raised(same, new)
    {
        findings.push(finding);
        broken.extend(fit::compare(mode, same, new, current));
    }
    let count = if mode.is_transitive() {
        before.len()
    } else {
        1
    };
    for old in before.into_iter().rev().take(count) {
        if number(old).major() == version.major() {
            broken.extend(fit::compare(mode, old, new, current));
        } else {
            broken.extend(upcast::compare(mode, old, new, current));
        }
    }
    findings.extend(
        merge::merge(broken)
            .into_iter()
            .map(|finding| raise(finding, &current.contract)),
    );
    findings
}

/// The finding that a version means another contract now, unless it does not.
fn not_raised(same: &Prepared<'_>, new: &Prepared<'_>) -> Option<Finding> {
    let (was, is) = (same.contract, new.contract);
    if was.pii == is.pii && same.is_equivalent(new) {
        return None;
    }
    let version = was.version;
    let next = Version::new(version.major(), version.minor().saturating_add(1));
    let why = format!(
        "Version {version} is committed, and the code's {version} is another contract: {}.",
        differences(was, is)
    );
    Some(
        Finding::new(EventRule::VersionNotRaised, why)
            .about(&was.facts.subject)
            .between(Versions {
                old: version,
                new: version,
                direction: None,
            })
            .way_out(format!(
                "if nothing else is reported of {}, write `version = \"{next}\"` on {} and run `schemas generate`",
                is.facts.subject, is.facts.rust_type
            ))
            .way_out(format!(
                "if {version} was never published, run `schemas generate --replace` to write its files anew"
            )),
    )
}

/// What differs, in a few words: the first fields of it.
fn differences(was: &Contract, is: &Contract) -> String {
    const SHOWN: usize = 3;
    let mut changes = changes::between(&was.writer, &is.writer);
    for change in changes::between(&was.reader, &is.reader) {
        if !changes.iter().any(|known| known.path == change.path) {
            changes.push(change);
        }
    }
    if changes.is_empty() {
        return if was.pii == is.pii {
            "its schemas mean something else".to_owned()
        } else {
            "other fields are marked as personal data".to_owned()
        };
    }
    let more = changes.len().saturating_sub(SHOWN);
    let shown: Vec<_> = changes
        .iter()
        .take(SHOWN)
        .map(ToString::to_string)
        .collect();
    let more = if more == 0 {
        String::new()
    } else {
        format!(", and {more} more")
    };
    format!("{}{more}", shown.join(", "))
}

/// The finding that the files know a newer version than the code.
fn lowered(committed: &History, newest: &Contract) -> Option<Finding> {
    let last = committed.versions.last()?;
    let (known, version) = (last.version, newest.version);
    (known > version).then(|| {
        let why = format!("Version {known} is committed, and the code has {version}.");
        Finding::new(EventRule::VersionLowered, why)
            .about(&committed.subject)
            .between(Versions {
                old: known,
                new: version,
                direction: None,
            })
            .way_out(format!("merge the branch on which {known} was made"))
            .way_out(format!(
                "to take {known} back, raise the version of {} above it",
                newest.facts.rust_type
            ))
    })
}

/// Adds to a break within a major the way out over the next major.
fn raise(finding: Finding, new: &Contract) -> Finding {
    let within_major = finding
        .versions
        .is_some_and(|versions| versions.old.major() == versions.new.major());
    if finding.mitigation.is_some() || finding.is_unknown() || !within_major {
        return finding;
    }
    let major = new.version.major();
    let next = major.saturating_add(1);
    let name = &new.facts.rust_type;
    finding.way_out(format!(
        "or raise the major: keep the struct as it was under the name `{name}V{major}`, write `version = \"{next}.0\", upcast_from = {name}V{major}` on {name} and `impl From<{name}V{major}> for {name}`, and deploy consumers first"
    ))
}
