//! `Turn`: the turn of a process to begin transactions that write, among those that share a SQLite file.
//!
//! SQLite has no queue for its lock. A waiter looks for it again after up to 100 milliseconds, and in that
//! time the process that has just committed begins the next transaction: it would do nearly all of them,
//! and the others would wait until their timeouts. So a process that waits for the lock holds the turn, a
//! lock on a file beside the database: no other process begins meanwhile, and the waiter is the next one.
//!
//! The tasks of a process share its turn. They hold it for as long as they like while no other process
//! waits for it, which a second file tells: alone, a process does not wait here.
//!
//! The files stay open as long as the process uses the database. Whoever deletes them beside running
//! programs parts these from programs that start later; then SQLite alone decides between them.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sqlx::{Pool, Sqlite};

/// The ends of the names of the two files.
const TURN: &str = "-turn";
const WAITS: &str = "-turn-waits";

/// The pause between two looks for the turn.
const POLL: Duration = Duration::from_millis(1);

/// How long other tasks may join a turn for which another process waits.
const JOIN: Duration = Duration::from_millis(5);

/// How long to wait for the turn. A process may have been frozen with it: then the order is left to
/// SQLite.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long nobody of this process waits for the turn after one has waited in vain.
const LEFT_TO_SQLITE: Duration = Duration::from_secs(5);

/// The turn of this process, until all of its tasks have dropped it. The end of the process gives it back,
/// too.
#[derive(Debug)]
pub(super) struct Turn(Option<Arc<Files>>);

/// The locks of a database.
#[derive(Debug)]
struct Files {
    database: PathBuf,
    turn: File,
    /// Processes that wait for the turn share a lock on it.
    waits: File,
    held: Mutex<Held>,
    /// When a task of this process last waited in vain.
    in_vain: Mutex<Option<Instant>>,
}

#[derive(Debug, Default)]
struct Held {
    /// The tasks of this process that have the turn.
    tasks: usize,
    since: Option<Instant>,
}

/// The open files of this process, by database: all of its tasks share the lock.
static OPEN: LazyLock<Mutex<HashMap<PathBuf, Arc<Files>>>> = LazyLock::new(Mutex::default);

/// Databases whose files stay open while nobody uses them.
const MOST_OPEN: usize = 8;

impl Turn {
    /// Waits for the turn, for a second at most.
    ///
    /// Without files beside the database, as in memory or in a folder that cannot be written, there is no
    /// turn. After a wait in vain, the tasks of this process do not wait for five seconds. Cancel-safe.
    pub(super) async fn wait(pool: &Pool<Sqlite>) -> Self {
        let options = pool.connect_options();
        let Some(files) = Files::of(options.get_filename()) else {
            return Self(None);
        };
        let begun = Instant::now();
        let mut waits = None;
        loop {
            match files.take() {
                Ok(true) => {
                    *lock(&files.in_vain) = None;
                    return Self(Some(files));
                }
                Ok(false) if files.is_in_vain() => return Self(None),
                Ok(false) if begun.elapsed() < PATIENCE => {
                    if waits.is_none() {
                        waits = files.waits_for_others();
                    }
                    tokio::time::sleep(POLL).await;
                }
                Ok(false) => {
                    *lock(&files.in_vain) = Some(Instant::now());
                    return Self(None);
                }
                Err(_) => return Self(None),
            }
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(files) = &self.0 {
            files.give_back();
        }
    }
}

impl Files {
    fn of(database: &Path) -> Option<Arc<Self>> {
        let mut open = lock(&OPEN);
        if let Some(files) = open.get(database) {
            return Some(Arc::clone(files));
        }
        // The names of databases in memory are none of files.
        if !database.is_file() {
            return None;
        }
        let files = Arc::new(Self {
            database: database.to_owned(),
            turn: beside(database, TURN).ok()?,
            waits: beside(database, WAITS).ok()?,
            held: Mutex::default(),
            in_vain: Mutex::default(),
        });
        if open.len() >= MOST_OPEN {
            open.retain(|_, files| Arc::strong_count(files) > 1);
        }
        open.insert(database.to_owned(), Arc::clone(&files));
        Some(files)
    }

    /// Whether a task of this process has just waited in vain, as for a process that was frozen.
    fn is_in_vain(&self) -> bool {
        lock(&self.in_vain).is_some_and(|since| since.elapsed() < LEFT_TO_SQLITE)
    }

    /// Takes the turn for a task of this process, if no other process has it or waits for too long.
    fn take(&self) -> io::Result<bool> {
        let mut held = lock(&self.held);
        let taken = match held.since {
            Some(since) => since.elapsed() < JOIN || !self.do_others_wait(),
            None => try_lock(&self.turn)?,
        };
        if taken {
            held.tasks += 1;
            held.since.get_or_insert_with(Instant::now);
        }
        Ok(taken)
    }

    fn give_back(&self) {
        let mut held = lock(&self.held);
        held.tasks -= 1;
        if held.tasks == 0 {
            held.since = None;
            // It cannot fail for a file that is locked; closing the file would give it back, too.
            drop(self.turn.unlock());
        }
    }

    /// Whether another process waits for the turn that this one has.
    fn do_others_wait(&self) -> bool {
        let free = try_lock(&self.waits).unwrap_or(true);
        if free {
            drop(self.waits.unlock());
        }
        !free
    }

    /// Tells the process that has the turn that this one waits, until the file is dropped.
    fn waits_for_others(&self) -> Option<File> {
        let is_ours = lock(&self.held).since.is_some();
        if is_ours {
            return None;
        }
        // Another description of the file, with a lock of its own.
        let file = beside(&self.database, WAITS).ok()?;
        file.try_lock_shared().ok()?;
        Some(file)
    }
}

/// Whether the file is locked now.
fn try_lock(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Opens the file whose name is that of the database and this end.
fn beside(database: &Path, end: &str) -> io::Result<File> {
    let mut name = database.as_os_str().to_owned();
    name.push(OsStr::new(end));
    let mut options = File::options();
    // For reading, too: on some network file systems, a shared lock needs it.
    options.read(true).write(true).create(true).truncate(false);
    match options.open(&name) {
        // Another user made it; a lock needs no more than reading.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => File::open(&name),
        opened => opened,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
