//! `Process`: the program of an example in a process of its own, which its environment configures. The tests of several
//! examples include this file.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use std::{env, iter};

use tempfile::TempDir;

/// The test that runs the program. Cargo tells tests no path of an example, so this test program is started again.
const TEST: &str = "tests::program";

/// What variables of the programs begin with.
const PREFIXES: [&str; 5] = ["EVENT_SDK_", "JOBS_", "OPS_", "PAYMENTS_", "SHOP_"];

/// How long a process may run on a loaded machine.
const PATIENCE: Duration = Duration::from_mins(2);

/// The arguments of the program in the process that runs [`TEST`].
pub(crate) fn arguments(name: &str) -> impl Iterator<Item = OsString> + use<> {
    let given = env::args_os().skip_while(|it| it != "--").skip(1);
    iter::once(name.into()).chain(given)
}

/// A process, which is killed when this is dropped.
pub(crate) struct Process {
    pub(crate) child: Child,
    /// Its output.
    files: TempDir,
}

/// How a process ended, and what it wrote.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Process {
    /// Starts the program with these variables and arguments, and without other variables of its own.
    pub(crate) fn start(
        variables: impl IntoIterator<Item = (impl AsRef<OsStr>, impl AsRef<OsStr>)>,
        arguments: &[&str],
    ) -> Self {
        let files = tempfile::tempdir().unwrap();
        let file = |name| File::create(files.path().join(name)).unwrap();
        let mut command = Command::new(env::current_exe().unwrap());
        for (name, _) in env::vars_os() {
            let text = name.to_string_lossy();
            if PREFIXES.iter().any(|prefix| text.starts_with(prefix)) {
                command.env_remove(name);
            }
        }
        command
            .args([TEST, "--exact", "--ignored", "--nocapture", "--"])
            .args(arguments)
            .envs(variables)
            .stdin(Stdio::null())
            .stdout(file("out"))
            .stderr(file("err"));
        let child = command.spawn().unwrap();
        Self { child, files }
    }

    /// Waits until it has ended.
    pub(crate) async fn ended(&mut self) -> Ended {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                let [out, err] = ["out", "err"].map(|file| self.written(file));
                return Ended { status, out, err };
            }
            assert!(begun.elapsed() < PATIENCE, "{}", self.written("err"));
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// What it has written to `out` or `err`.
    pub(crate) fn written(&self, file: &str) -> String {
        fs::read_to_string(self.files.path().join(file)).unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ended {
    /// What it wrote to standard output, if it ended well.
    pub(crate) fn well(self) -> String {
        assert!(self.status.success(), "{self:?}");
        self.out
    }
}

/// Runs the program over memory with different levels of the log, and these variables. It writes `result` to standard
/// output, and its log to standard error.
pub(crate) async fn assert_the_log_has_its_level(variables: &[(&str, &str)], result: &str) {
    let run = async |level: Option<&str>| {
        let level = level.map(|level| ("EVENT_SDK_LOG_LEVEL", level));
        let variables = variables.iter().copied().chain(level);
        let ended = Process::start(variables, &[]).ended().await;
        let (log, out) = (ended.err.clone(), ended.well());
        assert!(out.contains(result), "{out}");
        assert!(!out.contains(" event_sdk"), "{out}");
        log
    };
    for level in ["debug", "info"] {
        let log = run(Some(level)).await;
        assert!(log.contains(" INFO event_sdk: the bus was made"), "{log}");
        assert!(level == "debug" || !log.contains("DEBUG"), "{log}");
    }
    for level in [Some("error"), None] {
        assert_eq!(run(level).await, "", "{level:?}");
    }
}
