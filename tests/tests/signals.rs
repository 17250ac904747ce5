//! `shutdown_signal` in a process of its own: the first signal drains, the second ends at once.
#![cfg(unix)]

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// The service of `src/bin/signalled.rs`, which is killed at the latest with the test.
struct Service {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Service {
    fn start(how: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_signalled"))
            .arg(how)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    fn reads(&mut self, expected: &[&str]) {
        for expected in expected {
            let mut line = String::new();
            self.lines.read_line(&mut line).unwrap();
            assert_eq!(line.trim_end(), *expected);
        }
    }

    fn send(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for the end.
    fn ended(&mut self) -> ExitStatus {
        let deadline = Instant::now() + Duration::from_secs(50);
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "the service does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_signal_drains_the_consumer_and_completes_later_futures_too() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut service = Service::start("at_once");
        service.reads(&["published true", "handling"]);
        service.send(signal);
        service.reads(&["handled 1", "end"]);
        assert_eq!(service.ended().code(), Some(0));
    }
}

#[test]
fn a_handler_that_runs_ends_before_the_process() {
    let mut service = Service::start("late");
    service.reads(&["published true", "handling"]);
    service.send(Signal::TERM);
    service.reads(&["cancelled", "handled 1", "end"]);
    assert_eq!(service.ended().code(), Some(0));
}

#[test]
fn a_second_signal_ends_the_process_at_once() {
    for (second, status) in [(Signal::TERM, 143), (Signal::INT, 130)] {
        let mut service = Service::start("never");
        service.reads(&["published true", "handling"]);
        service.send(Signal::TERM);
        service.reads(&["cancelled"]);
        assert_eq!(service.child.try_wait().unwrap(), None, "it drains");
        service.send(second);
        assert_eq!(service.ended().code(), Some(status));
    }
}

#[test]
fn a_second_signal_ends_a_process_whose_only_thread_is_blocked() {
    let mut service = Service::start("blocks");
    service.reads(&["published true", "handling"]);
    service.send(Signal::INT);
    service.reads(&["cancelled", "blocking"]);
    service.send(Signal::INT);
    assert_eq!(service.ended().code(), Some(130));
}

#[test]
fn without_a_future_a_signal_ends_the_process() {
    let mut service = Service::start("dropped");
    service.reads(&["dropped"]);
    service.send(Signal::TERM);
    assert_eq!(service.ended().code(), Some(143));
}
