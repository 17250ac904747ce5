//! `Processes`: the processes of the service, with their journals and what was done to them.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::Duration;

use event_sdk_tests::ledger::Form;
use event_sdk_tests::ledger::check::Process;
use event_sdk_tests::ledger::journal::{Line, What, now};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::rig::{PATIENCE, eventually};

pub(super) struct Processes {
    form: Form,
    folder: TempDir,
    all: Vec<One>,
}

/// One process, which may have ended.
struct One {
    /// `None` when it has ended.
    child: Option<Child>,
    path: PathBuf,
    /// Up to where its journal was read.
    offset: u64,
    process: Process,
}

impl Processes {
    pub(super) fn start(form: Form, url: &str, number: usize) -> Self {
        let mut processes = Self {
            form,
            folder: TempDir::new().unwrap(),
            all: Vec::new(),
        };
        for _ in 0..number {
            processes.start_one(url);
        }
        processes
    }

    fn start_one(&mut self, url: &str) {
        let path = self
            .folder
            .path()
            .join(format!("{}.journal", self.all.len()));
        let child = Command::new(env!("CARGO_BIN_EXE_ledger"))
            .args([url, &self.form.to_argument()])
            .arg(&path)
            .spawn()
            .unwrap();
        self.all.push(One {
            child: Some(child),
            path,
            offset: 0,
            process: Process::default(),
        });
    }

    /// Waits until so many handlers have completed.
    pub(super) async fn progress(&mut self, completed: u64) {
        let what = format!("{completed} completed events");
        eventually(&what, async || {
            let mut found = 0;
            for one in &mut self.all {
                one.is_alive();
                one.read();
                let lines = one.process.lines.iter();
                found += lines.filter(|line| line.what == What::Completed).count();
            }
            found as u64 >= completed
        })
        .await;
    }

    /// The process that has completed an event last.
    fn working(&mut self) -> &mut One {
        let alive = self.all.iter_mut().filter(|one| one.child.is_some());
        let last = |one: &&mut One| {
            let mut lines = one.process.lines.iter().rev();
            lines
                .find(|line| line.what == What::Completed)
                .map(|line| line.at)
        };
        alive.max_by_key(last).unwrap()
    }

    /// Kills a process, and starts another one.
    pub(super) fn kill_one_that_works(&mut self, url: &str) {
        let working = self.working();
        let mut child = working.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        working.process.ended = now();
        self.start_one(url);
    }

    /// Stops a process for a time that is longer than its leases, and lets it go on.
    pub(super) async fn stop_one_that_works(&mut self, time: Duration) {
        let working = self.working();
        let pid = Pid::from_child(working.child.as_ref().unwrap());
        let from = now();
        kill_process(pid, Signal::STOP).unwrap();
        tokio::time::sleep(time).await;
        let to = now();
        kill_process(pid, Signal::CONT).unwrap();
        working.process.stops.push((from, to));
    }

    /// Ends all processes gracefully, and returns what each has done.
    pub(super) async fn end(mut self) -> Vec<Process> {
        for one in self.all.iter().filter_map(|one| one.child.as_ref()) {
            kill_process(Pid::from_child(one), Signal::TERM).unwrap();
        }
        for one in &mut self.all {
            if let Some(mut child) = one.child.take() {
                let mut status = None;
                eventually("the end of a process", async || {
                    status = child.try_wait().unwrap();
                    status.is_some()
                })
                .await;
                assert!(status.is_some_and(|status| status.success()), "{status:?}");
                one.process.ended = now();
            }
            one.read();
        }
        let all = std::mem::take(&mut self.all);
        all.into_iter()
            .map(|mut one| std::mem::take(&mut one.process))
            .collect()
    }
}

impl One {
    /// One that was not killed has not ended either.
    fn is_alive(&mut self) {
        if let Some(child) = &mut self.child {
            let status = child.try_wait().unwrap();
            assert!(status.is_none(), "a process has ended: {status:?}");
        }
    }

    /// Reads the lines that it has written since.
    fn read(&mut self) {
        // It may not have made its journal yet.
        let Ok(mut file) = File::open(&self.path) else {
            return;
        };
        let mut text = String::new();
        file.seek(SeekFrom::Start(self.offset)).unwrap();
        file.read_to_string(&mut text).unwrap();
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        self.offset += whole as u64;
        let lines = text[..whole].lines();
        let lines = lines.map(|line| Line::parse(line).unwrap_or_else(|| panic!("{line}")));
        self.process.lines.extend(lines);
    }
}

impl Drop for One {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A process is stopped for less than everything may take.
const _: () = assert!(PATIENCE.as_secs() > 60);
