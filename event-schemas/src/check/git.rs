//! Reads the files of a folder at a git ref, without touching the work tree.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// The files of a folder at a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The commit to which the ref resolved.
    pub commit: String,
    /// The files by their paths relative to the folder, with `/` between the parts. `None` if the
    /// folder did not exist at that commit.
    pub files: Option<BTreeMap<String, Vec<u8>>>,
}

/// Reads the files of `folder` as they were at `reference`. The folder need not exist now.
///
/// Starts `git` three times, whatever the number of files, and changes nothing.
///
/// # Errors
///
/// [`GitError`] if `git` is not installed or fails, if the folder is in no repository, or if the
/// ref does not exist.
pub fn files_at(folder: &Path, reference: &str) -> Result<Snapshot, GitError> {
    let place = Place::of(folder)?;
    let commit = place.commit(reference)?;
    let entries = place.tree(&commit)?;
    let files = if entries.is_empty() {
        None
    } else {
        Some(place.blobs(entries)?)
    };
    Ok(Snapshot { commit, files })
}

/// Returns the day on which each file of `folder` was first committed, as `2026-11-30`, by the path
/// of the file relative to the folder. This needs the whole history: in a shallow clone, all files
/// have the same day.
///
/// # Errors
///
/// [`GitError`] if `git` is not installed or fails, or if the folder is in no repository.
pub fn first_committed(folder: &Path) -> Result<BTreeMap<String, String>, GitError> {
    let place = Place::of(folder)?;
    place.commit("HEAD")?;
    let answer = place
        .git([
            "-c",
            "core.quotePath=false",
            "log",
            "--reverse",
            "--no-renames",
        ])
        .args([
            "--diff-filter=A",
            "--format=%x00%as",
            "--name-only",
            "--relative",
        ])
        .args(["--", "."])
        .output()
        .map_err(GitError::NotStarted)?;
    if !answer.status.success() {
        return Err(GitError::Failed {
            command: "log",
            stderr: one_line(&answer.stderr),
        });
    }
    let mut dates = BTreeMap::new();
    for commit in text("log", answer.stdout)?.split('\0') {
        let mut lines = commit.lines().filter(|line| !line.is_empty());
        let Some(date) = lines.next() else {
            continue;
        };
        for file in lines {
            let known = dates.entry(file.to_owned());
            known.or_insert_with(|| date.to_owned());
        }
    }
    Ok(dates)
}

/// Returns the path of the folder from the root of its repository, with `/` between the parts;
/// `None` if the folder is in no repository. The folder need not exist, and `git` need not be
/// installed.
pub fn in_repository(folder: &Path) -> Option<String> {
    let place = Place::of(folder).ok()?;
    let base = place.base.canonicalize().ok()?;
    let root = base.ancestors().find(|at| at.join(".git").exists())?;
    let from_root = base.strip_prefix(root).ok()?.join(&place.rest);
    let parts = from_root.iter().map(OsStr::to_string_lossy);
    Some(parts.collect::<Vec<_>>().join("/"))
}

/// Why the files at a ref could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GitError {
    /// The program `git` could not be started.
    #[error(
        "`git` is needed to read files at a ref, and could not be started; install git, or check without a ref"
    )]
    NotStarted(#[source] std::io::Error),
    /// The folder is in no repository.
    #[error("{} is in no git repository, so there is nothing to read at {reference:?}; check without a ref, or run it inside the repository", folder.display())]
    NoRepository {
        /// The requested folder.
        folder: PathBuf,
        /// The requested ref.
        reference: String,
    },
    /// The repository has no such ref.
    #[error(
        "there is no commit {reference:?} in this repository; fetch it first (`git fetch origin`; in CI, with the whole history: `fetch-depth: 0`), or name another ref"
    )]
    NoSuchRef {
        /// The requested ref.
        reference: String,
    },
    /// A git command failed.
    #[error("`git {command}` failed: {stderr}")]
    Failed {
        /// The command.
        command: &'static str,
        /// The standard error of the command, in one line.
        stderr: String,
    },
    /// The output of a git command does not have the documented form.
    #[error("`git {command}` returned an unexpected answer: {what}")]
    Unexpected {
        /// The command.
        command: &'static str,
        /// What is unexpected in the output.
        what: String,
    },
}

/// A folder as git is asked for it: a directory that exists, and the way from there.
struct Place {
    folder: PathBuf,
    base: PathBuf,
    rest: PathBuf,
}

/// A file of a tree.
struct Entry {
    path: String,
    object: String,
}

impl Place {
    fn of(folder: &Path) -> Result<Self, GitError> {
        let absolute = std::path::absolute(folder).map_err(GitError::NotStarted)?;
        let base = absolute
            .ancestors()
            .find(|ancestor| ancestor.is_dir())
            .unwrap_or(&absolute);
        let rest = absolute.strip_prefix(base).unwrap_or(Path::new(""));
        Ok(Self {
            base: base.to_owned(),
            rest: rest.to_owned(),
            folder: folder.to_owned(),
        })
    }

    fn git<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Command {
        let mut git = Command::new("git");
        git.arg("-C").arg(&self.base).args(arguments);
        git.stdin(Stdio::null());
        git
    }

    fn commit(&self, reference: &str) -> Result<String, GitError> {
        let no_such_ref = || GitError::NoSuchRef {
            reference: reference.to_owned(),
        };
        if reference.is_empty() {
            return Err(no_such_ref());
        }
        let wanted = format!("{reference}^{{commit}}");
        let answer = self
            .git(["rev-parse", "--verify", "--quiet", "--end-of-options"])
            .arg(wanted)
            .output()
            .map_err(GitError::NotStarted)?;
        if answer.status.success() {
            return text("rev-parse", answer.stdout).map(|id| id.trim().to_owned());
        }
        // Quiet about a missing ref; about anything else it speaks.
        let stderr = one_line(&answer.stderr);
        if stderr.contains("not a git repository") {
            return Err(GitError::NoRepository {
                folder: self.folder.clone(),
                reference: reference.to_owned(),
            });
        }
        if stderr.is_empty() {
            return Err(no_such_ref());
        }
        let command = "rev-parse";
        Err(GitError::Failed { command, stderr })
    }

    /// The files under the folder at a commit; none if there was no such folder.
    fn tree(&self, commit: &str) -> Result<Vec<Entry>, GitError> {
        let mut git = self.git(["ls-tree", "-r", "-z", commit]);
        if !self.rest.as_os_str().is_empty() {
            // With a slash at the end it is a folder's contents, never a file of that name.
            git.arg("--").arg(self.rest.join(""));
        }
        let answer = git.output().map_err(GitError::NotStarted)?;
        if !answer.status.success() {
            return Err(GitError::Failed {
                command: "ls-tree",
                stderr: one_line(&answer.stderr),
            });
        }
        let listing = text("ls-tree", answer.stdout)?;
        let lines = listing.split('\0').filter(|line| !line.is_empty());
        lines
            .filter_map(|line| self.entry(line).transpose())
            .collect()
    }

    /// Reads `<mode> <kind> <object>\t<path>`; what is no file, such as a submodule, is no entry.
    fn entry(&self, line: &str) -> Result<Option<Entry>, GitError> {
        let unexpected = || GitError::Unexpected {
            command: "ls-tree",
            what: line.to_owned(),
        };
        let (facts, path) = line.split_once('\t').ok_or_else(unexpected)?;
        let mut facts = facts.split(' ').skip(1);
        let (kind, object) = facts.next().zip(facts.next()).ok_or_else(unexpected)?;
        if kind != "blob" {
            return Ok(None);
        }
        let path = Path::new(path)
            .strip_prefix(&self.rest)
            .map_err(|_| unexpected())?;
        let parts = path.iter().map(OsStr::to_string_lossy);
        Ok(Some(Entry {
            path: parts.collect::<Vec<_>>().join("/"),
            object: object.to_owned(),
        }))
    }

    /// The contents of the entries, by one process that is asked for each.
    fn blobs(&self, entries: Vec<Entry>) -> Result<BTreeMap<String, Vec<u8>>, GitError> {
        let mut git = self.git(["cat-file", "--batch"]);
        git.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = git.spawn().map_err(GitError::NotStarted)?;
        let outcome = converse(&mut child, entries);
        // Its ends of the pipes are closed by now, so that it ends by itself.
        let ended = child.wait().map_err(GitError::NotStarted)?;
        let files = outcome?;
        if !ended.success() {
            return Err(unexpected_batch(ended.to_string()));
        }
        Ok(files)
    }
}

/// Asks and reads at the same time, since either pipe may be full while the other waits.
fn converse(child: &mut Child, entries: Vec<Entry>) -> Result<BTreeMap<String, Vec<u8>>, GitError> {
    let pipes = child.stdin.take().zip(child.stdout.take());
    let (stdin, stdout) = pipes.ok_or_else(|| unexpected_batch("it has no pipes".to_owned()))?;
    std::thread::scope(|scope| {
        let objects: Vec<_> = entries.iter().map(|entry| entry.object.clone()).collect();
        let asking = scope.spawn(move || ask(stdin, &objects));
        let mut stdout = BufReader::new(stdout);
        let mut files = BTreeMap::new();
        for entry in entries {
            let content = answer(&mut stdout, &entry)?;
            files.insert(entry.path, content);
        }
        drop(stdout);
        match asking.join() {
            Ok(Ok(())) => Ok(files),
            Ok(Err(why)) => Err(unexpected_batch(why.to_string())),
            Err(_) => Err(unexpected_batch("the thread that asks it ended".to_owned())),
        }
    })
}

fn ask(mut stdin: ChildStdin, objects: &[String]) -> std::io::Result<()> {
    for object in objects {
        writeln!(stdin, "{object}")?;
    }
    Ok(())
}

/// Reads `<object> <kind> <size>`, a line end, and that many bytes with a line end.
fn answer(stdout: &mut BufReader<ChildStdout>, entry: &Entry) -> Result<Vec<u8>, GitError> {
    let failed = |why: std::io::Error| unexpected_batch(format!("{}: {why}", entry.path));
    let mut head = String::new();
    stdout.read_line(&mut head).map_err(failed)?;
    let size = head
        .trim_end()
        .rsplit(' ')
        .next()
        .and_then(|size| size.parse().ok())
        .ok_or_else(|| unexpected_batch(format!("{}: {:?}", entry.path, head.trim_end())))?;
    let mut content = Vec::new();
    stdout
        .by_ref()
        .take(size)
        .read_to_end(&mut content)
        .map_err(failed)?;
    let mut end = [0];
    stdout.read_exact(&mut end).map_err(failed)?;
    Ok(content)
}

fn unexpected_batch(what: String) -> GitError {
    let command = "cat-file --batch";
    GitError::Unexpected { command, what }
}

fn text(command: &'static str, bytes: Vec<u8>) -> Result<String, GitError> {
    String::from_utf8(bytes).map_err(|_| GitError::Unexpected {
        command,
        what: "a name that is no UTF-8".to_owned(),
    })
}

fn one_line(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join(" ")
}
