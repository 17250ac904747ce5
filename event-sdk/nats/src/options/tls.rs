//! TLS: whether it is required, root certificates, and the client certificate.

use std::fs;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use async_nats::rustls;
use rustls::client::{ResolvesClientCert, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, RootCertStore, SignatureScheme};

use super::masked::FilePath;
use super::shown::{Link, Remembering, ShownCertificates};
use event_sdk_core::transport::{Certificate, Error, ErrorKind, Operation};

/// The TLS options of a connection.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tls {
    /// Whether TLS is required.
    pub(crate) required: bool,
    /// Whether the TLS handshake comes before the server's first message.
    pub(crate) first: bool,
    /// Files with trusted authorities; if there are none, the operating system's are trusted.
    pub(crate) authorities: Vec<FilePath>,
    /// Certificate and key of this client.
    pub(super) client: Option<(FilePath, FilePath)>,
    /// What both sides of the connection have shown.
    pub(crate) shown: Arc<ShownCertificates>,
}

impl Tls {
    /// The certificate file of this client.
    pub(crate) fn certificate(&self) -> Option<&FilePath> {
        let (certificate, _) = self.client.as_ref()?;
        Some(certificate)
    }

    /// The certificates of both sides; empty without TLS. Reads the file of the client, which shows what is in it at
    /// the next connect.
    pub(crate) fn certificates(&self) -> Vec<Certificate> {
        // It may be in the process of being replaced; then it has what it had.
        if let Some(chain) = self.certificate().and_then(|path| certificates(path).ok()) {
            self.shown.client(&chain);
        }
        self.shown.certificates()
    }

    /// Reads the files, for this connection.
    ///
    /// The client gets a complete configuration. Otherwise it would use the crypto provider of the
    /// process, and panic if the program has two of them.
    pub(crate) async fn config(&self, link: Link) -> Result<ClientConfig, Error> {
        let this = self.clone();
        let read = tokio::task::spawn_blocking(move || this.read(link));
        read.await
            .map_err(|error| refused("the certificates were not read").with_source(error))?
    }

    fn read(&self, link: Link) -> Result<ClientConfig, Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| refused("TLS cannot be used").with_source(error))?;
        let roots = self.roots()?;
        let builder = if roots.is_empty() {
            // Nothing can be verified, and a connection without TLS needs no authority.
            builder.with_root_certificates(roots)
        } else {
            // The verifier that `with_root_certificates` makes.
            let with_provider = WebPkiServerVerifier::builder_with_provider;
            let verifier = with_provider(Arc::new(roots), Arc::clone(&provider))
                .build()
                .map_err(|error| refused("the authorities cannot be used").with_source(error))?;
            let remembering = Remembering {
                verifier,
                shown: Arc::clone(&self.shown),
                link,
            };
            builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(remembering))
        };
        Ok(match &self.client {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => {
                let shown = Arc::clone(&self.shown);
                let client = ClientCertificate::read(certificate, key, provider, shown)?;
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

/// The authorities that the operating system trusts; read once.
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

/// Certificate and key of this client, read at each connect and reconnect.
#[derive(Debug)]
struct ClientCertificate {
    certificate: FilePath,
    key: FilePath,
    provider: Arc<CryptoProvider>,
    last: Mutex<Arc<CertifiedKey>>,
    shown: Arc<ShownCertificates>,
}

impl ClientCertificate {
    fn read(
        certificate: &FilePath,
        key: &FilePath,
        provider: Arc<CryptoProvider>,
        shown: Arc<ShownCertificates>,
    ) -> Result<Self, Error> {
        let read = certified_key(certificate, key, &provider)?;
        shown.client(&read.cert);
        Ok(Self {
            certificate: certificate.clone(),
            key: key.clone(),
            provider,
            last: Mutex::new(Arc::new(read)),
            shown,
        })
    }
}

impl ResolvesClientCert for ClientCertificate {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match certified_key(&self.certificate, &self.key, &self.provider) {
            Ok(read) => {
                self.shown.client(&read.cert);
                *last = Arc::new(read);
            }
            // The files may be in the process of being replaced.
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
    certificate: &FilePath,
    key: &FilePath,
    provider: &CryptoProvider,
) -> Result<CertifiedKey, Error> {
    let chain = certificates(certificate)?;
    let contents = contents(key)?;
    let private = PrivateKeyDer::from_pem_slice(&contents).map_err(|error| {
        refused(format!(
            "{key} cannot be read as a private key in PEM: {}",
            pem_fault(&error, &contents)
        ))
    })?;
    CertifiedKey::from_der(chain, private, provider).map_err(|error| {
        refused(format!(
            "the client certificate {certificate} and the key {key} cannot be used together"
        ))
        .with_source(error)
    })
}

/// The certificates in a PEM file; at least one.
fn certificates(path: &FilePath) -> Result<Vec<CertificateDer<'static>>, Error> {
    let contents = contents(path)?;
    let found = CertificateDer::pem_slice_iter(&contents)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| {
            refused(format!(
                "{path} cannot be read as certificates in PEM: {}",
                pem_fault(&error, &contents)
            ))
        })?;
    if found.is_empty() {
        return Err(refused(format!(
            "{path} cannot be read as certificates in PEM: {}",
            pem_fault(&pem::Error::NoItemsFound, &contents)
        )));
    }
    Ok(found)
}

fn contents(path: &FilePath) -> Result<Vec<u8>, Error> {
    fs::read(path.as_path())
        .map_err(|error| refused(format!("{path} cannot be read")).with_source(error))
}

/// The fault of a PEM file. The parser's own error is neither shown nor kept as a source, because
/// it contains lines of the file, which may be the private key, as decimal numbers.
fn pem_fault(error: &pem::Error, contents: &[u8]) -> &'static str {
    let has = |text: &[u8]| contents.windows(text.len()).any(|part| part == text);
    if !has(b"-----BEGIN") {
        return "it has no line that begins with `-----BEGIN`";
    }
    if !has(b"\n") && !has(b"\r") {
        return if has(b"\\n") {
            "it has `\\n` written out where line breaks belong"
        } else {
            "it has no line breaks; PEM needs one behind `-----BEGIN …-----` and one before `-----END …-----`"
        };
    }
    match error {
        pem::Error::MissingSectionEnd { .. } => "a section has no line `-----END …-----`",
        pem::Error::IllegalSectionStart { .. } => "a line `-----BEGIN …` does not end with `-----`",
        pem::Error::Base64Decode(_) => "a section is not base64",
        pem::Error::NoItemsFound => "it has no section of that kind",
        pem::Error::SectionTooLarge => "a section is too large",
        _ => "it is not well formed",
    }
}

fn refused(reason: impl Into<String>) -> Error {
    Error::new(ErrorKind::Tls, Operation::Configure, reason)
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;
    use std::fmt::Write as _;

    use super::*;

    /// Everything that an error shows.
    fn shown(error: &Error) -> String {
        let mut text = format!("{error}\n{error:?}\n{error:#?}\n");
        let mut source = error.source();
        while let Some(error) = source {
            let _ = writeln!(text, "{error}\n{error:?}");
            source = error.source();
        }
        text
    }

    #[test]
    fn what_is_no_pem_is_refused_without_its_bytes() {
        const KEY: &str = "MC4CAQAwBQYDK2VwBCIEIHiddenHiddenHiddenHiddenHiddenHiddenHidden";
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.pem");
        for (contents, says) in [
            (
                format!("-----BEGIN PRIVATE KEY-----{KEY}-----END PRIVATE KEY-----"),
                "no line breaks",
            ),
            (
                format!("-----BEGIN PRIVATE KEY-----\\n{KEY}\\n-----END PRIVATE KEY-----"),
                "written out",
            ),
            (
                format!("-----BEGIN PRIVATE KEY-----\n{KEY}\n"),
                "no line `-----END",
            ),
            (format!("-----BEGIN {KEY}\n"), "does not end with"),
            (
                format!("-----BEGIN PRIVATE KEY-----\n{KEY}!\n-----END PRIVATE KEY-----\n"),
                "not base64",
            ),
            (
                format!("-----BEGIN CERTIFICATE-----\n{KEY}!\n-----END CERTIFICATE-----\n"),
                "",
            ),
            (KEY.to_owned(), "-----BEGIN"),
        ] {
            fs::write(&path, &contents).unwrap();
            let path = FilePath::new(&path);
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let trusting = Tls {
                authorities: vec![path.clone()],
                ..Tls::default()
            };
            for error in [
                certificates(&path).map(drop).unwrap_err(),
                certified_key(&path, &path, &provider)
                    .map(drop)
                    .unwrap_err(),
                trusting.read(Link::Publishing).map(drop).unwrap_err(),
            ] {
                let shown = shown(&error);
                let decimal = format!("{:?}", &KEY.as_bytes()[20..26]);
                let decimal = decimal.trim_matches(['[', ']']);
                assert!(!shown.contains("Hidden"), "{shown}");
                assert!(!shown.contains(decimal), "{shown}");
                assert!(shown.contains(says), "{says}: {shown}");
                assert!(error.to_string().contains("key.pem"), "{error}");
            }
        }
    }
}
