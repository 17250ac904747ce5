//! `TestsOf`: the functions of a source that run as tests: those with an attribute whose path ends in
//! `test`, and those that a suite lists.

use std::collections::{BTreeMap, BTreeSet};

use syn::{Attribute, Item};

/// Macros at the top of a file that list functions as cases of a suite, or make tests of them.
const LISTS: [&str; 5] = [
    "cases",
    "everywhere",
    "in_each_language",
    "on_both",
    "on_both_servers",
];

/// A macro that has functions with attributes in it.
const DEFINES: &str = "proptest";

/// The functions of a source.
pub(super) enum TestsOf {
    Functions(BTreeMap<String, Found>),
    /// It is no source, for this reason.
    Unreadable(String),
}

/// What a name is in a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Found {
    Nothing,
    NoTest,
    Ignored,
    Test,
}

impl TestsOf {
    /// Those of a source; `main` is that of the test program, which may list functions of its modules.
    pub(super) fn source(source: &str, main: Option<&str>) -> Self {
        let file = match syn::parse_file(source) {
            Ok(file) => file,
            Err(error) => return Self::Unreadable(error.to_string()),
        };
        let mut functions = BTreeMap::new();
        let mut listed = BTreeSet::new();
        collect(&file.items, &mut functions, &mut listed);
        if let Some(main) = main.and_then(|main| syn::parse_file(main).ok()) {
            collect(&main.items, &mut BTreeMap::new(), &mut listed);
        }
        for (name, found) in &mut functions {
            if listed.contains(name) && *found == Found::NoTest {
                *found = Found::Test;
            }
        }
        Self::Functions(functions)
    }

    pub(super) fn find(&self, name: &str) -> Found {
        match self {
            Self::Functions(functions) => functions.get(name).copied().unwrap_or(Found::Nothing),
            // That is a fault by itself.
            Self::Unreadable(_) => Found::Test,
        }
    }
}

fn collect(items: &[Item], functions: &mut BTreeMap<String, Found>, listed: &mut BTreeSet<String>) {
    for item in items {
        match item {
            Item::Fn(function) => {
                let found = judge(&function.attrs);
                let known = functions.entry(function.sig.ident.to_string());
                let known = known.or_insert(found);
                *known = found.max(*known);
            }
            Item::Mod(module) => {
                if let Some((_, items)) = &module.content {
                    collect(items, functions, listed);
                }
            }
            Item::Macro(call) => {
                let name = call.mac.path.segments.last();
                let tokens = call.mac.tokens.to_string();
                if ends_in(name, &LISTS) {
                    listed.extend(words(&tokens).map(str::to_owned));
                } else if ends_in(name, &[DEFINES]) {
                    functions.extend(defined(&tokens));
                }
            }
            _ => {}
        }
    }
}

/// The functions within a macro whose attributes say that they are tests.
fn defined(tokens: &str) -> impl Iterator<Item = (String, Found)> {
    let functions = tokens.match_indices(" fn ").filter_map(|(at, is)| {
        let (before, after) = (tokens.get(..at)?, tokens.get(at + is.len()..)?);
        let attributes = before.rsplit(['}', ';']).next()?;
        let is_test = attributes.contains("[test]") && !attributes.contains("[ignore");
        is_test.then_some((words(after).next()?.to_owned(), Found::Test))
    });
    functions.collect::<Vec<_>>().into_iter()
}

fn words(tokens: &str) -> impl Iterator<Item = &str> {
    tokens.split(|c: char| !c.is_alphanumeric() && c != '_')
}

fn judge(attributes: &[Attribute]) -> Found {
    let has = |name| {
        let mut attributes = attributes.iter();
        attributes.any(|it| ends_in(it.path().segments.last(), &[name]))
    };
    match (has("test"), has("ignore")) {
        (true, false) => Found::Test,
        (true, true) => Found::Ignored,
        (false, _) => Found::NoTest,
    }
}

fn ends_in(segment: Option<&syn::PathSegment>, names: &[&str]) -> bool {
    segment.is_some_and(|segment| names.iter().any(|name| segment.ident == name))
}
