//! Follows `mod` lines from a crate's root through its files.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprLit, Item, ItemMod, Lit, Meta, Token};
use thiserror::Error;

use super::item::{Found, names_of_event};

/// Why sources could not be scanned.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ScanError {
    /// The folder has no root module.
    #[error(
        "{} has neither `lib.rs` nor `main.rs`; name the folder with the sources of the crate (`src`), or the file of its root module", path.display()
    )]
    NoRoot {
        /// The folder.
        path: PathBuf,
    },
    /// A file cannot be read.
    #[error("{} cannot be read", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A file is not valid Rust.
    #[error("{}:{line} is not valid Rust: {source}", path.display())]
    NoRust {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The cause.
        source: syn::Error,
    },
    /// The file of a module is missing.
    #[error("{}:{line}: the file of the module `{name}` is missing", path.display())]
    NoModule {
        /// The file that declares the module.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The name of the module.
        name: String,
    },
}

/// The root modules at `path`.
pub(super) fn roots(path: &Path) -> Result<Vec<PathBuf>, ScanError> {
    let io = |source| ScanError::Io {
        path: path.to_owned(),
        source,
    };
    if fs::metadata(path).map_err(io)?.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let mut roots = BTreeSet::new();
    for name in ["lib.rs", "main.rs"] {
        roots.extend(Some(path.join(name)).filter(|root| root.is_file()));
    }
    if let Ok(entries) = fs::read_dir(path.join("bin")) {
        for entry in entries {
            let entry = entry.map_err(io)?.path();
            let own = entry.extension().is_some_and(|extension| extension == "rs");
            roots.extend(Some(entry.clone()).filter(|_| own));
            roots.extend(Some(entry.join("main.rs")).filter(|root| root.is_file()));
        }
    }
    if roots.is_empty() {
        let path = path.to_owned();
        return Err(ScanError::NoRoot { path });
    }
    Ok(roots.into_iter().collect())
}

/// Reads a root module and all below it, and answers how many files that were.
pub(super) fn walk(root: &Path, found: &mut Found) -> Result<usize, ScanError> {
    // A root's modules stand beside it; those of any other file in its folder.
    let folder = root.parent().unwrap_or(Path::new("")).to_owned();
    let mut walk = Walk { found, files: 0 };
    walk.file(root, &folder)?;
    Ok(walk.files)
}

struct Walk<'a> {
    found: &'a mut Found,
    files: usize,
}

impl Walk<'_> {
    /// Reads a file, whose modules stand in `folder`.
    fn file(&mut self, path: &Path, folder: &Path) -> Result<(), ScanError> {
        let text = fs::read_to_string(path).map_err(|source| ScanError::Io {
            path: path.to_owned(),
            source,
        })?;
        let file = syn::parse_file(&text).map_err(|source| ScanError::NoRust {
            path: path.to_owned(),
            line: source.span().start().line,
            source,
        })?;
        self.files += 1;
        if for_tests(&file.attrs) {
            return Ok(());
        }
        self.items(&file.items, path, folder)
    }

    fn items(&mut self, items: &[Item], path: &Path, folder: &Path) -> Result<(), ScanError> {
        let names = names_of_event(items);
        for item in items {
            match item {
                Item::Mod(module) if !for_tests(&module.attrs) => {
                    self.module(module, path, folder)?;
                }
                Item::Struct(item) if !for_tests(&item.attrs) => {
                    self.found.look_at_struct(item, &names, path);
                }
                Item::Enum(item) if !for_tests(&item.attrs) => self.found.look_at_enum(item, path),
                _ => {}
            }
        }
        Ok(())
    }

    fn module(&mut self, module: &ItemMod, path: &Path, folder: &Path) -> Result<(), ScanError> {
        let name = module.ident.to_string();
        let name = name.trim_start_matches("r#");
        let inside = folder.join(name);
        if let Some((_, items)) = &module.content {
            return self.items(items, path, &inside);
        }
        let beside = path.parent().unwrap_or(Path::new(""));
        let named = named_path(&module.attrs).map(|name| beside.join(name));
        let candidates = match named {
            Some(file) => vec![file],
            None => vec![folder.join(format!("{name}.rs")), inside.join("mod.rs")],
        };
        let file = candidates.into_iter().find(|file| file.is_file());
        match file {
            Some(file) => {
                // Modules of a file that was named stand beside it, as those of a `mod.rs` do.
                let named = named_path(&module.attrs).is_some();
                let own = file.parent().map(Path::to_owned).filter(|_| named);
                self.file(&file, &own.unwrap_or(inside))
            }
            // A module that is not always compiled may have no file here.
            None if is_conditional(&module.attrs) => Ok(()),
            None => Err(ScanError::NoModule {
                path: path.to_owned(),
                line: module.ident.span().start().line,
                name: name.to_owned(),
            }),
        }
    }
}

/// Whether an item is compiled for tests only.
fn for_tests(attrs: &[Attribute]) -> bool {
    let conditions = attrs.iter().filter(|attr| attr.path().is_ident("cfg"));
    let mut conditions = conditions.filter_map(|attr| attr.parse_args::<Meta>().ok());
    conditions.any(|condition| means_test(&condition))
}

/// Whether a condition holds in tests only.
fn means_test(condition: &Meta) -> bool {
    let Meta::List(list) = condition else {
        return condition.path().is_ident("test");
    };
    let parts = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
    let Ok(parts) = parts else { return false };
    if list.path.is_ident("all") {
        parts.iter().any(means_test)
    } else {
        list.path.is_ident("any") && !parts.is_empty() && parts.iter().all(means_test)
    }
}

fn is_conditional(attrs: &[Attribute]) -> bool {
    attrs.iter().any(|attr| attr.path().is_ident("cfg"))
}

/// The file in `#[path = "…"]`.
fn named_path(attrs: &[Attribute]) -> Option<String> {
    attrs.iter().find_map(|attr| match &attr.meta {
        Meta::NameValue(pair) if pair.path.is_ident("path") => match &pair.value {
            Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    })
}
