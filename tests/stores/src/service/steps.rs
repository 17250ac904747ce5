//! `Steps`: the step at which a process announces itself on its standard output, and waits.
//!
//! The process reads commands from its standard input: `go`, `fail`, and `stop <step>`. It ends when the
//! input ends, so that it does not outlive the test.

use std::fmt;
use std::io::{BufRead as _, stdin};
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::form::{Form, LettersIn, Role};

/// A place in the code where a process can be killed or frozen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Order and event are written, and not committed. Announced with the number of the order.
    BeforeCommit,
    /// They are committed. Announced with the number of the order.
    AfterCommit,
    /// The relay has claimed shards. Announced with the id of the relay.
    Claimed,
    /// The relay has read rows, and sent none of them. Announced with the id of the first row.
    Read,
    /// Publishes are confirmed, and not marked. Announced with the id of the first row.
    Published,
    /// They are marked. Announced with the id of the first row.
    Marked,
    /// Rows are about to be moved behind the parked row of their key. Announced with the key.
    BeforeMove,
    /// Parked rows are ready again, and the relay has no answer. Announced with the id of the parked row.
    Released,
    /// The effect is written, and not committed. Announced with the id of the event.
    EffectWritten,
    /// The effect is committed, and the event not acknowledged. Announced with the id of the event.
    EffectCommitted,
    /// An event is about to be recorded as dead. Announced with the id of the event.
    BeforeRecord,
    /// It is recorded as dead, and its letter not stored. Announced with the id of the event.
    RecordedDead,
    /// The letter is stored, and the event not acknowledged. Announced with the sequence of the event.
    LetterStored,
    /// The event is acknowledged. Announced with its sequence.
    Acknowledged,
}

impl Step {
    /// All steps.
    pub const ALL: [Self; 14] = [
        Self::BeforeCommit,
        Self::AfterCommit,
        Self::Claimed,
        Self::Read,
        Self::Published,
        Self::Marked,
        Self::BeforeMove,
        Self::Released,
        Self::EffectWritten,
        Self::EffectCommitted,
        Self::BeforeRecord,
        Self::RecordedDead,
        Self::LetterStored,
        Self::Acknowledged,
    ];

    /// The process that comes to it.
    #[must_use]
    pub const fn role(self) -> Role {
        match self {
            Self::BeforeCommit | Self::AfterCommit => Role::Write,
            Self::Claimed
            | Self::Read
            | Self::Published
            | Self::Marked
            | Self::BeforeMove
            | Self::Released => Role::Relay,
            _ => Role::Handle,
        }
    }

    /// Whether a service of this form comes to it while the stream refuses no row. With letters in a
    /// table, the record and the letter are one transaction.
    #[must_use]
    pub fn is_of(self, form: Form) -> bool {
        match self {
            Self::BeforeMove | Self::Released => false,
            Self::RecordedDead => form.letters == LettersIn::Stream,
            _ => true,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl FromStr for Step {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|step| step.to_string() == text);
        found.ok_or_else(|| format!("unknown step: {text}"))
    }
}

/// The step at which the process stands. Clones are the same.
#[derive(Debug, Clone)]
pub struct Steps {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// The step, and how many times it is still passed with this one.
    stop_at: Mutex<Option<(Step, u32)>>,
    go: Notify,
    /// Whether the operation shall fail whose step the process leaves.
    fails: AtomicBool,
}

impl Inner {
    fn stop_at(&self) -> MutexGuard<'_, Option<(Step, u32)>> {
        self.stop_at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Steps {
    /// Stands at a step when the process comes there for the given time, counted from one.
    #[must_use]
    pub fn new(stop_at: Option<(Step, u32)>) -> Self {
        Self {
            inner: Arc::new(Inner {
                stop_at: Mutex::new(stop_at),
                go: Notify::new(),
                fails: AtomicBool::new(false),
            }),
        }
    }

    /// The process has come to a step: if it stands here, writes `at <step> <about>`, and waits for
    /// `go` or `fail`. Returns whether the operation goes on; `fail` has an effect only where this is
    /// read.
    pub async fn reached(&self, step: Step, about: impl fmt::Display) -> bool {
        if self.stands_at(step) {
            println!("at {step} {about}");
            self.inner.go.notified().await;
            return !self.inner.fails.swap(false, Ordering::Relaxed);
        }
        true
    }

    fn stands_at(&self, step: Step) -> bool {
        let mut stop_at = self.inner.stop_at();
        match &mut *stop_at {
            Some((at, times)) if *at == step => {
                *times = times.saturating_sub(1);
                let stands = *times == 0;
                if stands {
                    *stop_at = None;
                }
                stands
            }
            _ => false,
        }
    }

    /// Reads commands on a thread of its own, and ends the process with its input.
    pub fn listen(&self) {
        let inner = Arc::clone(&self.inner);
        std::thread::spawn(move || {
            for line in stdin().lock().lines().map_while(Result::ok) {
                match line.split_once(' ') {
                    None if line == "go" => inner.go.notify_one(),
                    None if line == "fail" => {
                        inner.fails.store(true, Ordering::Relaxed);
                        inner.go.notify_one();
                    }
                    Some(("stop", step)) => match step.parse() {
                        Ok(step) => *inner.stop_at() = Some((step, 1)),
                        Err(why) => println!("error: {why}"),
                    },
                    _ => println!("error: unknown command: {line}"),
                }
            }
            std::process::exit(1);
        });
    }
}
