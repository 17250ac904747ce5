//! `Options`: the program and the configuration of a server.

use std::path::PathBuf;

/// What a server is started with; [`NatsServer::options`](crate::NatsServer::options) makes it.
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

    /// Sets the program. Default: the one that the environment variable
    /// [`EVENT_SDK_NATS_SERVER`](crate::PROGRAM_VARIABLE) names, else `nats-server` on the `PATH`.
    pub fn program(mut self, program: impl Into<PathBuf>) -> Self {
        self.program = Some(program.into());
        self
    }

    /// Starts a server without JetStream.
    pub fn without_jetstream(mut self) -> Self {
        self.jetstream = false;
        self
    }

    /// Sets the JetStream domain, which is also reached by the API prefix `$JS.<domain>.API`.
    pub fn domain(mut self, name: &str) -> Self {
        self.domain = Some(name.to_owned());
        self
    }

    /// Sets how many bytes all streams with file storage may hold together. Default: 8 GiB.
    pub fn max_file_store(mut self, bytes: u64) -> Self {
        self.max_file_store = bytes;
        self
    }

    /// Adds lines to the configuration file, as the server's documentation describes them, such as
    /// `max_payload: 65536`.
    pub fn config(mut self, text: &str) -> Self {
        self.text.push_str(text);
        self.text.push('\n');
        self
    }

    /// Makes it ready without the other servers of its cluster, whose configuration the text has.
    pub fn member_of_a_cluster(mut self) -> Self {
        self.member = true;
        self
    }
}
