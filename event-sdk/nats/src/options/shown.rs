//! `ShownCertificates`: when the certificate expires that the server showed in the TLS handshakes of a
//! connection, and that of this client.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_nats::rustls::client::WebPkiServerVerifier;
use async_nats::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use async_nats::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use async_nats::rustls::{self, DigitallySignedStruct, DistinguishedName, SignatureScheme};
use event_sdk_core::text::Text;
use event_sdk_core::transport::{Certificate, CertificateOwner};
use jiff::Timestamp;
use x509_cert::der::Decode as _;

/// One of the connections of a transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    /// That of async-nats.
    Publishing,
    /// That for deliveries.
    Deliveries,
}

/// When a certificate expires, or why that is not known.
type Expiry = Result<Timestamp, Text>;

/// What a server showed in the last handshake that it passed.
#[derive(Debug, Clone)]
struct Handshake {
    expiry: Expiry,
    at: Option<Timestamp>,
}

/// The certificates of both sides.
#[derive(Debug, Default)]
pub(crate) struct ShownCertificates {
    /// The certificate that the server showed on each connection; two servers of a cluster have their own.
    publishing: Mutex<Option<Handshake>>,
    deliveries: Mutex<Option<Handshake>>,
    /// The expiry of the client's certificate when its file could last be read.
    client: Mutex<Option<Expiry>>,
}

impl ShownCertificates {
    /// The client has this chain now.
    pub(super) fn client(&self, chain: &[CertificateDer<'_>]) {
        *locked(&self.client) = chain.first().map(expiry);
    }

    /// Those that the servers showed, and that which the client has; empty without TLS.
    pub(super) fn certificates(&self) -> Vec<Certificate> {
        let servers = [&self.publishing, &self.deliveries].map(|slot| locked(slot).clone());
        let server = servers.into_iter().flatten().reduce(earliest);
        let server = server.map(|Handshake { expiry, at }| {
            let certificate = Certificate::new(CertificateOwner::Server, expiry);
            match at {
                Some(at) => certificate.shown_at(at),
                None => certificate,
            }
        });
        let client = locked(&self.client).clone();
        let client = client.map(|expiry| Certificate::new(CertificateOwner::Client, expiry));
        server.into_iter().chain(client).collect()
    }
}

fn locked<T>(slot: &Mutex<T>) -> MutexGuard<'_, T> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}

/// That which expires earlier. One that is known says more than one that is not.
fn earliest(one: Handshake, other: Handshake) -> Handshake {
    match (&one.expiry, &other.expiry) {
        (Ok(first), Ok(second)) if second < first => other,
        (Err(_), Ok(_)) => other,
        _ => one,
    }
}

fn expiry(certificate: &CertificateDer<'_>) -> Expiry {
    let parsed = x509_cert::Certificate::from_der(certificate)
        .map_err(|_| Text::from_static("the certificate is not one of X.509"))?;
    let not_after = parsed.tbs_certificate.validity.not_after;
    i64::try_from(not_after.to_unix_duration().as_secs())
        .ok()
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .ok_or(Text::from_static("its time is out of range"))
}

/// Verifies the server as rustls does, and remembers when its own certificate expires if it is accepted. Others that
/// it sends may have no part in the chain that was verified.
#[derive(Debug)]
pub(super) struct Remembering {
    pub(super) verifier: Arc<WebPkiServerVerifier>,
    pub(super) shown: Arc<ShownCertificates>,
    pub(super) link: Link,
}

impl ServerCertVerifier for Remembering {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verified = self.verifier.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        )?;
        let slot = match self.link {
            Link::Publishing => &self.shown.publishing,
            Link::Deliveries => &self.shown.deliveries,
        };
        let at = i64::try_from(now.as_secs()).ok();
        *locked(slot) = Some(Handshake {
            expiry: expiry(end_entity),
            at: at.and_then(|at| Timestamp::from_second(at).ok()),
        });
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }

    fn requires_raw_public_keys(&self) -> bool {
        self.verifier.requires_raw_public_keys()
    }

    fn root_hint_subjects(&self) -> Option<&[DistinguishedName]> {
        self.verifier.root_hint_subjects()
    }
}

#[cfg(test)]
mod tests {
    use async_nats::rustls::RootCertStore;
    use async_nats::rustls::crypto::ring;
    use async_nats::rustls::pki_types::pem::PemObject as _;
    use event_sdk_test_servers::{Authority, Identity};

    use super::*;

    fn der(identity: &Identity) -> CertificateDer<'static> {
        CertificateDer::from_pem_file(identity.certificate()).unwrap()
    }

    #[test]
    fn only_the_servers_own_certificate_counts_and_only_if_it_is_accepted() {
        let authority = Authority::new().unwrap();
        let mut roots = RootCertStore::empty();
        let root = CertificateDer::from_pem_file(authority.certificate()).unwrap();
        roots.add(root).unwrap();
        let provider = Arc::new(ring::default_provider());
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider);
        let remembering = Remembering {
            verifier: verifier.build().unwrap(),
            shown: Arc::default(),
            link: Link::Publishing,
        };
        let at = Timestamp::from_second(1_800_000_000).unwrap();
        let handshake = |server: &CertificateDer<'_>, others: &[CertificateDer<'_>]| {
            let name = ServerName::try_from("localhost").unwrap();
            let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(1_800_000_000));
            remembering.verify_server_cert(server, others, &name, &[], now)
        };
        let server = der(&authority.cluster_member(&["localhost"]).unwrap());
        // It is sent and has expired, and the chain does not need it.
        let expired = der(&authority.expired_client("cross").unwrap());
        handshake(&server, std::slice::from_ref(&expired)).unwrap();
        let shown = [Certificate::new(CertificateOwner::Server, expiry(&server)).shown_at(at)];
        assert!(expiry(&server).unwrap() > at && expiry(&expired).unwrap() < at);
        assert_eq!(remembering.shown.certificates(), shown);

        let stranger = Authority::new().unwrap();
        let stranger = der(&stranger.cluster_member(&["localhost"]).unwrap());
        for refused in [expired, stranger] {
            handshake(&refused, &[]).unwrap_err();
            assert_eq!(remembering.shown.certificates(), shown);
        }
    }
}
