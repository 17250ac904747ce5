//! TLS: whether it is required, root certificates, and the client certificate.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use async_nats::rustls;
use rustls::client::ResolvesClientCert;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, RootCertStore, SignatureScheme};

use event_sdk_core::transport::{Error, ErrorKind, Operation};

/// How a connection is made secure.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tls {
    /// Whether it has to be.
    pub(crate) required: bool,
    /// Whether it is before the server says anything.
    pub(crate) first: bool,
    /// Who is trusted; those of the operating system if there are none.
    pub(crate) authorities: Vec<PathBuf>,
    /// Certificate and key of this client.
    pub(super) client: Option<(PathBuf, PathBuf)>,
}

impl Tls {
    /// The certificate that this client shows.
    pub(crate) fn certificate(&self) -> Option<&Path> {
        let (certificate, _) = self.client.as_ref()?;
        Some(certificate)
    }

    /// Reads the files.
    ///
    /// The client gets the configuration as a whole, for it would take the
    /// provider of cryptography from the process, and panic where the program
    /// has two of them.
    pub(crate) async fn config(&self) -> Result<ClientConfig, Error> {
        let this = self.clone();
        let read = tokio::task::spawn_blocking(move || this.read());
        read.await
            .map_err(|error| refused("the certificates were not read").with_source(error))?
    }

    fn read(&self) -> Result<ClientConfig, Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| refused("TLS cannot be used").with_source(error))?
            .with_root_certificates(self.roots()?);
        Ok(match &self.client {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => {
                let client = ClientCertificate::read(certificate, key, provider)?;
                builder.with_client_cert_resolver(Arc::new(client))
            }
        })
    }

    fn roots(&self) -> Result<RootCertStore, Error> {
        if self.authorities.is_empty() {
            return Ok(native_roots().clone());
        }
        let mut roots = RootCertStore::empty();
        for path in &self.authorities {
            for certificate in certificates(path)? {
                roots.add(certificate).map_err(|error| {
                    let path = path.display();
                    refused(format!(
                        "{path} has a certificate that cannot be an authority"
                    ))
                    .with_source(error)
                })?;
            }
        }
        Ok(roots)
    }
}

/// The authorities that the operating system trusts, read once.
fn native_roots() -> &'static RootCertStore {
    static ROOTS: OnceLock<RootCertStore> = OnceLock::new();
    ROOTS.get_or_init(|| {
        let found = rustls_native_certs::load_native_certs();
        for error in &found.errors {
            tracing::warn!(target: crate::TRACING_TARGET, %error, "a certificate of the operating system cannot be read");
        }
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(found.certs);
        roots
    })
}

/// Certificate and key of this client, read anew for each connection.
#[derive(Debug)]
struct ClientCertificate {
    certificate: PathBuf,
    key: PathBuf,
    provider: Arc<CryptoProvider>,
    last: Mutex<Arc<CertifiedKey>>,
}

impl ClientCertificate {
    fn read(certificate: &Path, key: &Path, provider: Arc<CryptoProvider>) -> Result<Self, Error> {
        let read = certified_key(certificate, key, &provider)?;
        Ok(Self {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            provider,
            last: Mutex::new(Arc::new(read)),
        })
    }
}

impl ResolvesClientCert for ClientCertificate {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match certified_key(&self.certificate, &self.key, &self.provider) {
            Ok(read) => *last = Arc::new(read),
            // Perhaps they are being replaced.
            Err(error) => {
                tracing::warn!(
                    target: crate::TRACING_TARGET,
                    %error,
                    "the last client certificate is shown again"
                );
            }
        }
        Some(Arc::clone(&last))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

fn certified_key(
    certificate: &Path,
    key: &Path,
    provider: &CryptoProvider,
) -> Result<CertifiedKey, Error> {
    let chain = certificates(certificate)?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| {
        // The error says at most what kind of section the file lacks.
        let key = key.display();
        refused(format!("{key} cannot be read as a private key in PEM")).with_source(error)
    })?;
    CertifiedKey::from_der(chain, private, provider).map_err(|error| {
        refused(format!(
            "the client certificate {} and the key {} cannot be used together",
            certificate.display(),
            key.display()
        ))
        .with_source(error)
    })
}

/// The certificates in a PEM file; at least one.
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let unreadable = |error| {
        let path = path.display();
        refused(format!("{path} cannot be read as certificates in PEM")).with_source(error)
    };
    let found = CertificateDer::pem_file_iter(path)
        .map_err(unreadable)?
        .collect::<Result<Vec<_>, _>>()
        .map_err(unreadable)?;
    if found.is_empty() {
        return Err(refused(format!("{} has no certificate", path.display())));
    }
    Ok(found)
}

fn refused(reason: impl Into<String>) -> Error {
    Error::new(ErrorKind::Tls, Operation::Configure, reason)
}
