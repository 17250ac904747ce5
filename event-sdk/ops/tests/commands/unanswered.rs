//! A stream that does not answer: the lists name it as unknown, and go on.

use std::time::Duration;

use event_sdk::EventBus;
use event_sdk::stream::StreamSpec;
use event_sdk::transport::nats::Nats;
use event_sdk_ops::Operations;
use event_sdk_test_servers::Server;
use futures_util::future::join_all;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::program::piped;

/// A way to the server on which requests about the stream LATE are lost, of `lost` alone. The server knows
/// no request of the other name, and answers none.
async fn lossy(server: &Server, lost: &'static str) -> String {
    let to = server.url();
    let to = to.trim_start_matches("nats://").to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("nats://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (client, _) = listener.accept().await.unwrap();
            let server = TcpStream::connect(&to).await.unwrap();
            let (mut from_client, mut to_client) = client.into_split();
            let (mut from_server, mut to_server) = server.into_split();
            tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
            tokio::spawn(async move {
                let mut bytes = vec![0; 65_536];
                while let Ok(read @ 1..) = from_client.read(&mut bytes).await {
                    let text = String::from_utf8(bytes[..read].to_vec()).unwrap();
                    let other = lost.replace("LATE", "L.TE");
                    let text = text.replace(lost, &other);
                    to_server.write_all(text.as_bytes()).await.unwrap();
                }
            });
        }
    });
    url
}

/// A server that answers a request does so within this time.
const TIMEOUT: Duration = Duration::from_secs(3);

async fn connect(url: &str) -> Nats {
    let options = Nats::options(url).request_timeout(TIMEOUT);
    Nats::connect(options).await.unwrap()
}

#[tokio::test]
async fn it_is_unknown_beside_the_others_and_fails_alone() {
    let server = Server::start().await.unwrap();
    let spec = |name: &'static str| {
        let spec = StreamSpec::new(name).subject(format!("{name}.>"));
        spec.replicas(1).schedules()
    };
    let admin = |spec| EventBus::builder().stream(spec);
    let late = admin(spec("LATE")).transport(connect(&server.url()).await);
    late.unwrap().apply_streams().await.unwrap();
    let lists = [
        ("$JS.API.STREAM.INFO.LATE", "streams ls"),
        ("$JS.API.STREAM.INFO.LATE", "streams report"),
        ("$JS.API.STREAM.INFO.LATE", "schedule ls"),
        ("$JS.API.CONSUMER.LIST.LATE", "consumers ls"),
        ("$JS.API.CONSUMER.LIST.LATE", "consumers lag"),
    ];
    let shop = async |lost| {
        let nats = connect(&lossy(&server, lost).await).await;
        Operations::new("shop").bus(EventBus::builder().transport(nats).unwrap())
    };
    let run = async |(lost, list)| (list, piped(&shop(lost).await, list).await);
    for (list, ran) in join_all(lists.map(&run)).await {
        assert_eq!((ran.code, &*ran.out), (2, ""), "{list}: {ran:?}");
    }
    let orders = admin(spec("ORDERS")).transport(connect(&server.url()).await);
    orders.unwrap().apply_streams().await.unwrap();
    for (list, ran) in join_all(lists.map(&run)).await {
        assert_eq!((ran.code, &*ran.err), (1, ""), "{list}: {ran:?}");
        assert!(
            ran.out.contains("stream LATE: unknown ("),
            "{list}: {ran:?}"
        );
    }
    let shop = shop("$JS.API.CONSUMER.LIST.LATE").await;
    let named = piped(&shop, "consumers ls LATE").await;
    assert_eq!((named.code, &*named.out), (2, ""), "{named:?}");
}
