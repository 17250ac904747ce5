//! Builds the test programs, and runs as many at a time as there are cores: most of them wait for
//! servers, so that one after the other leaves the cores idle.

use std::env;
use std::io::{self, Read as _, Seek as _};
use std::num::NonZero;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::process::{cargo, root, shown};

/// A program of tests, with the command that runs it.
pub(super) struct Program {
    name: String,
    command: Command,
}

impl Program {
    pub(super) fn new(name: impl Into<String>, command: Command) -> Self {
        let name = name.into();
        Self { name, command }
    }

    /// The command, to be given arguments and variables.
    pub(super) fn command(&mut self) -> &mut Command {
        &mut self.command
    }
}

/// Builds what `command` names, a `cargo test --no-run`, and returns its programs in cargo's order.
pub(super) fn build(mut command: Command) -> Result<Vec<Program>> {
    command.arg("--message-format=json-render-diagnostics");
    let line = shown(&command);
    println!("$ {line}");
    command.current_dir(root()).stdin(Stdio::null());
    let built = command.stderr(Stdio::inherit()).output();
    let built = built.with_context(|| format!("could not start `{line}`"))?;
    if !built.status.success() {
        bail!("`{line}` failed ({})", built.status);
    }
    let messages = String::from_utf8(built.stdout);
    let messages = messages.with_context(|| format!("`{line}` wrote no valid UTF-8"))?;
    messages.lines().filter_map(program_of).collect()
}

/// The part of a message of cargo that says what was built.
#[derive(Deserialize)]
struct Message {
    reason: String,
    manifest_path: Option<PathBuf>,
    target: Option<Target>,
    profile: Option<Profile>,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

#[derive(Deserialize)]
struct Profile {
    test: bool,
}

/// The test program that a line of cargo's output names, if it names one.
fn program_of(line: &str) -> Option<Result<Program>> {
    // A build script may print lines of its own.
    let message: Message = serde_json::from_str(line).ok()?;
    let is_built = message.reason == "compiler-artifact";
    let is_test = message.profile.is_some_and(|profile| profile.test);
    let executable = message.executable.filter(|_| is_built && is_test)?;
    let (manifest, target) = (message.manifest_path?, message.target?);
    let Some(folder) = manifest.parent() else {
        return Some(Err(anyhow::anyhow!(
            "cargo names no folder of {}",
            manifest.display()
        )));
    };
    let package = folder.strip_prefix(root()).unwrap_or(folder);
    let kind = target.kind.join(", ");
    let name = format!("{} ({kind} of {})", target.name, package.display());
    // As `cargo test` starts it. The variables of this program are those of its own package.
    let mut command = Command::new(executable);
    command
        .current_dir(folder)
        .env("CARGO", cargo().get_program())
        .env("CARGO_MANIFEST_DIR", folder)
        .env("CARGO_MANIFEST_PATH", &manifest);
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("CARGO_PKG_") {
            command.env_remove(name);
        }
    }
    Some(Ok(Program::new(name, command)))
}

/// Runs all programs, one for each core at a time. What a program writes is printed when it has ended.
/// After a failure no other program starts, unless told to go on.
pub(super) fn run(programs: Vec<Program>, keep_going: bool) -> Result<()> {
    let lanes = thread::available_parallelism().map_or(1, NonZero::get);
    run_in_lanes(programs, lanes, keep_going, &mut io::stdout())
}

fn run_in_lanes(
    programs: Vec<Program>,
    lanes: usize,
    keep_going: bool,
    out: &mut impl io::Write,
) -> Result<()> {
    let number = programs.len();
    let (queue, stopped) = (Mutex::new(programs.into_iter()), AtomicBool::new(false));
    let next = || {
        let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.next().filter(|_| !stopped.load(Ordering::Relaxed))
    };
    let (mut ended, mut failed) = (0, Vec::new());
    thread::scope(|scope| -> Result<()> {
        let (done, outcomes) = mpsc::channel();
        for _ in 0..lanes {
            let (next, done) = (&next, done.clone());
            scope.spawn(move || {
                while let Some(Program { name, command }) = next() {
                    if done.send((name, run_one(command))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(done);
        for (name, outcome) in outcomes {
            let outcome = outcome.inspect_err(|_| stopped.store(true, Ordering::Relaxed))?;
            ended += 1;
            let seconds = outcome.took.as_secs_f64();
            writeln!(
                out,
                "\n--- {name}: {}, {seconds:.1} s ({ended} of {number})",
                outcome.status
            )?;
            out.write_all(&outcome.written)?;
            if !outcome.status.success() {
                failed.push(name);
                stopped.fetch_or(!keep_going, Ordering::Relaxed);
            }
        }
        Ok(())
    })?;
    match failed.as_slice() {
        [] => Ok(()),
        failed => bail!("tests failed: {}", failed.join("; ")),
    }
}

/// What came of a program.
struct Outcome {
    status: ExitStatus,
    took: Duration,
    written: Vec<u8>,
}

/// Runs a program to its end. Standard output and standard error are one text, in their order.
fn run_one(mut command: Command) -> Result<Outcome> {
    let start = Instant::now();
    let line = shown(&command);
    // A file and no pipe: a program that is left running would keep a pipe open.
    let mut file = tempfile::tempfile().context("no file for the output of tests")?;
    let (out, err) = (file.try_clone()?, file.try_clone()?);
    command.stdin(Stdio::null()).stdout(out).stderr(err);
    let status = command.status();
    let status = status.with_context(|| format!("could not start `{line}`"))?;
    let mut written = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut written)?;
    Ok(Outcome {
        status,
        took: start.elapsed(),
        written,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(name: &str, script: &str) -> Program {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Program::new(name, command)
    }

    /// Runs programs, and returns the printed text and the error.
    fn ran(programs: Vec<Program>, keep_going: bool) -> (String, Option<String>) {
        let mut out = Vec::new();
        let result = run_in_lanes(programs, 2, keep_going, &mut out);
        let error = result.err().map(|error| error.to_string());
        (String::from_utf8(out).unwrap(), error)
    }

    #[test]
    #[cfg(unix)]
    fn two_run_at_a_time_and_each_is_printed_as_a_whole() {
        let folder = tempfile::tempdir().unwrap();
        let at = |file: &str| folder.path().join(file).display().to_string();
        let (a, b) = (at("a"), at("b"));
        // Each waits for the other one.
        let wait = |mine: &str, other: &str| {
            format!(
                "echo one; touch {mine}; until test -e {other}; do sleep 0.01; done; echo two >&2"
            )
        };
        let programs = vec![
            sh("a", &wait(&a, &b)),
            sh("b", &wait(&b, &a)),
            sh("c", "echo last"),
        ];
        let (out, error) = ran(programs, false);
        assert_eq!(error, None, "{out}");
        assert_eq!(out.matches(" s (").count(), 3, "{out}");
        assert_eq!(out.matches("one\ntwo\n").count(), 2, "{out}");
        assert!(out.contains("last\n") && out.contains("(3 of 3)"), "{out}");
    }

    #[test]
    #[cfg(unix)]
    fn a_failure_is_named_and_nothing_else_starts() {
        let programs = || {
            let all = ["exit 3", "exit 0", "exit 1", "exit 0", "exit 0", "exit 0"];
            let all = all.iter().enumerate();
            all.map(|(number, script)| sh(&format!("program {number}"), script))
                .collect()
        };
        let mut out = Vec::new();
        let error = run_in_lanes(programs(), 1, false, &mut out).unwrap_err();
        assert_eq!(error.to_string(), "tests failed: program 0");
        let out = String::from_utf8(out).unwrap();
        assert!(out.contains("program 0: exit status: 3"), "{out}");
        assert!(!out.contains("(6 of 6)"), "{out}");
        let (out, error) = ran(programs(), true);
        assert!(out.contains("(6 of 6)"), "{out}");
        let error = error.unwrap();
        assert!(
            error.contains("program 0") && error.contains("program 2"),
            "{error}"
        );
    }

    #[test]
    fn a_program_that_cannot_be_started_is_named() {
        let program = Program::new("gone", Command::new("no-such-program-here"));
        let (_, error) = ran(vec![program], true);
        assert_eq!(
            error.as_deref(),
            Some("could not start `no-such-program-here`")
        );
    }

    #[test]
    fn only_test_programs_are_taken_from_the_messages_of_cargo() {
        let of = |reason: &str, test: bool, executable: &str| {
            format!(
                r#"{{"reason":"{reason}","manifest_path":"/w/nats/Cargo.toml","target":{{"name":"nats","kind":["test"]}},"profile":{{"test":{test}}},"executable":{executable}}}"#
            )
        };
        let found = program_of(&of("compiler-artifact", true, r#""/w/target/nats-1""#));
        let found = found.unwrap().unwrap();
        assert_eq!(found.name, "nats (test of /w/nats)");
        assert_eq!(found.command.get_program(), "/w/target/nats-1");
        assert_eq!(found.command.get_current_dir(), Some("/w/nats".as_ref()));
        for line in [
            of("compiler-artifact", false, r#""/w/target/nats-1""#),
            of("compiler-artifact", true, "null"),
            of("build-script-executed", true, r#""/w/target/nats-1""#),
            r#"{"reason":"build-finished","success":true}"#.to_owned(),
            "a line of a build script".to_owned(),
        ] {
            assert!(program_of(&line).is_none(), "{line}");
        }
    }
}
