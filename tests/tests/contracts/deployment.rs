//! Checks the files of `examples/deploy` against the schemas of Kubernetes and of compose files.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::tools::Tools;

#[derive(Debug, Deserialize)]
struct Answer {
    documents: usize,
    faults: Vec<String>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

async fn check(files: &[PathBuf]) -> Answer {
    Tools::deployment().run("deployment/check.py", files).await
}

#[tokio::test]
async fn manifests_and_compose_files_are_valid() {
    let deploy = root().join("examples/deploy");
    let answer = check(&[
        root().join("docker-compose.yml"),
        deploy.join("compose.yml"),
        deploy.join("kubernetes/apply.yaml"),
        deploy.join("kubernetes/backup.yaml"),
        deploy.join("kubernetes/nats.yaml"),
        deploy.join("kubernetes/shop.yaml"),
    ])
    .await;
    assert_eq!(answer.faults, [""; 0]);
    assert_eq!(answer.documents, 17);
}

#[tokio::test]
async fn a_wrong_field_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let deploy = root().join("examples/deploy");
    for (file, right, wrong, named) in [
        (
            "compose.yml",
            "stop_grace_period",
            "stop_grace_time",
            "stop_grace_time",
        ),
        (
            "kubernetes/shop.yaml",
            "terminationGracePeriodSeconds: 45",
            "terminationGraceSeconds: 45",
            "terminationGraceSeconds",
        ),
        (
            "kubernetes/backup.yaml",
            "concurrencyPolicy: Forbid",
            "concurrencyPolicies: Forbid",
            "concurrencyPolicies",
        ),
        (
            "kubernetes/shop.yaml",
            "maxReplicas: 10",
            "maxReplicas: many",
            "many",
        ),
    ] {
        let text = std::fs::read_to_string(deploy.join(file)).unwrap();
        assert!(text.contains(right), "{right}");
        let name = file.rsplit('/').next().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, text.replace(right, wrong)).unwrap();
        let faults = check(&[path]).await.faults;
        assert!(
            faults.iter().any(|fault| fault.contains(named)),
            "{named}: {faults:?}"
        );
    }
}
