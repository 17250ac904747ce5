//! `Process`: a process of the service, with its lines. It is killed when it is dropped.

use std::io::Write as _;
use std::process::{Command, Stdio};

use event_sdk_test_stores::service::{Arguments, Step};
use event_sdk_tests::lives::Life;
use rustix::process::{Pid, Signal, kill_process};

use crate::rig::eventually;

pub(crate) struct Process {
    life: Life,
    /// For messages.
    what: String,
    /// How often it has stood at a step.
    stood: usize,
}

impl Process {
    pub(crate) fn start(arguments: &Arguments) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_outbox_service"));
        command.args(arguments.to_words()).stdin(Stdio::piped());
        Self {
            life: Life::start(&mut command).unwrap(),
            what: format!("process {} ({})", arguments.process, arguments.role),
            stood: 0,
        }
    }

    /// Waits until the process stands at a step, and returns what it is about.
    pub(crate) async fn stands_at(&mut self, step: Step) -> String {
        assert!(self.stands_at_unless(step, async || false).await);
        let begin = format!("at {step} ");
        let line = self.life.line(&begin).unwrap();
        line[begin.len()..].to_owned()
    }

    /// Waits until the process stands at a step, or something else is so. Returns whether it stands.
    pub(crate) async fn stands_at_unless(
        &mut self,
        step: Step,
        is_in_vain: impl AsyncFn() -> bool,
    ) -> bool {
        let what = format!("{} at {step}", self.what);
        let mut stands = false;
        eventually(&what, async || {
            self.is_alive();
            stands = self.life.count("at ") > self.stood;
            stands || is_in_vain().await
        })
        .await;
        self.stood += usize::from(stands);
        stands
    }

    /// The id of the relay that runs in the process.
    pub(crate) fn relay(&self) -> Option<String> {
        let line = self.life.line("relay ")?;
        Some(line["relay ".len()..].to_owned())
    }

    /// One that was not told to end is there, and has reported no error.
    pub(crate) fn is_alive(&mut self) {
        let error = self.life.line("error");
        assert!(error.is_none(), "{}: {error:?}", self.what);
        assert!(!self.life.has_ended(), "{} has ended", self.what);
    }

    /// Writes a command to its standard input.
    pub(crate) fn tell(&self, command: &str) {
        let mut stdin = self.life.child().stdin.as_ref().unwrap();
        stdin.write_all(format!("{command}\n").as_bytes()).unwrap();
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(self.life.child()), signal).unwrap();
    }

    /// Kills it.
    pub(crate) fn kill(mut self) {
        self.is_alive();
        let (killed, lines) = self.life.kill();
        let error = lines.iter().find(|line| line.starts_with("error"));
        assert!(killed && error.is_none(), "{}: {error:?}", self.what);
    }

    /// Tells it to end, and returns its last line.
    pub(crate) async fn end(mut self) -> String {
        self.is_alive();
        self.signal(Signal::TERM);
        let what = format!("the end of {}", self.what);
        eventually(&what, async || self.life.has_ended()).await;
        let lines = self.life.into_lines();
        let error = lines.iter().find(|line| line.starts_with("error"));
        assert!(error.is_none(), "{}: {error:?}", self.what);
        lines.last().cloned().unwrap_or_default()
    }
}
