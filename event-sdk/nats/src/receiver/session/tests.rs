//! Sessions with a server of the test, which says what no server of a test rig can be made to.

use std::task::Waker;

use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::receiver::Haste;

/// How long something that has to come is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// A connection, and the server's end of it.
struct Rig {
    shared: Shared,
    monitor: ConnectionMonitor,
    servers: ServerList,
    server: ServerAddress,
    ends: Option<(TcpStream, TcpStream)>,
}

impl Rig {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let socket = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let (far, _) = listener.accept().await.unwrap();
        let at = |port| ServerAddress {
            host: "127.0.0.1".to_owned(),
            port,
            secure: false,
        };
        let shared = Shared::new();
        shared.connect();
        Self {
            shared,
            monitor: ConnectionMonitor::new(),
            servers: ServerList::new(vec![at(port), at(1)], true),
            server: at(port),
            ends: Some((socket, far)),
        }
    }

    fn session(&mut self) -> (Session<'_>, TcpStream) {
        let (socket, far) = self.ends.take().unwrap();
        let established = Established {
            socket: Socket::Plain(socket),
            decoder: Decoder::new(),
            info: ServerInfo::default(),
        };
        let session = Session::new(
            &self.shared,
            &self.monitor,
            &mut self.servers,
            &self.server,
            established,
            PATIENCE,
        );
        (session, far)
    }
}

#[tokio::test]
async fn settlements_that_were_not_written_are_kept_for_the_next_connection() {
    let mut rig = Rig::start().await;
    // More than any socket takes at once.
    let (count, body) = (64, vec![b'x'; 1024 * 1024]);
    let subject = |number: usize| format!("ack.{number:02}");
    for number in 0..count {
        let mut outgoing = rig.shared.outgoing();
        outgoing.publish_kept(subject(number).as_bytes(), &body, Haste::Now);
    }
    let (session, mut far) = rig.session();
    let serving = async {
        let mut first = [0];
        far.read_exact(&mut first).await.unwrap();
        far.write_all(b"NONSENSE\r\n").await.unwrap();
        // The rest is read when the connection has ended.
        far
    };
    let running = session.run(std::future::pending());
    let both = async { tokio::join!(running, serving) };
    let (ending, mut far) = tokio::time::timeout(PATIENCE, both).await.unwrap();
    assert!(matches!(ending, Ending::Lost(Loss::Wire(_))), "{ending:?}");
    let mut read = Vec::new();
    far.read_to_end(&mut read).await.unwrap();
    let frame = format!("PUB {} {}\r\n\r\n", subject(0), body.len()).len() + body.len();
    // With the byte that was read first.
    let came = (read.len() + 1) / frame;
    assert!(came < count, "the socket took {} bytes", read.len());
    rig.shared.connect();
    let mut writing = Vec::new();
    let mut outgoing = rig.shared.outgoing();
    outgoing.take(&mut writing, &Context::from_waker(Waker::noop()));
    assert_eq!(writing.len(), (count - came) * frame);
    assert!(writing.starts_with(format!("PUB {} ", subject(came)).as_bytes()));
}

#[tokio::test]
async fn a_close_during_a_move_waits_for_what_is_written_after_it() {
    let mut rig = Rig::start().await;
    let (mut session, _far) = rig.session();
    let stops = ServerInfo {
        ldm: true,
        ..ServerInfo::default()
    };
    session.learn(&stops);
    session.closing = true;
    session.leave();
    let mut heard = |answer: &[u8]| {
        session.decoder.room().extend_from_slice(answer);
        session.take_frames().unwrap()
    };
    // To the ping of the move: what was sent until the close is behind it.
    let moved = heard(b"PONG\r\n");
    assert!(moved.is_none(), "{moved:?}");
    assert!(matches!(heard(b"PONG\r\n"), Some(Ending::Closed)));
}
