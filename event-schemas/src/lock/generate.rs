//! Generates the lock of a catalogue, or reports its drift.

use std::path::Path;

use thiserror::Error;

use super::{Conflict, Lock, LockError, Options, Plan, WriteError, Written, write};
use crate::{Catalogue, CatalogueFault};

/// Why the lock of a catalogue was not written. Nothing was changed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum GenerateError {
    /// The catalogue has faults.
    #[error("the catalogue has {} fault(s)", .0.len())]
    Faults(Vec<CatalogueFault>),
    /// The existing lock cannot be read.
    #[error("the existing lock cannot be read")]
    Lock(#[from] LockError),
    /// The catalogue conflicts with the lock.
    #[error("{} conflict(s) with the lock", .0.len())]
    Conflicts(Vec<Conflict>),
    /// The files could not be written.
    #[error("the lock could not be written")]
    Write(#[from] WriteError),
}

/// Writes the lock of the catalogue into the folder `dir`: either all files or none.
///
/// # Errors
///
/// [`GenerateError`] lists every reason why the lock cannot be written.
pub fn generate(
    catalogue: &Catalogue,
    dir: impl AsRef<Path>,
    options: &Options,
) -> Result<Written, GenerateError> {
    let dir = dir.as_ref();
    let plan = plan(catalogue, dir, options)?;
    Ok(write::write(dir, plan.files())?)
}

/// Returns the files that [`generate`] would write, because they are missing in the folder or have
/// other content.
///
/// # Errors
///
/// The same as for [`generate`].
pub fn drift(
    catalogue: &Catalogue,
    dir: impl AsRef<Path>,
    options: &Options,
) -> Result<Vec<String>, GenerateError> {
    let dir = dir.as_ref();
    let plan = plan(catalogue, dir, options)?;
    Ok(write::changed(dir, plan.files())?
        .into_iter()
        .map(|(path, _)| path.clone())
        .collect())
}

fn plan(catalogue: &Catalogue, dir: &Path, options: &Options) -> Result<Plan, GenerateError> {
    let faults = catalogue.faults();
    if !faults.is_empty() {
        return Err(GenerateError::Faults(faults));
    }
    let lock = match Lock::read(dir) {
        Ok(lock) => Some(lock),
        Err(LockError::NoLock) => None,
        Err(why) => return Err(why.into()),
    };
    let plan = Plan::of(catalogue, lock.as_ref(), options);
    if plan.conflicts().is_empty() {
        Ok(plan)
    } else {
        Err(GenerateError::Conflicts(plan.into_conflicts()))
    }
}
