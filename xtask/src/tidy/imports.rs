//! Splits `use` trees into single imports.

use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Ident, ItemUse, UseTree};

/// The imports of a `use` item; none if its path begins with `::`, in another crate.
pub(super) fn imports(item: &ItemUse) -> Vec<Import> {
    let mut imports = Vec::new();
    if item.leading_colon.is_none() {
        flatten(&item.tree, &mut Vec::new(), &mut imports);
    }
    imports
}

/// One import of a `use` item.
pub(super) struct Import {
    pub(super) path: Vec<String>,
    pub(super) name: Imported,
    pub(super) line: usize,
}

/// The name that an import brings in.
pub(super) enum Imported {
    Name(String),
    Glob,
    /// `use path as _`
    Nothing,
}

fn flatten(tree: &UseTree, prefix: &mut Vec<String>, imports: &mut Vec<Import>) {
    let mut leaf = |ident: Option<&Ident>, name: Imported, span: Span| {
        let mut path = prefix.clone();
        // `a::{self}` imports `a`; a `self` alone is the module.
        path.extend(
            ident
                .filter(|i| *i != "self" || prefix.is_empty())
                .map(text),
        );
        let line = span.start().line;
        imports.push(Import { path, name, line });
    };
    match tree {
        UseTree::Path(tree) => {
            prefix.push(text(&tree.ident));
            flatten(&tree.tree, prefix, imports);
            prefix.pop();
        }
        UseTree::Name(tree) => {
            let name = match prefix.last() {
                Some(last) if tree.ident == "self" => last.clone(),
                _ => text(&tree.ident),
            };
            leaf(Some(&tree.ident), Imported::Name(name), tree.ident.span());
        }
        UseTree::Rename(tree) => {
            let name = match text(&tree.rename) {
                name if name == "_" => Imported::Nothing,
                name => Imported::Name(name),
            };
            leaf(Some(&tree.ident), name, tree.ident.span());
        }
        UseTree::Glob(tree) => leaf(None, Imported::Glob, tree.star_token.span()),
        UseTree::Group(tree) => {
            for tree in &tree.items {
                flatten(tree, prefix, imports);
            }
        }
    }
}

/// An identifier without `r#`.
pub(super) fn text(ident: &Ident) -> String {
    ident.unraw().to_string()
}
