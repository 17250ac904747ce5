//! Errors of connecting: TLS certificates, credentials, timeouts, each with what to do.

use std::error::Error as _;
use std::io;

use async_nats::rustls::{self, AlertDescription, CertificateError};
use async_nats::{ConnectError, ConnectErrorKind, ServerError};

use crate::connection::{EXCEEDED, is_about_credentials};
use crate::options::{Auth, NatsOptions, Tls};
use event_sdk_core::shown::Shown;
use event_sdk_core::transport::{Error, ErrorKind, Operation};

/// Why no connection came to be.
pub(crate) async fn connecting(
    error: ConnectError,
    options: &NatsOptions,
    auth: Option<&Auth>,
) -> Error {
    let tls = &options.tls;
    let (kind, reason) = match error.kind() {
        ConnectErrorKind::AuthorizationViolation => refused(auth, options).await,
        ConnectErrorKind::Authentication => (
            ErrorKind::Unauthenticated,
            "the credentials cannot be shown to the server".to_owned(),
        ),
        ConnectErrorKind::Tls => (ErrorKind::Tls, NOT_SECURE.to_owned()),
        ConnectErrorKind::TimedOut => (ErrorKind::Timeout, late(options)),
        ConnectErrorKind::Dns => (
            ErrorKind::Disconnected,
            "the name of the server cannot be resolved; a token belongs before it, as `token@host`"
                .to_owned(),
        ),
        _ if says(&error).is_some_and(|said| is_about_credentials(&said)) => {
            refused(auth, options).await
        }
        _ => behind(&error, tls),
    };
    let servers = &options.servers;
    Error::new(
        kind,
        Operation::Configure,
        format!("cannot connect to {servers:?}: {reason}"),
    )
    .with_source(readable(error))
}

/// The error as it is, or as an escaped and shortened text if it has what acts on a terminal: the
/// server's own words are a part of it.
fn readable(error: ConnectError) -> Box<dyn std::error::Error + Send + Sync> {
    let text = error.to_string();
    let shown = Shown(&text, 500).to_string();
    if shown == text {
        Box::new(error)
    } else {
        shown.into()
    }
}

/// Whether the connection was ended without a word of the reason. A server that
/// refuses says why and ends it, and what was sent to it meanwhile can make the
/// system drop what it said.
pub(super) fn is_abrupt(error: &ConnectError) -> bool {
    let Some(source) = error.source() else {
        return false;
    };
    match source.downcast_ref::<io::Error>() {
        Some(error) => matches!(
            error.kind(),
            io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::BrokenPipe
                | io::ErrorKind::UnexpectedEof
        ),
        // async-nats's text where the server said nothing.
        None => source.to_string() == "broken pipe",
    }
}

const NOT_SECURE: &str = "no secure connection can be made";

/// Asks the login who was refused, for the time of one attempt to connect.
async fn refused(auth: Option<&Auth>, options: &NatsOptions) -> (ErrorKind, String) {
    let reason = match auth {
        Some(auth) => {
            let said = tokio::time::timeout(options.connect_timeout, auth.refused()).await;
            said.unwrap_or_else(|_| {
                "the server refuses the login; which one is unknown, since the callback of `login_from`, or the file with the secret, does not answer any more".to_owned()
            })
        }
        None => "the server wants to know who connects, and there are no credentials; give some with `user`, `token`, `nkey` or `credentials_file`".to_owned(),
    };
    (ErrorKind::Unauthenticated, reason)
}

fn late(options: &NatsOptions) -> String {
    let limit = options.connect_timeout;
    let reason = format!("the server did not answer within {limit:?}");
    if options.tls.first {
        reason
    } else {
        format!("{reason}; one with `handshake_first` waits for who has set `tls_first`")
    }
}

/// What the server says, if it was the server that refused.
fn says(error: &ConnectError) -> Option<String> {
    let source = error.source()?.downcast_ref::<ServerError>()?;
    Some(source.to_string())
}

/// What is behind an error of input or output.
fn behind(error: &ConnectError, tls: &Tls) -> (ErrorKind, String) {
    let source = error.source();
    if let Some(said) = says(error) {
        let reason = if said.contains(EXCEEDED) {
            "the server refuses the connection, since a limit is reached: close others, or raise it"
        } else {
            "the server refuses the connection"
        };
        return (ErrorKind::Disconnected, reason.to_owned());
    }
    let secure = source
        .and_then(|source| source.downcast_ref::<io::Error>())
        .and_then(io::Error::get_ref)
        .and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let reason = match secure {
        Some(rustls::Error::AlertReceived(alert)) => by_server(*alert, tls),
        Some(rustls::Error::InvalidCertificate(why)) => of_server(why, tls),
        Some(rustls::Error::InvalidMessage(_)) if tls.first => {
            "the server does not begin with TLS; leave out `tls_first`".to_owned()
        }
        Some(rustls::Error::InvalidMessage(_)) => {
            "the server does not speak TLS; enable it there, or connect without".to_owned()
        }
        Some(_) => NOT_SECURE.to_owned(),
        None if is_abrupt(error) => {
            let reason = "the server ends the connection without saying why; look at its log";
            return (ErrorKind::Disconnected, reason.to_owned());
        }
        None => {
            let reason = "no server can be reached there; is it running?";
            return (ErrorKind::Disconnected, reason.to_owned());
        }
    };
    (ErrorKind::Tls, reason)
}

/// What the server says of our side.
fn by_server(alert: AlertDescription, tls: &Tls) -> String {
    use AlertDescription as Alert;
    let Some(certificate) = tls.certificate() else {
        return match alert {
            // Before TLS 1.3 there was no alert of its own for that.
            Alert::CertificateRequired | Alert::BadCertificate | Alert::HandshakeFailure => {
                "the server wants a client certificate; show one with `client_certificate`"
                    .to_owned()
            }
            _ => format!("the server refuses the secure connection ({alert:?})"),
        };
    };
    match alert {
        Alert::CertificateExpired => format!(
            "the server refuses the client certificate {certificate}, which has expired or is not valid yet; renew it"
        ),
        Alert::UnknownCA => format!(
            "the server does not know the authority that signed the client certificate {certificate}; use one of an authority that it trusts"
        ),
        Alert::CertificateRequired
        | Alert::BadCertificate
        | Alert::UnsupportedCertificate
        | Alert::CertificateRevoked
        | Alert::CertificateUnknown
        | Alert::AccessDenied
        | Alert::DecryptError => {
            format!("the server refuses the client certificate {certificate} ({alert:?})")
        }
        _ => format!("the server refuses the secure connection ({alert:?})"),
    }
}

/// What is wrong with the server's certificate.
fn of_server(why: &CertificateError, tls: &Tls) -> String {
    match why {
        CertificateError::NotValidForNameContext {
            expected,
            presented,
        } => format!(
            "the server's certificate is for another host: for {}, and not for {}; connect by a name that it has, or have it made for this one",
            presented.join(", "),
            expected.to_str()
        ),
        CertificateError::NotValidForName => {
            "the server's certificate is for another host; connect by a name that it has".to_owned()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "the server's certificate has expired; renew it, or set the clock of this machine"
                .to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the server's certificate is not valid yet; is the clock of this machine right?"
                .to_owned()
        }
        // Two authorities may have the same name.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            let trusted: Vec<_> = tls.authorities.iter().collect();
            let trusted = match &*trusted {
                [] => "the operating system trusts".to_owned(),
                [one] => format!("stands in {one}"),
                [first, others @ ..] => {
                    let others = others.iter().map(|path| format!(" or {path}"));
                    format!("stands in {first}{}", others.collect::<String>())
                }
            };
            format!(
                "the server's certificate is not trusted: no authority that {trusted} has signed it; name the right one with `ca_file`"
            )
        }
        _ => "the server's certificate cannot be used".to_owned(),
    }
}
