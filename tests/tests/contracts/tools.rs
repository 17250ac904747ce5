//! Runs the tools in `tests/contracts/`, one JSON line each.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use event_sdk_test_servers::programs::clients::Runtime;
use event_sdk_test_servers::programs::contracts;
use tokio::process::Command;

/// A language with its packages.
pub(crate) struct Tools {
    runtime: Runtime,
    /// What tells the language where its packages are.
    packages_variable: &'static str,
}

impl Tools {
    /// Those in Node.
    pub(crate) fn node() -> Self {
        Self {
            runtime: contracts::node().unwrap_or_else(|error| panic!("{error}")),
            packages_variable: "NODE_PATH",
        }
    }

    /// Those in Python.
    pub(crate) fn python() -> Self {
        Self {
            runtime: contracts::python().unwrap_or_else(|error| panic!("{error}")),
            packages_variable: "PYTHONPATH",
        }
    }

    /// Those in Python for files of deployments.
    pub(crate) fn deployment() -> Self {
        Self {
            runtime: contracts::deployment().unwrap_or_else(|error| panic!("{error}")),
            packages_variable: "PYTHONPATH",
        }
    }

    /// Runs one with these arguments, and reads its answer.
    pub(crate) async fn run<T: serde::de::DeserializeOwned>(
        &self,
        script: &str,
        arguments: &[impl AsRef<Path>],
    ) -> T {
        const PATIENCE: Duration = Duration::from_mins(10);
        let script = folder().join(script);
        let running = Command::new(self.runtime.program().path())
            .arg(&script)
            .args(arguments.iter().map(AsRef::as_ref))
            .env(self.packages_variable, self.runtime.packages())
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .output();
        let output = tokio::time::timeout(PATIENCE, running)
            .await
            .unwrap_or_else(|_| panic!("{} did not end", script.display()))
            .unwrap();
        let out = String::from_utf8(output.stdout).unwrap();
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{} failed ({}):\n{out}{err}",
            script.display(),
            output.status
        );
        let answer = out.lines().last().unwrap_or_default();
        serde_json::from_str(answer).unwrap_or_else(|why| panic!("{why}: {out}{err}"))
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("contracts")
}
