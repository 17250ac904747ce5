//! Compares two versions of one major: whether each reads what the other writes.

use event_schemas_subset::{Break, Rule as SchemaRule, Unknown};

use super::current::Current;
use super::fields;
use super::prepared::Prepared;
use super::reading::{self, Read};
use super::{Direction, EventRule, Facts, Finding, Mitigation, Mode, Versions};

/// Compares a committed version with the code's in the directions that the mode asks for.
pub(super) fn compare(
    mode: Mode,
    old: &Prepared<'_>,
    new: &Prepared<'_>,
    code: &Current<'_>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for direction in [Direction::Backward, Direction::Forward] {
        // With the same schemas it is the question whether the code reads what it writes
        // itself, which is asked once a version.
        let unchanged = match direction {
            Direction::Backward => old.has_writer_of(new),
            Direction::Forward => old.has_reader_of(new),
        };
        if mode.asks(direction) && !unchanged {
            let pair = Pair::new(old, new, direction);
            findings.extend(pair.findings(code));
        }
    }
    findings
}

/// Whether a version reads what it writes itself.
pub(super) fn read_itself(version: &Prepared<'_>) -> Vec<Finding> {
    let comparison = version.read_by(version);
    let Facts {
        subject, rust_type, ..
    } = &version.contract.facts;
    let number = version.contract.version;
    let breaks = comparison.breaks().iter().map(|found| {
        let why = format!(
            "{} So {rust_type} refuses what it writes itself.",
            sentence(&found.why)
        );
        Finding::new(EventRule::OwnReaderRefuses, why)
            .field(found.path.to_string())
            .shown_by(
                found.document.clone(),
                format!("written by {number}, refused by {number} itself"),
            )
            .standing_at(&found.path)
            .way_out(
                "give the field a `#[serde(default)]` where it is read, or one name for both sides",
            )
    });
    let unknowns = comparison.unknowns().iter().map(|unknown| {
        let what = format!("whether {rust_type} reads what it writes itself");
        undecided(&what, unknown)
    });
    breaks
        .chain(unknowns)
        .map(|finding| finding.about(subject))
        .collect()
}

/// A reader and a writer, named as reports name them.
pub(super) struct Pair<'a> {
    writer: &'a Prepared<'a>,
    reader: &'a Prepared<'a>,
    versions: Versions,
    direction: Direction,
    old: String,
    new: String,
}

impl<'a> Pair<'a> {
    pub(super) fn new(old: &'a Prepared<'a>, new: &'a Prepared<'a>, direction: Direction) -> Self {
        let (writer, reader) = match direction {
            Direction::Backward => (old, new),
            Direction::Forward => (new, old),
        };
        let versions = Versions {
            old: old.contract.version,
            new: new.contract.version,
            direction: Some(direction),
        };
        let (old, new) = if versions.old == versions.new {
            let same = versions.old;
            (
                format!("the committed {same}"),
                format!("the code's {same}"),
            )
        } else {
            (versions.old.to_string(), versions.new.to_string())
        };
        Self {
            writer,
            reader,
            versions,
            direction,
            old,
            new,
        }
    }

    /// All that does not fit, and all that could not be decided.
    pub(super) fn findings(&self, code: &Current<'_>) -> Vec<Finding> {
        let comparison = self.writer.read_by(self.reader);
        let breaks = comparison
            .breaks()
            .iter()
            .map(|found| self.tried(found, code));
        let unknowns = comparison.unknowns().iter().map(|unknown| {
            let what = format!("whether {}", self.question());
            undecided(&what, unknown)
        });
        breaks
            .chain(unknowns)
            .map(|finding| self.place(finding))
            .collect()
    }

    /// All that does not fit; what could not be decided is left out.
    pub(super) fn breaks(&self) -> Vec<Finding> {
        let comparison = self.writer.read_by(self.reader);
        let breaks = comparison.breaks().iter();
        breaks.map(|found| self.describe(found)).collect()
    }

    /// A break of this pair, for reports.
    pub(super) fn describe(&self, found: &Break) -> Finding {
        self.place(self.broken(found))
    }

    pub(super) fn versions(&self) -> Versions {
        self.versions
    }

    pub(super) fn subject(&self) -> &str {
        &self.writer.contract.facts.subject
    }

    fn place(&self, finding: Finding) -> Finding {
        finding.about(self.subject()).between(self.versions)
    }

    /// A break, with what the code's type makes of its document where that is to read it.
    fn tried(&self, found: &Break, code: &Current<'_>) -> Finding {
        let finding = self.broken(found);
        if self.direction == Direction::Forward {
            return finding;
        }
        let into = &code.contract.facts.rust_type;
        let made = code.reread(self.versions.old, &found.document);
        match reading::of(found, &made) {
            Read::Refused => finding,
            Read::Kept => finding.mitigated(Mitigation::Read { into: into.clone() }),
            Read::Lost => {
                let place = match found.path.to_string().as_str() {
                    "$" => "part of it".to_owned(),
                    path => format!("what stands at `{path}`"),
                };
                let why = format!(
                    "{} {into} does not refuse it, but reads it without {place}.",
                    self.reason(found)
                );
                let (old, new) = (&self.old, &self.new);
                let what = format!("written by {old}, read by {new} without {place}");
                Finding { why, ..finding }
                    .shown_by(found.document.clone(), what)
                    .standing_at(&found.path)
            }
        }
    }

    fn broken(&self, found: &Break) -> Finding {
        let path = found.path.to_string();
        let (writes, reads) = match self.direction {
            Direction::Backward => (&self.old, &self.new),
            Direction::Forward => (&self.new, &self.old),
        };
        let why = format!("{} {}", self.reason(found), self.consequence());
        Finding::new(found.rule, why)
            .way_out(keep(found.rule, self.direction, &path))
            .field(path)
            .shown_by(
                found.document.clone(),
                format!("written by {writes}, refused by {reads}"),
            )
            .standing_at(&found.path)
    }

    /// Why it breaks, told of the field.
    fn reason(&self, found: &Break) -> String {
        if found.rule != SchemaRule::RequiredAdded {
            return sentence(&found.why);
        }
        let path = found.path.to_string();
        let (writes, reads) = match self.direction {
            Direction::Backward => (&self.old, &self.new),
            Direction::Forward => (&self.new, &self.old),
        };
        let written = fields::of(&self.writer.contract.writer);
        let how = if written.iter().any(|field| field.path == path) {
            "may leave it out"
        } else {
            "does not have it"
        };
        format!("{reads} requires `{path}`, and {writes} {how}.")
    }

    fn question(&self) -> String {
        match self.direction {
            Direction::Backward => format!("{} reads what {} wrote", self.new, self.old),
            Direction::Forward => format!("{} reads what {} writes", self.old, self.new),
        }
    }

    /// What happens to whom when this is deployed.
    fn consequence(&self) -> String {
        match self.direction {
            Direction::Backward => format!(
                "Events of {}, stored or still being published, are refused by {}.",
                self.old, self.new
            ),
            Direction::Forward => format!(
                "Consumers that still have {} refuse what {} writes, and do not wait for an update, since the major is the same.",
                self.old, self.new
            ),
        }
    }
}

fn undecided(what: &str, unknown: &Unknown) -> Finding {
    let why = format!("It is not known {what}: {}", sentence(&unknown.why));
    Finding::new(EventRule::Undecided, why)
        .field(unknown.path.to_string())
        .way_out("write the schema in a simpler form, so that it can be decided")
        .way_out("look at both versions yourself, and waive it with what you found")
}

/// How the change can be kept within the major, as far as Rust and serde are asked.
fn keep(rule: SchemaRule, direction: Direction, path: &str) -> String {
    use Direction::{Backward, Forward};
    let field = match path.rsplit('.').next() {
        Some("$") | None => "data",
        Some(field) => field,
    };
    match (rule, direction) {
        (SchemaRule::RequiredAdded, Backward) => format!(
            "keep `{field}` optional where it is read: make it an `Option`, or give it `#[serde(default)]`"
        ),
        (SchemaRule::RequiredAdded | SchemaRule::DependentRequired, Forward) => {
            format!("go on writing `{field}` in every event, as old consumers need it")
        }
        (SchemaRule::EnumNarrowed | SchemaRule::VariantRemoved, Backward) => {
            "go on reading the value that is gone: keep its variant, also if nobody writes it".to_owned()
        }
        (SchemaRule::EnumNarrowed | SchemaRule::VariantRemoved, Forward) => {
            "do not write the new value in this major: old consumers have no variant for it; put it into a new optional field".to_owned()
        }
        (SchemaRule::PropertyRefused, Backward) => format!(
            "go on naming `{field}` where it is read, or let the type ignore what it does not know (no `deny_unknown_fields`)"
        ),
        (SchemaRule::PropertyRefused, Forward) => format!(
            "do not write `{field}` in this major: old consumers refuse fields that they do not know"
        ),
        (SchemaRule::TypeNarrowed | SchemaRule::FormatChanged | SchemaRule::ConstChanged, _) => format!(
            "leave `{field}` as it was, and put the new form into a new optional field"
        ),
        (_, Backward) => format!("let `{field}` be read as widely as before"),
        (_, Forward) => format!("let `{field}` be written as narrowly as before"),
    }
}

/// The text with a full stop at its end.
fn sentence(text: &str) -> String {
    let text = text.trim_end();
    if text.ends_with(['.', '!', '?']) {
        text.to_owned()
    } else {
        format!("{text}.")
    }
}
