//! Finds the sources of a package and of the members of a workspace, by their manifests.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use glob::Pattern;
use toml::{Table, Value};

use super::CliError;

const MANIFEST: &str = "Cargo.toml";
/// The folder of a package's sources.
const SRC: &str = "src";
/// The tables of a manifest that name the packages it depends on.
const DEPENDENCIES: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

/// The folders and files to scan. A folder with a `Cargo.toml` stands for the sources of its
/// package and of the members of its workspace; another folder with sources in `src` for these.
///
/// # Errors
///
/// A folder has no sources, or a manifest cannot be read.
pub(super) fn folders(paths: &[PathBuf]) -> Result<Vec<PathBuf>, CliError> {
    let mut all = Vec::new();
    for path in paths {
        // People expect `src/lib.rs`, not `./src/lib.rs`.
        let folder = path.strip_prefix(".").unwrap_or(path);
        let found = if folder.join(MANIFEST).is_file() {
            of_root(folder)?
        } else if has_root(&folder.join(SRC)) {
            vec![folder.join(SRC)]
        } else if has_root(path) || !path.is_dir() {
            vec![path.clone()]
        } else {
            Vec::new()
        };
        if found.is_empty() {
            return Err(CliError::Usage(format!(
                "there are no sources of a crate in {}: neither a package nor the root of a \
                 workspace whose members have sources; name the folder with the sources \
                 (`--sources crates/events/src`), or the file of the root module",
                if folder.as_os_str().is_empty() {
                    "this folder".into()
                } else {
                    folder.to_string_lossy()
                }
            )));
        }
        all.extend(found);
    }
    Ok(all)
}

/// Whether a folder has the root module of a crate.
pub(super) fn has_root(folder: &Path) -> bool {
    ["lib.rs", "main.rs"]
        .iter()
        .any(|root| folder.join(root).is_file())
        || folder.join("bin").is_dir()
}

/// The sources of the package and of the workspace that have their manifest in a folder.
fn of_root(root: &Path) -> Result<Vec<PathBuf>, CliError> {
    let manifest = read(root)?;
    let mut found = of_package(root, &manifest);
    if let Some(workspace) = manifest.get("workspace") {
        for member in members(root, &manifest, workspace)? {
            let member = root.join(member);
            found.extend(of_package(&member, &read(&member)?));
        }
    }
    Ok(found)
}

/// The folders of a workspace's members without the root, below the root and sorted. As cargo has
/// it, packages below the root on which a member depends by their path are members too, and a pattern
/// does not make an excluded folder a member: only its path does.
fn members(
    root: &Path,
    manifest: &Table,
    workspace: &Value,
) -> Result<BTreeSet<PathBuf>, CliError> {
    let patterns = |key: &str| {
        let patterns = workspace.get(key).and_then(Value::as_array);
        let patterns = patterns.into_iter().flatten();
        patterns.filter_map(Value::as_str).collect::<Vec<_>>()
    };
    let (named, excluded) = (patterns("members"), patterns("exclude"));
    let below =
        |folders: &[&str], member: &Path| folders.iter().any(|at| member.starts_with(plain(at)));
    let mut members = BTreeSet::new();
    let mut open = dependencies(Path::new(""), manifest, workspace);
    for pattern in &named {
        for found in matching(root, pattern)? {
            let member = found.strip_prefix(root).unwrap_or(&found);
            open.push(below_root(member).unwrap_or_else(|| member.to_owned()));
        }
    }
    while let Some(member) = open.pop() {
        let is_root = member.as_os_str().is_empty();
        let is_excluded = below(&excluded, &member) && !below(&named, &member);
        let folder = root.join(&member);
        if is_root || is_excluded || !folder.join(MANIFEST).is_file() {
            continue;
        }
        if members.insert(member.clone()) {
            open.extend(dependencies(&member, &read(&folder)?, workspace));
        }
    }
    Ok(members)
}

/// The folders below the root of the packages on which a package depends by their path.
fn dependencies(package: &Path, manifest: &Table, workspace: &Value) -> Vec<PathBuf> {
    let shared = |name: &str| {
        workspace
            .get("dependencies")?
            .get(name)?
            .get("path")?
            .as_str()
    };
    let targets = manifest.get("target").and_then(Value::as_table);
    let targets = targets.into_iter().flat_map(Table::values);
    let tables = [manifest]
        .into_iter()
        .chain(targets.filter_map(Value::as_table));
    let tables = tables.flat_map(|table| DEPENDENCIES.map(|key| table.get(key)));
    let all = tables.flatten().filter_map(Value::as_table).flatten();
    all.filter_map(|(name, dependency)| {
        if dependency.get("workspace").is_some() {
            below_root(Path::new(shared(name)?))
        } else {
            below_root(&package.join(dependency.get("path")?.as_str()?))
        }
    })
    .collect()
}

/// A path without `.` and `..`; `None` if it leads out of the root.
fn below_root(path: &Path) -> Option<PathBuf> {
    let mut below = PathBuf::new();
    for step in path.components() {
        match step {
            Component::Normal(step) => below.push(step),
            Component::CurDir => {}
            Component::ParentDir => below.pop().then_some(())?,
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(below)
}

/// A path of a manifest without `.`, which the paths of members do not have.
fn plain(path: &str) -> PathBuf {
    let steps = Path::new(path).components();
    steps.filter(|step| *step != Component::CurDir).collect()
}

/// The sources of a package: `src`, and what the manifest names beside its root modules. None if
/// the manifest has no package.
fn of_package(folder: &Path, manifest: &Table) -> Vec<PathBuf> {
    if !manifest.contains_key("package") {
        return Vec::new();
    }
    let src = folder.join(SRC);
    let has_src = has_root(&src);
    let bins = manifest.get("bin").and_then(Value::as_array);
    let targets = manifest
        .get("lib")
        .into_iter()
        .chain(bins.into_iter().flatten());
    let named = targets.filter_map(|target| target.get("path")?.as_str());
    let named = named.map(|path| folder.join(path.trim_start_matches("./")));
    // A scan of `src` finds these by their names.
    let is_found = |file: &Path| {
        has_src
            && (file == src.join("lib.rs")
                || file == src.join("main.rs")
                || file.starts_with(src.join("bin")))
    };
    let mut found: Vec<PathBuf> = named.filter(|file| !is_found(file)).collect();
    found.extend(has_src.then_some(src));
    found.sort();
    found.dedup();
    found
}

/// The manifest in a folder.
fn read(folder: &Path) -> Result<Table, CliError> {
    let path = folder.join(MANIFEST);
    let failed = |source: Box<dyn std::error::Error>| CliError::Failed {
        what: format!("{} cannot be read", path.display()),
        source,
    };
    let text = std::fs::read_to_string(&path).map_err(|source| failed(source.into()))?;
    text.parse()
        .map_err(|source: toml::de::Error| failed(source.into()))
}

/// The folders that a pattern of a manifest names. Cargo uses the same crate for its patterns.
fn matching(root: &Path, pattern: &str) -> Result<Vec<PathBuf>, CliError> {
    let Some(folder) = root.to_str() else {
        return Err(CliError::Usage(format!(
            "the path {} is not UTF-8, so the members of its workspace cannot be found; run the \
             command in this folder, with `--sources .`",
            root.display()
        )));
    };
    let full = Path::new(&Pattern::escape(folder)).join(pattern);
    let paths = glob::glob(&full.to_string_lossy()).map_err(|why| {
        CliError::Usage(format!(
            "the member {pattern:?} of {} is no pattern: {why}; correct it as `cargo metadata` \
             needs it too",
            root.join(MANIFEST).display()
        ))
    })?;
    let mut found = Vec::new();
    for path in paths {
        let path = path.map_err(|error| CliError::Failed {
            what: format!("{} cannot be read", error.path().display()),
            source: std::io::Error::from(error).into(),
        })?;
        if path.is_dir() {
            found.push(path);
        }
    }
    Ok(found)
}
