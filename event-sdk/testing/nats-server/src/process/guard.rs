//! Guard process: a shell that kills the server if the test program is killed.
//!
//! It reads from a pipe that only we hold open. The first line is the server's number; a line
//! `ended` says that there is nothing to guard any more. The end of the pipe without it means
//! that the test program is gone, however that came; then the guard kills the server, also a
//! paused one, and removes its folder.

use std::io::{self, PipeWriter, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// What the guard does, with the folder as its argument.
const GUARD: &str = r#"
trap '' HUP INT TERM
read -r server && [ "$server" != ended ] || exit
read -r _ && exit
kill -9 "$server"
rm -rf -- "$1"
"#;

/// Tells the guard, which its input leads to, its own number, and becomes the server, which then
/// is our own child and has no end of the pipe. There is no moment without a guard.
pub(super) const THEN_RUN: &str = r#"echo $$ >&0; exec "$@" </dev/null"#;

/// A guard that waits for us to end.
#[derive(Debug)]
pub(super) struct Guard {
    child: Child,
    /// `None` when it was dismissed.
    pipe: Option<PipeWriter>,
}

impl Guard {
    pub(super) fn start(folder: &Path) -> io::Result<Self> {
        let (theirs, ours) = io::pipe()?;
        let child = Command::new("sh")
            .args(["-c", GUARD, "guard"])
            .arg(folder)
            .stdin(theirs)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        Ok(Self {
            child,
            pipe: Some(ours),
        })
    }

    /// What [`THEN_RUN`] has as its input.
    pub(super) fn reached_by(&self) -> io::Result<Stdio> {
        match &self.pipe {
            Some(pipe) => Ok(pipe.try_clone()?.into()),
            None => Ok(Stdio::null()),
        }
    }

    /// The server has ended and its folder is ours again. A guard that cannot be told so is one
    /// that has ended.
    pub(super) fn dismiss(&mut self) {
        if let Some(mut pipe) = self.pipe.take() {
            let _ = pipe.write_all(b"ended\n");
            drop(pipe);
            let _ = self.child.wait();
        }
    }
}

impl Drop for Guard {
    /// One whose server could not be started has nothing to guard.
    fn drop(&mut self) {
        self.dismiss();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn one_that_is_dismissed_leaves_the_folder_alone() {
        let folder = tempfile::tempdir().unwrap();
        drop(Guard::start(folder.path()).unwrap());
        assert!(folder.path().is_dir());

        let guard = Guard::start(folder.path()).unwrap();
        let told = Command::new("sh")
            .args(["-c", THEN_RUN, "server", "true"])
            .stdin(guard.reached_by().unwrap())
            .status();
        assert!(told.unwrap().success());
        drop(guard);
        assert!(folder.path().is_dir());
    }

    #[test]
    fn the_end_of_the_pipe_ends_the_server_and_removes_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("store");
        fs::create_dir(&store).unwrap();
        let mut guard = Guard::start(&store).unwrap();
        let mut server = Command::new("sh")
            .args(["-c", THEN_RUN, "server", "sleep", "600"])
            .stdin(guard.reached_by().unwrap())
            .spawn()
            .unwrap();
        drop(guard.pipe.take());
        assert!(!server.wait().unwrap().success());
        guard.child.wait().unwrap();
        assert!(!store.exists());
    }
}
