//! Reads settings from a TOML file.

use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::entry::Entry;
use super::error::{ConfigProblem, Origin, ProblemKind};
use super::nearest::instead;
use super::settings::{named, settings};

/// The settings in the file.
pub(super) fn read(path: &Path, problems: &mut Vec<ConfigProblem>) -> Vec<Entry> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            let shown = path.to_string_lossy();
            let text = format!("the configuration file {shown} cannot be read: {error}");
            problems.push(ConfigProblem::new(ProblemKind::Unreadable, text));
            return Vec::new();
        }
    };
    let mut reader = Reader {
        path,
        text: &text,
        problems,
        entries: Vec::new(),
    };
    match DeTable::parse(&text) {
        Ok(table) => reader.table("", table.get_ref()),
        Err(error) => {
            let at = error.span().map_or(0, |span| span.start);
            // Its `Display` would show the line, which may have a secret.
            let text = format!("this is not TOML: {}", error.message());
            reader.problem(ProblemKind::Unreadable, at, text);
        }
    }
    reader.entries
}

struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
    problems: &'a mut Vec<ConfigProblem>,
    entries: Vec<Entry>,
}

impl Reader<'_> {
    fn table(&mut self, prefix: &str, table: &DeTable<'_>) {
        for (key, value) in table {
            let name = format!("{prefix}{}", key.get_ref());
            match (named(&name), value.get_ref()) {
                (Some(setting), _) => {
                    let origin = self.origin(key.span().start);
                    match text(value) {
                        Ok(text) => self.entries.push(Entry {
                            setting,
                            text,
                            origin,
                        }),
                        Err(found) => {
                            let text =
                                format!("{found} is refused: it has to be {}", setting.allowed());
                            let problem = ConfigProblem::new(ProblemKind::InvalidValue, text);
                            let problem = problem.of(setting.name());
                            self.problems.push(problem.from(Some(&origin)));
                        }
                    }
                }
                (None, DeValue::Table(inner)) if is_table(&name) => {
                    self.table(&format!("{name}."), inner);
                }
                (None, _) => {
                    let known = settings().iter().map(|setting| setting.name().to_owned());
                    let text = format!("there is no setting `{name}`; {}", instead(&name, known));
                    self.problem(ProblemKind::UnknownSetting, key.span().start, text);
                }
            }
        }
    }

    fn problem(&mut self, kind: ProblemKind, at: usize, text: String) {
        let origin = self.origin(at);
        let problem = ConfigProblem::new(kind, text);
        self.problems.push(problem.from(Some(&origin)));
    }

    fn origin(&self, at: usize) -> Origin {
        let before = self.text.as_bytes().iter().take(at);
        Origin::File {
            path: self.path.to_owned(),
            line: 1 + before.filter(|byte| **byte == b'\n').count(),
        }
    }
}

/// Whether settings have names that begin with this table.
fn is_table(name: &str) -> bool {
    settings().iter().any(|setting| {
        let rest = setting.name().strip_prefix(name);
        rest.is_some_and(|rest| rest.starts_with('.'))
    })
}

/// The value as in an environment variable; the error says what was found instead.
fn text(value: &Spanned<DeValue<'_>>) -> Result<String, &'static str> {
    match value.get_ref() {
        DeValue::String(text) => Ok(text.clone().into_owned()),
        DeValue::Integer(number) if number.radix() == 10 => Ok(number.as_str().replace('_', "")),
        DeValue::Integer(_) => Err("a number that is not decimal"),
        DeValue::Boolean(switch) => Ok(switch.to_string()),
        DeValue::Array(items) => {
            let items = items.iter().map(|item| match item.get_ref() {
                DeValue::String(text) if !text.contains(',') => Ok(&**text),
                DeValue::String(_) => Err("a text with a comma in an array"),
                _ => Err("an array with something else than texts"),
            });
            Ok(items.collect::<Result<Vec<_>, _>>()?.join(","))
        }
        DeValue::Float(_) => Err("a number with a fraction"),
        DeValue::Datetime(_) => Err("a date or time"),
        DeValue::Table(_) => Err("a table"),
    }
}
