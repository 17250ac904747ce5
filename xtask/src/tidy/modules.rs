//! Reads the module tree of a crate.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use syn::ext::IdentExt;
use syn::{Attribute, Expr, ExprLit, Item, ItemMod, Lit, Meta};

use super::scope::{Definition, Scope};
use super::test_only::is_test_only;

/// The modules of one crate, without those that are compiled for tests only.
pub(super) struct Tree {
    /// The root is the first.
    pub(super) modules: Vec<Module>,
}

/// One module, in a file of its own or not.
pub(super) struct Module {
    /// Its name; that of the root is `crate`.
    pub(super) name: String,
    pub(super) parent: Option<usize>,
    /// In the order of their `mod` lines.
    pub(super) children: Vec<usize>,
    /// The file it stands in, relative to the root of the workspace.
    pub(super) file: PathBuf,
    /// Where that file is.
    pub(super) place: Place,
    /// The text of its `//!` lines.
    pub(super) doc: String,
    pub(super) scope: Scope,
}

/// Where the file of a module is, seen from its parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// `name.rs` in the folder of the parent.
    Usual,
    /// Somewhere else: `#[path]`, `mod.rs`, or a root.
    Other,
    /// In the file of the parent.
    Inline,
}

impl Tree {
    /// Reads the crate whose root module is in `file`; paths are shown relative to `base`.
    pub(super) fn read(file: &Path, base: &Path) -> Result<Self> {
        let mut tree = Self {
            modules: Vec::new(),
        };
        let folder = file.parent().unwrap_or(file);
        let root = tree.push("crate", None, shown(file, base), Place::Other);
        tree.read_file(root, file, folder, base)?;
        Ok(tree)
    }

    /// The path of a module: `crate::transport::memory`.
    pub(super) fn path(&self, module: usize) -> String {
        let module = &self.modules[module];
        match module.parent {
            Some(parent) => format!("{}::{}", self.path(parent), module.name),
            None => module.name.clone(),
        }
    }

    /// A module and the modules that it is in, from the root on.
    pub(super) fn ancestry(&self, module: usize) -> Vec<usize> {
        let mut line: Vec<_> =
            std::iter::successors(Some(module), |module| self.modules[*module].parent).collect();
        line.reverse();
        line
    }

    fn push(&mut self, name: &str, parent: Option<usize>, file: PathBuf, place: Place) -> usize {
        self.modules.push(Module {
            name: name.to_owned(),
            parent,
            children: Vec::new(),
            file,
            place,
            doc: String::new(),
            scope: Scope::default(),
        });
        self.modules.len() - 1
    }

    /// Reads the module in `file`, whose child modules have their files in `folder`.
    fn read_file(&mut self, module: usize, file: &Path, folder: &Path, base: &Path) -> Result<()> {
        let name = file.display();
        let text = fs::read_to_string(file).with_context(|| format!("cannot read {name}"))?;
        let syntax = syn::parse_file(&text).map_err(|error| {
            let start = error.span().start();
            anyhow!("{name}:{}: {error}", start.line)
        })?;
        self.modules[module].doc = doc(&syntax.attrs);
        self.read_items(module, &syntax.items, file, folder, base)
    }

    fn read_items(
        &mut self,
        module: usize,
        items: &[Item],
        file: &Path,
        folder: &Path,
        base: &Path,
    ) -> Result<()> {
        for item in items.iter().filter(|item| !is_test_only(item)) {
            match item {
                Item::Mod(item) => self.read_child(module, item, file, folder, base)?,
                item => self.modules[module].scope.add(item),
            }
        }
        Ok(())
    }

    fn read_child(
        &mut self,
        parent: usize,
        item: &ItemMod,
        file: &Path,
        folder: &Path,
        base: &Path,
    ) -> Result<()> {
        let name = item.ident.unraw().to_string();
        let inside = folder.join(&name);
        let (own, place, inside) = match (&item.content, attribute(&item.attrs, "path")) {
            (Some(_), _) => (file.to_owned(), Place::Inline, inside),
            (None, Some(path)) => {
                let own = file.parent().unwrap_or(file).join(path);
                let inside = own.parent().unwrap_or(&own).to_owned();
                (own, Place::Other, inside)
            }
            (None, None) => {
                let own = folder.join(format!("{name}.rs"));
                let old = inside.join("mod.rs");
                if old.is_file() && !own.is_file() {
                    (old, Place::Other, inside)
                } else {
                    (own, Place::Usual, inside)
                }
            }
        };
        let child = self.push(&name, Some(parent), shown(&own, base), place);
        self.modules[parent].children.push(child);
        let scope = &mut self.modules[parent].scope;
        scope.define(name, Definition::Module(child));
        if let Some((_, items)) = &item.content {
            self.modules[child].doc = doc(&item.attrs);
            return self.read_items(child, items, file, &inside, base);
        }
        self.read_file(child, &own, &inside, base)
    }
}

fn shown(file: &Path, base: &Path) -> PathBuf {
    file.strip_prefix(base).unwrap_or(file).to_owned()
}

/// The text of the doc comments among `attributes`.
fn doc(attributes: &[Attribute]) -> String {
    let lines: Vec<_> = attributes
        .iter()
        .filter_map(|one| value(one, "doc"))
        .collect();
    lines.join("\n")
}

fn attribute(attributes: &[Attribute], name: &str) -> Option<String> {
    attributes.iter().find_map(|one| value(one, name))
}

fn value(attribute: &Attribute, name: &str) -> Option<String> {
    match &attribute.meta {
        Meta::NameValue(meta) if meta.path.is_ident(name) => match &meta.value {
            Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}
