//! Test certificates: an authority, server and client certificates.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fmt, fs, io};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use tempfile::TempDir;

use crate::Error;

/// A certificate authority of a test's own. Its files are removed with its last clone.
///
/// Two authorities do not know each other: what one signs is wrong for who trusts the other.
#[derive(Clone)]
pub struct Authority(Arc<Inner>);

struct Inner {
    issuer: Issuer<'static, KeyPair>,
    certificate: PathBuf,
    folder: TempDir,
}

impl Authority {
    /// Makes one, with a new key.
    ///
    /// # Errors
    ///
    /// If its folder or its file cannot be written.
    pub fn new() -> Result<Self, Error> {
        Self::try_new().map_err(not_made)
    }

    /// Its certificate, as a PEM file: what a client or a server trusts.
    pub fn certificate(&self) -> &Path {
        &self.0.certificate
    }

    /// A certificate for a client of this name.
    ///
    /// # Errors
    ///
    /// If its files cannot be written.
    pub fn client(&self, name: &str) -> Result<Identity, Error> {
        let subject = Subject::client(name);
        self.sign(&subject).map_err(not_made)
    }

    /// A certificate for a server of a cluster: it answers clients and other servers under the names of
    /// these hosts, and connects to other servers.
    ///
    /// # Errors
    ///
    /// If its files cannot be written.
    pub fn cluster_member(&self, hosts: &[&str]) -> Result<Identity, Error> {
        let hosts: Vec<_> = hosts.iter().map(ToString::to_string).collect();
        let subject = Subject {
            name: "nats-server",
            hosts: &hosts,
            usages: &[
                ExtendedKeyUsagePurpose::ServerAuth,
                ExtendedKeyUsagePurpose::ClientAuth,
            ],
            until: None,
        };
        self.sign(&subject).map_err(not_made)
    }

    /// A certificate for a client, whose time is over.
    ///
    /// # Errors
    ///
    /// If its files cannot be written.
    pub fn expired_client(&self, name: &str) -> Result<Identity, Error> {
        let subject = Subject {
            until: Some(OVER),
            ..Subject::client(name)
        };
        self.sign(&subject).map_err(not_made)
    }

    fn try_new() -> io::Result<Self> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "tests");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let own = params.self_signed(&key).map_err(io::Error::other)?;
        let folder = tempfile::Builder::new().prefix("event-sdk-ca-").tempdir()?;
        let certificate = folder.path().join("ca.pem");
        fs::write(&certificate, own.pem())?;
        Ok(Self(Arc::new(Inner {
            issuer: Issuer::new(params, key),
            certificate,
            folder,
        })))
    }

    /// In a folder of its own, so that two of one name do not meet.
    fn sign(&self, subject: &Subject<'_>) -> io::Result<Identity> {
        let hosts = subject.hosts.to_vec();
        let mut params = CertificateParams::new(hosts).map_err(io::Error::other)?;
        params
            .distinguished_name
            .push(DnType::CommonName, subject.name);
        params.extended_key_usages = subject.usages.to_vec();
        if let Some((year, month, day)) = subject.until {
            params.not_before = date_time_ymd(2001, 1, 1);
            params.not_after = date_time_ymd(year, month, day);
        }
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let signed = params
            .signed_by(&key, &self.0.issuer)
            .map_err(io::Error::other)?;
        let folder = tempfile::Builder::new()
            .disable_cleanup(true) // goes with the authority's folder, which it is in
            .tempdir_in(self.0.folder.path())?;
        let identity = Identity {
            certificate: folder.path().join("certificate.pem"),
            key: folder.path().join("key.pem"),
            _authority: self.clone(),
        };
        fs::write(&identity.certificate, signed.pem())?;
        fs::write(&identity.key, key.serialize_pem())?;
        Ok(identity)
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Authority")
            .field(&self.0.certificate)
            .finish()
    }
}

/// A certificate and its key, as PEM files that are there as long as this value.
#[derive(Clone, Debug)]
pub struct Identity {
    certificate: PathBuf,
    key: PathBuf,
    _authority: Authority,
}

impl Identity {
    /// The file of the certificate.
    pub fn certificate(&self) -> &Path {
        &self.certificate
    }

    /// The file of its private key.
    pub fn key(&self) -> &Path {
        &self.key
    }
}

/// Year, month and day.
type Date = (i32, u8, u8);

/// A day that is over.
const OVER: Date = (2002, 1, 1);

/// How a server speaks TLS.
#[derive(Clone, Debug)]
pub struct Tls {
    pub(crate) authority: Authority,
    pub(crate) client_certificate: bool,
    pub(crate) handshake_first: bool,
    hosts: Vec<String>,
    until: Option<Date>,
}

impl Tls {
    /// With a certificate of this authority, for `localhost` and 127.0.0.1.
    pub fn new(authority: &Authority) -> Self {
        Self {
            authority: authority.clone(),
            client_certificate: false,
            handshake_first: false,
            hosts: vec!["localhost".to_owned(), "127.0.0.1".to_owned()],
            until: None,
        }
    }

    /// Refuses a client without a certificate of the same authority.
    pub fn require_client_certificate(mut self) -> Self {
        self.client_certificate = true;
        self
    }

    /// Begins with the TLS handshake, before the server has said anything; a client must be
    /// told. Needs server 2.10.4.
    pub fn handshake_first(mut self) -> Self {
        self.handshake_first = true;
        self
    }

    /// With a certificate for this host alone, which is wrong for who connects to 127.0.0.1.
    pub fn for_host(mut self, host: &str) -> Self {
        self.hosts = vec![host.to_owned()];
        self
    }

    /// With a certificate whose time is over.
    pub fn expired(mut self) -> Self {
        self.until = Some(OVER);
        self
    }

    /// With a certificate that expires at the beginning of this day: year, month and day.
    pub fn until(mut self, day: (i32, u8, u8)) -> Self {
        self.until = Some(day);
        self
    }

    /// The server's own certificate.
    pub(crate) fn identity(&self) -> Result<Identity, Error> {
        let subject = Subject {
            name: "nats-server",
            hosts: &self.hosts,
            usages: &[ExtendedKeyUsagePurpose::ServerAuth],
            until: self.until,
        };
        self.authority.sign(&subject).map_err(not_made)
    }
}

/// Whom a certificate is for.
struct Subject<'a> {
    name: &'a str,
    hosts: &'a [String],
    usages: &'a [ExtendedKeyUsagePurpose],
    until: Option<Date>,
}

impl<'a> Subject<'a> {
    fn client(name: &'a str) -> Self {
        Self {
            name,
            hosts: &[],
            usages: &[ExtendedKeyUsagePurpose::ClientAuth],
            until: None,
        }
    }
}

fn not_made(source: io::Error) -> Error {
    Error::System {
        server: "the certificate authority".to_owned(),
        action: "make a certificate",
        source,
    }
}
