//! Starts a client in another language, and exchanges JSON lines with it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use event_sdk::json::RawJson;
use event_sdk_test_servers::programs::clients::{self, Runtime};
use serde::{Deserialize, Serialize};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::rig::{KNOWN, STREAM};

/// A client in another language.
pub(crate) struct Client {
    runtime: Runtime,
    script: PathBuf,
    /// What tells the language where its packages are.
    packages_variable: &'static str,
}

/// Something that a client is to publish; what is not said is left to it.
#[derive(Debug, Default, Serialize)]
#[serde(default)]
pub(crate) struct Line<'a> {
    pub(crate) subject: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<&'a str>,
    /// The key of an event that does not have it in its subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key_beside_subject: Option<&'a str>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub(crate) event_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) data: Option<RawJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) event_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) correlation_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) caused_by: Option<Cause<'a>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) metadata: BTreeMap<&'a str, RawJson>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) headers: BTreeMap<&'a str, &'a str>,
    /// The very body, instead of an event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) body: Option<String>,
}

/// The event that causes another.
#[derive(Debug, Serialize)]
pub(crate) struct Cause<'a> {
    pub(crate) event_id: &'a str,
    pub(crate) correlation_id: Option<&'a str>,
}

/// Where a client's event is stored.
#[derive(Debug, Deserialize)]
pub(crate) struct Published {
    pub(crate) stream: String,
    pub(crate) sequence: u64,
    pub(crate) duplicate: bool,
    pub(crate) event_id: Option<String>,
}

/// What a client says of a message: it is an `event`, a `newer` one, of an
/// `unknown` subject, or `refused`.
#[derive(Debug, Deserialize)]
pub(crate) struct Consumed {
    pub(crate) outcome: String,
    pub(crate) subject: String,
    pub(crate) sequence: u64,
    pub(crate) deliveries: u64,
    pub(crate) event: Option<String>,
    pub(crate) key: Option<String>,
    pub(crate) event_id: Option<String>,
    pub(crate) event_type: Option<String>,
    pub(crate) timestamp: Option<String>,
    pub(crate) source: Option<String>,
    pub(crate) version: Option<String>,
    pub(crate) data: Option<RawJson>,
    pub(crate) correlation_id: Option<String>,
    pub(crate) causation_id: Option<String>,
    #[serde(default)]
    pub(crate) metadata: BTreeMap<String, RawJson>,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    /// The headers of a valid trace.
    #[serde(default)]
    pub(crate) trace: BTreeMap<String, String>,
    pub(crate) reason: Option<String>,
}

impl Consumed {
    /// It as the cause of another event.
    pub(crate) fn as_cause(&self) -> Cause<'_> {
        Cause {
            event_id: self.event_id.as_deref().unwrap(),
            correlation_id: self.correlation_id.as_deref(),
        }
    }
}

impl Client {
    /// The client in Python.
    pub(crate) fn python() -> Self {
        let runtime = clients::python().unwrap_or_else(|error| panic!("{error}"));
        Self::new(runtime, "python/client.py", "PYTHONPATH")
    }

    /// The client in Node.
    pub(crate) fn node() -> Self {
        let runtime = clients::node().unwrap_or_else(|error| panic!("{error}"));
        Self::new(runtime, "node/client.js", "NODE_PATH")
    }

    fn new(runtime: Runtime, script: &str, packages_variable: &'static str) -> Self {
        Self {
            runtime,
            script: Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("clients")
                .join(script),
            packages_variable,
        }
    }

    /// Holds it against the vectors, and gives how many held.
    pub(crate) async fn golden(&self, files: &[PathBuf]) -> usize {
        #[derive(Deserialize)]
        struct Result {
            held: usize,
            failed: usize,
        }
        let files: Vec<_> = files.iter().map(|file| file.to_str().unwrap()).collect();
        let [result]: [Result; 1] = self
            .run(&[&["golden"], &files[..]].concat(), "")
            .await
            .try_into()
            .unwrap_or_else(|_| panic!("one line is the result"));
        assert_eq!(result.failed, 0);
        result.held
    }

    /// Lets it publish one event for each line.
    pub(crate) async fn publish(&self, url: &str, lines: &[Line<'_>]) -> Vec<Published> {
        let input: String = lines
            .iter()
            .map(|line| serde_json::to_string(line).unwrap() + "\n")
            .collect();
        let published: Vec<Published> = self.run(&["publish", url], &input).await;
        assert_eq!(published.len(), lines.len());
        published
    }

    /// Lets it settle `count` messages of its durable.
    pub(crate) async fn consume(&self, url: &str, count: usize) -> Vec<Consumed> {
        let count_text = count.to_string();
        let arguments = ["consume", url, STREAM, "other", &count_text, KNOWN];
        let consumed: Vec<Consumed> = self.run(&arguments, "").await;
        assert_eq!(consumed.len(), count);
        consumed
    }

    /// Runs it with this standard input, and reads the lines that it answers.
    async fn run<T: serde::de::DeserializeOwned>(&self, arguments: &[&str], input: &str) -> Vec<T> {
        let mut child = Command::new(self.runtime.program().path())
            .arg(&self.script)
            .args(arguments)
            .env(self.packages_variable, self.runtime.packages())
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let (written, output) = within(async {
            let write = async {
                let written = stdin.write_all(input.as_bytes()).await;
                drop(stdin);
                written
            };
            tokio::join!(write, child.wait_with_output())
        })
        .await;
        let output = output.unwrap();
        let (out, err) = (
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8_lossy(&output.stderr),
        );
        assert!(
            output.status.success(),
            "{} {arguments:?} failed ({}):\n{out}{err}",
            self.script.display(),
            output.status
        );
        written.unwrap();
        out.lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}")))
            .collect()
    }
}

/// Waits for something that is owed.
pub(crate) async fn within<F: IntoFuture>(owed: F) -> F::Output {
    const PATIENCE: Duration = Duration::from_mins(1);
    tokio::time::timeout(PATIENCE, owed.into_future())
        .await
        .expect("what was owed did not come")
}
