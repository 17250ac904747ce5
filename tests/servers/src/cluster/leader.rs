//! Leaders of a cluster, a stream or a consumer.
//!
//! Asked of the monitoring ports, which need no credentials and no leader to answer. A server
//! is believed about itself alone: what it says of others may be older than their death.

use event_sdk_nats_server::Patience;
use serde_json::Value;

use super::{Cluster, WITHIN};
use crate::{Error, Server};

impl Cluster {
    /// The index of the server that leads the cluster's own group, which answers requests of
    /// management; waits for an election.
    ///
    /// Cancel-safe.
    ///
    /// # Errors
    ///
    /// If there is none in time.
    pub async fn leader(&mut self) -> Result<usize, Error> {
        self.find("the leader of the cluster", "/jsz", |server, answer| {
            answer["meta_cluster"]["leader"] == server.name()
        })
        .await
    }

    /// The index of the server that leads a replicated stream; waits for an election.
    ///
    /// Cancel-safe.
    ///
    /// # Errors
    ///
    /// If there is none in time, also because there is no such stream.
    pub async fn leader_of_stream(&mut self, stream: &str) -> Result<usize, Error> {
        self.find("the leader of a stream", STREAMS, |server, answer| {
            streams(answer).any(|found| leads(server, found, stream))
        })
        .await
    }

    /// The index of the server that leads a consumer; waits for an election.
    ///
    /// Cancel-safe.
    ///
    /// # Errors
    ///
    /// If there is none in time, also because there is no such consumer.
    pub async fn leader_of_consumer(
        &mut self,
        stream: &str,
        consumer: &str,
    ) -> Result<usize, Error> {
        self.find("the leader of a consumer", STREAMS, |server, answer| {
            streams(answer)
                .filter(|found| found["name"] == stream)
                .flat_map(|found| list(&found["consumer_detail"]))
                .any(|found| leads(server, found, consumer))
        })
        .await
    }

    /// The first server whose answer says so of itself.
    async fn find(
        &mut self,
        awaited: &'static str,
        path: &str,
        says_so: impl Fn(&Server, &Value) -> bool,
    ) -> Result<usize, Error> {
        let mut patience = Patience::new(WITHIN);
        loop {
            let mut last = "no server says that it is".to_owned();
            for (index, server) in self.awake() {
                match server.monitor(path).await {
                    Ok(answer) if says_so(server, &answer) => return Ok(index),
                    Ok(_) => {}
                    Err(error) => last = error.to_string(),
                }
            }
            if !patience.again().await {
                return Err(self.in_vain(awaited, &last));
            }
        }
    }

    /// One look at whether the cluster has settled; what is amiss, if it has not.
    pub(super) async fn look(&mut self) -> Result<(), String> {
        let size = self.servers.len();
        let awake = self.awake();
        let names: Vec<_> = awake.iter().map(|(_, server)| server.name()).collect();
        let mut leaders = Vec::new();
        for (_, server) in &awake {
            let answer = ask(server, STREAMS).await?;
            all_are_led(&answer, &names)?;
            let group = &answer["meta_cluster"];
            if group["cluster_size"] != size {
                return Err(format!("{} knows no cluster of {size}", server.name()));
            }
            let leader = group["leader"].as_str().unwrap_or_default();
            if leader == server.name() {
                all_follow(group, leader, &names)?;
            }
            leaders.push(leader.to_owned());
        }
        let first = leaders.first().map(String::as_str).unwrap_or_default();
        if !names.contains(&first) || leaders.iter().any(|leader| leader != first) {
            return Err(format!("{names:?} follow {leaders:?}"));
        }
        for (_, server) in &awake {
            ask(server, "/healthz").await?;
        }
        Ok(())
    }
}

const STREAMS: &str = "/jsz?accounts=true&streams=true&consumers=true";

async fn ask(server: &Server, path: &str) -> Result<Value, String> {
    let answer = server.monitor(path).await;
    answer.map_err(|error| error.to_string())
}

/// All streams of all accounts in an answer.
fn streams(answer: &Value) -> impl Iterator<Item = &Value> {
    list(&answer["account_details"]).flat_map(|account| list(&account["stream_detail"]))
}

fn leads(server: &Server, found: &Value, name: &str) -> bool {
    found["name"] == name && found["cluster"]["leader"] == server.name()
}

/// Whether the leader has each of these servers as a current follower, or is it itself.
fn all_follow(group: &Value, leader: &str, names: &[&str]) -> Result<(), String> {
    let is_current = |name: &str| {
        list(&group["replicas"]).any(|replica| {
            replica["name"] == name && replica["current"] == true && replica["offline"] != true
        })
    };
    let mut others = names.iter().filter(|name| **name != leader);
    match others.find(|name| !is_current(name)) {
        Some(late) => Err(format!("{late} is not current: {}", group["replicas"])),
        None => Ok(()),
    }
}

/// Whether each replicated stream and consumer of a server has one of these as its leader.
fn all_are_led(answer: &Value, names: &[&str]) -> Result<(), String> {
    let groups = streams(answer).flat_map(|stream| {
        let consumers = list(&stream["consumer_detail"]);
        consumers.chain([stream])
    });
    for group in groups.filter(|group| group["cluster"]["replicas"].is_array()) {
        let leader = group["cluster"]["leader"].as_str().unwrap_or_default();
        if !names.contains(&leader) {
            return Err(format!("{} is to be led by `{leader}`", group["name"]));
        }
    }
    Ok(())
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_follower_that_is_late_offline_or_unknown_is_named() {
        let group = json!({ "replicas": [
            { "name": "b", "current": true },
            { "name": "c", "current": false },
            { "name": "d", "current": true, "offline": true },
        ]});
        assert!(all_follow(&group, "a", &["a", "b"]).is_ok());
        for late in ["c", "d", "e"] {
            let error = all_follow(&group, "a", &["a", "b", late]).unwrap_err();
            assert!(
                error.starts_with(&format!("{late} is not current")),
                "{error}"
            );
        }
        assert!(all_follow(&json!({}), "a", &["a"]).is_ok());
    }
}
