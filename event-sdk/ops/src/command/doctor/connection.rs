//! The connection: whether there is one and why not, its certificates, its user and the clock of the
//! server.

use std::time::Duration;

use event_sdk::transport::{CertificateOwner, ErrorKind, LinkState, UserInfo};
use event_sdk::{Error, EventBus};

use super::code::Code;
use super::configuration::{self, Source};
use super::finding::Findings;
use super::user;
use crate::error::chain;

/// The time before a certificate expires that is warned of, as in the health of a service.
const LEAD: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// Connects, and checks the connection; `None` if there is none. Also returns what the server says of
/// the user.
pub(super) async fn check(
    source: Source,
    findings: &mut Findings,
) -> Option<(EventBus, Option<UserInfo>)> {
    let bus = match source {
        Source::Given(bus) => bus,
        Source::Configured(mut config) => {
            // A person waits for the answer.
            config.nats.connect_within = Duration::ZERO;
            match EventBus::from_config(&config).await {
                Ok(bus) => bus,
                Err(error) => {
                    refused(&error, findings);
                    return None;
                }
            }
        }
    };
    let status = bus.transport().connection_status();
    if status.state != LinkState::Connected {
        let why = status.last_disconnect.map_or_else(String::new, |last| {
            format!(" since {}: {}", last.at, last.reason)
        });
        findings.add(
            Code::ServerUnreachable,
            "connection",
            format!("is lost{why}"),
            "look whether the server runs, and at its log",
        );
        return None;
    }
    let now = bus.clock().now();
    for certificate in &status.certificates {
        let owner = certificate.owner;
        let Ok(at) = certificate.expires_at else {
            continue;
        };
        let left = at.duration_since(now);
        let thing = format!("certificate of the {owner}");
        let remedy = match owner {
            CertificateOwner::Client => {
                "replace the files of the client certificate; they are read at each connect"
            }
            _ => {
                "renew the certificate of the server, and let the server read it (`nats-server --signal reload`)"
            }
        };
        if !left.is_positive() {
            let problem = format!("has expired at {at}; the next connection will be refused");
            findings.add(Code::CertificateExpired, thing, problem, remedy);
        } else if Duration::try_from(left).is_ok_and(|left| left <= LEAD) {
            let problem = format!("expires at {at}; no connection is made after that");
            findings.add(Code::CertificateExpiring, thing, problem, remedy);
        }
    }
    if bus.transport().name() == "nats" && status.certificates.is_empty() {
        findings.add(
            Code::ConnectionNotSecure,
            "connection",
            "has no TLS: passwords and events can be read on the way",
            "let the server offer TLS, and write `tls://` in the URL, unless this is a development machine",
        );
    }
    let user = user::check(&bus, findings).await;
    Some((bus, user))
}

/// Why no bus was made.
fn refused(error: &Error, findings: &mut Findings) {
    let problem = format!("cannot be made: {}", chain(error));
    let (code, remedy) = match error.kind() {
        ErrorKind::Unauthenticated => (
            Code::CredentialsRefused,
            "compare user, password, token or credentials file with the configuration of the server",
        ),
        ErrorKind::Tls => (
            Code::TlsFailed,
            "compare `nats.ca_file` with the authority that signed the certificate of the server, and the host in the URL with its names; renew what has expired",
        ),
        ErrorKind::Unsupported(_) => (
            Code::JetStreamMissing,
            "start the server with `jetstream` in its configuration, or enable it for the account",
        ),
        ErrorKind::PermissionDenied => (
            Code::PermissionMissing,
            "give the user the permissions that docs/production.md lists",
        ),
        ErrorKind::InvalidOption | ErrorKind::NotConfigured => {
            return configuration::refused(error, findings);
        }
        _ => (
            Code::ServerUnreachable,
            "look whether the server runs, whether host and port in `nats.url` are right, and whether a firewall is between",
        ),
    };
    findings.add(code, "connection", problem, remedy);
}
