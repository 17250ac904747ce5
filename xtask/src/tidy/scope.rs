//! Names that a module defines, and paths that it uses.

use std::collections::BTreeMap;

use syn::{Item, ItemUse, Visibility};

use super::code::{Code, UsedPath, name};
use super::imports::{Imported, imports, text};

/// The names and paths of one module, without those of the modules in it.
#[derive(Default)]
pub(super) struct Scope {
    /// What each name in the module stands for. Types, values and macros share this table.
    pub(super) names: BTreeMap<String, Vec<Definition>>,
    /// The paths of `use path::*`.
    pub(super) globs: Vec<Source>,
    /// Every path that the code uses, in imports too.
    pub(super) paths: Vec<UsedPath>,
}

/// What a name stands for.
pub(super) enum Definition {
    /// The module with this index.
    Module(usize),
    /// An item that is defined here.
    Item,
    /// An item from elsewhere.
    Import(Source),
}

/// The path of an import, and who may use the imported name.
#[derive(Clone)]
pub(super) struct Source {
    pub(super) path: Vec<String>,
    pub(super) reach: Reach,
}

/// The modules that may use an imported name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// The module itself and those in it.
    Module,
    /// The parent and those in it.
    Parent,
    /// Any module of the crate.
    Crate,
}

impl Scope {
    pub(super) fn define(&mut self, name: String, definition: Definition) {
        self.names.entry(name).or_default().push(definition);
    }

    /// Adds an item of the module that is not a module.
    pub(super) fn add(&mut self, item: &Item) {
        match item {
            Item::Use(item) => self.import(item),
            Item::Macro(item) if item.ident.is_some() => {}
            item => {
                if let Some(name) = name(item) {
                    self.define(text(name), Definition::Item);
                }
                let code = Code::read(item);
                self.paths.extend(code.paths);
                let reach = Reach::Module;
                let globs = code.globs.into_iter();
                self.globs.extend(globs.map(|path| Source { path, reach }));
            }
        }
    }

    fn import(&mut self, item: &ItemUse) {
        let reach = reach(&item.vis);
        for import in imports(item) {
            let path = import.path.clone();
            let source = Source { path, reach };
            match import.name {
                Imported::Name(name) => self.define(name, Definition::Import(source)),
                Imported::Glob => self.globs.push(source),
                Imported::Nothing => {}
            }
            let (path, line) = (import.path, import.line);
            self.paths.push(UsedPath { path, line });
        }
    }
}

fn reach(visibility: &Visibility) -> Reach {
    match visibility {
        Visibility::Inherited => Reach::Module,
        Visibility::Restricted(restricted) if restricted.path.is_ident("self") => Reach::Module,
        Visibility::Restricted(restricted) if restricted.path.is_ident("super") => Reach::Parent,
        Visibility::Restricted(_) | Visibility::Public(_) => Reach::Crate,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::test_only::is_test_only;

    /// The paths in a module, in the order in which they are found.
    fn paths(code: &str) -> Vec<String> {
        let mut scope = Scope::default();
        let file = syn::parse_file(code).unwrap();
        for item in file.items.iter().filter(|item| !is_test_only(item)) {
            scope.add(item);
        }
        let paths = scope.paths.iter();
        paths.map(|used| used.path.join("::")).collect()
    }

    #[test]
    fn a_use_tree_is_one_path_for_each_import() {
        let code = "use a::{self, b::{C, d as e}, f::*, g as _}; use ::h::i;";
        assert_eq!(paths(code), ["a", "a::b::C", "a::b::d", "a::f", "a::g"]);
    }

    #[test]
    fn paths_in_signatures_types_expressions_and_patterns_are_found() {
        let code = "
            struct S(a::Field);
            impl b::Trait<c::Argument> for S { fn f(&self, x: d::In) -> e::Out { g::call(x) } }
            fn h(x: i::Kind) { match x { j::Kind::One => k::<l::Inner>(), _ => {} } }
        ";
        let found = paths(code);
        for path in [
            "a::Field",
            "b::Trait",
            "c::Argument",
            "d::In",
            "e::Out",
            "g::call",
            "i::Kind",
            "j::Kind::One",
            "l::Inner",
        ] {
            assert!(
                found.iter().any(|own| own == path),
                "{path} not in {found:?}"
            );
        }
    }

    #[test]
    fn paths_in_macro_calls_are_found_but_no_fields_or_other_crates() {
        let code = "fn f() { assert!(matches!(x.field, a::K::V(b::w)), \"{}\", ::c::d, 0..e::N); }";
        let found = paths(code);
        let expected = ["assert", "matches", "x", "a::K::V", "b::w", "e::N"];
        assert_eq!(found, expected);
    }

    #[test]
    fn attributes_macro_definitions_and_tests_are_left_out() {
        let code = "
            #[derive(a::A)] #[b::b] struct S { #[cfg(test)] field: c::C }
            macro_rules! m { () => { d::d() } }
            #[cfg(test)] use e::e;
            #[cfg(all(test, unix))] fn f() { g::g() }
            fn h() { #[cfg(test)] use i::i; #[cfg(test)] let x = j::j(); }
            fn m() { #[cfg(test)] n::n(); #[cfg(test)] { o::o(); } #[cfg(test)] p!(q::q); }
            impl S { #[cfg(test)] fn k() { l::l() } }
        ";
        assert_eq!(paths(code), ["S"]);
        assert_eq!(
            paths("#[cfg(any(test, feature = \"x\"))] use a::a;"),
            ["a::a"]
        );
        assert_eq!(paths("#[cfg(not(test))] use a::a;"), ["a::a"]);
    }

    #[test]
    fn names_of_a_block_hide_those_of_the_module() {
        let code = "fn f() { use a::b as c; fn d() {} c::e(); d(); } fn g() { c::e(); }";
        assert_eq!(paths(code), ["a::b", "a::b::e", "c::e"]);
    }
}
