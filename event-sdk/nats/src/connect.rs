//! Opens the connection through async-nats: capacity, events, and the callback that paces
//! reconnects.

mod failure;

pub(super) use self::failure::connecting as failed;

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::{AuthError, ConnectErrorKind, ConnectOptions};

use super::connection::ConnectionMonitor;
use super::options::{Address, Auth, Link, NatsOptions};
use event_sdk_core::transport::{Error, ErrorKind, Operation};
use tokio::sync::Semaphore;

/// Capacity of a subscription in the client, which drops further messages: more than can be in
/// flight.
const LEAST_CAPACITY: usize = 64 * 1024;

/// Number of immediate retries if a server closes the connection without a reason.
const ABRUPT: u32 = 5;

/// Connects, and retries for the time that `connect_within` sets.
pub(super) async fn connect(
    options: &NatsOptions,
    monitor: &Arc<ConnectionMonitor>,
) -> Result<async_nats::Client, Error> {
    options.check()?;
    let (addresses, auth) = options.resolve()?;
    if let Some(auth) = &auth {
        check(auth, options).await?;
    }
    let tls = options.tls.config(Link::Publishing).await?;
    let begun = Instant::now();
    let mut round = 0;
    let mut abrupt = 0;
    loop {
        let mut connect = match auth.clone() {
            None => ConnectOptions::new(),
            Some(auth) => ConnectOptions::with_auth_callback(move |nonce| {
                let auth = auth.clone();
                async move { auth.answer(&nonce).await.map_err(AuthError::new) }
            }),
        };
        let in_flight = options.limits.in_flight;
        connect = connect
            .custom_inbox_prefix(&options.inbox_prefix)
            .connection_timeout(options.connect_timeout)
            .request_timeout(Some(options.request_timeout))
            .ping_interval(options.ping_interval)
            .subscription_capacity(capacity(in_flight))
            .require_tls(options.tls.required || options.servers.all_secure())
            .tls_client_config(tls.clone());
        if options.tls.first {
            connect = connect.tls_first();
        }
        if options.only_given_servers {
            connect = connect.ignore_discovered_servers();
        }
        if let Some(name) = &options.name {
            connect = connect.name(name);
        }
        let (addresses, unresolved) = resolvable(&addresses).await;
        connect = reconnecting(connect, options, addresses.len(), monitor);
        let heard = Arc::clone(monitor);
        connect = connect.event_callback(move |event| {
            heard.hear(&event);
            std::future::ready(())
        });
        let connected = match unresolved {
            Some(error) if addresses.is_empty() => Err(error),
            _ => connect.connect(addresses.as_slice()).await,
        };
        let error = match connected {
            Ok(client) => return Ok(client),
            // If a server refuses the connection, its reason may be lost with the connection.
            Err(error) if abrupt < ABRUPT && failure::is_abrupt(&error) => {
                abrupt += 1;
                continue;
            }
            Err(error) => failure::connecting(error, options, auth.as_ref()).await,
        };
        round += 1;
        let delay = options.reconnect.delay(round + 1, 1);
        let again = begun.elapsed() + delay <= options.connect_within;
        let hopeless = matches!(
            error.kind(),
            ErrorKind::Unauthenticated | ErrorKind::Tls | ErrorKind::InvalidOption
        );
        if hopeless || !again {
            return Err(error);
        }
        tracing::warn!(target: crate::TRACING_TARGET, %error, ?delay, "connecting to NATS again");
        tokio::time::sleep(delay).await;
    }
}

/// Places for the messages of a subscription of the client, at most as many as a channel can have.
fn capacity(in_flight: usize) -> usize {
    let twice = in_flight.saturating_mul(2);
    twice.clamp(LEAST_CAPACITY, Semaphore::MAX_PERMITS)
}

/// Validates the login. A callback has the time of one attempt to connect.
async fn check(auth: &Auth, options: &NatsOptions) -> Result<(), Error> {
    let limit = options.connect_timeout;
    let checked = tokio::time::timeout(limit, auth.check()).await;
    checked.unwrap_or_else(|_| {
        let reason = format!("the callback of `login_from`, or the file with the secret, gave no login within {limit:?}; make it faster, or raise `connect_timeout`");
        Err(Error::new(ErrorKind::Timeout, Operation::Configure, reason))
    })
}

/// The addresses to connect to, without hosts that may be tokens and cannot be resolved, because
/// the client logs each host that it tries. Also returns why a host was left out.
async fn resolvable(
    addresses: &[Address],
) -> (
    Vec<async_nats::ServerAddr>,
    Option<async_nats::ConnectError>,
) {
    let mut found = Vec::new();
    let mut unresolved = None;
    for address in addresses {
        if address.may_be_token {
            let host = (address.server.host(), address.server.port());
            if let Err(error) = tokio::net::lookup_host(host).await {
                if addresses.len() > 1 {
                    tracing::warn!(target: crate::TRACING_TARGET, %error, "a server is left out, since its name cannot be resolved and may be a token; write a host with its domain or its port");
                }
                unresolved = Some(async_nats::ConnectError::with_source(
                    ConnectErrorKind::Dns,
                    error,
                ));
                continue;
            }
        }
        found.push(address.server.clone());
    }
    (found, unresolved)
}

/// Sets how the client reconnects.
fn reconnecting(
    connect: ConnectOptions,
    options: &NatsOptions,
    servers: usize,
    monitor: &Arc<ConnectionMonitor>,
) -> ConnectOptions {
    let reconnect = options.reconnect;
    let monitor = Arc::downgrade(monitor);
    connect
        .max_reconnects(reconnect.attempts)
        .reconnect_delay_callback(move |attempt| {
            // The client cannot be told to stop reconnecting, only to wait.
            match monitor.upgrade().filter(|monitor| monitor.is_wanted()) {
                Some(monitor) => reconnect.delay_after(monitor.short_lived(), attempt, servers),
                None => Duration::MAX,
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_number_of_publishes_may_be_in_flight() {
        assert_eq!(capacity(0), LEAST_CAPACITY);
        assert_eq!(capacity(usize::MAX), Semaphore::MAX_PERMITS);
    }
}
