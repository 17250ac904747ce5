//! `Servers`: one server for each way to authenticate, which takes the right planted secret.

use event_sdk::transport::nats::{Nats, NatsOptions};
use event_sdk_test_servers::{Server, Tls, User};

use super::planted::Planted;

pub(super) struct Servers {
    pub(super) password: Server,
    pub(super) token: Server,
    pub(super) nkey: Server,
    pub(super) operator: Server,
    /// Requires a client certificate.
    pub(super) tls: Server,
}

impl Servers {
    pub(super) async fn start(planted: &Planted) -> Self {
        let options = Server::options;
        let anna = User::password("anna", &planted.password);
        let tls = Tls::new(&planted.authority).require_client_certificate();
        Self {
            password: options().users([anna]).start().await.unwrap(),
            token: options().token(&planted.token).start().await.unwrap(),
            nkey: options()
                .users([User::nkey(&planted.nkey)])
                .start()
                .await
                .unwrap(),
            operator: options().operator(&planted.operator).start().await.unwrap(),
            tls: options().tls(tls).start().await.unwrap(),
        }
    }

    /// Options with the right password.
    pub(super) fn with_password(&self, planted: &Planted) -> NatsOptions {
        Nats::options(self.password.url()).user("anna", &planted.password)
    }

    /// Options with the right authority and client certificate.
    pub(super) fn with_certificate(&self, planted: &Planted) -> NatsOptions {
        let identity = &planted.identity;
        Nats::options(self.tls.url())
            .ca_file(planted.authority.certificate())
            .client_certificate(identity.certificate(), identity.key())
    }

    /// Where the server with the password listens.
    pub(super) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.password.port())
    }
}
