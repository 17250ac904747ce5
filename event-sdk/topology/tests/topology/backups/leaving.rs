//! A backup is restored without the SDK.

use std::fs;

use event_sdk_test_servers::Server;
use event_sdk_topology::backup;
use tempfile::TempDir;

use super::{file, orders, publish};
use crate::support::{Place, by_hand};

/// The unpacked folder is restored without the SDK, in the way of the `nats` command line: the
/// description is the request, and each piece of the content is answered.
#[tokio::test]
async fn the_unpacked_folder_is_restored_without_the_sdk() {
    let folder = TempDir::new().unwrap();
    let place = Place::current().await;
    by_hand(&place.bus, orders()).await;
    publish(&place.bus, 1..=100).await;
    let manifest = backup::write(&place.bus, "ORDERS", file(&folder), |_| {}).await;
    let gzip = flate2::read::GzDecoder::new(fs::File::open(file(&folder)).unwrap());
    tar::Archive::new(gzip).unpack(folder.path()).unwrap();
    let unpacked = folder.path().join("ORDERS");
    let description = fs::read(unpacked.join("backup.json")).unwrap();
    let content = fs::read(unpacked.join("stream.tar.s2")).unwrap();
    assert_eq!(content.len() as u64, manifest.unwrap().content.size);

    let server = Server::start().await.unwrap();
    let client = async_nats::connect(server.url()).await.unwrap();
    let ask = async |subject: String, request: Vec<u8>| {
        let answer = client.request(subject, request.into()).await.unwrap();
        answer.payload
    };
    let answer = ask("$JS.API.STREAM.RESTORE.ORDERS".to_owned(), description).await;
    let answer: serde_json::Value = serde_json::from_slice(&answer).unwrap();
    let to = answer["deliver_subject"].as_str().unwrap().to_owned();
    for chunk in content.chunks(1_000) {
        assert_eq!(ask(to.clone(), chunk.to_vec()).await, "");
    }
    let answer = ask(to, Vec::new()).await;
    let answer: serde_json::Value = serde_json::from_slice(&answer).unwrap();
    assert_eq!(answer["config"]["name"], "ORDERS");
    assert_eq!(answer["state"]["messages"], 100);
}
