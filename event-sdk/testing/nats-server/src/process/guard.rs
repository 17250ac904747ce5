//! Guard process: a shell that kills the server if the test program is killed.
//!
//! The guard reads from a pipe that only the test program holds open. The first line is the
//! server's process id; a line `ended` says that there is nothing to guard any more. If the pipe
//! ends without that line, the test program has ended, for whatever reason. Then the guard kills
//! the server, even if it is paused, and removes its folder.

use std::io::{self, PipeWriter, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// What the guard does, with the folder as its argument, and `quits` as another one if the server
/// is to have 10 seconds to end its own processes. These may still write while the folder is
/// removed.
const GUARD: &str = r#"
trap '' HUP INT TERM
read -r server && [ "$server" != ended ] || exit
read -r _ && exit
if [ "$2" = quits ] && kill -QUIT "$server"; then
    kill -CONT "$server"
    tries=100
    while kill -0 "$server" && [ $((tries -= 1)) -gt 0 ]; do sleep 0.1; done
fi
kill -9 "$server"
tries=100
until rm -rf -- "$1" || [ $((tries -= 1)) -eq 0 ]; do sleep 0.1; done
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
    pub(super) fn start(folder: &Path, quits: bool) -> io::Result<Self> {
        let (theirs, ours) = io::pipe()?;
        let child = Command::new("sh")
            .args(["-c", GUARD, "guard"])
            .arg(folder)
            .arg(if quits { "quits" } else { "" })
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
    use std::fs;
    use std::thread;
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn one_that_is_dismissed_leaves_the_folder_alone() {
        let folder = tempfile::tempdir().unwrap();
        drop(Guard::start(folder.path(), false).unwrap());
        assert!(folder.path().is_dir());

        let guard = Guard::start(folder.path(), false).unwrap();
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
        the_end_of_the_pipe_ends(r#"echo > "$1.begun"; exec sleep 600"#, false);
    }

    #[test]
    fn a_server_that_quits_has_the_time_for_it() {
        // No shell: it cannot catch a signal that was ignored when it began, as QUIT is in a background
        // job.
        let marks = r#"exec python3 -c '
import pathlib, signal, sys, time
def end(*_):
    time.sleep(0.3)
    pathlib.Path(sys.argv[1]).touch()
    sys.exit()
signal.signal(signal.SIGQUIT, end)
pathlib.Path(sys.argv[1] + ".begun").touch()
while True:
    time.sleep(0.05)
' "$1""#;
        assert!(the_end_of_the_pipe_ends(marks, true));
    }

    /// Whether the server made its file before its end.
    fn the_end_of_the_pipe_ends(server: &str, quits: bool) -> bool {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("store");
        fs::create_dir(&store).unwrap();
        let mut guard = Guard::start(&store, quits).unwrap();
        let mut server = Command::new("sh")
            .args(["-c", THEN_RUN, "server", "sh", "-c", server, "server"])
            .arg(folder.path().join("file"))
            .stdin(guard.reached_by().unwrap())
            .spawn()
            .unwrap();
        let deadline = Instant::now() + Duration::from_secs(60);
        while !folder.path().join("file.begun").exists() {
            assert!(Instant::now() < deadline, "the server has not begun");
            thread::sleep(Duration::from_millis(5));
        }
        drop(guard.pipe.take());
        assert_eq!(server.wait().unwrap().success(), quits);
        guard.child.wait().unwrap();
        assert!(!store.exists());
        folder.path().join("file").exists()
    }
}
