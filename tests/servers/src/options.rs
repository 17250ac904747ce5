//! `Options`: what a test requests of a server before it starts.

use event_sdk_nats_server::NatsServer;
use event_sdk_test_programs::Program;

use crate::auth::Auth;
use crate::{Operator, Tls, User};

/// What a server, or each server of a cluster, is started with; [`Server::options`](crate::Server::options) makes it.
#[derive(Clone, Debug)]
pub struct Options {
    pub(crate) program: Option<Program>,
    pub(crate) server: event_sdk_nats_server::Options,
    pub(crate) max_payload: Option<usize>,
    pub(crate) tls: Option<Tls>,
    pub(crate) auth: Auth,
    pub(crate) text: String,
}

impl Options {
    pub(crate) fn new() -> Self {
        Self {
            program: None,
            server: NatsServer::options(),
            max_payload: None,
            tls: None,
            auth: Auth::Open,
            text: String::new(),
        }
    }

    /// Starts this program instead of the current one, such as
    /// [`programs::nats::oldest`](crate::programs::nats::oldest) finds.
    pub fn program(mut self, program: Program) -> Self {
        self.program = Some(program);
        self
    }

    /// Starts a server that has no JetStream.
    pub fn without_jetstream(mut self) -> Self {
        self.server = self.server.without_jetstream();
        self
    }

    /// The JetStream domain, which is also reached by the API prefix `$JS.<domain>.API`.
    pub fn domain(mut self, name: &str) -> Self {
        self.server = self.server.domain(name);
        self
    }

    /// The most that all streams with file storage may hold together, in bytes; 8 GiB unless set.
    pub fn max_file_store(mut self, bytes: u64) -> Self {
        self.server = self.server.max_file_store(bytes);
        self
    }

    /// The largest payload, in bytes, that the server takes; its own default is 1 MiB.
    pub fn max_payload(mut self, bytes: usize) -> Self {
        self.max_payload = Some(bytes);
        self
    }

    /// Clients speak TLS.
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Clients show a token. Of this, users and an operator, the last one that is set holds.
    pub fn token(mut self, token: &str) -> Self {
        self.auth = Auth::Token(token.to_owned());
        self
    }

    /// Clients are one of these users.
    pub fn users(mut self, users: impl IntoIterator<Item = User>) -> Self {
        self.auth = Auth::Users(users.into_iter().collect());
        self
    }

    /// Clients have credentials that this operator's account has signed.
    pub fn operator(mut self, operator: &Operator) -> Self {
        self.auth = Auth::Operator(operator.clone());
        self
    }

    /// Adds lines to the configuration file, as the server's documentation describes them.
    pub fn config(mut self, text: &str) -> Self {
        self.text.push_str(text);
        self.text.push('\n');
        self
    }
}
