//! `Finding`: one result of a check, with rule, severity, counterexample and place.

use std::fmt;

use event_sdk::envelope::Version;
use jiff::civil::Date;
use serde_json::Value;

use super::{Direction, Rule};

use event_schemas_subset::{Path, Rule as SchemaRule, Step};

/// One thing that a check found.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Finding {
    /// The rule that is broken.
    pub rule: Rule,
    /// The severity, after mitigations and waivers were applied.
    pub severity: Severity,
    /// The relative subject of the event, if the finding is about one event.
    pub event: Option<String>,
    /// The two versions that are incompatible, if the finding compares two.
    pub versions: Option<Versions>,
    /// The field of the data, if the finding is about a field: `items[].price`. For a finding in
    /// the sources, the type and its field: `Item.price`.
    pub path: Option<String>,
    /// What is wrong, in a sentence or two.
    pub why: String,
    /// An example of the whole `data` that shows what is wrong.
    pub document: Option<Document>,
    /// Alternative fixes, the best one first.
    pub ways_out: Vec<String>,
    /// What makes the finding harmless.
    pub mitigation: Option<Mitigation>,
    /// The waiver that accepts the finding.
    pub waiver: Option<Waived>,
    /// The place at which reports show the finding.
    pub place: Option<Place>,
    /// The type that has to be changed, if known. Several findings may have the same cause.
    pub cause: Option<Cause>,
    /// The services that consume the event, sorted.
    pub consumers: Vec<String>,
}

/// The Rust type that causes a break, and its field.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cause {
    /// The name of the type.
    pub ty: String,
    /// The field, as a path in the type; `None` if the type as a whole is the cause.
    pub field: Option<String>,
}

/// The severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The finding makes the check fail.
    Error,
    /// The finding should be read. It makes the check fail only if warnings are denied.
    Warning,
    /// The finding is mitigated, waived or harmless, and reported for completeness.
    Note,
}

/// Two versions, and which one reads the data of the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Versions {
    /// The committed version.
    pub old: Version,
    /// The version in the code.
    pub new: Version,
    /// Which version reads the data of the other; `None` if the finding holds in both directions.
    pub direction: Option<Direction>,
}

/// An example of the whole `data` of an event, with a description.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// The data.
    pub data: Value,
    /// What the data are an example of, such as `written by 1.0, refused by 1.1`.
    pub what: String,
    /// The place of the break in the data, as a JSON Pointer. If a required property is missing,
    /// the pointer ends with that property.
    pub at: Option<String>,
}

/// What makes a break harmless.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mitigation {
    /// The new type reads the old version through its upcasters. The check has decoded the golden
    /// document of the old version and the document of the finding.
    Upcaster {
        /// The Rust type that reads it.
        into: String,
    },
    /// A consumer of the old major naks events of the new major with a delay, until the consumer is
    /// updated.
    PutBack,
    /// The type decodes the document although its schema refuses the document, and keeps the value
    /// at the place of the break. This happens because a schema does not say everything that serde
    /// does (`#[serde(alias)]`, a set that is read from a list).
    Read {
        /// The Rust type that reads it.
        into: String,
    },
}

/// The waiver that accepts a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waived {
    /// The reason that the waiver gives.
    pub reason: String,
    /// The last day on which the waiver applies.
    pub until: Date,
}

/// A file, and where in it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Place {
    /// The folder to which the path is relative.
    pub within: Within,
    /// The path, with `/` between its parts: relative to the folder of the contracts, or as the
    /// sources were scanned.
    pub file: String,
    /// The line, counted from 1, if it is known.
    pub line: Option<usize>,
}

/// The folder that a file belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Within {
    /// The folder of the contracts.
    Contracts,
    /// The scanned sources.
    Sources {
        /// The path of the file from the root of its repository; `None` outside of a repository.
        in_repository: Option<String>,
    },
}

/// The result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// There is no error. Breaks, if any, are mitigated or waived.
    Compatible,
    /// It is unknown whether some versions are compatible, and there is no other error. Do not
    /// treat this as compatible.
    Unknown,
    /// There is at least one error other than `undecided`.
    Broken,
}

impl Finding {
    /// Creates a finding of `rule` that is not about a particular event.
    pub fn new(rule: impl Into<Rule>, why: impl Into<String>) -> Self {
        let rule = rule.into();
        let warning = matches!(rule, Rule::Event(rule) if rule.is_warning());
        Self {
            rule,
            severity: if warning {
                Severity::Warning
            } else {
                Severity::Error
            },
            event: None,
            versions: None,
            path: None,
            why: why.into(),
            document: None,
            ways_out: Vec::new(),
            mitigation: None,
            waiver: None,
            place: None,
            cause: None,
            consumers: Vec::new(),
        }
    }

    pub(crate) fn about(mut self, event: impl Into<String>) -> Self {
        self.event = Some(event.into());
        self
    }

    pub(crate) fn between(mut self, versions: Versions) -> Self {
        self.versions = Some(versions);
        self
    }

    pub(crate) fn field(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    pub(crate) fn shown_by(mut self, data: Value, what: impl Into<String>) -> Self {
        let what = what.into();
        self.document = Some(Document {
            data,
            what,
            at: None,
        });
        self
    }

    /// Says where in its document the break is.
    pub(crate) fn standing_at(mut self, path: &Path) -> Self {
        if let Some(document) = &mut self.document {
            document.at = Some(pointer(&document.data, path));
        }
        self
    }

    pub(crate) fn way_out(mut self, way: impl Into<String>) -> Self {
        self.ways_out.push(way.into());
        self
    }

    pub(crate) fn mitigated(mut self, mitigation: Mitigation) -> Self {
        self.mitigation = Some(mitigation);
        self.severity = Severity::Note;
        self
    }

    pub(crate) fn waived(&mut self, waiver: Waived) {
        self.waiver = Some(waiver);
        self.severity = Severity::Note;
    }

    pub(crate) fn at(mut self, file: impl Into<String>, line: Option<usize>) -> Self {
        self.place = Some(Place::of_contracts(file, line));
        self
    }

    /// Shows it at a line of the sources.
    #[cfg(feature = "cli")]
    pub(crate) fn at_source(
        mut self,
        file: String,
        line: usize,
        repository: Option<String>,
    ) -> Self {
        self.place = Some(Place {
            within: Within::Sources {
                in_repository: repository,
            },
            file,
            line: Some(line),
        });
        self
    }

    /// The headline of the finding: the title of the rule, from the view of the side that breaks.
    #[must_use]
    pub fn title(&self) -> &'static str {
        let forward = Some(Direction::Forward);
        match self.rule {
            Rule::Schema(rule) if self.versions.and_then(|it| it.direction) == forward => {
                of_old_consumers(rule)
            }
            rule => rule.title(),
        }
    }

    /// Whether the finding says that compatibility is unknown, rather than broken.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.rule == Rule::Event(super::EventRule::Undecided)
    }
}

impl Place {
    /// A place in the folder of the contracts.
    pub(crate) fn of_contracts(file: impl Into<String>, line: Option<usize>) -> Self {
        Self {
            within: Within::Contracts,
            file: file.into(),
            line,
        }
    }
}

/// The place of a path in a document, of many the first.
fn pointer(document: &Value, path: &Path) -> String {
    let mut pointer = String::new();
    let mut value = Some(document);
    for step in path.steps() {
        let name = match step {
            Step::Key(name) => name.clone(),
            Step::Index(index) => index.to_string(),
            Step::EveryKey => {
                let first = value
                    .and_then(Value::as_object)
                    .and_then(|it| it.keys().next());
                first.cloned().unwrap_or_default()
            }
            _ => "0".to_owned(),
        };
        pointer.push('/');
        pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
        value = document.pointer(&pointer);
    }
    pointer
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.field {
            Some(field) => write!(f, "{}.{field}", self.ty),
            None => f.write_str(&self.ty),
        }
    }
}

/// The title of a rule where it is old consumers that refuse what is written now.
fn of_old_consumers(rule: SchemaRule) -> &'static str {
    match rule {
        SchemaRule::RequiredAdded => "a property that old consumers require may be missing",
        SchemaRule::PropertyRefused => "a property is written that old consumers refuse",
        SchemaRule::TypeNarrowed => "a type is written that old consumers do not accept",
        SchemaRule::EnumNarrowed => "a value is written that old consumers do not know",
        SchemaRule::VariantRemoved => "a variant is written that old consumers do not know",
        SchemaRule::ConstChanged => "a constant is written that old consumers do not accept",
        SchemaRule::BoundTightened => "a number is written that old consumers do not accept",
        SchemaRule::LengthTightened | SchemaRule::PatternChanged | SchemaRule::FormatChanged => {
            "a string is written that old consumers do not accept"
        }
        SchemaRule::ItemCountTightened | SchemaRule::ItemRefused | SchemaRule::UniqueItemsAdded => {
            "an array is written that old consumers do not accept"
        }
        _ => "a value is written that old consumers do not accept",
    }
}

impl Severity {
    /// The name as reports write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

impl Verdict {
    /// The verdict of a check with these findings. Warnings count as errors if they are denied.
    #[must_use]
    pub fn of(findings: &[Finding], deny_warnings: bool) -> Self {
        let mut counted = findings
            .iter()
            .filter(|finding| match finding.severity {
                Severity::Error => true,
                Severity::Warning => deny_warnings,
                Severity::Note => false,
            })
            .peekable();
        if counted.peek().is_none() {
            Self::Compatible
        } else if counted.all(Finding::is_unknown) {
            Self::Unknown
        } else {
            Self::Broken
        }
    }

    /// The name as reports write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Compatible => "compatible",
            Self::Unknown => "unknown",
            Self::Broken => "broken",
        }
    }
}

impl fmt::Display for Versions {
    /// `1.0 → 1.1, BACKWARD`, or one version alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.old == self.new {
            self.new.fmt(f)?;
        } else {
            write!(f, "{} → {}", self.old, self.new)?;
        }
        match self.direction {
            Some(direction) => write!(f, ", {direction}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Mitigation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Upcaster { into } => write!(
                f,
                "the upcaster into {into} reads it: golden document and this one were decoded"
            ),
            Self::Read { into } => write!(
                f,
                "{into} reads it all the same: this document was decoded, and keeps what it says"
            ),
            Self::PutBack => f.write_str(
                "consumers of the old major put it back until they are updated; deploy them first",
            ),
        }
    }
}
