//! Writes the files of a lock, all or none.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use thiserror::Error;

use super::names;

/// The result of writing a lock.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Written {
    /// The written files: those that were missing or had other content, by their paths in the
    /// folder.
    pub files: Vec<String>,
    /// The number of files that already had this content.
    pub unchanged: usize,
}

/// Why files could not be written. All files are unchanged, unless [`restored`](Self::restored) is
/// false.
#[derive(Debug, Error)]
#[error("{} cannot be written; {}", path.display(), if self.restored { "nothing was changed" } else { "and what was changed already could not be put back: `git checkout` does that" })]
pub struct WriteError {
    /// The file or folder.
    pub path: PathBuf,
    /// Whether all files have their former content.
    pub restored: bool,
    /// The cause.
    pub source: io::Error,
}

impl WriteError {
    fn new(path: &Path, source: io::Error) -> Self {
        Self {
            path: path.to_owned(),
            restored: true,
            source,
        }
    }
}

/// Writes `files` into `dir`, the index last.
pub(super) fn write(dir: &Path, files: &BTreeMap<String, Vec<u8>>) -> Result<Written, WriteError> {
    let mut changed = changed(dir, files)?;
    // Whoever finds the new index finds all the files that it names.
    changed.sort_by_key(|(path, _)| path.as_str() == names::INDEX);
    if !changed.is_empty() {
        fs::create_dir_all(dir).map_err(|why| WriteError::new(dir, why))?;
        move_in(dir, &changed)?;
    }
    Ok(Written {
        unchanged: files.len() - changed.len(),
        files: changed.into_iter().map(|(path, _)| path.clone()).collect(),
    })
}

/// Those of `files` that are not in `dir`, or not so.
pub(crate) fn changed<'a>(
    dir: &Path,
    files: &'a BTreeMap<String, Vec<u8>>,
) -> Result<Vec<File<'a>>, WriteError> {
    let mut changed = Vec::new();
    for (path, bytes) in files {
        let target = dir.join(path);
        match fs::read(&target) {
            Ok(there) if names::unix_lines(&there) == names::unix_lines(bytes) => {}
            Ok(_) => changed.push((path, bytes)),
            Err(why) if why.kind() == io::ErrorKind::NotFound => changed.push((path, bytes)),
            Err(why) => return Err(WriteError::new(&target, why)),
        }
    }
    Ok(changed)
}

/// A file's path in the folder, and what is to be in it.
type File<'a> = (&'a String, &'a Vec<u8>);

fn move_in(dir: &Path, files: &[File<'_>]) -> Result<(), WriteError> {
    let stage = tempfile::Builder::new().prefix(".schemas-").tempdir_in(dir);
    let stage = stage.map_err(|why| WriteError::new(dir, why))?;
    for (index, (_, bytes)) in files.iter().enumerate() {
        let staged = new_file(&stage, index);
        fs::write(&staged, bytes).map_err(|why| WriteError::new(&staged, why))?;
    }
    for (index, (path, _)) in files.iter().enumerate() {
        let target = dir.join(path);
        if let Err(source) = replace(&target, &new_file(&stage, index), &old_file(&stage, index)) {
            let restored = put_back(dir, &stage, &files[..=index]);
            return Err(WriteError {
                path: target,
                restored,
                source,
            });
        }
    }
    Ok(())
}

/// Moves what is at `target` to `old`, and `new` there.
fn replace(target: &Path, new: &Path, old: &Path) -> io::Result<()> {
    if let Some(parent) = target.parent() {
        fs::create_dir_all(parent)?;
    }
    match fs::rename(target, old) {
        Ok(()) => {}
        Err(why) if why.kind() == io::ErrorKind::NotFound => {}
        Err(why) => return Err(why),
    }
    fs::rename(new, target)
}

/// Whether all of these files are as they were.
fn put_back(dir: &Path, stage: &TempDir, files: &[File<'_>]) -> bool {
    let mut restored = true;
    for (index, (path, _)) in files.iter().enumerate() {
        let (target, old) = (dir.join(path), old_file(stage, index));
        let moved_in = !new_file(stage, index).exists();
        let result = if old.exists() {
            fs::rename(&old, &target)
        } else if moved_in {
            fs::remove_file(&target)
        } else {
            Ok(())
        };
        restored &= result.is_ok();
    }
    restored
}

fn new_file(stage: &TempDir, index: usize) -> PathBuf {
    stage.path().join(format!("{index}.new"))
}

fn old_file(stage: &TempDir, index: usize) -> PathBuf {
    stage.path().join(format!("{index}.old"))
}
