//! TCP proxy that can stall a connection without closing it.

use event_sdk_test_servers::Server;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What a service connects to instead of the server.
pub(crate) struct Wire {
    port: u16,
    choked: watch::Sender<bool>,
    accepting: JoinHandle<()>,
}

impl Wire {
    /// A wire to this server.
    pub(crate) async fn to(server: &Server) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (choked, watch) = watch::channel(false);
        let server = server.port();
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, server, watch.clone()));
            }
        });
        Self {
            port,
            choked,
            accepting,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// From now on nothing comes from the server.
    pub(crate) fn choke(&self) {
        self.choked.send_replace(true);
    }

    /// What the server has sent meanwhile comes, and everything else.
    pub(crate) fn release(&self) {
        self.choked.send_replace(false);
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Carries bytes both ways until one side ends.
async fn carry(client: TcpStream, server: u16, choked: watch::Receiver<bool>) {
    let Ok(server) = TcpStream::connect(("127.0.0.1", server)).await else {
        return;
    };
    let (mut from_client, to_client) = client.into_split();
    let (from_server, mut to_server) = server.into_split();
    tokio::select! {
        _ = tokio::io::copy(&mut from_client, &mut to_server) => {}
        () = carry_back(from_server, to_client, choked) => {}
    }
}

async fn carry_back(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    mut choked: watch::Receiver<bool>,
) {
    let mut buffer = vec![0; 16 * 1024];
    while choked.wait_for(|choked| !choked).await.is_ok() {
        match from.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(read) => {
                if to.write_all(&buffer[..read]).await.is_err() {
                    return;
                }
            }
        }
    }
}
