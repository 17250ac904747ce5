//! Buckets: their layout for other clients, lost answers, and buckets that another client has made.

use std::sync::Arc;
use std::time::Duration;

use async_nats::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use event_sdk::ErrorKind;
use event_sdk::transport::nats::{Management, Nats};
use event_sdk::transport::{
    Bucket, BucketConfig, Capability, Outcome, Revision, StreamChange, TransportExt as _,
};
use event_sdk_test_servers::Server;
use event_sdk_test_servers::programs::nats::oldest;

use crate::proxy::Proxy;
use crate::support::{Rig, eventually, raw_call, within};

fn bucket(nats: &Nats) -> Bucket {
    Bucket::new(Arc::new(nats.clone()), "B")
}

/// A server with the bucket `B`, and the bucket.
async fn rig() -> (Rig, Bucket) {
    let rig = Rig::start().await;
    within(rig.nats.apply_bucket(&"B".into())).await.unwrap();
    let bucket = bucket(&rig.nats);
    (rig, bucket)
}

async fn put(bucket: &Bucket, key: &str, value: &str, expected: Revision) -> u64 {
    let put = bucket.put(key, value.to_owned(), expected, None);
    within(put).await.unwrap()
}

async fn value(bucket: &Bucket, key: &str) -> Option<String> {
    let entry = within(bucket.get(key)).await.unwrap()?;
    Some(String::from_utf8(entry.value.to_vec()).unwrap())
}

async fn keys(bucket: &Bucket) -> Vec<String> {
    let entries = within(bucket.list("")).await.unwrap();
    entries.iter().map(|entry| entry.key.to_string()).collect()
}

/// Publishes as another client does.
async fn publish(url: &str, subject: &str, headers: &[(&'static str, &str)], value: &str) {
    let client = async_nats::connect(url).await.unwrap();
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(*name, *value);
    }
    let request = async_nats::Request::new().headers(map);
    let request = request.payload(value.to_owned().into());
    let answer = client.send_request(subject.to_owned(), request).await;
    let answer = String::from_utf8(answer.unwrap().payload.to_vec()).unwrap();
    assert!(!answer.contains("\"error\""), "{answer}");
}

async fn stored(url: &str, subject: &str) -> String {
    let request = format!("{{\"last_by_subj\":\"{subject}\"}}");
    let message = raw_call(url, "STREAM.MSG.GET.KV_B", &request).await;
    let message: serde_json::Value = serde_json::from_str(&message).unwrap();
    let headers = message["message"]["hdrs"].as_str().unwrap_or_default();
    let headers = STANDARD.decode(headers);
    String::from_utf8(headers.unwrap()).unwrap()
}

#[tokio::test]
async fn another_client_finds_what_a_key_value_store_has() {
    let (rig, bucket) = rig().await;
    let url = rig.server.url();
    let info = raw_call(&url, "STREAM.INFO.KV_B", "{}").await;
    let info: serde_json::Value = serde_json::from_str(&info).unwrap();
    let config = &info["config"];
    assert_eq!(config["subjects"], serde_json::json!(["$KV.B.>"]));
    assert_eq!(config["max_msgs_per_subject"], 1);
    for set in [
        "allow_rollup_hdrs",
        "deny_delete",
        "allow_direct",
        "allow_msg_ttl",
    ] {
        assert_eq!(config[set], true, "{set} in {config}");
    }
    put(&bucket, "a.b", "value", Revision::Absent).await;
    within(bucket.delete("a.b", Revision::Any)).await.unwrap();
    let headers = stored(&url, "$KV.B.a.b").await;
    assert!(headers.contains("KV-Operation: DEL\r\n"), "{headers}");
    assert!(headers.contains("Nats-TTL: 3600s\r\n"), "{headers}");
    let expiring = bucket.put("e", "x", Revision::Any, Some(Duration::from_millis(90_001)));
    within(expiring).await.unwrap();
    let headers = stored(&url, "$KV.B.e").await;
    assert!(headers.contains("Nats-TTL: 91s\r\n"), "{headers}");
    let endless = bucket.put("e", "x", Revision::Any, Some(Duration::MAX));
    within(endless).await.unwrap();
    assert_eq!(value(&bucket, "e").await.as_deref(), Some("x"));
}

#[tokio::test]
async fn what_another_client_has_written_is_read() {
    let (rig, bucket) = rig().await;
    let url = rig.server.url();
    for key in ["put", "deleted", "purged", "odd"] {
        publish(&url, &format!("$KV.B.{key}"), &[], "theirs").await;
    }
    publish(&url, "$KV.B.deleted", &[("KV-Operation", "DEL")], "").await;
    let purge = [("KV-Operation", "PURGE"), ("Nats-Rollup", "sub")];
    publish(&url, "$KV.B.purged", &purge, "").await;
    publish(&url, "$KV.B.odd", &[("KV-Operation", "PUT")], "odd").await;
    assert_eq!(keys(&bucket).await, ["odd", "put"]);
    assert_eq!(value(&bucket, "put").await.as_deref(), Some("theirs"));
    for gone in ["deleted", "purged"] {
        assert_eq!(value(&bucket, gone).await, None, "{gone}");
        put(&bucket, gone, "ours", Revision::Absent).await;
        assert_eq!(value(&bucket, gone).await.as_deref(), Some("ours"));
    }
    let taken = bucket.put("odd", "ours", Revision::Absent, None);
    let taken = within(taken).await.unwrap_err();
    assert!(matches!(taken.kind(), ErrorKind::WrongRevision { .. }));
}

/// A bucket that a client has made before the server had TTLs, or that keeps more history.
#[tokio::test]
async fn a_bucket_of_another_client_is_used_and_changed_by_apply() {
    let rig = Rig::start().await;
    let url = rig.server.url();
    let config = r#"{"name":"KV_B","subjects":["$KV.B.>"],"max_msgs_per_subject":5,
        "discard":"new","deny_delete":true,"allow_rollup_hdrs":true,"allow_direct":true,
        "num_replicas":1,"storage":"file","retention":"limits","max_bytes":1000000}"#;
    raw_call(&url, "STREAM.CREATE.KV_B", config).await;
    let bucket = bucket(&rig.nats);
    put(&bucket, "a", "1", Revision::Absent).await;
    put(&bucket, "b", "1", Revision::Absent).await;
    let revision = put(&bucket, "a", "2", Revision::Any).await;
    let entries = within(bucket.list("")).await.unwrap();
    let found: Vec<_> = entries
        .iter()
        .map(|entry| (&*entry.key, &*entry.value))
        .collect();
    assert_eq!(found, [("a", &b"2"[..]), ("b", b"1")]);
    // Without TTLs in the stream, the marker has none.
    within(bucket.delete("a", Revision::Exactly(revision)))
        .await
        .unwrap();
    assert_eq!(keys(&bucket).await, ["b"]);
    let expiring = bucket.put("c", "1", Revision::Absent, Some(Duration::from_secs(60)));
    let error = within(expiring).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::InvalidOption, "{error}");
    assert!(error.to_string().contains("apply the bucket"), "{error}");

    let change = within(rig.nats.apply_bucket(&"B".into())).await.unwrap();
    let StreamChange::Updated { differences } = &change else {
        panic!("{change:?}");
    };
    let fields: Vec<_> = differences.iter().map(|found| found.field).collect();
    assert_eq!(
        fields,
        ["max age", "max messages per subject", "message TTL"]
    );
    assert_eq!(keys(&bucket).await, ["b"]);
    let expiring = bucket.put("c", "1", Revision::Absent, Some(Duration::from_secs(60)));
    within(expiring).await.unwrap();
    let info = raw_call(&url, "STREAM.INFO.KV_B", "{}").await;
    assert!(info.contains("\"max_bytes\":1000000"), "{info}");
}

/// The put whose answer is lost is sent again over the next connection, and finds itself.
async fn a_put_survives_a_lost_answer(server: Server) {
    let proxy = Proxy::to(server.port()).await;
    let nats = Nats::connect(Nats::options(proxy.url()).only_given_servers());
    let nats = nats.await.unwrap();
    within(nats.apply_bucket(&"B".into())).await.unwrap();
    let bucket = bucket(&nats);
    let beside = Nats::connect(Nats::options(server.url())).await.unwrap();
    let beside = self::bucket(&beside);
    let first = put(&bucket, "k", "first", Revision::Absent).await;
    for (key, expected) in [("k", Revision::Exactly(first)), ("new", Revision::Absent)] {
        let connections = proxy.connections();
        for connection in 0..connections {
            proxy.mute(connection);
        }
        let putting = tokio::spawn(bucket.put(key, "second", expected, None));
        // It is stored, of which the client hears nothing.
        eventually("the first copy", async || {
            let found = within(beside.get(key)).await.unwrap()?;
            (&*found.value == b"second").then_some(())
        })
        .await;
        for connection in 0..connections {
            proxy.cut(connection);
        }
        let revision = within(putting).await.unwrap().unwrap();
        let entry = within(bucket.get(key)).await.unwrap().unwrap();
        assert_eq!((&*entry.value, entry.revision), (&b"second"[..], revision));
    }
}

#[tokio::test]
async fn a_put_whose_answer_is_lost_finds_itself() {
    a_put_survives_a_lost_answer(Server::start().await.unwrap()).await;
}

#[tokio::test]
async fn a_put_whose_answer_is_lost_finds_itself_on_the_oldest_server() {
    let options = Server::options().program(oldest().unwrap());
    a_put_survives_a_lost_answer(options.start().await.unwrap()).await;
}

#[tokio::test]
async fn a_lost_put_that_was_replaced_since_has_an_unknown_outcome() {
    let server = Server::start().await.unwrap();
    let proxy = Proxy::to(server.port()).await;
    let nats = Nats::connect(Nats::options(proxy.url()).only_given_servers());
    let nats = nats.await.unwrap();
    within(nats.apply_bucket(&"B".into())).await.unwrap();
    let bucket = bucket(&nats);
    let first = put(&bucket, "k", "first", Revision::Absent).await;
    let connections = proxy.connections();
    for connection in 0..connections {
        proxy.mute(connection);
    }
    let putting = tokio::spawn(bucket.put("k", "second", Revision::Exactly(first), None));
    eventually("the first copy", async || {
        let info = raw_call(&server.url(), "STREAM.INFO.KV_B", "{}").await;
        info.contains("\"last_seq\":2").then_some(())
    })
    .await;
    publish(&server.url(), "$KV.B.k", &[], "third").await;
    for connection in 0..connections {
        proxy.cut(connection);
    }
    let error = within(putting).await.unwrap().unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::WrongRevision { last: Some(3) });
    assert_eq!(error.outcome(), Outcome::Unknown);
    assert_eq!(value(&bucket, "k").await.as_deref(), Some("third"));
}

#[tokio::test]
async fn without_a_connection_nothing_was_done() {
    let mut server = Server::start().await.unwrap();
    let options = Nats::options(server.url()).request_timeout(Duration::from_millis(500));
    let nats = Nats::connect(options).await.unwrap();
    within(nats.apply_bucket(&"B".into())).await.unwrap();
    let bucket = bucket(&nats);
    put(&bucket, "k", "first", Revision::Absent).await;
    server.kill().await.unwrap();
    let mut watch = nats.connection();
    within(async {
        while watch.current() == event_sdk::transport::nats::ConnectionState::Connected {
            watch.changed().await;
        }
    })
    .await;
    let error = within(bucket.put("k", "second", Revision::Any, None)).await;
    let error = error.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Disconnected, "{error}");
    assert_eq!(error.outcome(), Outcome::NotDone);
    assert_eq!((error.bucket(), error.subject()), (Some("B"), Some("k")));
    server.restart().await.unwrap();
    eventually("the entry", async || bucket.get("k").await.ok().flatten()).await;
}

#[tokio::test]
async fn without_management_there_is_no_coordination() {
    let rig = Rig::start_with(Server::options(), |options| {
        options.management(Management::Never)
    })
    .await;
    let error = within(bucket(&rig.nats).get("k")).await.unwrap_err();
    let coordination = Capability::Coordination;
    assert_eq!(*error.kind(), ErrorKind::Unsupported(coordination));
    assert!(error.to_string().contains("allow them"), "{error}");
}

#[tokio::test]
async fn an_old_server_has_no_expiry_and_says_what_it_needs() {
    let options = Server::options().program(oldest().unwrap());
    let rig = Rig::start_with(options, |options| options).await;
    within(rig.nats.apply_bucket(&BucketConfig::new("B")))
        .await
        .unwrap();
    let bucket = bucket(&rig.nats);
    let expiring = bucket.put("k", "x", Revision::Any, Some(Duration::from_secs(1)));
    let error = within(expiring).await.unwrap_err();
    let expiry = Capability::CoordinationExpiry;
    assert_eq!(*error.kind(), ErrorKind::Unsupported(expiry));
    assert!(error.to_string().contains("2.11"), "{error}");
    // Markers have no TTL there.
    put(&bucket, "k", "x", Revision::Absent).await;
    within(bucket.delete("k", Revision::Any)).await.unwrap();
    assert_eq!(keys(&bucket).await, [""; 0]);
}
