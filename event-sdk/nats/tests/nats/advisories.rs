//! Advisories: what cannot be read, a lost connection, another domain.

use event_sdk::transport::nats::Nats;
use event_sdk::transport::{
    AdvisoryItem, AdvisoryRequest, AdvisoryStream, Capability, ErrorKind, NoticeKind,
    Transport as _, TransportExt as _,
};
use event_sdk_test_servers::Server;
use futures_util::StreamExt as _;

use crate::consumer_support;
use crate::support::{Rig, within};

const SUBJECT: &str = "$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.S.d";

async fn item(advisories: &mut AdvisoryStream) -> AdvisoryItem {
    let item = within(advisories.next()).await;
    item.expect("listening goes on").unwrap()
}

/// Publishes an advisory, as a server does, of the message with this sequence.
async fn advise(client: &async_nats::Client, sequence: u64) {
    let json = format!(
        r#"{{"type":"io.nats.jetstream.advisory.v1.terminated","id":"x","timestamp":"2026-12-01T05:20:11Z","stream":"S","consumer":"d","consumer_seq":9,"stream_seq":{sequence},"deliveries":2}}"#
    );
    client.publish(SUBJECT, json.into()).await.unwrap();
    client.flush().await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_read_is_told_and_passed_over() {
    let rig = consumer_support::Rig::start().await;
    let nats = rig.connect().await;
    let listening = nats.listen_to_advisories(AdvisoryRequest::default());
    let mut advisories = within(listening).await.unwrap();
    let mut commands = Vec::new();
    for (headers, body) in [
        (&b"NATS/1.0\r\nA: \xff\r\n\r\n"[..], &b"{}"[..]),
        (b"\xff", b"\xff\xfe"),
        (b"NATS/1.0\r\n\r\n", b""),
    ] {
        let total = headers.len() + body.len();
        let line = format!("HPUB {SUBJECT} {} {total}\r\n", headers.len());
        commands.extend_from_slice(line.as_bytes());
        commands.extend_from_slice(headers);
        commands.extend_from_slice(body);
        commands.extend_from_slice(b"\r\n");
    }
    rig.send_raw(&commands).await;
    advise(&rig.admin, 7).await;
    for _ in 0..3 {
        let AdvisoryItem::Notice(notice) = item(&mut advisories).await else {
            panic!("a notice is due");
        };
        assert!(
            matches!(notice.kind(), NoticeKind::Unreadable { .. }),
            "{notice}"
        );
    }
    let AdvisoryItem::Advisory(advisory) = item(&mut advisories).await else {
        panic!("an advisory is due");
    };
    assert_eq!(advisory.stream_sequence, 7);
    assert_eq!(advisory.consumer_sequence, Some(9));
}

#[tokio::test]
async fn a_lost_connection_is_told_and_listening_goes_on() {
    let mut rig = Rig::start().await;
    let listening = rig.nats.listen_to_advisories(AdvisoryRequest::default());
    let mut advisories = within(listening).await.unwrap();
    rig.server.kill().await.unwrap();
    rig.server.restart().await.unwrap();
    let AdvisoryItem::Notice(notice) = item(&mut advisories).await else {
        panic!("a notice is due");
    };
    assert!(matches!(notice.kind(), NoticeKind::Reconnected), "{notice}");
    let client = async_nats::connect(rig.server.url()).await.unwrap();
    advise(&client, 3).await;
    let AdvisoryItem::Advisory(advisory) = item(&mut advisories).await else {
        panic!("an advisory is due");
    };
    assert_eq!(advisory.stream_sequence, 3);
}

#[tokio::test]
async fn those_of_another_domain_are_not_promised() {
    let server = Server::options().start().await.unwrap();
    let options = Nats::options(server.url()).domain("hub");
    let nats = Nats::connect(options).await.unwrap();
    assert!(nats.advisories().is_none());
    let listening = nats.listen_to_advisories(AdvisoryRequest::default());
    let error = within(listening).await.err().expect("it is unsupported");
    let kind = ErrorKind::Unsupported(Capability::Advisories);
    assert_eq!(*error.kind(), kind, "{error}");
    assert!(error.to_string().contains("domain"), "{error}");
}
