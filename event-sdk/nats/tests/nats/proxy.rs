//! A relay between clients and a server that can end one connection, or say something on it.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// Connections in the order in which they were made.
pub(crate) struct Proxy {
    port: u16,
    connections: Arc<Mutex<Vec<mpsc::UnboundedSender<Order>>>>,
    /// What is said at the beginning of each further connection.
    greeting: Arc<Mutex<Option<Vec<u8>>>>,
}

enum Order {
    Cut,
    Freeze,
    Mute,
    Say(Vec<u8>),
}

impl Proxy {
    /// A relay to the server at this port.
    pub(crate) async fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Self {
            port: listener.local_addr().unwrap().port(),
            connections: Arc::default(),
            greeting: Arc::default(),
        };
        let connections = Arc::clone(&proxy.connections);
        let greeting = Arc::clone(&proxy.greeting);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (orders, received) = mpsc::unbounded_channel();
                connections.lock().unwrap().push(orders);
                let greeting = greeting.lock().unwrap().clone();
                tokio::spawn(relay(client, server, received, greeting));
            }
        });
        proxy
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// How many connections there were.
    pub(crate) fn connections(&self) -> usize {
        self.connections.lock().unwrap().len()
    }

    /// Ends a connection.
    pub(crate) fn cut(&self, connection: usize) {
        // It may have ended by itself.
        let _ = self.connections.lock().unwrap()[connection].send(Order::Cut);
    }

    /// Lets nothing through any more, without an end.
    pub(crate) fn freeze(&self, connection: usize) {
        self.connections.lock().unwrap()[connection]
            .send(Order::Freeze)
            .unwrap();
    }

    /// Lets nothing through to the client any more.
    pub(crate) fn mute(&self, connection: usize) {
        // It may have ended by itself.
        let _ = self.connections.lock().unwrap()[connection].send(Order::Mute);
    }

    /// Says something to the client, as if it came from the server.
    pub(crate) fn say(&self, connection: usize, bytes: &[u8]) {
        let order = Order::Say(bytes.to_vec());
        self.connections.lock().unwrap()[connection]
            .send(order)
            .unwrap();
    }

    /// Every further connection begins with this instead of the server's words, and ends.
    pub(crate) fn greet(&self, bytes: Option<&[u8]>) {
        *self.greeting.lock().unwrap() = bytes.map(<[u8]>::to_vec);
    }
}

async fn relay(
    mut client: TcpStream,
    server: u16,
    mut orders: mpsc::UnboundedReceiver<Order>,
    greeting: Option<Vec<u8>>,
) {
    if let Some(greeting) = greeting {
        let _ = client.write_all(&greeting).await;
        return;
    }
    let mut server = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
    let mut muted = false;
    let (mut from_client, mut from_server) = (vec![0; 65_536], vec![0; 65_536]);
    loop {
        let sent = tokio::select! {
            order = orders.recv() => match order {
                Some(Order::Say(bytes)) => client.write_all(&bytes).await,
                Some(Order::Freeze) => {
                    // Until the test ends.
                    while orders.recv().await.is_some() {}
                    return;
                }
                Some(Order::Mute) => {
                    muted = true;
                    Ok(())
                }
                Some(Order::Cut) | None => return,
            },
            read = client.read(&mut from_client) => match read {
                Ok(0) | Err(_) => return,
                Ok(read) => server.write_all(&from_client[..read]).await,
            },
            read = server.read(&mut from_server) => match read {
                Ok(0) | Err(_) => return,
                Ok(_) if muted => Ok(()),
                Ok(read) => client.write_all(&from_server[..read]).await,
            },
        };
        if sent.is_err() {
            return;
        }
    }
}
