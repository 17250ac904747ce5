//! `Options`: the program and the settings of a PostgreSQL server.

use event_sdk_test_programs::Program;

use super::Postgres;
use super::error::Error;

/// What a server is started with; [`Postgres::options`] makes it.
#[derive(Clone, Debug)]
#[must_use = "nothing is started until `start` is awaited"]
pub struct Options {
    pub(super) program: Option<Program>,
    pub(super) settings: Vec<(String, String)>,
}

/// The settings of every server, unless a test sets them differently.
const SETTINGS: [(&str, &str); 8] = [
    ("listen_addresses", "127.0.0.1"),
    // A path of a socket may be too long for the system.
    ("unix_socket_directories", ""),
    // Nothing here has to survive the loss of power.
    ("fsync", "off"),
    ("full_page_writes", "off"),
    // In a file: containers have little shared memory, and a killed server leaves it there.
    ("dynamic_shared_memory_type", "mmap"),
    ("max_connections", "300"),
    ("timezone", "UTC"),
    ("logging_collector", "off"),
];

impl Options {
    pub(super) fn new() -> Self {
        let settings = SETTINGS.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self {
            program: None,
            settings: settings.into(),
        }
    }

    /// Starts this program instead of the one that
    /// [`programs::postgres::program`](crate::programs::postgres::program) finds.
    pub fn program(mut self, program: Program) -> Self {
        self.program = Some(program);
        self
    }

    /// Sets a setting of the server, such as `max_connections` to `20`.
    pub fn setting(mut self, name: &str, value: &str) -> Self {
        self.settings.retain(|(other, _)| other != name);
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Makes each commit wait for the disk, as production does. Default: it does not.
    pub fn durable(self) -> Self {
        self.setting("fsync", "on")
            .setting("full_page_writes", "on")
    }

    /// Starts the server, and waits until it answers.
    ///
    /// Not cancel-safe: a start that is dropped ends the server.
    ///
    /// # Errors
    ///
    /// If there is no program, it ends by itself, or does not answer in time.
    pub async fn start(self) -> Result<Postgres, Error> {
        Postgres::start_with(self).await
    }
}
