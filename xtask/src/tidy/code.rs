//! Collects the paths that an item's code uses.

use std::collections::BTreeMap;

use proc_macro2::{TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, Expr, Ident, Item, Visibility};

use super::imports::{Imported, imports, text};
use super::test_only::{for_tests, is_test_only};

/// What the code of an item uses.
#[derive(Default)]
pub(super) struct Code {
    /// Its paths, in the order in which they stand.
    pub(super) paths: Vec<UsedPath>,
    /// The paths of `use path::*` in its blocks.
    pub(super) globs: Vec<Vec<String>>,
}

/// A path in the code, relative to its module, with its line.
pub(super) struct UsedPath {
    pub(super) path: Vec<String>,
    pub(super) line: usize,
}

impl Code {
    /// Reads an item that is neither an import nor a module.
    pub(super) fn read(item: &Item) -> Self {
        let mut collector = Collector::default();
        collector.visit_item(item);
        collector.code
    }
}

/// The name that an item defines, unless it is an import, a module or a macro.
pub(super) fn name(item: &Item) -> Option<&Ident> {
    match item {
        Item::Const(item) => Some(&item.ident),
        Item::Enum(item) => Some(&item.ident),
        Item::ExternCrate(item) => Some(&item.ident),
        Item::Fn(item) => Some(&item.sig.ident),
        Item::Static(item) => Some(&item.ident),
        Item::Struct(item) => Some(&item.ident),
        Item::Trait(item) => Some(&item.ident),
        Item::TraitAlias(item) => Some(&item.ident),
        Item::Type(item) => Some(&item.ident),
        Item::Union(item) => Some(&item.ident),
        _ => None,
    }
}

/// Collects the paths in an item. Names that a block defines hide those of the module.
#[derive(Default)]
struct Collector {
    code: Code,
    /// For each open block its names: an import with its path, or an item of the block.
    blocks: Vec<BTreeMap<String, Option<Vec<String>>>>,
}

impl Collector {
    fn used(&mut self, path: Vec<String>, line: usize) {
        let Some(first) = path.first() else {
            return;
        };
        let path = match self.blocks.iter().rev().find_map(|block| block.get(first)) {
            Some(Some(import)) => [import.as_slice(), &path[1..]].concat(),
            Some(None) => return,
            None => path,
        };
        self.code.paths.push(UsedPath { path, line });
    }

    fn enter(&mut self, block: &syn::Block) {
        let mut names = BTreeMap::new();
        let mut uses = Vec::new();
        for statement in &block.stmts {
            match statement {
                syn::Stmt::Item(item) if is_test_only(item) => {}
                syn::Stmt::Item(Item::Use(item)) => uses.extend(imports(item)),
                syn::Stmt::Item(item) => {
                    names.extend(name(item).map(|name| (text(name), None)));
                }
                _ => {}
            }
        }
        self.blocks.push(names);
        for import in uses {
            self.used(import.path.clone(), import.line);
            match (import.name, self.blocks.last_mut()) {
                (Imported::Name(name), Some(names)) => {
                    names.insert(name, Some(import.path));
                }
                (Imported::Glob, _) => self.code.globs.push(import.path),
                _ => {}
            }
        }
    }
}

impl<'ast> Visit<'ast> for Collector {
    fn visit_item(&mut self, item: &'ast Item) {
        match item {
            Item::Use(_) | Item::Mod(_) => {}
            Item::Macro(item) if item.ident.is_some() => {}
            item if is_test_only(item) => {}
            item => visit::visit_item(self, item),
        }
    }

    fn visit_block(&mut self, block: &'ast syn::Block) {
        self.enter(block);
        visit::visit_block(self, block);
        self.blocks.pop();
    }

    fn visit_stmt(&mut self, statement: &'ast syn::Stmt) {
        let attributes = match statement {
            syn::Stmt::Macro(own) => own.attrs.as_slice(),
            syn::Stmt::Expr(Expr::Block(own), _) => &own.attrs,
            syn::Stmt::Expr(Expr::Call(own), _) => &own.attrs,
            syn::Stmt::Expr(Expr::MethodCall(own), _) => &own.attrs,
            _ => &[],
        };
        if !for_tests(attributes) {
            visit::visit_stmt(self, statement);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() {
            let segments = path.segments.iter().map(|segment| text(&segment.ident));
            self.used(segments.collect(), path.span().start().line);
        }
        visit::visit_path(self, path);
    }

    fn visit_token_stream(&mut self, tokens: &'ast TokenStream) {
        let mut paths = Vec::new();
        scan(tokens, &mut paths);
        for (path, line) in paths {
            self.used(path, line);
        }
    }

    fn visit_attribute(&mut self, _: &'ast Attribute) {}

    fn visit_visibility(&mut self, _: &'ast Visibility) {}

    fn visit_impl_item(&mut self, item: &'ast syn::ImplItem) {
        let attributes = match item {
            syn::ImplItem::Fn(item) => item.attrs.as_slice(),
            syn::ImplItem::Const(item) => &item.attrs,
            _ => &[],
        };
        if !for_tests(attributes) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_field(&mut self, field: &'ast syn::Field) {
        if !for_tests(&field.attrs) {
            visit::visit_field(self, field);
        }
    }

    fn visit_field_value(&mut self, field: &'ast syn::FieldValue) {
        if !for_tests(&field.attrs) {
            visit::visit_field_value(self, field);
        }
    }

    fn visit_local(&mut self, local: &'ast syn::Local) {
        if !for_tests(&local.attrs) {
            visit::visit_local(self, local);
        }
    }
}

/// The paths among the tokens of a macro call: names joined by `::`. Fields, methods, lifetimes,
/// and paths that begin with `::` are left out.
fn scan(tokens: &TokenStream, paths: &mut Vec<(Vec<String>, usize)>) {
    let trees: Vec<_> = tokens.clone().into_iter().collect();
    let is = |index: usize, wanted: char| match trees.get(index) {
        Some(TokenTree::Punct(punct)) => punct.as_char() == wanted,
        _ => false,
    };
    let colons = |index: usize| is(index, ':') && is(index + 1, ':');
    let mut index = 0;
    while let Some(tree) = trees.get(index) {
        index += 1;
        match tree {
            TokenTree::Group(group) => scan(&group.stream(), paths),
            TokenTree::Ident(first) => {
                let mut path = vec![text(first)];
                let before = index.saturating_sub(2);
                let field = is(before, '.') && !(before > 0 && is(before - 1, '.'));
                let absolute = before > 0 && colons(before - 1);
                let begins = !(field || absolute || is(before, '$') || is(before, '\''));
                while let (true, Some(TokenTree::Ident(next))) =
                    (colons(index), trees.get(index + 2))
                {
                    path.push(text(next));
                    index += 3;
                }
                if begins {
                    paths.push((path, first.span().start().line));
                }
            }
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
}
