//! The task of the connection: connects, serves, and connects again with growing pauses.

use std::sync::Arc;
use std::time::Duration;

use async_nats::{ClientError, ConnectError, Event};
use tokio::sync::watch;
use tokio::time::Instant;

use super::dial::{Dialer, Established};
use super::link::{Failure, LinkState};
use super::server_list::{ServerAddress, ServerList};
use super::session::{Ending, Session};
use super::shared::Shared;
use crate::connect;
use crate::connection::{ConnectionMonitor, DisconnectReason, Phase};
use event_sdk_core::shown::Shown;
use event_sdk_core::transport::ErrorKind;

/// What runs until the transport ends.
pub(super) struct Task {
    shared: Arc<Shared>,
    monitor: Arc<ConnectionMonitor>,
    dialer: Dialer,
    servers: ServerList,
    phase: watch::Receiver<Phase>,
    /// How many attempts there were since a connection was good.
    attempts: usize,
    /// How many of them have failed in a row.
    failed: usize,
    /// How many connections there were.
    connections: u64,
    last_attempt: Option<Instant>,
}

/// How long a connection has to live until the next one is made without a pause. One that is
/// accepted and ends at once is as bad as one that is refused.
const GOOD: Duration = Duration::from_secs(5);

impl Task {
    pub(super) fn new(
        shared: Arc<Shared>,
        monitor: Arc<ConnectionMonitor>,
        dialer: Dialer,
        servers: ServerList,
    ) -> Self {
        Self {
            phase: monitor.phase(),
            shared,
            monitor,
            dialer,
            servers,
            attempts: 0,
            failed: 0,
            connections: 0,
            last_attempt: None,
        }
    }

    pub(super) async fn run(mut self) {
        while let Some(server) = self.next_server().await {
            let Some(dialled) = self.until_told(self.dialer.dial(&server)).await else {
                return;
            };
            match dialled {
                Ok(established) => {
                    if !self.serve(&server, established).await {
                        return;
                    }
                }
                Err(error) => self.failed(&server, error).await,
            }
        }
    }

    /// The server to be connected to when it is time for that; `None` if none is wanted any
    /// more.
    async fn next_server(&mut self) -> Option<ServerAddress> {
        let mut wanted = self.shared.wanted.subscribe();
        let idle = *wanted.borrow() == 0;
        if idle {
            self.monitor.hear_deliveries(None);
        }
        let waiting = wanted.wait_for(|wanted| *wanted > 0);
        // The sender is ours.
        let _ = self.until_told(waiting).await?;
        let reconnect = self.dialer.options().reconnect;
        let long_ago = self
            .last_attempt
            .is_some_and(|last| last.elapsed() > reconnect.longest);
        if idle {
            // What failed before nobody needed a connection says nothing of this one.
            self.failed = 0;
        }
        if idle && long_ago {
            self.attempts = 0;
        }
        self.attempts = self.attempts.saturating_add(1);
        let most = reconnect.attempts;
        if self.connections > 0 && most > 0 && self.failed >= most {
            self.monitor
                .hear(&Event::ClientError(ClientError::MaxReconnects));
            return None;
        }
        let pause = reconnect.delay(self.attempts, self.servers.len());
        self.until_told(tokio::time::sleep(pause)).await?;
        self.last_attempt = Some(Instant::now());
        self.servers.next()
    }

    /// Serves a connection until it ends; `false` if none is wanted any more.
    async fn serve(&mut self, server: &ServerAddress, established: Established) -> bool {
        self.connections += 1;
        self.failed = 0;
        let begun = Instant::now();
        tracing::info!(target: crate::TRACING_TARGET, server = %Shown(&established.info.server_name, 100), "the connection for deliveries is open");
        self.shared.connect();
        self.shared.link.set(LinkState::Connected(self.connections));
        self.monitor.hear_deliveries(None);
        let mut phase = self.phase.clone();
        let told = async {
            // That nobody changes it any more says the same.
            let _ = phase.wait_for(|phase| *phase == Phase::Ended).await;
        };
        let session = Session::new(
            &self.shared,
            &self.monitor,
            &mut self.servers,
            server,
            established,
            self.dialer.options().ping_interval,
        );
        let ending = session.run(told).await;
        self.shared.outgoing().lose();
        let failure = None;
        self.shared.link.set(LinkState::Connecting { failure });
        if begun.elapsed() >= GOOD {
            self.attempts = 0;
            self.servers.was_good(server);
        } else {
            self.servers.failed(server);
        }
        let reason = match ending {
            Ending::Closed => return false,
            Ending::Moved => {
                self.servers.leaves(server);
                DisconnectReason::Lost
            }
            Ending::Lost(loss) => {
                tracing::warn!(target: crate::TRACING_TARGET, %loss, "the connection for deliveries was lost");
                loss.reason()
            }
        };
        self.monitor.hear_deliveries(Some(reason));
        true
    }

    async fn failed(&mut self, server: &ServerAddress, error: ConnectError) {
        self.failed = self.failed.saturating_add(1);
        self.servers.failed(server);
        let (options, auth) = (self.dialer.options(), self.dialer.auth());
        let error = connect::failed(error, options, auth).await;
        tracing::warn!(target: crate::TRACING_TARGET, %error, "an attempt to open the connection for deliveries failed");
        if self.connections > 0 {
            self.monitor.hear_deliveries(Some(match error.kind() {
                ErrorKind::Unauthenticated => DisconnectReason::Unauthenticated,
                ErrorKind::Tls => DisconnectReason::Tls,
                _ => DisconnectReason::Unreachable,
            }));
        }
        let failure = Some(Failure {
            kind: error.kind().clone(),
            reason: error.to_string(),
        });
        self.shared.link.set(LinkState::Connecting { failure });
    }

    /// The outcome, unless the transport ends before.
    async fn until_told<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        let mut phase = self.phase.clone();
        tokio::select! {
            biased;
            // That nobody changes it any more says the same.
            _ = phase.wait_for(|phase| *phase == Phase::Ended) => None,
            outcome = future => Some(outcome),
        }
    }
}

impl Drop for Task {
    /// Also where a runtime that ends drops its tasks.
    fn drop(&mut self) {
        self.shared.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn attempts_that_failed_before_nobody_needed_a_connection_do_not_count() {
        let most = 3;
        let options = crate::Nats::options("nats://127.0.0.1:1").max_reconnects(most);
        let tls = options
            .tls
            .config(crate::options::Link::Deliveries)
            .await
            .unwrap();
        let servers = vec![ServerAddress {
            host: "127.0.0.1".to_owned(),
            port: 1,
            secure: false,
        }];
        let shared = Arc::new(Shared::new());
        let mut task = Task::new(
            Arc::clone(&shared),
            Arc::new(ConnectionMonitor::new()),
            Dialer::new(options, None, tls),
            ServerList::new(servers, false),
        );
        (task.connections, task.failed) = (1, most);
        let wanted = async {
            tokio::task::yield_now().await;
            shared.want();
        };
        let (next, ()) = tokio::join!(task.next_server(), wanted);
        assert!(next.is_some(), "no attempt is made");
        assert_eq!(task.failed, 0);
        // Where it was needed all the time they do.
        task.failed = most;
        assert!(task.next_server().await.is_none());
    }
}
