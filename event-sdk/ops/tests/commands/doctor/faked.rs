//! Monitoring endpoints that lie, or say what no real server says in a test: no set-up that was broken.

use std::time::Duration;

use event_sdk::EventBus;
use event_sdk::transport::nats::Nats;
use event_sdk_ops::Operations;
use event_sdk_test_servers::Server;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

use super::Diagnosis;
use super::monitored::monitored;
use crate::program::piped;

/// The status of a path that is never answered.
const SILENT: u16 = 0;

/// Answers each path with a status and a body; others with 404.
async fn fake(answers: Vec<(&'static str, u16, String)>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut silent = Vec::new();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream = BufReader::new(stream);
            let mut first = String::new();
            stream.read_line(&mut first).await.unwrap();
            let path = first.split(' ').nth(1).unwrap().trim_start_matches('/');
            let path = path.split('?').next().unwrap();
            let answer = answers.iter().find(|(of, ..)| *of == path);
            let (status, body) = answer.map_or((404, ""), |(_, status, body)| (*status, body));
            if status == SILENT {
                silent.push(stream);
                continue;
            }
            let head = format!(
                "HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            // The client may have given up by then.
            let _ = stream.write_all(head.as_bytes()).await;
            let _ = stream.write_all(body.as_bytes()).await;
        }
    });
    url
}

/// The endpoints of a server without trouble, with these changes.
async fn changed(change: impl FnOnce(&mut Value)) -> Diagnosis {
    let mut all = json!({
        "varz": {
            "server_id": "S", "auth_required": true, "now": jiff::Timestamp::now(), "mem": 20_000_000,
            "slow_consumers": 0,
            "jetstream": { "config": { "sync_interval": 120_000_000_000_u64, "sync_always": true } }
        },
        "healthz": { "status": "ok" },
        "jsz": {
            "storage": 10, "memory": 0, "config": { "max_storage": 1000, "max_memory": 1000 },
            "account_details": [{ "name": "$G", "stream_detail": [] }]
        },
        "connz": { "num_connections": 1 },
        "subsz": { "num_subscriptions": 60 }
    });
    change(&mut all);
    let paths = ["varz", "healthz", "jsz", "connz", "subsz"];
    let status = |path| match all[path]["status"].as_str() {
        Some("unavailable") => 503,
        Some("silent") => SILENT,
        _ => 200,
    };
    let answers = paths.map(|path| (path, status(path), all[path].to_string()));
    monitored(&fake(answers.to_vec()).await).await
}

#[tokio::test]
async fn a_server_without_trouble_has_no_finding_and_each_trouble_its_own() {
    assert_eq!(changed(|_| {}).await.codes(), [""; 0]);

    let ahead = jiff::Timestamp::now() + Duration::from_secs(90);
    let found = changed(|all| all["varz"]["now"] = json!(ahead)).await;
    found.names(
        "clock-skew",
        "clock of the server",
        "s ahead of that of this machine",
    );
    let behind = jiff::Timestamp::now() - Duration::from_secs(90);
    let found = changed(|all| all["varz"]["now"] = json!(behind)).await;
    found.names(
        "clock-skew",
        "clock of the server",
        "s behind that of this machine",
    );

    let found = changed(|all| all["varz"]["mem"] = 2_000_000_000_u64.into()).await;
    found.names("server-memory-high", "server at 127.0.0.1", "2000 MB");
    // They are counted since the server was started, and no reason for an exit code.
    let found = changed(|all| {
        all["varz"]["start"] = json!("2026-05-01T08:00:00Z");
        all["varz"]["slow_consumers"] = 3.into();
    })
    .await;
    let since = "3 clients that did not read as fast as messages came since 2026-05-01T08:00:00Z";
    found.notes("slow-consumers", "server at", since);
    assert_eq!(found.code, 0);
    let found = changed(|all| all["connz"]["num_connections"] = 0.into()).await;
    found.notes("no-clients", "server at", "has no client");
    assert_eq!(found.code, 0);
    let found = changed(|all| all["jsz"]["storage"] = 950.into()).await;
    found.names("server-storage-high", "server at", "950 of 1000 bytes");
    let peers = json!({ "replicas": [{ "name": "n2", "offline": true }, { "name": "n3" }] });
    let found = changed(|all| all["jsz"]["meta_cluster"] = peers).await;
    found.names("peer-offline", "server n2", "is away");
    let unwell = json!({ "status": "unavailable", "error": "JetStream is not current" });
    let found = changed(|all| all["healthz"] = unwell).await;
    found.names("server-unhealthy", "server at", "JetStream is not current");
}

#[tokio::test]
async fn what_lies_or_is_no_server_is_named_and_does_no_harm() {
    let html = "<html>not found</html>".to_owned();
    let url = fake(vec![("varz", 200, html)]).await;
    let found = monitored(&url).await;
    found.names("monitor-unreadable", "server at", "is not JSON");

    let url = fake(vec![("varz", 200, "{\"name\": []}".to_owned())]).await;
    let found = monitored(&url).await;
    found.names("monitor-unreadable", "server at", "without a `server_id`");

    let url = fake(Vec::new()).await;
    let found = monitored(&url).await;
    found.names("monitor-unreadable", "server at", "status 404");

    let huge = format!("[{}0]", "0,".repeat(9_000_000));
    let url = fake(vec![("varz", 200, huge)]).await;
    let found = monitored(&url).await;
    found.names("monitor-unreadable", "server at", "larger than");

    // Every field is of another form than a server has it.
    let found = changed(|all| {
        for path in ["healthz", "jsz", "connz"] {
            all[path] = json!([{ "status": { "storage": [] } }]);
        }
        all["varz"]["jetstream"] = json!({ "config": "yes" });
    })
    .await;
    assert_eq!(found.codes(), ["server-unhealthy"], "{found:#?}");
}

#[tokio::test]
async fn an_answer_that_is_too_large_or_too_late_is_said_to_be_so() {
    let found = changed(|all| all["jsz"]["x"] = "x".repeat(17 << 20).into()).await;
    let problem = "`jsz`: the answer is larger than 16 MiB";
    found.names("monitor-incomplete", "server at", problem);
    assert_eq!(found.codes(), ["monitor-incomplete"], "{found:#?}");

    let found = changed(|all| all["jsz"]["status"] = "silent".into()).await;
    found.names("monitor-incomplete", "server at", "`jsz`: no answer within");
    assert_eq!(found.codes(), ["monitor-incomplete"], "{found:#?}");

    // A server that cannot say whether it is healthy is not.
    let found = changed(|all| all["healthz"]["status"] = "silent".into()).await;
    let problem = "`healthz`: no answer within";
    found.names("server-unhealthy", "server at", problem);
    assert_eq!(found.codes(), ["server-unhealthy"], "{found:#?}");
}

#[tokio::test]
async fn an_account_is_found_by_its_id_and_that_it_is_not_there_is_said() {
    let accounts = "accounts { AKEY: { users: [{ user: shop, password: sesame }] } }\n";
    let server = Server::options().config(accounts).start().await.unwrap();
    let options = Nats::options(server.url()).user("shop", "sesame");
    let nats = Nats::connect(options).await.unwrap();
    let bus = EventBus::builder().transport(nats).unwrap();
    let shop = Operations::new("shop").bus(bus);
    for (id, found) in [("AKEY", true), ("AOTHER", false)] {
        // As a server with an operator answers: the name is that in the JWT.
        let consumer = json!({ "name": "billing", "stream_name": "ORDERS", "paused": true });
        let streams = json!([{ "consumer_detail": [consumer] }]);
        let account = json!({ "id": id, "name": "Shop", "stream_detail": streams });
        let jsz = json!({ "account_details": [account] }).to_string();
        let varz = json!({ "server_id": "S" }).to_string();
        let url = fake(vec![("varz", 200, varz), ("jsz", 200, jsz)]).await;
        let ran = piped(&shop, &format!("doctor --connect-only --monitor {url}")).await;
        let paused = ran.out.contains("[consumer-paused]");
        let left_out = "not checked: streams of the monitor, since the server tells nothing of the";
        assert_eq!(paused, found, "{}", ran.out);
        assert_eq!(!ran.out.contains(left_out), found, "{}", ran.out);
    }
}
