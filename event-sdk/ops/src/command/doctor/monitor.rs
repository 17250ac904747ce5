//! What the monitoring endpoints of a server say: its health, storage and memory, how it writes to the
//! disk, its clients and its cluster. Fields that are missing or of another form are not judged.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::Value;

use super::clock;
use super::code::Code;
use super::finding::Findings;
use super::http::{Endpoint, HttpError};
use crate::units::count;

/// Beyond this, the memory of a server is named.
const MEMORY: u64 = 1_000_000_000;

/// Reads all endpoints of the server at `url`. Streams are looked at in this account alone; in none if it is
/// not known. Returns whether the server has told of the account.
pub(super) async fn check(url: &str, account: Option<&str>, findings: &mut Findings) -> bool {
    let endpoint = match Endpoint::parse(url) {
        Ok(endpoint) => endpoint,
        Err(why) => {
            let problem = format!("cannot be asked: {}", crate::error::chain(&why));
            failed("monitor", problem, &why, findings);
            return false;
        }
    };
    let name = format!("server at {}", endpoint.name());
    let (asked, begun) = (Timestamp::now(), Instant::now());
    let varz = match endpoint.get("varz", false).await {
        Ok(varz) => varz,
        Err(why) => {
            failed(&name, unasked("varz", &why), &why, findings);
            return false;
        }
    };
    let took = begun.elapsed();
    if varz["server_id"].as_str().is_none() {
        findings.add(
            Code::MonitorUnreadable,
            name,
            "answers `varz` without a `server_id`: it is not the monitoring endpoint of a NATS server",
            "give `--monitor` the port that `http` or `monitor_port` of the server names",
        );
        return false;
    }
    if let Some(now) = time(&varz["now"]) {
        clock::compare("server", now, asked, took, findings);
    }
    of_varz(&name, &varz, findings);
    let mut has_account = false;
    for path in ["healthz", &jsz(account), "connz", "subsz"] {
        let answer = match endpoint.get(path, path == "healthz").await {
            Ok(answer) => answer,
            Err(why) => {
                let problem = unasked(path, &why);
                let is_list = path == "connz" || path.starts_with("jsz");
                if path == "healthz" && why.is_silence() {
                    unhealthy(&name, problem, findings);
                } else if is_list && why.is_too_much() {
                    incomplete(&name, &problem, findings);
                } else {
                    failed(&name, problem, &why, findings);
                }
                continue;
            }
        };
        match path {
            "healthz" => of_healthz(&name, &answer, findings),
            "connz" => of_connz(&name, &answer, findings),
            "subsz" => of_subsz(&name, &answer, findings),
            _ => {
                of_jsz(&name, &answer, findings);
                has_account = of_account(&answer, account, findings);
            }
        }
    }
    has_account
}

/// The path that answers how much is stored, with the consumers of this account.
fn jsz(account: Option<&str>) -> String {
    let Some(account) = account else {
        return "jsz?config=true".to_owned();
    };
    let mut path = "jsz?config=true&streams=true&consumers=true&acc=".to_owned();
    for byte in account.bytes() {
        let _ = write!(path, "%{byte:02X}"); // never fails
    }
    path
}

/// The problem of an endpoint that was asked in vain, without its query.
fn unasked(path: &str, why: &HttpError) -> String {
    let path = path.split('?').next().unwrap_or_default();
    format!("cannot be asked for `{path}`: {}", crate::error::chain(why))
}

/// The server is one, and this is more than is waited for or read.
fn incomplete(name: &str, problem: &str, findings: &mut Findings) {
    findings.add(
        Code::MonitorIncomplete,
        name,
        format!("{problem}; it is not judged by that"),
        "look at streams and consumers with `streams ls` and `consumers ls`, which ask for one after the other; look at the load of the server if it is late",
    );
}

fn failed(thing: &str, problem: String, why: &HttpError, findings: &mut Findings) {
    let (code, remedy) = if why.is_silence() {
        (
            Code::MonitorUnreachable,
            "look whether the server has `http` or `monitor_port` in its configuration, and whether this machine may reach that port",
        )
    } else {
        (
            Code::MonitorUnreadable,
            "give `--monitor` the port that `http` or `monitor_port` of the server names",
        )
    };
    findings.add(code, thing, problem, remedy);
}

fn of_varz(name: &str, varz: &Value, findings: &mut Findings) {
    if varz["auth_required"].as_bool() != Some(true) {
        findings.add(
            Code::NoAuthentication,
            name,
            "lets everybody connect, read all events and publish",
            "configure users or accounts with `authorization`, an operator, or client certificates",
        );
    }
    let since = time(&varz["start"]);
    if let Some(slow) = varz["slow_consumers"].as_u64().filter(|slow| *slow > 0) {
        findings.add(
            Code::SlowConsumers,
            name,
            format!(
                "has cut off {} that did not read as fast as messages came{}",
                count(slow, "client"),
                since.map_or_else(String::new, |start| format!(
                    " since {start}, when it was started"
                ))
            ),
            "look for processes that stand still, and for links that are too slow",
        );
    }
    let used = varz["mem"].as_u64().unwrap_or_default();
    if used > MEMORY {
        findings.add(
            Code::ServerMemoryHigh,
            name,
            format!("uses {} MB of memory", used / 1_000_000),
            "limit streams in memory (`max_bytes`, `max_age`), lower `max_ack_pending` and the number of connections, or give it more memory",
        );
    }
    let config = &varz["jetstream"]["config"];
    if config.is_null() {
        findings.add(
            Code::JetStreamMissing,
            name,
            "runs without JetStream",
            "start the server with `jetstream` in its configuration",
        );
        return;
    }
    let always = config["sync_always"].as_bool() == Some(true);
    let interval = config["sync_interval"].as_u64().map(Duration::from_nanos);
    if let Some(interval) = interval
        && !always
        && interval > Duration::from_secs(10)
    {
        findings.add(
            Code::SyncInterval,
            name,
            format!(
                "writes events to the disk itself only every {interval:?}: after a power cut, events are lost that it has confirmed, unless a replica has them"
            ),
            "set `sync_interval: always` or a few seconds in `jetstream` of its configuration; docs/durability.md has the costs",
        );
    }
}

fn of_healthz(name: &str, healthz: &Value, findings: &mut Findings) {
    if healthz["status"].as_str() == Some("ok") {
        return;
    }
    let why = healthz["error"].as_str().unwrap_or("it gives no reason");
    unhealthy(
        name,
        format!("says that it is not healthy: {why}"),
        findings,
    );
}

fn unhealthy(name: &str, problem: String, findings: &mut Findings) {
    findings.add(
        Code::ServerUnhealthy,
        name,
        problem,
        "look at its log; after a restart it may only need time to catch up",
    );
}

fn of_jsz(name: &str, jsz: &Value, findings: &mut Findings) {
    let config = &jsz["config"];
    for (used, most, unit, code) in [
        ("storage", "max_storage", "storage", Code::ServerStorageHigh),
        ("memory", "max_memory", "memory", Code::ServerMemoryHigh),
    ] {
        if let (Some(used), Some(most)) = (jsz[used].as_u64(), config[most].as_u64())
            && most > 0
            && u128::from(used) * 100 >= u128::from(most) * 90
        {
            findings.add(
                code,
                name,
                format!("uses {used} of {most} bytes of {unit} for streams; beyond them, every publish is refused"),
                "remove streams or lower their limits, or raise the limit in `jetstream` of its configuration",
            );
        }
    }
    for peer in list(&jsz["meta_cluster"]["replicas"]) {
        if peer["offline"].as_bool() == Some(true) {
            let peer = peer["name"].as_str().unwrap_or("without a name");
            findings.add(
                Code::PeerOffline,
                format!("server {peer}"),
                "is away: streams with replicas on it have fewer copies, and without a majority they store nothing",
                "start it again, or remove it from the cluster (`nats server raft peer-remove`)",
            );
        }
    }
}

/// The consumers of an account. Returns whether the account is in the answer.
fn of_account(jsz: &Value, account: Option<&str>, findings: &mut Findings) -> bool {
    let accounts = list(&jsz["account_details"]);
    // A server may answer more than it was asked for. With an operator, the account of a user is the key,
    // which is the `id`; the name is that in the JWT.
    let is = |it: &Value, field: &str| account.is_some() && it[field].as_str() == account;
    let own: Vec<_> = accounts
        .filter(|it| is(it, "id") || is(it, "name"))
        .collect();
    let streams = own
        .iter()
        .flat_map(|account| list(&account["stream_detail"]));
    for consumer in streams.flat_map(|stream| list(&stream["consumer_detail"])) {
        if consumer["paused"].as_bool() == Some(true) {
            let of = |field: &str| consumer[field].as_str().unwrap_or_default().to_owned();
            findings.add(
                Code::ConsumerPaused,
                format!("durable {} of stream {}", of("name"), of("stream_name")),
                "is paused, and delivers nothing to any process",
                "let it go on with `consumers resume`, or wait",
            );
        }
    }
    !own.is_empty()
}

fn of_connz(name: &str, connz: &Value, findings: &mut Findings) {
    if connz["num_connections"].as_u64() == Some(0) {
        findings.add(
            Code::NoClients,
            name,
            "has no client: no service is connected to it",
            "look whether the services run, and whether they connect to this server",
        );
    }
}

/// Says nothing on its own: that it can be read shows that all of the server answers.
fn of_subsz(name: &str, subsz: &Value, findings: &mut Findings) {
    if subsz["num_subscriptions"].as_u64().is_none() {
        findings.add(
            Code::MonitorUnreadable,
            name,
            "answers `subsz` without a number of subscriptions",
            "look whether something stands between this machine and the server",
        );
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn time(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}
