//! `ShownCertificates`: when the certificates expire that the server and this client showed in the TLS
//! handshakes of a connection.

use std::sync::{Arc, Mutex, PoisonError};

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

/// When a chain expires, or why that is not known.
type Expiry = Result<Timestamp, Text>;

/// The certificates of the last handshakes.
#[derive(Debug, Default)]
pub(crate) struct ShownCertificates {
    /// What the server showed on each connection; two servers of a cluster have their own.
    publishing: Mutex<Option<Expiry>>,
    deliveries: Mutex<Option<Expiry>>,
    client: Mutex<Option<Expiry>>,
}

impl ShownCertificates {
    /// The client shows this chain from now on.
    pub(super) fn client(&self, chain: &[CertificateDer<'_>]) {
        set(&self.client, chain.iter());
    }

    /// Those that were shown; empty without TLS.
    pub(crate) fn certificates(&self) -> Vec<Certificate> {
        let known = |slot: &Mutex<Option<Expiry>>| {
            slot.lock().unwrap_or_else(PoisonError::into_inner).clone()
        };
        let servers = [known(&self.publishing), known(&self.deliveries)];
        let server = servers.into_iter().flatten().reduce(earliest);
        [
            (CertificateOwner::Server, server),
            (CertificateOwner::Client, known(&self.client)),
        ]
        .into_iter()
        .filter_map(|(owner, expiry)| Some(Certificate::new(owner, expiry?)))
        .collect()
    }
}

fn set<'a>(slot: &Mutex<Option<Expiry>>, chain: impl Iterator<Item = &'a CertificateDer<'a>>) {
    let expiry = chain.map(expiry).reduce(earliest);
    *slot.lock().unwrap_or_else(PoisonError::into_inner) = expiry;
}

/// The earlier of two. One that is known says more than one that is not.
fn earliest(one: Expiry, other: Expiry) -> Expiry {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok(one.min(other)),
        (Ok(known), Err(_)) | (Err(_), Ok(known)) => Ok(known),
        (unknown, _) => unknown,
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

/// Verifies the server as rustls does, and remembers when its certificate expires, also if it is refused.
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
        let slot = match self.link {
            Link::Publishing => &self.shown.publishing,
            Link::Deliveries => &self.shown.deliveries,
        };
        set(slot, std::iter::once(end_entity).chain(intermediates));
        self.verifier
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
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
