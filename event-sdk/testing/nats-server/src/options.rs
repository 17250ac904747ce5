//! `Options`: the program and the configuration of a server.

use std::path::PathBuf;

/// Options with which a server is started; see [`NatsServer::options`](crate::NatsServer::options).
#[derive(Clone, Debug)]
#[must_use = "nothing is started until `start` is awaited"]
pub struct Options {
    pub(crate) program: Option<PathBuf>,
    pub(crate) jetstream: bool,
    pub(crate) domain: Option<String>,
    pub(crate) max_file_store: u64,
    pub(crate) text: String,
    pub(crate) member: bool,
}

impl Options {
    pub(crate) fn new() -> Self {
        Self {
            program: None,
            jetstream: true,
            domain: None,
            max_file_store: 8 << 30,
            text: String::new(),
            member: false,
        }
    }

    /// Sets the path of the program. Default: the path in the environment variable
    /// [`EVENT_SDK_NATS_SERVER`](crate::PROGRAM_VARIABLE), else `nats-server` on the `PATH`.
    pub fn program(mut self, program: impl Into<PathBuf>) -> Self {
        self.program = Some(program.into());
        self
    }

    /// Starts a server without JetStream.
    pub fn without_jetstream(mut self) -> Self {
        self.jetstream = false;
        self
    }

    /// Sets the JetStream domain. Clients also reach it by the API prefix `$JS.<domain>.API`.
    pub fn domain(mut self, name: &str) -> Self {
        self.domain = Some(name.to_owned());
        self
    }

    /// Sets how many bytes all streams with file storage may use together. Default: 8 GiB.
    pub fn max_file_store(mut self, bytes: u64) -> Self {
        self.max_file_store = bytes;
        self
    }

    /// Adds lines to the configuration file, such as `max_payload: 65536`. The server's
    /// documentation describes them.
    pub fn config(mut self, text: &str) -> Self {
        self.text.push_str(text);
        self.text.push('\n');
        self
    }

    /// Declares the server a member of a cluster, which [`config`](Self::config) configures. The
    /// server then counts as ready without the other members.
    pub fn member_of_a_cluster(mut self) -> Self {
        self.member = true;
        self
    }
}
